"""Made pairs: a well-exposed scene filmed again, badly, by a camera we draw at random.

The exposure is changed in linear light behind a real-looking tone curve, clipped whites get unknown head-room, and
light varies over time as lamps and auto-exposure make it vary. Why each of these: a power curve cancels out of
``(ref^g 2^EV)^(1/g)``, so pairs made with one have a log-log slope near 1, real brackets 0.71 and 1.36; and a
darkened 8-bit clip carries a flat ceiling at its clipped whites, which a network learns to find and scale to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from vecnet_core.data.camera import Camera, FloatArray, ToneCurve, draw_noise, smooth_field
from vecnet_core.data.panorama import draw_view, meter
from vecnet_core.errors import DataError
from vecnet_core.metrics.exposure import srgb_to_linear

if TYPE_CHECKING:
    from vecnet_core.data.clips import PackedScenes


@dataclass(frozen=True)
class SynthesisConfig:
    """How bad the made recordings get; a checkpoint tells what its weights saw.

    Attributes:
        sizes: Sizes (height, width) of training frames, multiples of 16.
        size_shares: How often each is drawn.
        windows: Windows a batch, a multiple of 4.
        frames: Frames a window.
        still_share: Share of batches of single frames, at half the cost: a frame on its own is a window in which
            nothing moves or flickers, and teaches what light a scene should have just as well.
        pair_share: Share of the others made of pairs: a quarter as many scenes, one frame longer, so that two windows
            of each follow each other, and each filmed twice, the second time under another flicker and noise.
        dark_share: Share of sequences that are too dark.
        bright_share: Share that are too bright.
        mixed_share: Share whose exposure goes from too dark to too bright inside the frame; the rest is near right.
        dark_ev: Lowest and highest exposure of a dark sequence, in stops.
        bright_ev: Lowest and highest exposure of a bright one.
        mixed_low_ev: Exposure of the darkest place of a mixed one.
        mixed_high_ev: Exposure of its brightest place.
        uneven_share: Share of dark and bright sequences whose exposure varies over the frame as well.
        headroom_share: Share of dark sequences whose clipped whites get head-room.
        jpeg_share: Share of sequences compressed, but for plain ones that are wrong.
        plain_share: Share recorded without noise or head-room on the sRGB curve, as an editing program would spoil
            them.
        plain_right_share: Share of those whose exposure is right: finished footage mostly is, and is to be left alone.
        collage_share: Share of sequences whose frame is split between two scenes: some 300 scenes are few enough to
            be known by heart, their pairs are not.
        graded_share: Share of references graded at random before they are spoiled, for the same reason.
        flat_share: Share of the references of bright sequences given less range and metered for the middle: without
            them a frame that is too bright always has clipped pixels, and a network leaves alone any that has none.
            (In others they hide the one thing a dark frame tells of its exposure, how far its top is down.)
        recorded_share: Share of sequences taken from recorded pairs, where there are any.
        panorama_share: Share of sequences filmed inside an HDR panorama, where there is one.
        misaligned_px: Pixels by which every reference is shifted, in any direction: 0 but to study what pairs that do
            not fit do to training.
        low_key_share: Share of the references of plain sequences, but for bright ones, made dark on purpose: footage
            that is dark by mistake comes noisy from a camera, clean dark footage is mostly meant so.
    """

    sizes: tuple[tuple[int, int], ...] = ((128, 128), (128, 208), (176, 128))
    size_shares: tuple[float, ...] = (0.7, 0.2, 0.1)
    windows: int = 8
    frames: int = 5
    still_share: float = 0.6
    pair_share: float = 0.3
    dark_share: float = 0.31
    bright_share: float = 0.27
    mixed_share: float = 0.19
    dark_ev: tuple[float, float] = (-4.6, -0.3)
    bright_ev: tuple[float, float] = (0.3, 2.6)
    mixed_low_ev: tuple[float, float] = (-3.0, -0.7)
    mixed_high_ev: tuple[float, float] = (0.4, 2.2)
    uneven_share: float = 0.15
    headroom_share: float = 0.6
    jpeg_share: float = 0.7
    plain_share: float = 0.3
    plain_right_share: float = 0.3
    collage_share: float = 0.15
    graded_share: float = 0.7
    flat_share: float = 0.25
    recorded_share: float = 0.25
    panorama_share: float = 0.1
    misaligned_px: float = 0.0
    low_key_share: float = 0.15


@dataclass(frozen=True)
class Batch:
    """One training batch, channels first.

    Attributes:
        bad: ``(S, T, 3, h, w)`` in [0, 1].
        good: ``(S, T, 3, h, w)`` in [0, 1].
        is_pair: The second half of the sequences shows the first half's scenes and camera under another flicker.
        exposure_ev: ``(S,)`` the camera's exposure, 0 where right.
    """

    bad: FloatArray
    good: FloatArray
    is_pair: bool
    exposure_ev: FloatArray


KINDS = ("dark", "bright", "mixed", "right")


def draw_camera(rng: np.random.Generator, config: SynthesisConfig, size: tuple[int, int]) -> Camera:
    """A camera for frames of ``size``, and the mistake it makes."""
    is_plain = rng.random() < config.plain_share
    wrong = np.array((config.dark_share, config.bright_share, config.mixed_share), float)
    if is_plain:
        wrong *= (1 - config.plain_right_share) / max(float(wrong.sum()), 1e-9)
    kind = KINDS[int(np.searchsorted(np.cumsum(wrong), rng.random(), side="right"))]
    ranges = {"dark": config.dark_ev, "bright": config.bright_ev, "mixed": (0.0, 0.0), "right": (-0.25, 0.25)}
    ev = rng.uniform(*ranges[kind])
    is_wrong = kind in {"dark", "bright"}
    is_compressed = rng.random() < config.jpeg_share and not (is_plain and kind != "right")
    jpeg_quality = int(rng.integers(60, 98)) if is_compressed else 0
    ev_map = np.zeros(size, np.float32)
    if kind == "mixed":
        ev_map = smooth_field(rng, size, rng.uniform(*config.mixed_low_ev), rng.uniform(*config.mixed_high_ev))
    elif is_wrong and not is_plain and rng.random() < config.uneven_share:
        reach = rng.uniform(0.5, 1.5)
        ev_map = smooth_field(rng, size, -reach, reach)
    if is_plain:
        return Camera.plain(ToneCurve.srgb(), ev, ev_map, jpeg_quality)
    shot, read = draw_noise(rng)
    return Camera(
        curve=ToneCurve.draw(rng),
        ev=ev,
        ev_map=ev_map,
        balance=rng.uniform(-0.2, 0.2, 3).astype(np.float32) * (is_wrong and rng.random() < 0.6),
        headroom=rng.uniform(0.0, 2.5) if kind == "dark" and rng.random() < config.headroom_share else 0.0,
        paling=rng.uniform(0.0, 1.0),
        shot=shot,
        read=read,
        black=rng.uniform(-0.01, 0.01) * 0.3 * (rng.random() < 0.3),
        jpeg_quality=jpeg_quality,
        grain=rng.uniform(0.0, 1.0) * (rng.random() < 0.5),
    )


def draw_light(rng: np.random.Generator, frames: int) -> FloatArray:
    """Light over time in stops, around 0: steady, flicker, lamp banding, drift, step, or auto-exposure pumping."""
    if frames == 1:
        return np.zeros(1, np.float32)
    kind = rng.random()
    t = np.arange(frames)
    if kind < 0.35:
        light = np.zeros(frames)
    elif kind < 0.65:
        light = rng.normal(0.0, np.exp(rng.uniform(np.log(0.04), np.log(0.4))), frames)
    elif kind < 0.75:
        light = rng.uniform(0.05, 0.4) * np.sin(2 * np.pi * rng.uniform(0.15, 0.5) * t + rng.uniform(0, 7))
    elif kind < 0.85:
        light = rng.uniform(-0.12, 0.12) * (t - frames / 2)
    elif kind < 0.93:
        light = rng.uniform(-0.8, 0.8) * (t >= rng.integers(1, frames))
    else:
        light = rng.uniform(0.1, 0.5) * np.sin(2 * np.pi * rng.uniform(0.03, 0.12) * t + rng.uniform(0, 7))
    return light.astype(np.float32)


def draw_reference(rng: np.random.Generator, scenes: PackedScenes, size: tuple[int, int], frames: int) -> FloatArray:
    """A crop of a random scene as ``(T, H, W, 3)`` in [0, 1]; photos are given a camera move.

    Dithered, so that no histogram comb betrays what was done to it.
    """
    reference = draw_crop(rng, scenes.frames(int(rng.integers(len(scenes))))[None], size, frames)[0]
    reference += rng.random(reference.shape, dtype=np.float32) - 0.5
    return np.clip(reference / np.float32(255), np.float32(0), np.float32(1))


def draw_crop(
    rng: np.random.Generator,
    sources: npt.NDArray[np.uint8],
    size: tuple[int, int],
    frames: int,
    smallest_zoom: float = 0.5,
) -> FloatArray:
    """The same crop of several recordings of one scene: ``(K, T', H', W', 3)`` to ``(K, T, H, W, 3)``, 0 to 255."""
    count, full_height, full_width = sources.shape[1:4]
    aspect = size[1] / size[0]
    largest = min(full_height, full_width / aspect)
    zoom = np.full(frames, rng.uniform(smallest_zoom, 1.0))
    centre = np.repeat(rng.uniform(0.0, 1.0, (1, 2)), frames, axis=0)
    if count > 1:
        step = 2 if count >= 2 * frames and rng.random() < 0.2 else 1
        start = int(rng.integers(count - step * (min(frames, count) - 1))) if count >= frames else 0
        order = np.minimum(start + step * np.arange(frames), count - 1)
    else:
        order = np.zeros(frames, int)
        if rng.random() < 0.7:
            speed = rng.exponential(0.012, 2) * rng.choice([-1, 1], 2)
            centre = centre + speed * np.arange(frames)[:, None]
            zoom = zoom * (1 + rng.normal(0, 0.004)) ** np.arange(frames)
    if rng.random() < 0.5:
        order = order[::-1]
    flip = rng.random() < 0.5
    out = np.empty((len(sources), frames, *size, 3), np.float32)
    for t in range(frames):
        height = largest * min(max(zoom[t], smallest_zoom), 1.0)
        width = height * aspect
        # Rounding may put the far edge of the largest crop a hair outside, which Pillow refuses.
        left = float(np.clip(centre[t, 0], 0, 1)) * max(full_width - width, 0.0)
        top = float(np.clip(centre[t, 1], 0, 1)) * max(full_height - height, 0.0)
        right, bottom = min(left + width, float(full_width)), min(top + height, float(full_height))
        for k, source in enumerate(sources):
            picture = Image.fromarray(source[order[t]]).resize(
                (size[1], size[0]), Image.Resampling.BILINEAR, box=(left, top, right, bottom)
            )
            out[k, t] = np.asarray(picture)[:, ::-1] if flip else np.asarray(picture)
    return out


def collage(rng: np.random.Generator, first: FloatArray, second: FloatArray) -> FloatArray:
    """Part of each frame of ``first`` ``(T, H, W, 3)`` replaced by ``second``, along one straight edge."""
    axis = int(rng.integers(1, 3))
    cut = int(first.shape[axis] * rng.uniform(0.3, 0.7))
    parts = [first[:, :cut], second[:, cut:]] if axis == 1 else [first[:, :, :cut], second[:, :, cut:]]
    return np.concatenate(parts, axis=axis)


def grade(rng: np.random.Generator, reference: FloatArray) -> FloatArray:
    """Another taste in brightness, tint and colour for ``(T, H, W, 3)`` in [0, 1]; black and white stay."""
    power = np.exp2(rng.normal(0.0, 0.12) + rng.normal(0.0, 0.05, 3)).astype(np.float32)
    graded: FloatArray = reference**power
    grey = graded @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    mixed = grey[..., None] + np.float32(rng.uniform(0.75, 1.25)) * (graded - grey[..., None])
    return np.clip(mixed, 0, 1).astype(np.float32)


def flatten(rng: np.random.Generator, reference: FloatArray) -> FloatArray:
    """A scene of less range than ``(T, H, W, 3)`` in [0, 1]: white below 1, its mean where exposure meters put it."""
    white = rng.uniform(0.75, 1.0)
    mean = np.clip(rng.normal(0.43, 0.06), 0.3, 0.8 * white)
    power = np.log(mean / white) / np.log(np.clip(float(reference.mean()), 0.05, 0.95))
    flat: FloatArray = np.float32(white) * reference ** np.float32(np.clip(power, 0.5, 2.0))
    return flat


def low_key(rng: np.random.Generator, reference: FloatArray) -> FloatArray:
    """``(T, H, W, 3)`` in [0, 1] as a scene that is dark on purpose: a low mean, and seldom a white."""
    power, white = np.exp2(rng.uniform(0.1, 1.0)), rng.uniform(0.5, 1.0)
    dark: FloatArray = np.float32(white) * reference ** np.float32(power)
    return dark


def halve(frames: FloatArray) -> FloatArray:
    """Reduce ``(T, H, W, 3)`` by 2 in both directions and put channels first: ``(T, 3, H/2, W/2)``."""
    # Four strided slices: a mean over axes 2 and 4 of a reshaped array takes ten times as long.
    top, bottom = frames[:, 0::2], frames[:, 1::2]
    small: FloatArray = np.float32(0.25) * (top[:, :, 0::2] + top[:, :, 1::2] + bottom[:, :, 0::2] + bottom[:, :, 1::2])
    return np.ascontiguousarray(small.transpose(0, 3, 1, 2))


@dataclass(frozen=True)
class Take:
    """One scene in the light a camera gets of it, and as it should look; both ``(T, H, W, 3)``, in stops and [0, 1]."""

    stops: FloatArray
    good: FloatArray


def draw_take(
    rng: np.random.Generator,
    scenes: PackedScenes,
    config: SynthesisConfig,
    camera: Camera,
    size: tuple[int, int],
    frames: int,
) -> Take:
    """A scene for ``camera``: a clip or photo, perhaps graded or joined with another, or a view of a panorama."""
    if scenes.panoramas and rng.random() < config.panorama_share:
        stops = draw_view(rng, scenes.panorama(int(rng.integers(len(scenes.panoramas)))), size, frames)
        stops += np.float32(meter(rng, stops, camera.curve))
        return Take(stops, camera.curve.code_of(stops))
    good = draw_reference(rng, scenes, size, frames)
    if rng.random() < config.collage_share:
        good = collage(rng, good, draw_reference(rng, scenes, size, frames))
    if rng.random() < config.graded_share:
        good = grade(rng, good)
    is_bright = camera.ev >= config.bright_ev[0]
    if is_bright and rng.random() < config.flat_share:
        good = flatten(rng, good)
    elif camera.is_plain and not is_bright and rng.random() < config.low_key_share:
        good = low_key(rng, good)
    return Take(camera.light_of(good), good)


def misalign(rng: np.random.Generator, frames: FloatArray, distance_px: float) -> FloatArray:
    """``(T, 3, h, w)`` moved by so many pixels in a random direction, linear between pixels; edges are repeated."""
    angle = rng.uniform(0, 2 * np.pi)
    for axis, shift in ((2, distance_px * np.sin(angle)), (3, distance_px * np.cos(angle))):
        at = np.arange(frames.shape[axis]) + shift
        low = np.floor(at).astype(int)
        shape = [1] * frames.ndim
        shape[axis] = -1
        part = (at - low).astype(np.float32).reshape(shape)
        lower, upper = (frames.take(index, axis=axis, mode="clip") for index in (low, low + 1))
        frames = lower + part * (upper - lower)
    return frames


def draw_batch(
    scenes: PackedScenes, config: SynthesisConfig, seed: int, step: int, *, part: int = 0, parts: int = 1
) -> Batch:
    """The batch of one training step: a pure function of ``seed`` and ``step``, so that a resumed run sees the same.

    Args:
        scenes: What is filmed.
        config: How.
        seed: Of the run.
        step: Of the run, from 0.
        part: Which share of the batch is wanted, where several processes train together.
        parts: Their number; ``config.windows`` is a multiple of 4 times it.

    Raises:
        DataError: The batch cannot be shared evenly.
    """
    if config.windows % (4 * parts):
        raise DataError(
            f"{config.windows} windows a batch cannot be shared by {parts} processes", hint="give each a multiple of 4"
        )
    rng = np.random.default_rng((seed, step))
    size = config.sizes[int(rng.choice(len(config.sizes), p=config.size_shares))]
    full = (2 * size[0], 2 * size[1])
    is_still = bool(rng.random() < config.still_share)
    is_pair = not is_still and bool(rng.random() < config.pair_share)
    frames = 1 if is_still else config.frames + is_pair
    share = (config.windows // 4 if is_pair else config.windows) // parts
    bad: list[FloatArray] = []
    good: list[FloatArray] = []
    exposure: list[float] = []
    again: list[FloatArray] = []
    for number in range(part * share, (part + 1) * share):
        # From 1 on: entropy is padded with zeros, and (seed, step, 0) would be the stream that drew the batch itself.
        rng = np.random.default_rng((seed, step, number + 1))
        if scenes.recorded and (not scenes.scenes or rng.random() < config.recorded_share):
            pair = draw_crop(rng, scenes.recording(int(rng.integers(len(scenes.recorded)))), full, frames)
            recorded, reference = pair / np.float32(255)
            bad.append(halve(recorded))
            good.append(halve(reference))
            lights = (float(srgb_to_linear(picture).mean()) + 1e-4 for picture in (recorded, reference))
            exposure.append(math.log2(next(lights) / next(lights)))
            if is_pair:  # it was filmed once; the second time is given noise alone
                noise = rng.normal(0.0, rng.uniform(0.002, 0.02), recorded.shape)
                again.append(halve(np.clip(recorded + noise, 0, 1).astype(np.float32)))
        else:
            camera = draw_camera(rng, config, full)
            take = draw_take(rng, scenes, config, camera, full, frames)
            bad.append(halve(camera.film(take.stops, draw_light(rng, frames), rng)))
            good.append(halve(take.good))
            exposure.append(camera.ev)
            if is_pair:
                light = draw_light(rng, frames)
                again.append(halve(camera.film(take.stops, light, rng, noise_factor=float(rng.uniform(1.0, 3.0)))))
        if config.misaligned_px:
            good[-1] = misalign(rng, good[-1], config.misaligned_px)
    if is_pair:
        bad, good, exposure = bad + again, good + good, exposure + exposure
    return Batch(np.stack(bad), np.stack(good), is_pair, np.array(exposure, np.float32))
