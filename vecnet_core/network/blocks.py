"""The small parts every stage is built from: layer norm over channels, the gated convolution block, resampling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of ``(B, C, H, W)``, each pixel on its own.

    Group norm would mix in whole-frame statistics, which a blown window or a black border moves.
    """

    def __init__(self, channels: int) -> None:
        """Start as the plain normalisation."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; shape unchanged."""
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        variance = centred.square().mean(1, keepdim=True)
        scale = torch.rsqrt(variance + 1e-6)
        return centred * scale * self.weight[:, None, None] + self.bias[:, None, None]


class GatedBlock(nn.Module):
    """Residual block with gates in place of activations (NAFNet, Chen et al., ECCV 2022), conditioned by FiLM."""

    def __init__(self, channels: int, token_channels: int = 0) -> None:
        """Start as the identity: both residual scales are zero."""
        super().__init__()
        self.norm_mix = ChannelNorm(channels)
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.depthwise = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.attend = nn.Conv2d(channels, channels, 1)
        self.project = nn.Conv2d(channels, channels, 1)
        self.norm_feed = ChannelNorm(channels)
        self.feed_in = nn.Conv2d(channels, 2 * channels, 1)
        self.feed_out = nn.Conv2d(channels, channels, 1)
        self.scale_mix = nn.Parameter(torch.full((channels, 1, 1), 0.1))
        self.scale_feed = nn.Parameter(torch.full((channels, 1, 1), 0.1))
        self.film = nn.Linear(token_channels, 2 * channels) if token_channels else None
        if self.film is not None:
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, token: Tensor | None = None) -> Tensor:
        """``(B, C, H, W)`` and the light token ``(B, K)`` to ``(B, C, H, W)``."""
        h = self.norm_mix(x)
        if self.film is not None and token is not None:
            scale, shift = self.film(token)[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        a, b = self.depthwise(self.expand(h)).chunk(2, dim=1)
        h = a * b
        h = self.project(h * self.attend(h.mean((2, 3), keepdim=True)))
        x = x + self.scale_mix * h
        a, b = self.feed_in(self.norm_feed(x)).chunk(2, dim=1)
        return x + self.scale_feed * self.feed_out(a * b)


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear resampling of ``(B, C, H, W)`` with pixel centres at half-integers."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def straight_through(value: Tensor, gradient_of: Tensor) -> Tensor:
    """``value`` forward, the gradient of ``gradient_of`` backward."""
    return gradient_of + (value - gradient_of).detach()


def clamp_unit(x: Tensor) -> Tensor:
    """Clamp to [0, 1] forward, identity backward: a value that overshot can come back."""
    return straight_through(x.clamp(0.0, 1.0), x)
