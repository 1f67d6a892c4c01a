"""Laws of an export: the arguments say all, progress is told, cancelling leaves nothing, errors are sentences."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import FAKE_EXPORT
from fakes import fake_info

from app.export.export_dialog import outcome_text, progress_text
from app.export.export_form import ExportForm, suggested_output
from app.jobs import ExportJob, ExportOutcome, ExportRequest, ExportStatus
from vecnet_core.project import Project
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.parts import part_path

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def new_job(output: Path, command: list[str] | None = None) -> ExportJob:
    project = Project(
        Path("night.mp4"),
        CorrectionSettings(shadows=0.5, exposure_ev=-1.5),
        encode=EncodeSettings("h264", 20, "fast"),
        device="cpu",
        output=output,
    )
    return ExportJob(ExportRequest(project), command or [sys.executable, FAKE_EXPORT])


def test_arguments_say_all_that_matters() -> None:
    made = new_job(Path("out.mp4")).request.arguments()
    assert made[:4] == ["correct", "night.mp4", "out.mp4", "--json"]
    text = " ".join(made)
    for part in (
        "--shadows 0.5000",
        "--exposure-ev=-1.5000",
        "--steadiness 1.0000",
        "--denoise 0.0000",
        "--codec h264",
        "--crf 20",
        "--preset fast",
        "--device cpu",
    ):
        assert part in text
    assert "--overwrite" not in text


def test_the_command_line_understands_the_arguments() -> None:
    from vecnet_core.cli.parser import make_parser

    options = make_parser().parse_args(new_job(Path("out.mp4")).request.arguments())
    assert (options.shadows, options.exposure_ev, options.codec, options.crf) == (0.5, -1.5, "h264", 20)


def test_progress_then_done(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "night_vec.mp4")
    told: list[ExportStatus] = []
    job.progressed.connect(told.append)
    with qtbot.waitSignal(job.finished, timeout=10_000) as caught:
        job.start()
    outcome: ExportOutcome = caught.args[0]
    assert outcome.output == tmp_path / "night_vec.mp4"
    assert outcome.warnings == ("sound left out",)
    assert outcome.checks == ("8 frames", "times")
    assert [status.stage for status in told] == ["light"] * 4 + ["export"] * 8 + ["verify"] * 3
    assert told[-4:-2] == [ExportStatus("export", 8, 8, 0.0), ExportStatus("verify", 0, 2, None)]
    assert not job.is_running


def test_cancel_leaves_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "long.mp4")
    job.start()
    with qtbot.waitSignal(job.progressed, timeout=10_000, check_params_cb=lambda one: one.stage == "export"):
        pass
    with qtbot.waitSignal(job.cancelled, timeout=10_000):
        job.cancel()
    assert list(tmp_path.iterdir()) == []


def test_killed_child_leaves_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "long.mp4")
    job.start()
    with qtbot.waitSignal(job.progressed, timeout=10_000):
        pass
    assert part_path(tmp_path / "long.mp4").exists()
    with qtbot.waitSignal(job.failed, timeout=10_000) as caught:
        job._process.kill()
    assert list(tmp_path.iterdir()) == []
    assert str(caught.args[0]).startswith("The export was killed (signal 9) and nothing was written;")


def test_child_that_does_not_stop_is_killed_while_the_window_closes(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "long_stubborn.mp4")
    job.start()
    with qtbot.waitSignal(job.progressed, timeout=10_000):
        pass
    with qtbot.waitSignal(job.cancelled, timeout=0):
        job.cancel()
        job.wait(0.2)
    assert not job.is_running
    assert list(tmp_path.iterdir()) == []


def test_refusal_is_the_command_lines_own_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "refuse.mp4")
    with qtbot.waitSignal(job.failed, timeout=10_000) as caught:
        job.start()
    sentence, details = caught.args
    assert sentence.endswith("its folder is not writable; choose another folder.")
    assert "exit code 2" in details


def test_crash_of_the_child_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "crash.mp4")
    with qtbot.waitSignal(job.failed, timeout=10_000) as caught:
        job.start()
    assert caught.args[0] == "Segmentation something"


def test_command_that_is_not_there(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "x.mp4", [str(tmp_path / "no-such-program")])
    with qtbot.waitSignal(job.failed, timeout=10_000) as caught:
        job.start()
    assert caught.args[0].startswith("The export could not be started")


def test_suggested_output_never_exists(tmp_path: Path) -> None:
    source = tmp_path / "night.mp4"
    assert suggested_output(source, "h264").name == "night_vec.mp4"
    (tmp_path / "night_vec.mp4").touch()
    assert suggested_output(source, "h264").name == "night_vec_2.mp4"
    assert suggested_output(source, "prores").name == "night_vec.mov"
    assert suggested_output(tmp_path / "old.avi", "h264").name == "old_vec.mp4"


def test_form_never_replaces_silently(qtbot: QtBot, tmp_path: Path) -> None:
    source = tmp_path / "night.mp4"
    source.touch()
    form = ExportForm()
    qtbot.addWidget(form)
    form.use_clip(fake_info(source))
    assert form.start.isEnabled()
    existing = tmp_path / "there.mp4"
    existing.touch()
    form.path.setText(str(existing))
    assert not form.start.isEnabled()
    form.replace.setChecked(True)
    assert form.start.isEnabled()
    with qtbot.waitSignal(form.export_asked) as caught:
        form.start.click()
    assert caught.args[0].overwrites
    assert caught.args[0].output == existing
    form.path.setText(str(source))
    assert not form.start.isEnabled()
    form.path.setText(str(tmp_path / "missing" / "x.mp4"))
    assert not form.start.isEnabled()
    form.path.setText(str(tmp_path / "film.avi"))
    assert not form.start.isEnabled()
    form.path.setText(str(tmp_path / ("n" * 300 + ".mp4")))
    assert not form.start.isEnabled()


def test_form_offers_what_the_codec_has(qtbot: QtBot, tmp_path: Path) -> None:
    form = ExportForm()
    qtbot.addWidget(form)
    source = tmp_path / "night.mp4"
    form.use_clip(fake_info(source))
    form.choose_codec("ffv1")
    assert Path(form.path.text()).suffix == ".mkv"
    with qtbot.waitSignal(form.export_asked) as caught:
        form.start.click()
    assert caught.args[0].encode == EncodeSettings("ffv1")
    form.choose_codec("h264")
    with qtbot.waitSignal(form.export_asked) as caught:
        form.start.click()
    assert caught.args[0].encode == EncodeSettings("h264", 18, "medium")
    form.crf.setValue(27)
    form.preset.setCurrentText("slow")
    form.use_clip(fake_info(source))
    assert (form.crf.value(), form.preset.currentText()) == (27, "slow")


def test_texts() -> None:
    assert progress_text(ExportStatus("export", 120, 480, 70.2)) == "frame 120 of 480, 1:10 left"
    assert progress_text(ExportStatus("light", 3, 48, None)) == "frame 3 of 48"
    assert progress_text(ExportStatus("verify", 2, 7, 0.4)) == "step 2 of 7, 0:00 left"
    outcome = ExportOutcome(Path("x.mp4"), 180, 12.3, "CPU", ("the subtitles were left out",), ("180 frames", "times"))
    assert outcome_text(outcome).split("\n") == [
        "180 frames in 0:12 on CPU.",
        "Checked: 180 frames, times.",
        "Note: the subtitles were left out.",
    ]
