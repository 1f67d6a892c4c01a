"""What goes in comes out: over codecs, depths, chroma, ranges, matrices, rates, rotations and sound.

The combinations are drawn from a seed, so that each value of each quality occurs in several; the slow run takes them
all, the quick one a tenth.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from clips import audio_packets, make_clip
from ffprobe_diff import differences

from vecnet_core.export import export_video
from vecnet_core.frame import ColorTags
from vecnet_core.project import Clip
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.color import to_rgb
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.reader import VideoReader

if TYPE_CHECKING:
    from collections.abc import Callable

NEUTRAL = CorrectionSettings(strength=0.0)
COMBINATIONS = 72
QUICK = 7

Y8, Y10, Y12 = (tuple(f"yuv{chroma}p{bits}" for chroma in ("420", "422", "444")) for bits in ("", "10le", "12le"))
SOURCES: dict[tuple[str, str], tuple[str, ...]] = {
    ("libx264", "mp4"): (*Y8, *Y10, "gray"),
    ("libx264", "mov"): (*Y8, *Y10),
    ("libx264", "mkv"): (*Y8, "yuv420p10le"),
    ("libx264", "ts"): ("yuv420p", "yuv422p10le"),
    ("libx265", "mp4"): (*Y8, *Y10, *Y12),
    ("libx265", "mkv"): ("yuv420p10le", "yuv422p12le"),
    ("libsvtav1", "mp4"): ("yuv420p", "yuv420p10le"),
    ("libvpx-vp9", "webm"): ("yuv420p", "yuv444p"),
    ("prores_ks", "mov"): ("yuv422p10le", "yuv444p10le"),
    ("dnxhd", "mov"): ("yuv422p", "yuv422p10le"),
    ("mpeg4", "mp4"): ("yuv420p",),
    ("mpeg2video", "ts"): ("yuv420p", "yuv422p"),
    ("mjpeg", "mov"): ("yuvj420p", "yuvj444p"),
    ("ffv1", "mkv"): (*Y8, *Y10, *Y12, "yuv444p16le", "gray", "gray10le", "gray16le"),
}
"""Encoders and containers, and the layouts each pair holds."""

SOUNDS: dict[str, tuple[str | None, ...]] = {
    "mp4": (None, "aac", "libmp3lame", "flac"),
    "mov": (None, "aac", "pcm_s16le", "pcm_s24le"),
    "mkv": (None, "aac", "libopus", "flac", "pcm_s16le"),
    "webm": (None, "libopus"),
    "ts": (None, "aac", "libmp3lame"),
}
RATES = (Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60))
VARIABLE = [0, 3, 4, 9, 10, 16, 17, 18, 30, 31, 32, 40]
OPTIONS: dict[str, dict[str, str]] = {
    "libx264": {"crf": "12", "bf": "2", "g": "5", "sc_threshold": "0", "preset": "veryfast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:keyint=5"},
    "libsvtav1": {"preset": "12"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "g": "5"},
    "dnxhd": {"profile": "dnxhr_hq"},
}


@dataclass(frozen=True)
class Combination:
    """One source clip."""

    encoder: str
    ending: str
    layout: str
    color: ColorTags
    rate: Fraction | None
    rotation: int
    sound: str | None
    aspect: Fraction | None

    def __str__(self) -> str:
        """A test's name."""
        color = f"{self.color.matrix}-{self.color.range}"
        rate = "variable" if self.rate is None else f"{float(self.rate):.2f}"
        return f"{self.encoder}.{self.ending}-{self.layout}-{color}-{rate}-{self.rotation}-{self.sound}"

    def make(self, folder: Path) -> Path:
        """The clip."""
        options = dict(OPTIONS.get(self.encoder, {}))
        if self.layout == "yuv422p10le" and self.encoder == "dnxhd":
            options["profile"] = "dnxhr_hqx"
        if self.encoder == "libvpx-vp9":
            options["profile"] = {"yuv420p": "0", "yuv444p": "1"}[self.layout]
        times = {"rate": self.rate} if self.rate else {"time_base": Fraction(1, 100), "pts": VARIABLE}
        return make_clip(
            folder / f"source.{self.ending}",
            layout=self.layout,
            color=self.color,
            codec=self.encoder,
            options=options,
            rotation=self.rotation,
            pixel_aspect=self.aspect,
            audio=self.sound,
            size=(128, 256) if self.encoder == "dnxhd" else (48, 64),
            metadata={"title": "Tom & Jerry", "creation_time": "2024-05-06T07:08:09.000000Z"},
            **times,
        )


def combinations() -> list[Combination]:
    """As many as are wanted, the same ones always; the qualities are dealt out, so that all of them come."""
    draw = random.Random(7)
    pairs = [*SOURCES, ("ffv1", "mkv"), ("ffv1", "mkv")]
    made: list[Combination] = []
    dealt: dict[str, list[object]] = {}

    def deal(name: str, values: tuple[object, ...]) -> object:
        if not dealt.get(name):
            dealt[name] = draw.sample(values, len(values))
        return dealt[name].pop()

    for number in range(COMBINATIONS):
        encoder, ending = pairs[number % len(pairs)]
        layout = str(deal(f"{encoder}.{ending}", SOURCES[encoder, ending]))
        # A DNxHD stream says BT.709 itself, whatever its container says.
        matrix = "bt709" if encoder == "dnxhd" else str(deal("matrix", ("bt601", "bt709", "bt2020nc")))
        span = "full" if layout.startswith("yuvj") else str(deal("range", ("limited", "full")))
        if encoder in {"prores_ks", "dnxhd", "mpeg4", "mpeg2video", "libvpx-vp9"}:
            span = "limited"
        primaries, transfer = {
            "bt601": ("smpte170m", "smpte170m"), "bt709": ("bt709", "bt709"), "bt2020nc": ("bt2020", "bt2020-10"),
        }[matrix]  # fmt: skip
        rates = RATES if ending == "ts" or encoder.startswith("mpeg") else (*RATES, None)
        rotation = deal("rotation", (0, 90, 180, 270)) if ending in {"mp4", "mov"} else 0
        aspect = deal("aspect", (None, None, Fraction(4, 3))) if encoder in {"libx264", "libx265"} else None
        made.append(
            Combination(
                encoder,
                ending,
                layout,
                ColorTags(matrix, span, primaries, transfer),
                deal(f"rate {len(rates)}", rates),  # pyright: ignore[reportArgumentType]
                rotation,  # pyright: ignore[reportArgumentType]
                deal(f"sound {ending}", SOUNDS[ending]),  # pyright: ignore[reportArgumentType]
                aspect,  # pyright: ignore[reportArgumentType]
            )
        )
    return made


ALL = combinations()
PARAMETERS = [
    pytest.param(each, id=str(each), marks=() if number % (len(ALL) // QUICK) == 0 else pytest.mark.slow)
    for number, each in enumerate(ALL)
]


def test_every_quality_occurs():
    assert len(set(map(str, ALL))) >= 60
    assert {(each.encoder, each.ending) for each in ALL} == set(SOURCES)
    assert {each.layout for each in ALL} >= {*Y8, *Y10, *Y12, "gray", "gray16le", "yuv444p16le", "yuvj420p"}
    assert {each.rate for each in ALL} == {*RATES, None}
    assert {each.rotation for each in ALL} == {0, 90, 180, 270}
    assert {each.sound for each in ALL} == {sound for sounds in SOUNDS.values() for sound in sounds}
    assert {(each.color.matrix, each.color.range) for each in ALL} == {
        (matrix, span) for matrix in ("bt601", "bt709", "bt2020nc") for span in ("limited", "full")
    }


@dataclass(frozen=True)
class Exports:
    """A source and what came of it at strength 0, lossless and in its own codec, with the warnings of both."""

    source: Path
    lossless: Path
    matched: Path
    warnings: tuple[str, ...]


@pytest.fixture(scope="module")
def exports_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Combination], Exports]:
    """Makes and exports a combination, once for all tests."""

    @cache
    def make(each: Combination) -> Exports:
        folder = tmp_path_factory.mktemp("matrix")
        source = each.make(folder)
        ending = {"ts": "mp4", "webm": "mkv" if "444" in each.layout else "webm"}.get(each.ending, each.ending)
        outputs = [folder / "lossless.mkv", folder / f"matched.{ending}"]
        warnings: tuple[str, ...] = ()
        for output, encode in zip(outputs, (EncodeSettings("ffv1"), matching(each)), strict=True):
            *_, told = export_video(Clip(source, NEUTRAL, encode=encode, output=output))
            assert all(check.is_good for check in told.checks)
            warnings += told.warnings
        return Exports(source, *outputs, warnings)

    return make


@pytest.mark.parametrize("each", PARAMETERS)
def test_nothing_is_lost(each: Combination, exports_of: Callable[[Combination], Exports]) -> None:
    made = exports_of(each)
    with VideoReader(made.source) as before, VideoReader(made.lossless) as after:
        compare_facts(before, after, keeps_times=False)
        for index in range(before.info.frame_count):
            old, new = before.frame(index), after.frame(index)
            for one, other in zip(old.planes, new.planes, strict=True):
                assert np.array_equal(one, other)
            assert np.abs(to_rgb(old) - to_rgb(new)).max() * 255 <= 1
    with VideoReader(made.source) as before, VideoReader(made.matched) as after:
        compare_facts(before, after, keeps_times=made.matched.suffix in {".mp4", ".mov"})
        assert np.abs(to_rgb(before.frame(5)) - to_rgb(after.frame(5))).mean() * 255 < 3
    for export in (made.lossless, made.matched):
        compare_sound(made.source, export, each.sound)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize("each", PARAMETERS)
def test_ffprobe_sees_only_what_had_to_change(each: Combination, exports_of: Callable[[Combination], Exports]) -> None:
    made = exports_of(each)
    is_aspect_told = any("pixel aspect" in warning for warning in made.warnings)
    for export in (made.lossless, made.matched):
        had_to, had_not = differences(made.source, export)
        assert had_to
        if is_aspect_told and export == made.lossless:
            had_not = [line for line in had_not if "aspect_ratio" not in line]
        assert not had_not, f"{export.name}: {had_not}"


def matching(each: Combination) -> EncodeSettings:
    """The settings that keep the source's family; VP9 has none of ours, and WebM holds AV1."""
    if each.encoder == "libvpx-vp9":
        return EncodeSettings("av1", preset="12") if "444" not in each.layout else EncodeSettings("h264")
    return EncodeSettings("match")


def compare_facts(before: VideoReader, after: VideoReader, *, keeps_times: bool) -> None:
    """Size, rotation, pixel aspect, tags and times."""
    old, new = before.info, after.info
    assert (new.width, new.height, new.rotation_degrees) == (old.width, old.height, old.rotation_degrees)
    assert new.frame_count == old.frame_count
    names = ("range", "primaries", "transfer") + (("matrix",) if old.layout.planes > 1 else ())
    assert [getattr(new.color, name) for name in names] == [getattr(old.color, name) for name in names]
    assert new.layout.bit_depth >= old.layout.bit_depth
    seconds = [(reader.pts() - reader.pts()[0]) * float(reader.info.time_base) for reader in (before, after)]
    assert np.allclose(*seconds, rtol=0, atol=1e-9 if keeps_times else 0.0011)


def compare_sound(source: Path, export: Path, sound: str | None) -> None:
    """The same packets, as far from the first picture; PCM may be cut into others."""
    if sound is None:
        return
    old, new = audio_packets(source), audio_packets(export)
    if sound.startswith("pcm"):
        assert b"".join(data for _, data in old) == b"".join(data for _, data in new)
        return
    with VideoReader(source) as before, VideoReader(export) as after:
        starts = [reader.info.start_pts * reader.info.time_base for reader in (before, after)]
    strip = 7 if source.suffix == ".ts" and sound == "aac" else 0
    assert [data[strip:] for _, data in old] == [data for _, data in new]
    shifts = [(b - starts[1]) - (a - starts[0]) for (a, _), (b, _) in zip(old, new, strict=True)]
    assert max(map(abs, shifts)) < Fraction(1, 400)
