"""Laws of what lies beside the pictures: it comes along, cut where the pictures are, and what cannot is named."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import pytest
from av.stream import Disposition
from clips import make_clip
from PIL import Image

from vecnet_core.errors import VideoWriteError
from vecnet_core.export import export_video
from vecnet_core.project import Clip
from vecnet_core.settings import CorrectionSettings
from vecnet_core.verify import FileVerifier
from vecnet_core.video.copying import tally_streams
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.metadata import find_timecode
from vecnet_core.video.opening import video_streams
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.timecode import advance_timecode, is_timecode
from vecnet_core.video.writer import VideoWriter

NEUTRAL = CorrectionSettings(strength=0.0)
FAST = EncodeSettings("h264", preset="ultrafast")
FRAMES = 50
CAMERA = {
    "creation_time": "2024-05-01T10:00:00.000000Z",
    "location": "+48.1000+011.6000/",
    "com.apple.quicktime.location.ISO6709": "+48.1000+011.6000+500/",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.creationdate": "2024-05-01T12:00:00+0200",
    "com.android.capture.fps": "120.0",
    "title": "Dog run",
    "artist": "Ana",
}
PLAIN = {name: CAMERA[name] for name in ("creation_time", "location", "title", "artist")}
LINES = [(0.2, 0.7, "Hello"), (1.0, 1.9, "World & so")]
CHAPTERS = [
    {"id": number, "start": 1000 * number, "end": 1000 * number + 1000, "time_base": Fraction(1, 1000),
     "metadata": {"title": title}}
    for number, title in enumerate(["One", "Two"])
]  # fmt: skip


def cover_bytes() -> bytes:
    target = BytesIO()
    Image.new("RGB", (32, 32), (200, 10, 10)).save(target, "JPEG")
    return target.getvalue()


def subtitle_file(folder: Path, kind: str = "srt") -> Path:
    path = folder / f"words.{kind}"
    rows = [
        f"{number}\n00:00:{begin:06.3f} --> 00:00:{end:06.3f}\n{text}\n"
        for number, (begin, end, text) in enumerate(LINES, start=1)
    ]
    path.write_text("\n".join(rows).replace(".", ","))
    return path


@cache
def plain_clip(rate: Fraction) -> bytes:
    """Two seconds of pictures and sound."""
    with TemporaryDirectory() as folder:
        return make_clip(Path(folder) / "plain.mp4", audio="aac", frames=FRAMES, rate=rate).read_bytes()


def make_rich(
    path: Path,
    *,
    texts: dict[str, str] | None = None,
    picture_texts: dict[str, str] | None = None,
    subtitles: str = "",
    fonts: bool = False,
    cover: bool = False,
    data: bool = False,
    second_video: bool = False,
    rate: Fraction = Fraction(25),
) -> Path:
    """A clip of two seconds with everything beside the pictures that is asked for."""
    plain = path.with_name("plain.mp4")
    plain.write_bytes(plain_clip(rate))
    options = {"movflags": "use_metadata_tags"} if any("." in key for key in texts or {}) else {}
    options = options if path.suffix != ".mkv" else {}
    packets: list[Any] = []
    with (
        av.open(str(plain)) as given,
        av.open(str(subtitle_file(path.parent))) as words,
        av.open(str(path), "w", container_options=options) as output,
    ):
        output.metadata.update(texts or {})
        output.set_chapters(CHAPTERS)
        streams: dict[int, Any] = {each.index: output.add_stream_from_template(each) for each in given.streams}
        streams[0].metadata.update(picture_texts or {})
        streams[1].metadata.update({"language": "fra", "title": "Ton"})
        copies: list[Any] = [output.add_stream_from_template(given.streams.video[0])] if second_video else []
        for copy in copies:
            copy.metadata["title"] = "Second"
        if subtitles:
            packets += add_words(output, words, subtitles)
        if fonts:
            output.add_attachment("a.ttf", "application/x-truetype-font", b"FONT" * 100)
        if cover and path.suffix == ".mkv":
            output.add_attachment("cover.jpg", "image/jpeg", cover_bytes())
        elif cover:
            with av.open(BytesIO(cover_bytes()), format="mjpeg") as pictures:
                stream: Any = output.add_stream_from_template(pictures.streams.video[0], opaque=True)
            stream.disposition = Disposition.attached_pic
            packets.append(made_packet(stream, cover_bytes(), 0, Fraction(1, 25)))
        if data:
            stream = output.add_data_stream("bin_data")
            packets += [made_packet(stream, b"GPS %d" % number, number, Fraction(1, 2)) for number in range(4)]
        output.start_encoding()
        for packet in given.demux():
            if packet.size:
                for copy in copies if packet.stream.type == "video" else []:
                    twin: Any = made_packet(copy, bytes(packet), packet.pts, packet.time_base)
                    twin.dts, twin.is_keyframe = packet.dts, packet.is_keyframe
                    packets.append(twin)
                packet.stream = streams[packet.stream_index]
                packets.append(packet)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)
    return path


def made_packet(stream: Any, data: bytes, pts: int, base: Fraction) -> Any:
    packet: Any = av.Packet(data)
    packet.time_base, packet.pts, packet.dts, packet.duration, packet.stream = base, pts, pts, 1, stream
    return packet


def add_words(output: Any, words: Any, codec: str) -> list[Any]:
    """A stream of the subtitles in a codec, and its packets."""
    source = words.streams.subtitles[0]
    source.codec_context.open(strict=False)
    target = output.add_stream(codec)
    target.codec_context.subtitle_header = source.codec_context.subtitle_header
    target.metadata.update({"language": "ger", "title": "Untertitel"})
    packets = []
    for packet in words.demux():
        if packet.size:
            made = target.codec_context.encode_subtitle(source.codec_context.decode2(packet))
            made.time_base, made.pts, made.dts, made.duration = (
                packet.time_base,
                packet.pts,
                packet.pts,
                packet.duration,
            )
            made.stream = target
            packets.append(made)
    return packets


def words_of(path: Path) -> list[tuple[float, float, str]]:
    """Begin, end and words of every subtitle of a file."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        for packet in container.demux(stream):
            for line in packet.decode() if packet.size else []:
                begin = float(packet.pts * packet.time_base)
                text = line.ass.decode().split(",", 8)[-1]
                found.append((begin, begin + float(packet.duration * packet.time_base), text))
    return found


def chapters_of(path: Path) -> list[tuple[float, float, str]]:
    with av.open(str(path)) as container:
        return [
            (
                float(each["start"] * each["time_base"]),
                float(each["end"] * each["time_base"]),
                each["metadata"]["title"],
            )
            for each in container.chapters()
        ]


def texts_of(path: Path) -> dict[str, str]:
    """What a file says of itself, keys as in the camera's spelling."""
    spelled = {name.lower(): name for name in CAMERA}
    with av.open(str(path)) as container:
        return {spelled.get(key.lower(), key): text for key, text in container.metadata.items()}


def rewrite(source: Path, target: Path, first: int = 0, stop: int | None = None, **span: float) -> tuple[str, ...]:
    """Copy a clip, or frames of it; returns what the writer warns of."""
    with VideoReader(source) as reader:
        with VideoWriter(target, reader.info, FAST, copy_from=source, **span) as writer:
            for frame in reader.frames(first, stop):
                writer.write(frame)
        return writer.warnings


@pytest.mark.parametrize("to", ["mp4", "m4v", "mov", "mkv"])
@pytest.mark.parametrize(("ending", "texts"), [("mov", CAMERA), ("mp4", CAMERA), ("mkv", CAMERA), ("mp4", PLAIN)])
def test_what_a_camera_says_is_kept_in_every_container(tmp_path, ending, texts, to):
    source = make_rich(tmp_path / f"source.{ending}", texts=texts)
    before = texts_of(source)
    assert texts.items() <= before.items()
    assert rewrite(source, tmp_path / f"out.{to}") == ()
    assert texts.items() <= texts_of(tmp_path / f"out.{to}").items()


@pytest.mark.parametrize("to", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(("ending", "codec"), [("mkv", "subrip"), ("mkv", "ass"), ("mp4", "mov_text")])
def test_subtitles_go_from_every_container_to_every_other(tmp_path, ending, codec, to):
    source, target = make_rich(tmp_path / f"source.{ending}", subtitles=codec), tmp_path / f"out.{to}"
    before = words_of(source)
    assert [text for _, _, text in before] == [text for _, _, text in LINES]
    loses_styles = codec == "ass" and to != "mkv"
    told = f"the ass subtitles lose their styles in a .{to} file; a name that ends in .mkv keeps them"
    assert rewrite(source, target) == ((told,) if loses_styles else ())
    after = words_of(target)
    assert [text for _, _, text in after] == [text for _, _, text in before]
    shift = begin_of(target) - begin_of(source)
    assert [time + shift for row in before for time in row[:2]] == pytest.approx(
        [time for row in after for time in row[:2]], abs=0.002
    )
    with av.open(str(target)) as container:
        said = container.streams.subtitles[0].metadata
        assert (said["language"], said.get("title", said.get("name"))) == ("ger", "Untertitel")
        sound = container.streams.audio[0].metadata
        assert (sound["language"], sound.get("title", sound.get("name"))) == ("fra", "Ton")


def begin_of(path: Path) -> float:
    with VideoReader(path) as reader:
        return float(reader.info.start_pts * reader.info.time_base)


@pytest.mark.parametrize(("ending", "codec"), [("mkv", "subrip"), ("mp4", "mov_text")])
@pytest.mark.parametrize("to", ["mp4", "mkv"])
def test_a_range_cuts_subtitles_and_chapters_as_it_cuts_the_picture(tmp_path, ending, codec, to):
    source, target = make_rich(tmp_path / f"source.{ending}", subtitles=codec), tmp_path / f"out.{to}"
    rewrite(source, target, 10, 35, start_seconds=0.4, stop_seconds=1.4)
    begin = begin_of(target)
    rows = [(0.0, 0.3, "Hello"), (0.6, 1.0, "World & so")]
    after = words_of(target)
    assert [text for _, _, text in after] == [text for _, _, text in rows]
    for found, wanted in ((after, rows), (chapters_of(target), [(0.0, 0.6, "One"), (0.6, 1.0, "Two")])):
        times = [time - begin for row in found for time in row[:2]]
        assert times == pytest.approx([time for row in wanted for time in row[:2]], abs=0.025)
        assert [row[2] for row in found] == [row[2] for row in wanted]


@pytest.mark.parametrize("to", ["mp4", "mov", "mkv", "m4v"])
@pytest.mark.parametrize("ending", ["mkv", "mov"])
def test_chapters_are_kept(tmp_path, ending, to):
    source, target = make_rich(tmp_path / f"source.{ending}"), tmp_path / f"out.{to}"
    assert rewrite(source, target) == ()
    assert chapters_of(target) == chapters_of(source) == [(0.0, 1.0, "One"), (1.0, 2.0, "Two")]


@pytest.mark.parametrize(
    ("rate", "timecode", "later"),
    [(Fraction(25), "09:59:59:20", "10:00:00:05"), (Fraction(30000, 1001), "00:00:59;25", "00:01:00;07")],
)
@pytest.mark.parametrize(("ending", "to"), [("mov", "mov"), ("mov", "mp4"), ("mp4", "mkv"), ("mkv", "mov")])
def test_a_timecode_is_kept_and_counts_on_when_frames_are_cut(tmp_path, rate, timecode, later, ending, to):
    source = make_rich(tmp_path / f"source.{ending}", picture_texts={"timecode": timecode}, rate=rate)
    start = float(10 / rate)
    for target, span, wanted in (
        (tmp_path / f"whole.{to}", {}, timecode),
        (tmp_path / f"cut.{to}", {"start_seconds": start}, later),
    ):
        assert rewrite(source, target, 10 if span else 0, **span) == ()
        with av.open(str(target)) as container:
            assert find_timecode(container, container.streams.video[0]) == wanted


def test_dropped_numbers_are_dropped_and_no_others():
    rate, all_ = Fraction(30000, 1001), set()
    timecode = "00:00:00;00"
    for frames in range(1, 18_000):
        after = advance_timecode(timecode, 1, rate)
        assert after > timecode
        assert after == advance_timecode("00:00:00;00", frames, rate)
        all_.add(after)
        timecode = after
    dropped = {f"00:{minute:02}:00;{frame:02}" for minute in range(1, 10) for frame in (0, 1)}
    assert not dropped & all_
    assert timecode == "00:10:00;17"
    assert advance_timecode("23:59:59;29", 1, rate) == "00:00:00;00"
    assert advance_timecode("00:00:59;59", 1, Fraction(60000, 1001)) == "00:01:00;04"


def test_a_timecode_that_the_rate_has_not_is_told_and_left_out(tmp_path):
    assert not is_timecode("00:00:00;00", Fraction(25))
    source = make_rich(tmp_path / "source.mkv", picture_texts={"timecode": "00:00:00;00"})
    warnings = rewrite(source, tmp_path / "out.mov")
    assert warnings == ("the timecode 00:00:00;00 is left out, since it does not fit 25 frames a second",)


@pytest.mark.parametrize("to", ["mp4", "mkv"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_cover_pictures_are_copied(tmp_path, ending, to):
    source, target = make_rich(tmp_path / f"source.{ending}", cover=True), tmp_path / f"out.{to}"
    assert rewrite(source, target) == ()
    with av.open(str(target)) as container:
        covers = [each for each in container.streams.video if each.disposition & Disposition.attached_pic]
        assert len(covers) == 1
        assert len(video_streams(container)) == 1
        assert bytes(next(packet for packet in container.demux(covers[0]) if packet.size)) == cover_bytes()


def test_attached_files_are_copied(tmp_path):
    source, target = make_rich(tmp_path / "source.mkv", fonts=True, subtitles="ass"), tmp_path / "out.mkv"
    assert rewrite(source, target) == ()
    with av.open(str(target)) as container:
        (font,) = container.streams.attachments
        assert (font.name, font.mimetype, font.data) == ("a.ttf", "application/x-truetype-font", b"FONT" * 100)


@pytest.mark.parametrize("to", ["mp4", "mov"])
def test_data_of_cameras_is_copied_and_cut(tmp_path, to):
    source = make_rich(tmp_path / "source.mp4", data=True)
    rewrite(source, tmp_path / f"whole.{to}")
    rewrite(source, tmp_path / f"cut.{to}", 25, start_seconds=1.0)
    before, whole, cut = (
        next(tally for tally in tally_streams(path) if tally.kind == "data")
        for path in (source, tmp_path / f"whole.{to}", tmp_path / f"cut.{to}")
    )
    assert (whole.packets, whole.checksum) == (before.packets, before.checksum) == (4, before.checksum)
    assert (cut.packets, cut.first_seconds, cut.last_seconds) == (2, 0, Fraction(1, 2))


@pytest.mark.parametrize(
    ("ending", "to", "asked", "what", "endings"),
    [
        ("mkv", "mp4", {"fonts": True}, "attached file a.ttf", ".mkv"),
        ("mkv", "mov", {"cover": True}, "cover picture", ".mp4 or .mkv"),
        ("mp4", "mkv", {"data": True}, "data stream GoPro MET", ".mp4 or .mov"),
    ],
)
def test_what_is_left_out_is_told_with_what_would_hold_it(tmp_path, ending, to, asked, what, endings):
    source = make_rich(tmp_path / f"source.{ending}", **asked)
    (warning,) = rewrite(source, tmp_path / f"out.{to}")
    why = f"since a .{to} file cannot hold it"
    assert warning == f"the {what} is left out, {why}; a name that ends in {endings} keeps it"
    for other in endings.split(" or "):
        assert rewrite(source, tmp_path / f"out{other}") == ()


def test_several_things_that_are_left_out_are_told_each(tmp_path):
    source = make_rich(tmp_path / "source.mkv", cover=True, fonts=True, second_video=True)
    warnings = rewrite(source, tmp_path / "out.mov")
    assert len(warnings) == 3
    for what in ("cover picture", "attached file a.ttf", "1 further video stream is not copied"):
        assert sum(what in warning for warning in warnings) == 1


def test_the_pictures_of_another_stream_come_with_its_texts(tmp_path):
    source, target = make_rich(tmp_path / "source.mkv", second_video=True), tmp_path / "out.mkv"
    with (
        VideoReader(source, DecodeSettings(stream=1)) as reader,
        VideoWriter(target, reader.info, FAST, copy_from=source, video_stream=1) as writer,
    ):
        for frame in reader.frames():
            writer.write(frame)
    with av.open(str(target)) as container:
        assert container.streams.video[0].metadata["title"] == "Second"


def test_a_cover_and_texts_of_any_name_are_both_kept_only_by_matroska(tmp_path):
    source = make_rich(tmp_path / "source.mkv", texts=CAMERA, cover=True)
    (warning,) = rewrite(source, tmp_path / "out.mp4")
    assert "com.apple.quicktime.make" in warning
    assert PLAIN.items() <= texts_of(tmp_path / "out.mp4").items()
    assert rewrite(source, tmp_path / "out.mkv") == ()
    assert CAMERA.items() <= texts_of(tmp_path / "out.mkv").items()


def test_an_export_verifies_what_it_copied(tmp_path):
    source = make_rich(
        tmp_path / "source.mp4", subtitles="mov_text", data=True, picture_texts={"timecode": "01:00:00:00"}
    )
    told = list(export_video(Clip(source, NEUTRAL, 0.4, encode=FAST, output=tmp_path / "out.mp4")))
    words = {check.name: check.words for check in told[-1].checks}
    assert words["subtitles"] == "2 subtitles"
    assert words["data"] == "3 data packets"
    assert words["chapters"] == "2 chapters"
    assert words["timecode"] == "timecode 01:00:00:10"


@pytest.mark.parametrize(
    ("lost", "wrong"),
    [
        ({"subtitles": ""}, {"subtitles": "there are 0 subtitle streams instead of 1"}),
        ({"picture_texts": {}}, {"timecode": "the timecode is missing instead of 01:00:00:00"}),
    ],
)
def test_what_is_missing_beside_the_pictures_fails_its_check(tmp_path, monkeypatch, lost, wrong):
    whole = {"subtitles": "mov_text", "picture_texts": {"timecode": "01:00:00:00"}}
    source, less = make_rich(tmp_path / "source.mp4", **whole), make_rich(tmp_path / "less.mp4", **{**whole, **lost})
    intended: list[Any] = []
    monkeypatch.setattr(
        "vecnet_core.export.FileVerifier", lambda path, each: intended.append(each) or FileVerifier(path, each)
    )
    list(export_video(Clip(source, NEUTRAL, encode=FAST, output=tmp_path / "out.mp4")))
    verifier = FileVerifier(less, replace(intended[0], samples={}))
    list(verifier)
    assert {check.name: check.words for check in verifier.verification.checks if not check.is_good} == wrong


@pytest.mark.parametrize("pts", [[1001 * number + 3003 for number in range(12)], None], ids=["late", "at-zero"])
def test_ticks_and_the_time_of_the_first_frame_are_the_sources(tmp_path, pts):
    rate, base = Fraction(24000, 1001), Fraction(1, 24000)
    source = make_clip(tmp_path / "source.mp4", rate=rate, time_base=base, pts=pts, audio="aac")
    rewrite(source, tmp_path / "out.mp4")
    with VideoReader(source) as before, VideoReader(tmp_path / "out.mp4") as after:
        assert after.info.time_base == before.info.time_base
        assert list(after.pts()) == list(before.pts())


@pytest.mark.parametrize(("audio", "endings"), [("libopus", ".mp4 or .mkv"), ("flac", ".mp4 or .mkv")])
def test_sound_that_a_container_only_claims_to_hold_is_refused_with_those_that_do(tmp_path, audio, endings):
    """FFmpeg lists Opus and FLAC for MOV, and refuses them when the file begins."""
    source = make_clip(tmp_path / "source.mkv", audio=audio)
    with pytest.raises(VideoWriteError, match="cannot hold the source's") as caught:
        rewrite(source, tmp_path / "out.mov")
    assert caught.value.hint.endswith(endings)
    for ending in endings.split(" or "):
        assert rewrite(source, tmp_path / f"out{ending}") == ()
