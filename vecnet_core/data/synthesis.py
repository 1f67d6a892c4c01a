"""Made pairs: a well-exposed scene filmed again, badly, by a camera we draw at random.

The exposure is changed in linear light behind a real-looking tone curve, clipped whites get unknown head-room, and
light varies over time as lamps and auto-exposure make it vary. Why each of these: a power curve cancels out of
``(ref^g 2^EV)^(1/g)``, so pairs made with one have a log-log slope near 1, real brackets 0.71 and 1.36; and a
darkened 8-bit clip carries a flat ceiling at its clipped whites, which a network learns to find and scale to 1.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from vecnet_core.data.clips import PackedScenes

FloatArray = npt.NDArray[np.float32]

INVERSE_SIZE = 4096
FORWARD_SIZE = 8192
FORWARD_TOP = 1.5  # fourth root of the highest exposure in the table, E = 5; the curve is clipped from E = 1 on
ROOM_EV = (0.2, 2.4)
"""Stops between a camera's white and the diffuse white that exposure meters aim below."""
NOISE_BANK = np.random.default_rng(12).standard_normal(1 << 21, dtype=np.float32)


@dataclass(frozen=True)
class SynthesisConfig:
    """How bad the made recordings get; the defaults are what the shipped weights saw.

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
        collage_share: Share of sequences whose frame is split between two scenes: some 300 scenes are few enough to
            be known by heart, their pairs are not.
        graded_share: Share of references graded at random before they are spoiled, for the same reason.
        flat_share: Share of the references of bright sequences given less range and metered for the middle: without
            them a frame that is too bright always has clipped pixels, and a network leaves alone any that has none.
            (In others they hide the one thing a dark frame tells of its exposure, how far its top is down.)
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
    collage_share: float = 0.15
    graded_share: float = 0.7
    flat_share: float = 0.25


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


@dataclass(frozen=True)
class ToneCurve:
    """A camera's response as two tables: code value to log2 exposure, and fourth root of exposure to code value."""

    inverse: FloatArray
    forward: FloatArray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> ToneCurve:
        """A random response ``log f(E) = (1-a) log E^(1/g) + a log Hill(E)`` with mid-grey in 0.36 to 0.52.

        Mid-grey is 0.18 of the diffuse white, and the camera clips `ROOM_EV` above that: with none above it, twice as
        many pixels of an over-exposed frame were clipped as in real brackets (34 % against 18 %, in any channel).
        """
        root = np.linspace(0.0, FORWARD_TOP, FORWARD_SIZE)
        exposure = np.maximum(root, 1e-4) ** 4
        for _ in range(64):
            gamma, power, share = rng.uniform(1.9, 2.5), rng.uniform(1.0, 2.0), rng.uniform(0.3, 1.0)
            half = np.exp(rng.uniform(np.log(0.05), np.log(1.5)))
            grey = cls.respond(0.18 * np.exp2(-rng.uniform(*ROOM_EV, 1)), gamma, power, share, half)[0]
            if 0.36 <= grey <= 0.52:
                break
        else:
            gamma, power, share, half = 2.2, 1.0, 0.0, 1.0
        return cls.tabulate(cls.respond(exposure, gamma, power, share, half))

    @classmethod
    def srgb(cls) -> ToneCurve:
        """The sRGB transfer curve."""
        exposure = np.linspace(0.0, FORWARD_TOP, FORWARD_SIZE) ** 4
        return cls.tabulate(np.where(exposure <= 0.0031308, 12.92 * exposure, 1.055 * exposure ** (1 / 2.4) - 0.055))

    @classmethod
    def tabulate(cls, response: npt.NDArray[np.float64]) -> ToneCurve:
        """Tables of a rising response sampled at the exposures of ``forward``."""
        root = np.linspace(0.0, FORWARD_TOP, FORWARD_SIZE)
        exposure = np.maximum(root, 1e-4) ** 4
        code = np.clip(response, 0.0, 1.0)
        levels = np.linspace(0.0, 1.0, INVERSE_SIZE)
        inside = root <= 1.0
        inverse = np.interp(levels, code[inside], np.log2(exposure[inside]))
        return cls(np.maximum(inverse, -16.0).astype(np.float32), code.astype(np.float32))

    @staticmethod
    def respond(
        exposure: npt.NDArray[np.float64], gamma: float, power: float, share: float, half: float
    ) -> npt.NDArray[np.float64]:
        """The response itself; ``f(1) = 1``."""
        raised = exposure**power
        hill = raised * (1 + half**power) / (raised + half**power)
        return np.exp((1 - share) / gamma * np.log(exposure) + share * np.log(hill))


@numba.njit(cache=True, nogil=True)
def _expose(
    reference: FloatArray,
    inverse: FloatArray,
    forward: FloatArray,
    ev: float,
    ev_map: FloatArray,
    balance: FloatArray,
    headroom: float,
    paling: float,
    shot: float,
    read: float,
    black: float,
    noise: FloatArray,
    offset: int,
) -> FloatArray:
    height, width = reference.shape[:2]
    out = np.empty((height, width, 3), np.float32)
    bank = noise.shape[0]
    lights = np.empty(3, np.float32)
    at = offset % bank
    for y in range(height):
        for x in range(width):
            top = max(reference[y, x, 0], reference[y, x, 1], reference[y, x, 2])
            s = min(max((top - 0.75) / 0.25, 0.0), 1.0)
            lift = headroom * s * s * (3.0 - 2.0 * s) + ev + ev_map[y, x]
            for c in range(3):
                level = min(max(reference[y, x, c], 0.0), 1.0)
                lights[c] = np.exp2(np.float32(inverse[int(level * (INVERSE_SIZE - 1) + 0.5)] + lift + balance[c]))
            highest = max(lights[0], lights[1], lights[2])
            grey = 0.2126 * lights[0] + 0.7152 * lights[1] + 0.0722 * lights[2]
            pale = paling * min(max(highest - 0.3, 0.0), 1.0) * min(max(lift, 0.0), 1.0)
            for c in range(3):
                light = lights[c] + pale * (grey - lights[c])
                light += noise[at] * np.sqrt(shot * light + read * read) + black
                at += 1
                if at == bank:
                    at = 0
                light = min(max(light, np.float32(0.0)), np.float32(5.0))
                root = np.sqrt(np.sqrt(light)) * ((FORWARD_SIZE - 1) / FORWARD_TOP)
                low = min(int(root), FORWARD_SIZE - 2)
                part = root - low
                out[y, x, c] = forward[low] * (1 - part) + forward[low + 1] * part
    return out


@dataclass(frozen=True)
class Camera:
    """One drawn camera and its mistake; `film` records a reference with it.

    Attributes:
        curve: Its response.
        ev: Stops by which all of the frame is too bright.
        ev_map: ``(H, W)`` stops more.
        balance: Stops by which each channel is off.
        headroom: Stops of light above the reference's clipped whites.
        paling: 0 to 1, how much colour too much light takes away: cameras turn bright colours to white before a channel
            clips (real over-exposed highlights have half the saturation of such made without it).
        shot: Variance of photon noise at full light.
        read: Deviation of the noise in the dark.
        black: Offset of black, in light.
        jpeg_quality: 0 for no compression.
    """

    curve: ToneCurve
    ev: float
    ev_map: FloatArray
    balance: FloatArray
    headroom: float
    paling: float
    shot: float
    read: float
    black: float
    jpeg_quality: int

    @classmethod
    def draw(cls, rng: np.random.Generator, config: SynthesisConfig, size: tuple[int, int]) -> Camera:
        """Draw a camera for frames of ``size``."""
        shares = np.cumsum((config.dark_share, config.bright_share, config.mixed_share))
        kind = ("dark", "bright", "mixed", "right")[int(np.searchsorted(shares, rng.random(), side="right"))]
        ranges = {"dark": config.dark_ev, "bright": config.bright_ev, "mixed": (0.0, 0.0), "right": (-0.25, 0.25)}
        ev = rng.uniform(*ranges[kind])
        is_wrong = kind in {"dark", "bright"}
        is_plain = rng.random() < config.plain_share
        is_compressed = rng.random() < config.jpeg_share and not (is_plain and kind != "right")
        jpeg_quality = int(rng.integers(60, 98)) if is_compressed else 0
        ev_map = np.zeros(size, np.float32)
        if kind == "mixed":
            ev_map = smooth_field(rng, size, rng.uniform(*config.mixed_low_ev), rng.uniform(*config.mixed_high_ev))
        elif is_wrong and not is_plain and rng.random() < config.uneven_share:
            reach = rng.uniform(0.5, 1.5)
            ev_map = smooth_field(rng, size, -reach, reach)
        if is_plain:
            return cls(ToneCurve.srgb(), ev, ev_map, np.zeros(3, np.float32), 0.0, 0.0, 0.0, 0.0, 0.0, jpeg_quality)
        return cls(
            curve=ToneCurve.draw(rng),
            ev=ev,
            ev_map=ev_map,
            balance=rng.uniform(-0.2, 0.2, 3).astype(np.float32) * (is_wrong and rng.random() < 0.6),
            headroom=rng.uniform(0.0, 2.5) if kind == "dark" and rng.random() < config.headroom_share else 0.0,
            paling=rng.uniform(0.0, 1.0),
            shot=10 ** rng.uniform(-4.6, -2.6),
            read=10 ** rng.uniform(-4.0, -2.7),
            black=rng.uniform(-0.01, 0.01) * 0.3 * (rng.random() < 0.3),
            jpeg_quality=jpeg_quality,
        )

    def film(
        self, reference: FloatArray, light_ev: FloatArray, rng: np.random.Generator, noise_factor: float = 1.0
    ) -> FloatArray:
        """Record ``(T, H, W, 3)`` with frame ``t`` lit ``light_ev[t]`` stops off; 8 bit, in [0, 1]."""
        frames: list[FloatArray] = []
        for picture, light in zip(reference, light_ev, strict=True):
            code = _expose(
                picture,
                self.curve.inverse,
                self.curve.forward,
                self.ev + float(light),
                self.ev_map,
                self.balance,
                self.headroom,
                self.paling,
                self.shot * noise_factor**2,
                self.read * noise_factor,
                self.black,
                NOISE_BANK,
                int(rng.integers(NOISE_BANK.size)),
            )
            frames.append(compress(code, self.jpeg_quality))
        return np.stack(frames)


def compress(code: FloatArray, quality: int) -> FloatArray:
    """Round ``(H, W, 3)`` to 8 bit, and through JPEG where ``quality`` is not 0."""
    pixels = (code * 255 + 0.5).astype(np.uint8)
    if quality:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
        with Image.open(buffer) as image:
            pixels = np.asarray(image)
    return pixels.astype(np.float32) / np.float32(255)


def smooth_field(rng: np.random.Generator, size: tuple[int, int], low_ev: float, high_ev: float) -> FloatArray:
    """A smooth field of ``size`` from ``low_ev`` to ``high_ev``: a few random cells, bicubic in between."""
    cells = rng.uniform(-1.0, 1.0, (int(rng.integers(2, 5)), int(rng.integers(2, 5)))).astype(np.float32)
    field = np.asarray(Image.fromarray(cells).resize((size[1], size[0]), Image.Resampling.BICUBIC))
    share = (field - field.min()) / max(float(np.ptp(field)), 1e-3)
    return (low_ev + (high_ev - low_ev) * share).astype(np.float32)


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
    number = int(rng.integers(len(scenes)))
    source = scenes.frames(number)
    count, full_height, full_width = source.shape[:3]
    aspect = size[1] / size[0]
    largest = min(full_height, full_width / aspect)
    zoom = np.full(frames, rng.uniform(0.5, 1.0))
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
    pictures: list[FloatArray] = []
    for t in range(frames):
        height = largest * min(max(zoom[t], 0.5), 1.0)
        width = height * aspect
        # Rounding may put the far edge of the largest crop a hair outside, which Pillow refuses.
        left = float(np.clip(centre[t, 0], 0, 1)) * max(full_width - width, 0.0)
        top = float(np.clip(centre[t, 1], 0, 1)) * max(full_height - height, 0.0)
        right, bottom = min(left + width, float(full_width)), min(top + height, float(full_height))
        picture = Image.fromarray(source[order[t]]).resize(
            (size[1], size[0]), Image.Resampling.BILINEAR, box=(left, top, right, bottom)
        )
        array = np.asarray(picture, dtype=np.float32)
        pictures.append(array[:, ::-1] if flip else array)
    reference = np.stack(pictures)
    reference += rng.random(reference.shape, dtype=np.float32) - 0.5
    return np.clip(reference / np.float32(255), np.float32(0), np.float32(1))


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


def halve(frames: FloatArray) -> FloatArray:
    """Reduce ``(T, H, W, 3)`` by 2 in both directions and put channels first: ``(T, 3, H/2, W/2)``."""
    # Four strided slices: a mean over axes 2 and 4 of a reshaped array takes ten times as long.
    top, bottom = frames[:, 0::2], frames[:, 1::2]
    small: FloatArray = np.float32(0.25) * (top[:, :, 0::2] + top[:, :, 1::2] + bottom[:, :, 0::2] + bottom[:, :, 1::2])
    return np.ascontiguousarray(small.transpose(0, 3, 1, 2))


def draw_batch(scenes: PackedScenes, config: SynthesisConfig, seed: int, step: int) -> Batch:
    """The batch of one training step: a pure function of ``seed`` and ``step``, so that a resumed run sees the same."""
    rng = np.random.default_rng((seed, step))
    size = config.sizes[int(rng.choice(len(config.sizes), p=config.size_shares))]
    full = (2 * size[0], 2 * size[1])
    is_still = bool(rng.random() < config.still_share)
    is_pair = not is_still and bool(rng.random() < config.pair_share)
    frames = 1 if is_still else config.frames + is_pair
    scenes_drawn = config.windows // 4 if is_pair else config.windows
    bad: list[FloatArray] = []
    good: list[FloatArray] = []
    exposure: list[float] = []
    again: list[FloatArray] = []
    for _ in range(scenes_drawn):
        reference = draw_reference(rng, scenes, full, frames)
        if rng.random() < config.collage_share:
            reference = collage(rng, reference, draw_reference(rng, scenes, full, frames))
        if rng.random() < config.graded_share:
            reference = grade(rng, reference)
        camera = Camera.draw(rng, config, full)
        if camera.ev >= config.bright_ev[0] and rng.random() < config.flat_share:
            reference = flatten(rng, reference)
        bad.append(halve(camera.film(reference, draw_light(rng, frames), rng)))
        good.append(halve(reference))
        exposure.append(camera.ev)
        if is_pair:
            light = draw_light(rng, frames)
            again.append(halve(camera.film(reference, light, rng, noise_factor=float(rng.uniform(1.0, 3.0)))))
    if is_pair:
        bad, good, exposure = bad + again, good + good, exposure + exposure
    return Batch(np.stack(bad), np.stack(good), is_pair, np.array(exposure, np.float32))
