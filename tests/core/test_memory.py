"""Memory of an export: it does not grow with the clip."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from vecnet_core.cli.main import main

usage = pytest.importorskip("resource", reason="peak memory is not told by the standard library here")


def peak_kb_of(arguments: list[str]) -> int:
    """Peak memory in kB of a command line call; run in a process of its own."""
    assert main(arguments) == 0
    return int(usage.getrusage(usage.RUSAGE_SELF).ru_maxrss)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_clip(new_clip: Callable[..., Path], tmp_path: Path) -> None:
    """60 s against 10 s, within 10 %."""
    peaks: list[int] = []
    for seconds in (10, 60):
        clip = new_clip(f"{seconds}.mp4", frames=25 * seconds, audio="aac")
        call = ["correct", str(clip), str(tmp_path / f"out{seconds}.mp4"), "--preset", "ultrafast", "--device", "cpu"]
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peaks.append(pool.apply(peak_kb_of, (call,)))
    assert peaks[1] < 1.1 * peaks[0]
