"""What is damaged about a clip, as notices: a sentence that has grown takes the place of the shorter one."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from app.words import for_window

if TYPE_CHECKING:
    from app.notices import NoticeBar


class ClipWarnings:
    """The warnings of the clip at hand."""

    def __init__(self, notices: NoticeBar) -> None:
        """Nothing is told yet."""
        self._notices = notices
        self._told: list[str] = []

    def begin(self) -> None:
        """Another clip is at hand, and the notices of the one before are gone."""
        self._told = []

    def show(self, warnings: tuple[str, ...]) -> None:
        """Tell all that is known now; a notice that was dismissed does not come back when it has grown."""
        sentences = [_sentence(warning) for warning in warnings]
        gone = [sentence for sentence in self._told if sentence not in sentences]
        come = [sentence for sentence in sentences if sentence not in self._told]
        for old, new in zip_longest(gone, come):
            if old is None:
                self._notices.show_note(new)
            elif new is None:
                self._notices.dismiss(old)
            else:
                self._notices.reword(old, new)
        self._told = sentences


def _sentence(warning: str) -> str:
    sentence = for_window(warning[:1].upper() + warning[1:])
    return sentence if sentence.endswith(".") else f"{sentence}."
