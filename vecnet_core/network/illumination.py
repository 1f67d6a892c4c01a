"""Dual-stream illumination construction (DIC): one stream, shared weights, sees the frame and its inverse.

Source: arXiv 2402.17296, section 3. Each stream gives an illumination map: a smooth luminance with a small bounded
chroma, so that it can be looked at as light (`IlluminationHead`). Dividing by it lifts the light out (`brighten`,
`darken`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vecnet_core.network.blocks import GatedBlock, resize, straight_through

FLOOR = 0.08
"""Lowest illumination: about 8 stops of lift (``2.2 * log2(1 / 0.08)``)."""

CHROMA = 0.12
"""Largest departure of one channel of an illumination map from its luminance."""


@dataclass(frozen=True)
class StreamFeatures:
    """What one stream saw: features at 1/4, 1/8 and 1/16 of the analysis size, ``(B, C, h, w)``."""

    quarter: Tensor
    eighth: Tensor
    sixteenth: Tensor


class Stream(nn.Module):
    """Encoder and decoder over the fused features of a window; used twice with the same weights."""

    def __init__(self, widths: tuple[int, int, int], depths: tuple[int, int, int], token_channels: int) -> None:
        """Widths and numbers of blocks at 1/4, 1/8 and 1/16."""
        super().__init__()
        a, b, c = widths
        self.blocks_quarter = nn.ModuleList(GatedBlock(a, token_channels) for _ in range(depths[0]))
        self.down_eighth = nn.Conv2d(a, b, 2, stride=2)
        self.blocks_eighth = nn.ModuleList(GatedBlock(b, token_channels) for _ in range(depths[1]))
        self.down_sixteenth = nn.Conv2d(b, c, 2, stride=2)
        self.blocks_sixteenth = nn.ModuleList(GatedBlock(c, token_channels) for _ in range(depths[2]))
        self.up_eighth = nn.Conv2d(c, b, 1)
        self.decode_eighth = GatedBlock(b, token_channels)

    def forward(self, fused: Tensor, token: Tensor) -> StreamFeatures:
        """``(B, C, H/4, W/4)`` and the light token ``(B, K)`` to features at three sizes."""
        quarter = fused
        for block in self.blocks_quarter:
            quarter = block(quarter, token)
        eighth = self.down_eighth(quarter)
        for block in self.blocks_eighth:
            eighth = block(eighth, token)
        sixteenth = self.down_sixteenth(eighth)
        for block in self.blocks_sixteenth:
            sixteenth = block(sixteenth, token)
        up = resize(self.up_eighth(sixteenth), (eighth.shape[-2], eighth.shape[-1]))
        return StreamFeatures(quarter, self.decode_eighth(eighth + up, token), sixteenth)


class IlluminationHead(nn.Module):
    """Features at 1/8 to smooth illumination coefficients ``(B, 4, H/8, W/8)``: a colour in [FLOOR, 1] and a slope."""

    def __init__(self, channels: int) -> None:
        """Start near 0.7, well inside the range, so that the stream has a gradient from the first step."""
        super().__init__()
        self.smooth = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.activation = nn.GELU()
        self.head = nn.Conv2d(channels // 2, 5, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        with torch.no_grad():
            bias = torch.tensor([0.75, 0.0, 0.0, 0.0, 0.0])
            if self.head.bias is not None:
                self.head.bias.copy_(bias)

    def forward(self, eighth: Tensor) -> Tensor:
        """Luminance times a colour within `CHROMA` of grey; the slope, in [-1, 1], is `illuminate`'s."""
        raw = self.head(self.activation(self.smooth(eighth)))
        light = FLOOR + (1 - FLOOR) * torch.sigmoid(raw[:, :1])
        chroma = torch.tanh(raw[:, 1:4])
        chroma = chroma - chroma.mean(1, keepdim=True)
        colour = (light * (1 + CHROMA / 2 * chroma)).clamp(0.9 * FLOOR, 1.0)
        return torch.cat((colour, torch.tanh(raw[:, 4:])), dim=1)


def illuminate(x: Tensor, coefficients: Tensor) -> Tensor:
    """The illumination map ``(B, 3, H, W)`` in [0.9 FLOOR, 1] of a stream's input ``x``: a transform of the frame.

    With smooth coefficients alone a map cannot follow an edge, and the darkened candidate needs it to: undoing 1.5
    stops of over-exposure asks for 0.23 where the frame is at 0.9 and for 0.91 where it is at 0.2. Nor can it follow
    the luma alone: in a red cup one channel is at 0.9 and another at 0.2. So each channel has its own rise.

    Args:
        x: ``(B, 3, H, W)`` in [0, 1].
        coefficients: ``(B, 4, H, W)`` of `IlluminationHead`, brought to the size of ``x``.
    """
    colour, slope = coefficients.split((3, 1), dim=1)
    raw = colour + slope * (x - 0.5)
    return straight_through(raw.clamp(0.9 * FLOOR, 1.0), raw)


def brighten(x: Tensor, illumination: Tensor) -> Tensor:
    """Retinex division: ``x / max(L, x)``, in [x, 1]; the gradient is that of a soft maximum."""
    safe = x.clamp(min=1e-4)
    hard = torch.maximum(illumination, safe)
    soft = 0.5 * (illumination + safe + ((illumination - safe).square() + 0.03**2).sqrt())
    return straight_through(x / hard, x / soft)


def darken(x: Tensor, illumination: Tensor) -> Tensor:
    """The same division on the inverse: ``1 - (1 - x) / max(L, 1 - x)``, in [0, x]."""
    return 1 - brighten(1 - x, illumination)
