"""Reports as pictures: luma and flicker over time, before and after; stills side by side; strips of methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vecnet_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vecnet_core.frame import RGBArray

SUFFIXES = (".png", ".svg")
"""File formats a plot can be written in, chosen by the suffix of its path."""

BACKGROUND = "#1f1f1f"
PANEL = "#262626"
RULE = "#3a3a3a"
FAINT = "#9a9a9a"
SOURCE = "#8c8c8c"
CORRECTED = "#f2f2f2"
ACCENT = "#e0a03c"

_DPI = 100
_GAP_PX = 8
_LABEL_PX = 30


class FlickerFigures(Protocol):
    """What a plot shows of flicker; `metrics.flicker.Flicker` is one."""

    @property
    def stops(self) -> float:
        """RMS of the fast part in stops."""
        ...

    @property
    def fast_ev(self) -> npt.NDArray[np.float64]:
        """The fast part of every frame in stops, NaN where it is left out."""
        ...


def flicker_headline(before_stops: float, after_stops: float) -> str:
    """Flicker before and after as one line, such as ``Flicker 0.31 → 0.02 stops (−94 %)``."""
    digits = 2 if max(before_stops, after_stops) >= 0.1 else 3
    line = f"Flicker {before_stops:.{digits}f} → {after_stops:.{digits}f} stops"
    if before_stops < 0.5 * 10**-digits:
        return line
    percent = round(100.0 * (after_stops / before_stops - 1.0))
    return f"{line} ({'−' if percent < 0 else '+' if percent > 0 else '±'}{abs(percent)} %)"


def flicker_plot(
    path: Path | str,
    times: npt.ArrayLike,
    before_ev: npt.ArrayLike,
    after_ev: npt.ArrayLike,
    before: FlickerFigures,
    after: FlickerFigures,
    *,
    title: str = "",
    cuts: Sequence[int] = (),
) -> Path:
    """Draw the light of a clip before and after, and below it what is left without slow changes.

    Args:
        path: Where to write, ending in .png or .svg.
        times: Time of every frame in seconds.
        before_ev: Exposure of every frame of the source, in stops.
        after_ev: The same of the corrected clip.
        before: Flicker of the source.
        after: Flicker of the corrected clip.
        title: What was measured, such as the name of the clip; it stands below the headline.
        cuts: Index of every first frame after a scene cut, marked by a thin line.

    Returns:
        The path written.

    Raises:
        InputError: The suffix is neither .png nor .svg, or the folder cannot be written.
    """
    from matplotlib.figure import Figure

    seconds = np.asarray(times, dtype=np.float64)
    figure = Figure(figsize=(10.0, 5.6), dpi=_DPI * 1.5, facecolor=BACKGROUND)
    light, fast = figure.subplots(
        2, 1, sharex=True, height_ratios=(3, 2), gridspec_kw={"hspace": 0.14}, subplot_kw={"facecolor": PANEL}
    )
    figure.subplots_adjust(left=0.075, right=0.975, top=0.83, bottom=0.1)
    figure.text(0.075, 0.94, flicker_headline(before.stops, after.stops), color=CORRECTED, size=15, weight="bold")
    figure.text(0.075, 0.9, title or "exposure of every frame", color=FAINT, size=10)
    for axes, name in ((light, "luma (stops below white)"), (fast, "flicker (stops)")):
        _dress(axes, name)
        for cut in cuts:
            if 0 < cut < seconds.size:
                axes.axvline(seconds[cut], color=FAINT, linewidth=0.8, linestyle=(0, (2, 3)))
    _draw(light, seconds, before_ev, cuts, color=SOURCE, linewidth=1.3, label="source")
    _draw(light, seconds, after_ev, cuts, color=CORRECTED, linewidth=1.6, label="corrected")
    fast.axhline(0.0, color=RULE, linewidth=1.0)
    _draw(fast, seconds, before.fast_ev, cuts, color=SOURCE, linewidth=1.1, label="before")
    _draw(fast, seconds, after.fast_ev, cuts, color=ACCENT, linewidth=1.6, label="after")
    reach = max(0.05, *(1.15 * _largest(curve) for curve in (before.fast_ev, after.fast_ev)))
    fast.set_ylim(-reach, reach)
    fast.set_xlabel("time (s)", color=FAINT, size=10)
    if seconds.size > 1:
        fast.set_xlim(float(seconds[0]), float(seconds[-1]))
    for axes in (light, fast):
        axes.legend(
            loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, labelcolor="linecolor", fontsize=10,
            borderaxespad=0.1, handlelength=1.4, columnspacing=1.2,
        )  # fmt: skip
    return _save(figure, path)


def before_after_still(
    path: Path | str, original: RGBArray, corrected: RGBArray, labels: tuple[str, str] = ("Original", "Corrected")
) -> Path:
    """Write one frame before and after, side by side (one above the other when wide), pixel for pixel.

    Args:
        path: Where to write, ending in .png or .svg.
        original: (H, W, 3) R'G'B' in [0, 1].
        corrected: Of the same shape.
        labels: What stands above the pictures.

    Returns:
        The path written.
    """
    height, width = original.shape[:2]
    is_wide = width > 2.2 * height
    rows = [[original], [corrected]] if is_wide else [[original, corrected]]
    return strip(path, rows, labels[:1] if is_wide else labels, row_labels=labels if is_wide else ())


def strip(
    path: Path | str,
    rows: Sequence[Sequence[RGBArray]],
    labels: Sequence[str],
    row_labels: Sequence[str] = (),
) -> Path:
    """Write a sheet of pictures: a row for each frame, a column for each method, the names above the columns.

    Args:
        path: Where to write, ending in .png or .svg.
        rows: Rows of (H, W, 3) R'G'B' pictures in [0, 1]; sizes may differ, every row is as high as its first.
        labels: Names of the columns.
        row_labels: Names of the rows, written into the left top corner of each row; none by default.

    Returns:
        The path written.
    """
    from matplotlib.figure import Figure

    if not rows or not rows[0]:
        raise InputError("there are no pictures to lay out", path=path)
    heights = [row[0].shape[0] for row in rows]
    widths = [max(row[column].shape[1] for row in rows if column < len(row)) for column in range(len(rows[0]))]
    total_width = sum(widths) + _GAP_PX * (len(widths) + 1)
    total_height = sum(heights) + _GAP_PX * len(heights) + _LABEL_PX
    figure = Figure(figsize=(total_width / _DPI, total_height / _DPI), dpi=_DPI, facecolor=BACKGROUND)
    size = float(np.clip(min(widths) / 24.0, 6.0, 11.0))
    top = _LABEL_PX
    for row_index, row in enumerate(rows):
        left = _GAP_PX
        for column, picture in enumerate(row):
            height, width = picture.shape[:2]
            axes = figure.add_axes(
                (
                    left / total_width,
                    1.0 - (top + height) / total_height,
                    width / total_width,
                    height / total_height,
                )
            )
            axes.set_axis_off()
            codes = np.round(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)
            axes.imshow(codes, interpolation="none", aspect="auto")
            if row_index == 0 and column < len(labels):
                x, y = left / total_width, 1.0 - (_LABEL_PX - 9) / total_height
                figure.text(x, y, labels[column], color=CORRECTED, size=size)
            if column == 0 and row_index < len(row_labels) and row_labels[row_index] not in labels[:1]:
                backing = {"facecolor": BACKGROUND, "alpha": 0.75, "edgecolor": "none", "pad": 3.0}
                axes.text(8, 8, row_labels[row_index], color=CORRECTED, size=size, va="top", bbox=backing)
            left += widths[column] + _GAP_PX
        top += heights[row_index] + _GAP_PX
    return _save(figure, path)


def _dress(axes: Axes, name: str) -> None:
    """Quiet axes: no box, faint rules, a name above instead of a turned one beside."""
    axes.set_title(name, loc="left", color=FAINT, size=10, pad=5)
    axes.grid(visible=True, color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, labelsize=9, length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.margins(x=0, y=0.12)


def _draw(
    axes: Axes, seconds: npt.NDArray[np.float64], curve: npt.ArrayLike, cuts: Sequence[int], **style: Any
) -> None:
    """Draw a curve whose line does not cross a cut; frames show as dots where there are few."""
    inner = [cut for cut in cuts if 0 < cut < seconds.size]
    values = np.insert(np.asarray(curve, dtype=np.float64), inner, np.nan)
    dot = "o" if seconds.size <= 40 else ""
    axes.plot(np.insert(seconds, inner, np.nan), values, marker=dot, markersize=2.5, **style)


def _largest(curve: npt.NDArray[np.float64]) -> float:
    known = curve[np.isfinite(curve)]
    return float(np.abs(known).max()) if known.size else 0.0


def _save(figure: Figure, path: Path | str) -> Path:
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise InputError("a plot is written as PNG or SVG", path=target, hint="give a name ending in .png or .svg")
    options: dict[str, Any] = {"metadata": {"Date": None}} if target.suffix.lower() == ".svg" else {}
    try:
        figure.savefig(target, facecolor=figure.get_facecolor(), **options)
    except OSError as error:
        raise InputError("the plot cannot be written", path=target, hint="choose a folder you may write to") from error
    return target
