"""Laws of the reader: frame n is frame n however it is reached; damage is said in a sentence."""

from __future__ import annotations

import random
import sys
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from clips import FRAMES, cut_fast_start, make_clip, make_sound, number_of, picture
from PIL import Image

from vecnet_core.errors import VideoDamageError, VideoOpenError, VideoReadError
from vecnet_core.frame import ColorTags
from vecnet_core.video.color import to_rgb
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.opening import open_container
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.writer import VideoWriter

VARIABLE = [0, 3, 4, 9, 10, 16, 17, 18, 30, 31, 32, 40]


def same(a, b):
    return all((x == y).all() for x, y in zip(a.planes, b.planes, strict=True))


def test_tags_of_the_container_hold_where_the_pictures_say_nothing(new_clip):
    """ProRes of FFmpeg says its matrix in the container alone: BT.2020 was read as BT.601."""
    tags = ColorTags("bt2020nc", "limited", "bt2020", "bt2020-10")
    with VideoReader(new_clip("a.mov", codec="prores_ks", layout="yuv422p10le", color=tags, frames=2)) as reader:
        assert reader.info.color == tags


def test_facts_of_a_clip(clip):
    with VideoReader(clip) as reader:
        info = reader.info
    assert (info.width, info.height, info.frame_count, info.codec) == (64, 48, FRAMES, "h264")
    assert info.frame_rate == 25
    assert not info.is_variable_rate
    assert info.duration_seconds == pytest.approx(FRAMES / 25)
    assert info.layout.name == "yuv420p"
    assert info.color == ColorTags("bt709", "limited", "bt709", "bt709")
    assert info.audio_codecs == ("aac",)
    assert reader.warnings == ()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"options": {"crf": "6", "bf": "3", "g": "12", "b-pyramid": "normal"}},
        {"options": {"crf": "6", "bf": "2", "g": "4", "x264-params": "open-gop=1"}},
        {"codec": "libx265", "options": {"crf": "8", "x265-params": "log-level=none:keyint=5:bframes=3:open-gop=1"}},
        {"rate": Fraction(24000, 1001), "time_base": Fraction(1, 24000)},
        {"time_base": Fraction(1, 100), "pts": VARIABLE},
        {"time_base": Fraction(1, 25), "pts": list(range(1000, 1012))},
        {"codec": "ffv1"},
        {"codec": "mpeg4"},
    ],
    ids=["b-frames", "one-gop", "open-gop", "hevc", "ntsc", "variable", "late-start", "ffv1", "mpeg4"],
)
@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
def test_every_frame_is_reached_exactly(new_clip, options, ending):
    if options.get("codec") == "ffv1" and ending == "mov":
        pytest.skip("MOV does not hold FFV1")
    path = new_clip(f"clip.{ending}", **options)
    with VideoReader(path, thread_count=1) as reader:
        in_order = list(reader.frames())
        assert [number_of(frame) for frame in in_order] == list(range(FRAMES))
        assert [frame.index for frame in in_order] == list(range(FRAMES))
        jumps = [*range(FRAMES)] * 2
        random.Random(3).shuffle(jumps)
        for index in jumps:
            reader._cache.clear()
            assert same(reader.frame(index), in_order[index])
        for index in range(FRAMES):
            assert reader.index_at(reader.seconds_of(index)) == index
        assert reader.info.frame_count == FRAMES
        assert reader.warnings == ()


def test_mpeg_ts_starts_late_and_is_exact(new_clip):
    path = new_clip("clip.ts")
    with VideoReader(path) as reader:
        assert reader.info.start_pts > 0
        assert reader.seconds_of(0) == 0.0
        assert [number_of(frame) for frame in reader.frames()] == list(range(FRAMES))
        assert number_of(reader.frame(4)) == 4


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"options": {"crf": "6", "bf": "2", "g": "4", "x264-params": "open-gop=1"}},
        {"options": {"crf": "6", "bf": "0", "g": "5"}},
        {"codec": "mpeg4", "options": {"bf": "2"}},
    ],
    ids=["b-frames", "open-gop", "no-b-frames", "mpeg4"],
)
def test_avi_holds_no_presentation_times_and_is_exact(new_clip, options):
    with VideoReader(new_clip("clip.avi", **options)) as reader:
        in_order = list(reader.frames())
        assert [number_of(frame) for frame in in_order] == list(range(FRAMES))
        assert {b.pts - a.pts for a, b in pairwise(in_order)} == {1}
        jumps = [*range(FRAMES)] * 2
        random.Random(5).shuffle(jumps)
        for index in jumps:
            reader._cache.clear()
            assert same(reader.frame(index), in_order[index])
        assert reader.warnings == ()


def test_the_wrong_times_of_an_avi_are_noticed_in_a_copy_too(new_clip, tmp_path):
    path = tmp_path / "copy.mkv"
    with av.open(str(new_clip("clip.avi"))) as given, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    with VideoReader(path) as reader:
        for index in (2, 1, 8, 0, 3, 11):
            assert number_of(reader.frame(index)) == index


def test_vp8_packets_that_show_nothing_are_no_frames(new_clip, tmp_path):
    path = tmp_path / "hidden.webm"
    whole = new_clip("clip.webm", codec="libvpx", options={"g": "1", "crf": "4", "b": "2M"})
    with av.open(str(whole)) as given, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for packet in [packet for packet in given.demux(video=0) if packet.size]:
            # A key frame that is not shown, as libvpx's alternate references, before the same one shown.
            data = bytes(packet)
            hidden = av.Packet(bytes([data[0] & ~0x10]) + data[1:])
            hidden.pts = hidden.dts = packet.pts * 2
            packet.pts = packet.dts = packet.pts * 2 + 20
            for each in (hidden, packet):
                each.stream, each.time_base, each.is_keyframe = stream, Fraction(1, 1000), True
                output.mux(each)
    with av.open(str(path)) as container:
        assert len([packet for packet in container.demux(video=0) if packet.size]) == 2 * FRAMES
    with VideoReader(path) as reader:
        assert reader.info.frame_count == FRAMES
        assert [number_of(frame) for frame in reader.frames()] == list(range(FRAMES))
        assert number_of(reader.frame(4)) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no colons in names")
def test_a_name_with_a_colon_is_no_protocol(new_clip, tmp_path, monkeypatch):
    new_clip("clip.mp4").rename(tmp_path / "2024-11-24T10:30:00.mp4")
    monkeypatch.chdir(tmp_path)
    with VideoReader("2024-11-24T10:30:00.mp4") as reader:
        assert reader.info.frame_count == FRAMES


def test_variable_rate_keeps_its_times(new_clip):
    with VideoReader(new_clip("clip.mp4", time_base=Fraction(1, 100), pts=VARIABLE)) as reader:
        assert reader.info.is_variable_rate
        times = [frame.pts_seconds - reader.frame(0).pts_seconds for frame in reader.frames()]
        assert times == [Fraction(pts, 100) for pts in VARIABLE]
        assert [frame.duration * frame.time_base for frame in reader.frames(0, 3)] == [
            Fraction(3, 100),
            Fraction(1, 100),
            Fraction(5, 100),
        ]
        # A frame is shown until the next begins.
        assert reader.index_at(0.029) == 0
        assert reader.index_at(0.085) == 2
        assert reader.index_at(-1) == 0
        assert reader.index_at(99) == FRAMES - 1


def test_a_steady_rate_in_rounded_milliseconds_is_not_variable(new_clip):
    with VideoReader(new_clip("clip.mkv", rate=Fraction(24000, 1001), time_base=Fraction(1, 24000))) as reader:
        assert reader.info.time_base == Fraction(1, 1000)
        assert not reader.info.is_variable_rate
        assert reader.info.frame_rate == Fraction(24000, 1001)


@pytest.mark.parametrize(
    "layout",
    [
        "yuv420p",
        "yuv422p",
        "yuv444p",
        "yuv420p10le",
        "yuv422p10le",
        "yuv444p10le",
        "yuv444p12le",
        "gray",
        "gray10le",
        "yuv444p16le",
    ],
)
@pytest.mark.parametrize("range_name", ["limited", "full"])
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020nc"])
def test_layouts_and_tags_are_read(new_clip, layout, range_name, matrix):
    tags = ColorTags(matrix, range_name, "bt709", "bt709")
    with VideoReader(new_clip("clip.mkv", codec="ffv1", layout=layout, color=tags, frames=2)) as reader:
        assert reader.info.layout.name == layout
        assert reader.info.color == tags
        wanted = picture(1) if "gray" not in layout else None
        rgb = to_rgb(reader.frame(1))
        assert reader.warnings == ()
    if wanted is not None:
        assert np.abs(rgb - wanted)[20:, 30:].max() < 0.02


@pytest.mark.parametrize(("height", "matrix"), [(48, "bt601"), (576, "bt601"), (578, "bt709")])
def test_missing_tags_are_decided_by_size_and_said(new_clip, height, matrix):
    untagged = ColorTags(matrix, "limited", assumed=("matrix", "range"))
    with VideoReader(new_clip("clip.mp4", color=untagged, size=(height, 64), frames=1)) as reader:
        assert reader.info.color == ColorTags(matrix, "limited", "unknown", "unknown", ("matrix", "range"))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_and_pixel_aspect_are_noted(new_clip, rotation):
    path = new_clip("clip.mp4", rotation=rotation, pixel_aspect=Fraction(4, 3))
    with VideoReader(path) as reader:
        assert reader.info.rotation_degrees == rotation
        assert reader.info.pixel_aspect == Fraction(4, 3)
        assert (reader.info.width, reader.info.height) == (64, 48)


def test_hdr_is_recognised_and_said(new_clip):
    pq = ColorTags("bt2020nc", "limited", "bt2020", "smpte2084")
    with VideoReader(new_clip("clip.mkv", codec="ffv1", layout="yuv420p10le", color=pq, frames=1)) as reader:
        assert reader.info.color.is_hdr
        assert "HDR" in reader.warnings[0]


@pytest.mark.parametrize(
    ("source", "layout"),
    [("rgb24", "yuv444p10le"), ("bgra", "yuv444p10le"), ("gbrp16le", "yuv444p16le")],
)
def test_rgb_sources_become_yuv_with_a_warning(tmp_path, source, layout):
    path = tmp_path / ("clip.mov" if source == "rgb24" else "clip.mkv")
    rgb = np.round(picture(3) * 255).astype(np.uint8)
    codec = "png" if source == "rgb24" else "ffv1"
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, source
        frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
        if source == "gbrp16le":
            frame = av.VideoFrame(64, 48, source)
            for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
                view = np.frombuffer(memoryview(plane), np.uint16).reshape(48, -1)
                view[:, :64] = rgb[..., channel].astype(np.uint16) * 257
        else:
            frame = frame.reformat(format=source)
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with VideoReader(path) as reader:
        assert reader.info.layout.name == layout
        assert "converted" in reader.warnings[0]
        assert reader.info.color.range == "full"
        assert np.abs(to_rgb(reader.frame(0)) * 255 - rgb).max() < 0.5


@pytest.mark.parametrize(("source", "layout"), [("yuv411p", "yuv444p"), ("yuv410p", "yuv444p")])
def test_uncommon_layouts_are_repacked_with_a_warning(new_clip, tmp_path, source, layout):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, source
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), "rgb24").reformat(format=source)
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with VideoReader(path) as reader:
        assert reader.info.layout.name == layout
        assert reader.warnings
        assert to_rgb(reader.frame(0)).mean() == pytest.approx(0.5, abs=0.01)


def broken_files(folder):
    (folder / "text.mp4").write_text("this is no video\n" * 50)
    (folder / "notes.txt").write_text("this is no video\n" * 50)
    (folder / "empty.mp4").touch()
    (folder / "folder.mp4").mkdir()
    make_sound(folder / "sound.m4a")
    whole = make_clip(folder / "whole.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: whole.rindex(b"moov") - 4])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text.mp4", "not a video"),
        ("notes.txt", "not a video"),
        ("empty.mp4", "empty"),
        ("sound.m4a", "only sound"),
        ("missing.mp4", "no such file"),
        ("folder.mp4", "folder"),
        ("cut.mp4", "cut short"),
    ],
)
def test_what_is_no_video_is_refused_in_one_sentence(tmp_path, name, words):
    broken_files(tmp_path)
    with pytest.raises(VideoOpenError) as caught:
        VideoReader(tmp_path / name)
    sentence = caught.value.sentence
    assert words in sentence
    assert name in sentence
    assert caught.value.hint
    assert "\n" not in sentence


def test_a_truncated_file_gives_what_it_has_and_says_so(new_clip):
    path = new_clip("clip.mkv", codec="ffv1", frames=FRAMES)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    with VideoReader(path) as reader:
        count = reader.info.frame_count
        frames = list(reader.frames())
    assert 2 < count < FRAMES
    assert len(frames) == count
    assert [number_of(frame) for frame in frames] == list(range(count))


def test_a_truncated_mp4_with_its_table_in_front_counts_what_is_left(tmp_path):
    path = tmp_path / "fast.mp4"
    cut_fast_start(make_clip(tmp_path / "clip.mp4"), path, 0.55)
    with VideoReader(path) as reader:
        count = reader.info.frame_count
        assert 0 < count < FRAMES
        assert [number_of(frame) for frame in reader.frames()] == list(range(count))
        assert any("truncated" in text and f"{count} of {FRAMES}" in text for text in reader.warnings)
        assert reader.info.missing_frames == FRAMES - count


def test_frames_that_share_a_time_are_told_and_nothing_seems_cut(new_clip, tmp_path):
    path = tmp_path / "twins.mkv"
    with av.open(str(new_clip("clip.mkv", codec="ffv1"))) as given, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(packet for packet in given.demux(video=0) if packet.size):
            packet.pts = packet.dts = packet.pts - (number % 4 == 3) * packet.duration
            packet.stream = stream
            output.mux(packet)
    with VideoReader(path) as reader:
        assert reader.info.frame_count == FRAMES - FRAMES // 4
        assert reader.info.missing_frames == 0
        assert any(f"{FRAMES // 4} frames have the time of another" in text for text in reader.warnings)
        assert len(list(reader.frames())) == reader.info.frame_count


def overwrite_packets(path, *numbers, start=0):
    """Write 0xFF over some packets of a clip, from a byte of each on."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    for number in numbers:
        chunk = packets[number]
        assert data.count(chunk) == 1
        data = data.replace(chunk, chunk[:start] + b"\xff" * (len(chunk) - start))
    path.write_bytes(data)


CHECKED = {"codec": "ffv1", "options": {"slicecrc": "1", "level": "3", "g": "1"}}


def test_a_strict_reader_refuses_a_bad_frame(new_clip):
    path = new_clip("clip.mkv", **CHECKED)
    overwrite_packets(path, 5)
    with VideoReader(path, is_strict=True) as reader:
        assert number_of(reader.frame(4)) == 4
        with pytest.raises(VideoDamageError) as caught:
            reader.frame(5)
        assert caught.value.frame == 5
        assert number_of(reader.frame(6)) == 6
        with pytest.raises(VideoDamageError):
            list(reader.frames())


@pytest.mark.parametrize("order", [range(FRAMES), range(FRAMES - 1, -1, -1), [7, 2, 11, 0, 6, 5, 8, 1]])
def test_the_last_good_frame_stands_for_bad_ones_however_they_are_reached(new_clip, order):
    path = new_clip("clip.mkv", **CHECKED)
    overwrite_packets(path, 2, 5, 6, 7, 11)
    shown = [0, 1, 1, 3, 4, 4, 4, 4, 8, 9, 10, 10]
    with VideoReader(path) as reader:
        for index in order:
            frame = reader.frame(index)
            assert (frame.index, frame.pts, number_of(frame)) == (index, reader.pts()[index], shown[index])
        (told,) = reader.warnings
        assert told.startswith("frames 2, 5 to 7 and 11 are damaged; the last good frame before them")


def test_a_long_bad_row_costs_no_seek_a_frame(new_clip, monkeypatch):
    noise = np.random.default_rng(3).random((60, 48, 64, 3), np.float32)
    path = new_clip("clip.mkv", frames=60, picture=lambda index: noise[index], **CHECKED)
    overwrite_packets(path, *range(10, 50))
    seeks = []
    with VideoReader(path) as reader:
        restart = reader._restart
        monkeypatch.setattr(reader, "_restart", lambda label: (seeks.append(label), restart(label)))
        frames = list(reader.frames())
    assert all(same(frame, frames[9]) for frame in frames[10:50])
    assert not same(frames[50], frames[9])
    assert len(seeks) < 10


def test_a_slice_that_is_not_as_its_checksum_says_is_named(new_clip):
    """FFmpeg conceals it and marks nothing."""
    path = new_clip("clip.mkv", codec="ffv1", options={"slicecrc": "1", "level": "3", "g": "4"})
    with av.open(str(path)) as container:
        chunk = [bytes(packet) for packet in container.demux(video=0) if packet.size][5]
    hurt = bytearray(chunk)
    hurt[20] ^= 1
    path.write_bytes(path.read_bytes().replace(chunk, bytes(hurt)))
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == FRAMES
        assert [text for text in reader.warnings if "frames 5 to 7 are damaged" in text]


def test_damage_reaches_up_to_the_next_key_frame_and_both_are_named(new_clip):
    path = new_clip("clip.mp4", frames=40, options={"crf": "6", "bf": "0", "g": "6", "sc_threshold": "0"})
    overwrite_packets(path, 2, start=24)
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == 40
        (told,) = reader.warnings
        assert told.startswith("frames 2 to 5 are damaged")
    # Nothing is said of what lies before the key frame at which decoding begins.
    with VideoReader(path) as reader:
        reader.frame(38)
        assert reader.warnings == ()


def test_a_hole_in_the_times_is_told(new_clip):
    times = [*range(9), *range(12, 24)]
    path = new_clip("clip.mkv", codec="ffv1", frames=len(times), time_base=Fraction(1, 25), pts=times)
    with VideoReader(path) as reader:
        assert [text for text in reader.warnings if text.startswith("about 3 frames seem to be missing after frame 8")]


def test_a_matroska_file_that_ends_early_says_so(new_clip):
    path = new_clip("clip.mkv", codec="ffv1", audio="aac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with VideoReader(path) as reader:
        assert any("the file is cut short: its picture ends after" in text for text in reader.warnings)


def test_empty_moments_of_an_avi_are_no_missing_frames(new_clip):
    """Capture programs write nothing for a moment at which no new picture came."""
    with VideoReader(new_clip("clip.avi", codec="mpeg4", options={"bf": "0"}, rate=Fraction(30000, 1001))) as reader:
        assert reader.info.missing_frames == 0
        assert [number_of(frame) for frame in reader.frames()] == list(range(FRAMES))


def test_frames_years_apart_have_a_rate(new_clip):
    path = new_clip("clip.mkv", codec="ffv1", frames=3, time_base=Fraction(1), pts=[0, 10**7, 2 * 10**7])
    with VideoReader(path) as reader:
        assert reader.info.frame_rate > 0


@pytest.mark.parametrize("index", [-1, FRAMES, 10**9])
def test_frames_outside_the_clip_are_refused(clip, index):
    with VideoReader(clip) as reader, pytest.raises(VideoReadError, match="no frame"):
        reader.frame(index)


def test_reading_on_does_not_seek(clip, monkeypatch):
    with VideoReader(clip) as reader:
        monkeypatch.setattr(reader, "_restart", lambda pts: pytest.fail("it has sought"))
        assert len(list(reader.frames())) == FRAMES
        # The last ones are still in memory.
        assert number_of(reader.frame(FRAMES - 3)) == FRAMES - 3


LISTS = {
    "live.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.mp4\n",
    "concat.mp4": "ffconcat version 1.0\nfile clip.mp4\n",
    "radio.sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n",
    "dash.mpd": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic"></MPD>',
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_other_files_are_refused_unread(new_clip, name):
    """A playlist without an end was waited for for ever."""
    path = new_clip("clip.mp4").with_name(name)
    path.write_bytes(LISTS[name].encode())
    with pytest.raises(VideoOpenError, match="a list that refers to other files or to the network"):
        VideoReader(path)


@pytest.mark.parametrize(
    ("ending", "codec"),
    [
        *((ending, "mpeg2video") for ending in ("ts", "m2ts", "mpg", "vob", "mxf", "m2v", "nut")),
        *((ending, "mpeg4") for ending in ("mp4", "mov", "mkv", "avi", "3gp", "m4v")),
        *((ending, "libx264") for ending in ("h264", "f4v", "m4v", "dv.mkv")),
        ("webm", "libvpx-vp9"), ("ivf", "libvpx-vp9"), ("y4m", "wrapped_avframe"), ("wmv", "wmv2"), ("flv", "flv"),
        ("ogv", "libtheora"), ("hevc", "libx265"), ("mjpeg", "mjpeg"), ("obu", "libsvtav1"), ("gif", "gif"),
        ("png", "png"), ("bmp", "bmp"), ("tiff", "tiff"), ("dpx", "dpx"), ("webp", "libwebp"), ("jpg", "mjpeg"),
    ],
)  # fmt: skip
def test_every_format_with_pictures_is_opened(tmp_path, ending, codec):
    """The formats that FFmpeg may use are named one by one: none of these is left out."""
    path = tmp_path / f"clip.{ending}"
    try:
        encoder = av.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"no {codec} here")
    formats = [each.name for each in encoder.video_formats or []] or ["yuv420p"]
    layout = next((name for name in ("yuvj420p", "yuv420p", "rgb24", "bgr24", "rgb8") if name in formats), formats[0])
    options = {"update": "1"} if codec in {"png", "bmp", "tiff", "dpx", "libwebp"} or ending == "jpg" else {}
    muxer = {"jpg": "image2", "webp": "image2", "vob": "vob", "m2v": "mpeg2video"}.get(ending)
    with av.open(str(path), "w", format=muxer, options=options) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, layout
        stream.codec_context.thread_count = 1
        if ending == "3gp":
            stream.width, stream.height = 176, 144
        noise = np.random.default_rng(0).integers(0, 255, (stream.height, stream.width, 3), np.uint8)
        for index in range(1 if options else 3):
            raw = av.VideoFrame.from_ndarray(np.roll(noise, index), "rgb24")
            raw = raw.reformat(format=layout)
            raw.pts, raw.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(raw))
        output.mux(stream.encode(None))
    with open_container(path) as container:
        assert next(container.decode(video=0)).height in {48, 144}


def test_a_percent_sign_in_a_name_stands_for_nothing(tmp_path):
    for name, level in (("a_1.png", 10), ("a_%d.png", 200)):
        Image.new("RGB", (64, 48), (level,) * 3).save(tmp_path / name)
    with VideoReader(tmp_path / "a_%d.png") as reader:
        assert reader.info.frame_count == 1
        assert to_rgb(reader.frame(0)).mean() == pytest.approx(200 / 255, abs=0.01)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_mirrored_picture_keeps_its_upright_angle_and_its_mark(tmp_path, container, mirrored, degrees):
    """A picture flipped left to right was read, and written, as one that stands on its head."""
    source = make_clip(tmp_path / "in.mkv", rotation=degrees, mirrored=mirrored, frames=2)
    with VideoReader(source) as reader:
        assert (reader.info.rotation_degrees, reader.info.is_mirrored) == (degrees, mirrored)
        assert any("mirrored" in warning for warning in reader.warnings) == mirrored
        with VideoWriter(tmp_path / f"out.{container}", reader.info, EncodeSettings("h264")) as writer:
            for index in range(2):
                writer.write(reader.frame(index))
    with VideoReader(tmp_path / f"out.{container}") as reader:
        assert (reader.info.rotation_degrees, reader.info.is_mirrored) == (degrees, mirrored)
