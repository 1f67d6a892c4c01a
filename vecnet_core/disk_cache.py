"""Bytes by key on disk, for all processes of a user together: one SQLite file, byte-capped, the oldest used go first.

Nothing depends on it. What cannot be read counts as missing, what cannot be written is left out, and only the log
tells. SQLite was as fast as a log of our own and 6 to 25 times faster than a file an entry (5,000 entries of 72 kB:
0.32 ms a write and 0.08 ms a read, against 0.43 and 0.09, and 1.9 or, synchronised, 8.1 and 0.15; 2 busy cores,
2026-11), and brings what a log lacks: entries that go one by one, and writers that do not disturb each other.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock
from platformdirs import user_cache_path

from vecnet_core.cache import CacheBudget
from vecnet_core.errors import VecnetError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

SPARE_BYTES = 1 << 30
"""The cache leaves so much of the disk to the user's work."""
MOST_BYTES = 64 << 20
"""Of one entry; a larger one is not kept, and one that is found is damaged."""
TOUCH_SECONDS = 3600
"""An entry used again within this time is not noted as used again: reading need not write."""

_NAME, _FILE = "analyses", "entries.sqlite"
_SCHEMA = (
    "CREATE TABLE entries (key BLOB PRIMARY KEY, used INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL)",
    "CREATE INDEX by_use ON entries (used)",
    "CREATE TABLE budget (bytes INTEGER NOT NULL)",
)
_PAGE_BYTES = 8 << 10
_LOG_BYTES = 8 << 20
_PRAGMAS = (
    # A file that somebody else has made runs nothing, and its cells are checked before they are followed.
    "trusted_schema = OFF",
    "cell_size_check = ON",
    f"page_size = {_PAGE_BYTES}",
    "auto_vacuum = INCREMENTAL",
    "journal_mode = WAL",
    # A power cut may damage the file: checksums and SQLite find that, and what is lost is computed again.
    "synchronous = OFF",
    f"wal_autocheckpoint = {_LOG_BYTES // _PAGE_BYTES}",
    f"journal_size_limit = {_LOG_BYTES}",
)
_BUSY_SECONDS = 0.25
_OPEN_SECONDS = 5.0
_EVICTED_AT_ONCE = 32
_PAGES_AT_ONCE = 512
_MOST_RENEWALS = 3
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}


class _StrangeFileError(sqlite3.Error):
    """A sound SQLite file that is not ours."""


@dataclass(frozen=True)
class CacheUsage:
    """How full a cache on disk is.

    Attributes:
        held_bytes: What its entries take of the disk.
        budget_bytes: What they may take.
    """

    held_bytes: int
    budget_bytes: int


def cache_folder() -> Path:
    """Where this user's caches lie: the platform's folder for them, or the one that ``VECNET_CACHE`` names."""
    named = os.environ.get("VECNET_CACHE")
    return Path(named) if named else user_cache_path("VECNet", appauthor=False)


class DiskCache:
    """Entries by key. Threads may share one, and wait for each other; those that must not take one each.

    Args:
        folder: Where it lies; made when the first entry is kept, see `cache_folder`.
        budget_bytes: What it may take from now on, whichever process writes; as it was before when left out.
    """

    def __init__(self, folder: Path, budget_bytes: int | None = None) -> None:
        """Nothing is opened yet."""
        self._parent = folder
        self._folder = folder / _NAME
        self._file = self._folder / _FILE
        self._wished_bytes = budget_bytes
        self._last_bytes = budget_bytes
        self._guard = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._inode = 0
        self._renewals = 0
        self._is_refused = False
        self._is_told = False

    def get(self, key: bytes) -> bytes | None:
        """The entry of a key; None when there is none, or it is damaged."""
        if self._database is None and not self._file.exists():
            return None
        return self._ask(lambda database: self._read(database, key))

    def put(self, key: bytes, data: bytes) -> None:
        """Keep an entry, if the disk and the budget allow; the least recently used go for it."""
        if not self._is_refused and len(data) <= MOST_BYTES:
            self._ask(lambda database: self._write(database, key, data), for_writing=True)

    def remove(self, key: bytes) -> None:
        """Forget an entry, such as one whose content makes no sense."""
        self._ask(lambda database: database.execute("DELETE FROM entries WHERE key = ?", (key,)))

    def usage(self) -> CacheUsage:
        """How full it is."""
        budget = CacheBudget.disk_bytes if self._last_bytes is None else self._last_bytes
        if not self._file.exists():
            return CacheUsage(0, budget)
        found = self._ask(lambda database: CacheUsage(_held(database), _budget(database)), for_writing=True)
        return found or CacheUsage(0, budget)

    def set_budget(self, budget_bytes: int) -> None:
        """What it may take from now on, in all processes; `trim` brings it there at once, else new entries do."""
        self._wished_bytes = self._last_bytes = budget_bytes
        if self._file.exists():
            self._ask(self._take_wish, for_writing=True)

    def trim(self) -> None:
        """Keep to the budget and give the disk what is free: seconds a GB, in steps that let others write."""
        if not self._file.exists():
            return
        while self._ask(self._evict_some) or self._ask(_give_back_some):
            pass
        self._ask(lambda database: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    def purge(self) -> None:
        """Forget everything.

        Raises:
            VecnetError: The disk does not let it go.
        """
        with self._guard:
            budget = self.usage().budget_bytes
            if self._discard():
                self._wished_bytes = budget
                self._is_refused = self._is_told = False
                # Made at once, so that whoever comes next finds the budget.
                self._ask(_held)
                return
            # Where files that are open cannot be moved (Windows, with a second process), they are emptied instead.
            done = self._ask(lambda database: database.execute("DELETE FROM entries").rowcount)
            if done is None:
                raise VecnetError(
                    "the cache cannot be emptied", path=self._folder, hint="close other windows of VECNet and try again"
                )
            self.trim()

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._guard:
            self._let_go()

    # What is asked of the database -----------------------------------------------------------------------------------

    def _read(self, database: sqlite3.Connection, key: bytes) -> bytes | None:
        try:
            row = database.execute("SELECT used, checksum, data FROM entries WHERE key = ?", (key,)).fetchone()
        except sqlite3.DataError:  # larger than any entry is
            row = (0, None, None)
        if row is None:
            return None
        used, checksum, data = row
        if type(data) is not bytes or checksum != _checksum(key, data):
            log.warning("a damaged entry of the cache is removed")
            database.execute("DELETE FROM entries WHERE key = ?", (key,))
            return None
        now = int(time.time())
        if not self._is_refused and (type(used) is not int or used + TOUCH_SECONDS <= now):
            # Where another is writing, or the disk is full, it stays as old as it was.
            with suppress(sqlite3.OperationalError):
                database.execute("UPDATE entries SET used = ? WHERE key = ?", (now, key))
        return data

    def _write(self, database: sqlite3.Connection, key: bytes, data: bytes) -> None:
        if shutil.disk_usage(self._folder).free < SPARE_BYTES:
            self._tell("the disk is nearly full")
            return
        database.execute("BEGIN IMMEDIATE")
        row = (key, int(time.time()), _checksum(key, data), data)
        database.execute("INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?)", row)
        _evict(database)
        database.execute("COMMIT")

    def _take_wish(self, database: sqlite3.Connection) -> None:
        """Set the budget that was asked for; once, so that what another process asks for later holds."""
        if self._wished_bytes is not None and self._wished_bytes != _budget(database):
            database.execute("UPDATE budget SET bytes = ?", (self._wished_bytes,))
        self._wished_bytes = None
        self._last_bytes = _budget(database)

    def _evict_some(self, database: sqlite3.Connection) -> bool:
        """One short step of `trim`; False when nothing is left to do."""
        database.execute("BEGIN IMMEDIATE")
        gone = _evict(database)
        database.execute("COMMIT")
        return gone > 0

    # The file --------------------------------------------------------------------------------------------------------

    def _ask(self, work: Callable[[sqlite3.Connection], Answer], *, for_writing: bool = False) -> Answer | None:
        """Do something with the database; None when that fails, which is dealt with here."""
        with self._guard:
            try:
                if for_writing and self._has_moved():
                    self._let_go()
                database = self._opened()
                return None if database is None else work(database)
            except sqlite3.Error as error:
                self._take(error)
            except OSError as error:
                self._refuse(error)
            return None

    def _opened(self) -> sqlite3.Connection | None:
        """The database, opened when that is needed; None where it has turned out to be of no use."""
        if self._database is None and not self._is_refused:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock():
                database = sqlite3.connect(
                    self._file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
                )
                try:
                    self._prepare(database)
                except BaseException:
                    database.close()
                    raise
                self._database, self._inode = database, self._file.stat().st_ino
        return self._database

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES + 1024)
        for pragma in _PRAGMAS:
            database.execute(f"PRAGMA {pragma}").fetchall()
        found = database.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
        if not found:
            database.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                database.execute(statement)
            budget = CacheBudget.disk_bytes if self._last_bytes is None else self._last_bytes
            database.execute("INSERT INTO budget VALUES (?)", (budget,))
            database.execute("COMMIT")
        elif [statement for (statement,) in found] != list(_SCHEMA):
            # Another version's, or of somebody who means harm: views and triggers would run on our questions.
            raise _StrangeFileError("its tables are not this version's")
        self._take_wish(database)

    def _take(self, error: sqlite3.Error) -> None:
        """Go on after an error: try again later, stop writing, or begin with a new file."""
        if self._database is not None and self._database.in_transaction:
            with suppress(sqlite3.Error):
                self._database.rollback()
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code & 0xFF in _BUSY:
            log.debug("the cache is busy: %s", error)
        elif isinstance(error, _StrangeFileError) or code & 0xFF in _DAMAGED or code == sqlite3.SQLITE_IOERR_SHORT_READ:
            log.warning("the cache in %s begins anew: %s", self._folder, error)
            self._renewals += 1
            self._wished_bytes = self._last_bytes
            if not self._discard() or self._renewals >= _MOST_RENEWALS:
                self._refuse(error)
        else:
            self._refuse(error)

    def _refuse(self, why: Exception) -> None:
        """Write nothing from now on: the user's work goes on without."""
        self._is_refused = True
        self._tell(f"{why}")

    def _tell(self, why: str) -> None:
        """Say once that nothing is kept."""
        if not self._is_told:
            log.warning("nothing is kept in the cache in %s: %s", self._folder, why)
        self._is_told = True

    def _has_moved(self) -> bool:
        """Whether another has emptied the cache, so that the file at hand has lost its name."""
        if self._database is None:
            return False
        try:
            return self._file.stat().st_ino != self._inode
        except OSError:
            return True

    def _discard(self) -> bool:
        """Remove the file as a whole, whatever others do with it; False when it cannot be."""
        self._let_go()
        aside = self._parent / f"{_NAME}.{token_hex(4)}.gone"
        try:
            with self._lock():
                # Its folder goes in one move, so that a new file never meets the old one's log.
                self._folder.rename(aside)
        except FileNotFoundError:
            return True
        except OSError as error:
            log.warning("the cache cannot be removed: %s", error)
            return False
        # One that was left behind by a process that has ended goes as well.
        for gone in self._parent.glob(f"{_NAME}.*.gone"):
            shutil.rmtree(gone, ignore_errors=True)
        return True

    def _lock(self) -> FileLock:
        """Held while the file is made or removed, which SQLite leaves to its users."""
        return FileLock(self._parent / f"{_NAME}.lock", timeout=_OPEN_SECONDS)

    def _let_go(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = None


def _checksum(key: bytes, data: bytes) -> int:
    """Of an entry: one that has come under another's key is damaged too."""
    return zlib.crc32(data, zlib.crc32(key))


def _held(database: sqlite3.Connection) -> int:
    """Bytes of the pages in use."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(database.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return (pages - free) * size


def _give_back_some(database: sqlite3.Connection) -> bool:
    """One short step that makes the file smaller; False when no page of it is free."""
    # Python's `execute` takes one step of this statement, which frees one page.
    database.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
    return int(database.execute("PRAGMA freelist_count").fetchone()[0]) > 0


def _budget(database: sqlite3.Connection) -> int:
    row = database.execute("SELECT bytes FROM budget").fetchone()
    return row[0] if row is not None and type(row[0]) is int else CacheBudget.disk_bytes


def _evict(database: sqlite3.Connection) -> int:
    """Remove entries, some at once, until the budget is kept; how many."""
    budget, gone = _budget(database), 0
    while gone < _EVICTED_AT_ONCE and _held(database) > budget:
        oldest = "SELECT rowid FROM entries ORDER BY used, rowid LIMIT 1"
        if database.execute(f"DELETE FROM entries WHERE rowid = ({oldest})").rowcount < 1:
            break
        gone += 1
    return gone
