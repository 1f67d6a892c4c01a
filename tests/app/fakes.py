"""A clip that needs neither file nor network: dark, with flicker, and a correction that is plain arithmetic."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vecnet_core.errors import VideoOpenError
from vecnet_core.frame import ColorTags, Part, PixelLayout, Region, RGBArray, VideoInfo
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings
from vecnet_core.video.loudness import Loudness
from vecnet_core.video.series import is_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vecnet_core.settings import CorrectionSettings


@dataclass(frozen=True)
class FakeSample:
    index: int
    exposure_ev: float
    is_cut: bool = False
    is_duplicate: bool = False
    thumbnail: np.ndarray = field(default_factory=lambda: np.full((48, 85, 3), 40, np.uint8))


@dataclass(frozen=True)
class FakeLight:
    exposures_ev: np.ndarray
    gains_ev: np.ndarray
    cuts: tuple[int, ...] = ()
    duplicates: tuple[int, ...] = ()


class FakeScan:
    def __init__(self, exposures_ev: np.ndarray) -> None:
        self.light = FakeLight(exposures_ev, np.zeros_like(exposures_ev))

    def __iter__(self) -> Iterator[FakeSample]:
        for index, exposure in enumerate(self.light.exposures_ev):
            yield FakeSample(index, float(exposure))


class FakeSound:
    warnings = ()

    def __init__(self, seconds: float) -> None:
        levels = (0.4 + 0.3 * np.sin(np.arange(round(seconds * 200)) * 0.05)).astype(np.float32)
        self.loudness = Loudness(1 / 200, -levels, levels, levels / 2)

    def __iter__(self) -> Iterator[float]:
        yield 1.0


@dataclass(frozen=True)
class FakePicture:
    original: RGBArray
    corrected: RGBArray


@dataclass(frozen=True)
class FakeMaps:
    source: RGBArray
    illumination_under: RGBArray
    illumination_over: RGBArray
    brightened: RGBArray
    darkened: RGBArray
    synthesised: RGBArray
    weights: RGBArray
    reflectance: RGBArray
    gain_stops: RGBArray
    corrected: RGBArray


def fake_info(path: Path = Path("night.mp4"), *, frames: int = 48, rotation: int = 0) -> VideoInfo:
    return VideoInfo(
        path=path,
        container="mov,mp4,m4a,3gp,3g2,mj2",
        codec="h264",
        width=640,
        height=360,
        frame_count=frames,
        frame_rate=Fraction(24),
        is_variable_rate=False,
        time_base=Fraction(1, 12288),
        start_pts=0,
        duration_seconds=frames / 24,
        layout=PixelLayout("yuv420p", 8, 2, 2),
        color=ColorTags("bt709", "limited", assumed=("matrix", "range", "transfer")),
        rotation_degrees=rotation,
        pixel_aspect=Fraction(1),
        is_interlaced=False,
        audio_codecs=("aac",),
    )


def read_info(info: VideoInfo, decode: DecodeSettings) -> VideoInfo:
    """The facts of a clip that is what its name says (interlaced, hdr, double; a pattern), read as asked."""
    name = info.path.name
    if name.startswith("interlaced"):
        info = replace(info, is_interlaced=not decode.deinterlace)
    if name.startswith("hdr") and decode.hdr == "keep":
        info = replace(info, color=ColorTags("bt2020nc", "limited", "bt2020", "smpte2084"))
    if name.startswith("double"):
        info = replace(info, stream_count=2)
    if is_pattern(info.path):
        files = tuple(info.path.with_name(f"shot_{number:04d}.png") for number in range(info.frame_count))
        rate = decode.frame_rate or Fraction(25)
        info = replace(
            info,
            codec="png",
            audio_codecs=(),
            files=files,
            frame_rate=rate,
            time_base=1 / rate,
            duration_seconds=float(info.frame_count / rate),
            is_rate_assumed=decode.frame_rate is None,
        )
    return info


@dataclass
class FakeSession:
    """Notes what it is asked in `calls`, as (what, frame), and on which threads in `threads`."""

    path: Path
    decode: DecodeSettings = AS_IT_IS
    rotation: int = 0
    seconds: float = 0.0
    calls: list[tuple[str, int]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    warnings: tuple[str, ...] = ()
    gate: threading.Event | None = None

    FRAMES = 48

    def __post_init__(self) -> None:
        if self.path.name.startswith("broken"):
            raise VideoOpenError("this is not a video", path=self.path, hint="choose a video file")
        if self.decode.stream > 1:
            raise VideoOpenError("it has 2 video streams, and none with this number", path=self.path)
        self.info = read_info(fake_info(self.path, frames=self.FRAMES, rotation=self.rotation), self.decode)
        self.has_network = False
        self.is_closed = False
        self.analysed: set[int] = set()
        beat = np.arange(self.FRAMES)
        self.exposures_ev = -4.5 + 0.3 * np.sin(beat * 2.1) + 0.01 * beat

    def _note(self, what: str, index: int = -1) -> None:
        self.calls.append((what, index))
        self.threads.add(threading.current_thread().name)
        if self.gate is not None:
            self.gate.wait(5.0)
        if self.seconds:
            time.sleep(self.seconds)

    def load_network(self, device: str) -> str:
        self._note("load")
        self.has_network = True
        return {"auto": "CPU"}.get(device, device.upper())

    def wants_denoising(self) -> bool:
        return self.path.name.startswith("noisy")

    def _scene(self, index: int, size: tuple[int, int] | None) -> RGBArray:
        height, width = size or (self.info.height, self.info.width)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        x, y = x / width, y / height
        sky = np.stack([0.35 + 0.5 * x, 0.55 + 0.2 * y, 0.9 - 0.5 * y], axis=2)
        hill = y > 0.62 + 0.09 * np.sin(7 * x + index * 0.08)
        ground = np.stack([0.3 + 0.2 * y, 0.45 - 0.1 * x, 0.2 + 0 * x], axis=2)
        scene = np.where(hill[..., None], ground, sky)
        sun = (x - 0.2 - index * 0.01) ** 2 * 3 + (y - 0.25) ** 2 < 0.012
        return np.where(sun[..., None], np.float32(1.0), scene).astype(np.float32)

    def original(self, index: int, size: tuple[int, int] | None, part: Part | None = None) -> RGBArray:
        self._note("original", index)
        return self._dark(self._part_of(index, size, part), index)

    def _part_of(self, index: int, size: tuple[int, int] | None, part: Part | None) -> RGBArray:
        return self._scene(index, size) if part is None else self._scene(index, None)[part.slices]

    def _dark(self, scene: RGBArray, index: int) -> RGBArray:
        return np.clip(scene * np.float32(2.0 ** (self.exposures_ev[index] / 2.2 + 0.6)), 0, 1)

    timecode = ""
    ready_bytes = 64 << 20

    def scan_sound(self) -> FakeSound:
        return FakeSound(self.FRAMES / 24)

    def frame_seconds(self) -> np.ndarray:
        return np.arange(self.FRAMES + 1) / 24

    def scan_light(self) -> FakeScan:
        self._note("scan")
        return FakeScan(self.exposures_ev)

    def use_light(self, scan: FakeScan) -> None:
        self._note("light")

    def is_analysed(self, index: int) -> bool:
        return index in self.analysed

    def analyse(self, index: int) -> None:
        self._note("analyse", index)
        self.analysed.add(index)

    def render(
        self, index: int, settings: CorrectionSettings, size: tuple[int, int] | None, part: Part | None = None
    ) -> FakePicture:
        self._note("render" if part is None else "render part", index)
        scene = self._part_of(index, size, part)
        dark = self._dark(scene, index)
        strength = np.float32(settings.strength)
        return FakePicture(dark, dark + strength * (scene - dark))

    def maps(
        self, index: int, settings: CorrectionSettings, size: tuple[int, int] | None, part: Part | None = None
    ) -> FakeMaps:
        self._note("maps", index)
        scene = self._part_of(index, size, part)
        dark = self._dark(scene, index)
        light = np.clip(dark / np.maximum(scene, 1e-3), 0, 1)
        luma = scene.mean(axis=2, keepdims=True)
        weights = np.concatenate([1 - luma, luma * 0.7, luma * 0.3], axis=2).astype(np.float32)
        gain = (np.log2((scene.mean(axis=2) + 1e-3) / (dark.mean(axis=2) + 1e-3))).astype(np.float32)
        return FakeMaps(dark, light, 1 - light * 0.5, scene, dark, scene * 0.9, weights, scene, gain, scene)

    def corrected_exposure(self, index: int, settings: CorrectionSettings) -> float:
        self._note("measure", index)
        steady = -2.4 + 0.01 * index + 0.01 * np.sin(index * 2.1)
        return float(self.exposures_ev[index] + settings.strength * (steady - self.exposures_ev[index]))

    def region_exposures(self, index: int, settings: CorrectionSettings, region: Region) -> tuple[float, float]:
        self._note("measure region", index)
        return float(self.exposures_ev[index]) - 1.0, self.corrected_exposure(index, settings) - 1.0

    def close(self) -> None:
        self.is_closed = True
