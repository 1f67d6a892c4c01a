"""What `vecnet evaluate --report` leaves in a folder: the README's table, a page with every score, and the strips."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vecnet_core.errors import InputError
from vecnet_core.evaluation.degradation import DRIFT_EV, FLICKER_EV, MIXED_EV, STEP_EV, SUBSET_EV
from vecnet_core.evaluation.protocol import OURS
from vecnet_core.evaluation.strips import compose_strips, draw_strip, encode_strip
from vecnet_core.evaluation.table import format_clips, format_subset, format_table
from vecnet_core.video.parts import new_part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vecnet_core.evaluation.strips import Strip, StripPictures

TABLE, PAGE, SCORES, STRIPS = "table.md", "report.md", "evaluation.json", "strips"
"""The files of a report, and the folder in it with a picture for each subset."""

_CAMERA = "through a camera response that training never draws, with white balance, noise and JPEG"

_SUBSETS = {
    "under": f"Made {SUBSET_EV['under']:+g} EV on the plain sRGB curve, which a pure gain takes back.",
    "over": f"Made {SUBSET_EV['over']:+g} EV on the plain sRGB curve, which a pure gain takes back but for the whites.",
    "camera_dark": f"Made {SUBSET_EV['camera_dark']:+g} EV {_CAMERA}.",
    "camera_under": f"Made {SUBSET_EV['camera_under']:+g} EV {_CAMERA}.",
    "camera_over": f"Made {SUBSET_EV['camera_over']:+g} EV {_CAMERA}.",
    "mixed": f"Made {MIXED_EV[0]:+g} to {MIXED_EV[1]:+g} EV inside a frame, on the plain sRGB curve.",
    "well_exposed": "At most a quarter of a stop off, and JPEG: what a correction should leave alone.",
    "bracket_over": "The bright photograph of a real exposure bracket, against the one between.",
    "bracket_under": "The dark photograph of a real exposure bracket, against the one between.",
    "paired": "Recorded in pairs.",
}

_WORDS = (
    "PSNR and SSIM are of R'G'B' at full size, the mean over frames, then over clips; beside them stand a 95 % "
    "interval (bootstrap over clips), the median and the worst clip.",
    "EA-PSNR is PSNR once the best exposure value e in [-2, 2] stops is taken out, one for a clip, over evenly spaced "
    "pixels whose reference is below 0.98 in every channel; |e| is the size of that value. It parts taste in "
    "brightness from damage.",
    "Flicker is what is left of the exposure over time without its slow part (below 1 Hz), RMS in stops, cuts and "
    "repeated frames of the reference left out. Flicker error is the mean of |ΔE - ΔE of the reference| from frame to "
    "frame, in stops, over the whole frame and over a 4x4 grid.",
    "Clip luma and clip chroma are the mean error of luma and of colour where the input is all white or all black; "
    "they find grey highlights. The field is empty where nothing is clipped.",
    f"Light over time: steady; drift by {DRIFT_EV:g} EV over the clip; flicker of {FLICKER_EV:g} EV RMS a frame; a "
    f"step of {STEP_EV:g} EV in mid-clip. Recorded clips and single frames stay as they are.",
    "The oracle is told by how much the exposure is off. CPU ms is processor time a frame, of all threads.",
)


def require_place(folder: Path) -> None:
    """Refuse a folder that cannot take the report, before the evaluation runs.

    Args:
        folder: Where the report goes, made already with its folder of strips.

    Raises:
        InputError: It takes no file, or a folder lies where a file is to go.
    """
    for place in (folder, folder / STRIPS):
        try:
            new_part(place / TABLE).unlink()
        except OSError as error:
            raise _unwritable(place, error) from error
    for path in (*(folder / name for name in (TABLE, PAGE, SCORES)), *(folder / STRIPS).glob("*.jpg")):
        if path.is_dir():
            raise InputError("the report cannot replace this folder", path=path, hint="choose another folder")


def publish(folder: Path, result: dict[str, Any], pictures: StripPictures, command: str) -> list[Path]:
    """Write ``table.md``, ``report.md``, ``evaluation.json`` and ``strips/<subset>.jpg``.

    No file of an earlier report is replaced before all of the new one are written.

    Args:
        folder: Where to; made when missing.
        result: What `evaluate` returned.
        pictures: What it was watched by.
        command: The command line that made it.

    Returns:
        The files written.

    Raises:
        InputError: They cannot be written.
    """
    strips = compose_strips(result, pictures)
    files = {
        folder / TABLE: _bytes(format_table(result, markdown=True, details=False)),
        folder / PAGE: _bytes(format_page(result, strips, command)),
        folder / SCORES: _bytes(json.dumps(result, indent=2)),
        **{folder / STRIPS / _file_of(strip.subset): encode_strip(draw_strip(strip)) for strip in strips},
    }
    try:
        (folder / STRIPS).mkdir(parents=True, exist_ok=True)
        _replace_together(files)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return list(files)


def format_page(result: dict[str, Any], strips: Sequence[Strip], command: str) -> str:
    """The whole report in Markdown: what was run, the README's table, then every score of every subset.

    Args:
        result: What `evaluate` returned.
        strips: Those of its subsets.
        command: The command line that made it.
    """
    shown = {strip.subset: strip for strip in strips}
    parts = ["# Evaluation", *_facts(result, command), "## Summary", format_table(result, markdown=True, details=False)]
    for subset in dict.fromkeys(row["subset"] for row in result["rows"]):
        parts += [f"## {subset}", _SUBSETS.get(subset, "")]
        if subset in shown:
            parts += [_rivalry(shown[subset]), f"![Strip of {subset}]({STRIPS}/{_file_of(subset)})"]
        parts.append(format_subset(result, subset))
        if any(row["subset"] == subset and row["method"] == OURS for row in result["clips"]):
            summary = f"<details><summary>Every clip of {OURS}</summary>"
            parts += [summary, format_clips(result, subset, OURS), "</details>"]
    parts += ["## What is measured", "\n".join(f"- {word}" for word in _WORDS)]
    return "\n\n".join(part for part in parts if part)


def _facts(result: dict[str, Any], command: str) -> list[str]:
    """What was run on what, with which weights."""
    protocol = result["protocol"]
    every = protocol["fidelity_of_every_nth_frame"]
    lines = [
        f"{len(protocol['scenes'])} scenes of {', '.join(protocol['data'])}: {', '.join(protocol['scenes'])}",
        f"at most {protocol['frames_per_clip']} consecutive frames from the middle of a clip; PSNR, SSIM, EA-PSNR and "
        f"bias of one frame in {every}, exposure and flicker of all",
        f"8 bit, seed {protocol['seed']}",
        f"settings of {OURS}: {', '.join(f'{name} {value:g}' for name, value in protocol['settings'].items())}",
        f"methods: {', '.join(protocol['methods'])}",
    ]
    if protocol["model_hash"]:
        lines.insert(0, f"weights `{protocol['model_hash']}` on {protocol['device']}")
    return ["Made by", f"```\n{command}\n```", "\n".join(f"- {line}" for line in lines)]


def _rivalry(strip: Strip) -> str:
    """Ours and the best baseline in a sentence."""
    means = dict(zip(strip.columns, strip.means_db, strict=True))
    rivals = [f"{name} {means[name]:.2f} dB" for name in strip.columns[1:-1] if name != OURS]
    best = f", the best baseline {rivals[0]}" if rivals else ""
    start = f", the input {means['input']:.2f} dB" if "input" in means else ""
    return f"Mean PSNR in steady light: {OURS} {means[OURS]:.2f} dB{best}{start}."


def _file_of(subset: str) -> str:
    return f"{subset}.jpg"


def _bytes(text: str) -> bytes:
    return f"{text}\n".encode()


def _replace_together(files: dict[Path, bytes]) -> None:
    """Write all files under other names first, so that a full disk leaves the earlier ones as they were."""
    parts: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            parts[path] = new_part(path)
            parts[path].write_bytes(data)
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _unwritable(folder: Path, error: OSError) -> InputError:
    sentence = f"the report cannot be written here ({error.strerror or error})"
    return InputError(sentence, path=folder, hint="choose a folder you may write to")
