"""The values that pass between rooms: a decoded frame, its colour tags, and the facts of a video."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

PlaneArray = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
RGBArray = npt.NDArray[np.float32]


class Place(NamedTuple):
    """Where a picture lies in the frame it is a part of.

    Attributes:
        top: First row.
        left: First column.
        height: Rows of the whole frame.
        width: Columns of the whole frame.
    """

    top: int
    left: int
    height: int
    width: int


class Part(NamedTuple):
    """A rectangle of a frame in pixels, as stored.

    Attributes:
        top: First row.
        left: First column.
        height: Rows.
        width: Columns.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the frame's array."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def within(self, height: int, width: int) -> Part:
        """What of it lies in a frame of this size; empty for nothing."""
        top, left = min(max(self.top, 0), height), min(max(self.left, 0), width)
        bottom = min(max(self.top + self.height, top), height)
        return Part(top, left, bottom - top, min(max(self.left + self.width, left), width) - left)

    def grown(self, by: int, height: int, width: int) -> Part:
        """With ``by`` more pixels on each side, as far as a frame of this size goes; starts at multiples of ``by``."""
        top, left = max(self.top // by * by - by, 0), max(self.left // by * by - by, 0)
        bottom, right = self.top + self.height + by, self.left + self.width + by
        return Part(top, left, min(bottom, height) - top, min(right, width) - left)


class Region(NamedTuple):
    """A rectangle of a frame as shares of its width and height, 0 to 1, as stored."""

    left: float
    top: float
    right: float
    bottom: float

    def of(self, picture: RGBArray) -> RGBArray:
        """That part of a picture of the frame of any size, at least one pixel of it."""
        height, width = picture.shape[:2]
        top, left = min(int(self.top * height), height - 1), min(int(self.left * width), width - 1)
        bottom = max(math.ceil(self.bottom * height), top + 1)
        return picture[top:bottom, left : max(math.ceil(self.right * width), left + 1)]


@dataclass(frozen=True)
class ColorTags:
    """How the code values of a stream are meant.

    Attributes:
        matrix: ``bt601``, ``bt709`` or ``bt2020nc`` (``rgb`` for RGB sources).
        range: ``limited`` or ``full``.
        primaries: FFmpeg's name, such as ``bt709``; ``unknown`` when untagged.
        transfer: FFmpeg's name, such as ``bt709`` or ``smpte2084``; ``unknown`` when untagged.
        assumed: Names of the fields above that the file does not state and we decided.
    """

    matrix: str
    range: str
    primaries: str = "unknown"
    transfer: str = "unknown"
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a matrix or range that nothing downstream could honour."""
        if self.matrix not in {"bt601", "bt709", "bt2020nc", "rgb"}:
            raise ValueError(f"unknown matrix {self.matrix!r}")
        if self.range not in {"limited", "full"}:
            raise ValueError(f"unknown range {self.range!r}")

    @property
    def is_hdr(self) -> bool:
        """True for PQ and HLG transfers."""
        return self.transfer in {"smpte2084", "arib-std-b67"}


@dataclass(frozen=True)
class MasteringDisplay:
    """The display an HDR clip was graded on (SMPTE ST 2086).

    Attributes:
        red: CIE 1931 x, y of its red.
        green: Of its green.
        blue: Of its blue.
        white: Of its white.
        min_nits: Its black.
        max_nits: Its highest light.
    """

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]
    min_nits: float
    max_nits: float


@dataclass(frozen=True)
class HdrMetadata:
    """What an HDR clip says of itself as a whole (HDR10's static metadata).

    Attributes:
        mastering: The display it was graded on; None when unknown.
        max_cll: Light of its brightest pixel in nits (CTA-861.3); 0 when unknown.
        max_fall: Light of its brightest frame on average, in nits; 0 when unknown.
    """

    mastering: MasteringDisplay | None = None
    max_cll: int = 0
    max_fall: int = 0

    def relit(self) -> HdrMetadata | None:
        """What stays true of the clip when its light is corrected: the display; None when nothing does."""
        return None if self.mastering is None else HdrMetadata(self.mastering)


@dataclass(frozen=True)
class PixelLayout:
    """How planes hold pixels: FFmpeg's pixel format name, taken apart.

    Attributes:
        name: FFmpeg's name, such as ``yuv420p10le``.
        bit_depth: Bits of a sample, 8 to 16.
        chroma_x: Horizontal chroma subsampling, 1 or 2.
        chroma_y: Vertical chroma subsampling, 1 or 2.
        planes: 1 (grey) or 3.
    """

    name: str
    bit_depth: int
    chroma_x: int
    chroma_y: int
    planes: int = 3

    @property
    def chroma(self) -> str:
        """The usual name: ``4:2:0``, ``4:2:2``, ``4:4:4`` or ``4:0:0``."""
        if self.planes == 1:
            return "4:0:0"
        return {(2, 2): "4:2:0", (2, 1): "4:2:2", (1, 1): "4:4:4"}.get((self.chroma_x, self.chroma_y), "other")


@dataclass(frozen=True)
class Frame:
    """One decoded frame as code values, with its time.

    Attributes:
        index: 0-based number in presentation order.
        pts: Presentation time in units of ``time_base``.
        time_base: Seconds of one pts unit.
        duration: In units of ``time_base``; 0 when unknown.
        planes: Y, U, V code values, each ``(h, w)``, uint8 or uint16 (low bits used); Y alone for grey.
        layout: How ``planes`` hold pixels.
        color: How the code values are meant.
        alpha: Opacity, ``(h, w)`` in the bits and sample type of ``planes``, 0 clear to the highest code opaque,
            whatever the range of the colours; None for a picture without transparency.
    """

    index: int
    pts: int
    time_base: Fraction
    duration: int
    planes: tuple[PlaneArray, ...]
    layout: PixelLayout
    color: ColorTags
    alpha: PlaneArray | None = None

    def __post_init__(self) -> None:
        """Refuse planes that do not fit the layout."""
        if len(self.planes) != self.layout.planes:
            raise ValueError(f"{self.layout.name} has {self.layout.planes} planes, not {len(self.planes)}")
        height, width = self.planes[0].shape
        chroma = (-(-height // self.layout.chroma_y), -(-width // self.layout.chroma_x))
        for plane in self.planes[1:]:
            if plane.shape != chroma:
                raise ValueError(f"a chroma plane is {plane.shape}, not {chroma}")
        wanted = np.uint8 if self.layout.bit_depth == 8 else np.uint16
        if any(plane.dtype != wanted for plane in self.planes):
            raise ValueError(f"{self.layout.bit_depth}-bit planes must be {np.dtype(wanted)}")
        if self.alpha is not None and (self.alpha.shape != (height, width) or self.alpha.dtype != wanted):
            raise ValueError(f"the alpha is {self.alpha.shape} {self.alpha.dtype}, not {(height, width)} {wanted}")

    @property
    def nbytes(self) -> int:
        """Memory of the samples."""
        return sum(plane.nbytes for plane in self.planes) + (0 if self.alpha is None else self.alpha.nbytes)

    @property
    def width(self) -> int:
        """Width of the picture in pixels."""
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        """Height of the picture in pixels."""
        return int(self.planes[0].shape[0])

    @property
    def pts_seconds(self) -> Fraction:
        """Presentation time in seconds, exact."""
        return self.pts * self.time_base


@dataclass(frozen=True)
class VideoInfo:
    """The facts of one video stream or sequence of pictures, and what was assumed where it says nothing.

    Attributes:
        path: The file; of a sequence its folder or pattern.
        container: FFmpeg's name of the container format, such as ``mov,mp4,m4a,3gp,3g2,mj2``.
        codec: FFmpeg's name of the video codec, such as ``h264``.
        width: Coded width in pixels, before rotation.
        height: Coded height in pixels, before rotation.
        frame_count: Number of frames, counted from the packets.
        frame_rate: Average frames per second.
        is_variable_rate: True when frame durations differ by more than rounding.
        time_base: Seconds of one pts unit.
        start_pts: pts of the first frame, in units of ``time_base``.
        duration_seconds: From the first frame's start to the last frame's end.
        layout: Pixel layout of decoded frames.
        color: Colour tags, with what is assumed.
        rotation_degrees: Counter-clockwise display rotation: 0, 90, 180 or 270.
        pixel_aspect: Sample aspect ratio; 1 when unknown.
        is_interlaced: True when the stream says so, and its fields were not made into whole pictures.
        audio_codecs: FFmpeg's codec names of the audio streams.
        missing_frames: Frames the file says it has and cannot give, because it is cut short.
        has_alpha: True when frames carry their transparency.
        is_rate_assumed: True when frames have no times of their own, and the rate was not given but decided.
        files: The pictures of a sequence, in order; empty for a video file.
        reading: What was asked for in reading that changes the pictures, as text; empty for nothing.
        hdr: Static metadata of an HDR clip; None without any, and for SDR.
        stream_count: How many video streams the file has, of which this is one; cover pictures do not count.
        is_mirrored: Once rotated, the picture is meant to be shown mirrored left to right.
    """

    path: Path
    container: str
    codec: str
    width: int
    height: int
    frame_count: int
    frame_rate: Fraction
    is_variable_rate: bool
    time_base: Fraction
    start_pts: int
    duration_seconds: float
    layout: PixelLayout
    color: ColorTags
    rotation_degrees: int
    pixel_aspect: Fraction
    is_interlaced: bool
    audio_codecs: tuple[str, ...]
    missing_frames: int = 0
    has_alpha: bool = False
    is_rate_assumed: bool = False
    files: tuple[Path, ...] = field(default=(), repr=False)
    reading: str = ""
    hdr: HdrMetadata | None = None
    stream_count: int = 1
    is_mirrored: bool = False

    @property
    def fingerprint(self) -> str:
        """Names this very content for caches: path, size and modification time of every file, and how it is read."""
        stats = [(file.name, file.stat()) for file in self.files or (self.path,)]
        lines = "\n".join(f"{name}|{stat.st_size}|{stat.st_mtime_ns}" for name, stat in stats)
        return f"{self.path.resolve()}|{self.reading}|{sha256(lines.encode('utf-8', 'surrogatepass')).hexdigest()}"
