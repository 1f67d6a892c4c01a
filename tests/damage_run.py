"""Puts files through everything a user does with them, in a child process: a crash, a hang or greed is seen as such."""

import multiprocessing
import os
import shutil
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import numpy as np

LIMIT_SECONDS = 20.0
MEMORY_BYTES = 6 << 30
"""Of addresses, not of use: what a hostile header may ask for."""

START_SECONDS = 120.0
"""A child loads torch and compiles kernels first."""


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        end: ``done``, ``error`` (of ours), ``exception`` (any other), ``crash`` or ``hang``.
        words: The error's sentence, the traceback, or what was seen of the fall.
        kind: The error's class.
        warnings: Of a finished export.
        frames: ``(T, h, w)`` means of the blocks of the luma that was read, in codes of 8 bits; None unless ``done``.
        is_written: The finished file is there.
        printed: What the child wrote to standard output and standard error.
    """

    end: str
    words: str = ""
    kind: str = ""
    warnings: tuple[str, ...] = ()
    frames: np.ndarray | None = None
    is_written: bool = False
    printed: str = ""


class Runner:
    """Runs files in a child, and a new one after a fall.

    Args:
        folder: Where the child writes.
    """

    def __init__(self, folder: Path) -> None:
        self._output = folder / "out"
        self._printed = folder / "printed.txt"
        self._process: Any = None
        self._connection: Any = None

    def run(self, path: Path, limit_seconds: float = LIMIT_SECONDS) -> Outcome:
        """What becomes of a file."""
        self._output.mkdir()
        self._printed.write_bytes(b"")
        try:
            outcome = self._ask("run", path, limit_seconds)
            return replace(outcome, printed=self._printed.read_text(errors="replace"))
        finally:
            shutil.rmtree(self._output)

    def log(self, path: Path) -> list[str]:
        """What FFmpeg says about a file."""
        answer = self._ask("log", path, LIMIT_SECONDS)
        return [answer.words] if isinstance(answer, Outcome) else answer

    def close(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, job: str, path: Path, limit_seconds: float) -> Any:
        """The child's answer; its fall as an outcome."""
        if self._process is None:
            self._start()
        self._connection.send((job, path, self._output / f"{path.stem}.mkv"))
        try:
            if self._connection.poll(limit_seconds):
                return self._connection.recv()
        except EOFError:
            self._process.join()
            outcome = Outcome("crash", f"the child ended with {self._process.exitcode}")
        else:
            outcome = Outcome("hang", f"no answer within {limit_seconds:g} s")
        self.close()
        return outcome

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, self._printed), daemon=True)
        self._process.start()
        other.close()
        if not self._connection.poll(START_SECONDS) or self._connection.recv() != "ready":
            raise RuntimeError("the child does not start")


# In the child


def _serve(connection: Connection, printed: Path) -> None:
    """Do one job after another."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    corrector = _small_corrector()
    connection.send("ready")
    with suppress(EOFError):
        while True:
            job, path, output = connection.recv()
            connection.send(_ffmpeg_log(path) if job == "log" else _outcome(path, output, corrector))


def _small_corrector() -> Any:
    """A network with random weights: quick, and without meaning."""
    import torch

    from vecnet_core.checkpoint import Checkpoint
    from vecnet_core.correction.corrector import Corrector
    from vecnet_core.device import Device
    from vecnet_core.network.vecnet import VECNet, VECNetConfig

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = VECNet(VECNetConfig(analysis_short_side=32, widths=(8, 8, 8), depths=(1, 1, 1), token_channels=8)).eval()
    return Corrector(Checkpoint(network, "0" * 16), Device("cpu", "CPU"))


def _outcome(path: Path, output: Path, corrector: Any) -> Outcome:
    """Open, measure, correct, write and verify one file; then look at its frames as they are read."""
    from vecnet_core.errors import VecnetError

    try:
        if path.stem.startswith("crash"):
            os.abort()
        while path.stem.startswith("hang"):
            pass
        warnings = _export(path, output, corrector)
        frames = _read_frames(path)
    except VecnetError as error:
        return Outcome("error", error.sentence, type(error).__name__)
    except BaseException as error:  # noqa: BLE001 - the very thing that is looked for
        return Outcome("exception", traceback.format_exc(), type(error).__name__)
    return Outcome("done", warnings=warnings, frames=frames, is_written=output.exists())


def _export(path: Path, output: Path, corrector: Any) -> tuple[str, ...]:
    """The warnings of a whole export."""
    from vecnet_core.export import export_video
    from vecnet_core.project import Clip
    from vecnet_core.video.encode import EncodeSettings

    *_, last = export_video(Clip(path, encode=EncodeSettings("h264", preset="ultrafast"), output=output), corrector)
    return last.warnings


def _read_frames(path: Path) -> np.ndarray:
    """Means of 8 x 8 blocks of a file's luma, frame by frame."""
    from vecnet_core.video.reader import VideoReader

    with VideoReader(path) as reader:
        height, width = reader.info.height // 8, reader.info.width // 8
        scale = 2 ** (reader.info.layout.bit_depth - 8)
        lumas = (frame.planes[0][: 8 * height, : 8 * width] for frame in reader.frames())
        means = [luma.reshape(height, 8, width, 8).mean(axis=(1, 3), dtype=np.float32) / scale for luma in lumas]
    return np.stack(means)


def _ffmpeg_log(path: Path) -> list[str]:
    """What FFmpeg says of errors in a file's picture, each with the name of its part that speaks."""
    import av
    import av.logging
    from av.error import FFmpegError

    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as lines, av.open(str(path), metadata_errors="replace") as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for packet in container.demux(stream):
                try:
                    packet.decode()
                except FFmpegError as error:
                    lines.append((av.logging.ERROR, "error", str(error)))
    finally:
        av.logging.set_level(None)
    return [f"{name}: {text.strip()}" for _, name, text in lines]
