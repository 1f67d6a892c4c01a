"""What is kept of a project while it is worked on, so that whatever ends the editor, its next start can offer it.

Each editor keeps one file in a folder of ours, and a lock that says it is alive; closing it properly removes both.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, cast

from PySide6.QtCore import QLockFile

from vecnet_core.errors import ProjectError, VecnetError
from vecnet_core.project import Project
from vecnet_core.video.parts import write_whole

log = logging.getLogger(__name__)

_ENDING = ".json"
_VERSION = 1
_LARGEST_BYTES = 20_000_000


@dataclass(frozen=True)
class LostProject:
    """A project whose editor ended without closing it.

    Attributes:
        kept: The file it is kept in.
        project: As it was.
        file: Where it was saved last; None when it never was.
        lock: Held, so that no other editor offers it as well.
    """

    kept: Path
    project: Project
    file: Path | None
    lock: QLockFile

    @property
    def sentence(self) -> str:
        """What there is to restore."""
        count = len(self.project.clips)
        clips = self.project.clips[0].path.name if count == 1 else f"{count} clips"
        name = f"The project {self.file.name} ({clips})" if self.file else f"A project that was not saved ({clips})"
        return f"{name} was open when the editor ended unexpectedly."

    def forget(self) -> None:
        """It is restored, or not wanted."""
        self.kept.unlink(missing_ok=True)
        self.lock.unlock()


class Keeper:
    """Keeps the project of this editor; used from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is kept yet."""
        self.file = folder / f"project-{os.getpid()}-{token_hex(4)}{_ENDING}"
        self._lock: QLockFile | None = None

    def keep(self, project: Project, file: Path | None) -> None:
        """Keep the project as it is now.

        Raises:
            OSError: The folder takes no file.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = _lock_of(self.file)
            self._lock.tryLock(0)
        values = {"version": _VERSION, "file": None if file is None else str(file), "project": project.to_json()}
        write_whole(self.file, json.dumps(values).encode())

    def forget(self) -> None:
        """There is nothing to restore any more."""
        self.file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None


def find_lost(folder: Path) -> list[LostProject]:
    """Projects that can be restored, newest first; what cannot be one is passed over and stays."""
    try:
        files = sorted(folder.glob(f"project-*{_ENDING}"), key=_written_at, reverse=True)
    except OSError:
        return []
    return [found for file in files if (found := _lost(file)) is not None]


def _written_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _lock_of(file: Path) -> QLockFile:
    lock = QLockFile(f"{file}.lock")
    # A project may be open for days; only the end of its editor makes its lock stale.
    lock.setStaleLockTime(0)
    return lock


def _lost(file: Path) -> LostProject | None:
    lock = _lock_of(file)
    if not lock.tryLock(0):
        return None
    try:
        project, saved = _read(file)
    except (VecnetError, OSError, ValueError, RecursionError):
        log.warning("%s is passed over", file, exc_info=True)
    else:
        if project.clips:
            return LostProject(file, project, saved, lock)
    lock.unlock()
    return None


def _read(file: Path) -> tuple[Project, Path | None]:
    if file.stat().st_size > _LARGEST_BYTES:
        raise ProjectError("this is too large to be a kept project", path=file)
    found: object = json.loads(file.read_text(encoding="utf-8"))
    values = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    text, saved = values.get("project"), values.get("file")
    if values.get("version") != _VERSION or not isinstance(text, str) or not isinstance(saved, str | None):
        raise ProjectError("this is not a kept project", path=file)
    return Project.from_json(text), None if saved is None else Path(saved)
