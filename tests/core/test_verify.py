"""Laws of verification: what was written as meant passes, and each way a file can be wrong fails the check for it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from clips import FRAMES, make_clip

from vecnet_core.errors import InputError
from vecnet_core.export import export_video
from vecnet_core.frame import ColorTags
from vecnet_core.project import Clip
from vecnet_core.settings import CorrectionSettings
from vecnet_core.verify import FileVerifier, IntendedFile, SampleFrames
from vecnet_core.video.color import limit_range
from vecnet_core.video.copying import tally_streams
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vecnet_core.frame import Frame
    from vecnet_core.verify import Check

NEUTRAL = CorrectionSettings(strength=0.0)
LOSSLESS = EncodeSettings("ffv1")
VARIABLE = [0, 3, 4, 9, 10, 16, 17, 18, 30, 31, 32, 40]
ALL = ["file", "frames", "times", "duration", "picture", "colours", "sound", "samples"]


def checks_of(path: Path, intended: IntendedFile) -> dict[str, Check]:
    verifier = FileVerifier(path, intended)
    list(verifier)
    return {check.name: check for check in verifier.verification.checks}


def failures(path: Path, intended: IntendedFile) -> dict[str, str]:
    return {name: check.words for name, check in checks_of(path, intended).items() if not check.is_good}


@pytest.fixture
def intend(tmp_path: Path) -> Callable[..., IntendedFile]:
    """What a copy of a clip is meant to be; the copy itself is `copy.mkv`, or of another ending."""

    def make(clip: Path, encode: EncodeSettings = LOSSLESS, name: str = "copy.mkv") -> IntendedFile:
        samples = SampleFrames(FRAMES, tmp_path)
        with VideoReader(clip) as reader:
            with VideoWriter(tmp_path / name, reader.info, encode, copy_from=clip) as writer:
                for frame in reader.frames():
                    samples.take(writer.write(frame))
            return IntendedFile(
                source=reader.info,
                pts=reader.pts(),
                duration_seconds=reader.info.duration_seconds,
                pixel_aspect=writer.pixel_aspect,
                layout=writer.plan.layout,
                color=writer.plan.color,
                is_lossless=writer.plan.encoder.is_lossless,
                coarseness=writer.plan.encoder.coarseness(encode),
                are_pictures=False,
                has_alpha=False,
                has_hdr_metadata=False,
                copied=writer.copied,
                chapters=writer.chapters,
                timecode=writer.timecode,
                samples=samples.frames(writer.plan.layout, writer.plan.color),
            )

    return make


# What is right


@pytest.mark.parametrize(
    ("clip", "encode", "ending", "span"),
    [
        ({"audio": "aac"}, EncodeSettings(), "mp4", {}),
        ({"audio": "aac"}, EncodeSettings("hevc", preset="ultrafast"), "mov", {}),
        ({"audio": "aac"}, LOSSLESS, "mkv", {}),
        ({}, EncodeSettings("av1", preset="12"), "webm", {}),
        ({"layout": "yuv420p10le"}, EncodeSettings("prores"), "mov", {}),
        ({"layout": "yuv420p10le", "codec": "ffv1", "name": "clip.mkv"}, EncodeSettings(), "mp4", {}),
        ({"time_base": Fraction(1, 100), "pts": VARIABLE, "audio": "aac"}, EncodeSettings(), "mp4", {}),
        ({"time_base": Fraction(1, 90000), "pts": [3003 * i for i in range(FRAMES)]}, LOSSLESS, "mkv", {}),
        ({"rate": Fraction(12), "audio": "aac"}, EncodeSettings(), "mp4", {"start_seconds": 0.3, "stop_seconds": 0.8}),
        ({"rate": Fraction(12), "audio": "aac"}, EncodeSettings(), "mkv", {"start_seconds": 0.3}),
        ({"rotation": 90, "pixel_aspect": Fraction(4, 3)}, EncodeSettings(), "mp4", {}),
        ({"layout": "gray"}, EncodeSettings(crf=40), "mkv", {}),
        ({"layout": "gray", "codec": "ffv1", "name": "clip.mkv"}, EncodeSettings("av1", preset="12"), "mp4", {}),
        ({"frames": 1}, EncodeSettings(), "mp4", {}),
        ({"frames": 2, "color": ColorTags("bt709", "full", "bt709", "bt709")}, EncodeSettings("prores"), "mov", {}),
        ({"color": ColorTags("bt601", "limited", assumed=("matrix", "range"))}, EncodeSettings(), "mov", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_good_export_passes_every_check(
    tmp_path: Path, clip: dict[str, Any], encode: EncodeSettings, ending: str, span: dict[str, float]
) -> None:
    made = {"name": "clip.mp4", "frames": FRAMES} | clip
    source = make_clip(tmp_path / made.pop("name"), **made)
    output = tmp_path / f"out.{ending}"
    told = list(export_video(Clip(source, NEUTRAL, encode=encode, output=output, **span)))
    checks = told[-1].checks
    assert [check.name for check in checks] == [name for name in ALL if name != "sound" or "audio" in clip]
    assert all(check.is_good for check in checks)
    words = {check.name: check.words for check in checks}
    assert words["frames"] == f"{told[-1].total} frames"
    samples = min(5, told[-1].total)
    assert words["samples"].startswith(f"{samples} sample frame{'s' if samples > 1 else ''} (")
    if "audio" in clip:
        assert words["sound"] == f"{sum(tally.packets for tally in tally_streams(output))} audio packets"
    steps = [(each.done, each.total) for each in told if each.stage == "verify"]
    total = 1 + ("audio" in clip) + samples
    assert steps == [(done, total) for done in range(total + 1)]


def test_what_is_lossless_comes_back_equal(clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile]) -> None:
    assert checks_of(tmp_path / "copy.mkv", intend(clip))["samples"].words == "5 sample frames (equal)"


@pytest.mark.parametrize(("crf", "bits"), [(18, 8), (35, 8), (51, 8), (18, 10)])
def test_noise_and_coarse_quality_are_no_failure(
    new_clip: Callable[..., Path], tmp_path: Path, intend: Callable[..., IntendedFile], crf: int, bits: int
) -> None:
    """A dark clip full of noise is what compression changes most."""

    def noise(index: int) -> np.ndarray:
        dark = np.full((96, 128, 3), 0.2, np.float32)
        return np.clip(dark + np.random.default_rng(index).normal(0, 0.1, dark.shape), 0, 1).astype(np.float32)

    layout = "yuv420p" if bits == 8 else "yuv420p10le"
    source = new_clip("noise.mkv", codec="ffv1", layout=layout, size=(96, 128), picture=noise)
    intended = intend(source, EncodeSettings("h264", crf), "copy.mp4")
    assert failures(tmp_path / "copy.mp4", intended) == {}


def test_frames_in_one_millisecond_are_written_apart(
    new_clip: Callable[..., Path], tmp_path: Path, intend: Callable[..., IntendedFile]
) -> None:
    """Two frames 0.08 ms apart had one time in Matroska, so that one of them was lost."""
    times = [512 * index for index in range(FRAMES)]
    times[7] = times[6] + 1
    source = new_clip("crowded.mp4", rate=Fraction(24), time_base=Fraction(1, 12288), pts=times)
    intended = intend(source)
    assert failures(tmp_path / "copy.mkv", intended) == {}
    with VideoReader(tmp_path / "copy.mkv") as reader:
        assert np.diff(reader.pts())[6] == 1


# What is wrong


def remux(
    source: Path,
    target: Path,
    video: Callable[[list[Any]], list[Any]] = lambda packets: packets,
    sound: Callable[[list[Any]], list[Any]] = lambda packets: packets,
) -> Path:
    """Copy a file packet by packet, after a change to the list of its pictures or sounds."""
    with av.open(str(source)) as given, av.open(str(target), "w") as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in given.streams}
        packets = [packet for packet in given.demux() if packet.size]
        kept = video([packet for packet in packets if packet.stream.type == "video"])
        kept += sound([packet for packet in packets if packet.stream.type == "audio"])
        for packet in sorted(kept, key=lambda packet: packet.dts * packet.time_base):
            packet.stream = streams[packet.stream_index]
            output.mux(packet)
    return target


def test_a_dropped_frame_is_found(clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile]) -> None:
    intended = intend(clip)
    for place, found in ((5, {"frames", "times", "samples"}), (11, {"frames", "duration", "samples"})):
        wrong = remux(
            tmp_path / "copy.mkv", tmp_path / f"{place}.mkv", lambda all_, at=place: all_[:at] + all_[at + 1 :]
        )
        told = failures(wrong, intended)
        assert told["frames"] == "11 frames instead of 12"
        assert found <= set(told)


def test_a_shifted_time_is_found(clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile]) -> None:
    def shift(packets: list[Any]) -> list[Any]:
        packets[7].pts = packets[7].dts = packets[7].pts + 12
        return packets

    intended = intend(clip)
    wrong = remux(tmp_path / "copy.mkv", tmp_path / "wrong.mkv", shift)
    assert failures(wrong, intended) == {"times": "frame 7 is shown at 0.2920 s instead of 0.2800 s"}


@pytest.mark.parametrize(
    ("field", "meant", "words"),
    [
        ("matrix", "bt601", "the colour matrix is bt709 instead of bt601"),
        ("range", "full", "the colour range is limited instead of full"),
        ("primaries", "bt2020", "the colour primaries is bt709 instead of bt2020"),
        ("transfer", "smpte2084", "the colour transfer is bt709 instead of smpte2084"),
    ],
)
def test_a_wrong_colour_tag_is_found(
    clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile], field: str, meant: str, words: str
) -> None:
    intended = intend(clip)
    wrong = replace(intended, color=replace(intended.color, **{field: meant}))
    assert failures(tmp_path / "copy.mkv", wrong) == {"colours": words}


def test_a_missing_or_changed_or_late_sound_packet_is_found(
    clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile]
) -> None:
    intended = intend(clip)
    count = intended.copied[0].packets
    copy = tmp_path / "copy.mkv"

    def swapped(packets: list[Any]) -> list[Any]:
        packets[3].pts, packets[4].pts = packets[4].pts, packets[3].pts
        packets[3].dts, packets[4].dts = packets[4].dts, packets[3].dts
        return packets

    def late(packets: list[Any]) -> list[Any]:
        for packet in packets:
            packet.pts, packet.dts = packet.pts + 40, packet.dts + 40
        return packets

    missing = remux(copy, tmp_path / "missing.mkv", sound=lambda packets: packets[:5] + packets[6:])
    assert failures(missing, intended) == {"sound": f"the sound has {count - 1} packets instead of {count}"}
    changed = remux(copy, tmp_path / "changed.mkv", sound=swapped)
    assert failures(changed, intended) == {"sound": "the sound has other bytes than the source's"}
    shifted = remux(copy, tmp_path / "late.mkv", sound=late)
    assert failures(shifted, intended) == {"sound": "the sound is 0.040 s too late"}
    silent = remux(copy, tmp_path / "silent.mkv", sound=lambda _: [])
    assert failures(silent, intended) == {"sound": "there are 0 sound streams instead of 1"}


def rewritten(
    intended: IntendedFile, target: Path, encode: EncodeSettings, change: Callable[[list[Frame]], list[Frame]]
) -> Path:
    """The source encoded again with a change to its frames, at the same times."""
    with VideoReader(intended.source.path) as reader:
        frames = list(reader.frames())
        with VideoWriter(target, reader.info, encode, copy_from=intended.source.path) as writer:
            for like, frame in zip(frames, change(frames), strict=True):
                writer.write(replace(frame, pts=like.pts, duration=like.duration, index=like.index))
    return target


@pytest.mark.parametrize("encode", [LOSSLESS, EncodeSettings()], ids=["lossless", "lossy"])
def test_swapped_frames_are_found(
    clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile], encode: EncodeSettings
) -> None:
    intended = intend(clip, encode)
    middle = FRAMES // 2

    def swap(frames: list[Frame]) -> list[Frame]:
        frames = list(frames)
        frames[middle], frames[middle + 1] = frames[middle + 1], frames[middle]
        return frames

    told = failures(rewritten(intended, tmp_path / "wrong.mkv", encode, swap), intended)
    assert told == {"samples": f"what was encoded as frame {middle} is shown as frame {middle + 1}"}


@pytest.mark.parametrize("encode", [LOSSLESS, EncodeSettings()], ids=["lossless", "lossy"])
@pytest.mark.parametrize("kind", ["range", "chroma"])
def test_a_wrong_range_or_colour_is_found_in_the_pictures(
    clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile], encode: EncodeSettings, kind: str
) -> None:
    """The tags are right and the samples are not."""
    intended = intend(clip, encode)

    def change(frame: Frame) -> Frame:
        if kind == "chroma":
            return replace(frame, planes=(frame.planes[0], frame.planes[2], frame.planes[1]))
        as_full = replace(frame, color=replace(frame.color, range="full"))
        return replace(limit_range(as_full), color=frame.color)

    wrong = rewritten(intended, tmp_path / "wrong.mkv", encode, lambda frames: [change(frame) for frame in frames])
    told = failures(wrong, intended)
    assert list(told) == ["samples"]
    assert told["samples"].startswith("frame 0 ")


@pytest.mark.parametrize(
    ("fact", "meant", "words"),
    [
        ("width", 66, "the picture is 64x48 instead of 66x48"),
        ("rotation_degrees", 90, "the rotation is 0 degrees instead of 90"),
        ("is_mirrored", True, "the mark that the picture is shown mirrored is missing"),
    ],
)
def test_a_wrong_size_or_rotation_is_found(
    clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile], fact: str, meant: int, words: str
) -> None:
    intended = intend(clip)
    wrong = replace(intended, source=replace(intended.source, **{fact: meant}))
    assert failures(tmp_path / "copy.mkv", wrong)["picture"] == words
    wrong = replace(intended, pixel_aspect=Fraction(4, 3))
    assert failures(tmp_path / "copy.mkv", wrong)["picture"] == "the pixel aspect is 1 instead of 4/3"
    wrong = replace(intended, layout=replace(intended.layout, bit_depth=10))
    assert failures(tmp_path / "copy.mkv", wrong)["picture"] == "samples have 8 bits instead of 10"


def test_a_wrong_duration_is_found(clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile]) -> None:
    wrong = replace(intend(clip), duration_seconds=1.0)
    assert failures(tmp_path / "copy.mkv", wrong) == {"duration": "it is 0.480 s long instead of 1.000 s"}


def test_a_file_that_does_not_open_is_a_failed_check(
    clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile]
) -> None:
    intended = intend(clip)
    (tmp_path / "copy.mkv").write_bytes(b"\0" * 5000)
    assert failures(tmp_path / "copy.mkv", intended).keys() == {"file"}
    assert "cannot be read again" in failures(tmp_path / "copy.mkv", intended)["file"]


def test_a_damaged_frame_is_a_failed_check(
    new_clip: Callable[..., Path], tmp_path: Path, intend: Callable[..., IntendedFile]
) -> None:
    intended = intend(new_clip("clip.mkv", codec="ffv1"))

    def damage(packets: list[Any]) -> list[Any]:
        hurt = av.Packet(bytes(40))
        old = packets[FRAMES // 2]
        hurt.pts, hurt.dts, hurt.duration, hurt.time_base = old.pts, old.dts, old.duration, old.time_base
        hurt.is_keyframe = True
        hurt.stream = old.stream
        packets[FRAMES // 2] = hurt
        return packets

    told = failures(remux(tmp_path / "copy.mkv", tmp_path / "hurt.mkv", damage), intended)
    assert list(told) == ["samples"]


# The parts


@pytest.mark.parametrize("total", [1, 2, 3, 4, 5, 6, 100, 100_000])
def test_the_samples_are_few_and_always_the_same(clip: Path, tmp_path: Path, total: int) -> None:
    with VideoReader(clip) as reader:
        frame = reader.frame(0)
    kept = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        samples = SampleFrames(total, folder)
        for _ in range(total):
            samples.take(frame)
        kept.append(list(samples.frames(frame.layout, frame.color)))
    assert kept[0] == kept[1]
    assert len(kept[0]) == min(5, total)
    assert {0, total // 2, total - 1} <= set(kept[0])


def test_a_verification_is_read_at_its_end(clip: Path, tmp_path: Path, intend: Callable[..., IntendedFile]) -> None:
    verifier = FileVerifier(tmp_path / "copy.mkv", intend(clip))
    with pytest.raises(InputError, match="to its end"):
        _ = verifier.verification
