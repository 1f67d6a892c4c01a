"""What a correction did to a clip, from its two files alone: a before/after still and the flicker plot, as PNG."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vecnet_core.cuts import CutDetector
from vecnet_core.errors import InputError, VecnetError
from vecnet_core.metrics.exposure import exposure_ev
from vecnet_core.metrics.flicker import Flicker, flicker
from vecnet_core.plots import flicker_headline, flicker_plot, strip
from vecnet_core.video.color import reduce_to_rgb
from vecnet_core.video.footage import open_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecnet_core.frame import Frame, RGBArray
    from vecnet_core.video.frame_reader import FrameReader

MEASURED_SIDE_PX = 128
"""Short side of the frames whose light is measured; cuts are found on the same (see `CutDetector.update`)."""

STILL_SIDE_PX = 720
"""Largest short side of a frame in the still."""

TWO_FRAMES_FROM_EV = 1.0
"""Stops between the dark and the bright part of a clip from which the still shows a frame of each."""


@dataclass(frozen=True)
class Report:
    """What was written, and the numbers in it.

    Attributes:
        still: PNG, original and corrected side by side.
        plot: PNG, exposure and flicker over time, before and after.
        before: Flicker of the source.
        after: Flicker of the corrected clip.
    """

    still: Path
    plot: Path
    before: Flicker
    after: Flicker


@dataclass(frozen=True)
class _Light:
    """The light of a clip: time in seconds and exposure in stops of every frame (T,), cuts and duplicates by index."""

    times: npt.NDArray[np.float64]
    exposures_ev: npt.NDArray[np.float64]
    cuts: tuple[int, ...]
    duplicates: tuple[int, ...]


def write_report(source: Path, corrected: Path, folder: Path) -> Report:
    """Measure both clips and write ``<source>_before_after.png`` and ``<source>_flicker.png``.

    Args:
        source: The clip as it was.
        corrected: The same clip after correction, with as many frames.
        folder: Where the pictures go; made if it is not there.

    Raises:
        VideoOpenError: One of the clips is no video.
        InputError: The clips differ in size or length, or the folder cannot be written.
    """
    with open_reader(source) as original, open_reader(corrected) as result:
        sizes = [(reader.info.width, reader.info.height) for reader in (original, result)]
        if sizes[0] != sizes[1]:
            raise InputError(
                f"this is {sizes[1][0]}x{sizes[1][1]} and its source {sizes[0][0]}x{sizes[0][1]}",
                path=corrected,
                hint="compare a clip with its own correction",
            )
        before, after = _measure(original), _measure(result)
        if before.times.size != after.times.size:
            raise InputError(
                f"this has {after.times.size} frames and its source {before.times.size}",
                path=corrected,
                hint="compare a whole clip with its own correction",
            )
        rate = float(original.info.frame_rate)
        # Cuts and repeated frames are facts of the source: both curves are judged on the same frames.
        flicker_before = flicker(before.exposures_ev, rate, before.cuts, before.duplicates)
        flicker_after = flicker(after.exposures_ev, rate, before.cuts, before.duplicates)
        report = Report(
            still=folder / f"{source.stem}_before_after.png",
            plot=folder / f"{source.stem}_flicker.png",
            before=flicker_before,
            after=flicker_after,
        )
        rows = [
            [_picture(reader, index) for reader in (original, result)] for index in telling_frames(before.exposures_ev)
        ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            "the report cannot be written here", path=folder, hint="choose a folder you may write to"
        ) from error
    strip(report.still, rows, ("Original", "Corrected"))
    curves = (before.times, before.exposures_ev, after.exposures_ev, flicker_before, flicker_after)
    flicker_plot(report.plot, *curves, title=f"exposure of every frame of {source.name}", cuts=before.cuts)
    return report


def telling_frames(exposures_ev: npt.NDArray[np.float64]) -> list[int]:
    """Frames that show what is wrong with a clip: one dark and one bright in order of time, or the typical one."""
    dark, middle, bright = np.percentile(exposures_ev, [15, 50, 85])
    levels = [dark, bright] if bright - dark > TWO_FRAMES_FROM_EV else [middle]
    return sorted({int(np.argmin(abs(exposures_ev - level))) for level in levels})


def _measure(reader: FrameReader) -> _Light:
    """Read a clip once and measure the light of every frame."""
    detector = CutDetector()
    times: list[float] = []
    exposures: list[float] = []
    cuts: list[int] = []
    duplicates: list[int] = []
    for frame in reader.frames():
        small = _reduced(frame, MEASURED_SIDE_PX)
        if detector.update(small):
            cuts.append(frame.index)
        if detector.is_duplicate:
            duplicates.append(frame.index)
        times.append(reader.seconds_of(frame.index))
        exposures.append(exposure_ev(small))
    return _Light(np.array(times), np.array(exposures), tuple(cuts), tuple(duplicates))


def _picture(reader: FrameReader, index: int) -> RGBArray:
    """A frame for the still as players show it, with square pixels and turned, (h, w, 3) R'G'B' in [0, 1]."""
    info = reader.info
    aspect = float(info.pixel_aspect)
    # The longer side of a pixel is averaged down, for frames are only ever made smaller.
    height, width = info.height / max(1.0, aspect), info.width * min(1.0, aspect)
    scale = min(1.0, STILL_SIDE_PX / min(height, width))
    picture = reduce_to_rgb(reader.frame(index), max(1, round(height * scale)), max(1, round(width * scale)))
    return np.rot90(picture, k=info.rotation_degrees // 90)


def _reduced(frame: Frame, short_side_px: int) -> RGBArray:
    """The frame with its short side at most `short_side_px`, its shape kept."""
    scale = min(1.0, short_side_px / min(frame.height, frame.width))
    return reduce_to_rgb(frame, max(1, round(frame.height * scale)), max(1, round(frame.width * scale)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a report and its flicker figures to standard output; exit code 2 and a sentence when it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m vecnet_core.report", description="Show what a correction did.")
    parser.add_argument("source", type=Path, help="the clip as it was")
    parser.add_argument("corrected", type=Path, help="the same clip after correction")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    wish = parser.parse_args(arguments)
    try:
        report = write_report(wish.source, wish.corrected, wish.folder)
    except VecnetError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{flicker_headline(report.before.stops, report.after.stops)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
