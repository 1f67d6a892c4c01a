"""Exports that were begun: each leaves its project file in a folder of ours until it has ended well.

The file is all there is to know: whatever ends the editor, its next start finds it, and can finish the export.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from hashlib import sha256
from os import fsencode
from pathlib import Path

import psutil
from PySide6.QtCore import QLockFile

from vecnet_core.errors import VecnetError
from vecnet_core.project import Clip, Project
from vecnet_core.video.unfinished import discard_unfinished, find_unfinished

log = logging.getLogger(__name__)

_ENDING = ".json"
_END_SECONDS = 5.0


@dataclass(frozen=True)
class StoppedExport:
    """An export that was begun and has not ended well.

    Attributes:
        file: Its project file.
        clip: What is exported, and how.
        source: What is exported.
        output: Where to.
        kept: Frames that are done and kept.
        total: Frames of the whole export.
        replaces: True when there is a file in the output's place.
    """

    file: Path
    clip: Clip
    source: Path
    output: Path
    kept: int
    total: int
    replaces: bool

    @property
    def sentence(self) -> str:
        """What there is to finish."""
        replacing = f" Finishing it replaces the {self.output.name} that is there." if self.replaces else ""
        return f"The export to {self.output} stopped after {self.kept:,} of {self.total:,} frames.{replacing}"


def file_for(folder: Path, output: Path) -> Path:
    """The project file of an export to an output: always the same, so that a new one takes the place of an old one."""
    return folder / f"export-{sha256(fsencode(output.absolute())).hexdigest()[:16]}{_ENDING}"


def forget(file: Path) -> None:
    """An export has ended well, or is not wanted any more."""
    try:
        file.unlink(missing_ok=True)
    except OSError:
        log.warning("%s stays", file, exc_info=True)


def claim(file: Path, wait_ms: int = 0) -> QLockFile | None:
    """A sign to other editors that this one is at work on an export; None when another one is."""
    lock = QLockFile(f"{file}.lock")
    # An export takes hours; only the end of its editor makes its lock stale.
    lock.setStaleLockTime(0)
    return lock if lock.tryLock(wait_ms) else None


def find_stopped(folder: Path) -> list[StoppedExport]:
    """Exports that can be finished; what cannot be one is passed over, what has nothing to go on with is forgotten."""
    try:
        files = sorted(path for path in folder.glob(f"export-*{_ENDING}") if path.is_file())
    except OSError:
        return []
    return [found for file in files if (found := _stopped(file)) is not None]


def kept_of(output: Path) -> tuple[int, int]:
    """Frames that an unfinished export to an output has kept, and frames in all; zeros when there is none."""
    manifest = find_unfinished(output)
    return (0, 0) if manifest is None else (manifest.frames, manifest.total)


def discard(file: Path, output: Path) -> None:
    """Remove what an export has kept, and forget it.

    Raises:
        VecnetError: It cannot be removed.
    """
    discard_unfinished(output)
    forget(file)


def _stopped(file: Path) -> StoppedExport | None:
    """The export of a project file."""
    lock = claim(file)
    if lock is None:
        return None
    try:
        project = Project.load(file)
        if len(project.clips) != 1 or project.clips[0].output is None:
            log.warning("%s is no export of ours and is passed over", file)
            return None
        clip, output = project.clips[0], project.clips[0].output
        _end_orphan(file)
        kept, total = kept_of(output)
        if not kept:
            forget(file)
            return None
        return StoppedExport(file, clip, clip.path, output, kept, total, output.exists())
    except (VecnetError, OSError, ValueError):
        log.warning("%s is passed over", file, exc_info=True)
        return None
    finally:
        lock.unlock()


def _end_orphan(file: Path) -> None:
    """End the child of an editor that was killed: held, or not yet aware of it, it would keep the output locked."""
    for process in psutil.process_iter(["cmdline"]):
        words: list[str] = process.info["cmdline"] or []
        if str(file) not in words or "export" not in words:
            continue
        log.warning("ending process %s, whose editor is gone: %s", process.pid, words)
        try:
            process.kill()
            process.wait(_END_SECONDS)
        except psutil.Error:
            log.warning("process %s cannot be ended", process.pid, exc_info=True)
