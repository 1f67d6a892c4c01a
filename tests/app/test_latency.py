"""The measurement of the window: it measures the real one, and every figure is there; how large they are is no law."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QWidget
from test_real_clip import needs_weights

from app.latency import PaintWatch, Pulse, wait_until
from vecnet_core import bench
from vecnet_core.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

MEDIANS = ("slider_ms_median", "seek_cached_ms_median", "seek_uncached_ms_median")


@pytest.mark.slow
@needs_weights
def test_window_measures_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "SIZE", (360, 640))
    report = tmp_path / "window.json"
    options = ["--frames", "64", "--repeats", "2", "--device", "cpu", "--json", str(report)]
    assert main(["bench", "--window", *options]) == 0
    figures = json.loads(report.read_text())
    for name in (*MEDIANS, "main_thread_hold_ms_p99", "window_shown_ms"):
        assert 0 < figures[name] < 60_000, name
    assert figures["torch_loaded_when_shown"] is False
    assert figures["counts"]["slider"] == figures["counts"]["seek_cached"] == 2
    assert figures["counts"]["main_thread_hold"] > 10
    assert figures["device"].startswith("CPU")
    assert "slider to picture" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('no screen')"), "exit code 1: no screen"),
        (("/there/is/no/such/program",), "cannot be started"),
    ],
)
def test_window_that_cannot_be_measured_is_one_sentence(
    line: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "SIZE", (36, 64))
    monkeypatch.setattr("vecnet_core.cli.bench.studio_line", lambda: line)
    assert main(["bench", "--window", "--frames", "24"]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


def test_too_few_frames_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--window", "--frames", "3"]) == 2
    assert "too few" in capsys.readouterr().err


def test_pulse_notices_how_long_the_main_thread_is_held() -> None:
    pulse = Pulse()
    pulse.start()
    try:
        wait_until(lambda: len(pulse.delays) >= 3, 10, "a pulse")
        time.sleep(0.2)
        wait_until(lambda: max(pulse.delays) > 0.15, 10, "the pulse that was held")
    finally:
        pulse.stop()


def test_only_what_is_painted_after_it_was_expected_counts(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    watch = PaintWatch(widget)
    widget.show()
    qtbot.waitExposed(widget)
    with pytest.raises(TimeoutError):
        watch.wait(0.1)
    began = time.perf_counter()
    watch.expect()
    widget.update()
    assert watch.wait(10) >= began
