"""Colour tags as FFmpeg numbers them: read into `ColorTags`, decided in one place where missing, and written back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vecnet_core.frame import ColorTags

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

UNSPECIFIED = 2
"""AVCOL_SPC_UNSPECIFIED, and the same number for primaries and transfer."""

_MATRIX_OF_SPACE = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020nc"}
_NEAREST_MATRIX = {4: ("bt601", "fcc"), 7: ("bt709", "smpte240m"), 10: ("bt2020nc", "bt2020c")}
_REFUSED_MATRIX = {8: "YCgCo", 11: "YDzDx", 12: "chroma-derived", 13: "chroma-derived", 14: "ICtCp", 15: "IPT-C2"}
_SPACE_OF_MATRIX = {"bt709": 1, "bt601": 6, "bt2020nc": 9}
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 10: "smpte428",
    11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
_TRANSFERS = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
_RANGES = {1: "limited", 2: "full"}


class TagNumbers(NamedTuple):
    """FFmpeg's numbers of one stream's colour tags: AVColorSpace, AVColorRange, AVColorPrimaries, AVColorTransfer."""

    space: int
    range: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, tagged: VideoFrame | VideoCodecContext) -> TagNumbers:
        """Those of a decoded picture, or of a stream as its container tells them, before anything is decoded."""
        return cls(int(tagged.colorspace), int(tagged.color_range), int(tagged.color_primaries), int(tagged.color_trc))

    def or_else(self, other: TagNumbers) -> TagNumbers:
        """These, and another's where these say nothing: of ProRes and DNxHD often only the container tells."""
        nothing = TagNumbers(UNSPECIFIED, 0, UNSPECIFIED, UNSPECIFIED)
        return TagNumbers(*(b if a == none else a for a, b, none in zip(self, other, nothing, strict=True)))


class TagReading(NamedTuple):
    """What the tags mean to us.

    Attributes:
        color: The tags, with what was decided.
        warning: A sentence when the matrix is only the nearest one we know, else empty.
        refusal: The name of a matrix we cannot honour, else empty.
    """

    color: ColorTags
    warning: str
    refusal: str


def read_tags(numbers: TagNumbers, height: int, *, is_full_format: bool, is_grey: bool) -> TagReading:
    """Colour tags from FFmpeg's numbers; the one place that decides what a missing tag means.

    Without a matrix, pictures of up to 576 lines are taken as BT.601 and larger ones as BT.709, as players do.
    Without a range, Y'CbCr is taken as limited and grey as full, as FFmpeg does.

    Args:
        numbers: The numbers of the stream.
        height: Lines of the picture.
        is_full_format: The pixel format itself says full range (``yuvj420p``).
        is_grey: There is no chroma.
    """
    assumed: list[str] = []
    warning = ""
    refusal = _REFUSED_MATRIX.get(numbers.space, "")
    matrix = _MATRIX_OF_SPACE.get(numbers.space)
    if numbers.space in _NEAREST_MATRIX:
        matrix, name = _NEAREST_MATRIX[numbers.space]
        warning = f"the colour matrix {name} is treated as {matrix}"
    if matrix is None:
        matrix = "bt601" if height <= 576 else "bt709"
        assumed.append("matrix")
    range_name = "full" if is_full_format else _RANGES.get(numbers.range)
    if range_name is None:
        range_name = "full" if is_grey else "limited"
        assumed.append("range")
    primaries = _PRIMARIES.get(numbers.primaries, "unknown")
    transfer = _TRANSFERS.get(numbers.transfer, "unknown")
    color = ColorTags(matrix, range_name, primaries, transfer, tuple(assumed))
    return TagReading(color, warning, refusal)


def numbers_of(color: ColorTags, source: TagNumbers | None = None) -> TagNumbers:
    """FFmpeg's numbers to write: the source's own where they say the same, else from the names; assumed stays untagged.

    An assumed full range (of grey) is tagged all the same: encoders that turn grey into Y'CbCr, and decoders that take
    everything untagged as limited, would change its contrast.

    Args:
        color: The tags to write.
        source: The numbers of the file that is being corrected, which tell apart what `ColorTags` does not (the
            625- and 525-line variants of BT.601).
    """
    space = UNSPECIFIED if "matrix" in color.assumed else _SPACE_OF_MATRIX[color.matrix]
    if source is not None and _same_matrix(source.space, color.matrix):
        space = source.space
    is_untagged = "range" in color.assumed and color.range == "limited"
    range_number = 0 if is_untagged else {"limited": 1, "full": 2}[color.range]
    primaries = {name: number for number, name in _PRIMARIES.items()}.get(color.primaries, UNSPECIFIED)
    transfer = {name: number for number, name in _TRANSFERS.items()}.get(color.transfer, UNSPECIFIED)
    return TagNumbers(space, range_number, primaries, transfer)


def _same_matrix(space: int, matrix: str) -> bool:
    """True when FFmpeg's number stands for the named matrix, exactly or as its nearest."""
    return _MATRIX_OF_SPACE.get(space, _NEAREST_MATRIX.get(space, ("", ""))[0]) == matrix
