"""Work that runs ahead of whoever wants it, in a thread of its own and within bounds."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

Item = TypeVar("Item")

_POLL_SECONDS = 0.1


def ahead(items: Iterator[Item], count: int) -> Generator[Item]:
    """The same items, made in another thread up to ``count`` of them ahead; closing it ends the thread.

    What making one raises is raised here, in its place. ``items`` is touched by no other thread than that one.

    Args:
        items: Made one after another.
        count: How many may wait.
    """
    waiting: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(count)
    is_closed = threading.Event()

    def put(entry: tuple[Item] | BaseException | None) -> None:
        while not is_closed.is_set():
            try:
                waiting.put(entry, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put((item,))
                if is_closed.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - the edge of the thread: raised again where the item is wanted
            put(error)

    thread = threading.Thread(target=make, name="ahead", daemon=True)
    thread.start()
    try:
        while (entry := waiting.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
    finally:
        is_closed.set()
        thread.join()
