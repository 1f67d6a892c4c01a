"""Laws of an export: the file is the corrected clip, it is cut where asked, and stopping leaves nothing behind."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import FRAMES, audio_packets, make_clip, number_of

from vecnet_core.checkpoint import Checkpoint
from vecnet_core.correction.corrector import Corrector
from vecnet_core.device import Device
from vecnet_core.errors import InputError, VecnetError, VideoOpenError, VideoVerifyError, VideoWriteError
from vecnet_core.export import export_video, frame_range
from vecnet_core.frame import ColorTags, HdrMetadata, MasteringDisplay
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.project import Clip
from vecnet_core.rendering import ClipRenderer, LightScan
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.color import from_rgb
from vecnet_core.video.encode import ENCODERS, EncodeSettings
from vecnet_core.video.layouts import named_layout
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.writer import VideoWriter

NEUTRAL = CorrectionSettings(strength=0.0)
LOSSLESS = EncodeSettings("ffv1")


@pytest.fixture(scope="module")
def corrector():
    import torch

    torch.manual_seed(0)
    network = VECNet(VECNetConfig(analysis_short_side=32, widths=(8, 8, 8), depths=(1, 1, 1), token_channels=8)).eval()
    return Corrector(Checkpoint(network, "0" * 16), Device("cpu", "CPU"))


def planes_of(path):
    with VideoReader(path) as reader:
        return [frame.planes for frame in reader.frames()]


def equal(first, second):
    return all((a == b).all() for x, y in zip(first, second, strict=True) for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p10le", "gray"])
def test_neutral_settings_hand_the_planes_through(new_clip, tmp_path, layout):
    clip = new_clip("clip.mkv", codec="ffv1", layout=layout)
    output = tmp_path / "out.mkv"
    told = list(export_video(Clip(clip, NEUTRAL, encode=LOSSLESS, output=output)))
    assert equal(planes_of(output), planes_of(clip))
    assert [told[0].stage, told[-1].stage] == ["export", "done"]
    assert (told[-1].done, told[-1].total, told[-1].output) == (FRAMES, FRAMES, output)


def test_the_file_is_what_the_renderer_gives(new_clip, tmp_path, corrector):
    clip = new_clip("clip.mkv", codec="ffv1", audio="aac")
    output = tmp_path / "out.mkv"
    told = list(export_video(Clip(clip, encode=LOSSLESS, output=output), corrector))
    assert list(dict.fromkeys(each.stage for each in told)) == ["light", "export", "join", "verify", "done"]
    with VideoReader(clip) as reader:
        scan = LightScan(reader)
        list(scan)
        renderer = ClipRenderer(reader, corrector, scan.light)
        wanted = [frame.planes for frame in renderer.corrected_frames(CorrectionSettings())]
    assert equal(planes_of(output), wanted)
    assert not equal(planes_of(output), planes_of(clip))
    assert told[-1].device == "CPU"


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p10le"])
@pytest.mark.parametrize("settings", [CorrectionSettings(), CorrectionSettings(0.6, 1.5, 0.4, 0.5, denoise=0.7)])
def test_the_preview_shows_what_is_exported(new_clip, tmp_path, corrector, layout, settings):
    clip = new_clip("clip.mkv", codec="ffv1", layout=layout)
    output = tmp_path / "out.mkv"
    list(export_video(Clip(clip, settings, encode=LOSSLESS, output=output), corrector))
    with VideoReader(clip) as reader, VideoReader(output) as written:
        scan = LightScan(reader)
        list(scan)
        renderer = ClipRenderer(reader, corrector, scan.light)
        for index in (7, 0, FRAMES - 1):
            shown = from_rgb(renderer.render(index, settings).corrected, reader.frame(index))
            for one, other in zip(shown.planes, written.frame(index).planes, strict=True):
                assert int(np.abs(one.astype(int) - other).max()) <= 1


def test_a_part_is_corrected_as_in_the_whole(new_clip, tmp_path, corrector):
    clip = new_clip("clip.mkv", codec="ffv1", rate=Fraction(10))
    whole, part = tmp_path / "whole.mkv", tmp_path / "part.mkv"
    list(export_video(Clip(clip, encode=LOSSLESS, output=whole), corrector))
    list(export_video(Clip(clip, start_seconds=0.3, stop_seconds=0.8, encode=LOSSLESS, output=part), corrector))
    inside = planes_of(whole)[3:8]
    # Batches differ in their shape, so the network's sums may round differently by one code.
    for a, b in zip(planes_of(part), inside, strict=True):
        assert max(int(np.abs(x.astype(int) - y).max()) for x, y in zip(a, b, strict=True)) <= 1


def test_a_range_cuts_sound_and_picture(new_clip, tmp_path):
    clip = new_clip("clip.mp4", rate=Fraction(12), audio="aac")
    output = tmp_path / "out.mp4"
    list(export_video(Clip(clip, NEUTRAL, 0.25, 0.75, output=output)))
    with VideoReader(output) as reader:
        assert [number_of(frame) for frame in reader.frames()] == [3, 4, 5, 6, 7, 8]
    first, last = audio_packets(output)[0][0], audio_packets(output)[-1][0]
    assert 0 <= first < Fraction(1024, 48000)
    assert last < Fraction(1, 2)


@pytest.mark.parametrize(
    ("start", "stop", "frames"),
    [
        (0, None, (0, 12)),
        (0.1, None, (1, 12)),
        (0.15, 0.35, (1, 4)),
        (0, 0.1, (0, 1)),
        (1.19, None, (11, 12)),
        (0.3, 9, (3, 12)),
        (0.31, 0.32, (3, 4)),
    ],
)
def test_a_range_holds_the_frames_shown_in_it(new_clip, start, stop, frames):
    clip = new_clip("clip.mkv", codec="ffv1", rate=Fraction(10), time_base=Fraction(1, 10))
    with VideoReader(clip) as reader:
        assert frame_range(reader, Clip(clip, start_seconds=start, stop_seconds=stop)) == frames


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_closing_the_generator_leaves_the_folder_as_it_was(new_clip, tmp_path, corrector, steps):
    clip = new_clip("clip.mkv", codec="ffv1")
    folder = tmp_path / "out"
    folder.mkdir()
    output = folder / "out.mkv"
    output.write_bytes(b"precious")
    running = threading.active_count()
    export = export_video(Clip(clip, encode=LOSSLESS, output=output), corrector)
    for _ in range(steps):
        next(export)
    export.close()
    assert [path.name for path in folder.iterdir()] == ["out.mkv"]
    assert output.read_bytes() == b"precious"
    assert threading.active_count() == running


def test_an_encoder_that_fails_stops_the_export(new_clip, tmp_path, monkeypatch):
    clip = new_clip("clip.mkv", codec="ffv1")
    output = tmp_path / "out.mkv"

    def write(self, frame):
        raise VideoWriteError("the disk is full", path=output)

    monkeypatch.setattr(VideoWriter, "write", write)
    with pytest.raises(VideoWriteError, match="full"):
        list(export_video(Clip(clip, NEUTRAL, encode=LOSSLESS, output=output)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mkv"]


@pytest.mark.parametrize("had_output", [True, False])
def test_a_file_that_fails_its_check_takes_no_place(new_clip, tmp_path, monkeypatch, had_output):
    clip = new_clip("clip.mp4", audio="aac")
    output = tmp_path / "out.mkv"
    if had_output:
        output.write_bytes(b"precious")
    there = sorted(tmp_path.iterdir())
    complete = VideoWriter.complete

    def spoil(self):
        part = complete(self)
        whole = part.read_bytes()
        part.write_bytes(whole[: 2 * len(whole) // 3])
        return part

    monkeypatch.setattr(VideoWriter, "complete", spoil)
    (tmp_path / "out.unverified.mkv").write_bytes(b"kept before")
    for kept in ("out.unverified-2.mkv", "out.unverified-3.mkv"):
        sentence = rf"failed its check: \d+ frames instead of 12; it is kept as {kept};"
        with pytest.raises(VideoVerifyError, match=sentence) as caught:
            list(export_video(Clip(clip, NEUTRAL, encode=LOSSLESS, output=output)))
        assert caught.value.sentence.count("\n") == 0
        assert (tmp_path / kept).stat().st_size > 1000
    names = ("out.unverified.mkv", "out.unverified-2.mkv", "out.unverified-3.mkv")
    assert sorted(tmp_path.iterdir()) == sorted([*there, *(tmp_path / name for name in names)])
    assert (tmp_path / names[0]).read_bytes() == b"kept before"
    assert not had_output or output.read_bytes() == b"precious"


def test_an_export_stopped_while_it_is_verified_loses_nothing(new_clip, tmp_path):
    output = tmp_path / "out.mkv"
    clip = Clip(new_clip("clip.mkv", codec="ffv1"), NEUTRAL, encode=LOSSLESS, output=output)
    export = export_video(clip)
    while next(export).stage != "verify":
        assert not output.exists()
    next(export)
    assert not output.exists()
    export.close()
    assert not output.exists()
    assert list(export_video(clip, resume=True))[-1].kept == FRAMES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mkv", "out.mkv"]


def test_the_time_left_is_told_until_the_end(new_clip, tmp_path):
    told = list(export_video(Clip(new_clip("clip.mp4"), NEUTRAL, output=tmp_path / "out.mp4")))
    assert told[-1].seconds_left == 0
    left = [each.seconds_left for each in told if each.stage == "verify"]
    assert left[0] is None
    assert left[-1] == 0
    assert all(seconds is not None and seconds >= 0 for seconds in left[1:])


def test_what_cannot_be_exported_is_refused_before_any_work(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    there = sorted(tmp_path.iterdir())
    cases: list[tuple[Clip, type[VecnetError]]] = [
        (Clip(clip), InputError),
        (Clip(clip, output=clip), InputError),
        (Clip(clip, output=tmp_path / "none" / "out.mp4"), VideoWriteError),
        (Clip(clip, start_seconds=99, output=tmp_path / "out.mp4"), InputError),
        (Clip(tmp_path / "text.mp4", output=tmp_path / "out.mp4"), VideoOpenError),
        (Clip(Path("missing.mp4"), output=tmp_path / "out.mp4"), VideoOpenError),
    ]
    for project, kind in cases:
        with pytest.raises(kind) as caught:
            list(export_video(project))
        assert caught.value.sentence.count("\n") == 0
    assert sorted(tmp_path.iterdir()) == there


@pytest.mark.parametrize(("codec", "ending"), [("hevc", "mp4"), ("h264", "mkv"), ("av1", "mkv")])
def test_hdr_metadata_come_along_and_their_light_only_when_it_is_not_changed(tmp_path, corrector, codec, ending):
    display = MasteringDisplay((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.329), 0.005, 1000.0)
    settings = EncodeSettings(codec, preset="12" if codec == "av1" else "ultrafast")
    color = ColorTags("bt2020nc", "limited", "bt2020", "smpte2084")
    layout = named_layout(2, 2, 10)
    options = ENCODERS["hevc"].options(
        EncodeSettings("hevc", preset="ultrafast"), layout, HdrMetadata(display, 900, 300)
    )
    source = make_clip(tmp_path / "in.mkv", codec="libx265", layout=layout.name, color=color, options=options, frames=3)
    for strength, light in ((0.0, (900, 300)), (1.0, (0, 0))):
        output = tmp_path / f"out_{light[0]}.{ending}"
        clip = Clip(source, CorrectionSettings(strength=strength), encode=settings, output=output)
        told = list(export_video(clip, corrector))[-1]
        with VideoReader(output) as reader:
            assert (reader.info.hdr.max_cll, reader.info.hdr.max_fall) == light
            assert reader.info.hdr.mastering.max_nits == pytest.approx(1000)
            assert reader.info.color == color
        assert any("MaxCLL" in text for text in told.warnings) == (light == (0, 0))
