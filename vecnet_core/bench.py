"""How fast this machine is: CPU time of each part of the work on a frame, and of a correction beside a re-encode.

And how the memory of a long export goes.

CPU time and not wall time, because it stays the same under other load; work of a GPU is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import psutil
from av.video.frame import PictureType

from vecnet_core.correction.corrector import load_corrector
from vecnet_core.device import share_cores
from vecnet_core.errors import VecnetError
from vecnet_core.export import export_video
from vecnet_core.project import Clip
from vecnet_core.rendering import ClipRenderer
from vecnet_core.resources import resource
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.color import from_rgb, reduce_to_rgb, to_rgb
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.footage import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from av.container import OutputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from vecnet_core.correction.corrector import Corrector

SIZE = (1080, 1920)
"""Height and width at which everything is measured."""

LONG_SIZE = (720, 1280)
"""Height and width of the clip over which memory is watched."""

CRF, PRESET = 18, "medium"
_MOST_FPS = 40
"""Frames of 720p corrected in a second, at most: the clip is made so long; a faster machine comes to its end early."""


@dataclass(frozen=True)
class Bench:
    """What was measured, medians of all repeats.

    Attributes:
        device: Where the network ran.
        cpu_count: Logical processors of the machine.
        frames: Frames of the clip that was corrected.
        frame_cpu_ms: CPU milliseconds of each part of the work on one 1080p frame.
        plain_cpu_ms: CPU milliseconds a frame to decode the clip and encode it again, x264 medium CRF 18.
        correct_cpu_ms: The same with the correction between: light scan, analysis, composition.
        ratio: Median of the ratios of neighbouring runs of both.
    """

    device: str
    cpu_count: int
    frames: int
    frame_cpu_ms: dict[str, float]
    plain_cpu_ms: float
    correct_cpu_ms: float
    ratio: float


def measure(corrector: Corrector, clip: Path, *, frames: int = 60, repeats: int = 3) -> Bench:
    """Measure this machine.

    Args:
        corrector: What to measure.
        clip: Any clip; it is enlarged to 1080p first.
        frames: Frames of it that are corrected, repeating it where it is shorter.
        repeats: Runs of each kind, taken in turns so that other load meets both.
    """
    with tempfile.TemporaryDirectory(prefix="vecnet-bench-") as folder:
        large = Path(folder) / "large.mp4"
        enlarge(clip, large, frames)
        parts = part_times(corrector, large, repeats * 3)
        runs = [(plain(large), correct(large, corrector)) for _ in range(repeats)]
    plain_ms, correct_ms = (statistics.median(run[kind] / frames * 1e3 for run in runs) for kind in (0, 1))
    ratio = statistics.median(corrected / untouched for untouched, corrected in runs)
    return Bench(corrector.device_label, os.cpu_count() or 1, frames, parts, plain_ms, correct_ms, ratio)


@dataclass(frozen=True)
class MemoryBench:
    """How the memory of a long export went.

    Attributes:
        minutes: How long it ran.
        frames: How many frames it corrected, of 720p.
        mean_mb: Resident memory, averaged from a tenth of the run on.
        growth: What a straight line through it gains from there to the end, as a share of the mean.
    """

    minutes: float
    frames: int
    mean_mb: float
    growth: float


def measure_memory(corrector: Corrector, clip: Path, minutes: float) -> MemoryBench:
    """Correct a long 720p clip for so long, and watch the memory of this process.

    Args:
        corrector: What to measure.
        clip: Any clip; it is repeated, at 720p.
        minutes: How long to correct.
    """
    process = psutil.Process()
    times: list[float] = []
    megabytes: list[float] = []
    done = 0
    with tempfile.TemporaryDirectory(prefix="vecnet-bench-") as folder:
        large = Path(folder) / "large.mp4"
        enlarge(clip, large, round(minutes * 60 * _MOST_FPS), LONG_SIZE)
        encode = EncodeSettings(codec="h264", preset="veryfast")
        begun = time.monotonic()
        with closing(export_video(Clip(large, encode=encode, output=large.with_name("out.mp4")), corrector)) as export:
            for progress in export:
                if progress.stage != "export":
                    begun = time.monotonic()
                    continue
                done = progress.done
                times.append(time.monotonic() - begun)
                megabytes.append(process.memory_info().rss / 1e6)
                if times[-1] > minutes * 60:
                    break
    settled = [place for place, seconds in enumerate(times) if seconds > 0.1 * times[-1]]
    x, y = np.array(times)[settled], np.array(megabytes)[settled]
    slope = float(np.polyfit(x, y, 1)[0])
    return MemoryBench(times[-1] / 60, done, float(y.mean()), slope * float(x[-1] - x[0]) / float(y.mean()))


def part_times(corrector: Corrector, clip: Path, repeats: int) -> dict[str, float]:
    """CPU milliseconds of each part of the work on a frame of `clip`."""
    settings = CorrectionSettings()
    with open_reader(clip) as reader:
        renderer = ClipRenderer(reader, corrector)
        frame = reader.frame(0)
        rgb = to_rgb(frame)
        analysis = renderer.analysis(0)
        small = corrector.analysis_size(frame.height, frame.width)
        reduced = reduce_to_rgb(frame, *small)
        window = np.stack([reduced] * corrector.window)
        jobs: dict[str, Callable[[], object]] = {
            "reduce": lambda: reduce_to_rgb(frame, *small),
            "analyse": lambda: corrector.analyse(window),
            "to_rgb": lambda: to_rgb(frame),
            "compose": lambda: corrector.compose(rgb, analysis, settings),
            "from_rgb": lambda: from_rgb(rgb, frame),
        }
        return {name: cpu_ms(job, repeats) for name, job in jobs.items()}


def cpu_ms(job: Callable[[], object], repeats: int) -> float:
    """Median CPU milliseconds of a job over all threads, after one run that compiles and fills caches."""
    job()
    times: list[float] = []
    for _ in range(repeats):
        started = time.process_time()
        job()
        times.append(time.process_time() - started)
    return statistics.median(times) * 1e3


def plain(clip: Path) -> float:
    """CPU seconds to decode a clip and encode it again with nothing in between, not even our reader and writer."""
    started = time.process_time()
    with av.open(str(clip)) as source, av.open(str(clip.with_name("plain.mp4")), "w") as target:
        video = source.streams.video[0]
        stream = _add_x264(target, video.average_rate or Fraction(30), SIZE)
        for frame in source.decode(video):
            frame.pict_type = PictureType.NONE
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return time.process_time() - started


def correct(clip: Path, corrector: Corrector) -> float:
    """CPU seconds to export a clip with the same settings, corrected, from opening it to closing the output."""
    started = time.process_time()
    encode = EncodeSettings(codec="h264", crf=CRF, preset=PRESET)
    for _ in export_video(Clip(clip, encode=encode, output=clip.with_name("corrected.mp4")), corrector):
        pass
    return time.process_time() - started


def enlarge(
    clip: Path, output: Path, frames: int, size: tuple[int, int] | None = None, key_every: int | None = None
) -> None:
    """Write that many frames of a clip at 1080p or another size, from its start again where it is shorter.

    With ``key_every`` a key frame stands at every so many frames and nowhere else.
    """
    with av.open(str(output), "w") as target:
        preset = PRESET if size is None else "ultrafast" if key_every is None else "veryfast"
        height, width = size or SIZE
        stream = _add_x264(target, Fraction(30), (height, width), preset)
        if key_every is not None:
            keys = {"g": str(key_every), "keyint_min": str(key_every), "sc_threshold": "0"}
            stream.codec_context.options = {**stream.codec_context.options, **keys}
        for index, frame in enumerate(islice(_endless(clip), frames)):
            large = frame.reformat(width, height, "yuv420p")
            large.pts, large.time_base, large.pict_type = index, Fraction(1, 30), PictureType.NONE
            target.mux(stream.encode(large))
        target.mux(stream.encode(None))


def _endless(clip: Path) -> Iterator[VideoFrame]:
    """The frames of a clip, over and over."""
    while True:
        with av.open(str(clip)) as source:
            yield from source.decode(source.streams.video[0])


def _add_x264(target: OutputContainer, rate: Fraction, size: tuple[int, int], preset: str = PRESET) -> VideoStream:
    """A stream with the settings that are compared."""
    stream = target.add_stream("libx264", rate=rate, options={"crf": str(CRF), "preset": preset})
    stream.width, stream.height, stream.pix_fmt = size[1], size[0], "yuv420p"
    stream.codec_context.thread_count = 0
    return stream


def table(bench: Bench) -> str:
    """The measurement as lines to read."""
    lines = [f"{bench.device}, {bench.cpu_count} processors, CPU milliseconds a 1080p frame:"]
    lines += [f"  {name:<22}{ms:8.1f}" for name, ms in bench.frame_cpu_ms.items()]
    lines += [
        f"  {'decode and encode':<22}{bench.plain_cpu_ms:8.1f}   (x264 {PRESET}, CRF {CRF}, {bench.frames} frames)",
        f"  {'decode, correct, encode':<22}{bench.correct_cpu_ms:7.1f}   {bench.ratio:.2f} times the plain one",
    ]
    return "\n".join(lines)


def memory_line(memory: MemoryBench) -> str:
    """The measurement as a line to read."""
    return (
        f"{memory.frames} frames of 720p in {memory.minutes:.1f} minutes: {memory.mean_mb:.0f} MB, "
        f"{memory.growth:+.1%} from a tenth of it to its end"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure with the bundled sample and write the result to standard output."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description="Measure the speed of this machine.")
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--frames", type=int, default=60, help="frames of the clip that is corrected (60)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each kind (3)")
    parser.add_argument(
        "--memory", type=float, metavar="MINUTES", help="instead, correct 720p for so long and watch the memory"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--checkpoint", type=Path, help="other weights than the bundled ones")
    wish = parser.parse_args(arguments)
    share_cores()
    try:
        corrector = load_corrector(wish.checkpoint, wish.device)
        if wish.memory is not None:
            memory = measure_memory(corrector, resource("sample/sample.mp4"), wish.memory)
            sys.stdout.write(f"{json.dumps(asdict(memory)) if wish.json else memory_line(memory)}\n")
            return 0
        bench = measure(corrector, resource("sample/sample.mp4"), frames=wish.frames, repeats=wish.repeats)
    except VecnetError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{json.dumps(asdict(bench)) if wish.json else table(bench)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
