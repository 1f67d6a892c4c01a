"""Removes the noise that brightening reveals: the detail head over three corrected frames, in seamless tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vecnet_core.network.detail import FOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vecnet_core.checkpoint import DetailCheckpoint
    from vecnet_core.frame import RGBArray

TILE_PX = 480
"""Side of a tile without what it sees around it: memory does not grow with the frame."""


class Denoiser:
    """Owns the detail head on one device.

    Attributes:
        model_hash: Names the weights.
    """

    def __init__(self, checkpoint: DetailCheckpoint, device: torch.device, tile_px: int = TILE_PX) -> None:
        """Move the head to the device; ``tile_px`` is a multiple of `network.detail.FOLD`."""
        self.model_hash = checkpoint.model_hash
        self._device = device
        self._head = checkpoint.head.to(device)
        self._tile_px = tile_px

    @property
    def reach_px(self) -> int:
        """How far a pixel of the result sees."""
        return self._head.config.reach_px

    def clean(self, corrected: Sequence[RGBArray], source: RGBArray, strength: float) -> RGBArray:
        """The middle one of three corrected frames without its noise.

        Args:
            corrected: The frame before, the frame itself and the one after, each ``(H, W, 3)`` float32 in [0, 1]; the
                frame itself again where there is none.
            source: The middle frame as it was recorded.
            strength: Share of the noise that is taken away, 0 to 1.

        Returns:
            ``(H, W, 3)`` float32 in [0, 1]: the same whatever the size of a tile.
        """
        height, width = source.shape[:2]
        # Folded pixels are whole: edges are repeated at the right and below, and cut off again.
        edges = ((0, -height % FOLD), (0, -width % FOLD), (0, 0))
        frames = [np.pad(frame, edges, mode="edge") for frame in corrected]
        recorded = np.pad(source, edges, mode="edge")
        out = corrected[1].copy()
        reach, side = self._head.config.reach_px, self._tile_px
        for top in range(0, height, side):
            for left in range(0, width, side):
                rows = slice(max(top - reach, 0), min(top + side + reach, recorded.shape[0]))
                columns = slice(max(left - reach, 0), min(left + side + reach, recorded.shape[1]))
                residual = self._residual([frame[rows, columns] for frame in frames], recorded[rows, columns])
                bottom, right = min(top + side, height), min(left + side, width)
                inner = residual[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start]
                out[top:bottom, left:right] += np.float32(strength) * inner
        return np.clip(out, 0.0, 1.0, out=out)

    def _residual(self, frames: list[RGBArray], source: RGBArray) -> RGBArray:
        stack = torch.from_numpy(np.stack([*frames, source])).to(self._device).permute(0, 3, 1, 2).contiguous()
        with torch.inference_mode():
            residual = self._head(stack[None, :3], stack[None, 3])[0]
        return residual.permute(1, 2, 0).cpu().numpy()
