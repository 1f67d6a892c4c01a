"""The ways in which the two pictures are set against each other."""

from __future__ import annotations

from enum import Enum


class CompareMode(Enum):
    """How the two pictures are compared."""

    SIDE = 0
    WIPE = 1
    DIFFERENCE = 2
    ONION = 3
    TOGGLE = 4

    @property
    def next(self) -> CompareMode:
        """The mode that `V` goes on to."""
        return CompareMode((self.value + 1) % len(CompareMode))
