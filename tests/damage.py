"""Damaged video files, made from the sample clip in several containers: the same seed gives the same files."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av

SAMPLE = Path(__file__).parents[1] / "resources" / "sample" / "sample.mp4"
WIDTH, HEIGHT, FRAMES, RATE = 160, 90, 24, Fraction(30000, 1001)


@dataclass(frozen=True)
class Source:
    """A sound clip: what it is called, and how it is encoded."""

    name: str
    video: str
    audio: str
    layout: str = "yuv420p"
    options: tuple[tuple[str, str], ...] = ()
    muxer: tuple[tuple[str, str], ...] = ()


X264 = (("preset", "veryfast"), ("crf", "20"), ("bf", "2"), ("g", "8"), ("sc_threshold", "0"))
SOURCES = (
    Source("camera.mp4", "libx264", "aac", options=X264),
    Source("web.mp4", "libx264", "aac", options=X264, muxer=(("movflags", "+faststart"),)),
    Source("edit.mov", "prores_ks", "pcm_s16le", "yuv422p10le"),
    Source(
        "film.mkv",
        "libx265",
        "flac",
        options=(("preset", "ultrafast"), ("x265-params", "log-level=none:keyint=8:crf=18")),
    ),
    Source("archive.mkv", "ffv1", "pcm_s16le", options=(("slicecrc", "1"), ("level", "3"), ("g", "4"))),
    Source("page.webm", "libvpx-vp9", "libopus", options=(("deadline", "realtime"), ("cpu-used", "8"), ("g", "8"))),
    Source("old.avi", "mpeg4", "libmp3lame", options=(("g", "8"), ("bf", "0"), ("qscale", "4"))),
    Source("broadcast.ts", "libx264", "aac", options=X264),
)


class DamagedFile(NamedTuple):
    """One damaged file: where it comes from, what was done to it, and what is left."""

    source: Source
    kind: str
    data: bytes


def make_source(source: Source, path: Path) -> Path:
    """Encode the sample's first frames, made small, with its sound."""
    with (
        av.open(str(SAMPLE)) as given,
        av.open(str(path), "w", options={"fflags": "+bitexact", **dict(source.muxer)}) as output,
    ):
        video: Any = output.add_stream(source.video, rate=RATE, options=dict(source.options))
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, source.layout
        video.codec_context.thread_count = 1
        sound: Any = output.add_stream(source.audio, rate=48000, layout="stereo")
        for index, frame in enumerate(given.decode(video=0)):
            if index == FRAMES:
                break
            small = frame.reformat(WIDTH, HEIGHT, source.layout)
            small.pts, small.time_base = index, 1 / RATE
            small.pict_type = av.video.frame.PictureType.NONE
            output.mux(video.encode(small))
        output.mux(video.encode(None))
        given.seek(0)
        resampler = av.AudioResampler(
            sound.codec_context.format, "stereo", 48000, 960 if "opus" in source.audio else None
        )
        for frame in given.decode(audio=0):
            if frame.time is not None and frame.time > FRAMES / RATE:
                break
            for part in resampler.resample(frame):
                output.mux(sound.encode(part))
        output.mux(sound.encode(None))
    return path


def damaged_files(sounds: dict[Source, bytes], seed: int, count: int) -> Iterator[DamagedFile]:
    """Damage every source in turn, each time in another way."""
    kinds = list(KINDS)
    for number in range(count):
        source = SOURCES[number % len(SOURCES)]
        # Every kind meets every source before a pair comes again.
        kind = kinds[(number // len(SOURCES) + number) % len(kinds)]
        rng = random.Random(f"{seed} {number}")
        yield DamagedFile(source, kind, KINDS[kind](sounds[source], rng))


# What can happen to a file


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data))]


def _lose_tail(data: bytes, rng: random.Random) -> bytes:
    return data[: len(data) - rng.randrange(1, len(data) // 8)]


def _flip(data: bytes, rng: random.Random, count: int, start: int, stop: int) -> bytes:
    hurt = bytearray(data)
    for _ in range(count):
        hurt[rng.randrange(start, stop)] ^= 1 << rng.randrange(8)
    return bytes(hurt)


def _flip_few(data: bytes, rng: random.Random) -> bytes:
    return _flip(data, rng, rng.randrange(1, 6), 0, len(data))


def _flip_many(data: bytes, rng: random.Random) -> bytes:
    return _flip(data, rng, max(1, round(len(data) * 10 ** rng.uniform(-4, -2))), 0, len(data))


def _flip_head(data: bytes, rng: random.Random) -> bytes:
    return _flip(data, rng, rng.randrange(1, 9), 0, min(1024, len(data)))


def _flip_end(data: bytes, rng: random.Random) -> bytes:
    return _flip(data, rng, rng.randrange(1, 9), max(0, len(data) - 2048), len(data))


def _block(data: bytes, rng: random.Random) -> tuple[int, int]:
    """A piece of the file: 16 bytes to a tenth of it."""
    length = round(16 * (len(data) / 160) ** rng.random())
    start = rng.randrange(len(data) - length)
    return start, start + length


def _burst(data: bytes, rng: random.Random) -> bytes:
    start, stop = _block(data, rng)
    return data[:start] + rng.randbytes(stop - start) + data[stop:]


def _zeros(data: bytes, rng: random.Random) -> bytes:
    start, stop = _block(data, rng)
    return data[:start] + bytes(stop - start) + data[stop:]


def _ones(data: bytes, rng: random.Random) -> bytes:
    start, stop = _block(data, rng)
    return data[:start] + b"\xff" * (stop - start) + data[stop:]


def _remove(data: bytes, rng: random.Random) -> bytes:
    start, stop = _block(data, rng)
    return data[:start] + data[stop:]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start, stop = _block(data, rng)
    return data[:stop] + data[start:]


def _swap(data: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(data)) for _ in range(2))
    length = min(rng.randrange(16, 4096), b - a, len(data) - b)
    return data[:a] + data[b : b + length] + data[a + length : b] + data[a : a + length] + data[b + length :]


def _append(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.randrange(1, 20_000))


def _prepend(data: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(1, 4000)) + data


def _wrong_number(data: bytes, rng: random.Random, fields: list[tuple[int, int]]) -> bytes:
    """Write another number into one or two of some fields, each a place and a width in bytes."""
    hurt = bytearray(data)
    for place, width in rng.sample(fields, min(len(fields), rng.randrange(1, 3))):
        old, most = int.from_bytes(hurt[place : place + width], "big"), 256**width - 1
        new = rng.choice([0, 1, most, most >> 1, old + 1, old - 1, old * 2, old // 2, rng.randrange(most + 1)])
        hurt[place : place + width] = (new & most).to_bytes(width, "big")
    return bytes(hurt)


def _wrong_length(data: bytes, rng: random.Random) -> bytes:
    return _wrong_number(data, rng, length_fields(data))


def _wrong_header(data: bytes, rng: random.Random) -> bytes:
    return _wrong_number(data, rng, header_fields(data))


KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "truncated": _truncate,
    "flipped few": _flip_few,
    "wrong length": _wrong_length,
    "flipped many": _flip_many,
    "wrong header": _wrong_header,
    "burst": _burst,
    "tail lost": _lose_tail,
    "zeros": _zeros,
    "flipped head": _flip_head,
    "removed": _remove,
    "ones": _ones,
    "flipped end": _flip_end,
    "repeated": _repeat,
    "swapped": _swap,
    "appended": _append,
    "prepended": _prepend,
}


# Where containers keep their numbers

_BOXES = (
    b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"edts", b"elst", b"mdia", b"mdhd", b"hdlr", b"minf", b"vmhd", b"smhd",
    b"dinf", b"dref", b"stbl", b"stsd", b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco", b"mdat", b"udta", b"meta",
    b"avc1", b"avcC", b"mp4a", b"esds", b"apch", b"colr", b"sowt", b"fiel", b"pasp",
)  # fmt: skip
"""Boxes of MP4 and MOV, with their size in the four bytes before the name."""

_BOX_FIELDS = {
    b"mvhd": [(16, 4), (20, 4)],
    b"tkhd": [(80, 4), (84, 4), (24, 4)],
    b"elst": [(8, 4), (12, 4), (16, 4), (20, 4)],
    b"mdhd": [(16, 4), (20, 4)],
    b"stsd": [(8, 4)],
    b"stts": [(8, 4), (12, 4), (16, 4)],
    b"ctts": [(8, 4), (12, 4), (16, 4)],
    b"stss": [(8, 4), (12, 4)],
    b"stsc": [(8, 4), (12, 4), (16, 4), (20, 4)],
    b"stsz": [(8, 4), (12, 4), (16, 4)],
    b"stco": [(8, 4), (12, 4)],
    b"avc1": [(28, 2), (30, 2)],
    b"apch": [(28, 2), (30, 2)],
    b"mp4a": [(20, 2), (22, 2), (28, 4)],
    b"sowt": [(20, 2), (22, 2), (28, 4)],
}
"""Numbers inside boxes, counted from the name: time scales, sizes of pictures, entries of the tables."""

_MASTERS = (
    b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\xae", b"\xe0", b"\xe1",
    b"\x1f\x43\xb6\x75", b"\xa3", b"\xa0", b"\x1c\x53\xbb\x6b", b"\xbb", b"\xb7", b"\x12\x54\xc3\x67", b"\x63\xa2",
)  # fmt: skip
"""Elements of Matroska with others, or with frames, inside: EBML, Segment, Info, Tracks, Cluster, SimpleBlock, Cues."""

_NUMBERS = (
    b"\x2a\xd7\xb1", b"\x44\x89", b"\xd7", b"\x83", b"\x23\xe3\x83", b"\xb0", b"\xba", b"\x54\xb0", b"\x54\xba",
    b"\xe7", b"\x9f", b"\xb5", b"\x62\x64", b"\xf1", b"\xb3", b"\x53\xac",
)  # fmt: skip
"""Elements of Matroska that hold a number: TimestampScale, Duration, track numbers and types, sizes, Timestamp."""

_CHUNKS = (b"RIFF", b"LIST", b"avih", b"strh", b"strf", b"idx1", b"JUNK", b"00dc", b"01wb", b"movi", b"hdrl", b"strl")
"""Chunks of AVI, with their size in the four bytes after the name."""


def _places(data: bytes, name: bytes, most: int = 40) -> Iterator[int]:
    place = data.find(name)
    while place >= 0 and most:
        yield place
        most -= 1
        place = data.find(name, place + 1)


def length_fields(data: bytes) -> list[tuple[int, int]]:
    """Where a file says how long its parts are."""
    if data[4:8] == b"ftyp":
        return [(place - 4, 4) for name in _BOXES for place in _places(data, name)]
    if data[:4] == b"\x1aE\xdf\xa3":
        found = ((place + len(name), 1) for name in _MASTERS for place in _places(data, name))
        return [(place, min(_vint_width(data[place]), len(data) - place)) for place, _ in found if place < len(data)]
    if data[:4] == b"RIFF":
        return [(place + 4, 4) for name in _CHUNKS for place in _places(data, name)]
    # Transport stream: lengths of sections, of PES packets and of adaptation fields.
    return [
        (place + inner, width) for place in range(0, len(data) - 187, 188) for inner, width in ((4, 1), (6, 2), (8, 2))
    ]


def header_fields(data: bytes) -> list[tuple[int, int]]:
    """Where a file keeps times, sizes of pictures and counts."""
    if data[4:8] == b"ftyp":
        return [
            (place + inner, width)
            for name, fields in _BOX_FIELDS.items()
            for place in _places(data, name, 2)
            for inner, width in fields
        ]
    if data[:4] == b"\x1aE\xdf\xa3":
        head = data[:2048]
        return [
            (place + len(name) + 1, max(1, min(head[place + len(name)] & 0x7F, 8)))
            for name in _NUMBERS
            for place in _places(head, name, 2)
            if place + len(name) < len(head)
        ]
    if data[:4] == b"RIFF":
        return [(place, 4) for place in range(32, 300, 4)]
    return [(188 * packet + inner, 1) for packet in range(6) for inner in range(24)]


def _vint_width(first: int) -> int:
    """Bytes of an EBML number, told by its first one."""
    return 9 - first.bit_length() if first else 1
