"""Strips of pictures: input, ours, the best baseline and the reference, of a few telling clips of a subset."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from vecnet_core.baselines import BASELINES
from vecnet_core.evaluation.clips import STEADY
from vecnet_core.evaluation.protocol import OURS
from vecnet_core.plots import BACKGROUND, CORRECTED, FAINT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecnet_core.evaluation.clips import PairedClip
    from vecnet_core.evaluation.table import Row
    from vecnet_core.frame import RGBArray

Picture = npt.NDArray[np.uint8]
"""(h, w, 3) R'G'B' in 8 bit, reduced to `PICTURE_PX`."""

PICTURE_PX = (320, 240)
"""Largest width and height of a picture."""

MAX_BYTES = 400_000
"""Largest size of a strip's file; JPEG quality gives way."""

INPUT, REFERENCE = "input", "reference"

RIVALS = tuple(name for name in BASELINES if name not in {INPUT, "oracle"})
"""Baselines of which the best is shown: the input has its own column, and the oracle is told the answer."""

_QUALITIES = (92, 85, 75, 65, 50, 35, 20, 10)
_NARROWEST_PX = 240
_MARGIN_PX, _GAP_PX = 12, 8
_TITLE_PX, _LINE_PX = 30, 20
_TITLE_SIZE, _TEXT_SIZE = 17, 13


@dataclass(frozen=True)
class StripRow:
    """One clip in a strip.

    Attributes:
        clip: Name of its scene.
        why: What it stands for, such as ``worst of vecnet``.
        pictures: One frame from its middle, a picture for each column.
        psnrs_db: PSNR of the whole clip for each column; None for the reference.
    """

    clip: str
    why: str
    pictures: tuple[Picture, ...]
    psnrs_db: tuple[float | None, ...]


@dataclass(frozen=True)
class Strip:
    """What a strip shows, before it is drawn.

    Attributes:
        subset: Whose clips it shows, in steady light.
        clip_count: Clips of the subset, of which the rows are a few.
        columns: Name of each column: the input, ours, the best of `RIVALS` if one was scored, the reference.
        means_db: Mean PSNR of each column over all clips of the subset; None for the reference.
        rows: The clips, from the one ours is worst on to the best.
    """

    subset: str
    clip_count: int
    columns: tuple[str, ...]
    means_db: tuple[float | None, ...]
    rows: tuple[StripRow, ...]


class StripPictures:
    """One reduced frame of every answer while the evaluation runs; which ones are shown is known only at its end."""

    def __init__(self) -> None:
        """Begin without pictures."""
        self._shown: dict[tuple[str, str], dict[str, Picture]] = {}

    def keep(self, clip: PairedClip, method: str, corrected: RGBArray) -> None:
        """Keep the middle frame if a strip may show it; nothing else of the clip is held on to.

        Args:
            clip: The test clip.
            method: Who answered.
            corrected: The answer, (T, H, W, 3) R'G'B' in [0, 1].
        """
        if clip.variant not in STEADY or method not in {INPUT, OURS, *RIVALS}:
            return
        middle = len(clip.frames) // 2
        shown = self._shown.setdefault((clip.subset, clip.name), {})
        shown[method] = reduced(corrected[middle])
        if REFERENCE not in shown:
            shown[REFERENCE] = reduced(clip.reference[middle])

    def of(self, subset: str, clip: str) -> dict[str, Picture]:
        """The pictures of one clip, by method, with the reference."""
        return self._shown.get((subset, clip), {})


def compose_strips(result: dict[str, Any], pictures: StripPictures) -> list[Strip]:
    """The strip of every subset in which our method was scored in steady light, in the order of the rows.

    Args:
        result: What `evaluate` returned.
        pictures: What it was watched by.
    """
    rows: list[Row] = result["rows"]
    subsets = dict.fromkeys(row["subset"] for row in rows if row["method"] == OURS and row["variant"] in STEADY)
    return [_compose(result, subset, pictures) for subset in subsets]


def best_baseline(rows: Sequence[Row], subset: str) -> Row | None:
    """The row of the one of `RIVALS` with the highest mean PSNR on a subset in steady light, if any was scored."""
    rivals = [row for row in rows if row["subset"] == subset and row["variant"] in STEADY and row["method"] in RIVALS]
    return max(rivals, key=lambda row: row["psnr_db"], default=None)


def telling_clips(ours_db: dict[str, float], rival_db: dict[str, float], rival: str) -> dict[str, str]:
    """At most four clips that tell most, with why, from our worst to our best.

    Args:
        ours_db: PSNR of ours by clip.
        rival_db: The same of the best baseline; empty if there is none.
        rival: Its name.

    Returns:
        Our worst, median (the lower one of two) and best clip, and of the others the one that the baseline leads on
        by most or trails on by least.
    """
    ranked = sorted(ours_db, key=lambda clip: ours_db[clip])
    reasons = {ranked[0]: f"worst of {OURS}"}
    reasons.setdefault(ranked[-1], f"best of {OURS}")
    reasons.setdefault(ranked[(len(ranked) - 1) // 2], f"median of {OURS}")
    others = [clip for clip in ranked if clip not in reasons and clip in rival_db]
    if others:
        extra = max(others, key=lambda clip: rival_db[clip] - ours_db[clip])
        is_behind = rival_db[extra] > ours_db[extra]
        reasons[extra] = f"of the others, {'furthest behind' if is_behind else 'least ahead of'} {rival}"
    return {clip: reasons[clip] for clip in ranked if clip in reasons}


def draw_strip(strip: Strip) -> Image.Image:
    """Draw a strip: names and means above the columns, the scene above its pictures, PSNR below each."""
    title, text = _font(_TITLE_SIZE, is_bold=True), _font(_TEXT_SIZE)
    bold = _font(_TEXT_SIZE, is_bold=True)
    column_px = max(_NARROWEST_PX, *(picture.shape[1] for row in strip.rows for picture in row.pictures))
    heights = [max(picture.shape[0] for picture in row.pictures) for row in strip.rows]
    width = 2 * _MARGIN_PX + len(strip.columns) * (column_px + _GAP_PX) - _GAP_PX
    head = _MARGIN_PX + _TITLE_PX + 2 * _LINE_PX
    height = head + sum(heights) + len(heights) * (2 * _LINE_PX + _GAP_PX) + _MARGIN_PX
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    lefts = [_MARGIN_PX + column * (column_px + _GAP_PX) for column in range(len(strip.columns))]

    pen.text((_MARGIN_PX, _MARGIN_PX), strip.subset, CORRECTED, title)
    indent = _MARGIN_PX + round(title.getlength(strip.subset)) + 2 * _GAP_PX
    note = f"steady light; PSNR of whole clips, under the names the mean of {_count(strip.clip_count)}"
    pen.text((indent, _MARGIN_PX + 4), _fitted(note, text, width - indent - _MARGIN_PX), FAINT, text)
    y = _MARGIN_PX + _TITLE_PX
    for left, name, mean_db in zip(lefts, strip.columns, strip.means_db, strict=True):
        label = f"{name} (best baseline)" if name in RIVALS else name
        pen.text((left, y), _fitted(label, bold, column_px), CORRECTED, bold)
        pen.text((left, y + _LINE_PX), _decibels(mean_db), FAINT, text)
    y = head
    for row, row_px in zip(strip.rows, heights, strict=True):
        y += _GAP_PX
        name = _fitted(row.clip, bold, (width - 2 * _MARGIN_PX) // 2)
        pen.text((_MARGIN_PX, y), name, CORRECTED, bold)
        indent = _MARGIN_PX + round(bold.getlength(name)) + _GAP_PX
        pen.text((indent, y), _fitted(row.why, text, width - indent - _MARGIN_PX), FAINT, text)
        y += _LINE_PX
        for left, picture, psnr_db in zip(lefts, row.pictures, row.psnrs_db, strict=True):
            sheet.paste(Image.fromarray(picture), (left, y))
            pen.text((left, y + row_px + 2), _decibels(psnr_db), CORRECTED, text)
        y += row_px + _LINE_PX
    return sheet


def encode_strip(sheet: Image.Image) -> bytes:
    """A strip as JPEG, at the best of a few qualities that keeps it within `MAX_BYTES`."""
    data = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        sheet.save(buffer, "jpeg", quality=quality, subsampling=0)
        data = buffer.getvalue()
        if len(data) <= MAX_BYTES:
            break
    return data


def reduced(frame: RGBArray) -> Picture:
    """A frame (H, W, 3) in [0, 1] that fits into `PICTURE_PX`; a smaller one stays as it is."""
    codes = (np.clip(np.nan_to_num(frame), 0.0, 1.0) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    height, width = codes.shape[:2]
    scale = min(1.0, PICTURE_PX[0] / width, PICTURE_PX[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(codes).resize(size, Image.Resampling.LANCZOS))


def _compose(result: dict[str, Any], subset: str, pictures: StripPictures) -> Strip:
    scored = {row["method"]: row for row in result["rows"] if row["subset"] == subset and row["variant"] in STEADY}
    rival = best_baseline(result["rows"], subset)
    rivals = () if rival is None else (rival["method"],)
    columns = tuple(name for name in (INPUT, OURS, *rivals) if name in scored)
    psnrs = {name: _psnrs(result["clips"], subset, name) for name in columns}
    name = rivals[0] if rivals else ""
    rows: list[StripRow] = []
    for clip, why in telling_clips(psnrs[OURS], psnrs.get(name, {}), name).items():
        shown = pictures.of(subset, clip)
        rows.append(
            StripRow(
                clip,
                why,
                tuple(shown[column] for column in (*columns, REFERENCE)),
                (*(psnrs[column][clip] for column in columns), None),
            )
        )
    means_db = (*(scored[column]["psnr_db"] for column in columns), None)
    return Strip(subset, len(psnrs[OURS]), (*columns, REFERENCE), means_db, tuple(rows))


def _psnrs(clips: Sequence[Row], subset: str, method: str) -> dict[str, float]:
    """PSNR of a method on every clip of a subset in steady light."""
    return {
        row["clip"]: row["psnr_db"]
        for row in clips
        if row["subset"] == subset and row["method"] == method and row["variant"] in STEADY
    }


def _count(clips: int) -> str:
    return "1 clip" if clips == 1 else f"{clips} clips"


def _decibels(psnr_db: float | None) -> str:
    return "" if psnr_db is None else f"{psnr_db:.2f} dB"


def _fitted(text: str, font: ImageFont.FreeTypeFont, width_px: int) -> str:
    """The text, or as much of its start as is not wider than that, with an ellipsis."""
    if font.getlength(text) <= width_px:
        return text
    while text and font.getlength(f"{text}…") > width_px:
        text = text[:-1]
    return f"{text}…"


def _font(size_px: int, *, is_bold: bool = False) -> ImageFont.FreeTypeFont:
    """The typeface of the plots, which matplotlib brings along."""
    import matplotlib as mpl

    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(fonts / ("DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf")), size_px)
