"""What is measured on a frame for the eye: the scopes in sight, and what lies over the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.preview_worker.values import OverlayPicture
from vecnet_core.metrics.scales import Clipping, Overlay, Scope

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray, VideoInfo
    from vecnet_core.metrics.scales import ScopeTraces


def traces_of(scopes: tuple[Scope, ...], before: RGBArray, after: RGBArray | None) -> tuple[ScopeTraces, ...]:
    """The scopes of a frame before and after, R'G'B' (H, W, 3)."""
    if not scopes:
        return ()
    # Loads numba, which the window does without.
    from vecnet_core.metrics.scopes import scope_traces

    return tuple(scope_traces(scope, before, after) for scope in scopes)


def overlay_of(kind: Overlay, before: RGBArray, after: RGBArray, info: VideoInfo, gain: float) -> OverlayPicture | None:
    """What lies over a frame before and after, R'G'B' (H, W, 3); a difference is exaggerated by ``gain``."""
    if kind is Overlay.NONE:
        return None
    from vecnet_core.metrics.scopes import clipping_masks, clipping_shares, code_step, difference, false_colour

    if kind is Overlay.FALSE_COLOUR:
        return OverlayPicture(kind, false_colour(before), false_colour(after))
    if kind is Overlay.DIFFERENCE:
        return OverlayPicture(kind, None, difference(before, after, gain))
    codes = clipping_masks(before, after, code_step(info.layout.bit_depth, info.color.range))
    lost = codes * (codes <= Clipping.SOURCE_LOW)
    return OverlayPicture(kind, lost, codes, clipping_shares(codes))
