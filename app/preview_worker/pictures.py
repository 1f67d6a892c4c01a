"""The answer to a request for a frame: its pictures, a part of them at full size, single pixels, what is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.map_pictures import MapKind, MapPicture, draw_map
from app.preview_worker.instruments import overlay_of, traces_of
from app.preview_worker.values import Detail, PinReading, PreviewResult
from app.qimage import to_bgra, turned
from vecnet_core.frame import Part

if TYPE_CHECKING:
    from app.preview_worker.values import Color, Pixel, PreviewRequest
    from app.qimage import BGRAArray
    from app.session import ClipSession
    from vecnet_core.frame import ColorTags, RGBArray


def original_of(session: ClipSession, request: PreviewRequest) -> PreviewResult:
    """A frame as it is, for the time until it is corrected."""
    info = session.info
    original = turned(session.original(request.index, request.size), info.rotation_degrees)
    return PreviewResult(
        request,
        original,
        for_screen(original, info.color),
        traces=traces_of(request.scopes, original, None),
        detail=detail_of(session, request, is_corrected=False),
        pins=readings_of(session, request, is_corrected=False),
    )


def corrected_of(session: ClipSession, request: PreviewRequest) -> PreviewResult:
    """A frame before and after, and all that is asked to be seen of it."""
    info = session.info
    degrees = info.rotation_degrees
    picture = session.render(request.index, request.settings, request.size)
    original, corrected = turned(picture.original, degrees), turned(picture.corrected, degrees)
    drawn = None
    if request.map_kind is not MapKind.RESULT:
        maps = session.maps(request.index, request.settings, request.size)
        drawn = turned_map(draw_map(maps, request.map_kind), degrees)
    return PreviewResult(
        request,
        original,
        for_screen(original, info.color),
        corrected,
        for_screen(corrected, info.color),
        drawn,
        traces_of(request.scopes, original, corrected),
        overlay_of(request.overlay, original, corrected, info, request.difference_gain),
        detail_of(session, request, is_corrected=True),
        readings_of(session, request, is_corrected=True),
    )


def is_remapped(color: ColorTags) -> bool:
    """True for pictures whose colours are others on the screen than in the file: HDR in BT.2020."""
    return color.is_hdr and color.primaries == "bt2020"


def for_screen(rgb: RGBArray, color: ColorTags) -> BGRAArray:
    """The bytes of a picture R'G'B' (H, W, 3) on a BT.709 screen."""
    if not is_remapped(color):
        return to_bgra(rgb)
    # Loads numba, which the window does without.
    from vecnet_core.video.color import to_bt709

    return to_bgra(to_bt709(rgb))


def turned_map(drawn: MapPicture, degrees: int) -> MapPicture:
    """A map rotated for display."""
    return MapPicture(drawn.kind, turned(drawn.bgra, degrees), turned(drawn.values, degrees))


def detail_of(session: ClipSession, request: PreviewRequest, *, is_corrected: bool) -> Detail | None:
    """The part a request looks at; without the correction where the network has not answered."""
    info = session.info
    if request.part is None:
        return None
    # A request may have been made while another clip, of another size, was at hand.
    part = request.part.within(info.height, info.width)
    if part.height < 1 or part.width < 1:
        return None
    degrees = info.rotation_degrees
    if not is_corrected:
        original = turned(session.original(request.index, None, part), degrees)
        return Detail(part, original, for_screen(original, info.color))
    picture = session.render(request.index, request.settings, None, part)
    original, corrected = turned(picture.original, degrees), turned(picture.corrected, degrees)
    drawn = None
    if request.map_kind is not MapKind.RESULT:
        drawn = turned_map(
            draw_map(session.maps(request.index, request.settings, None, part), request.map_kind), degrees
        )
    return Detail(
        part,
        original,
        for_screen(original, info.color),
        corrected,
        for_screen(corrected, info.color),
        drawn,
        overlay_of(request.overlay, original, corrected, info, request.difference_gain),
    )


def readings_of(session: ClipSession, request: PreviewRequest, *, is_corrected: bool) -> dict[Pixel, PinReading]:
    """The pinned pixels of a frame as decoded and as exported, whatever size the preview has."""
    info = session.info
    readings: dict[Pixel, PinReading] = {}
    for row, column in request.pins:
        if not (0 <= row < info.height and 0 <= column < info.width):
            continue
        part = Part(row, column, 1, 1)
        if is_corrected:
            picture = session.render(request.index, request.settings, None, part)
            readings[row, column] = PinReading(_color(picture.original), _color(picture.corrected))
        else:
            readings[row, column] = PinReading(_color(session.original(request.index, None, part)), None)
    return readings


def _color(picture: RGBArray) -> Color:
    red, green, blue = (float(value) for value in picture[0, 0])
    return red, green, blue
