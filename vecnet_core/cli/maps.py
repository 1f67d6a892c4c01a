"""``vecnet maps``: everything the correction of one frame is made from, as PNG pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vecnet_core.cli.options import corrector_of, decode_of, settings_of
from vecnet_core.cli.outputs import made_folder, refuse_existing
from vecnet_core.errors import InputError
from vecnet_core.rendering import ClipRenderer, LightScan
from vecnet_core.video.footage import open_reader
from vecnet_core.video.writer import check_output

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer
    from vecnet_core.correction.compose import CorrectionMaps
    from vecnet_core.frame import VideoInfo

PICTURES = {
    "source": "source",
    "illumination_under": "illumination_under",
    "illumination_over": "illumination_over",
    "candidate_brightened": "brightened",
    "candidate_darkened": "darkened",
    "candidate_synthesised": "synthesised",
    "weights": "weights",
    "reflectance": "reflectance",
    "corrected": "corrected",
}
"""File names and the fields of `CorrectionMaps` they show; red, green and blue of the weights are the candidates."""

GAIN = "gain_stops"

_COLD, _NEUTRAL, _WARM = (31, 84, 158), (225, 225, 225), (196, 96, 20)


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Analyse one frame in the light of its clip, once the pictures are known to have a place."""
    folder = Path(options.folder)
    settings = settings_of(options)
    paths = {name: folder / f"{name}.png" for name in (*PICTURES, GAIN)}
    with made_folder(folder.absolute()), open_reader(Path(options.input), decode_of(options)) as reader:
        for path in paths.values():
            check_output(path, reader.info.path)
            refuse_existing(path, overwrite=options.overwrite)
        if not 0 <= options.frame < reader.info.frame_count:
            raise InputError(
                f"there is no frame {options.frame}",
                path=reader.info.path,
                hint=f"give 0 to {reader.info.frame_count - 1}",
            )
        corrector = corrector_of(options)
        scan = LightScan(reader)
        with printer.bar(reader.info.frame_count, "frame") as bar:
            for done, _ in enumerate(scan, start=1):
                bar.move_to(done, reader.info.frame_count, "Measuring light")
        maps = ClipRenderer(reader, corrector, scan.light).maps(options.frame, settings)
        limit = write_maps(maps, paths, reader.info)
    printer.document(
        {"frame": options.frame, "gain_limit_stops": limit, "maps": {name: str(path) for name, path in paths.items()}}
    )
    printer.text(f"Wrote {len(paths)} pictures of frame {options.frame} to {folder}.")
    printer.text(f"The gain is blue for {-limit:g} stops, grey for 0, orange for +{limit:g}.")


def write_maps(maps: CorrectionMaps, paths: dict[str, Path], info: VideoInfo) -> float:
    """Write the pictures to their paths as players show the clip, with square pixels and turned.

    Returns:
        The stops at the ends of the gain's colours.

    Raises:
        InputError: A picture cannot be written.
    """
    from PIL import Image

    shown = (max(1, round(info.width * float(info.pixel_aspect))), info.height)
    limit = float(max(1.0, np.ceil(np.abs(maps.gain_stops).max())))
    pictures = {name: _codes(getattr(maps, field)) for name, field in PICTURES.items()}
    pictures[GAIN] = _false_colour(maps.gain_stops / limit)
    for name, picture in pictures.items():
        try:
            level = Image.fromarray(picture).resize(shown)
            level.rotate(info.rotation_degrees, expand=True).save(paths[name])
        except OSError as error:
            raise InputError(
                f"the picture cannot be written ({error.strerror or error})",
                path=paths[name],
                hint="choose another folder",
            ) from error
    return limit


def _codes(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """[0, 1] as 8-bit codes."""
    return (np.clip(np.nan_to_num(values), 0, 1) * 255 + 0.5).astype(np.uint8)


def _false_colour(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """[-1, 1] as blue over grey to orange, which colour-blind people tell apart too."""
    amount = np.clip(np.nan_to_num(values), -1, 1)[..., None]
    end = np.where(amount < 0, np.array(_COLD), np.array(_WARM))
    return (np.array(_NEUTRAL) + (end - np.array(_NEUTRAL)) * np.abs(amount) + 0.5).astype(np.uint8)
