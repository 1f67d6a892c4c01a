"""Two-stage synthesis restoration (TSR): a third candidate made from features, then three candidates fused.

Source: arXiv 2402.17296, section 3. Stage 1 joins the reflectance feature with both streams' features; its candidate
is a monotone curve per channel (from whole-frame statistics) followed by a bilateral grid of affine colour transforms
(Gharbi et al., "Deep Bilateral Learning", SIGGRAPH 2017). Stage 2 fuses the candidates with weights that come from
the same grid. Everything here is coefficients: `render` applies them to a frame of any size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vecnet_core.network.blocks import GatedBlock, clamp_unit

KNOTS = 16
GRID_DEPTH = 8
AFFINE = 12
WEIGHTS = 3
NEUTRAL_FROM = 0.95


class CurveHead(nn.Module):
    """The light token to one monotone curve per channel: an exponent and knots over ``x ** exponent``.

    The exponent spreads the knots over the tones the frame really has: at -4 stops all of it lies below 0.13, where
    16 even knots would leave two.
    """

    def __init__(self, token_channels: int) -> None:
        """Start as the identity."""
        super().__init__()
        self.exponent = nn.Linear(token_channels, 1)
        self.steps = nn.Linear(token_channels, 3 * (KNOTS + 1))
        for layer in (self.exponent, self.steps):
            nn.init.normal_(layer.weight, std=1e-3)
            nn.init.zeros_(layer.bias)

    def forward(self, token: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, K)`` to exponents ``(B,)`` in [1/8, 8] and knot values ``(B, 3, KNOTS)``, rising."""
        exponent = torch.exp2(3.0 * torch.tanh(self.exponent(token).squeeze(1)))
        raw = self.steps(token).view(-1, 3, KNOTS + 1)
        rises = F.softplus(raw[..., 2:] + 0.5413) / (KNOTS - 1)
        start = 0.1 * torch.tanh(raw[..., :1])
        scale = torch.exp2(torch.tanh(raw[..., 1:2]))
        values = torch.cumsum(torch.cat((start, rises * scale), dim=-1), dim=-1)
        return exponent, values


def identity_curve(values: Tensor) -> Tensor:
    """Knots like ``values`` ``(B, 3, KNOTS)`` that change nothing at an exponent of 1."""
    return torch.linspace(0, 1, KNOTS, dtype=values.dtype, device=values.device).expand_as(values)


def apply_curve(x: Tensor, exponent: Tensor, values: Tensor) -> Tensor:
    """Run ``x`` ``(B, 3, H, W)`` through `CurveHead`'s curves; linear between knots."""
    t = x.clamp(min=1e-5, max=1.0).pow(exponent[:, None, None, None]) * (KNOTS - 1)
    index = t.detach().floor().clamp(max=KNOTS - 2)
    flat = index.long().flatten(2)
    low = values.gather(2, flat).view_as(t)
    high = values.gather(2, flat + 1).view_as(t)
    return low + (high - low) * (t - index)


class GridHead(nn.Module):
    """Stage 1: both streams and the reflectance feature to a bilateral grid of affine residuals and fusion logits."""

    def __init__(self, widths: tuple[int, int, int], token_channels: int) -> None:
        """Start with the identity transform and equal weights."""
        super().__init__()
        channels = widths[2]
        self.join = nn.Conv2d(2 * channels + 4 * widths[0], channels, 1)
        self.block = GatedBlock(channels, token_channels)
        self.block_out = GatedBlock(channels, token_channels)
        self.head = nn.Conv2d(channels, (AFFINE + WEIGHTS) * GRID_DEPTH, 1)
        nn.init.normal_(self.head.weight, std=1e-3)
        if self.head.bias is not None:
            nn.init.zeros_(self.head.bias)
        self.guide = nn.Parameter(torch.tensor([0.3, 0.6, 0.1]).log())

    def guide_weights(self) -> Tensor:
        """Channel weights ``(3,)`` of the guide, summing to 1."""
        return torch.softmax(self.guide, dim=0)

    def forward(self, under: Tensor, over: Tensor, reflectance: Tensor, token: Tensor) -> Tensor:
        """Features at 1/16 (``reflectance`` at 1/4) to the grid ``(B, 15, D, H/16, W/16)``."""
        # 1/4 -> 1/16: means and spread, so that texture still tells noise from structure.
        mean = F.avg_pool2d(reflectance, 4)
        spread = F.avg_pool2d((reflectance - F.interpolate(mean, scale_factor=4.0)).abs(), 4)
        peak = F.max_pool2d(reflectance, 4)
        trough = -F.max_pool2d(-reflectance, 4)
        h = self.join(torch.cat((under, over, mean, spread, peak, trough), dim=1))
        raw = self.head(self.block_out(self.block(h, token), token))
        return raw.view(raw.shape[0], AFFINE + WEIGHTS, GRID_DEPTH, *raw.shape[-2:])


def slice_grid(grid: Tensor, guide: Tensor) -> Tensor:
    """Trilinear look-up in a bilateral grid.

    Args:
        grid: ``(B, C, D, h, w)``.
        guide: ``(B, H, W)`` in [0, 1].

    Returns:
        ``(B, C, H, W)``.
    """
    batch, height, width = guide.shape
    ys = (2 * torch.arange(height, dtype=guide.dtype, device=guide.device) + 1) / height - 1
    xs = (2 * torch.arange(width, dtype=guide.dtype, device=guide.device) + 1) / width - 1
    grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
    where = torch.stack((grid_x.expand(batch, -1, -1), grid_y.expand(batch, -1, -1), 2 * guide - 1), dim=-1)
    sampled = F.grid_sample(grid, where[:, None], mode="bilinear", padding_mode="border", align_corners=False)
    return sampled[:, :, 0]


def synthesise(x: Tensor, toned: Tensor, sliced: Tensor) -> Tensor:
    """The third candidate: the toned frame plus an affine residual ``(B, 12, H, W)``, clamped to [0, 1].

    Where every channel of the frame ``x`` is clipped, what colour there was is gone, and a guess would show as a tinted
    white: the candidate fades to grey there.
    """
    parts = sliced.split((3, 1) * 3, dim=1)
    rows = [
        (matrix * toned).sum(1, keepdim=True) + shift for matrix, shift in zip(parts[::2], parts[1::2], strict=True)
    ]
    made = clamp_unit(toned + torch.cat(rows, dim=1))
    share = ((x.amin(1, keepdim=True) - NEUTRAL_FROM) / (1 - NEUTRAL_FROM)).clamp(0, 1)
    return made + share * share * (3 - 2 * share) * (made.mean(1, keepdim=True) - made)
