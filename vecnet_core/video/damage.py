"""Damage of a video: which frames it reaches, as far as decoding tells, and how that is said."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Self

_NAMED_RUNS = 8
"""Runs of damaged frames a sentence names; it counts the rest."""

_KEPT_PACKETS = 256
"""Packets before the newest that may still be found damaged: decoders hold back far fewer frames."""

_FFV1_FOOTER_BYTES = 8
"""Of a slice: its size, an error status and a checksum (RFC 9043, section 4.9)."""

_REVERSED_BITS = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def damage_clauses(lost: Collection[int], reached: Collection[int]) -> list[str]:
    """What is to be said about damaged frames.

    Args:
        lost: Frames of which nothing can be decoded.
        reached: Frames that decode with errors, or are predicted from such ones; of lost ones nothing more is said.
    """
    clauses: list[str] = []
    if len(lost) == 1:
        clauses.append(f"{frames_named(lost)} is damaged; the frame before it is shown in its place")
    elif lost:
        clauses.append(f"{frames_named(lost)} are damaged; the last good frame before them is shown in their place")
    spoiled = set(reached).difference(lost)
    if len(spoiled) == 1:
        clauses.append(f"{frames_named(spoiled)} is damaged and shown as far as it decodes")
    elif spoiled:
        clauses.append(
            f"{frames_named(spoiled)} are damaged, or build on a damaged one, and shown as far as they decode"
        )
    return clauses


@dataclass(frozen=True)
class Findings:
    """What a reader found to be said about its footage so far.

    Attributes:
        clauses: Sentences, but for those on the frames below.
        lost: Frames of which nothing can be decoded.
        reached: Frames that decode with errors, or are predicted from such ones.
    """

    clauses: tuple[str, ...] = ()
    lost: frozenset[int] = frozenset()
    reached: frozenset[int] = frozenset()

    @property
    def is_damaged(self) -> bool:
        """Whether frames are damaged."""
        return bool(self.lost or self.reached)

    def to_json(self) -> bytes:
        """As a file."""
        values = {"clauses": self.clauses, "lost": sorted(self.lost), "reached": sorted(self.reached)}
        return (json.dumps(values) + "\n").encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self | None:
        """From a file; None when it is none."""
        try:
            values = json.loads(text)
            lost, reached = (frozenset(int(index) for index in values[name]) for name in ("lost", "reached"))
            return cls(tuple(str(clause) for clause in values["clauses"]), lost, reached)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None


class GroupWatch:
    """Follows a decoder and tells which frames damage reaches: all that come after it, up to the next key frame.

    Args:
        damaged: Labels of the packets that are known to be damaged.
    """

    def __init__(self, damaged: Collection[int] = ()) -> None:
        self._damaged = damaged
        self._packets: deque[tuple[int, int]] = deque(maxlen=_KEPT_PACKETS)  # label and group, in decoding order
        self._group = 0
        self._is_spoiled = False  # the running group
        self._first: int | None = None
        self._reached: set[int] = set()

    def feed(self, label: int, *, is_key: bool, is_damaged: bool) -> None:
        """A packet goes into the decoder."""
        if is_key or self._first is None:
            self._group += 1
            self._is_spoiled = False
        self._first = label if self._first is None else self._first
        self._packets.append((label, self._group))
        self._is_spoiled = self._is_spoiled or is_damaged or label in self._damaged
        if self._is_spoiled:
            self._reached.add(label)

    def mark(self, label: int | None) -> None:
        """A frame turned out to be damaged, perhaps after packets behind it were fed."""
        if label is None or self._first is None or label < self._first:
            return  # It was shown before the key frame at which decoding began, and lacks what came before that.
        group = next((group for known, group in self._packets if known == label), None)
        is_behind = False
        for known, of_group in self._packets:
            is_behind = is_behind or known == label
            if is_behind and of_group == group:
                self._reached.add(known)
        self._is_spoiled = self._is_spoiled or group == self._group

    def take(self) -> set[int]:
        """Labels that damage was found to reach since this was last asked."""
        reached, self._reached = self._reached, set()
        return reached


def frames_named(indices: Collection[int]) -> str:
    """``frame 3`` or ``frames 3, 7 to 9 and 12``; what is too much to name is counted."""
    ordered = sorted(indices)
    starts = [ordered[0], *(later for earlier, later in pairwise(ordered) if later > earlier + 1)]
    stops = [*(earlier for earlier, later in pairwise(ordered) if later > earlier + 1), ordered[-1]]
    runs = list(zip(starts, stops, strict=True))
    names = [f"{a}" if a == b else f"{a} to {b}" for a, b in runs[:_NAMED_RUNS]]
    if rest := sum(b - a + 1 for a, b in runs[_NAMED_RUNS:]):
        names.append(f"{rest} more")
    words = ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
    return f"frame{'s' if len(ordered) > 1 else ''} {words}"


def ffv1_is_whole(packet: bytes) -> bool | None:
    """Whether the slices of an FFV1 packet agree with their checksums; None when it is no row of slices with checksums.

    FFmpeg checks them too, but shows a damaged slice as that of the frame before, with no mark on the frame.
    """
    slices: list[slice] = []
    stop = len(packet)
    while stop > 0:
        footer = stop - _FFV1_FOOTER_BYTES
        start = footer - int.from_bytes(packet[footer : footer + 3], "big")
        if footer < 0 or start < 0:
            return None
        slices.append(slice(start, stop))
        stop = start
    # The checksum's polynomial is zlib's with the bits of each byte the other way round; its register begins at 0.
    turned = packet.translate(_REVERSED_BITS)
    return all(crc32(turned[each], 0xFFFFFFFF) == 0xFFFFFFFF for each in slices)
