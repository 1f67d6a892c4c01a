"""The detail head: a light multi-frame residual at full size that removes the noise which brightening reveals.

It sees three corrected frames and the source's luma, and nothing of the whole frame: a part of a picture gives the same
result as the picture, so that it can run in tiles. Pixels are folded four by four into channels first (Shi et al.,
"Real-Time Single Image and Video Super-Resolution", CVPR 2016; FFDNet, Zhang et al., TIP 2018), which makes one layer
see as far as four and brings moving neighbours into reach without aligning them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vecnet_core.network.alignment import luma

FOLD = 4


@dataclass(frozen=True)
class DetailConfig:
    """Sizes of the head.

    Attributes:
        channels: Of every layer.
        blocks: Residual blocks of two layers.
    """

    channels: int = 64
    blocks: int = 3

    @property
    def reach_px(self) -> int:
        """How far a pixel of the result sees, a multiple of `FOLD`."""
        return FOLD * (2 * self.blocks + 2)


class DetailHead(nn.Module):
    """Three corrected frames and the source to the middle frame's noise."""

    def __init__(self, config: DetailConfig | None = None) -> None:
        """Start by removing nothing."""
        super().__init__()
        self.config = config = config or DetailConfig()
        folded = FOLD * FOLD
        self.enter = nn.Conv2d((3 * 3 + 1) * folded, config.channels, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(config.channels, config.channels, 3, padding=1),
                nn.GELU(),
                nn.Conv2d(config.channels, config.channels, 3, padding=1),
            )
            for _ in range(config.blocks)
        )
        self.leave = nn.Conv2d(config.channels, 3 * folded, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        if self.leave.bias is not None:
            nn.init.zeros_(self.leave.bias)

    def forward(self, corrected: Tensor, source: Tensor) -> Tensor:
        """What to add to the middle frame.

        Args:
            corrected: ``(B, 3, 3, H, W)`` in [0, 1]: the frame before, the frame itself and the one after, R'G'B',
                H and W multiples of `FOLD`.
            source: ``(B, 3, H, W)`` in [0, 1]: the middle frame as it was recorded, which tells how far it was lifted.

        Returns:
            ``(B, 3, H, W)``.
        """
        middle = corrected[:, 1]
        around = (corrected - middle[:, None])[:, ::2].flatten(1, 2)
        seen = torch.cat((middle - 0.5, around, luma(source) - 0.5), dim=1)
        h = self.enter(F.pixel_unshuffle(seen, FOLD))
        for block in self.blocks:
            h = h + block(h)
        return F.pixel_shuffle(self.leave(h), FOLD)
