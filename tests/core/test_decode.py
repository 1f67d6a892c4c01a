"""Laws of the reading settings: what they refuse, which stream is read, and frames without times of their own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction

import av
import pytest
from clips import FRAMES, make_clip, make_sound, number_of, picture

from vecnet_core.errors import SettingsError, VideoOpenError
from vecnet_core.frame import ColorTags
from vecnet_core.video.decode import DecodeSettings, parse_rate
from vecnet_core.video.footage import open_reader
from vecnet_core.video.reader import VideoReader

OPEN_GOP = {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=5:bframes=3:open-gop=1"}}
RAW = {
    "clip.h264": {},
    "gop.h264": {"options": {"crf": "6", "bf": "2", "g": "4", "x264-params": "open-gop=1"}},
    "clip.hevc": OPEN_GOP,
    "clip.m2v": {"codec": "mpeg2video", "options": {"bf": "2", "g": "5", "q": "2"}},
    "clip.mjpeg": {"codec": "mjpeg", "layout": "yuvj420p", "color": ColorTags("bt601", "full")},
}


@pytest.mark.parametrize(
    "decode",
    [
        DecodeSettings(),
        DecodeSettings(deinterlace=True, stream=3, hdr="sdr"),
        DecodeSettings(frame_rate=Fraction(24000, 1001)),
        DecodeSettings(frame_rate=Fraction(1, 10)),
    ],
)
def test_settings_survive_a_project_file(decode):
    assert DecodeSettings.from_dict(json.loads(json.dumps(decode.to_dict()))) == decode


def test_the_rate_is_written_as_a_person_would():
    assert DecodeSettings(frame_rate=Fraction(24000, 1001)).to_dict()["frame_rate"] == "24000/1001"


@pytest.mark.parametrize(
    "values",
    [
        {"speed": 2},
        {"deinterlace": 1},
        {"deinterlace": None},
        {"stream": True},
        {"stream": "0"},
        {"stream": -1},
        {"stream": 1.0},
        {"hdr": "bright"},
        {"hdr": None},
        {"frame_rate": 25},
        {"frame_rate": "fast"},
        {"frame_rate": ""},
        {"frame_rate": "25/0"},
        {"frame_rate": "0"},
        {"frame_rate": "-25"},
        {"frame_rate": "1e9"},
        {"frame_rate": "nan"},
        {"frame_rate": "9" * 5000},
        {"frame_rate": "1/" + "9" * 5000},
        {"frame_rate": "1001"},
        {"frame_rate": "\u0662\u0665"},
        {"frame_rate": ["25"]},
    ],
    ids=str,
)
def test_hostile_settings_are_refused_in_a_sentence(values):
    with pytest.raises(SettingsError) as caught:
        DecodeSettings.from_dict(values)
    assert len(caught.value.sentence) < 250


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("25", Fraction(25)),
        (" 24000/1001 ", Fraction(24000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("24.0", Fraction(24)),
        ("0.5", Fraction(1, 2)),
    ],
)
def test_rates_are_read_as_they_are_meant(text, rate):
    assert parse_rate(text) == rate


def test_settings_load_no_ffmpeg():
    ask = "import sys, vecnet_core.video.decode; print('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout == "False\n"


def two_streams(folder):
    """The numbers of `make_clip` as the first stream, and the same backwards as the second."""
    path = folder / "two.mkv"
    first = make_clip(folder / "first.mp4")
    second = make_clip(folder / "second.mp4", size=(32, 48), picture=lambda index: picture(11 - index, 48, 32))
    with av.open(str(first)) as one, av.open(str(second)) as other, av.open(str(path), "w") as output:
        pairs = [(given, output.add_stream_from_template(given.streams.video[0])) for given in (one, other)]
        for given, stream in pairs:
            for packet in given.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    return path


def test_the_video_stream_can_be_chosen_and_is_told(tmp_path):
    path = two_streams(tmp_path)
    with VideoReader(path) as reader:
        assert [number_of(frame) for frame in reader.frames()] == list(range(FRAMES))
        assert any("2 video streams" in text and "number 0" in text for text in reader.warnings)
        plain = reader.info.fingerprint
    with VideoReader(path, DecodeSettings(stream=1)) as reader:
        assert (reader.info.width, reader.info.height) == (48, 32)
        assert [number_of(frame) for frame in reader.frames()] == list(range(FRAMES))[::-1]
        reader._cache.clear()
        assert number_of(reader.frame(2)) == 9
        assert any("2 video streams" in text and "number 1" in text for text in reader.warnings)
        # What was computed from one stream is not the other's.
        assert reader.info.fingerprint != plain


@pytest.mark.parametrize(("made", "count"), [("two", "2 video streams"), ("one", "one video stream")])
def test_a_wrong_stream_is_one_sentence_that_says_how_many_there_are(tmp_path, made, count):
    path = two_streams(tmp_path) if made == "two" else make_clip(tmp_path / "clip.mp4", audio="aac")
    with pytest.raises(VideoOpenError, match=count) as caught:
        VideoReader(path, DecodeSettings(stream=2))
    assert "\n" not in caught.value.sentence


def test_covers_are_no_video_streams(tmp_path):
    with pytest.raises(VideoOpenError, match="only sound"):
        VideoReader(make_sound(tmp_path / "sound.m4a"), DecodeSettings(stream=1))


@pytest.mark.parametrize("name", RAW)
def test_raw_streams_are_exact_and_their_rate_is_said_to_be_assumed(new_clip, name):
    with open_reader(new_clip(name, **RAW[name])) as reader:
        in_order = list(reader.frames())
        assert [number_of(frame) for frame in in_order] == list(range(FRAMES))
        assert [frame.pts_seconds for frame in in_order] == [Fraction(index, 25) for index in range(FRAMES)]
        assert reader.info.frame_rate == 25
        assert reader.info.is_rate_assumed
        assert any("25 per second are assumed" in text for text in reader.warnings)
        jumps = [*range(FRAMES)] * 2
        random.Random(3).shuffle(jumps)
        for index in jumps:
            reader._cache.clear()
            assert all((a == b).all() for a, b in zip(reader.frame(index).planes, in_order[index].planes, strict=True))


@pytest.mark.parametrize("name", RAW)
def test_raw_streams_take_the_rate_they_are_given(new_clip, name):
    rate = Fraction(24000, 1001)
    with open_reader(new_clip(name, **RAW[name]), DecodeSettings(frame_rate=rate)) as reader:
        assert reader.info.frame_rate == rate
        assert not reader.info.is_rate_assumed
        assert not reader.info.is_variable_rate
        assert reader.warnings == ()
        assert [frame.pts_seconds for frame in reader.frames()] == [index / rate for index in range(FRAMES)]
        assert reader.index_at(reader.seconds_of(7)) == 7


def test_a_seek_in_a_raw_stream_does_not_decode_from_its_start(new_clip):
    with VideoReader(new_clip("clip.h264"), thread_count=1) as reader:
        reader.frame(11)
        reader._cache.clear()
        reader.frame(9)
        # Key frames are 0, 5 and 10: those before 5 did not come by.
        assert min(reader._cache) >= 4


def test_frames_that_have_times_keep_them(clip):
    with open_reader(clip, DecodeSettings(frame_rate=Fraction(50))) as reader:
        assert reader.info.frame_rate == 25
        assert reader.seconds_of(5) == pytest.approx(0.2)
        assert any("not used" in text for text in reader.warnings)


def copy_shifted(source, target, seconds):
    """A copy of a clip's pictures that begins so much earlier; what lies before 0 is not to be shown."""
    with (
        av.open(str(source)) as given,
        av.open(str(target), "w", options={"avoid_negative_ts": "disabled"}) as output,
    ):
        template = given.streams.video[0]
        stream = output.add_stream_from_template(template)
        for packet in given.demux(video=0):
            if packet.size:
                packet.pts, packet.dts = (round(t - seconds / template.time_base) for t in (packet.pts, packet.dts))
                packet.stream = stream
                output.mux(packet)


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_what_an_edit_list_hides_is_not_shown(clip, tmp_path, ending):
    path = tmp_path / f"edited.{ending}"
    copy_shifted(clip, path, Fraction(3, 25))
    with VideoReader(path) as reader:
        assert [number_of(frame) for frame in reader.frames()] == list(range(3, FRAMES))
        assert reader.seconds_of(0) == 0.0
        assert reader.info.missing_frames == 0
        reader._cache.clear()
        assert number_of(reader.frame(1)) == 4


def test_times_before_zero_are_times(clip, tmp_path):
    path = tmp_path / "early.ts"
    copy_shifted(clip, path, Fraction(3, 25))
    with VideoReader(path) as reader:
        assert reader.info.start_pts < 0
        assert [number_of(frame) for frame in reader.frames()] == list(range(FRAMES))
        assert reader.seconds_of(0) == 0.0
        assert reader.index_at(0.121) == 3
        reader._cache.clear()
        assert number_of(reader.frame(2)) == 2


def test_times_that_run_backwards_go_to_the_frames_as_they_lie_in_the_file(new_clip, tmp_path):
    path = tmp_path / "backwards.mkv"
    with av.open(str(new_clip("clip.mkv", codec="ffv1"))) as given, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(packet for packet in given.demux(video=0) if packet.size):
            # Frames 4 and 5 change their times.
            packet.dts = packet.pts - 80
            packet.pts = packet.pts + {4: 40, 5: -40}.get(number, 0)
            packet.stream = stream
            output.mux(packet)
    with VideoReader(path) as reader:
        assert [number_of(frame) for frame in reader.frames()] == list(range(FRAMES))
        assert (reader.pts()[1:] > reader.pts()[:-1]).all()
        for index in (4, 5, 0, 5, 4, 11):
            reader._cache.clear()
            assert number_of(reader.frame(index)) == index
