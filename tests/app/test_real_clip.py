"""The window on a real file with the real network: skipped where the weights are not there."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from app.session import Studio
from vecnet_core.command import command_line
from vecnet_core.errors import VecnetError
from vecnet_core.resources import resource
from vecnet_core.video.decode import DecodeSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from app.main_window import MainWindow
    from app.preview_worker import FlickerCurves, PreviewResult


def has_weights() -> bool:
    try:
        resource("weights/vecnet.safetensors")
    except VecnetError:
        return False
    return True


needs_weights = pytest.mark.skipif(not has_weights(), reason="the trained weights are not there")


@pytest.fixture
def real_window(new_window: Callable[..., MainWindow]) -> MainWindow:
    return new_window(Studio(), child_command=lambda: list(command_line()))


@needs_weights
def test_clip_is_corrected_measured_and_exported(
    real_window: MainWindow, clip: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    window = real_window
    frames: list[PreviewResult] = []
    window.preview.frame_shown.connect(frames.append)

    def is_whole(curves: FlickerCurves) -> bool:
        return curves.frames == 12

    with qtbot.waitSignal(window.preview.flicker_measured, timeout=120_000, check_params_cb=is_whole):
        window.open_clip(clip)
    window.document.set_playhead(7)
    qtbot.waitUntil(lambda: frames[-1].request.index == 7 and frames[-1].corrected is not None, timeout=30_000)
    assert frames[0].corrected is None
    window.document.edit("strength", 0.0, 1)
    qtbot.waitUntil(lambda: frames[-1].request.settings.strength == 0.0, timeout=30_000)
    last = frames[-1]
    assert last.corrected is not None
    assert np.abs(last.corrected - last.original).max() < 1 / 255
    assert "CPU" in window.status.device.text() or "CUDA" in window.status.device.text()
    window.document.undo_stack.undo()

    window.exports.show_dialog()
    window.exports.dialog.form.path.setText(str(tmp_path / "out_vec.mp4"))
    with qtbot.waitSignal(window.exports.finished, timeout=180_000, raising=False):
        window.exports.dialog.form.start.click()
    assert window.notices.sentences == []
    assert (tmp_path / "out_vec.mp4").stat().st_size > 0


@pytest.mark.parametrize("content", [b"", b"this is a text file, not a video\n" * 40])
def test_file_that_is_no_video_is_one_sentence(
    real_window: MainWindow, qtbot: QtBot, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "fake.mp4"
    path.write_bytes(content)
    with qtbot.waitSignal(real_window.preview.error_raised, timeout=30_000):
        real_window.open_clip(path)
    (sentence,) = real_window.notices.sentences
    assert "fake.mp4" in sentence
    assert "Traceback" not in sentence
    assert real_window.stack.currentIndex() == 0


def test_missing_file_is_one_sentence(real_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    with qtbot.waitSignal(real_window.preview.error_raised, timeout=30_000):
        real_window.open_clip(tmp_path / "gone.mp4")
    assert "gone.mp4" in real_window.notices.sentences[0]


@pytest.mark.parametrize("kind", ["folder", "pattern", "interlaced"])
def test_a_session_reads_as_it_is_asked_to(new_clip: Callable[..., Path], tmp_path: Path, kind: str) -> None:
    if kind == "interlaced":
        path, decode = new_clip("fields.mp4", field_order="tff"), DecodeSettings(deinterlace=True)
    else:
        for number in range(3):
            with av.open(str(tmp_path / f"shot_{number:03d}.png"), "w", format="image2") as output:
                stream = output.add_stream("png", rate=25, options={})
                stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
                picture = np.full((48, 64, 3), 60 + number, np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        path = tmp_path if kind == "folder" else tmp_path / "shot_###.png"
        decode = DecodeSettings(frame_rate=Fraction(10))
    session = Studio()(path, decode)
    try:
        assert not session.info.is_interlaced
        assert len(list(session.scan_light())) == session.info.frame_count
        assert session.original(1, (24, 32)).shape == (24, 32, 3)
        if kind != "interlaced":
            assert (session.info.frame_count, session.info.frame_rate) == (3, 10)
    finally:
        session.close()
