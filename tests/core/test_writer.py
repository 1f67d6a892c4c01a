"""Laws of the writer: what was not to be changed comes back equal, and a failure leaves the folder as it was."""

from __future__ import annotations

import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from clips import FRAMES, audio_packets, make_clip, make_frame, number_of

from vecnet_core.errors import InputError, SettingsError, VecnetError, VideoWriteError
from vecnet_core.frame import ColorTags
from vecnet_core.video.color import to_rgb
from vecnet_core.video.containers import endings_for
from vecnet_core.video.encode import CONTAINERS, ENCODERS, EncodeSettings, choose_encoder, choose_layout
from vecnet_core.video.layouts import plan_layout
from vecnet_core.video.parts import hidden_path
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.unfinished import discard_unfinished
from vecnet_core.video.writer import VideoWriter

LOSSLESS = EncodeSettings("ffv1")
VARIABLE = [0, 3, 4, 9, 10, 16, 17, 18, 30, 31, 32, 40]


def rewrite(source, target, encode=LOSSLESS, start=0, stop=None, **options):
    """Read a clip and write its frames unchanged; returns the two open readers."""
    reader = VideoReader(source)
    with VideoWriter(target, reader.info, encode, copy_from=source, **options) as writer:
        for frame in reader.frames(start, stop):
            writer.write(frame)
    return reader, VideoReader(target)


@pytest.mark.parametrize(
    "layout",
    ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p12le", "yuv444p16le", "gray", "gray10le"],
)
@pytest.mark.parametrize("range_name", ["limited", "full"])
def test_lossless_keeps_every_code_and_tag(new_clip, tmp_path, layout, range_name):
    tags = ColorTags("bt601", range_name, "smpte170m", "smpte170m")
    source = new_clip("source.mkv", codec="ffv1", layout=layout, color=tags)
    before, after = rewrite(source, tmp_path / "out.mkv")
    assert after.info.color == tags
    assert after.info.layout == before.info.layout
    assert after.info.frame_count == FRAMES
    for old, new in zip(before.frames(), after.frames(), strict=True):
        assert all((x == y).all() for x, y in zip(old.planes, new.planes, strict=True))
        assert old.pts_seconds == new.pts_seconds


@pytest.mark.parametrize(
    ("codec", "ending", "layout", "written"),
    [
        ("h264", "mp4", "yuv420p", "yuv420p"),
        ("h264", "mp4", "yuv420p10le", "yuv420p10le"),
        ("h264", "mkv", "yuv444p", "yuv444p"),
        ("hevc", "mov", "yuv420p10le", "yuv420p10le"),
        ("hevc", "mp4", "yuv444p12le", "yuv444p12le"),
        ("av1", "mp4", "yuv420p10le", "yuv420p10le"),
        ("av1", "webm", "gray", "yuv420p"),
        ("prores", "mov", "yuv420p", "yuv422p10le"),  # FFmpeg decodes 4:4:4 ProRes to 12 bits
        ("prores", "mov", "yuv444p10le", "yuv444p12le"),
        ("ffv1", "mkv", "yuv420p", "yuv420p"),
        ("match", "mp4", "yuv420p", "yuv420p"),
    ],
)
def test_every_codec_keeps_times_tags_and_picture(new_clip, tmp_path, codec, ending, layout, written):
    tags = ColorTags("bt709", "limited", "bt709", "bt709")
    source = new_clip("source.mkv", codec="ffv1", layout=layout, color=tags, rate=Fraction(25))
    encode = EncodeSettings(codec, preset={"h264": "ultrafast", "hevc": "ultrafast", "av1": "12"}.get(codec))
    target = tmp_path / f"out.{ending}"
    before, after = rewrite(source, target, encode)
    assert after.info.layout.name == written
    assert after.info.color == tags
    assert after.info.codec == ("ffv1" if codec == "match" else codec)
    assert [f.pts_seconds - after.frame(0).pts_seconds for f in after.frames()] == [
        f.pts_seconds for f in before.frames()
    ]
    assert [number_of(frame) for frame in after.frames()] == list(range(FRAMES))


@pytest.mark.parametrize(
    "options",
    [
        {"rate": Fraction(24000, 1001), "time_base": Fraction(1, 24000)},
        {"time_base": Fraction(1, 100), "pts": VARIABLE},
        {"time_base": Fraction(1, 25), "pts": list(range(1000, 1012))},
        {"time_base": Fraction(1, 90000), "pts": [900000 + 3600 * i for i in range(12)]},
    ],
    ids=["ntsc", "variable", "late-start", "mpeg-clock"],
)
@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_times_are_exact_in_mp4(new_clip, tmp_path, options, codec):
    source = new_clip("source.mp4", **options)
    before, after = rewrite(source, tmp_path / "out.mp4", EncodeSettings(codec))
    assert [f.pts_seconds for f in after.frames()] == [f.pts_seconds for f in before.frames()]
    assert after.info.is_variable_rate == before.info.is_variable_rate
    assert after.info.frame_rate == before.info.frame_rate
    if not before.info.is_variable_rate:  # MP4 has durations in decoding order, so the last frame's is not exact there
        assert after.info.duration_seconds == pytest.approx(before.info.duration_seconds, abs=1e-6)


def test_untagged_stays_untagged(new_clip, tmp_path):
    untagged = ColorTags("bt601", "limited", assumed=("matrix", "range"))
    _, after = rewrite(new_clip("source.mp4", color=untagged), tmp_path / "out.mp4", EncodeSettings())
    assert after.info.color.assumed == ("matrix", "range")


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_aspect_and_metadata_are_copied(new_clip, tmp_path, rotation):
    source = new_clip("source.mp4", rotation=rotation, pixel_aspect=Fraction(4, 3), metadata={"title": "Dog run"})
    _, after = rewrite(source, tmp_path / "out.mp4", EncodeSettings())
    assert after.info.rotation_degrees == rotation
    assert after.info.pixel_aspect == Fraction(4, 3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.metadata["title"] == "Dog run"


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_sound_is_copied_packet_for_packet(clip, tmp_path, ending):
    target = tmp_path / f"out.{ending}"
    rewrite(clip, target, EncodeSettings())
    old, new = audio_packets(clip), audio_packets(target)
    assert [data for _, data in new] == [data for _, data in old]
    if ending != "mkv":
        assert [time for time, _ in new] == [time for time, _ in old]


def test_a_range_cuts_sound_and_picture_alike(new_clip, tmp_path):
    source = new_clip("source.mp4", frames=12, rate=Fraction(12), audio="aac")
    target = tmp_path / "out.mp4"
    _, after = rewrite(source, target, EncodeSettings(), 3, 9, start_seconds=0.25, stop_seconds=0.75)
    assert [number_of(frame) for frame in after.frames()] == [3, 4, 5, 6, 7, 8]
    assert after.info.start_pts == 0
    old, new = audio_packets(source), audio_packets(target)
    kept = [(time - Fraction(1, 4), data) for time, data in old if Fraction(1, 4) <= time < Fraction(3, 4)]
    assert [data for _, data in new] == [data for _, data in kept]
    assert all(abs(a - b) < Fraction(1, 24000) for (a, _), (b, _) in zip(new, kept, strict=True))


def test_a_failure_leaves_the_old_output_and_nothing_else(clip, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / "out.mp4"
    target.write_bytes(b"precious")
    reader = VideoReader(clip)

    def fail():
        with VideoWriter(target, reader.info, EncodeSettings(), copy_from=clip) as writer:
            writer.write(reader.frame(0))
            assert any(path.name.startswith(".out.") and path.suffix == ".vecnet" for path in folder.iterdir())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert target.read_bytes() == b"precious"
    assert list(folder.iterdir()) == [target]


def test_the_output_appears_only_when_whole(clip, tmp_path):
    target = tmp_path / "out.mp4"
    with VideoReader(clip) as reader, VideoWriter(target, reader.info, EncodeSettings()) as writer:
        for frame in reader.frames():
            writer.write(frame)
            assert not target.exists()
        part = writer.complete()
        assert part == writer.complete()
        assert VideoReader(part).info.frame_count == FRAMES
        assert not target.exists()
        writer.finish()
        assert target.exists()
        assert not part.exists()
    assert VideoReader(target).info.frame_count == FRAMES


@pytest.mark.parametrize(
    ("name", "encode", "kind", "words"),
    [
        ("missing/out.mp4", EncodeSettings(), VideoWriteError, "folder does not exist"),
        ("source.mp4", EncodeSettings(), InputError, "source itself"),
        ("out.xyz", EncodeSettings(), VideoWriteError, "ending"),
        *((f"out.{name}", EncodeSettings(), VideoWriteError, "ending") for name in ("avi", "wmv", "m3u8", "mpd", "ts")),
        ("n" * 300 + ".mp4", EncodeSettings(), VideoWriteError, "too long"),
        ("out", EncodeSettings(), VideoWriteError, "ending"),
        ("folder", EncodeSettings(), VideoWriteError, "folder"),
        ("out.webm", EncodeSettings(), VideoWriteError, "cannot hold h264"),
        ("out.webm", EncodeSettings("av1"), VideoWriteError, "cannot hold the source's aac"),
        ("out.mp4", EncodeSettings("prores"), VideoWriteError, "cannot hold prores"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(new_clip, tmp_path, name, encode, kind, words):
    source = new_clip("source.mp4", audio="aac")
    (tmp_path / "folder").mkdir()
    there = sorted(tmp_path.iterdir())
    whole = source.read_bytes()
    with VideoReader(source) as reader, pytest.raises(kind) as caught:
        VideoWriter(tmp_path / name, reader.info, encode, copy_from=source)
    assert words in caught.value.sentence
    assert caught.value.hint
    assert sorted(tmp_path.iterdir()) == there
    assert source.read_bytes() == whole


def test_an_unwritable_folder_is_refused(clip, locked):
    with VideoReader(clip) as reader, pytest.raises(VideoWriteError, match="not writable"):
        VideoWriter(locked / "out.mp4", reader.info, EncodeSettings())


def test_frames_out_of_order_and_empty_outputs_are_refused(clip, tmp_path):
    target = tmp_path / "out.mp4"
    reader = VideoReader(clip)

    def write(*indices):
        with VideoWriter(target, reader.info, LOSSLESS) as writer:
            for index in indices:
                writer.write(reader.frame(index))

    with pytest.raises(VideoWriteError, match="rising"):
        write(3, 2)
    with pytest.raises(VideoWriteError, match="no frame"):
        write()
    assert not target.exists()


@pytest.mark.parametrize("layout", ["yuv444p16le", "yuv420p12le"])
def test_bits_are_never_lost_silently(layout):
    plan = plan_layout(layout)
    assert plan is not None
    with pytest.raises(VideoWriteError, match="without loss"):
        choose_layout(ENCODERS["h264"], plan.layout)


@pytest.mark.parametrize("codec", list(ENCODERS))
def test_the_encoders_accept_the_layouts_we_say(codec):
    encoder = ENCODERS[codec]
    formats = {each.name for each in av.Codec(encoder.name, "w").video_formats or ()}
    assert set(encoder.layouts) <= formats


@pytest.mark.parametrize(
    ("codec", "values"),
    [
        ("mpeg7", {}),
        ("h264", {"crf": 99}),
        ("h264", {"preset": "warp"}),
        ("ffv1", {"crf": 3}),
        ("av1", {"preset": "slow"}),
    ],
)
def test_settings_outside_their_range_are_refused_with_the_possible_ones(codec, values):
    with pytest.raises(SettingsError) as caught:
        EncodeSettings(codec, **values)
    assert caught.value.hint


def test_match_follows_the_source():
    assert choose_encoder(EncodeSettings("match"), "hevc").codec == "hevc"
    assert choose_encoder(EncodeSettings("match"), "mpeg4").codec == "h264"
    with pytest.raises(VecnetError):
        choose_encoder(EncodeSettings("match", crf=20), "prores")


def test_a_corrected_10_bit_frame_stays_10_bit(new_clip, tmp_path):
    source = new_clip("source.mkv", codec="ffv1", layout="yuv420p10le", frames=1)
    ramp = np.repeat(np.tile(np.linspace(0, 1, 64, dtype=np.float32), (48, 1))[..., None], 3, axis=2)
    target = tmp_path / "out.mkv"
    with VideoReader(source) as reader, VideoWriter(target, reader.info, LOSSLESS) as writer:
        frame = make_frame(layout="yuv420p10le", rgb=ramp)
        writer.write(frame)
    with VideoReader(target) as reader:
        assert (reader.frame(0).planes[0] == frame.planes[0]).all()
        assert len(np.unique(reader.frame(0).planes[0])) == 64


def test_made_clips_are_small(tmp_path):
    assert make_clip(tmp_path / "a.mp4").stat().st_size < 50_000


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p10le", "yuv444p", "gray"])
def test_full_range_becomes_limited_in_prores_and_is_told(new_clip, tmp_path, layout):
    tags = ColorTags("bt709", "full", "bt709", "bt709")
    source = new_clip("source.mkv", codec="ffv1", layout=layout, color=tags, frames=2)
    target = tmp_path / "out.mov"
    with VideoReader(source) as reader:
        writer = VideoWriter(target, reader.info, EncodeSettings("prores", preset="4444"), copy_from=source)
        with writer:
            for frame in reader.frames():
                writer.write(frame)
        before = to_rgb(reader.frame(1))
    assert any("written as limited range" in text for text in writer.warnings)
    with VideoReader(target) as reader:
        assert reader.info.color.range == "limited"
        assert np.abs(to_rgb(reader.frame(1)) - before).mean() < 0.004


def test_limited_range_in_prores_needs_no_warning(new_clip, tmp_path):
    source = new_clip("source.mkv", codec="ffv1", frames=1)
    with VideoReader(source) as reader:
        writer = VideoWriter(tmp_path / "out.mov", reader.info, EncodeSettings("prores"), copy_from=source)
        writer.abort()
    assert writer.warnings == ()


@pytest.mark.parametrize(
    ("codec", "ending"), [("h264", "mp4"), ("hevc", "mp4"), ("av1", "mkv"), ("ffv1", "mkv"), ("prores", "mov")]
)
def test_untagged_grey_keeps_its_contrast(new_clip, tmp_path, codec, ending):
    untagged = ColorTags("bt601", "limited", assumed=("matrix", "range"))
    source = new_clip("source.mkv", codec="ffv1", layout="gray", color=untagged)
    before, after = rewrite(source, tmp_path / f"out.{ending}", EncodeSettings(codec))
    assert before.info.color.range == "full"
    assert "range" in before.info.color.assumed
    old, new = to_rgb(before.frame(3)), to_rgb(after.frame(3))
    assert np.abs(old - new).mean() < 0.004


def test_a_part_never_takes_the_place_of_another_file(clip, tmp_path):
    """The part had one name for all: a source with that name was lost, and two exports to one output mixed."""
    target = tmp_path / "rec.mp4"
    source = clip.rename(hidden_path(target, "part"))
    whole = source.read_bytes()
    with VideoReader(source) as reader, VideoWriter(target, reader.info, EncodeSettings(), copy_from=source) as writer:
        for frame in reader.frames():
            writer.write(frame)
    assert VideoReader(target).info.frame_count == FRAMES
    assert source.read_bytes() == whole
    assert sorted(tmp_path.iterdir()) == sorted([source, target])


def test_a_second_export_to_one_output_is_refused_while_the_first_runs(clip, tmp_path):
    target = tmp_path / "out.mp4"
    with VideoReader(clip) as reader, VideoWriter(target, reader.info, EncodeSettings()) as writer:
        with pytest.raises(InputError, match="running"):
            VideoWriter(target, reader.info, EncodeSettings())
        with pytest.raises(InputError, match="running"):
            discard_unfinished(target)
        for frame in reader.frames():
            writer.write(frame)
    assert VideoReader(target).info.frame_count == FRAMES
    assert sorted(tmp_path.iterdir()) == sorted([clip, target])


@pytest.mark.parametrize("name", ["x" * 251 + ".mp4", "\u00e9" * 125 + ".mp4"], ids=["ascii", "two-bytes"])
def test_the_longest_names_can_be_written(clip, tmp_path, name):
    rewrite(clip, tmp_path / name, EncodeSettings())
    assert {path.name for path in tmp_path.iterdir()} == {clip.name, name}


def test_an_output_keeps_the_permissions_of_an_ordinary_new_file(clip, tmp_path):
    (tmp_path / "plain").touch()
    rewrite(clip, tmp_path / "out.mp4", EncodeSettings())
    assert (tmp_path / "out.mp4").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no colons in names")
def test_an_output_with_a_colon_is_no_protocol(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rewrite(clip, "2024-11-24T10:30:00.mp4", EncodeSettings())
    assert (tmp_path / "2024-11-24T10:30:00.mp4").stat().st_size > 1000


def test_a_folder_that_may_not_be_entered_is_refused(clip, closed):
    with VideoReader(clip) as reader, pytest.raises(VideoWriteError, match="Permission denied"):
        VideoWriter(closed / "out.mp4", reader.info, EncodeSettings(), copy_from=clip)


@pytest.mark.parametrize(("codec", "others"), [("h264", "av1 or ffv1 or prores"), ("hevc", "av1 or ffv1 or prores")])
def test_odd_sizes_are_refused_with_the_codecs_that_take_them(new_clip, tmp_path, codec, others):
    source = new_clip("source.mkv", codec="ffv1", size=(49, 65))
    with VideoReader(source) as reader, pytest.raises(VideoWriteError, match="65x49, an odd size") as caught:
        VideoWriter(tmp_path / "out.mkv", reader.info, EncodeSettings(codec))
    assert others in caught.value.hint
    for other in others.split(" or "):
        _, after = rewrite(source, tmp_path / f"{other}.mkv", EncodeSettings(other))
        assert (after.info.width, after.info.height, after.info.frame_count) == (65, 49, FRAMES)


@pytest.mark.parametrize(("layout", "size"), [("yuv444p", (49, 65)), ("yuv422p", (49, 64)), ("gray", (49, 65))])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_odd_sizes_are_written_where_chroma_allows_it(new_clip, tmp_path, layout, size, codec):
    source = new_clip("source.mkv", codec="ffv1", layout=layout, size=size)
    _, after = rewrite(source, tmp_path / "out.mkv", EncodeSettings(codec))
    assert after.info.frame_count == FRAMES


def test_the_endings_of_a_hint_hold_what_they_are_named_for():
    assert endings_for("aac", "h264") == [".mp4", ".m4v", ".mov", ".mkv"]
    assert endings_for("pcm_s16le", "prores") == [".mov", ".mkv"]
    assert endings_for("pcm_bluray", "h264") == []
    for ending, container in CONTAINERS.items():
        assert endings_for("opus", "av1").count(ending) == (container in {"mp4", "mov", "matroska", "webm"})


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_sound_that_no_container_holds_is_left_out_and_told(new_clip, tmp_path, ending):
    source = new_clip("source.m2ts", audio="pcm_bluray")
    with VideoReader(source) as reader:
        assert reader.info.audio_codecs == ("pcm_bluray",)
        writer = VideoWriter(tmp_path / f"out.{ending}", reader.info, EncodeSettings(), copy_from=source)
        with writer:
            for frame in reader.frames():
                writer.write(frame)
    assert any("pcm_bluray sound is left out" in text for text in writer.warnings)
    with VideoReader(tmp_path / f"out.{ending}") as reader:
        assert reader.info.audio_codecs == ()
        assert reader.info.frame_count == FRAMES


@pytest.mark.parametrize(("codec", "ending"), [("ffv1", "mkv"), ("av1", "webm"), ("prores", "mkv"), ("prores", "mov")])
def test_a_pixel_aspect_that_is_not_kept_is_told(new_clip, tmp_path, codec, ending):
    """Matroska lost it without a word wherever the codec's own data do not say it."""
    source = new_clip("source.mp4", pixel_aspect=Fraction(4, 3))
    target = tmp_path / f"out.{ending}"
    with VideoReader(source) as reader:
        writer = VideoWriter(target, reader.info, EncodeSettings(codec), copy_from=source)
        with writer:
            for frame in reader.frames():
                writer.write(frame)
    is_lost = ending != "mov"
    assert writer.warnings == (
        (f"the pixel aspect 4/3 is left out, since {codec} in a .{ending} file cannot hold it",) if is_lost else ()
    )
    with VideoReader(target) as reader:
        assert reader.info.pixel_aspect == writer.pixel_aspect == (1 if is_lost else Fraction(4, 3))


def test_the_last_packet_of_sound_has_a_duration(new_clip, tmp_path):
    """ALAC has none in Matroska: in MP4 the last packet then lasted no time, and players left it out."""
    source = new_clip("source.mkv", audio="alac")
    rewrite(source, tmp_path / "out.mp4", EncodeSettings())
    assert [data for _, data in audio_packets(tmp_path / "out.mp4")] == [data for _, data in audio_packets(source)]


def test_sound_of_coarse_times_is_cut_in_step_with_the_picture(new_clip, tmp_path):
    """AVI counts MP3 in packets of 24 ms: moved by whole ones, it was up to 12 ms beside the picture."""
    source = new_clip("source.avi", audio="libmp3lame", frames=30)
    before, _ = rewrite(source, tmp_path / "out.mp4", EncodeSettings(), 8, 30, start_seconds=0.32)
    begin = before.frame(8).pts_seconds
    kept = [time - Fraction(8, 25) for time, _ in audio_packets(source) if time >= begin]
    written = [time for time, _ in audio_packets(tmp_path / "out.mp4")]
    assert len(written) == len(kept)
    assert all(abs(a - b) < Fraction(1, 1000) for a, b in zip(written, kept, strict=True))


@pytest.mark.parametrize("primaries", ["unknown", "bt709"])
def test_colours_that_no_tag_would_tell_are_refused_before_any_work(new_clip, tmp_path, primaries):
    """MP4 got the tags of FFV1 and DNxHR only with primaries and transfer: full range came back as limited."""
    tags = ColorTags("bt709", "full", primaries, "unknown")
    source = new_clip("source.mkv", codec="ffv1", color=tags, size=(120, 256), frames=2)
    with (
        VideoReader(source) as reader,
        pytest.raises(VideoWriteError, match="cannot say the full-range bt709") as caught,
    ):
        VideoWriter(tmp_path / "out.mp4", reader.info, LOSSLESS, copy_from=source)
    assert ".mkv" in caught.value.hint
    _, after = rewrite(source, tmp_path / "out.mkv")
    assert after.info.color == tags
    before, after = rewrite(source, tmp_path / "out.mov", EncodeSettings("dnxhr"))
    assert (after.info.color.range, after.info.color.matrix, after.info.color.primaries) == ("full", "bt709", "unknown")
    assert np.abs(to_rgb(before.frame(1)) - to_rgb(after.frame(1))).mean() < 0.004
