"""Laws of hardware encoders: one that passes its test is used, and where none does, software is, and says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import av
import pytest
from clips import FRAMES, make_clip

from vecnet_core.errors import SettingsError
from vecnet_core.export import export_video
from vecnet_core.project import Clip
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video import probe
from vecnet_core.video.encode import CODECS, ENCODERS, HARDWARE, EncodeSettings
from vecnet_core.video.layouts import plan_layout
from vecnet_core.video.presets import EXPORT_PRESETS, encode_of
from vecnet_core.video.probe import find_hardware, probe_encoder
from vecnet_core.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path

NEUTRAL = CorrectionSettings(strength=0.0)
WORKING = replace(
    HARDWARE["h264"][0],
    name="libx264",
    repacked={"yuv420p": "nv12", "yuv420p10le": "yuv420p10le"},
    quality_options={"crf": "{crf}", "preset": "ultrafast"},
)
"""Software in the guise of hardware: given packed pictures, and asked for quality in its own words."""

BROKEN = replace(WORKING, name="h264_of_nobody")


def layout_of(name: str):
    plan = plan_layout(name)
    assert plan is not None
    return plan.layout


def export(source: Path, output: Path, encode: EncodeSettings):
    return list(export_video(Clip(source, NEUTRAL, encode=encode, output=output)))[-1]


@pytest.mark.parametrize("layout", ["yuv420p", "yuv420p10le"])
def test_the_first_that_passes_its_test_is_used(tmp_path, monkeypatch, layout):
    monkeypatch.setitem(HARDWARE, "h264", (BROKEN, WORKING, BROKEN))
    found = find_hardware(ENCODERS["h264"], EncodeSettings(hardware=True), layout_of(layout), 64, 48)
    assert found == (WORKING, ())
    source = make_clip(tmp_path / "in.mkv", codec="ffv1", layout=layout, audio="aac")
    done = export(source, tmp_path / "out.mp4", EncodeSettings("h264", hardware=True))
    assert not any("software" in text for text in done.warnings)
    assert all(check.is_good for check in done.checks)
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert (reader.info.frame_count, reader.info.layout.name) == (FRAMES, layout)


def test_software_takes_over_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setitem(HARDWARE, "h264", (BROKEN,))
    source = make_clip(tmp_path / "in.mp4")
    done = export(source, tmp_path / "out.mp4", EncodeSettings("h264", preset="ultrafast", hardware=True))
    why = "h264_of_nobody: it is not in this build of FFmpeg"
    assert done.warnings == (f"h264 is encoded in software, since no hardware does here ({why})",)
    plain = export(source, tmp_path / "plain.mp4", EncodeSettings("h264", preset="ultrafast"))
    assert plain.warnings == ()
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "plain.mp4").read_bytes()


def test_what_hardware_cannot_be_given_is_not_tried(monkeypatch):
    monkeypatch.setitem(HARDWARE, "h264", (WORKING,))
    monkeypatch.setattr(probe, "probe_encoder", lambda *_: pytest.fail("it was tried"))
    for name, encoder, has_alpha in (
        ("yuv444p12le", "h264", False),
        ("yuv420p", "h264", True),
        ("yuv420p", "ffv1", False),
    ):
        settings = EncodeSettings(encoder, hardware=True)
        found = find_hardware(ENCODERS[encoder], settings, layout_of(name), 64, 48, has_alpha=has_alpha)
        assert found.encoder is ENCODERS[encoder]
        assert len(found.warnings) == 1


def test_what_this_machine_has_is_found_out():
    """Every entry of the table, tried as it is: a name of FFmpeg's that is wrong would never work anywhere."""
    for encoder in (each for encoders in HARDWARE.values() for each in encoders):
        reason = probe_encoder(encoder)
        is_compiled_in = encoder.name in av.codecs_available
        assert (reason == "it is not in this build of FFmpeg") == (not is_compiled_in)
        if is_compiled_in:
            formats = {each.name for each in av.Codec(encoder.name, "w").video_formats or ()}
            assert set(encoder.repacked.values()) <= formats
            known = av.CodecContext.create(encoder.name, "w").supported_options
            assert set(encoder.quality_options or {}) <= {each.name for each in (*known.generic, *known.private)}
        options = encoder.options(EncodeSettings(encoder.codec, crf=20), layout_of("yuv420p"))
        assert any(text in {"20", "80", "7080"} for text in options.values())


@pytest.mark.parametrize("name", list(EXPORT_PRESETS))
def test_every_preset_writes_what_it_promises(tmp_path, name):
    preset = EXPORT_PRESETS[name]
    source = make_clip(tmp_path / "in.mkv", size=(120, 256), frames=2)
    encode = preset.encode
    if encode.codec in {"hevc", "av1"}:
        encode = replace(encode, preset={"hevc": "ultrafast", "av1": "12"}[encode.codec])
    done = export(source, tmp_path / f"out{preset.ending or source.suffix}", encode)
    assert all(check.is_good for check in done.checks)
    assert done.warnings == ()


def test_a_name_on_the_command_line_is_a_preset_or_a_codec(tmp_path):
    output = tmp_path / "out.mov"
    assert encode_of("hevc-10", output, crf=18) == EncodeSettings("hevc", 18, bit_depth=10)
    assert encode_of("prores", output, preset="lt") == EncodeSettings("prores", preset="lt")
    assert encode_of(None, output, alpha="drop", crf=None) == EncodeSettings("match", alpha="drop")
    assert encode_of(None, tmp_path / "out_%d.TIF") == EncodeSettings("tiff")
    for codec in CODECS:
        assert encode_of(codec, output).codec == codec
    with pytest.raises(SettingsError) as caught:
        encode_of("mpeg7", output)
    assert "prores-4444" in caught.value.hint
    with pytest.raises(SettingsError):
        encode_of("ffv1", output, crf=3)
