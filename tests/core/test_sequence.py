"""Laws of picture sequences: which files they are, in which order, and that each picture arrives as it was stored."""

from __future__ import annotations

import os
import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import FRAMES, number_of, picture
from PIL import Image, ImageOps

import vecnet_core.video.frame_reader as frame_reader
from vecnet_core.errors import VideoDamageError, VideoOpenError, VideoReadError
from vecnet_core.rendering import LightScan
from vecnet_core.video.color import to_rgb
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.footage import is_sequence, open_reader
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.sequence import SequenceReader

RATE = DecodeSettings(frame_rate=Fraction(24000, 1001))


def save(path, index=0, size=(64, 48), **options):
    """A picture of a number, by Pillow."""
    codes = np.round(picture(index, *size) * 255).astype(np.uint8)
    Image.fromarray(codes).save(path, **options)


def encode(path, codec, layout, samples, **options):
    """A picture whose planes hold the given samples, by FFmpeg."""
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = 64, 48, layout
    context.time_base, context.options = Fraction(1, 25), options
    frame = av.VideoFrame(64, 48, layout)
    for plane, values in zip(frame.planes, samples, strict=True):
        lines = np.frombuffer(memoryview(plane), values.dtype).reshape(plane.height, -1)
        lines[:, : values.shape[1]] = values
    frame.pts = 0
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))


@pytest.fixture
def folder(tmp_path):
    """Twelve PNG pictures, numbered from 5 without leading zeros."""
    path = tmp_path / "shots"
    path.mkdir()
    for index in range(FRAMES):
        save(path / f"shot_{index + 5}.png", index)
    return path


def numbers(reader):
    return [number_of(frame) for frame in reader.frames()]


def test_a_folder_is_a_sequence_in_the_order_of_its_numbers(folder):
    with open_reader(folder, RATE) as reader:
        assert isinstance(reader, SequenceReader)
        assert numbers(reader) == list(range(FRAMES))
        info = reader.info
    assert (info.width, info.height, info.frame_count, info.codec) == (64, 48, FRAMES, "png")
    assert info.path == folder
    assert info.files[0].name == "shot_5.png"
    assert info.files[-1].name == "shot_16.png"
    assert info.duration_seconds == pytest.approx(FRAMES * 1001 / 24000)
    assert not info.is_variable_rate
    assert info.audio_codecs == ()


@pytest.mark.parametrize(
    ("name", "first", "count"),
    [
        ("shot_%d.png", 0, 12),
        ("shot_#.png", 0, 12),
        ("shot_%02d.png", 5, 7),
        ("shot_##.png", 5, 7),
        ("shot_1%d.png", 5, 7),
    ],
)
def test_a_pattern_is_a_sequence(folder, name, first, count):
    # Other pictures beside them do not matter.
    save(folder / "shot_7 copy.png", 3)
    save(folder / "cover.jpg", 3)
    with open_reader(folder / name, RATE) as reader:
        assert numbers(reader) == list(range(first, first + count))


def test_one_picture_with_a_rate_stands_for_its_series(folder):
    with open_reader(folder / "shot_9.png", RATE) as reader:
        assert numbers(reader) == list(range(FRAMES))
        assert reader.info.frame_rate == RATE.frame_rate


def test_one_picture_alone_is_one_frame_and_its_series_is_told(folder):
    with open_reader(folder / "shot_9.png") as reader:
        assert isinstance(reader, VideoReader)
        assert numbers(reader) == [4]
        assert any("one of 12 numbered pictures" in text for text in reader.warnings)
    save(folder / "cover.png", 2)
    with open_reader(folder / "cover.png", RATE) as reader:
        assert numbers(reader) == [2]


def test_a_file_that_is_named_like_a_pattern_is_a_file(clip, tmp_path):
    path = clip.rename(tmp_path / "take #2.mp4")
    assert not is_sequence(path)
    with open_reader(path) as reader:
        assert reader.info.frame_count == FRAMES


def test_without_a_rate_one_is_assumed_and_said(folder):
    with open_reader(folder) as reader:
        assert reader.info.frame_rate == 25
        assert reader.info.is_rate_assumed
        assert any("25 per second are assumed" in text for text in reader.warnings)
    with open_reader(folder, RATE) as reader:
        assert not reader.info.is_rate_assumed
        assert not any("assumed" in text for text in reader.warnings)
        assert [frame.pts_seconds for frame in reader.frames(0, 3)] == [n / RATE.frame_rate for n in range(3)]
        assert all(reader.index_at(reader.seconds_of(index)) == index for index in range(FRAMES))


def test_pictures_are_the_same_in_any_order(folder):
    with open_reader(folder) as reader:
        in_order = list(reader.frames())
        jumps = [*range(FRAMES)] * 2
        random.Random(2).shuffle(jumps)
        for index in jumps:
            reader._cache.clear()
            frame = reader.frame(index)
            assert frame.index == index
            assert all((a == b).all() for a, b in zip(frame.planes, in_order[index].planes, strict=True))
        with pytest.raises(VideoReadError, match="no frame"):
            reader.frame(FRAMES)


def test_jpegs_keep_their_planes(tmp_path):
    for index in range(3):
        save(tmp_path / f"IMG_{index:04}.JPG", index, quality=95)
    with open_reader(tmp_path, RATE) as reader:
        assert reader.info.layout.name == "yuv420p"
        assert reader.info.color.range == "full"
        assert reader.info.color.matrix == "bt601"
        assert reader.warnings == ()
        with av.open(str(tmp_path / "IMG_0001.JPG")) as container:
            decoded = next(container.decode(video=0))
        for plane, wanted in zip(reader.frame(1).planes, decoded.planes, strict=True):
            lines = np.frombuffer(memoryview(wanted), np.uint8).reshape(wanted.height, wanted.line_size)
            assert (plane == lines[:, : wanted.width]).all()
        assert np.abs(to_rgb(reader.frame(1)) - picture(1))[20:, 30:].max() < 0.03


@pytest.mark.parametrize(
    ("name", "codec", "layout"),
    [
        ("rgb.png", "png", "rgb48be"),
        ("rgb.tif", "tiff", "rgb48le"),
        ("rgb.dpx", "dpx", "rgb48le"),
    ],
)
def test_16_bits_are_kept(tmp_path, name, codec, layout):
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 65536, (2, 48, 64, 3))
    dtype = ">u2" if layout.endswith("be") else "<u2"
    for index in range(2):
        encode(tmp_path / f"{index}{name}", codec, layout, [codes[index].reshape(48, -1).astype(dtype)])
    with open_reader(tmp_path) as reader:
        assert reader.info.layout.bit_depth == 16
        for frame in reader.frames():
            # The matrix of Y'CbCr costs a code or two of 16 bits.
            assert np.abs(to_rgb(frame) * 65535 - codes[frame.index]).max() < 3


def test_16_bit_grey_is_kept_to_the_code(tmp_path):
    codes = np.random.default_rng(1).integers(0, 65536, (2, 48, 64)).astype(np.uint16)
    for index in range(2):
        Image.fromarray(codes[index]).save(tmp_path / f"{index}.png")
    with open_reader(tmp_path) as reader:
        assert all((frame.planes[0] == codes[frame.index]).all() for frame in reader.frames())
        assert reader.info.layout.name == "gray16le"


@pytest.mark.parametrize("sample", ["float", "half"])
def test_exr_is_linear_and_shown_through_the_srgb_curve(tmp_path, sample):
    light = np.random.default_rng(0).random((3, 48, 64)).astype(np.float32) * 1.5
    for index in range(2):
        encode(tmp_path / f"render.{index:04}.exr", "exr", "gbrpf32le", list(light), format=sample)
    with open_reader(tmp_path) as reader:
        assert any("linear light" in text and "sRGB" in text for text in reader.warnings)
        held = np.clip(light.astype(np.float64), 0, 1)
        curve = np.where(held <= 0.0031308, 12.92 * held, 1.055 * held ** (1 / 2.4) - 0.055)
        # Half floats have 11 bits.
        difference = np.abs(to_rgb(reader.frame(1)) - np.stack([curve[2], curve[0], curve[1]], -1))
        assert difference.max() < (2**-10 if sample == "half" else 1e-4)


@pytest.mark.parametrize(
    ("ending", "options"), [("webp", {"lossless": True}), ("bmp", {}), ("tif", {"compression": "tiff_lzw"})]
)
def test_other_kinds_of_pictures(tmp_path, ending, options):
    for index in range(3):
        save(tmp_path / f"{index}.{ending}", index, **options)
    with open_reader(tmp_path) as reader:
        assert numbers(reader) == [0, 1, 2]
        assert np.abs(to_rgb(reader.frame(2)) - picture(2)).max() < 1 / 255


def test_transparent_pictures_keep_their_alpha(tmp_path):
    ramp = np.arange(64, dtype=np.uint8)[None].repeat(48, 0) * 4
    rgba = np.dstack([np.round(picture(0) * 255).astype(np.uint8), ramp])
    for index in range(2):
        Image.fromarray(rgba).save(tmp_path / f"{index}.png")
    with open_reader(tmp_path) as reader:
        assert reader.info.has_alpha
        assert (np.rint(reader.frame(1).alpha / 1023 * 255) == ramp).all()


@pytest.mark.parametrize(("orientation", "degrees"), [(1, 0), (3, 180), (6, 270), (8, 90)])
def test_cameras_tell_how_they_were_held(tmp_path, orientation, degrees):
    exif = Image.Exif()
    exif[0x112] = orientation
    for index in range(2):
        save(tmp_path / f"{index}.jpg", index, exif=exif)
    with open_reader(tmp_path) as reader:
        assert reader.info.rotation_degrees == degrees
        assert (reader.info.width, reader.info.height) == (64, 48)


def test_a_picture_that_is_turned_otherwise_is_told(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6
    save(tmp_path / "1.jpg")
    save(tmp_path / "2.jpg", exif=exif)
    with open_reader(tmp_path) as reader:
        list(reader.frames())
        assert any("2.jpg is turned otherwise" in text for text in reader.warnings)


def test_gaps_in_the_numbers_are_told_and_closed_up(folder):
    (folder / "shot_8.png").unlink()
    (folder / "shot_9.png").unlink()
    (folder / "shot_12.png").unlink()
    with open_reader(folder, RATE) as reader:
        assert numbers(reader) == [0, 1, 2, 5, 6, 8, 9, 10, 11]
        (text,) = [text for text in reader.warnings if "missing" in text]
        assert "3 numbers are missing" in text
        assert "shot_7.png, shot_11.png" in text


@pytest.mark.parametrize(
    "names", [["a2", "a4", "a6"], ["1", "02", "3"], ["night 120000", "night 120030", "night 120100"], ["x", "y", "z"]]
)
def test_names_without_gaps_are_not_remarked_on(tmp_path, names):
    for index, name in enumerate(names):
        save(tmp_path / f"{name}.png", index)
    with open_reader(tmp_path, RATE) as reader:
        assert numbers(reader) == [0, 1, 2]
        assert not any("missing" in text or "kinds" in text for text in reader.warnings)


def test_two_series_in_a_folder_are_told(folder):
    for index in range(2):
        save(folder / f"zoom_{index}.png", index)
    with open_reader(folder, RATE) as reader:
        assert numbers(reader) == [*range(FRAMES), 0, 1]
        assert any("2 kinds" in text for text in reader.warnings)


def test_what_is_no_picture_and_what_is_hidden_does_not_count(folder):
    (folder / "shot_1.xmp").write_text("sidecar")
    (folder / "._shot_5.png").write_bytes(b"resource fork")
    (folder / "shot_99.png").mkdir()
    with open_reader(folder, RATE) as reader:
        assert numbers(reader) == list(range(FRAMES))


def test_pictures_of_several_kinds_are_refused_and_the_hint_works(folder):
    for index in range(2):
        save(folder / f"shot_{index + 50}.jpg", index)
    with pytest.raises(VideoOpenError, match="12 PNG") as caught:
        open_reader(folder)
    assert "2 JPEG" in caught.value.sentence
    name = caught.value.hint.rpartition(" ")[2]
    with open_reader(folder / name) as reader:
        assert reader.info.frame_count >= 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty", "no picture in this folder"),
        ("empty/%04d.png", "no picture with such a name"),
        ("missing/%04d.png", "cannot be read"),
        ("single", "only one picture"),
        ("single/shot_##.png", "only one picture"),
        ("single/shot_##.doc", "names no pictures"),
        ("broken", "damaged, or not what its name says"),
        ("nothing", "0 bytes"),
    ],
)
def test_what_is_no_sequence_is_refused_in_one_sentence(tmp_path, name, words):
    for made in ("empty", "single", "broken", "nothing"):
        (tmp_path / made).mkdir()
    save(tmp_path / "single" / "shot_01.png")
    for index in range(2):
        (tmp_path / "broken" / f"{index}.jpg").write_bytes(b"no picture" * 100)
        (tmp_path / "nothing" / f"{index}.jpg").touch()
    with pytest.raises(VideoOpenError, match=words) as caught:
        open_reader(tmp_path / name)
    assert "\n" not in caught.value.sentence
    assert caught.value.hint


@pytest.mark.parametrize("name", ["", "%04d.png", "shot_0001.png"])
@pytest.mark.parametrize("decode", [DecodeSettings(), RATE], ids=["plain", "rate"])
def test_where_nobody_may_look_is_refused_in_one_sentence(closed, name, decode):
    save(closed / "shot_0001.png")
    with pytest.raises(VideoOpenError) as caught:
        open_reader(closed / "deeper" / name, decode)
    assert "\n" not in caught.value.sentence


@pytest.mark.parametrize("name", ["a" * 5000 + "%d.png", "a\0%d.png", "a\0b.png", "%d"])
def test_impossible_names_are_refused_in_one_sentence(tmp_path, name):
    with pytest.raises(VideoOpenError):
        open_reader(tmp_path / name, RATE)


def test_pictures_are_a_single_stream(folder):
    with pytest.raises(VideoOpenError, match="single video stream"):
        open_reader(folder, DecodeSettings(stream=1))


def test_a_picture_of_another_size_is_named(folder):
    save(folder / "shot_9.png", 4, size=(32, 48))
    with open_reader(folder) as reader:
        assert number_of(reader.frame(3)) == 3
        with pytest.raises(VideoReadError, match="64x48 rgb24 to 32x48 rgb24") as caught:
            reader.frame(4)
        assert caught.value.path == folder / "shot_9.png"
        assert number_of(reader.frame(5)) == 5


@pytest.mark.parametrize("damage", ["garbage", "empty", "gone"])
def test_a_picture_that_cannot_be_read_is_named(folder, damage):
    bad = folder / "shot_9.png"
    with open_reader(folder) as reader:
        if damage == "gone":
            bad.unlink()
        else:
            bad.write_bytes(b"" if damage == "empty" else b"no picture" * 9)
        with pytest.raises(VideoDamageError) as caught:
            list(reader.frames())
        assert (caught.value.path, caught.value.frame) == (bad, 4)
        assert number_of(reader.frame(5)) == 5


def test_a_sequence_whose_last_pictures_are_bad_ends_early_and_says_so(folder):
    for number in (15, 16):
        (folder / f"shot_{number}.png").write_bytes(b"cut")
    with open_reader(folder) as reader:
        assert numbers(reader) == list(range(FRAMES - 2))
        assert any("10 of 12 frames can be read" in text for text in reader.warnings)


def test_a_cut_jpeg_is_shown_as_far_as_it_goes(tmp_path):
    for index in range(3):
        save(tmp_path / f"{index}.jpg", index, quality=95)
    whole = (tmp_path / "1.jpg").read_bytes()
    (tmp_path / "1.jpg").write_bytes(whole[: int(len(whole) * 0.7)])
    with open_reader(tmp_path) as reader:
        assert numbers(reader) == [0, 1, 2]
        assert any("1.jpg is damaged" in text for text in reader.warnings)


def test_only_one_picture_is_read_to_open_a_sequence(folder, monkeypatch):
    read, looked_at = [], []
    read_bytes, stat = Path.read_bytes, os.stat
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or read_bytes(path))
    monkeypatch.setattr(os, "stat", lambda *given, **options: looked_at.append(given) or stat(*given, **options))
    with open_reader(folder) as reader:
        assert read == ["shot_5.png"]
        assert len(looked_at) < 5
        assert reader.info.frame_count == FRAMES


def test_memory_does_not_grow_with_the_sequence(folder, monkeypatch):
    with open_reader(folder) as reader:
        for _ in reader.frames():
            assert len(reader._cache) <= frame_reader.CACHED_FRAMES
        # Large pictures: few of them are kept, but the last two always.
        monkeypatch.setattr(frame_reader, "CACHED_BYTES", 3 * reader.frame(0).nbytes)
        reader.frame(2)
        assert len(reader._cache) == 3
        monkeypatch.setattr(frame_reader, "CACHED_BYTES", 1)
        reader.frame(3)
        assert list(reader._cache) == [2, 3]


def test_the_fingerprint_is_of_every_picture(folder):
    def fingerprint(path=folder, decode=RATE):
        with open_reader(path, decode) as reader:
            return reader.info.fingerprint

    whole = fingerprint()
    # The rate moves no picture.
    assert whole == fingerprint(decode=DecodeSettings())
    middle = folder / "shot_9.png"
    os.utime(middle, ns=(1, 1))
    touched = fingerprint()
    assert touched != whole
    middle.unlink()
    assert fingerprint() not in {whole, touched}


def test_the_light_of_a_sequence_is_measured(folder):
    with open_reader(folder) as reader:
        exposures = [sample.exposure_ev for sample in LightScan(reader)]
    # The patch gets brighter from picture to picture.
    assert len(exposures) == FRAMES
    assert exposures[-1] > exposures[0]


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_mirrored_photographs_are_turned_as_cameras_mean_it(tmp_path, orientation, ending):
    exif = Image.Exif()
    exif[0x112] = orientation
    for index in range(2):
        save(tmp_path / f"{index}.{ending}", index, exif=exif)
    samples = np.arange(12, dtype=np.uint8).reshape(3, 4)
    stored = Image.fromarray(samples)
    stored.getexif()[0x112] = orientation
    meant = np.asarray(ImageOps.exif_transpose(stored))
    with SequenceReader(tmp_path) as reader:
        shown = np.rot90(samples, reader.info.rotation_degrees // 90)
        assert (np.fliplr(shown) if reader.info.is_mirrored else shown).tolist() == meant.tolist()
        assert any("mirrored" in warning for warning in reader.warnings) == (orientation in {2, 4, 5, 7})
