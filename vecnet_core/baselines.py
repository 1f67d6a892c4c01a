"""What VECNet is compared with: simple corrections of a whole clip, and what FFmpeg has to offer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import av.filter
import numpy as np
import numpy.typing as npt

from vecnet_core.frame import RGBArray
from vecnet_core.metrics.exposure import LUMA_WEIGHTS, gain_in_light, linear_to_srgb, srgb_to_linear

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.filter.context import FilterContext

TrueEv = npt.NDArray[np.floating]
"""How many stops too bright a clip was made: (T,) one value a frame, or (T, H, W) one a pixel."""

Baseline = Callable[[RGBArray, TrueEv | None], RGBArray]
"""(T, H, W, 3) float32 R'G'B' in [0, 1] and the true exposure, if known -> corrected frames of the same shape."""

TARGET_LUMA = 0.445
"""Mean Y' of well exposed footage."""

CLAHE_TILES = 8
CLAHE_CLIP_LIMIT = 2.0
_BINS = 256

NORMALIZE = ("normalize", "smoothing=0:independence=0:strength=1")
"""Stretch every frame from its darkest to its brightest value, all channels alike."""

DEFLICKER_FRAMES = 5
DEFLICKER = ("deflicker", f"size={DEFLICKER_FRAMES}:mode=pm")
"""Bring every frame's mean luma to the power mean over five frames (the filter's defaults)."""


def unchanged(frames: RGBArray, true_ev: TrueEv | None = None) -> RGBArray:
    """The input itself."""
    del true_ev
    return frames


def auto_gamma(frames: RGBArray, true_ev: TrueEv | None = None) -> RGBArray:
    """Every frame raised to the power that brings its mean luma (Y') to `TARGET_LUMA`."""
    del true_ev
    means = np.clip(_luma(frames).mean(axis=(1, 2)), 1e-3, 1.0 - 1e-3)
    gammas = np.clip(np.log(TARGET_LUMA) / np.log(means), 0.1, 10.0).astype(np.float32)
    return np.stack([frame**gamma for frame, gamma in zip(frames, gammas, strict=True)])


def clahe(frames: RGBArray, true_ev: TrueEv | None = None) -> RGBArray:
    """Contrast-limited adaptive histogram equalisation of luma, 8 x 8 tiles, clip limit 2, chroma kept."""
    del true_ev
    return np.stack([_equalised(frame) for frame in frames])


def mean_luma(frames: RGBArray, true_ev: TrueEv | None = None) -> RGBArray:
    """One exposure value for the whole clip, such that its mean luma (Y') is `TARGET_LUMA`."""
    del true_ev
    light = srgb_to_linear(frames.reshape(-1, 3)[:: max(1, frames.size // 600_000)])
    low, high = -8.0, 8.0
    for _ in range(24):
        middle = (low + high) / 2.0
        if float(_luma(linear_to_srgb(light * np.float32(2.0**middle))).mean()) < TARGET_LUMA:
            low = middle
        else:
            high = middle
    return np.stack([gain_in_light(frame, low) for frame in frames])


def ffmpeg_normalize(frames: RGBArray, true_ev: TrueEv | None = None) -> RGBArray:
    """FFmpeg's ``normalize``, channels linked; see `NORMALIZE`."""
    del true_ev
    return _through_ffmpeg(frames, [NORMALIZE])


def ffmpeg_normalize_deflicker(frames: RGBArray, true_ev: TrueEv | None = None) -> RGBArray:
    """FFmpeg's ``normalize``, then ``deflicker``; see `NORMALIZE` and `DEFLICKER`."""
    del true_ev
    return _through_ffmpeg(frames, [NORMALIZE, DEFLICKER])


def oracle(frames: RGBArray, true_ev: TrueEv | None = None) -> RGBArray:
    """The made exposure error taken back exactly, on the plain sRGB curve: what knowing the EV alone can do.

    Raises:
        ValueError: The true exposure is not known.
    """
    if true_ev is None:
        raise ValueError("the oracle needs the true exposure")
    return np.stack(
        [
            linear_to_srgb(srgb_to_linear(frame) * np.exp2(-np.asarray(stops, dtype=np.float32))[..., None])
            for frame, stops in zip(frames, true_ev, strict=True)
        ]
    )


BASELINES: dict[str, Baseline] = {
    "input": unchanged,
    "auto_gamma": auto_gamma,
    "clahe": clahe,
    "mean_luma": mean_luma,
    "ffmpeg_normalize": ffmpeg_normalize,
    "ffmpeg_normalize_deflicker": ffmpeg_normalize_deflicker,
    "oracle": oracle,
}
"""Every baseline by the name it has in tables."""


def _luma(rgb: RGBArray) -> RGBArray:
    return rgb @ np.asarray(LUMA_WEIGHTS, dtype=np.float32)


def _equalised(frame: RGBArray) -> RGBArray:
    """One frame of `clahe`: a mapping for every tile, mixed bilinearly between the tiles' centres."""
    luma = _luma(frame)
    height, width = luma.shape
    rows, columns = min(CLAHE_TILES, height), min(CLAHE_TILES, width)
    row_of = np.arange(height) * rows // height
    column_of = np.arange(width) * columns // width
    codes = np.minimum((luma * _BINS).astype(np.int64), _BINS - 1)
    tiles = row_of[:, None] * columns + column_of[None, :]
    counts = np.bincount((tiles * _BINS + codes).ravel(), minlength=rows * columns * _BINS).reshape(-1, _BINS)
    pixels = counts.sum(axis=1, keepdims=True)
    limit = CLAHE_CLIP_LIMIT * pixels / _BINS
    clipped = np.minimum(counts, limit)
    clipped += (pixels - clipped.sum(axis=1, keepdims=True)) / _BINS
    mappings = (np.cumsum(clipped, axis=1) / pixels).astype(np.float32).ravel()
    top, bottom, down = _neighbours(height, rows)
    left, right, along = _neighbours(width, columns)
    down, along = down[:, None], along[None, :]

    def mapped(row: npt.NDArray[np.int64], column: npt.NDArray[np.int64]) -> RGBArray:
        return mappings[(row[:, None] * columns + column[None, :]) * _BINS + codes]

    upper = mapped(top, left) * (1 - along) + mapped(top, right) * along
    lower = mapped(bottom, left) * (1 - along) + mapped(bottom, right) * along
    target = upper * (1 - down) + lower * down
    return np.clip(frame + (target - luma)[..., None].astype(np.float32), 0.0, 1.0)


def _neighbours(length: int, tiles: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], RGBArray]:
    """For every pixel: the tile centre before it, the one after it, and how far it is between them."""
    place = np.clip((np.arange(length) + 0.5) * tiles / length - 0.5, 0.0, tiles - 1.0)
    before = np.floor(place).astype(np.int64)
    return before, np.minimum(before + 1, tiles - 1), (place - before).astype(np.float32)


def _through_ffmpeg(frames: RGBArray, filters: Sequence[tuple[str, str]]) -> RGBArray:
    """Frames through a chain of FFmpeg filters in 8 bit; it converts to Y'CbCr 4:4:4 itself where needed."""
    count, height, width = frames.shape[:3]
    # FFmpeg 8.1's deflicker darkens clips shorter than its window: those are prolonged by their last frame.
    pushed = max(count, DEFLICKER_FRAMES)
    pace = Fraction(1, 25)
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24", width, height), time_base=pace)
    sink = graph.add("buffersink")
    chain = [source, *(graph.add(name, options) for name, options in filters), graph.add("format", "rgb24"), sink]
    for before, after in itertools.pairwise(chain):
        before.link_to(after)
    graph.configure()
    corrected: list[RGBArray] = []
    for index in range(pushed + 1):
        if index < pushed:
            codes = np.round(np.clip(frames[min(index, count - 1)], 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(codes), format="rgb24")
            picture.pts, picture.time_base = index, pace
            source.push(picture)
        else:
            source.push(None)
        corrected.extend(_waiting(sink))
    return np.stack(corrected[:count])


def _waiting(sink: FilterContext) -> Iterator[RGBArray]:
    """Frames that have come out of a filter chain by now."""
    while True:
        try:
            picture = sink.pull()
        except (BlockingIOError, EOFError):  # PyAV's own errors of these names derive from Python's
            return
        yield cast("av.VideoFrame", picture).to_ndarray(format="rgb24").astype(np.float32) / np.float32(255.0)
