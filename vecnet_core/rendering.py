"""Rendering: the one way a clip becomes corrected frames; preview, export and command line all use it."""

from __future__ import annotations

from collections import deque
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vecnet_core.cache import ByteCache, CacheBudget
from vecnet_core.clip_cache import MOST_THUMBNAILS, MeasuredLight, Window, maker_of
from vecnet_core.correction.analysis import Analysis, analysis_size
from vecnet_core.correction.compose import DISPLAY_GAMMA, CorrectionMaps, compose, compose_maps, relight
from vecnet_core.correction.stabilise import ClipLight, block_light, light_step, steady_gains
from vecnet_core.correction.windows import window_indices
from vecnet_core.cuts import CutDetector
from vecnet_core.errors import InputError, VideoDamageError
from vecnet_core.frame import Frame, Part, Place, Region, RGBArray, VideoInfo
from vecnet_core.metrics.exposure import exposure_ev
from vecnet_core.metrics.noise import noise_deviation
from vecnet_core.threads import ahead
from vecnet_core.video.color import from_rgb, reduce_to_rgb, regain_highlights, to_rgb

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from vecnet_core.clip_cache import ClipCache
    from vecnet_core.correction.corrector import Corrector
    from vecnet_core.settings import CorrectionSettings
    from vecnet_core.video.frame_reader import FrameReader

SCAN_SHORT_SIDE = 128
THUMBNAIL_HEIGHT = 48
ANALYSES_SHARE, REDUCED_SHARE, PICTURES_SHARE = 0.375, 0.375, 0.25
"""Of the memory: 6,800 analyses, 2,900 reduced frames, three corrected frames of 4K."""
BATCH = 4
"""Frames analysed together on a GPU. On a CPU each goes alone: together they took no less (41 CPU ms a frame alone, 50
in fours; 2 cores, 2026-11), and alone an analysis is the same whoever asks, to the last bit."""
GAIN_PLACES = 4
"""Decimals of a gain in stops that count: what no code value can show makes no other analysis."""
QUEUED_FRAMES = 4
"""Decoded frames that wait for the network; memory does not grow with the clip."""
WELL_EXPOSED_EV = -2.4
"""Mean linear luma of an ordinary well-exposed frame, in stops."""
DARK_EV, NIGHT_EV = -4.0, -13.0
"""Below the one a frame is dark; below the other there is nothing in it but black."""
VISIBLE_NOISE = 4 / 255
"""Deviation of noise, once the frame is brightened, from which on it disturbs."""


@dataclass(frozen=True)
class LightSample:
    """The light of one frame, as the scan passes it.

    Attributes:
        index: Frame index.
        exposure_ev: log2 of mean linear luma.
        is_cut: A new scene starts here.
        is_duplicate: The frame repeats the one before.
        thumbnail: ``(h, w, 3)`` uint8, 48 rows; None for most frames of a clip that was measured in an earlier session.
    """

    index: int
    exposure_ev: float
    is_cut: bool
    is_duplicate: bool
    thumbnail: npt.NDArray[np.uint8] | None


class LightScan:
    """Measures the light of a whole clip in one pass of decoding, without the network; iterate it, then read `light`.

    Args:
        reader: The clip; read in order from ``start`` to ``stop``.
        start: First frame.
        stop: One past the last; the clip's end when left out.
        kept: What is known of the clip: a whole clip measured before is not read again.
    """

    def __init__(
        self, reader: FrameReader, start: int = 0, stop: int | None = None, *, kept: ClipCache | None = None
    ) -> None:
        """Nothing is read yet."""
        self._reader = reader
        self._kept = kept
        self._start = start
        self._stop = reader.info.frame_count if stop is None else min(stop, reader.info.frame_count)
        self._light: ClipLight | None = None

    @property
    def light(self) -> ClipLight:
        """The clip's light; frames outside the range are steady.

        Raises:
            InputError: The scan has not come to its end.
        """
        if self._light is None:
            raise InputError("the light of the clip has not been measured to its end")
        return self._light

    def __iter__(self) -> Iterator[LightSample]:
        """Measure frame after frame."""
        is_whole = (self._start, self._stop) == (0, self._reader.info.frame_count)
        kept = self._kept if is_whole else None
        known = None if kept is None else kept.light()
        if known is not None:
            yield from _samples_of(known)
            self._light = known.light
            return
        warnings = self._reader.warnings
        thumbnails = yield from self._measure()
        # Damage has to be found again to be told again.
        if kept is not None and self._reader.warnings == warnings:
            kept.keep_light(MeasuredLight(self.light, thumbnails))

    def _measure(self) -> Generator[LightSample, None, dict[int, npt.NDArray[np.uint8]]]:
        """Read the clip; some thumbnails of it remain."""
        info = self._reader.info
        thumbnails: dict[int, npt.NDArray[np.uint8]] = {}
        apart = -(-info.frame_count // MOST_THUMBNAILS)
        size = analysis_size(info.height, info.width, SCAN_SHORT_SIDE)
        exposures = np.zeros(info.frame_count)
        steps = np.zeros(info.frame_count)
        cuts: list[int] = []
        duplicates: list[int] = []
        detector = CutDetector()
        before: RGBArray | None = None
        read = self._start
        for frame in self._reader.frames(self._start, self._stop):
            index = frame.index
            reduced = reduce_to_rgb(frame, *size)
            is_cut = detector.update(reduced)
            blocks = block_light(reduced)
            exposures[index] = exposure_ev(reduced)
            if is_cut:
                cuts.append(index)
            elif before is not None:
                steps[index] = light_step(before, blocks)
            if detector.is_duplicate:
                duplicates.append(index)
            before = blocks
            stride = max(1, size[0] // THUMBNAIL_HEIGHT)
            thumbnail = (reduced[::stride, ::stride] * 255 + 0.5).astype(np.uint8)
            if index % apart == 0:
                thumbnails[index] = thumbnail
            yield LightSample(index, float(exposures[index]), is_cut, detector.is_duplicate, thumbnail)
            read = index + 1
        # A damaged end gives no frames: it is taken to be as bright as the last one that came.
        exposures[read : self._stop] = exposures[read - 1]
        part = slice(self._start, self._stop)
        gains = np.zeros(info.frame_count)
        inner = [cut - self._start for cut in cuts]
        gains[part] = steady_gains(steps[part], float(info.frame_rate), inner)
        # What lies beyond a range has not been measured: it is another scene.
        ends = {end for end in (self._start, self._stop) if 0 < end < info.frame_count}
        self._light = ClipLight(exposures, gains, tuple(sorted({*cuts, *ends})), tuple(duplicates))
        return thumbnails


def _samples_of(measured: MeasuredLight) -> Iterator[LightSample]:
    """What a scan that has gone through before would yield again."""
    light = measured.light
    cuts, duplicates = set(light.cuts), set(light.duplicates)
    for index, exposure in enumerate(light.exposures_ev.tolist()):
        yield LightSample(index, exposure, index in cuts, index in duplicates, measured.thumbnails.get(index))


@dataclass(frozen=True)
class RenderedFrame:
    """A frame before and after, ``(h, w, 3)`` float32 R'G'B'."""

    index: int
    original: RGBArray
    corrected: RGBArray


def is_dark_and_noisy(reader: FrameReader, start: int = 0, stop: int | None = None) -> bool:
    """Whether brightening a range would show its noise: two of three frames from all over it are dark, and noisy.

    Where a GPU computes, such clips start with their noise removed.
    """
    stop = reader.info.frame_count if stop is None else stop
    disturbed = 0
    for share in (0.25, 0.5, 0.75):
        with suppress(VideoDamageError):
            rgb = to_rgb(reader.frame(start + int(share * (stop - start))))
            exposure = exposure_ev(rgb)
            if NIGHT_EV < exposure < DARK_EV:
                lift = 2.0 ** ((WELL_EXPOSED_EV - exposure) / DISPLAY_GAMMA)
                disturbed += lift * noise_deviation(rgb) > VISIBLE_NOISE
    return disturbed >= 2


class ClipRenderer:
    """One clip, its corrector and what is known of it; used from one thread.

    Args:
        reader: The clip.
        corrector: The network.
        light: The clip's light; without it, no flicker is removed until `set_light`.
        kept: What earlier sessions found out about the clip, and what this one adds to it.
        memory_bytes: What may be kept in memory.

    Attributes:
        info: The clip's facts.
        corrector: The network.
    """

    def __init__(
        self,
        reader: FrameReader,
        corrector: Corrector,
        light: ClipLight | None = None,
        *,
        kept: ClipCache | None = None,
        memory_bytes: int = CacheBudget.memory_bytes,
    ) -> None:
        """Start with nothing in memory."""
        self.info: VideoInfo = reader.info
        self.corrector = corrector
        self._reader = reader
        self._size = corrector.analysis_size(self.info.height, self.info.width)
        self._light = light
        self._kept = kept
        self._maker = "" if kept is None else maker_of(corrector, self._size)
        self._batch = BATCH if corrector.device.is_gpu else 1
        self._last: tuple[int, RGBArray] | None = None
        self._analyses: ByteCache[Analysis] = ByteCache(0)
        self._pictures: ByteCache[RGBArray] = ByteCache(0)
        self._reduced: ByteCache[npt.NDArray[np.float16]] = ByteCache(0)
        self.set_memory(memory_bytes)

    def set_memory(self, memory_bytes: int) -> None:
        """Keep at most this in memory from now on."""
        self._analyses.resize(round(ANALYSES_SHARE * memory_bytes))
        self._reduced.resize(round(REDUCED_SHARE * memory_bytes))
        self._pictures.resize(round(PICTURES_SHARE * memory_bytes))

    def set_light(self, light: ClipLight) -> None:
        """From now on the clip's light is known; analyses made under another light are not used again."""
        self._light = light

    def gain_ev(self, index: int) -> float:
        """Stops that bring a frame to the clip's steady light; 0 while that is not known."""
        return 0.0 if self._light is None else round(float(self._light.gains_ev[index]), GAIN_PLACES)

    def _window(self, index: int) -> tuple[int, ...]:
        cuts = () if self._light is None else self._light.cuts
        return window_indices(index, self.info.frame_count, cuts, self.corrector.window)

    def _key(self, index: int) -> Window:
        """What an analysis depends on: the frames of its window, each in its light."""
        return tuple((member, self.gain_ev(member)) for member in self._window(index))

    def is_analysed(self, index: int) -> bool:
        """Whether a slider move on this frame costs only `compose`."""
        return self._known(self._key(index)) is not None

    def _known(self, window: Window) -> Analysis | None:
        """An analysis from memory or else the disk, from where it comes into memory."""
        analysis = self._analyses.get(window)
        if analysis is None and self._kept is not None:
            analysis = self._kept.analysis(window, self._maker)
            if analysis is not None:
                self._analyses.put(window, analysis)
        return analysis

    def _small(self, index: int) -> RGBArray:
        """A frame at analysis size, kept."""
        held = self._reduced.get(index)
        if held is None:
            # Half precision keeps 11 bits, at half the memory: finer than the 8-bit codes the network was trained on.
            held = reduce_to_rgb(self._reader.frame(index), *self._size).astype(np.float16)
            self._reduced.put(index, held)
        return held.astype(np.float32)

    def _readable(self, member: int, index: int) -> int:
        """A frame of the window of ``index``; beside damage, the last one before it that can be read."""
        while member != index:
            with suppress(VideoDamageError):
                self._small(member)
                return member
            member += 1 if member < index else -1
        return index

    def analysis(self, index: int) -> Analysis:
        """The network's fields of a frame, from memory or the disk where they are there."""
        key = self._key(index)
        analysis = self._known(key)
        if analysis is None:
            members = [self._readable(member, index) for member, _ in key]
            frames = [relight(self._small(member), self.gain_ev(member)) for member in members]
            analysis = self.corrector.analyse(np.stack(frames))
            self._analyses.put(key, analysis)
            if self._kept is not None and members == [member for member, _ in key]:
                self._kept.keep_analysis(key, self._maker, analysis)
        return analysis

    def original(self, index: int, size: tuple[int, int] | None = None, part: Part | None = None) -> RGBArray:
        """The source frame at ``size`` (height, width), full size when left out; enlarging is left to the viewer.

        Args:
            index: Frame index.
            size: Of the whole frame.
            part: Only this part of it, at full size.
        """
        if part is not None:
            return np.ascontiguousarray(self._whole(index)[part.slices])
        if size is None or size[0] >= self.info.height or size[1] >= self.info.width:
            return self._whole(index)
        return reduce_to_rgb(self._reader.frame(index), *size)

    def _whole(self, index: int) -> RGBArray:
        """A source frame at full size; the last one is kept, for the parts of it that are looked at."""
        if self._last is None or self._last[0] != index:
            self._last = None
            self._last = index, to_rgb(self._reader.frame(index))
        return self._last[1]

    def render(
        self,
        index: int,
        settings: CorrectionSettings,
        size: tuple[int, int] | None = None,
        part: Part | None = None,
    ) -> RenderedFrame:
        """A frame, or a part of it, before and after; at full size exactly what is exported."""
        if not settings.denoise:
            self._pictures.clear()
            return self._composed(index, settings, size, part)
        # What lies around a part is seen as well: its noise is told from its detail as in the whole frame.
        reach = self.corrector.denoiser.reach_px
        seen = None if part is None else part.grown(reach, self.info.height, self.info.width)
        middle = self._held(index, settings, size, seen)
        around = [self._neighbour(member, settings, size, seen) for member in self._around(index)]
        pictures = [middle if picture is None else picture for picture in around]
        original = self.original(index, size, seen)
        cleaned = self.corrector.denoiser.clean(pictures, original, settings.denoise)
        if part is None or seen is None:
            return RenderedFrame(index, original, cleaned)
        inner = Part(part.top - seen.top, part.left - seen.left, part.height, part.width).slices
        return RenderedFrame(index, original[inner], cleaned[inner])

    def _composed(
        self, index: int, settings: CorrectionSettings, size: tuple[int, int] | None, part: Part | None
    ) -> RenderedFrame:
        """A frame before and after, with its noise."""
        analysis = self.analysis(index)
        original = self.original(index, size, part)
        return RenderedFrame(index, original, self._correct(original, index, analysis, settings, part))

    def _correct(
        self,
        original: RGBArray,
        index: int,
        analysis: Analysis,
        settings: CorrectionSettings,
        part: Part | None = None,
    ) -> RGBArray:
        """A picture of a frame, of any size, or a part of it at full size, corrected."""
        corrected = compose(original, analysis, settings, self.gain_ev(index), self._place(part))
        return regain_highlights(corrected, original, self.info.color)

    def _place(self, part: Part | None) -> Place | None:
        return None if part is None else Place(part.top, part.left, self.info.height, self.info.width)

    def _held(
        self, index: int, settings: CorrectionSettings, size: tuple[int, int] | None, part: Part | None
    ) -> RGBArray:
        """A corrected frame, kept: in playback each is wanted by three, and the noise slider asks for no other."""
        key = (self._key(index), settings.light, size, part)
        held = self._pictures.get(key)
        if held is None:
            held = self._composed(index, settings, size, part).corrected
            self._pictures.put(key, held)
        return held

    def _around(self, index: int) -> tuple[int, ...]:
        """The frame before, the frame itself and the one after; itself again across a cut."""
        return window_indices(index, self.info.frame_count, () if self._light is None else self._light.cuts, 3)

    def _neighbour(
        self, index: int, settings: CorrectionSettings, size: tuple[int, int] | None, part: Part | None
    ) -> RGBArray | None:
        """A corrected frame beside the one that is wanted; None where it is damaged."""
        with suppress(VideoDamageError):
            return self._held(index, settings, size, part)
        return None

    def maps(
        self,
        index: int,
        settings: CorrectionSettings,
        size: tuple[int, int] | None = None,
        part: Part | None = None,
    ) -> CorrectionMaps:
        """A frame, or a part of it, and everything its correction was made from."""
        analysis = self.analysis(index)
        original = self.original(index, size, part)
        maps = compose_maps(original, analysis, settings, self.gain_ev(index), self._place(part))
        return replace(maps, corrected=regain_highlights(maps.corrected, maps.source, self.info.color))

    def region_exposures(self, index: int, settings: CorrectionSettings, region: Region) -> tuple[float, float]:
        """Exposure of a region of a frame before and after in stops, measured at analysis size."""
        small = self._small(index)
        corrected = self._correct(small, index, self.analysis(index), settings)
        return exposure_ev(region.of(small)), exposure_ev(region.of(corrected))

    def corrected_exposure(self, index: int, settings: CorrectionSettings) -> float:
        """Exposure of the corrected frame in stops, measured at analysis size."""
        small = self._small(index)
        return exposure_ev(self._correct(small, index, self.analysis(index), settings))

    def corrected_frames(
        self, settings: CorrectionSettings, start: int = 0, stop: int | None = None, *, skip: int = 0
    ) -> Generator[Frame]:
        """Corrected frames in order, for export; memory does not depend on the clip's length.

        Neutral settings hand the decoded planes through untouched.

        Args:
            settings: How they are corrected.
            start: First frame of the range.
            stop: One past its last.
            skip: So many frames of the range are left out; those behind them are the same to the last bit.
        """
        stop = self.info.frame_count if stop is None else min(stop, self.info.frame_count)
        if settings.is_neutral:
            yield from self._reader.frames(start + skip, stop)
            return
        if settings.denoise:
            yield from self._denoised_frames(settings, start, stop, start + skip)
            return
        for frame, _, corrected in self._composed_frames(settings, start, stop, start + skip):
            yield from_rgb(corrected, frame)

    def _denoised_frames(self, settings: CorrectionSettings, start: int, stop: int, first: int) -> Iterator[Frame]:
        """`_composed_frames` without their noise; neighbours of the range are taken into account as in `render`."""
        low = start - 1 if start > 0 and self._is_readable(start - 1) else start
        high = stop + 1 if stop < self.info.frame_count and self._is_readable(stop) else stop
        held: deque[tuple[Frame, RGBArray, RGBArray]] = deque()
        for composed in chain(self._composed_frames(settings, low, high, max(low, first - 1)), (None,)):
            if composed is not None:
                held.append(composed)
                if len(held) < 2:
                    continue
            # What is complete: the one before the newest, or, at the end, the newest itself.
            middle = len(held) - 2 if composed is not None else len(held) - 1
            if middle < 0:
                return
            frame, source, _ = held[middle]
            if first <= frame.index < stop:
                corrected = {each.index: picture for each, _, picture in held}
                around = [corrected.get(member, corrected[frame.index]) for member in self._around(frame.index)]
                yield from_rgb(self.corrector.denoiser.clean(around, source, settings.denoise), frame)
            if len(held) > 2:
                held.popleft()

    def _is_readable(self, index: int) -> bool:
        with suppress(VideoDamageError):
            self._reader.frame(index)
            return True
        return False

    def _composed_frames(
        self, settings: CorrectionSettings, start: int, stop: int, first: int
    ) -> Iterator[tuple[Frame, RGBArray, RGBArray]]:
        """Frames of a range in order from a wanted one on, each as decoded, as R'G'B', and corrected."""
        reach = self.corrector.window // 2
        # Sums round differently in batches of another shape: the same frames come together wherever it begins.
        start += (first - start) // self._batch * self._batch
        with closing(ahead(self._frames_around(start, stop, reach), QUEUED_FRAMES)) as frames:
            yield from self._composed_in_batches(frames, settings, start, stop, first)

    def _composed_in_batches(
        self, frames: Iterator[Frame], settings: CorrectionSettings, start: int, stop: int, first: int
    ) -> Iterator[tuple[Frame, RGBArray, RGBArray]]:
        """`_composed_frames` of a start where a batch begins, from frames that come in order."""
        reach = self.corrector.window // 2
        small: dict[int, RGBArray] = {}
        waiting: deque[Frame] = deque()
        indices = iter(range(start, stop))
        while batch := list(islice(indices, self._batch)):
            wanted = max(max(self._window(index)) for index in batch)
            while wanted not in small:
                frame = next(frames, None)
                if frame is None:  # a damaged tail: the reader has said so; what can be read is corrected
                    wanted = max(small, default=-1)
                    batch = [index for index in batch if index <= wanted]
                    break
                reduced = reduce_to_rgb(frame, *self._size).astype(np.float16).astype(np.float32)
                small[frame.index] = relight(reduced, self.gain_ev(frame.index))
                if start <= frame.index < stop:
                    waiting.append(frame)
            if not batch:
                return
            for index, analysis in zip(batch, self._analyse_batch(batch, small), strict=True):
                frame = waiting.popleft()
                if index < first:
                    continue
                source = to_rgb(frame)
                yield frame, source, self._correct(source, index, analysis, settings)
            for index in [index for index in small if index < batch[-1] - reach]:
                del small[index]

    def _analyse_batch(self, batch: list[int], small: dict[int, RGBArray]) -> list[Analysis]:
        """Analyses of frames in a row, from all frames around them that can be read, each in its light.

        What an export writes must not depend on what the cache holds: interrupted, it goes on with another, and the
        file is to be the one that an undisturbed export writes. A frame analysed alone gives the same bits whether
        the preview, this export or an earlier one asks, so alone it may come from the cache; one of a batch, as on a
        GPU, differs in the last bit, and is always computed.
        """
        # Windows end where the frames that can be read do, as at the ends of the clip.
        low, high = min(small), max(small)
        kept = self._kept if self._batch == 1 else None
        keys = [self._key(index) for index in batch]
        if kept is not None and low <= keys[0][0][0] and keys[0][-1][0] <= high:
            analysis = kept.analysis(keys[0], self._maker)
            if analysis is None:
                analysis = self.corrector.analyse(np.stack([small[member] for member, _ in keys[0]]))
                kept.keep_analysis(keys[0], self._maker, analysis)
            return [analysis]
        windows = [np.stack([small[min(max(member, low), high)] for member, _ in key]) for key in keys]
        return self.corrector.analyse_batch(np.stack(windows))

    def _frames_around(self, start: int, stop: int, reach: int) -> Iterator[Frame]:
        """A range of frames, and as many of ``reach`` more on both sides as lie within reach without damage between.

        Raises:
            VideoDamageError: A frame of the range itself is damaged.
        """
        low = max(start - reach, 0)
        before: list[Frame] = []
        while low < start:
            try:
                before = list(self._reader.frames(low, start))
            except VideoDamageError as error:
                low = start if error.frame is None else error.frame + 1
            else:
                break
        yield from before
        yield from self._reader.frames(start, stop)
        with suppress(VideoDamageError):
            yield from self._reader.frames(stop, stop + reach)
