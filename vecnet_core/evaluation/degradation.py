"""Makes good clips bad for the evaluation: every subset and variant of the protocol, the same for the same seed."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from vecnet_core.evaluation.responses import RESPONSES, response
from vecnet_core.frame import RGBArray
from vecnet_core.metrics.exposure import linear_to_srgb, srgb_to_linear

ByteFrames = npt.NDArray[np.uint8]
"""(T, H, W, 3) R'G'B' in 8 bit."""

SUBSETS = ("under", "over", "camera_dark", "camera_under", "camera_over", "mixed", "well_exposed")
"""How a clip is badly exposed; see `degrade`."""

VARIANTS = ("steady", "drift", "flicker", "step")
"""How its exposure changes over time; see `light_over_time`."""

SUBSET_EV = {"under": -2.0, "over": 1.5, "camera_dark": -4.0, "camera_under": -2.0, "camera_over": 1.5}
MIXED_EV = (-2.0, 1.5)
WELL_EXPOSED_EV = (-0.25, 0.0, 0.25)
FLICKER_EV = 0.15
DRIFT_EV = 0.6
STEP_EV = 0.7
HEADROOM_EV = (0.5, 3.0)
BALANCE_EV = 0.15
SHOT_NOISE = (1e-4, 1e-3)
READ_NOISE = (3e-4, 1.5e-3)
JPEG_QUALITY = (75, 95)
WELL_EXPOSED_QUALITY = (85, 95)


@dataclass(frozen=True)
class BadClip:
    """A clip made bad, and by how much.

    Attributes:
        frames: (T, H, W, 3) float32 R'G'B' in [0, 1], in steps of 1/255.
        true_ev: Stops by which it is too bright: (T,) for every frame, or (T, H, W) for every pixel.
        camera: What the camera drew, in words for a log.
    """

    frames: RGBArray
    true_ev: npt.NDArray[np.float32]
    camera: str


def degrade(reference: ByteFrames, clip: str, subset: str, variant: str, seed: int = 0) -> BadClip:
    """Make a good clip bad.

    ``under`` (-2 EV) and ``over`` (+1.5) on the plain sRGB curve; ``camera_dark`` (-4), ``camera_under`` (-2) and
    ``camera_over`` (+1.5) through a camera response, with head-room above clipped whites (dark ones only), white
    balance off by up to 0.15 stops a channel, shot and read noise, and JPEG; ``mixed``: -2 to +1.5 EV inside a frame;
    ``well_exposed``: EV 0 or +-0.25, re-encoded as JPEG. The camera depends on seed, clip and subset, but not on the
    variant.

    Args:
        reference: The good clip.
        clip: Its name, from which the draws follow.
        subset: One of `SUBSETS`.
        variant: One of `VARIANTS`.
        seed: Another seed draws other cameras.
    """
    draw = _draws(seed, clip, subset)
    count, height, width = reference.shape[:3]
    light = light_over_time(variant, count, _draws(seed, clip, subset, variant))
    if subset.startswith("camera_"):
        return _through_camera(reference, SUBSET_EV[subset], light, draw, _draws(seed, clip, subset, variant, "noise"))
    if subset == "mixed":
        stops = light[:, None, None] + mixed_field(height, width, draw)
    elif subset == "well_exposed":
        stops = light + np.float32(draw.choice(WELL_EXPOSED_EV))
    else:
        stops = light + np.float32(SUBSET_EV[subset])
    quality = int(draw.integers(WELL_EXPOSED_QUALITY[0], WELL_EXPOSED_QUALITY[1] + 1))
    table = srgb_to_linear(np.linspace(0, 1, 256, dtype=np.float32))
    frames = np.empty(reference.shape, dtype=np.float32)
    for index, frame in enumerate(reference):
        light_of_frame: RGBArray = table[frame] * np.exp2(stops[index])[..., None]
        codes = _to_bytes(linear_to_srgb(light_of_frame))
        frames[index] = (_jpeg(codes, quality) if subset == "well_exposed" else codes) / np.float32(255)
    return BadClip(frames, stops, f"sRGB, JPEG {quality}" if subset == "well_exposed" else "sRGB")


def light_over_time(variant: str, count: int, draw: np.random.Generator) -> npt.NDArray[np.float32]:
    """Stops that a variant adds to every frame, (T,).

    ``steady``: none; ``drift``: a straight change by 0.6 stops over the clip, up or down; ``flicker``: 0.15 stops RMS,
    drawn anew every frame; ``step``: auto-exposure jumps by 0.7 stops in mid-clip.
    """
    sign = -1.0 if draw.random() < 0.5 else 1.0
    if variant == "steady":
        stops = np.zeros(count)
    elif variant == "drift":
        stops = sign * np.linspace(-DRIFT_EV / 2, DRIFT_EV / 2, count)
    elif variant == "flicker":
        stops = draw.normal(0.0, FLICKER_EV, count)
    elif variant == "step":
        stops = sign * STEP_EV / 2 * np.where(np.arange(count) < count // 2, -1.0, 1.0)
    else:
        raise ValueError(f"unknown variant {variant!r}")
    return stops.astype(np.float32)


def mixed_field(height: int, width: int, draw: np.random.Generator) -> npt.NDArray[np.float32]:
    """Exposure that varies smoothly over a frame, (H, W), from exactly -2 to exactly +1.5 stops."""
    y, x = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None, :]
    field = np.zeros((height, width))
    for _ in range(4):
        angle, cycles, phase = draw.uniform(0, 2 * np.pi), draw.uniform(0.3, 0.9), draw.uniform(0, 2 * np.pi)
        field += np.cos(2 * np.pi * cycles * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    low, high = MIXED_EV
    return (low + (high - low) * (field - field.min()) / max(float(np.ptp(field)), 1e-9)).astype(np.float32)


def _through_camera(
    reference: ByteFrames,
    exposure_ev: float,
    light: npt.NDArray[np.float32],
    draw: np.random.Generator,
    noise: np.random.Generator,
) -> BadClip:
    camera = response(int(draw.integers(len(RESPONSES))))
    headroom = np.float32(draw.uniform(*HEADROOM_EV) if exposure_ev < 0 else 0.0)
    balance = np.exp2(draw.uniform(-BALANCE_EV, BALANCE_EV, 3)).astype(np.float32)
    shot, read = (np.float32(np.exp(draw.uniform(*np.log(span)))) for span in (SHOT_NOISE, READ_NOISE))
    quality = int(draw.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1))
    # Near-white pixels of the reference may have been clipped: with head-room a darkened clip has no flat ceiling.
    ramp = np.clip((np.arange(256, dtype=np.float32) / 255 - 0.75) / 0.25, 0, 1)
    lift = np.exp2(headroom * ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    stops = light + np.float32(exposure_ev)
    frames = np.empty(reference.shape, dtype=np.float32)
    for index, frame in enumerate(reference):
        exposure = camera.light_of(frame) * balance
        if headroom:
            exposure *= lift[frame.max(axis=-1)][..., None]
        exposure *= np.exp2(stops[index])
        exposure += np.sqrt(shot * exposure + read * read) * noise.standard_normal(exposure.shape, dtype=np.float32)
        frames[index] = _jpeg(_to_bytes(camera.code_of(exposure)), quality) / np.float32(255)
    words = f"{camera.name}, head-room {headroom:.1f} EV, balance {np.log2(balance).round(2).tolist()}, JPEG {quality}"
    return BadClip(frames, stops, words)


def _draws(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the names alone, so that a clip's draws do not change with the other clips."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def _to_bytes(rgb: RGBArray) -> ByteFrames:
    return (np.clip(rgb, 0.0, 1.0) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _jpeg(frame: ByteFrames, quality: int) -> ByteFrames:
    """A frame (H, W, 3) as it comes back from JPEG with 4:2:0 chroma."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "jpeg", quality=quality, subsampling=2)
    with Image.open(buffer) as picture:
        return np.asarray(picture.convert("RGB"))
