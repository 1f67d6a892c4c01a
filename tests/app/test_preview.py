"""Laws of the preview: the original at once, latest wins, a person's frame before the background, nothing stale."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes import FakeSession

from app.document import Document
from app.map_pictures import MapKind
from app.preview import Preview
from app.preview_worker import OpenRequest, PreviewRequest, PreviewResult, SourceLight
from app.preview_worker.at_hand import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from vecnet_core.frame import VideoInfo
    from vecnet_core.video.decode import DecodeSettings
from vecnet_core.errors import CheckpointError

MAIN_THREAD = threading.current_thread().name


class Stage:
    """A document, its preview, the sessions that were opened, and the frames that were shown."""

    def __init__(self, qtbot: QtBot, **session_options: object) -> None:
        self.qtbot = qtbot
        self.sessions: list[FakeSession] = []
        self.options = session_options
        self.document = Document()
        self.preview = Preview(self.document, self.open)
        self.preview.clip_opened.connect(self.use_clip)
        self.shown: list[PreviewResult] = []
        self.errors: list[str] = []
        self.preview.frame_shown.connect(self.shown.append)
        self.preview.error_raised.connect(lambda sentence, _: self.errors.append(sentence))

    def use_clip(self, request: OpenRequest, info: VideoInfo, _: object) -> None:
        if request.is_again:
            self.document.use_reading(info, request.decode)
        else:
            self.document.use_clip(info, request.decode)

    def open(self, path: Path, decode: DecodeSettings) -> FakeSession:
        session = FakeSession(path, decode, **self.options)
        self.sessions.append(session)
        return session

    @property
    def session(self) -> FakeSession:
        return self.sessions[-1]

    def open_clip(self, name: str = "night.mp4") -> None:
        with self.qtbot.waitSignal(self.preview.clip_opened, timeout=5000):
            self.preview.open_clip(Path(name))

    def wait_corrected(self, index: int) -> PreviewResult:
        def done() -> bool:
            return any(one.request.index == index and one.corrected is not None for one in self.shown)

        self.qtbot.waitUntil(done, timeout=5000)
        return next(one for one in self.shown if one.request.index == index and one.corrected is not None)

    def wait_analysed(self) -> None:
        self.qtbot.waitUntil(lambda: len(self.session.analysed) == FakeSession.FRAMES, timeout=10_000)

    def frames_of(self, what: str) -> list[int]:
        return [index for call, index in self.session.calls if call == what]


@pytest.fixture
def new_stage(qtbot: QtBot) -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def make(**options: object) -> Stage:
        stages.append(Stage(qtbot, **options))
        return stages[-1]

    yield make
    for stage in stages:
        stage.preview.close()
        assert all(session.is_closed for session in stage.sessions)


def test_original_comes_first_then_the_correction(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_corrected(0)
    assert stage.shown[0].corrected is None
    order = list(dict.fromkeys(call for call, _ in stage.session.calls))
    assert order[:4] == ["original", "load", "analyse", "render"]


def test_main_thread_never_touches_the_clip(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_analysed()
    assert MAIN_THREAD not in stage.session.threads
    assert len(stage.session.threads) == 1


def test_frames_are_analysed_outwards_from_the_playhead(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.document.set_playhead(24)
    stage.wait_analysed()
    order = [index for index in stage.frames_of("analyse") if index != 0]
    assert order[0] == 24
    assert set(order[:12]) == set(range(24, 36))
    assert sorted([*order, 0]) == sorted({*order, 0})


@pytest.mark.parametrize(("playhead", "first"), [(0, 0), (30, 30), (47, 47)])
def test_nearest_begins_at_the_playhead(playhead: int, first: int) -> None:
    import numpy as np

    assert nearest(np.arange(48), playhead) == first
    assert nearest(np.arange(0, 24), 30) == 12


def test_slider_never_runs_the_network_again(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_analysed()
    before = len(stage.frames_of("analyse"))
    stage.document.edit("strength", 0.5, 1)
    stage.qtbot.waitUntil(lambda: stage.shown[-1].request.settings.strength == 0.5, timeout=5000)
    assert stage.shown[-1].corrected is not None
    assert len(stage.frames_of("analyse")) == before


def test_latest_request_wins(new_stage: Callable[..., Stage]) -> None:
    gate = threading.Event()
    stage = new_stage(gate=gate)
    stage.open_clip()
    for index in range(1, 30):
        stage.document.set_playhead(index)
    gate.set()
    stage.wait_corrected(29)
    assert not set(stage.frames_of("render")) & set(range(1, 29))


def test_foreground_goes_before_the_next_background_frame(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage(seconds=0.01)
    stage.open_clip()
    stage.qtbot.waitUntil(lambda: len(stage.session.analysed) > 6, timeout=5000)
    stage.document.set_playhead(40)
    stage.wait_corrected(40)
    calls = [call for call in stage.session.calls if call[0] in {"analyse", "render"}]
    asked = calls.index(("render", 40))
    assert calls[asked - 1] == ("analyse", 40)
    assert len(stage.session.analysed) < FakeSession.FRAMES


def test_answers_of_another_clip_are_dropped(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip("first.mp4")
    stage.wait_corrected(0)
    old = stage.shown[-1]
    stage.open_clip("second.mp4")
    stage.wait_corrected(0)
    count = len(stage.shown)
    stage.preview._take_frame(old)
    import numpy as np

    stage.preview._take_source(SourceLight(old.request.clip, np.arange(1), np.zeros(1), ()))
    assert len(stage.shown) == count
    assert stage.sessions[0].is_closed


def test_older_answers_do_not_replace_newer_ones(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_corrected(0)
    late = stage.shown[-1]
    stage.document.set_playhead(3)
    stage.wait_corrected(3)
    count = len(stage.shown)
    stage.preview._take_frame(late)
    assert len(stage.shown) == count


def test_clip_that_cannot_be_opened_leaves_the_one_at_hand(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_corrected(0)
    with stage.qtbot.waitSignal(stage.preview.clip_refused, timeout=5000):
        stage.preview.open_clip(Path("broken.mp4"))
    stage.document.set_playhead(2)
    stage.wait_corrected(2)
    assert stage.errors == ["broken.mp4: this is not a video; choose a video file."]
    assert not stage.sessions[0].is_closed


def test_clip_that_cannot_be_opened_takes_no_request_with_it(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_corrected(0)
    with stage.preview._worker._changed:  # the thread finds both notes at once
        stage.document.set_playhead(20)
        stage.preview.open_clip(Path("broken.mp4"))
    stage.wait_corrected(20)
    stage.qtbot.waitUntil(lambda: not stage.preview.is_waiting, timeout=5000)


def test_frame_broken_off_for_a_clip_that_cannot_be_opened_is_finished(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.preview.pause_background(True)
    stage.open_clip()
    stage.wait_corrected(0)
    gate = stage.session.gate = threading.Event()
    stage.document.set_playhead(20)
    stage.qtbot.waitUntil(lambda: ("original", 20) in stage.session.calls, timeout=5000)
    stage.preview.open_clip(Path("broken.mp4"))
    gate.set()
    stage.wait_corrected(20)
    stage.qtbot.waitUntil(lambda: not stage.preview.is_waiting, timeout=5000)


def test_background_rests_while_paused(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage(seconds=0.005)
    stage.open_clip()
    stage.wait_corrected(0)
    stage.preview.pause_background(True)
    stage.qtbot.wait(100)
    done = len(stage.session.analysed)
    stage.qtbot.wait(200)
    assert len(stage.session.analysed) == done < FakeSession.FRAMES
    stage.document.set_playhead(9)
    stage.wait_corrected(9)
    stage.preview.pause_background(False)
    stage.wait_analysed()


def test_maps_and_thumbnails_come_with_the_frame(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_corrected(0)
    with stage.qtbot.waitSignal(stage.preview.thumbnails_shown, timeout=5000) as caught:
        stage.preview.set_map_kind(MapKind.GAIN)
        stage.preview.set_thumbnail_size((54, 96))
    pictures = caught.args[0]
    assert set(pictures) == set(MapKind)
    assert all(picture.shape == (54, 96, 4) for picture in pictures.values())
    shown = stage.shown[-1].map
    assert shown is not None
    assert shown.kind is MapKind.GAIN


def test_rotated_clip_is_shown_upright(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage(rotation=90)
    stage.open_clip()
    stage.preview.set_size((90, 160))
    stage.qtbot.waitUntil(lambda: bool(stage.shown) and stage.shown[-1].original.shape == (160, 90, 3), timeout=5000)


def test_another_device_is_used_from_the_next_frame_on(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_corrected(0)
    with stage.qtbot.waitSignal(stage.preview.device_chosen, timeout=5000) as caught:
        stage.preview.use_device("mps")
    assert caught.args == ["MPS"]


def test_a_device_chosen_while_a_clip_waits_to_be_opened_is_used(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_corrected(0)
    chosen: list[str] = []
    stage.preview.device_chosen.connect(chosen.append)
    stage.session.gate = gate = threading.Event()
    stage.document.set_playhead(4)
    stage.qtbot.waitUntil(lambda: stage.session.calls[-1][1] == 4, timeout=5000)
    stage.preview.open_clip(Path("other.mp4"))
    stage.preview.use_device("mps")
    gate.set()
    stage.qtbot.waitUntil(lambda: chosen[-1:] == ["MPS"], timeout=5000)
    assert stage.session.path == Path("other.mp4")


def test_error_in_one_frame_is_a_sentence_and_the_thread_lives(
    new_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = new_stage()
    stage.open_clip()
    stage.wait_corrected(0)
    monkeypatch.setattr(stage.session, "render", lambda *_: 1 / 0)
    stage.document.set_playhead(4)
    stage.qtbot.waitUntil(lambda: bool(stage.errors), timeout=5000)
    monkeypatch.undo()
    stage.document.set_playhead(5)
    stage.wait_corrected(5)
    assert stage.errors[0].startswith("Something went wrong in the preview (ZeroDivisionError")


def test_missing_network_is_told_once_and_originals_are_shown(
    new_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: FakeSession, device: str) -> str:
        raise CheckpointError("the weights are missing", hint="install the editor again")

    monkeypatch.setattr(FakeSession, "load_network", fail)
    stage = new_stage()
    failed: list[bool] = []
    stage.preview.frame_failed.connect(lambda: failed.append(True))
    stage.open_clip()
    stage.qtbot.waitUntil(lambda: len(failed) == 1, timeout=5000)
    stage.document.set_playhead(5)
    stage.qtbot.waitUntil(lambda: len(failed) == 2, timeout=5000)
    assert not stage.preview.is_waiting
    assert stage.shown[-1].request.index == 5
    assert stage.errors == ["the weights are missing; install the editor again."]


def test_background_that_keeps_failing_is_told_once_and_given_up(
    new_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = new_stage()
    tried: list[int] = []

    def fail(index: int, settings: object) -> float:
        tried.append(index)
        raise MemoryError("out of memory")

    stage.preview.clip_opened.connect(lambda *_: monkeypatch.setattr(stage.session, "corrected_exposure", fail))
    stage.open_clip()
    stage.qtbot.waitUntil(lambda: len(tried) == 5, timeout=5000)
    stage.qtbot.wait(300)
    assert len(tried) == 5
    assert len(stage.errors) == 1


def test_request_captures_all_it_needs() -> None:
    from vecnet_core.settings import CorrectionSettings

    request = PreviewRequest(clip=1, serial=2, index=3, settings=CorrectionSettings())
    with pytest.raises(AttributeError):
        request.index = 4  # type: ignore[misc]
