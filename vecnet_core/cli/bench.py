"""``vecnet bench``: how fast this machine corrects, or how soon the window answers, which runs as its own program."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psutil

from vecnet_core.bench import SIZE, enlarge, measure, table
from vecnet_core.command import studio_line
from vecnet_core.correction.corrector import load_corrector
from vecnet_core.errors import InputError
from vecnet_core.resources import resource

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from vecnet_core.cli.printing import Printer

KEY_EVERY = 48
"""Frames from one key frame to the next, in the clip the window is measured with."""
LEAST_FRAMES = 24
STARTS = 5
"""How often the window is started to see how soon it is shown."""
TIMEOUT_SECONDS = 1200

Figures = dict[str, Any]


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Measure, and print the figures."""
    if (options.frames or 1) < 1 or (options.repeats or 1) < 1:
        raise InputError("there is nothing to measure", hint="give --frames and --repeats of at least 1")
    if options.window:
        figures = window_figures(options.frames or 288, options.repeats or 30, options.device)
        printer.document(figures)
        printer.text(_table(figures))
        return
    corrector = load_corrector(None, options.device)
    sample = resource("sample/sample.mp4")
    measured = measure(corrector, sample, frames=options.frames or 60, repeats=options.repeats or 3)
    printer.document(asdict(measured))
    printer.text(table(measured))


def window_figures(frames: int, repeats: int, device: str) -> Figures:
    """How soon the window answers, with a 1080p clip of so many frames that is made first.

    Raises:
        InputError: The window cannot be started, or does not come to an end.
    """
    if frames < LEAST_FRAMES:
        raise InputError(f"{frames} frames are too few to seek in", hint=f"give --frames of at least {LEAST_FRAMES}")
    with tempfile.TemporaryDirectory(prefix="vecnet-bench-") as name:
        folder = Path(name)
        clip = folder / "large.mp4"
        enlarge(resource("sample/sample.mp4"), clip, frames, SIZE, KEY_EVERY)
        starts = [_measured(folder, ["--starts"]) for _ in range(min(STARTS, repeats))]
        figures = _measured(folder, [str(clip), "--repeats", str(repeats), "--device", device])
    shown = [float(start["window_shown_ms"]) for start in starts]
    return {
        **figures,
        "window_shown_ms": round(statistics.median(shown), 1),
        "window_shown_cpu_ms": statistics.median(float(start["window_shown_cpu_ms"]) for start in starts),
        "torch_loaded_when_shown": any(start["torch_loaded_when_shown"] for start in starts),
        "frames": frames,
        "size": list(SIZE),
        "key_every": KEY_EVERY,
        "cpu_count": os.cpu_count() or 1,
        "load_average": [round(load, 2) for load in psutil.getloadavg()],
    }


def _measured(folder: Path, arguments: Sequence[str]) -> Figures:
    """What the window measured of itself, in a process of its own that remembers nothing."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    environment = {**os.environ, "VECNET_CACHE": tempfile.mkdtemp(prefix="cache-", dir=folder)}
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    command = [*studio_line(), "--latency", str(report), *arguments, "--began", repr(time.time())]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"the window did not end within {TIMEOUT_SECONDS} seconds") from error
    except OSError as error:
        raise InputError(
            f"the window cannot be started ({error.strerror})", path=command[0], hint="install VECNet again"
        ) from error
    if done.returncode != 0 or not report.exists():
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"the window ended without figures (exit code {done.returncode}: {said})")
    return cast("Figures", json.loads(report.read_text(encoding="utf-8")))


def _table(figures: Figures) -> str:
    """The figures as lines to read."""
    rows = {
        "window shown after its start": "window_shown_ms",
        "CPU time until then": "window_shown_cpu_ms",
        "slider to picture, median": "slider_ms_median",
        "seek to corrected picture, median": "seek_uncached_ms_median",
        "the same, where it is cached": "seek_cached_ms_median",
        "main thread held, 99th percentile": "main_thread_hold_ms_p99",
    }
    height, width = figures["size"]
    first = (
        f"{figures['platform']}, {figures['cpu_count']} processors, {figures['device']}, {width}x{height}, "
        f"a key frame every {figures['key_every']}, milliseconds:"
    )
    return "\n".join([first, *(f"  {words:<36}{figures[key]:8.1f}" for words, key in rows.items())])
