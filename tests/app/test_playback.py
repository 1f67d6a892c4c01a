"""Laws of playback: where it is at any time, sound and picture in step, frames dropped and told."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fake_sound import FakeClock, FakeSink, FakeSource
from fakes import FakeSession, fake_info

from app.document import Document
from app.playback import Course, Loop, Playback, SoundPlayer
from app.playback import sound as sound_module
from app.playback.sound import NoSoundError, Sink
from app.preview import Preview
from app.preview_worker import ClipTimes, PreviewResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot


def at(course: Course, *elapsed: float) -> list[float]:
    return course.at(np.array(elapsed)).tolist()


def test_a_course_runs_once_and_ends_where_the_range_does() -> None:
    course = Course(1.0, 0.5, 2.0)
    assert at(course, 0, 0.5, 1.0) == [1.0, 1.5, 2.0]
    assert np.isnan(at(course, -0.1, 1.1)).all()
    assert course.seconds == 1.0
    assert course.place(7.0) == 2.0
    back = Course(1.0, 0.5, 2.0, speed=-2.0)
    assert at(back, 0, 0.1, 0.25) == [1.0, 0.8, 0.5]
    assert back.seconds == 0.25


def test_a_loop_begins_again_and_ping_pong_turns() -> None:
    loop = Course(1.5, 1.0, 2.0, loop=Loop.LOOP)
    assert at(loop, 0.25, 0.5, 0.75, 1000.75) == pytest.approx([1.75, 1.0, 1.25, 1.25])
    turn = Course(1.5, 1.0, 2.0, loop=Loop.PING_PONG)
    assert at(turn, 0.25, 0.5, 0.75, 1.5, 1.75) == pytest.approx([1.75, 2.0, 1.75, 1.0, 1.25])
    back = Course(1.5, 1.0, 2.0, speed=-1.0, loop=Loop.PING_PONG)
    assert at(back, 0.25, 0.5, 0.75) == pytest.approx([1.25, 1.0, 1.25])


def test_times_of_variable_rate_find_the_frame_that_is_shown() -> None:
    times = ClipTimes(1, np.array([0.0, 0.1, 0.5, 0.6, 1.0]), Fraction(4))
    assert [times.index_at(seconds) for seconds in (-1, 0, 0.0999, 0.1, 0.49, 0.5, 5)] == [0, 0, 0, 1, 1, 2, 3]
    for first in range(4):
        for last in range(first, 4):
            assert times.frames_between(times.starts[first], times.starts[last + 1]) == (first, last)
    assert times.frames_between(0.1, None) == (1, 3)


# Sound ---------------------------------------------------------------------------------------------------------------


class Studio:
    """A sound player on a device and a clock of the test, without its thread: `turn` does what the thread would."""

    def __init__(self, pace: float = 1.0, wakes_after: float = 0.0) -> None:
        self.clock = FakeClock()
        self.source = FakeSource()
        self.sink: FakeSink | None = None
        self.pace, self.wakes_after = pace, wakes_after
        self.until = 0.0
        self.heard: list[tuple[float, float]] = []
        self.player = SoundPlayer(None, self._open, lambda _: self.source, self.clock)
        self.player._thread = object()  # type: ignore[assignment]
        self.player._pause = self._wait  # type: ignore[method-assign]

    def _open(self) -> Sink:
        self.sink = FakeSink(self.clock, self.pace, self.wakes_after)
        return self.sink

    def _wait(self) -> None:
        assert self.sink is not None
        self.clock.seconds += 0.008
        played = self.sink.played
        if self.player.leads:
            self.heard.append((self.player.elapsed(), self._said_at(played)))
        if self.clock.seconds >= self.until:
            self.player._wanted = None

    def _said_at(self, played: float) -> float:
        """The clip's time in the sample that the device plays now."""
        assert self.sink is not None
        size = self.sink.blocks[0].shape[0]
        block, place = divmod(min(round(played * 48_000), self.sink.written - 1), size)
        return float(self.sink.blocks[block][place, 0]) / 32767 * 1000

    def play(self, course: Course, seconds: float) -> None:
        self.until = self.clock() + seconds
        self.player.play(fake_info(), course)
        run = self.player._wanted
        assert run is not None
        self.player._play_through(run)


@pytest.mark.parametrize(("pace", "wakes_after"), [(1.0, 0.0), (1.005, 0.0), (0.995, 0.3), (1.0, 1.2)])
def test_picture_and_sound_stay_within_a_frame_for_a_minute(pace: float, wakes_after: float) -> None:
    """The device's clock is 0.5 % off and wakes late: what is seen is what is heard."""
    studio = Studio(pace, wakes_after)
    course = Course(2.0, 0.0, 600.0)
    studio.play(course, 60.0)
    told = [(course.place(elapsed), said) for elapsed, said in studio.heard if said > 0]
    assert len(told) > 5000
    # A 16-bit sample says its time to 15 ms, half of that by rounding.
    assert max(abs(seen - said) for seen, said in told) < 1 / 24
    assert told[-1][0] == pytest.approx(2.0 + wakes_after + (60.0 - wakes_after) * pace, abs=0.05)


def test_the_wall_is_the_clock_until_the_device_begins() -> None:
    studio = Studio(wakes_after=0.5)
    studio.until = studio.clock() + 0.4
    studio.player.play(fake_info(), Course(0.0, 0.0, 10.0))
    run = studio.player._wanted
    assert run is not None
    studio.player._play_through(run)
    assert not studio.player.leads
    assert studio.player.elapsed() == pytest.approx(0.4, abs=0.02)
    assert studio.sink is not None
    assert studio.sink.is_closed
    assert not np.concatenate(studio.sink.blocks).any()


def test_a_device_that_takes_nothing_is_given_up_with_a_sentence_and_the_clock_goes_on() -> None:
    studio = Studio(wakes_after=60.0)
    told: list[str] = []
    studio.player.failed.connect(told.append)
    studio.play(Course(0.0, 0.0, 10.0), 5.0)
    assert told == ["The sound device does not take any sound; the picture plays on without it."]
    before = studio.player.elapsed()
    studio.clock.seconds += 1.0
    assert studio.player.elapsed() == pytest.approx(before + 1.0)


def test_muted_is_silent_and_still_the_clock() -> None:
    studio = Studio()
    studio.player.set_muted(True)
    studio.play(Course(0.0, 0.0, 10.0), 1.0)
    assert studio.sink is not None
    assert studio.sink.volume == 0.0
    assert studio.heard[-1][0] == pytest.approx(1.0, abs=0.05)


def test_the_sound_of_a_loop_comes_round_with_the_picture() -> None:
    studio = Studio()
    course = Course(3.0, 3.0, 3.5, loop=Loop.PING_PONG)
    studio.play(course, 4.0)
    told = [(course.place(elapsed), said) for elapsed, said in studio.heard if said > 0]
    assert max(said for _, said in told) <= 3.52
    assert max(abs(seen - said) for seen, said in told) < 1 / 24


# The player ----------------------------------------------------------------------------------------------------------


class Stage:
    """A player whose clock the test turns; its preview answers at once, or late."""

    def __init__(self, qtbot: QtBot, seconds: float = 0.0, frames: int = 48) -> None:
        self.qtbot = qtbot
        self.sessions: list[FakeSession] = []
        self.document = Document()

        def open_session(path: Path, decode: object) -> FakeSession:
            self.sessions.append(FakeSession(path, decode, seconds=seconds))  # type: ignore[arg-type]
            return self.sessions[-1]

        self.preview = Preview(self.document, open_session)
        self.preview.clip_opened.connect(lambda request, info, _: self.document.use_clip(info, request.decode))
        self.sound = SoundPlayer(None, lambda: FakeSink(time.monotonic), lambda _: FakeSource())  # type: ignore[arg-type]
        self.playback = Playback(self.document, self.preview, self.sound)
        self.seen: list[int] = []
        self.preview.frame_shown.connect(self._note)
        self.preview.set_size((36, 64))

    def _note(self, result: PreviewResult) -> None:
        if result.request.is_playing:
            self.seen.append(result.request.index)

    def open(self) -> None:
        with self.qtbot.waitSignal(self.preview.clip_timed, timeout=5000):
            self.preview.open_clip(Path("night.mp4"))

    def close(self) -> None:
        self.playback.close()
        self.preview.close()


@pytest.fixture
def new_stage(qtbot: QtBot) -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def make(**options: float) -> Stage:
        stages.append(Stage(qtbot, **options))  # type: ignore[arg-type]
        stages[-1].open()
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(new_stage: Callable[..., Stage]) -> Stage:
    return new_stage()


def test_shuttle_is_faster_with_every_press_and_turns(stage: Stage) -> None:
    told: list[float] = []
    stage.playback.speed_changed.connect(told.append)
    for direction in (1, 1, 1, 1, 1, -1, -1, 1):
        stage.playback.shuttle(direction)
    stage.playback.stop()
    assert told == [1, 2, 4, 8, 8, -1, -2, 1, 0]


def test_back_from_the_start_begins_at_the_end(stage: Stage, qtbot: QtBot) -> None:
    stage.playback.shuttle(-1)
    assert stage.document.playhead == 47
    qtbot.waitUntil(lambda: stage.document.playhead < 44, timeout=5000)
    assert stage.playback.speed == -1


def test_it_plays_inside_the_range_and_stops_on_its_last_frame(stage: Stage, qtbot: QtBot) -> None:
    stage.playback.set_range(10, 16)
    stage.seen.clear()
    stage.playback.start()
    qtbot.waitUntil(lambda: not stage.playback.is_playing, timeout=5000)
    assert stage.document.playhead == 16
    assert set(stage.seen) <= set(range(10, 17))


def test_a_loop_goes_round_in_the_range(stage: Stage, qtbot: QtBot) -> None:
    stage.playback.set_range(10, 16)
    stage.playback.set_loop(Loop.LOOP)
    stage.playback.start()
    qtbot.waitUntil(lambda: any(b < a for a, b in pairwise(stage.seen)), timeout=5000)
    assert stage.playback.is_playing
    assert set(stage.seen) <= set(range(10, 17))


def test_around_plays_to_and_fro_and_comes_back(stage: Stage, qtbot: QtBot) -> None:
    stage.document.set_playhead(20)
    stage.playback.play_around()
    qtbot.waitUntil(lambda: {5, 35} <= {min(stage.seen, default=99), max(stage.seen, default=0)}, timeout=8000)
    stage.playback.play_around()
    assert not stage.playback.is_playing
    assert stage.document.playhead == 20
    assert stage.playback.loop is Loop.ONCE


def test_late_frames_are_dropped_counted_and_make_the_preview_half(
    new_stage: Callable[..., Stage], qtbot: QtBot
) -> None:
    stage = new_stage(seconds=0.08)
    sizes: list[object] = []
    stage.preview.frame_shown.connect(lambda result: sizes.append(result.original.shape[:2]))
    dropped: list[int] = []
    half: list[bool] = []
    stage.playback.dropped_changed.connect(dropped.append)
    stage.playback.half_changed.connect(half.append)
    stage.playback.set_loop(Loop.LOOP)
    qtbot.waitUntil(lambda: len(sizes) > 1, timeout=8000)
    begun = time.monotonic()
    stage.playback.start()
    qtbot.waitUntil(lambda: (18, 32) in sizes, timeout=15_000)
    passed = (time.monotonic() - begun) * 24
    assert dropped[-1] > 3
    assert dropped[-1] + len(stage.seen) <= passed + 6
    assert half == [True]
    stage.playback.stop()
    assert half == [True, False]


def test_ready_frames_are_played_without_composing_again(new_stage: Callable[..., Stage], qtbot: QtBot) -> None:
    stage = new_stage()
    ready: list[np.ndarray] = []
    stage.preview.frames_ready.connect(ready.append)
    qtbot.waitUntil(lambda: bool(ready) and bool(ready[-1].all()), timeout=15_000)
    session = stage.sessions[0]
    session.calls.clear()
    stage.playback.start()
    qtbot.waitUntil(lambda: stage.document.playhead > 12, timeout=5000)
    assert [call for call in session.calls if call[0] == "render"] == []
    assert stage.playback.dropped <= 2
    stage.playback.stop()
    # What stands still is exact again, not the bytes of the screen.
    qtbot.waitUntil(lambda: ("render", stage.document.playhead) in session.calls, timeout=5000)


@pytest.mark.parametrize("playhead", [0, 20, 47])
def test_all_that_fits_becomes_ready_wherever_the_playhead_stands(
    new_stage: Callable[..., Stage], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, playhead: int
) -> None:
    # Room for 53 of these frames, of which the clip has 48.
    monkeypatch.setattr(FakeSession, "ready_bytes", 1_100_000)
    stage = new_stage()
    stage.document.set_playhead(playhead)
    ready: list[np.ndarray] = []
    stage.preview.frames_ready.connect(ready.append)
    qtbot.waitUntil(lambda: bool(ready) and bool(ready[-1].all()), timeout=15_000)


def test_a_slider_makes_ready_frames_anew(new_stage: Callable[..., Stage], qtbot: QtBot) -> None:
    stage = new_stage()
    ready: list[np.ndarray] = []
    stage.preview.frames_ready.connect(ready.append)
    qtbot.waitUntil(lambda: bool(ready) and bool(ready[-1].all()), timeout=15_000)
    ready.clear()
    stage.document.edit("strength", 0.5, 1)
    qtbot.waitUntil(lambda: bool(ready), timeout=5000)
    assert not ready[0].all()
    qtbot.waitUntil(lambda: bool(ready[-1].all()), timeout=15_000)


def test_nothing_plays_by_the_times_of_the_clip_before(stage: Stage) -> None:
    stage.document.use_clip(fake_info(Path("longer.mp4"), frames=500))
    stage.document.set_playhead(400)
    stage.playback.start()
    assert not stage.playback.is_playing


def test_without_a_device_the_picture_plays_and_one_sentence_tells(stage: Stage, qtbot: QtBot) -> None:
    def refuse() -> Sink:
        raise NoSoundError("There is no sound device; the picture plays without sound.")

    told: list[str] = []
    stage.sound.failed.connect(told.append)
    stage.sound.use(refuse, lambda _: FakeSource())
    for _ in range(2):
        stage.playback.start()
        qtbot.waitUntil(lambda: stage.document.playhead > 4, timeout=5000)
        stage.playback.stop()
        stage.document.set_playhead(0)
    assert told == ["There is no sound device; the picture plays without sound."]


def test_without_qt_multimedia_a_sentence_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PySide6.QtMultimedia", None)
    monkeypatch.delitem(__import__("sys").modules, "app.playback.device", raising=False)
    with pytest.raises(NoSoundError, match=r"^Sound cannot be played: .* is not installed\.$"):
        sound_module.open_device()
