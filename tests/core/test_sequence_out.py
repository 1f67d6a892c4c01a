"""Laws of pictures that are written: as many, as named, as numbered and as coloured as meant, or none at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from clips import FRAMES, make_clip, number_of

from vecnet_core.checkpoint import Checkpoint
from vecnet_core.cli.main import main
from vecnet_core.correction.corrector import Corrector
from vecnet_core.device import Device
from vecnet_core.errors import InputError, SettingsError, VideoVerifyError, VideoWriteError
from vecnet_core.export import export_video
from vecnet_core.frame import ColorTags
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.project import Clip
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video import writer as writing
from vecnet_core.video.color import coded_rgb, to_rgb
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.footage import open_reader
from vecnet_core.video.numbering import PictureNames
from vecnet_core.video.reader import VideoReader
from vecnet_core.video.unfinished import find_unfinished, is_written
from vecnet_core.video.writer import VideoWriter

if TYPE_CHECKING:
    from pathlib import Path

NEUTRAL = CorrectionSettings(strength=0.0)
MATCH = EncodeSettings("match")
HEIGHT, WIDTH = 48, 64


def samples(format_name: str, count: int = 3, seed: int = 0) -> list[np.ndarray]:
    """Random code values, ``(h, w[, channels])`` in the form that PyAV takes, extremes included."""
    channels = {"rgb24": 3, "rgba": 4, "rgb48be": 3, "rgb48le": 3, "rgba64be": 4, "rgba64le": 4}.get(format_name)
    shape = (HEIGHT, WIDTH) if channels is None else (HEIGHT, WIDTH, channels)
    dtype = np.uint16 if "16" in format_name or "48" in format_name or "64" in format_name else np.uint8
    drawn = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, (count, *shape), dtype)
    drawn[:, 0], drawn[:, 1] = 0, np.iinfo(dtype).max
    return list(drawn)


def write_picture(path: Path, codec: str, format_name: str, array: np.ndarray) -> None:
    """A picture made by FFmpeg itself."""
    context: Any = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, format_name
    context.time_base = Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(array, format_name)
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))


def read_picture(path: Path) -> tuple[str, np.ndarray]:
    """The format and the code values of a picture, as FFmpeg itself reads it."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.format.name, frame.to_ndarray()


def make_pictures(folder: Path, codec: str, format_name: str, ending: str, first: int = 7) -> Path:
    folder.mkdir()
    for number, array in enumerate(samples(format_name), start=first):
        write_picture(folder / f"in_{number:04}.{ending}", codec, format_name, array)
    return folder


def export(source: Path, output: Path, encode: EncodeSettings = MATCH, **options: Any) -> Any:
    return list(export_video(Clip(source, NEUTRAL, encode=encode, output=output, **options)))[-1]


@pytest.mark.parametrize(
    ("codec", "format_name", "ending", "written"),
    [
        ("png", "rgb24", "png", "rgb24"),
        ("png", "rgba", "png", "rgba"),
        ("png", "gray", "png", "gray"),
        ("tiff", "rgb24", "tif", "rgb24"),
        ("png", "rgb48be", "png", "rgb48be"),
        ("png", "rgba64be", "png", "rgba64be"),
        ("tiff", "rgb48le", "tiff", "rgb48le"),
        ("tiff", "rgba64le", "tif", "rgba64le"),
        ("tiff", "gray16le", "tif", "gray16le"),
    ],
)
def test_pictures_come_out_with_the_codes_they_came_in_with(tmp_path, codec, format_name, ending, written):
    source = make_pictures(tmp_path / "in", codec, format_name, ending)
    done = export(source, tmp_path / f"out_%05d.{ending}")
    assert {check.name: check.is_good for check in done.checks} == dict.fromkeys(
        ("file", "frames", "times", "duration", "picture", "colours", "samples"), True
    )
    files = sorted(tmp_path.glob(f"out_*.{ending}"))
    assert [file.name for file in files] == [f"out_{number:05}.{ending}" for number in (7, 8, 9)]
    for file, before in zip(files, samples(format_name), strict=True):
        name, after = read_picture(file)
        assert name == written
        difference = np.abs(after.astype(np.int64) - before.astype(np.int64))
        is_exact = before.dtype == np.uint8 or before.ndim == 2
        assert difference.max() <= (0 if is_exact else 1)
        if before.ndim == 3 and before.shape[2] == 4:
            assert difference[..., 3].max() == 0


@pytest.mark.parametrize(
    ("ending", "codec", "depth", "tolerance"),
    [("png", "png", 8, 0.0036), ("tif", "tiff", 16, 0.0011), ("jpg", "jpeg", 8, 0.03), ("exr", "exr", 16, 0.0011)],
)
@pytest.mark.parametrize("layout", ["yuv420p10le", "gray10le"])
def test_a_video_becomes_pictures_of_the_same_colours(tmp_path, ending, codec, depth, tolerance, layout):
    tags = ColorTags("bt601", "limited", "smpte170m", "smpte170m")
    source = make_clip(tmp_path / "in.mkv", codec="ffv1", layout=layout, color=tags)
    encode = EncodeSettings(codec, bit_depth=depth if codec in {"png", "tiff"} else None)
    done = export(source, tmp_path / f"out_####.{ending}", encode)
    assert all(check.is_good for check in done.checks)
    assert len(list(tmp_path.glob(f"out_*.{ending}"))) == FRAMES
    with VideoReader(source) as before, open_reader(tmp_path / f"out_####.{ending}") as after:
        assert after.info.frame_count == FRAMES
        for old, new in zip(before.frames(), after.frames(), strict=True):
            assert number_of(new) == number_of(old)
            assert np.abs(to_rgb(new) - to_rgb(old)).max() < tolerance


def test_linear_light_comes_back_as_the_reader_shows_it(tmp_path):
    """The curve of the writer is the inverse of the reader's: half floats are within 1 of 1024 codes of the display."""
    source = make_pictures(tmp_path / "in", "tiff", "rgb48le", "tif")
    export(source, tmp_path / "out_%03d.exr", EncodeSettings("exr"))
    export(tmp_path / "out_%03d.exr", tmp_path / "again_%03d.exr", EncodeSettings("exr"))
    with av.open(str(tmp_path / "out_007.exr")) as container:
        assert next(container.decode(video=0)).format.name == "gbrpf16le"
    with (
        open_reader(source) as one,
        open_reader(tmp_path / "out_%03d.exr") as two,
        open_reader(tmp_path / "again_%03d.exr") as three,
    ):
        assert np.abs(to_rgb(one.frame(1)) - to_rgb(two.frame(1))).max() < 1 / 1024
        assert np.abs(to_rgb(two.frame(1)) - to_rgb(three.frame(1))).max() < 1 / 2048


def test_the_codes_of_hdr_are_written_and_not_what_a_display_makes_of_them(tmp_path):
    tags = ColorTags("bt2020nc", "limited", "bt2020", "smpte2084")
    source = make_clip(tmp_path / "in.mkv", codec="ffv1", layout="yuv444p10le", color=tags, frames=2)
    loss = "nothing in a .tif file says that its colours are bt2020 and smpte2084; .png does"
    assert export(source, tmp_path / "out_%d.tif", EncodeSettings("tiff")).warnings[-1] == loss
    assert not any(".png" in text for text in export(source, tmp_path / "out_%d.png", EncodeSettings("png")).warnings)
    with VideoReader(source) as before, open_reader(tmp_path / "out_%d.png") as after:
        assert (after.info.color.primaries, after.info.color.transfer) == ("bt2020", "smpte2084")
        assert np.abs(coded_rgb(before.frame(1)) - coded_rgb(after.frame(1))).max() < 2 / 65535
    with pytest.raises(VideoWriteError, match="EXR pictures are written of ordinary footage only") as caught:
        export(source, tmp_path / "out_%d.exr", EncodeSettings("exr"))
    assert "--hdr sdr" in caught.value.hint


@pytest.mark.parametrize("frames", [1, 2])
def test_few_pictures_are_verified_too(tmp_path, frames):
    source = make_clip(tmp_path / "in.mp4", frames=frames)
    done = export(source, tmp_path / "out_%d.png", EncodeSettings("png"))
    assert all(check.is_good for check in done.checks)
    assert sorted(path.name for path in tmp_path.glob("out_*")) == [f"out_{number + 1}.png" for number in range(frames)]


def test_what_pictures_do_not_hold_is_told(tmp_path):
    times = [0, 3, 4, 9, 10, 16, 17, 18, 30, 31, 32, 40]
    source = make_clip(tmp_path / "in.mp4", audio="aac", rotation=90, time_base=Fraction(1, 100), pts=times)
    done = export(source, tmp_path / "out_%d.png", EncodeSettings("png"))
    assert done.warnings == (
        "the sound is left out, since pictures hold none",
        "the rotation of 90 degrees is left out, since pictures hold none",
        "the varying times of the frames are left out, since pictures hold none",
    )


def test_a_pixel_aspect_is_kept_by_pictures(tmp_path):
    source = make_clip(tmp_path / "in.mp4", pixel_aspect=Fraction(4, 3))
    for ending, codec in (("png", "png"), ("tif", "tiff"), ("jpg", "jpeg"), ("exr", "exr")):
        assert export(source, tmp_path / f"out_%d.{ending}", EncodeSettings(codec)).warnings == ()
        with open_reader(tmp_path / f"out_%d.{ending}") as reader:
            assert reader.info.pixel_aspect == Fraction(4, 3)


@pytest.mark.parametrize(
    ("name", "codec", "words", "hint"),
    [
        ("out.png", "png", "one picture holds no clip", "out_%05d.png"),
        ("folder", "png", "this is a folder", "corrected_%05d.tif"),
        ("out_%05d.png", "h264", "a .png file cannot hold h264 video", "choose another codec"),
        ("out.mp4", "png", "png pictures are no .mp4 file", "out_%05d.png"),
        ("out_%05d.bmp", "match", "no video is written with the ending '.bmp'", "_%05d.png"),
    ],
)
def test_names_that_fit_no_pictures_are_refused_with_one_that_does(tmp_path, name, codec, words, hint):
    source = make_clip(tmp_path / "in.mp4")
    (tmp_path / "folder").mkdir()
    there = sorted(tmp_path.iterdir())
    with pytest.raises(VideoWriteError) as caught:
        export(source, tmp_path / name, EncodeSettings(codec))
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert sorted(tmp_path.iterdir()) == there


def test_the_sources_own_pictures_are_never_replaced(tmp_path):
    source = make_pictures(tmp_path / "in", "png", "rgb24", "png")
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    with pytest.raises(InputError, match="the output is the source itself"):
        export(source, source / "in_%04d.png")
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before


def stop_after(clip: Clip, frames: int) -> None:
    run = export_video(clip)
    for progress in run:
        if progress.stage == "export" and progress.done >= frames:
            break
    run.close()


def test_an_interrupted_sequence_goes_on_and_shows_nothing_before_it_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "GROUP_FRAMES", 4)
    monkeypatch.setattr("vecnet_core.export._PROGRESS_SECONDS", 0)
    source = make_clip(tmp_path / "in.mkv", codec="ffv1")
    clip = Clip(source, NEUTRAL, encode=EncodeSettings("tiff"), output=tmp_path / "out_%03d.tif")
    stop_after(clip, 9)
    kept = find_unfinished(clip.output)
    assert kept is not None
    assert not list(tmp_path.glob("out_*"))
    assert not is_written(clip.output)
    told = list(export_video(clip, resume=True))
    assert told[-1].kept == kept.frames > 0
    whole = replace(clip, output=tmp_path / "whole_%03d.tif")
    list(export_video(whole))
    for number in range(1, FRAMES + 1):
        one, other = (tmp_path / f"{stem}_{number:03}.tif" for stem in ("out", "whole"))
        assert one.read_bytes() == other.read_bytes()
    assert is_written(clip.output)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mkv", *[".tif"] * 24]


def test_pictures_that_fail_their_check_are_kept_in_a_folder_beside(tmp_path, monkeypatch):
    source = make_clip(tmp_path / "in.mkv", codec="ffv1", frames=3)
    join = writing.join_into_pictures

    def spoiled(folder: Path, *rest: Any) -> Any:
        yield from join(folder, *rest)
        (folder / "out_2.png").write_bytes((folder / "out_1.png").read_bytes()[:100])

    monkeypatch.setattr(writing, "join_into_pictures", spoiled)
    with pytest.raises(VideoVerifyError, match=r"kept as out\.unverified"):
        export(source, tmp_path / "out_%d.png", EncodeSettings("png"))
    assert len(list((tmp_path / "out.unverified").iterdir())) == 3
    assert not list(tmp_path.glob("out_*"))


# Transparency


@pytest.mark.parametrize(
    ("codec", "preset", "ending"), [("ffv1", None, "mkv"), ("prores", None, "mov"), ("prores", "4444xq", "mov")]
)
def test_transparency_is_kept_where_the_codec_holds_it(tmp_path, codec, preset, ending):
    source = make_pictures(tmp_path / "in", "png", "rgba", "png")
    flat = [np.full((HEIGHT, WIDTH, 4), 40 * number + 60, np.uint8) for number in range(3)]
    for number, array in enumerate(flat, start=7):
        array[: HEIGHT // 2, :, 3] = 0
        write_picture(source / f"in_{number:04}.png", "png", "rgba", array)
    done = export(source, tmp_path / f"out.{ending}", EncodeSettings(codec, preset=preset))
    assert all(check.is_good for check in done.checks)
    with open_reader(source) as before, VideoReader(tmp_path / f"out.{ending}") as after:
        assert after.info.has_alpha
        old, new = before.frame(2), after.frame(2)
        tops = [(1 << frame.layout.bit_depth) - 1 for frame in (old, new)]
        assert np.abs(old.alpha / tops[0] - new.alpha / tops[1]).max() < (1e-9 if codec == "ffv1" else 0.002)
        assert np.abs(to_rgb(old) - to_rgb(new)).mean() < 0.003


def test_transparency_goes_past_the_correction_untouched(tmp_path):
    import torch

    torch.manual_seed(0)
    network = VECNet(VECNetConfig(analysis_short_side=32, widths=(8, 8, 8), depths=(1, 1, 1), token_channels=8)).eval()
    corrector = Corrector(Checkpoint(network, "0" * 16), Device("cpu", "CPU"))
    source, output = make_pictures(tmp_path / "in", "png", "rgba", "png"), tmp_path / "out_%d.png"
    list(export_video(Clip(source, encode=EncodeSettings("png"), output=output), corrector))
    for before, path in zip(samples("rgba"), sorted(tmp_path.glob("out_*")), strict=True):
        after = read_picture(path)[1]
        assert (after[..., 3] == before[..., 3]).all()
        assert (after[..., :3] != before[..., :3]).any()


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("out.mp4", EncodeSettings("h264")),
        ("out.mov", EncodeSettings("prores", preset="hq")),
        ("out_%d.jpg", EncodeSettings("jpeg")),
    ],
)
def test_transparency_is_lost_only_when_that_is_asked_for(tmp_path, name, encode):
    source = make_pictures(tmp_path / "in", "png", "rgba", "png")
    there = sorted(tmp_path.iterdir())
    with pytest.raises(VideoWriteError, match="holds no transparency") as caught:
        export(source, tmp_path / name, encode)
    assert "--drop-alpha" in caught.value.hint
    assert sorted(tmp_path.iterdir()) == there
    if encode.codec == "h264":
        export(source, tmp_path / name, replace(encode, alpha="drop"))
        with VideoReader(tmp_path / name) as reader:
            assert not reader.info.has_alpha
            assert reader.info.frame_count == 3


def test_match_keeps_transparency_in_a_codec_that_has_it(tmp_path):
    source = make_pictures(tmp_path / "in", "png", "rgba", "png")
    for ending in ("mov", "mkv"):
        done = export(source, tmp_path / f"out.{ending}")
        assert "prores is written, since h264 holds no transparency" in done.warnings
        with VideoReader(tmp_path / f"out.{ending}") as reader:
            assert (reader.info.codec, reader.info.has_alpha) == ("prores", True)
    with pytest.raises(VideoWriteError, match="h264 holds no transparency"):
        export(source, tmp_path / "out.mp4")


def test_lost_transparency_fails_its_check(tmp_path, monkeypatch):
    source = make_pictures(tmp_path / "in", "png", "rgba", "png")
    drop = EncodeSettings("ffv1", alpha="drop")
    export(source, tmp_path / "opaque.mkv", drop)
    opaque = (tmp_path / "opaque.mkv").read_bytes()
    complete = VideoWriter.complete

    def spoiled(self: VideoWriter) -> Path:
        path = complete(self)
        path.write_bytes(opaque)
        return path

    monkeypatch.setattr(VideoWriter, "complete", spoiled)
    with pytest.raises(VideoVerifyError, match="the transparency is missing"):
        export(source, tmp_path / "out.mkv", EncodeSettings("ffv1"))


# Bit depth and profiles


@pytest.mark.parametrize(
    ("codec", "ending", "layout", "depth", "written"),
    [
        ("hevc", "mp4", "yuv420p", 10, 10),
        ("h264", "mp4", "yuv420p10le", 8, 8),
        ("ffv1", "mkv", "yuv444p16le", 12, 12),
        ("hevc", "mkv", "yuv444p12le", 10, 10),
    ],
)
@pytest.mark.parametrize("range_name", ["limited", "full"])
def test_a_bit_depth_that_is_asked_for_is_written(tmp_path, codec, ending, layout, depth, written, range_name):
    color = ColorTags("bt709", range_name, "bt709", "bt709")
    source = make_clip(tmp_path / "in.mkv", codec="ffv1", layout=layout, frames=2, color=color)
    preset = "ultrafast" if codec in {"h264", "hevc"} else None
    done = export(source, tmp_path / f"out.{ending}", EncodeSettings(codec, preset=preset, bit_depth=depth))
    with VideoReader(source) as before, VideoReader(tmp_path / f"out.{ending}") as after:
        assert after.info.layout.bit_depth == written
        is_less = before.info.layout.bit_depth > written
        assert len(done.warnings) == is_less
        assert not is_less or f"rounded to {written}" in done.warnings[0]
        assert np.abs(to_rgb(before.frame(1)) - to_rgb(after.frame(1))).mean() < 0.006


def test_match_rounds_what_the_codec_of_the_source_has_no_more_bits_for_and_says_so(tmp_path):
    """FFmpeg reads ProRes 4444 as 12 bits and writes 10: a copy of such a clip was refused."""
    first = make_clip(tmp_path / "first.mkv", codec="ffv1", layout="yuv444p10le", frames=2)
    export(first, tmp_path / "in.mov", EncodeSettings("prores"))
    done = export(tmp_path / "in.mov", tmp_path / "out.mov")
    assert done.warnings == ("samples of 12 bits are rounded to 10",)
    with VideoReader(tmp_path / "out.mov") as reader:
        assert reader.info.codec == "prores"


def test_match_takes_another_codec_where_the_container_cannot_hold_the_sources(tmp_path):
    source = make_clip(tmp_path / "in.mkv", codec="prores_ks", layout="yuv422p10le", frames=2)
    done = export(source, tmp_path / "out.mp4")
    assert done.warnings == ("h264 is written, since a .mp4 file cannot hold prores video",)


@pytest.mark.parametrize(
    ("layout", "preset", "written"),
    [("yuv420p", None, "yuv422p"), ("yuv422p10le", None, "yuv422p10le"), ("yuv444p", None, "yuv444p10le"),
     ("yuv422p10le", "sq", "yuv422p"), ("yuv420p", "hqx", "yuv422p10le"), ("yuv422p", "444", "yuv444p10le")],
)  # fmt: skip
def test_dnxhr_is_written_in_the_profile_that_fits(tmp_path, layout, preset, written):
    source = make_clip(tmp_path / "in.mkv", codec="ffv1", layout=layout, frames=3, size=(120, 256))
    done = export(source, tmp_path / "out.mov", EncodeSettings("dnxhr", preset=preset))
    assert all(check.is_good for check in done.checks)
    with VideoReader(tmp_path / "out.mov") as reader:
        assert reader.info.layout.name == written
    again = export(tmp_path / "out.mov", tmp_path / "again.mov")
    with VideoReader(tmp_path / "again.mov") as reader:
        assert (reader.info.codec, reader.info.layout.name) == ("dnxhd", written)
    assert again.warnings == ()


def test_a_profile_without_the_sources_chroma_is_refused_with_one_that_has_it(tmp_path):
    source = make_clip(tmp_path / "in.mkv", codec="ffv1", layout="yuv444p", frames=1, size=(120, 256))
    for encode, other in (
        (EncodeSettings("prores", preset="hq"), "4444"),
        (EncodeSettings("dnxhr", preset="hqx"), "444"),
    ):
        with pytest.raises(VideoWriteError, match="cannot hold 8-bit 4:4:4") as caught:
            export(source, tmp_path / "out.mov", encode)
        assert f"the preset {other}" in caught.value.hint
    small = make_clip(tmp_path / "small.mkv", codec="ffv1", frames=1)
    with pytest.raises(VideoWriteError, match="dnxhr cannot hold video of 64x48"):
        export(small, tmp_path / "out.mov", EncodeSettings("dnxhr"))


@pytest.mark.parametrize(
    ("codec", "values"),
    [("h264", {"bit_depth": 12}), ("h264", {"bit_depth": -8}), ("prores", {"bit_depth": 8}), ("av1", {"bit_depth": 16}),
     ("jpeg", {"crf": 40}), ("dnxhr", {"preset": "4444"}), ("h264", {"alpha": "maybe"})],
)  # fmt: skip
def test_settings_no_encoder_has_are_refused_with_the_possible_ones(codec, values):
    with pytest.raises(SettingsError) as caught:
        EncodeSettings(codec, **values)
    assert caught.value.hint


def test_settings_survive_a_file_and_hostile_ones_do_not():
    settings = EncodeSettings("hevc", 20, "slow", 10, "drop", hardware=True)
    assert EncodeSettings.from_dict(settings.to_dict()) == settings
    assert EncodeSettings.from_dict({"codec": "h264", "crf": None}) == EncodeSettings()
    for hostile in (
        {"bit_depth": True}, {"bit_depth": 10.0}, {"bit_depth": "10"}, {"alpha": None}, {"alpha": 1}, {"hardware": 1},
        {"hardware": None}, {"codec": None}, {"codec": ["h264"]}, {"crf": True}, {"speed": 1},
    ):  # fmt: skip
        with pytest.raises(SettingsError):
            EncodeSettings.from_dict(hostile)


def test_older_pictures_with_other_numbers_stay_and_are_told(tmp_path):
    source = make_clip(tmp_path / "in.mp4", frames=2)
    older = [tmp_path / f"out_{number}.png" for number in (1, 3, 4)]
    for path in older:
        path.write_bytes(b"old")
    done = export(source, tmp_path / "out_%d.png", EncodeSettings("png"))
    assert done.warnings == ("2 older pictures with other numbers lie among the new ones",)
    assert [path.read_bytes() == b"old" for path in older] == [False, True, True]


# On the command line


def test_the_command_line_writes_pictures_and_keeps_those_that_are_there(tmp_path, capsys):
    make_clip(tmp_path / "in.mp4", frames=2)
    words = ["correct", str(tmp_path / "in.mp4"), str(tmp_path / "out" / "a_###.png"), "--strength", "0"]
    assert main(words) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a_001.png", "a_002.png"]
    before = (tmp_path / "out" / "a_001.png").read_bytes()
    assert main([*words, "--codec", "png", "--bit-depth", "16"]) == 2
    assert "pictures with such names exist already" in capsys.readouterr().err
    assert (tmp_path / "out" / "a_001.png").read_bytes() == before
    assert main([*words, "--bit-depth", "16", "--overwrite"]) == 0
    assert (tmp_path / "out" / "a_001.png").read_bytes() != before
    shutil.rmtree(tmp_path / "out")
    assert main([*words[:2], str(tmp_path / "out"), *words[3:]]) == 2
    assert not (tmp_path / "out").exists()


def test_an_export_that_was_stopped_while_pictures_took_their_names_goes_on(tmp_path, monkeypatch, capsys):
    make_clip(tmp_path / "in.mp4", frames=4)
    words = ["correct", str(tmp_path / "in.mp4"), str(tmp_path / "out_%d.png"), "--strength", "0"]
    place, placed = writing.put_in_place, []

    def stop(part: Path, path: Path) -> None:
        if path.name == "out_3.png":
            raise KeyboardInterrupt
        placed.append(path.name)
        place(part, path)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "put_in_place", stop)
        assert main(words) == 130
    assert placed == ["out_1.png", "out_2.png"] == sorted(path.name for path in tmp_path.glob("out_*"))
    assert main(words) == 2
    assert "exist already" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    assert len(list(tmp_path.glob("out_*"))) == 4
    assert sorted(path.name for path in tmp_path.iterdir())[0] == "in.mp4"


def test_a_single_picture_does_not_replace_itself(tmp_path):
    make_pictures(tmp_path / "in", "png", "rgb24", "png", first=1)
    source = (tmp_path / "in" / "in_0001.png").rename(tmp_path / "a_1.png")
    before = source.read_bytes()
    with pytest.raises(InputError, match="the output is the source itself"):
        export(source, tmp_path / "a_%d.png")
    assert source.read_bytes() == before


@pytest.mark.parametrize("through", ["output", "source"])
def test_pictures_are_their_own_source_through_a_link_as_well(tmp_path, through):
    folder = make_pictures(tmp_path / "in", "png", "rgb24", "png")
    link = tmp_path / "link"
    try:
        link.symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    source, target = (folder, link) if through == "output" else (link, folder)
    with pytest.raises(InputError, match="the output is the source itself"):
        export(source, target / "in_%04d.png")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [
        (".h_%04d.png", "hidden name", ": h_%04d.png"),
        ("100%_%04d.png", "one place for their number", "% and # may stand only for the number, as in 100_%05d.png"),
        ("a_#_%d.png", "one place for their number", "as in a_%05d.png"),
        (".h.png", "one picture holds no clip", "h_%05d.png"),
    ],
)
def test_a_name_that_is_refused_comes_with_one_that_is_not(tmp_path, name, words, hint):
    with pytest.raises(VideoWriteError, match=words) as caught:
        PictureNames.of(tmp_path / name)
    assert hint in caught.value.hint
    assert PictureNames.of(tmp_path / caught.value.hint.split()[-1]) is not None


def test_pictures_hold_no_mark_that_they_are_mirrored(tmp_path):
    source = make_clip(tmp_path / "in.mp4", mirrored=True, frames=2)
    done = export(source, tmp_path / "out_%d.png", EncodeSettings("png"))
    assert "the mark that the picture is shown mirrored is left out, since pictures hold none" in done.warnings
