"""Laws of a clip's sound: as loud as it is, at the time of the picture it belongs to, and as far as it decodes."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import make_clip

from vecnet_core.video.footage import open_reader
from vecnet_core.video.loudness import MOST_BUCKETS, LoudnessScan

RATE = 48000


def scanned(path: Path) -> LoudnessScan:
    with open_reader(path) as reader:
        scan = LoudnessScan(reader.info)
    shares = list(scan)
    assert all(earlier <= later for earlier, later in pairwise(shares))
    assert shares == [] or shares[-1] == 1.0
    return scan


def add_sound(pictures: Path, target: Path, wave: np.ndarray, codec: str = "pcm_s16le", sample: str = "s16") -> Path:
    """A copy of a clip with sound of ``(C, n)`` in [-1, 1] from time 0 of the file on."""
    scale = {"s16": (32767, 0, np.int16), "u8": (127, 128, np.uint8), "flt": (1, 0, np.float32)}
    factor, offset, dtype = scale[sample]
    samples = (wave * factor + offset).astype(dtype).T.reshape(1, -1)
    with av.open(str(pictures)) as given, av.open(str(target), "w") as output:
        video = output.add_stream_from_template(given.streams.video[0])
        layout = {1: "mono", 2: "stereo"}[wave.shape[0]]
        sound: Any = output.add_stream(codec, rate=RATE, layout=layout)
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = video
                output.mux(packet)
        for begin in range(0, wave.shape[1], 960):
            part = samples[:, begin * wave.shape[0] : (begin + 960) * wave.shape[0]]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), sample, layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE, begin, Fraction(1, RATE)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return target


def test_a_tone_is_as_loud_as_it_was_made(clip: Path) -> None:
    loudness = scanned(clip).loudness
    assert loudness is not None
    assert loudness.lows.size * loudness.bucket_seconds == pytest.approx(0.48, abs=0.006)
    inner = slice(10, -10)
    assert loudness.highs[inner] == pytest.approx(np.full(76, 0.1), abs=0.015)
    assert loudness.lows[inner] == pytest.approx(np.full(76, -0.1), abs=0.015)
    assert loudness.rms[inner].mean() == pytest.approx(0.1 / np.sqrt(2), abs=0.005)


def test_a_clip_without_sound_has_none(new_clip: Callable[..., Path]) -> None:
    scan = scanned(new_clip("mute.mp4"))
    assert scan.loudness is None
    assert scan.warnings == ()


@pytest.mark.parametrize(
    ("codec", "sample"), [("pcm_s16le", "s16"), ("pcm_u8", "u8"), ("pcm_f32le", "flt"), ("flac", "s16")]
)
def test_samples_of_any_format_have_full_scale_at_one(tmp_path: Path, codec: str, sample: str) -> None:
    wave = np.full((2, RATE // 2), 0.5)
    wave[1] = -0.25
    path = add_sound(make_clip(tmp_path / "mute.mp4"), tmp_path / "sound.mkv", wave, codec, sample)
    loudness = scanned(path).loudness
    assert loudness is not None
    assert loudness.highs == pytest.approx(np.full(loudness.highs.size, 0.5), abs=0.01)
    assert loudness.lows == pytest.approx(np.full(loudness.lows.size, -0.25), abs=0.01)
    assert loudness.rms == pytest.approx(np.full(loudness.rms.size, np.sqrt((0.25 + 0.0625) / 2)), abs=0.01)


@pytest.mark.parametrize("late_frames", [0, 10])
def test_sound_lies_beside_the_picture_it_is_heard_with(tmp_path: Path, late_frames: int) -> None:
    """A click at 0.7 s of the file; the pictures begin at 0 or at 0.4 s of it."""
    wave = np.zeros((1, RATE))
    wave[0, round(0.7025 * RATE)] = 0.9
    base = Fraction(1, 12800)
    pictures = make_clip(
        tmp_path / "mute.mkv", frames=20, time_base=base, pts=[512 * (late_frames + n) for n in range(20)]
    )
    path = add_sound(pictures, tmp_path / "click.mkv", wave)
    loudness = scanned(path).loudness
    assert loudness is not None
    click = int(np.nanargmax(loudness.highs)) * loudness.bucket_seconds
    assert click == pytest.approx(0.7 - 0.04 * late_frames, abs=0.006)


def test_where_there_is_no_sound_is_not_silence(tmp_path: Path) -> None:
    wave = np.zeros((1, RATE // 5))
    loudness = scanned(add_sound(make_clip(tmp_path / "mute.mp4"), tmp_path / "short.mkv", wave)).loudness
    assert loudness is not None
    assert loudness.rms[:38] == pytest.approx(np.zeros(38))
    assert np.isnan(loudness.rms[42:]).all()


def test_damaged_sound_is_drawn_as_far_as_it_decodes(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", audio="aac", frames=100)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(container.streams.audio[0]) if packet.size]
    for position, size in places[47:94]:  # one second to two
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    scan = scanned(path)
    loudness = scan.loudness
    assert loudness is not None
    (clause,) = scan.warnings
    assert clause.startswith("the sound is damaged or missing at 1.0 to 2.")
    assert np.isnan(loudness.rms[220:390]).all()
    assert loudness.rms[[*range(10, 180), *range(420, 780)]] == pytest.approx(np.full(530, 0.0707), abs=0.01)


def test_memory_does_not_grow_with_the_clip(clip: Path) -> None:
    with open_reader(clip) as reader:
        scan = LoudnessScan(replace(reader.info, duration_seconds=36_000.0))
    list(scan)
    assert scan.loudness is not None
    assert scan.loudness.lows.size == MOST_BUCKETS
    assert scan.loudness.bucket_seconds * MOST_BUCKETS == pytest.approx(36_000.0)


def test_a_scan_that_is_left_early_has_what_it_has(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", audio="aac", frames=75)
    with open_reader(path) as reader:
        scan = LoudnessScan(reader.info)
    steps = iter(scan)
    assert next(steps) == pytest.approx(1 / 3, abs=0.02)
    assert scan.loudness is not None
    heard = np.count_nonzero(np.isfinite(scan.loudness.rms))
    assert 195 <= heard <= 210
    steps.close()  # type: ignore[attr-defined]
