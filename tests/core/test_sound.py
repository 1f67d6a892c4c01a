"""Laws of the sound that is heard: the sample of a time is that of the file, however it is reached."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from vecnet_core.video.footage import open_reader
from vecnet_core.video.sound import RATE, SoundReader

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, *, rate: int = RATE, late: float = 0.0, codec: str = "pcm_s16le", seconds: float = 4.0) -> Path:
    """Twelve frames a second of grey, and a click every half second, each louder than the last."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=12)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = output.add_stream(codec, rate=rate, layout="mono")
        grey = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24")
        for index in range(round(seconds * 12)):
            grey.pts, grey.time_base = index, Fraction(1, 12)
            output.mux(video.encode(grey))
        output.mux(video.encode())
        count = round(seconds * rate)
        samples = np.zeros(count, np.int16)
        for number in range(1, round(seconds * 2)):
            samples[number * rate // 2 : number * rate // 2 + 48] = 3000 * number
        frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, round(late * rate), Fraction(1, rate)
        for part in sound.encode(frame) + sound.encode():
            output.mux(part)
    return path


def open_sound(path: Path) -> SoundReader:
    with open_reader(path) as reader:
        return SoundReader(reader.info)


def loudest(sound: SoundReader, seconds: float) -> float:
    times = seconds + np.arange(-240, 720) / RATE
    return float(np.abs(sound.at(times)).max())


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_clicks_are_where_they_were_written_from_wherever_it_comes(tmp_path: Path, rate: int) -> None:
    with open_sound(write(tmp_path / "clicks.mkv", rate=rate)) as sound:
        for number in (1, 5, 2, 7, 7, 3):
            assert loudest(sound, number / 2) == pytest.approx(3000 * number / 32768, rel=0.12)
            assert loudest(sound, number / 2 + 0.25) < 0.01


def test_at_usual_speed_samples_are_the_file_s_own(tmp_path: Path) -> None:
    with open_sound(write(tmp_path / "clicks.mkv")) as sound:
        heard = sound.at(0.49 + np.arange(RATE) / RATE)
    assert heard.shape == (RATE, 2)
    begin = np.flatnonzero(heard[:, 0])[0]
    assert begin == pytest.approx(0.01 * RATE, abs=1)
    assert np.array_equal(heard[begin : begin + 48], np.full((48, 2), np.float32(3000 / 32768)))


def test_backwards_is_forwards_turned_round(tmp_path: Path) -> None:
    times = np.arange(2 * RATE) / RATE + 0.75
    with open_sound(write(tmp_path / "clicks.mkv")) as sound:
        back = sound.at(times[::-1])
    with open_sound(write(tmp_path / "again.mkv")) as sound:
        assert np.array_equal(back, sound.at(times)[::-1])


def test_sound_that_begins_late_is_heard_late_and_outside_is_silence(tmp_path: Path) -> None:
    with open_sound(write(tmp_path / "late.mkv", late=0.25)) as sound:
        assert loudest(sound, 0.75) == pytest.approx(3000 / 32768, rel=0.05)
        assert loudest(sound, 0.5) == 0
        assert not sound.at(np.array([-1.0, np.nan, 900.0])).any()


def test_aac_is_heard_where_the_picture_is(tmp_path: Path) -> None:
    with open_sound(write(tmp_path / "clicks.mp4", codec="aac")) as sound:
        for number in (6, 3, 7):
            around = np.abs(sound.at(number / 2 + np.arange(-2400, 2400) / RATE)[:, 0])
            assert abs(int(around.argmax()) - 2424) < 60


def test_a_clip_without_sound_is_silent(clip: Path) -> None:
    with open_reader(clip) as reader:
        info = reader.info
    if info.audio_codecs:
        from dataclasses import replace

        info = replace(info, audio_codecs=())
    with SoundReader(info) as sound:
        assert not sound.has_sound
        assert not sound.at(np.arange(10) / RATE).any()
