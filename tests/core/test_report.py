"""The report on a correction: two pictures and the flicker of both clips, from the files alone."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image

from vecnet_core.errors import InputError, VideoOpenError
from vecnet_core.report import main, telling_frames, write_report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from vecnet_core.frame import RGBArray


def write_clip(path: Path, levels: Sequence[float]) -> Path:
    """A 64x48 clip, one grey of a fixed pattern a frame, scaled by its level."""
    pattern = np.tile(np.linspace(0.5, 1.0, 64)[None, :, None], (48, 1, 3))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in levels:
            picture = np.round(pattern * level * 255.0).astype(np.uint8)
            out.mux(stream.encode(VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture
def flickering(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", [0.3, 0.5] * 6)


def test_a_steady_correction_has_less_flicker_and_both_pictures_are_written(flickering: Path, tmp_path: Path) -> None:
    steady = write_clip(tmp_path / "clip_vec.mkv", [0.6] * 12)
    report = write_report(flickering, steady, tmp_path / "out")
    assert report.after.stops < 0.01 < 0.5 < report.before.stops
    assert report.before.peak_frequency_hz == pytest.approx(12.0, abs=0.5)
    for picture in (report.still, report.plot):
        with Image.open(picture) as image:
            assert image.format == "PNG"
            assert min(image.size) >= 48
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"clip_before_after.png", "clip_flicker.png"}


def test_the_still_shows_the_dark_and_the_bright_part_of_a_clip() -> None:
    exposures = np.array([-6.0] * 5 + [-1.0] * 5)
    dark, bright = telling_frames(exposures)
    assert exposures[dark] < exposures[bright]
    assert len(telling_frames(np.full(10, -3.0))) == 1


def test_clips_of_different_length_are_not_compared(flickering: Path, tmp_path: Path) -> None:
    shorter = write_clip(tmp_path / "short.mkv", [0.5] * 6)
    with pytest.raises(InputError, match="6 frames and its source 12"):
        write_report(flickering, shorter, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_refused(flickering: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write_report(flickering, flickering, tmp_path / "out")


def test_what_is_no_video_is_refused(flickering: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoOpenError):
        write_report(flickering, tmp_path / "text.mp4", tmp_path / "out")


def test_as_a_program_it_says_the_figures_or_one_sentence(
    flickering: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(flickering), str(flickering), str(tmp_path / "out")]) == 0
    assert "stops" in capsys.readouterr().out
    assert main([str(flickering), str(tmp_path / "none.mp4"), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (48, 64)),
        ({"rotation": 90}, (64, 48)),
        ({"rotation": 180}, (48, 64)),
        ({"rotation": 270}, (64, 48)),
        ({"pixel_aspect": Fraction(4, 3)}, (36, 64)),
        ({"pixel_aspect": Fraction(1, 2)}, (48, 32)),
        ({"pixel_aspect": Fraction(1, 2), "rotation": 90}, (32, 48)),
    ],
)
def test_stills_are_as_players_show_them(
    new_clip: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    shape: tuple[int, int],
) -> None:
    shown: list[RGBArray] = []
    monkeypatch.setattr("vecnet_core.report.strip", lambda path, rows, labels: shown.extend(rows[0]))
    clip = new_clip("clip.mp4", **options)
    write_report(clip, clip, tmp_path / "out")
    # The grey patch at the top left of `clips.picture` is where turning counter-clockwise brings it.
    height, width = shape
    corners = {0: (4, 4), 90: (-5, 4), 180: (-5, -5), 270: (4, -5)}
    y, x = corners[options.get("rotation", 0)]
    for picture in shown:
        assert picture.shape == (height, width, 3)
        assert np.ptp(picture[y, x]) < 0.03 < np.ptp(picture[-1 - y, -1 - x])
