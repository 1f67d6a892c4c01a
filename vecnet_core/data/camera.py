"""Drawn cameras: a tone curve, a mistake in exposure, and everything else that goes wrong on the way to a file."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
from PIL import Image

FloatArray = npt.NDArray[np.float32]

INVERSE_SIZE = 4096
FORWARD_SIZE = 8192
FORWARD_TOP = 1.5  # fourth root of the highest exposure in the table, E = 5; the curve is clipped from E = 1 on
DARKEST_EV = -16.0
ROOM_EV = (0.2, 2.4)
"""Stops between a camera's white and the diffuse white that exposure meters aim below."""
NOISE_BANK = np.random.default_rng(12).standard_normal(1 << 21, dtype=np.float32)


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

    def code_of(self, stops: FloatArray) -> FloatArray:
        """Code values in [0, 1] of light in stops, without any fault."""
        at = np.exp2(np.minimum(stops, 2.0) / 4) * np.float32((FORWARD_SIZE - 1) / FORWARD_TOP)
        return np.interp(at, np.arange(FORWARD_SIZE), self.forward).astype(np.float32)

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
        return cls(np.maximum(inverse, DARKEST_EV).astype(np.float32), code.astype(np.float32))

    @staticmethod
    def respond(
        exposure: npt.NDArray[np.float64], gamma: float, power: float, share: float, half: float
    ) -> npt.NDArray[np.float64]:
        """The response itself; ``f(1) = 1``."""
        raised = exposure**power
        hill = raised * (1 + half**power) / (raised + half**power)
        return np.exp((1 - share) / gamma * np.log(exposure) + share * np.log(hill))


@numba.njit(cache=True, nogil=True)
def _stops_of(reference: FloatArray, inverse: FloatArray, headroom: float) -> FloatArray:
    stops = np.empty_like(reference)
    for t in range(reference.shape[0]):
        for y in range(reference.shape[1]):
            for x in range(reference.shape[2]):
                top = max(reference[t, y, x, 0], reference[t, y, x, 1], reference[t, y, x, 2])
                s = min(max((top - 0.75) / 0.25, 0.0), 1.0)
                lift = headroom * s * s * (3.0 - 2.0 * s)
                for c in range(3):
                    level = min(max(reference[t, y, x, c], 0.0), 1.0)
                    stops[t, y, x, c] = inverse[int(level * (INVERSE_SIZE - 1) + 0.5)] + lift
    return stops


@numba.njit(cache=True, nogil=True)
def _expose(
    stops: FloatArray,
    forward: FloatArray,
    ev: float,
    ev_map: FloatArray,
    balance: FloatArray,
    paling: float,
    shot: float,
    read: float,
    black: float,
    noise: FloatArray,
    offset: int,
) -> FloatArray:
    height, width = stops.shape[:2]
    out = np.empty((height, width, 3), np.float32)
    bank = noise.shape[0]
    lights = np.empty(3, np.float32)
    at = offset % bank
    for y in range(height):
        for x in range(width):
            lift = ev + ev_map[y, x]
            for c in range(3):
                lights[c] = np.exp2(np.float32(stops[y, x, c] + lift + balance[c]))
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


def _grainy(bank: FloatArray, offset: int, shape: tuple[int, ...], grain: float) -> FloatArray:
    """Noise of deviation 1 for a frame ``(H, W, 3)``, flat, correlated over neighbours and between channels."""
    noise = np.roll(bank, -offset)[: math.prod(shape)].reshape(shape)
    share = np.float32(grain)
    for axis, width in ((0, share), (1, share), (2, 0.5 * share)):
        noise = (noise + width * (np.roll(noise, 1, axis) + np.roll(noise, -1, axis))) / np.sqrt(1 + 2 * width**2)
    return np.ascontiguousarray(noise, np.float32).ravel()


@dataclass(frozen=True)
class Camera:
    """One camera and its mistake: `light_of` a good picture, `film` that light badly.

    Attributes:
        curve: Its response.
        ev: Stops by which all of the frame is too bright.
        ev_map: ``(H, W)`` stops more.
        balance: Stops by which each channel is off.
        headroom: Stops of light above a good picture's clipped whites.
        paling: 0 to 1, how much colour too much light takes away: cameras turn bright colours to white before a channel
            clips (real over-exposed highlights have half the saturation of such made without it).
        shot: Variance of photon noise at full light.
        read: Deviation of the noise in the dark.
        black: Offset of black, in light.
        jpeg_quality: 0 for no compression.
        grain: 0 to 1, how far the noise of a pixel is shared with its neighbours, as it is behind a camera's filters.
        is_plain: Nothing is wrong but the exposure.
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
    grain: float = 0.0
    is_plain: bool = False

    @classmethod
    def plain(cls, curve: ToneCurve, ev: float, ev_map: FloatArray, jpeg_quality: int = 0) -> Camera:
        """One whose only mistake is the exposure."""
        balance = np.zeros(3, np.float32)
        return cls(curve, ev, ev_map, balance, 0.0, 0.0, 0.0, 0.0, 0.0, jpeg_quality, is_plain=True)

    def light_of(self, picture: FloatArray) -> FloatArray:
        """The light, in stops below the camera's white, that a good picture ``(T, H, W, 3)`` in [0, 1] was made by."""
        return _stops_of(picture, self.curve.inverse, self.headroom)

    def film(
        self, stops: FloatArray, light_ev: FloatArray, rng: np.random.Generator, noise_factor: float = 1.0
    ) -> FloatArray:
        """Record ``(T, H, W, 3)`` stops of light with frame ``t`` lit ``light_ev[t]`` stops off; 8 bit, in [0, 1]."""
        frames: list[FloatArray] = []
        for scene, light in zip(stops, light_ev, strict=True):
            noise, offset = NOISE_BANK, int(rng.integers(NOISE_BANK.size))
            if scene.size > NOISE_BANK.size:  # it would repeat within the frame
                noise, offset = rng.standard_normal(scene.size, dtype=np.float32), 0
            if self.grain:
                noise, offset = _grainy(noise, offset, scene.shape, self.grain), 0
            code = _expose(
                scene,
                self.curve.forward,
                self.ev + float(light),
                self.ev_map,
                self.balance,
                self.paling,
                self.shot * noise_factor**2,
                self.read * noise_factor,
                self.black,
                noise,
                offset,
            )
            frames.append(compress(code, self.jpeg_quality))
        return np.stack(frames)


def draw_noise(rng: np.random.Generator) -> tuple[float, float]:
    """A camera's photon noise (variance at full light) and read noise (deviation in the dark)."""
    return 10 ** rng.uniform(-4.6, -2.6), 10 ** rng.uniform(-4.0, -2.7)


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
