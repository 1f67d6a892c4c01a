"""A memory cache with a byte budget: the least recently used entry goes first; and what all caches may take."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable


@dataclass(frozen=True)
class CacheBudget:
    """What caches may take.

    Attributes:
        memory_bytes: Of memory, for the clip at hand.
        disk_bytes: Of the disk, for all clips together; 0 keeps nothing there.
    """

    memory_bytes: int = 1280 << 20
    disk_bytes: int = 8 << 30


class Sized(Protocol):
    """Anything that knows the memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes."""
        ...


Entry = TypeVar("Entry", bound=Sized)


class ByteCache(Generic[Entry]):
    """Keeps entries below a number of bytes; used from one thread.

    Attributes:
        budget_bytes: What it may hold.
        held_bytes: What it holds.
    """

    def __init__(self, budget_bytes: int) -> None:
        """Start empty."""
        self.budget_bytes = budget_bytes
        self.held_bytes = 0
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        """Whether ``key`` is held, without counting as use."""
        return key in self._entries

    def get(self, key: Hashable) -> Entry | None:
        """The entry, now the most recently used; None where there is none."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Hashable, entry: Entry) -> None:
        """Keep an entry; others go as the budget asks. One larger than the whole budget is not kept."""
        old = self._entries.pop(key, None)
        if old is not None:
            self.held_bytes -= old.nbytes
        if entry.nbytes > self.budget_bytes:
            return
        self._entries[key] = entry
        self.held_bytes += entry.nbytes
        self._shrink()

    def resize(self, budget_bytes: int) -> None:
        """Hold at most this from now on."""
        self.budget_bytes = budget_bytes
        self._shrink()

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self.held_bytes = 0

    def _shrink(self) -> None:
        while self.held_bytes > self.budget_bytes:
            _, gone = self._entries.popitem(last=False)
            self.held_bytes -= gone.nbytes
