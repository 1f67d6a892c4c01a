"""Prints what ffprobe says of an export and not of its source, or the other way round; says what had to change.

    python tests/ffprobe_diff.py SOURCE EXPORT

Ends with 0 when nothing differs but what a new encoding or another container must change.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_COMMAND = ("ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-of", "json")

ENCODED = {
    "bit_rate", "max_bit_rate", "bits_per_raw_sample", "codec_name", "codec_long_name", "profile", "level", "refs",
    "has_b_frames", "is_avc", "nal_length_size", "extradata_size", "closed_captions", "film_grain", "mime_codec_string",
    "pix_fmt", "coded_width", "coded_height", "quarter_sample", "divx_packed", "chroma_location", "field_order",
    "view_ids_available", "view_pos_available", "missing_streams",
}  # fmt: skip
"""Facts of the pictures' stream that another encoder has others of."""

CONTAINED = {
    "filename", "size", "bit_rate", "probe_score", "format_name", "format_long_name", "nb_programs", "nb_stream_groups",
    "index", "id", "codec_tag", "codec_tag_string", "nb_frames", "start_time", "start_pts", "duration", "duration_ts",
    "time_base", "r_frame_rate", "avg_frame_rate", "bits_per_sample", "ts_id", "ts_packetsize", "extradata_size",
    "initial_padding", "nb_read_frames",
}  # fmt: skip
"""Facts that another container counts or names its own way; times are proved elsewhere, to the tick."""

WRITTEN = {
    "encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "duration", "bps",
    "number_of_frames", "number_of_bytes", "_statistics_tags", "_statistics_writing_app",
    "_statistics_writing_date_utc", "software",
}  # fmt: skip
"""Tags by which a container or program signs."""


def probe(path: Path) -> dict[str, Any]:
    """All that ffprobe says of a file, one fact a line: ``video 0 / tags / title``."""
    text = subprocess.run([*_COMMAND, path], capture_output=True, check=True, text=True).stdout
    told = json.loads(text)
    facts: dict[str, Any] = dict(_flat("format", told["format"]))
    counted: dict[str, int] = {}
    for stream in told["streams"]:
        kind = stream.get("codec_type", "unknown")
        counted[kind] = counted.get(kind, -1) + 1
        facts |= _flat(f"{kind} {counted[kind]}", stream)
    for name in [name for name in facts if name.endswith(" / sample_aspect_ratio")]:
        if facts[name] in {"1:1", "0:1"}:  # said or not said, it is the same
            del facts[name]
            facts.pop(name.replace("sample", "display"), None)
    for number, chapter in enumerate(told.get("chapters", [])):
        facts |= _flat(f"chapter {number}", chapter)
    return facts


def differences(source: Path, export: Path) -> tuple[list[str], list[str]]:
    """Lines on what differs: what had to change, and what had not."""
    before, after = probe(source), probe(export)
    had_to: list[str] = []
    had_not: list[str] = []
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        line = f"{name}: {before.get(name, '(nothing)')} -> {after.get(name, '(nothing)')}"
        (had_to if _had_to_change(name, before, after) else had_not).append(line)
    return had_to, had_not


def _had_to_change(name: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    where, _, rest = name.partition(" / ")
    fact = rest.rpartition(" / ")[2]
    if rest.startswith("tags / "):
        # Matroska keeps the times of writing for the whole file alone.
        is_in_file = fact == "creation_time" and before.get(name) == after.get(f"format / tags / {fact}")
        return fact in WRITTEN or is_in_file
    if where == "format":
        return fact in CONTAINED or (fact == "nb_streams" and _tracks(before) != _tracks(after))
    if fact == "default" and rest.startswith("disposition"):
        return (before.get(name), after.get(name)) == (0, 1)  # transport streams have none; MP4 needs one
    if rest in {"color_space", "color_primaries", "color_transfer"}:
        # Of ProRes, ffprobe tells what the pictures say: often nothing, though the container does. Grey H.264, which it
        # shows as Y'CbCr, has no matrix.
        codec = before.get(f"{where} / codec_name")
        is_untold = name not in before and codec in ({"prores", "h264"} if rest == "color_space" else {"prores"})
        is_grey = rest == "color_space" and str(before.get(f"{where} / pix_fmt")).startswith("gray")
        is_same = {before.get(name), after.get(name)} == {"bt470bg", "smpte170m"}  # one matrix, two names
        return is_untold or is_grey or is_same
    if where.startswith("video"):
        return fact in ENCODED | CONTAINED or rest.startswith("CPB properties")
    if where.startswith("chapter"):
        return fact in CONTAINED | {"start", "end", "end_time"}
    return fact in CONTAINED | {"channel_layout"}


def _tracks(facts: dict[str, Any]) -> set[str]:
    """Streams that are no sound and no picture: a timecode is a track in MOV and a tag elsewhere."""
    return {name.partition(" / ")[0] for name in facts if name.startswith("data")}


def _flat(where: str, values: dict[str, Any]) -> dict[str, Any]:
    """Nested facts, each under its whole name."""
    facts: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            # Matroska writes the names of some tags in capitals, and says of a language that it is not known.
            tags = {tag.lower(): text for tag, text in value.items() if (tag, text) != ("language", "und")}
            facts |= _flat(f"{where} / {name}", tags if name == "tags" else value)
        elif name == "side_data_list":
            for data in value:
                facts |= _flat(f"{where} / {data.get('side_data_type', 'side data')}", data)
        else:
            facts[f"{where} / {name}"] = value
    return facts


def main() -> int:
    """Print both kinds of differences."""
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    had_to, had_not = differences(Path(sys.argv[1]), Path(sys.argv[2]))
    print("Had to change:", *(had_to or ["nothing"]), sep="\n  ")
    print("Changed without need:", *(had_not or ["nothing"]), sep="\n  ")
    return 1 if had_not else 0


if __name__ == "__main__":
    sys.exit(main())
