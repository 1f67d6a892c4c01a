"""Laws of an export: the project file says all, progress is told, stopping keeps what is done, errors are sentences."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from conftest import FAKE_EXPORT
from fakes import fake_info

from app.export.encode_details import CODEC_NAMES
from app.export.export_dialog import outcome_text
from app.export.export_form import ExportForm
from app.export.output_look import SPACE_SHARE, SPARE_BYTES, expected_bytes, size_words, space_words, will_fit
from app.export.output_name import suggested_output
from app.export.progress_page import STAGES, progress_text
from app.jobs import ExportJob, ExportOutcome, ExportRequest, ExportStatus
from vecnet_core.cli.parser import make_parser
from vecnet_core.project import Clip, Project
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.encode import CODECS, EncodeSettings
from vecnet_core.video.unfinished import find_unfinished

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def new_job(output: Path, command: list[str] | None = None, **wishes: bool) -> ExportJob:
    settings = CorrectionSettings(shadows=0.5, exposure_ev=-1.5)
    clip = Clip(Path("night.mp4"), settings, encode=EncodeSettings("h264", 20, "fast"), output=output)
    file = output.parent / "export.json"
    Project((clip,), "cpu").save(file)
    return ExportJob(ExportRequest(file, output, **wishes), command or [sys.executable, FAKE_EXPORT])


def wait_for_groups(qtbot: QtBot, job: ExportJob) -> None:
    """Until something is kept."""

    def has_groups(status: ExportStatus) -> bool:
        return status.stage == "export" and status.done > 12

    with qtbot.waitSignal(job.progressed, timeout=10_000, check_params_cb=has_groups):
        pass


def test_the_command_line_understands_the_arguments(tmp_path: Path) -> None:
    made = ExportRequest(tmp_path / "export.json", tmp_path / "out.mp4", overwrites=True, resumes=True).arguments()
    options = make_parser().parse_args(made)
    assert options.project == str(tmp_path / "export.json")
    assert (options.json, options.overwrite, options.resume, options.restart) == ("-", True, True, False)
    plain = make_parser().parse_args(ExportRequest(tmp_path / "export.json", tmp_path / "out.mp4").arguments())
    assert (plain.overwrite, plain.resume, plain.restart, plain.device) == (False, False, False, None)


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
    assert [status.stage for status in told] == ["light"] * 4 + ["export"] * 8 + ["join"] + ["verify"] * 3
    assert {status.stage for status in told} == set(STAGES)
    assert told[-5:-3] == [ExportStatus("export", 8, 8, 0.0), ExportStatus("join", 8, 8, 0.2)]
    assert not job.is_running


def test_stopping_keeps_what_is_done_and_resuming_goes_on(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "long_finish.mp4")
    job.start()
    wait_for_groups(qtbot, job)
    begun = time.monotonic()
    with qtbot.waitSignal(job.stopped, timeout=10_000):
        job.stop()
    assert time.monotonic() - begun < 2.0
    kept = find_unfinished(tmp_path / "long_finish.mp4")
    assert kept is not None
    assert kept.frames >= 10
    assert not (tmp_path / "long_finish.mp4").exists()
    job = new_job(tmp_path / "long_finish.mp4", resumes=True)
    with qtbot.waitSignal(job.finished, timeout=10_000) as caught:
        job.start()
    assert caught.args[0].kept == kept.frames


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_child_that_inherited_deaf_ears_for_ctrl_c_stops_at_once(qtbot: QtBot, tmp_path: Path) -> None:
    """As it is where the editor was started in the background of a script: stopping took 8 seconds."""
    deaf = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, FAKE_EXPORT]
    job = new_job(tmp_path / "long.mp4", deaf)
    job.start()
    wait_for_groups(qtbot, job)
    begun = time.monotonic()
    with qtbot.waitSignal(job.stopped, timeout=10_000):
        job.stop()
    assert time.monotonic() - begun < 2.0
    assert find_unfinished(tmp_path / "long.mp4") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="states of processes are told otherwise")
def test_a_paused_child_stands_still_and_can_be_stopped(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "long.mp4")
    told: list[ExportStatus] = []
    job.progressed.connect(told.append)
    job.start()
    wait_for_groups(qtbot, job)
    child = psutil.Process(job._process.processId())
    job.pause()
    assert job.is_paused
    qtbot.waitUntil(lambda: child.status() == psutil.STATUS_STOPPED, timeout=5000)
    qtbot.wait(100)
    count = len(told)
    qtbot.wait(200)
    assert len(told) == count
    job.go_on()
    assert not job.is_paused
    qtbot.waitUntil(lambda: len(told) > count, timeout=5000)
    job.pause()
    with qtbot.waitSignal(job.stopped, timeout=5000):
        job.stop()
    assert find_unfinished(tmp_path / "long.mp4") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_a_killed_child_has_done_is_kept(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "long.mp4")
    job.start()
    wait_for_groups(qtbot, job)
    with qtbot.waitSignal(job.failed, timeout=10_000) as caught:
        os.kill(job._process.processId(), signal.SIGKILL)
    assert find_unfinished(tmp_path / "long.mp4") is not None
    assert str(caught.args[0]).startswith("The export was killed (signal 9);")


def test_child_that_does_not_stop_is_killed_while_the_window_closes(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "long_stubborn.mp4")
    job.start()
    wait_for_groups(qtbot, job)
    with qtbot.waitSignal(job.stopped, timeout=0):
        job.stop()
        job.wait(0.2)
    assert not job.is_running
    assert find_unfinished(tmp_path / "long_stubborn.mp4") is not None


def test_an_output_that_exists_is_replaced_only_when_that_was_agreed(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "there.mp4").touch()
    job = new_job(tmp_path / "there.mp4")
    with qtbot.waitSignal(job.failed, timeout=10_000) as caught:
        job.start()
    assert caught.args[0].endswith("the output exists already; allow to replace it, or give another name.")
    job = new_job(tmp_path / "there.mp4", overwrites=True)
    with qtbot.waitSignal(job.finished, timeout=10_000):
        job.start()


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
    source = fake_info(tmp_path / "night.mp4")
    assert suggested_output(source, "h264").name == "night_vec.mp4"
    (tmp_path / "night_vec.mp4").touch()
    assert suggested_output(source, "h264").name == "night_vec_2.mp4"
    assert suggested_output(source, "prores").name == "night_vec.mov"
    assert suggested_output(source, "png") == tmp_path / "night_vec" / "night_%05d.png"
    (tmp_path / "night_vec").mkdir()
    (tmp_path / "night_vec" / "night_00001.png").touch()
    assert suggested_output(source, "png") == tmp_path / "night_vec_2" / "night_%05d.png"
    assert suggested_output(fake_info(tmp_path / "old.avi"), "h264").name == "old_vec.mp4"
    assert suggested_output(fake_info(tmp_path / "part #3.mov"), "h264").name == "part #3_vec.mov"


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("shot_####.png", "shot_vec.mp4"), ("shot.%04d.exr", "shot_vec.mp4"), ("2024.05.01", "2024.05.01_vec.mp4")],
)
def test_suggested_output_of_pictures_has_no_place_for_numbers(tmp_path: Path, name: str, suggested: str) -> None:
    pictures = replace(fake_info(tmp_path / name), files=(tmp_path / "a.png", tmp_path / "b.png"))
    assert suggested_output(pictures, "h264") == tmp_path / suggested


def look(qtbot: QtBot, form: ExportForm, output: Path) -> None:
    """Type a name, and wait until it has been looked at."""
    form.path.setText(str(output))
    qtbot.waitUntil(lambda: form._look.text == str(output), timeout=5000)


def test_form_never_replaces_silently(qtbot: QtBot, tmp_path: Path) -> None:
    source = tmp_path / "night.mp4"
    source.touch()
    form = ExportForm()
    qtbot.addWidget(form)
    form.use_clip(fake_info(source))
    look(qtbot, form, tmp_path / "new.mp4")
    assert form.start.isEnabled()
    existing = tmp_path / "there.mp4"
    existing.touch()
    look(qtbot, form, existing)
    assert not form.start.isEnabled()
    form.replace.setChecked(True)
    assert form.start.isEnabled()
    with qtbot.waitSignal(form.export_asked) as caught:
        form.start.click()
    assert caught.args[0].overwrites
    assert caught.args[0].output == existing
    look(qtbot, form, source)
    assert not form.start.isEnabled()
    look(qtbot, form, tmp_path / "missing" / "x.mp4")
    assert not form.start.isEnabled()
    look(qtbot, form, tmp_path / "film.avi")
    assert not form.start.isEnabled()
    look(qtbot, form, tmp_path / ("n" * 300 + ".mp4"))
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
    form.details.crf.setValue(27)
    form.details.preset.setCurrentText("slow")
    form.use_clip(fake_info(source))
    assert (form.details.crf.value(), form.details.preset.currentText()) == (27, "slow")


def test_form_offers_to_finish_what_was_interrupted(qtbot: QtBot, tmp_path: Path) -> None:
    job = new_job(tmp_path / "long.mp4")
    job.start()
    wait_for_groups(qtbot, job)
    with qtbot.waitSignal(job.stopped, timeout=10_000):
        job.stop()
    form = ExportForm()
    qtbot.addWidget(form)
    form.use_clip(fake_info(tmp_path / "night.mp4"))
    look(qtbot, form, tmp_path / "long.mp4")
    assert form.start.text() == "Finish it"
    assert form._message.text().startswith("An export to this file stopped after ")
    assert form._message.text().endswith(" of 2,000 frames.")
    with qtbot.waitSignal(form.export_asked) as caught:
        form.start.click()
    assert (caught.args[0].resumes, caught.args[0].restarts) == (True, False)
    with qtbot.waitSignal(form.export_asked) as caught:
        form.anew.click()
    assert (caught.args[0].resumes, caught.args[0].restarts) == (False, True)
    look(qtbot, form, tmp_path / "other.mp4")
    assert form.start.text() == "Export"
    assert form.anew.isHidden()


def test_form_asks_for_what_the_core_takes(qtbot: QtBot, tmp_path: Path) -> None:
    """Every codec with what is offered for it, on an ordinary clip and one with transparency."""
    form = ExportForm()
    qtbot.addWidget(form)
    for info in (fake_info(tmp_path / "a.mp4"), replace(fake_info(tmp_path / "b.mov"), has_alpha=True)):
        form.use_clip(info)
        for codec in CODECS:
            form.choose_codec(codec)
            qtbot.waitUntil(lambda: form._look.text == form.path.text(), timeout=5000)
            assert form.details.alpha.isHidden() is not info.has_alpha
            form.details.alpha.setChecked(False)
            assert form.start.isEnabled(), (codec, form._message.text())
            for place in range(form.details.bits.count()):
                form.details.bits.setCurrentIndex(place)
                assert form.space.text() or form._message.text()
            form.details.bits.setCurrentIndex(0)
    form.choose_codec("h264")
    form.details.alpha.setChecked(True)
    assert "transparency" in form._message.text()
    assert "--" not in form._message.text()
    assert not form.start.isEnabled()


def test_pictures_are_named_with_a_place_for_their_number(qtbot: QtBot, tmp_path: Path) -> None:
    form = ExportForm()
    qtbot.addWidget(form)
    form.use_clip(fake_info(tmp_path / "night.mp4"))
    form._take_own_path()
    look(qtbot, form, tmp_path / "night.png")
    assert "a place for the number" in form._message.text()
    look(qtbot, form, tmp_path / "night" / "n_%05d.png")
    assert form.start.isEnabled()
    assert form._encoder().codec == "png"
    look(qtbot, form, tmp_path / "no" / "such" / "n_%05d.png")
    assert "does not exist" in form._message.text()


def test_every_codec_of_the_core_has_a_name_for_people(qtbot: QtBot) -> None:
    assert set(CODECS) <= set(CODEC_NAMES)
    form = ExportForm()
    qtbot.addWidget(form)
    assert [form.details.codec.itemData(place) for place in range(form.details.codec.count())] == list(CODECS)


def test_space_is_told_as_the_export_will_see_it() -> None:
    from vecnet_core import export

    assert (SPACE_SHARE, SPARE_BYTES) == (export.SPACE_SHARE, export.SPARE_BYTES)
    info = fake_info(frames=1000)
    small, large = (expected_bytes(info, EncodeSettings("h264", crf)) for crf in (30, 18))
    assert small < large < expected_bytes(info, EncodeSettings("ffv1"))
    # ProRes has twice the colour samples of the source.
    assert expected_bytes(info, EncodeSettings("prores")) == round(2.2 * 2 / 8 * 640 * 360 * 1000)
    assert space_words(1_200_000_000, 48_000_000_000) == "About 1.2 GB; 48 GB free"
    assert not will_fit(1_200_000_000, 2_000_000_000)
    assert space_words(1_200_000_000, 2_000_000_000) == "About 1.2 GB, and 2.7 GB while it is written: only 2.0 GB free"
    assert [size_words(count) for count in (1, 340_000_000, 3_400_000_000_000)] == ["1 MB", "340 MB", "3.4 TB"]


def test_texts() -> None:
    assert progress_text(ExportStatus("export", 1200, 4800, 70.2)) == "frame 1,200 of 4,800, 1:10 left"
    assert progress_text(ExportStatus("export", 120, 480, None, 60)) == "frame 120 of 480 (60 were kept from before)"
    assert progress_text(ExportStatus("light", 3, 48, None)) == "frame 3 of 48"
    assert progress_text(ExportStatus("verify", 2, 7, 0.4)) == "step 2 of 7, 0:00 left"
    outcome = ExportOutcome(Path("x.mp4"), 180, 12.3, "CPU", ("the subtitles were left out",), ("180 frames", "times"))
    assert outcome_text(outcome).split("\n") == [
        "180 frames in 0:12 on CPU.",
        "Checked: 180 frames, times.",
        "Note: the subtitles were left out.",
    ]
    assert outcome_text(replace(outcome, kept=120)).startswith("180 frames in 0:12 on CPU; 120 of them were kept from")
