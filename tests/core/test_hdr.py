"""Laws of HDR: the curve loses no code, highlights stay, metadata survive, and HDR is corrected as its SDR twin is."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from clips import make_clip, make_frame, picture

from vecnet_core.correction.corrector import load_corrector
from vecnet_core.errors import VideoOpenError
from vecnet_core.frame import ColorTags, HdrMetadata, MasteringDisplay
from vecnet_core.rendering import ClipRenderer
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video import hdr
from vecnet_core.video.color import (
    convert_layout,
    from_rgb,
    reduce_to_rgb,
    regain_highlights,
    to_bt709,
    to_rgb,
    tone_map,
)
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.encode import ENCODERS, EncodeSettings, check_hdr
from vecnet_core.video.form import PictureForm
from vecnet_core.video.layouts import named_layout, write_planes
from vecnet_core.video.mastering import dynamic_kinds, is_dolby_profile_5, read_hdr_metadata
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.tags import numbers_of

PQ = ColorTags("bt2020nc", "limited", "bt2020", "smpte2084")
HLG = replace(PQ, transfer="arib-std-b67")
FULL_PQ = replace(PQ, range="full")
P3 = MasteringDisplay((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.329), 0.0001, 1000.0)
HDR10 = HdrMetadata(P3, 1000, 400)
TO_2020 = np.linalg.inv(hdr.BT2020_TO_BT709.astype(np.float64))


def grey_ramp(color, layout="yuv444p10le"):
    """A frame that holds every luma code of 10 bits once, 32 x 32."""
    codes = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    if color.range == "limited":
        codes = np.clip(codes, 64, 940)
    frame = make_frame(layout=layout, color=color, size=(32, 32))
    neutral = [np.full_like(plane, 512) for plane in frame.planes[1:]]
    return replace(frame, planes=(codes, *neutral))


def hdr_of(rgb, color=PQ):
    """Codes of the HDR picture that shows what graded SDR shows: BT.2020 light, 203 nits white (BT.2408)."""
    light = (rgb.astype(np.float64) ** hdr.MONITOR_GAMMA) @ TO_2020.T
    return hdr.nits_to_code(hdr.WHITE_NITS * light, color.transfer).astype(np.float32)


def hdr_frame(rgb, color=PQ, layout="yuv444p10le"):
    """A frame of `hdr_of`: its codes through the matrix alone."""
    plain = make_frame(layout=layout, color=replace(color, transfer="bt709"), rgb=hdr_of(rgb, color))
    return replace(plain, color=color)


def sdr_of(frame):
    """The graded SDR that an HDR frame shows, ``(H, W, 3)`` in [0, 1]: the inverse of `hdr_frame`, clipped."""
    code = to_rgb(replace(frame, color=replace(frame.color, transfer="bt709"))).astype(np.float64)
    light = hdr.code_to_nits(code, frame.color.transfer) / hdr.WHITE_NITS @ hdr.BT2020_TO_BT709.astype(np.float64).T
    return np.clip(light, 0, 1) ** (1 / hdr.MONITOR_GAMMA)


def psnr(a, b):
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


# The curve


@pytest.mark.parametrize(
    ("transfer", "nits", "code"),
    [
        # ITU-R BT.2408, table 1: mid-grey, diffuse white; BT.2100: the peaks.
        ("smpte2084", 26.0, 0.38),
        ("smpte2084", 203.0, 0.58),
        ("smpte2084", 10_000.0, 1.0),
        ("arib-std-b67", 26.0, 0.38),
        ("arib-std-b67", 203.0, 0.75),
        ("arib-std-b67", 1000.0, 1.0),
    ],
)
def test_light_is_the_standards(transfer, nits, code):
    assert hdr.nits_to_code(np.array(nits), transfer) == pytest.approx(code, abs=0.002)
    assert hdr.code_to_nits(np.array(hdr.nits_to_code(np.array(nits), transfer)), transfer) == pytest.approx(nits)


@pytest.mark.parametrize("transfer", list(hdr.PEAK_NITS))
def test_grey_and_white_land_where_graded_sdr_has_them(transfer):
    grey, white, peak = hdr.code_to_working(
        hdr.nits_to_code(np.array([26.0, 203.0, hdr.PEAK_NITS[transfer]]), transfer), transfer
    )
    assert grey == pytest.approx((26 / 203) ** (1 / 2.4), abs=1e-6)
    assert 0.85 < white < 0.97
    assert peak == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("transfer", list(hdr.PEAK_NITS))
def test_the_curve_rises_smoothly(transfer):
    codes = np.linspace(0, 1, 1024)
    working = hdr.code_to_working(codes, transfer)
    slope = np.diff(working)
    assert (slope > 1e-6).all()
    # No corner, at the knee neither: the slope changes by little from code to code.
    assert np.abs(np.diff(np.log(slope[16:]))).max() < 0.35


@pytest.mark.parametrize("color", [PQ, HLG, FULL_PQ, replace(HLG, range="full")], ids=lambda c: c.transfer + c.range)
@pytest.mark.parametrize("layout", ["yuv444p10le", "gray10le"])
def test_every_code_comes_back(color, layout):
    frame = grey_ramp(color, layout)
    rgb = to_rgb(frame)
    assert (rgb.min(), rgb.max()) == (0.0, 1.0)
    back = from_rgb(rgb, frame)
    assert all((new == old).all() for new, old in zip(back.planes, frame.planes, strict=True))


@pytest.mark.parametrize("color", [PQ, HLG], ids=lambda c: c.transfer)
@pytest.mark.parametrize("layout", ["yuv420p10le", "yuv422p10le", "yuv444p12le"])
def test_colours_survive_the_round_trip(color, layout):
    noise = np.random.default_rng(1).uniform(0.35, 0.65, (48, 64, 3)).astype(np.float32)
    frame = replace(make_frame(layout=layout, color=replace(color, transfer="bt709"), rgb=noise), color=color)
    back = from_rgb(to_rgb(frame), frame)
    assert max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(back.planes, frame.planes, strict=True)) <= 1


def test_the_reduced_picture_is_the_full_one_averaged():
    frame = hdr_frame(picture(3), layout="yuv420p10le")
    full, small = to_rgb(frame), reduce_to_rgb(frame, 12, 16)
    assert np.abs(small - full.reshape(12, 4, 16, 4, 3).mean(axis=(1, 3)))[1:-1, 1:-1].mean() < 0.004


def test_a_roomier_layout_holds_the_same_hdr():
    frame = hdr_frame(picture(3), layout="yuv420p10le")
    moved = convert_layout(frame, named_layout(1, 1, 10))
    assert np.abs(to_rgb(moved) - to_rgb(frame)).max() < 0.003


# Highlights


@pytest.mark.parametrize("color", [PQ, HLG], ids=lambda c: c.transfer)
def test_what_is_not_corrected_keeps_its_light(color):
    frame = grey_ramp(color)
    source = to_rgb(frame)
    same = from_rgb(regain_highlights(source.copy(), source, color), frame)
    assert (same.planes[0] == frame.planes[0]).all()


def test_sdr_is_left_alone():
    rgb = picture(1)
    assert regain_highlights(rgb, rgb * 0.5, ColorTags("bt709", "limited")) is rgb


@pytest.mark.parametrize("color", [PQ, HLG], ids=lambda c: c.transfer)
def test_dark_lifted_to_full_white_is_diffuse_white(color):
    dark = np.full((4, 4, 3), 0.3, np.float32)
    regained = regain_highlights(np.ones_like(dark), dark, color)
    code = hdr.working_to_code(regained.astype(np.float64), color.transfer)
    assert hdr.code_to_nits(code, color.transfer) == pytest.approx(hdr.WHITE_NITS, rel=1e-3)


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.0, 1.25])
def test_highlights_stay_in_order(gain):
    source = to_rgb(grey_ramp(PQ)).reshape(1, -1, 3)
    regained = regain_highlights(np.minimum(source * np.float32(gain), 1), source, PQ)
    assert (np.diff(regained[0, :, 0]) >= 0).all()
    assert regained.max() <= 1


# Correction


@pytest.fixture(scope="module")
def corrector():
    return load_corrector(device="cpu")


def corrected(path, corrector):
    with VideoReader(path) as reader:
        return list(ClipRenderer(reader, corrector).corrected_frames(CorrectionSettings(), 0, 2))


@pytest.mark.parametrize(("stops", "closeness"), [(-2.5, 30), (0, 33), (1.2, 20)])
@pytest.mark.parametrize("color", [PQ, HLG], ids=lambda c: c.transfer)
def test_hdr_is_corrected_as_its_sdr_twin(tmp_path, corrector, color, stops, closeness):
    def scene(index):
        colors = picture(index, 128, 96) * 1.25
        # Half as colourful: BT.2020 numbers of strong colours look paler to the network than those of BT.709.
        natural = (colors + colors.mean(axis=-1, keepdims=True)) / 2
        return np.clip(natural * 2 ** (stops / hdr.MONITOR_GAMMA), 0, 1).astype(np.float32)

    def hdr_scene(index):
        frame = hdr_frame(scene(index), color, "yuv444p16le")
        return to_rgb(frame)

    size = {"size": (96, 128), "codec": "ffv1", "frames": 2}
    sdr = make_clip(tmp_path / "sdr.mkv", layout="yuv444p10le", picture=scene, **size)
    twin = make_clip(tmp_path / "hdr.mkv", layout="yuv444p10le", color=color, picture=hdr_scene, **size)
    for plain, other in zip(corrected(sdr, corrector), corrected(twin, corrector), strict=True):
        assert other.color == color
        assert psnr(sdr_of(other), to_rgb(plain)) > closeness


def test_neutral_settings_keep_the_planes(tmp_path, corrector):
    path = make_clip(tmp_path / "pq.mkv", codec="ffv1", layout="yuv420p10le", color=PQ, frames=2)
    with VideoReader(path) as reader:
        frames = ClipRenderer(reader, corrector).corrected_frames(CorrectionSettings(strength=0))
        for new, old in zip(frames, VideoReader(path).frames(), strict=True):
            assert all((a == b).all() for a, b in zip(new.planes, old.planes, strict=True))


def test_preview_equals_export(tmp_path, corrector):
    path = make_clip(tmp_path / "pq.mkv", codec="ffv1", layout="yuv420p10le", color=PQ, frames=2)
    settings = CorrectionSettings(exposure_ev=1.0)
    with VideoReader(path) as reader:
        renderer = ClipRenderer(reader, corrector)
        exported = next(renderer.corrected_frames(settings))
        shown = from_rgb(renderer.render(0, settings).corrected, reader.frame(0))
        # Sums of the network round differently in batches of another shape.
        assert (
            max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(exported.planes, shown.planes, strict=True)) <= 1
        )


# Metadata


def encode(path, codec, layout, options):
    """Two PQ frames by an encoder with its options."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, layout
        context, numbers = stream.codec_context, numbers_of(PQ)
        context.colorspace, context.color_range = numbers.space, numbers.range
        context.color_primaries, context.color_trc = numbers.primaries, numbers.transfer
        context.thread_count = 1
        for index in range(2):
            frame = make_frame(index, layout=layout, color=PQ)
            raw = av.VideoFrame(64, 48, layout)
            write_planes(raw, frame.planes, frame.layout.bit_depth)
            raw.pts, raw.time_base = index, Fraction(1, 25)
            raw.colorspace, raw.color_range, raw.color_primaries, raw.color_trc = numbers
            output.mux(stream.encode(raw))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("codec", "ending"),
    [
        ("hevc", "mp4"),
        ("hevc", "mkv"),
        ("hevc", "mov"),
        ("h264", "mp4"),
        ("h264", "mkv"),
        ("av1", "mp4"),
        ("av1", "webm"),
    ],
)
def test_encoders_keep_the_metadata(tmp_path, monkeypatch, codec, ending):
    monkeypatch.setenv("SVT_LOG", "1")
    encoder = ENCODERS[codec]
    settings = EncodeSettings(codec, preset="12" if codec == "av1" else "ultrafast")
    layout = named_layout(2, 2, 10)
    path = encode(tmp_path / f"clip.{ending}", encoder.name, layout.name, encoder.options(settings, layout, HDR10))
    with VideoReader(path) as reader:
        found, color = reader.info.hdr, reader.info.color
    assert color == PQ
    assert (found.max_cll, found.max_fall) == (1000, 400)
    for name in ("red", "green", "blue", "white"):
        assert getattr(found.mastering, name) == pytest.approx(getattr(P3, name), abs=2e-5)
    assert found.mastering.max_nits == pytest.approx(1000)
    assert found.mastering.min_nits == pytest.approx(0.0001, abs=1e-4)


@pytest.mark.parametrize(
    ("codec", "ending", "layout"), [("prores", "mov", "yuv422p10le"), ("ffv1", "mkv", "yuv420p10le")]
)
def test_what_holds_no_metadata_keeps_the_tags_and_says_so(tmp_path, codec, ending, layout):
    encoder = ENCODERS[codec]
    options = encoder.options(EncodeSettings(codec), named_layout(2, 1, 10), HDR10)
    path = encode(tmp_path / f"clip.{ending}", encoder.name, layout, options)
    with VideoReader(path) as reader:
        assert reader.info.color == PQ
        assert reader.info.hdr is None
        source = replace(reader.info, hdr=HDR10)
    (clause,) = check_hdr(encoder, HDR10, source)
    assert "hevc" in clause


def test_corrected_light_has_no_light_levels(tmp_path):
    path = make_clip(tmp_path / "pq.mkv", codec="ffv1", layout="yuv420p10le", color=PQ, frames=1)
    with VideoReader(path) as reader:
        source = replace(reader.info, hdr=HDR10)
    assert HDR10.relit() == HdrMetadata(P3)
    assert HdrMetadata(None, 1000, 400).relit() is None
    assert check_hdr(ENCODERS["hevc"], HDR10, source) == ()
    (clause,) = check_hdr(ENCODERS["hevc"], HDR10.relit(), source)
    assert "MaxCLL" in clause
    options = ENCODERS["hevc"].options(EncodeSettings("hevc"), source.layout, HDR10.relit())
    assert "max-cll" not in options["x265-params"]
    sdr = replace(source, color=ColorTags("bt709", "limited"), hdr=None)
    assert check_hdr(ENCODERS["prores"], None, sdr) == ()


def test_options_without_metadata_are_as_before():
    layout = named_layout(2, 2, 10)
    assert ENCODERS["hevc"].options(EncodeSettings("hevc"), layout)["x265-params"] == "log-level=none"
    assert ENCODERS["h264"].options(EncodeSettings("h264"), layout).get("x264-params", "asm=").startswith("asm=")
    assert "svtav1-params" not in ENCODERS["av1"].options(EncodeSettings("av1"), layout)


def test_damaged_and_partial_metadata_are_ignored():
    numbers = [34000, 50000] * 8 + [1, 10000, 10000000, 10000]
    whole = struct.pack("=22i", *numbers, 1, 1)
    found = read_hdr_metadata({"MASTERING_DISPLAY_METADATA": whole})
    assert found is not None
    assert found.mastering == MasteringDisplay((0.68,) * 2, (0.68,) * 2, (0.68,) * 2, (0.68,) * 2, 0.0001, 1000.0)
    assert read_hdr_metadata({"MASTERING_DISPLAY_METADATA": whole[:40]}) is None
    assert read_hdr_metadata({"MASTERING_DISPLAY_METADATA": struct.pack("=22i", *numbers, 1, 0)}) is None
    assert read_hdr_metadata({"MASTERING_DISPLAY_METADATA": struct.pack("=22i", *([0] * 20), 1, 1)}) is None
    assert read_hdr_metadata({"CONTENT_LIGHT_LEVEL": struct.pack("=2I", 0, 0)}) is None
    assert read_hdr_metadata({"CONTENT_LIGHT_LEVEL": b"\x01"}) is None


def test_dynamic_metadata_are_named_and_profile_5_is_known():
    assert dynamic_kinds({"DYNAMIC_HDR_PLUS": b"", "DOVI_METADATA": b"", "DOVI_RPU_BUFFER": b""}) == (
        "Dolby Vision",
        "HDR10+",
    )
    assert dynamic_kinds({"CONTENT_LIGHT_LEVEL": b""}) == ()

    def dolby(profile, full):
        return {"DOVI_METADATA": struct.pack("=QQ", 16, 0) + bytes([2, 0, 18, 0, profile, 0, 0, 0, 23, 0, full, 0])}

    assert is_dolby_profile_5(dolby(0, 1))
    assert not is_dolby_profile_5(dolby(1, 0))
    assert not is_dolby_profile_5({"DOVI_METADATA": b"\x10"})
    assert not is_dolby_profile_5({})


# Reading


class _SideDatum:
    def __init__(self, name, data):
        self.type = type("Kind", (), {"name": name})
        self._data = data

    def __bytes__(self):
        return self._data


class _Picture:
    """A decoded picture as PyAV gives it, with side data that no encoder here writes."""

    width, height, format = 64, 48, av.VideoFormat("yuv420p10le", 64, 48)
    colorspace, color_range, color_primaries, color_trc = numbers_of(PQ)

    def __init__(self, **side_data):
        self.side_data = [_SideDatum(name, data) for name, data in side_data.items()]


def test_dynamic_metadata_are_told_and_profile_5_is_refused(tmp_path):
    form = PictureForm.of(_Picture(DYNAMIC_HDR_PLUS=b""), tmp_path)
    assert any("HDR10+" in clause for clause in form.warnings)
    data = struct.pack("=QQ", 16, 0) + bytes([2, 0, 18, 0, 0, 0, 0, 0, 23, 0, 1, 0])
    with pytest.raises(VideoOpenError, match="profile 5"):
        PictureForm.of(_Picture(DOVI_METADATA=data), tmp_path)


@pytest.mark.parametrize(("layout", "told"), [("yuv420p", True), ("yuv420p10le", False)])
def test_too_few_bits_are_told(tmp_path, layout, told):
    path = make_clip(tmp_path / "pq.mkv", codec="ffv1", layout=layout, color=PQ, frames=1)
    with VideoReader(path) as reader:
        assert any("bands" in clause for clause in reader.warnings) == told


@pytest.mark.parametrize("color", [PQ, HLG, FULL_PQ], ids=lambda c: c.transfer + c.range)
def test_the_sdr_choice_reads_an_ordinary_clip(tmp_path, color):
    path = make_clip(tmp_path / "hdr.mkv", codec="ffv1", layout="yuv420p10le", color=color, frames=2)
    with VideoReader(path, DecodeSettings(hdr="sdr")) as reader, VideoReader(path) as kept:
        assert reader.info.color == ColorTags("bt709", color.range, "bt709", "bt709")
        assert reader.info.hdr is None
        assert reader.info.layout == kept.info.layout
        assert reader.info.fingerprint != kept.info.fingerprint
        assert "SDR" in reader.warnings[0]
        frame = reader.frame(1)
        assert frame.color == reader.info.color
        assert all((a == b).all() for a, b in zip(frame.planes, tone_map(kept.frame(1)).planes, strict=True))


@pytest.mark.parametrize("color", [PQ, HLG], ids=lambda c: c.transfer)
def test_tone_mapping_gives_graded_sdr_back_below_the_shoulder(color):
    rgb = (picture(2) * np.float32(0.8) + np.float32(0.1)).astype(np.float32)
    mapped = to_rgb(tone_map(hdr_frame(rgb, color)))
    assert np.abs(mapped - rgb).max() < 0.02
    assert psnr(mapped, rgb) > 45


def test_tone_mapping_leaves_grey_alone_and_clips_nothing():
    source = grey_ramp(PQ)
    mapped = tone_map(source)
    assert all((plane == 512).all() for plane in mapped.planes[1:])
    assert (np.diff(mapped.planes[0].ravel().astype(int)) >= 0).all()
    assert (to_rgb(mapped).min(), to_rgb(mapped).max()) == (0.0, 1.0)


def test_colours_outside_bt709_stay_apart():
    """The most saturated greens of BT.2020 are drawn in, not clipped to one."""
    amounts = np.linspace(0.0, 0.5, 32, dtype=np.float32)
    rgb = np.stack([amounts, np.full_like(amounts, 0.6), amounts], axis=-1)[None]
    mapped = to_bt709(rgb)
    assert ((mapped >= 0) & (mapped <= 1)).all()
    assert (np.diff(mapped[0, :, 0]) > 0).all()
    bright = to_bt709(np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]], np.float32))
    assert bright.max() <= 1
    assert bright[0, 2] == pytest.approx(1.0, abs=1e-3)
