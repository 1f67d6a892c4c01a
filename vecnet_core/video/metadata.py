"""What a file says of itself in words, on its way into another: texts, chapters and the timecode."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from vecnet_core.video.containers import QUICKTIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av.container import InputContainer
    from av.container.core import Chapter
    from av.video.stream import VideoStream

_OF_THE_FILE = {
    "major_brand", "minor_version", "compatible_brands", "encoder", "vendor_id", "duration", "filename", "mimetype",
}  # fmt: skip
_OF_THE_FILE_PREFIXES = ("_statistics", "bps", "number_of_", "duration-")
"""What is true of one file only: how it was made, and Matroska's counts of its streams."""

_ITUNES = {
    "title", "artist", "album_artist", "composer", "album", "date", "comment", "genre", "copyright", "grouping",
    "lyrics", "description", "synopsis", "show", "episode_id", "network", "keywords", "episode_sort", "season_number",
    "media_type", "hd_video", "gapless_playback", "compilation", "track", "disc", "tmpo", "sort_name", "sort_artist",
    "sort_album", "sort_album_artist", "sort_composer", "sort_show", "location", "creation_time", "timecode",
}  # fmt: skip
_USER_DATA = {
    "title", "artist", "author", "album", "date", "comment", "genre", "copyright", "make", "model", "keywords",
    "location", "creation_time", "timecode",
}  # fmt: skip
"""The texts that FFmpeg writes into MP4 and into MOV without `use_metadata_tags`."""


class Span(NamedTuple):
    """The part of a source that is written, in seconds of the source's own time.

    Attributes:
        start: None copies from the very first packet.
        stop: None copies to the end.
        shift: What is subtracted from every time.
    """

    start: Fraction | None = None
    stop: Fraction | None = None
    shift: Fraction = Fraction(0)

    def cut(self, begin: Fraction, end: Fraction) -> tuple[Fraction, Fraction] | None:
        """What of a stretch of time lies in the span, moved; None when nothing does."""
        begin = begin if self.start is None else max(begin, self.start)
        end = end if self.stop is None else min(end, self.stop)
        return (begin - self.shift, end - self.shift) if begin < end else None


def kept_texts(texts: Mapping[str, str], container: str) -> dict[str, str]:
    """What of a file's or a stream's texts is as true of another.

    Args:
        texts: As read.
        container: FFmpeg's name of the one that is written.
    """
    kept: dict[str, str] = {}
    names = {key.lower() for key in texts}
    for key, text in texts.items():
        name = key.lower()
        base, _, language = name.rpartition("-")
        # QuickTime's texts come once without a language and once with it.
        if name in _OF_THE_FILE or name.startswith(_OF_THE_FILE_PREFIXES) or (len(language) == 3 and base in names):
            continue
        # Matroska has all keys in capitals; QuickTime's are as Apple spells them.
        is_shouted = container in QUICKTIME and key.isupper()
        kept[name.replace(".iso6709", ".ISO6709") if is_shouted else key] = text
    if "name" in kept:  # what MP4 calls the title of a stream
        kept.setdefault("title", kept.pop("name"))
    return kept


def uncommon_texts(texts: Mapping[str, str], container: str) -> list[str]:
    """The keys that a container holds only as QuickTime metadata keys (`use_metadata_tags`)."""
    if container not in QUICKTIME:
        return []
    common = _USER_DATA if container == "mov" else _ITUNES
    return sorted(key for key in texts if key.lower() not in common)


def cut_chapters(chapters: list[Chapter], span: Span) -> list[Chapter]:
    """The chapters of a span, moved with it."""
    kept: list[Chapter] = []
    for chapter in chapters:
        base = chapter["time_base"] or Fraction(1, 1000)
        part = span.cut(chapter["start"] * base, chapter["end"] * base)
        if part is not None:
            begin, end = (round(seconds / base) for seconds in part)
            kept.append({**chapter, "id": len(kept) + 1, "start": begin, "end": end})
    return kept


def find_timecode(container: InputContainer, stream: VideoStream) -> str:
    """The timecode of a video's first frame: said by the stream, the file, or a track of its own; empty for none."""
    sources = [stream, container, *container.streams.data]
    texts = (text for source in sources for key, text in source.metadata.items() if key.lower() == "timecode")
    return next(texts, "")
