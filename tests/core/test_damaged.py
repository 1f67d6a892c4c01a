"""Damaged files end in an error of ours or in a correction that says what was bad: no crash, no hang, no traceback."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
import pytest
from damage import KINDS, SOURCES, DamagedFile, Source, damaged_files, make_source
from damage_run import Outcome, Runner

from vecnet_core.video.copying import _refine
from vecnet_core.video.damage import GroupWatch, damage_clauses, ffv1_is_whole, frames_named
from vecnet_core.video.opening import packets_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = 1
FILES = 300
QUICK = 10
"""Every tenth file is tried in the quick tests."""

VISIBLE_CODES = 6.0
"""Of 255: a block of 8 x 8 whose mean differs by more is seen."""

UNMARKED = ("CABAC_MAX_BIN",)
"""What FFmpeg prints about a frame that it then gives without any mark on it or its packet."""


class Sound(NamedTuple):
    """An undamaged clip: its file, and what became of it."""

    data: bytes
    outcome: Outcome


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with Runner(tmp_path_factory.mktemp("runner")) as running:
        yield running


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory, runner: Runner) -> dict[Source, Sound]:
    folder = tmp_path_factory.mktemp("sound")
    paths = {source: make_source(source, folder / source.name) for source in SOURCES}
    return {source: Sound(path.read_bytes(), runner.run(path)) for source, path in paths.items()}


def bad_frames(outcome: Outcome, sound: Outcome) -> str:
    """What is wrong with the frames that were read, in words; nothing when none is missing or visibly different."""
    frames, meant = outcome.frames, sound.frames
    assert frames is not None
    assert meant is not None
    if frames.shape[1:] != meant.shape[1:]:
        return "another size"
    if len(frames) < len(meant):
        return f"{len(meant) - len(frames)} missing"
    different = np.abs(frames[: len(meant)] - meant).max(axis=(1, 2)) > VISIBLE_CODES
    return f"different: {np.flatnonzero(different).tolist()}" if different.any() else ""


def is_told_by_ffmpeg(lines: list[str], bad: str) -> bool:
    """True when FFmpeg speaks of what is bad: of missing frames its demuxers can, of others its decoders."""
    lines = [line for line in lines if not any(words in line for words in UNMARKED)]
    demuxers = ("matroska", "mov", "avi", "mpegts", ": ")  # the last one has no name
    return any(line.startswith(demuxers) == ("missing" in bad) for line in lines)


def fault(path: Path, outcome: Outcome, sound: Outcome, runner: Runner) -> str:
    """What a user would be right to complain about; nothing when all is as it should be."""
    if outcome.end not in {"done", "error"}:
        return f"{outcome.end}: {outcome.words}"
    if "Traceback" in outcome.printed or "Error" in outcome.printed:
        return f"it prints {outcome.printed}"
    if outcome.end == "error":
        is_sentence = outcome.words.endswith(".") and "\n" not in outcome.words and path.stem in outcome.words
        return "" if is_sentence else f"no sentence that names the file: {outcome.words}"
    if not outcome.is_written:
        return "nothing is written"
    bad = bad_frames(outcome, sound)
    if not bad or outcome.warnings:
        return ""
    told = runner.log(path)
    return (
        f"not a word about frames that are {bad}, of which FFmpeg says {told[:3]}"
        if is_told_by_ffmpeg(told, bad)
        else ""
    )


def faults(files: list[DamagedFile], folder: Path, sounds: dict[Source, Sound], runner: Runner) -> list[str]:
    """Run files and judge what becomes of them."""
    found: list[str] = []
    ends: Counter[str] = Counter()
    for number, file in enumerate(files):
        path = folder / f"{number:03d}_{file.source.name}"
        path.write_bytes(file.data)
        outcome = runner.run(path)
        ends[f"{path.suffix} {outcome.kind or outcome.end}{' with warnings' if outcome.warnings else ''}"] += 1
        wrong = fault(path, outcome, sounds[file.source].outcome, runner)
        if wrong:
            found.append(f"{path.name} ({file.kind}): {wrong}")
    print(*(f"{count:4d} {end}" for end, count in sorted(ends.items())), sep="\n")
    return found


def test_sound_files_are_corrected_without_a_word(sounds: dict[Source, Sound]) -> None:
    for source, sound in sounds.items():
        assert (source.name, sound.outcome.end, sound.outcome.warnings) == (source.name, "done", ())
        assert sound.outcome.frames is not None
        assert len(sound.outcome.frames) == 24


def test_the_same_seed_gives_the_same_files_of_every_kind(sounds: dict[Source, Sound]) -> None:
    data = {source: sound.data for source, sound in sounds.items()}
    files = list(damaged_files(data, SEED, FILES))
    assert files == list(damaged_files(data, SEED, FILES))
    assert files != list(damaged_files(data, SEED + 1, FILES))
    assert len({(file.source, file.kind) for file in files}) == len(SOURCES) * len(KINDS)
    unchanged = [file for file in files if file.data == data[file.source]]
    assert len(unchanged) < FILES // 50


def test_a_tenth_of_the_damaged_files(tmp_path: Path, sounds: dict[Source, Sound], runner: Runner) -> None:
    files = list(damaged_files({source: sound.data for source, sound in sounds.items()}, SEED, FILES))
    # Neighbours are of other containers: a step that shares no factor with their number meets them all.
    assert not faults(files[:: QUICK - 1][: FILES // QUICK], tmp_path, sounds, runner)


@pytest.mark.slow
def test_all_damaged_files(tmp_path: Path, sounds: dict[Source, Sound], runner: Runner) -> None:
    files = list(damaged_files({source: sound.data for source, sound in sounds.items()}, SEED, FILES))
    assert not faults(files, tmp_path, sounds, runner)


def test_a_crash_and_a_hang_are_seen_and_the_next_file_runs(
    tmp_path: Path, sounds: dict[Source, Sound], runner: Runner
) -> None:
    sound = sounds[SOURCES[0]]
    for name in ("crash.mp4", "hang.mp4", "whole.mp4"):
        (tmp_path / name).write_bytes(sound.data)
    crash, whole = (runner.run(tmp_path / f"{name}.mp4") for name in ("crash", "whole"))
    assert fault(tmp_path / "crash.mp4", crash, sound.outcome, runner).startswith("crash: the child ended with")
    assert not fault(tmp_path / "whole.mp4", whole, sound.outcome, runner)
    hang = runner.run(tmp_path / "hang.mp4", limit_seconds=1)
    assert fault(tmp_path / "hang.mp4", hang, sound.outcome, runner) == "hang: no answer within 1 s"


def test_what_is_wrong_is_a_fault(tmp_path: Path, sounds: dict[Source, Sound], runner: Runner) -> None:
    """The judge itself: each of these would pass if it looked away."""
    source = next(source for source in SOURCES if source.name == "film.mkv")
    sound, path = sounds[source], tmp_path / "film.mkv"
    path.write_bytes(sound.data)
    good = sound.outcome
    assert not fault(path, good, good, runner)
    assert "KeyError" in fault(path, Outcome("exception", "KeyError: 3", "KeyError"), good, runner)
    assert "no sentence" in fault(path, Outcome("error", "It failed.", "VideoReadError"), good, runner)
    assert "no sentence" in fault(path, Outcome("error", "film.mkv:\nit failed.", "VideoReadError"), good, runner)
    assert not fault(path, Outcome("error", "film.mkv: it failed.", "VideoReadError"), good, runner)
    assert "prints" in fault(path, replace(good, printed="Traceback (most recent call last):"), good, runner)
    assert "nothing is written" in fault(path, replace(good, is_written=False), good, runner)
    # Frames that are gone, where FFmpeg says so: a word of ours is due.
    path.write_bytes(sound.data[: 2 * len(sound.data) // 3])
    assert good.frames is not None
    short = replace(good, frames=good.frames[:15])
    assert "9 missing" in fault(path, short, good, runner)
    assert not fault(path, replace(short, warnings=("the file is cut short",)), good, runner)
    spoiled = good.frames.copy()
    spoiled[7, 3, 3] += 2 * VISIBLE_CODES
    assert bad_frames(replace(good, frames=spoiled), good) == "different: [7]"


# The parts


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ({3}, "frame 3"),
        ({4, 3}, "frames 3 to 4"),
        ({0, 7, 8, 9, 12}, "frames 0, 7 to 9 and 12"),
        (set(range(0, 40, 2)), "frames 0, 2, 4, 6, 8, 10, 12, 14 and 12 more"),
    ],
)
def test_frames_are_named_in_runs(frames: set[int], words: str) -> None:
    assert frames_named(frames) == words


def test_what_is_lost_is_not_said_to_be_shown() -> None:
    assert damage_clauses((), ()) == []
    assert damage_clauses({5}, {5}) == ["frame 5 is damaged; the frame before it is shown in its place"]
    lost, reached = damage_clauses({5, 6}, {5, 6, 7})
    assert lost.startswith("frames 5 to 6 are damaged; the last good frame")
    assert reached.startswith("frame 7 is damaged and shown")


def test_damage_reaches_what_comes_after_it_in_its_group_in_decoding_order() -> None:
    watch = GroupWatch(damaged={13})
    for label, is_key in [(0, True), (3, False), (1, False), (2, False), (6, True), (8, False)]:
        watch.feed(label, is_key=is_key, is_damaged=False)
    # The frame is found damaged when its group is long over.
    watch.mark(3)
    assert watch.take() == {3, 1, 2}
    watch.mark(8)
    watch.feed(9, is_key=False, is_damaged=False)
    assert watch.take() == {8, 9}
    for label, is_key in [(12, True), (13, False), (14, False)]:
        watch.feed(label, is_key=is_key, is_damaged=False)
    assert watch.take() == {13, 14}
    watch.mark(-1)  # shown before the key frame at which decoding began
    assert watch.take() == set()


def test_a_checksum_finds_every_flipped_bit(sounds: dict[Source, Sound], tmp_path: Path) -> None:
    source = next(source for source in SOURCES if source.video == "ffv1")
    path = tmp_path / source.name
    path.write_bytes(sounds[source].data)
    with av.open(str(path)) as container:
        packet = next(bytes(packet) for packet in container.demux(video=0))
    assert ffv1_is_whole(packet)
    for place in range(0, len(packet) - 8, 997):
        hurt = bytearray(packet)
        hurt[place] ^= 4
        assert not ffv1_is_whole(bytes(hurt))
    assert ffv1_is_whole(packet[:-5]) is None


def test_streams_that_begin_on_the_way_end_nothing() -> None:
    class Container:
        def demux(self, *streams: int) -> Iterator[int]:
            yield from streams
            raise IndexError

    assert list(packets_of(Container(), 1, 2)) == [1, 2]  # pyright: ignore[reportArgumentType]


def test_a_time_base_that_has_no_finer_one_is_left() -> None:
    packet = av.Packet(b"0")
    packet.pts = packet.dts = 7
    packet.time_base = Fraction(2_000_000_011, 2_000_000_033)
    _refine(packet)  # pyright: ignore[reportArgumentType]
    assert (packet.pts, packet.time_base) == (7, Fraction(2_000_000_011, 2_000_000_033))
