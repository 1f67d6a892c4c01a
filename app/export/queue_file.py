"""The queue between sessions: a project file whose clips are what is yet to be exported, in order."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app.export.remembered import claim
from vecnet_core.errors import VecnetError
from vecnet_core.project import Clip, Project

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtCore import QLockFile

log = logging.getLogger(__name__)

_MOST_EDITORS = 16


class QueueFile:
    """The queue of this editor; a second editor at the same time has its own. Several threads may save at once."""

    def __init__(self, folder: Path) -> None:
        """Nothing is touched yet."""
        self._folder = folder
        self._file: Path | None = None
        self._lock: QLockFile | None = None
        self._writing = threading.Lock()
        self._newest = 0

    def load(self) -> tuple[Clip, ...]:
        """What earlier sessions have left to do: this editor's own file, and those whose editors are gone.

        A file that is none of ours, damaged or from a newer editor is passed over and stays as it is.

        Raises:
            OSError: The folder cannot be made.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        found: list[Clip] = []
        inherited: list[tuple[Path, QLockFile]] = []
        for number in range(1, _MOST_EDITORS + 1):
            file = self._folder / f"queue-{number}.json"
            if not file.exists() and self._file is not None:
                continue
            lock = claim(file)
            if lock is None:
                continue
            try:
                clips = Project.load(file).clips if file.exists() else ()
            except (VecnetError, OSError, ValueError):
                log.warning("%s is passed over", file, exc_info=True)
                lock.unlock()
                continue
            found += [clip for clip in clips if clip.output is not None]
            if self._file is None:
                self._file, self._lock = file, lock
            else:
                inherited.append((file, lock))
        if inherited:
            # Theirs goes only when it is in ours.
            self.save(tuple(found))
        for file, lock in inherited:
            file.unlink(missing_ok=True)
            lock.unlock()
        return tuple(found)

    def save(self, clips: tuple[Clip, ...], number: int = 0) -> None:
        """Remember what is yet to be exported; of two saves, the one with the lower ``number`` is the older one.

        Raises:
            VecnetError: It cannot be written.
        """
        with self._writing:
            if self._file is not None and number >= self._newest:
                self._newest = number
                Project(clips).save(self._file)

    def close(self) -> None:
        """Let another editor have the file."""
        if self._lock is not None:
            self._lock.unlock()
        self._file = self._lock = None
