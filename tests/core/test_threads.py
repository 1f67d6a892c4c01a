"""Laws of running ahead: the same items, never too many of them, and no thread that stays."""

import threading
import time

import pytest

from vecnet_core.threads import ahead


def test_the_items_come_in_order():
    assert list(ahead(iter(range(50)), 3)) == list(range(50))
    assert list(ahead(iter(()), 3)) == []


def test_it_runs_ahead_and_not_too_far():
    made = []

    def items():
        for number in range(20):
            made.append(number)
            yield number

    running = ahead(items(), 3)
    assert next(running) == 0
    deadline = time.monotonic() + 5
    while len(made) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    assert len(made) == 5  # the one that was taken, three that wait, and one that waits to wait
    running.close()


def test_what_making_raises_comes_in_its_place():
    def items():
        yield 1
        raise ValueError("spoilt")

    running = ahead(items(), 3)
    assert next(running) == 1
    with pytest.raises(ValueError, match="spoilt"):
        next(running)


def test_closing_ends_the_thread():
    before = threading.active_count()
    running = ahead(iter(range(1000)), 2)
    next(running)
    assert threading.active_count() == before + 1
    running.close()
    assert threading.active_count() == before
