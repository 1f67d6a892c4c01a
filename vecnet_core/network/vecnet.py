"""VECNet: the paper's figure as one forward(), split into the slow fields of `analyse` and the fast `render`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vecnet_core.network.alignment import AlignedWindow, align_window, luma, relight, warp
from vecnet_core.network.blocks import GatedBlock, clamp_unit, resize
from vecnet_core.network.illumination import IlluminationHead, Stream, brighten, darken, illuminate
from vecnet_core.network.synthesis import (
    AFFINE,
    WEIGHTS,
    CurveHead,
    GridHead,
    apply_curve,
    identity_curve,
    slice_grid,
    synthesise,
)

HISTOGRAM_BINS = 64
CHANNEL_BINS = 24
NEVER = -30.0
"""Fusion logit of a candidate that is switched off."""

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True)
class VECNetConfig:
    """Sizes of the network; the checkpoint carries it.

    Attributes:
        window: Frames seen at once, odd.
        analysis_short_side: Short side in pixels of the frames the network sees, a multiple of 16.
        widths: Channels at 1/4, 1/8 and 1/16 of the analysis size.
        depths: Blocks at those sizes.
        token_channels: Size of the global light token.
        use_alignment: MPA; off, every neighbour is replaced by the centre frame.
        use_dual_stream: DIC with both streams; off, the over-exposure stream sees the frame itself.
        use_synthesis: TSR's third candidate; off, only the two illumination candidates are fused.
        use_token: The global light token; off, only what the streams see decides the exposure.
        use_curve: The third candidate's curves; off, the grid transforms the frame as it is.
        use_grid: The third candidate's affine grid; off, it is the curves alone.
    """

    window: int = 5
    analysis_short_side: int = 128
    widths: tuple[int, int, int] = (32, 64, 128)
    depths: tuple[int, int, int] = (1, 2, 4)
    token_channels: int = 96
    use_alignment: bool = True
    use_dual_stream: bool = True
    use_synthesis: bool = True
    use_token: bool = True
    use_curve: bool = True
    use_grid: bool = True


@dataclass(frozen=True)
class Fields:
    """The compact result of `VECNet.analyse`, all that `VECNet.render` needs.

    Attributes:
        gain_ev: ``(B,)`` stops that bring the centre frame to the window's common light.
        exposure_ev: ``(B,)`` the network's estimate of how far the frame is from well exposed, in stops.
        illumination_under: ``(B, 4, H/8, W/8)`` coefficients of `illuminate`, for the frame.
        illumination_over: ``(B, 4, H/8, W/8)`` likewise, for the inverted frame.
        curve_exponent: ``(B,)``.
        curve_values: ``(B, 3, 16)``.
        grid: ``(B, 15, 8, H/16, W/16)``: 12 affine coefficients, then 3 fusion logits.
        guide: ``(3,)`` channel weights of the grid's guide.
    """

    gain_ev: Tensor
    exposure_ev: Tensor
    illumination_under: Tensor
    illumination_over: Tensor
    curve_exponent: Tensor
    curve_values: Tensor
    grid: Tensor
    guide: Tensor


@dataclass(frozen=True)
class VECNetOutput:
    """A corrected frame and everything it was made from; all ``(B, 3, H, W)`` in [0, 1] unless said.

    Attributes:
        corrected: ``x + sum_k w_k (y_k - x)``.
        relit: ``x``: the centre frame in the common light.
        brightened: Candidate of the under-exposure stream.
        darkened: Candidate of the over-exposure stream.
        synthesised: Third candidate.
        weights: Fusion weights of the three, summing to 1.
        illumination_under: The map ``brightened`` was divided by.
        illumination_over: The map ``darkened`` was divided by.
    """

    corrected: Tensor
    relit: Tensor
    brightened: Tensor
    darkened: Tensor
    synthesised: Tensor
    weights: Tensor
    illumination_under: Tensor
    illumination_over: Tensor


class Stem(nn.Module):
    """One frame ``(B, 3, H, W)`` to reflectance features ``(B, C, H/4, W/4)``."""

    def __init__(self, channels: int) -> None:
        """A 4x4 unshuffle of the frame, its logarithm and its clip mask, then one mixing convolution."""
        super().__init__()
        self.embed = nn.Conv2d(16 * 7, channels, 1)
        self.mix = GatedBlock(channels)

    def forward(self, frame: Tensor) -> Tensor:
        """Encode one frame."""
        log = torch.log2(frame + 1 / 64) / 6 + 1
        clipped = (luma(frame) > 0.97).to(frame.dtype)
        return self.mix(self.embed(F.pixel_unshuffle(torch.cat((frame - 0.5, log - 0.5, clipped), dim=1), 4)))


class LightToken(nn.Module):
    """A frame ``(B, 3, H, W)`` to a token ``(B, K)`` of its light."""

    def __init__(self, channels: int) -> None:
        """A small perceptron over histograms, quantiles, clip fractions and extremes."""
        super().__init__()
        inputs = HISTOGRAM_BINS + 3 * CHANNEL_BINS + 3 * len(QUANTILES) + 6 + 6 + 3 * len(QUANTILES) + 3
        self.perceptron = nn.Sequential(
            nn.Linear(inputs, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels), nn.GELU()
        )

    def forward(self, frame: Tensor) -> Tensor:
        """Measure the frame, then think about it."""
        return self.perceptron(light_statistics(frame))


class SceneToken(nn.Module):
    """What is in the picture joins the light token: a histogram alone cannot tell snow from a blown street."""

    def __init__(self, features: int, channels: int) -> None:
        """Start by adding nothing."""
        super().__init__()
        self.inner = nn.Linear(4 * features, channels)
        self.activation = nn.GELU()
        self.outer = nn.Linear(channels, channels)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, token: Tensor, under: Tensor, over: Tensor) -> Tensor:
        """The light token ``(B, K)`` and both streams' deep features ``(B, C, h, w)`` to a token ``(B, K)``."""
        deep = torch.cat((under, over), dim=1)
        spread = deep.var(dim=(2, 3), correction=0).add(1e-6).sqrt()
        return token + self.outer(self.activation(self.inner(torch.cat((deep.mean((2, 3)), spread), dim=1))))


@torch.no_grad()
def light_statistics(frame: Tensor) -> Tensor:
    """Histogram of log luma, histograms per channel, quantiles, clip fractions and extremes of ``(B, 3, H, W)``.

    All about [0, 1]; quantiles and the upper extreme in stops as well, in which a change of exposure is a shift. The
    extremes, a thousandth of the pixels on either side, are of the frame as it is: a mean of neighbours hides a
    ceiling, which tells a picture that was darkened from one that is dark.
    """
    small = F.avg_pool2d(frame, 2)
    log = (torch.log2(luma(small).flatten(1).clamp(min=2.0**-8)) / 8 + 1) * (HISTOGRAM_BINS - 1)
    parts = [_histogram(log, HISTOGRAM_BINS).sqrt()]
    channels = small.flatten(2)
    parts += [_histogram(channels[:, c] * (CHANNEL_BINS - 1), CHANNEL_BINS).sqrt() for c in range(3)]
    levels = torch.tensor(QUANTILES, dtype=frame.dtype, device=frame.device)
    quantiles = torch.quantile(channels, levels, dim=2)  # (Q, B, 3)
    parts.append(quantiles.permute(1, 0, 2).flatten(1).clamp(min=1e-3).pow(0.5))
    parts += [(channels > 0.98).to(frame.dtype).mean(2), (channels < 0.01).to(frame.dtype).mean(2)]
    pixels = frame.flatten(2)
    few = max(1, pixels.shape[2] // 1000)
    top, bottom = (pixels.topk(few, dim=2, largest=largest).values[..., -1] for largest in (True, False))
    in_stops = torch.cat((quantiles.permute(1, 0, 2).flatten(1), top), dim=1).clamp(min=2.0**-8).log2() / 8 + 1
    parts += [top, bottom, in_stops]
    return torch.cat(parts, dim=1)


def _histogram(position: Tensor, bins: int) -> Tensor:
    """Share of values near each bin, ``(B, P)`` bin positions to ``(B, bins)``; linear, so that it moves smoothly."""
    low = position.floor().clamp(0, bins - 2)
    share = (position - low).clamp(0, 1)
    out = torch.zeros(position.shape[0], bins, dtype=position.dtype, device=position.device)
    out.scatter_add_(1, low.long(), 1 - share)
    out.scatter_add_(1, low.long() + 1, share)
    return out / position.shape[1]


class VECNet(nn.Module):
    """Video exposure correction: MPA, DIC and TSR over a window of frames."""

    def __init__(self, config: VECNetConfig | None = None) -> None:
        """Build the parts; weights come from `vecnet_core.checkpoint`."""
        super().__init__()
        self.config = config = config or VECNetConfig()
        self.stem = Stem(config.widths[0])
        self.fuse = nn.Conv2d(2 * config.widths[0], config.widths[0], 1)
        self.token = LightToken(config.token_channels)
        self.scene = SceneToken(config.widths[2], config.token_channels)
        self.exposure = nn.Linear(config.token_channels, 1)
        self.stream = Stream(config.widths, config.depths, config.token_channels)
        self.illumination = IlluminationHead(config.widths[1])
        self.curve = CurveHead(config.token_channels)
        self.grid = GridHead(config.widths, config.token_channels)

    def reflectance(self, aligned: AlignedWindow) -> Tensor:
        """Features ``(B, C, H/4, W/4)`` of the centre frame, joined with those of the frames aligned to it."""
        batch, count = aligned.frames.shape[:2]
        features = self.stem(aligned.frames.flatten(0, 1))
        warped = warp(features, aligned.flow.flatten(0, 1)).view(batch, count, *features.shape[1:])
        centre = features.view_as(warped)[:, count // 2]
        return self.fuse(torch.cat((centre, (warped * aligned.agreement).sum(1)), dim=1))

    def align(self, window: Tensor) -> AlignedWindow:
        """MPA of ``(B, N, 3, H, W)``; with it switched off, the centre frame alone."""
        if self.config.use_alignment:
            return align_window(window)
        return align_window(window[:, window.shape[1] // 2, None])

    def analyse(self, window: Tensor) -> Fields:
        """The slow step, once a frame.

        Args:
            window: ``(B, N, 3, H, W)`` in [0, 1], R'G'B'; H and W multiples of 16, in time order.

        Returns:
            Coefficients for the centre frame.
        """
        return self.analyse_features(window)[0]

    def analyse_features(self, window: Tensor) -> tuple[Fields, Tensor]:
        """`analyse`, and the reflectance features ``(B, C, H/4, W/4)`` the losses compare."""
        aligned = self.align(window)
        centre = aligned.frames.shape[1] // 2
        frame = aligned.frames[:, centre]
        token = self.token(frame)
        if not self.config.use_token:
            token = torch.zeros_like(token)
        inverse = 1 - aligned.frames if self.config.use_dual_stream else aligned.frames
        both = AlignedWindow(
            torch.cat((aligned.frames, inverse)),
            torch.cat((aligned.flow, aligned.flow)),
            torch.cat((aligned.agreement, aligned.agreement)),
            aligned.gain_ev,
        )
        reflectance = self.reflectance(both)
        features = self.stream(reflectance, torch.cat((token, token)))
        under, over = self.illumination(features.eighth).unflatten(0, (2, -1))
        deep_under, deep_over = features.sixteenth.unflatten(0, (2, -1))
        scene = self.scene(token, deep_under, deep_over)
        exposure = self.exposure(scene).squeeze(1)
        exponent, values = self.curve(scene)
        if not self.config.use_curve:
            exponent, values = torch.ones_like(exponent), identity_curve(values)
        feature = reflectance.unflatten(0, (2, -1))[0]
        grid = self.grid(deep_under, deep_over, feature, scene)
        if not (self.config.use_grid and self.config.use_synthesis):
            affine, logits = grid.split((AFFINE, WEIGHTS), dim=1)
            if not self.config.use_grid:
                affine = torch.zeros_like(affine)
            if not self.config.use_synthesis:
                logits = torch.cat((logits[:, :2], torch.full_like(logits[:, 2:], NEVER)), dim=1)
            grid = torch.cat((affine, logits), dim=1)
        guide = self.grid.guide_weights()
        fields = Fields(aligned.gain_ev[:, centre], exposure, under, over, exponent, values, grid, guide)
        return fields, feature

    def render(self, frame: Tensor, fields: Fields) -> VECNetOutput:
        """The fast step: apply ``fields`` to the centre frame ``(B, 3, H, W)`` at any size."""
        size = (frame.shape[-2], frame.shape[-1])
        x = relight(frame, fields.gain_ev)
        under = illuminate(x, resize(fields.illumination_under, size))
        over = illuminate(1 - x, resize(fields.illumination_over, size))
        brightened, darkened = brighten(x, under), darken(x, over)
        toned = apply_curve(x, fields.curve_exponent, fields.curve_values)
        guide = (toned * fields.guide[:, None, None]).sum(1)
        affine, logits = slice_grid(fields.grid, guide.clamp(0.0, 1.0)).split((AFFINE, WEIGHTS), dim=1)
        synthesised = synthesise(x, toned, affine)
        weights = torch.softmax(logits, dim=1)
        candidates = (brightened, darkened, synthesised)
        corrected = x + sum(
            weight * (candidate - x) for weight, candidate in zip(weights.split(1, dim=1), candidates, strict=True)
        )
        return VECNetOutput(clamp_unit(corrected), x, brightened, darkened, synthesised, weights, under, over)

    def still_features(self, frame: Tensor) -> Tensor:
        """Reflectance features of single frames ``(B, 3, H, W)``, as of a window in which nothing moves or changes."""
        batch, _, height, width = frame.shape
        flow = frame.new_zeros(batch, 1, 2, height // 4, width // 4)
        return self.reflectance(AlignedWindow(frame[:, None], flow, flow[:, :, :1] + 1, flow[:, :, 0, 0, 0]))

    def forward(self, window: Tensor) -> VECNetOutput:
        """Analyse a window ``(B, N, 3, H, W)`` and correct its centre frame at the same size."""
        return self.render(window[:, window.shape[1] // 2], self.analyse(window))
