"""The training losses by name, each a mean, and what they are joined with."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from vecnet_core.network.alignment import DISPLAY_GAMMA, border_taper, luma

if TYPE_CHECKING:
    from vecnet_core.network.vecnet import Fields, VECNetOutput


CLIPPED_FROM = 0.98
CLIPPED_WEIGHT = 0.4
"""Weight of a pixel that is clipped in every channel: what it was can only be guessed, and the guess that errs least is
a grey that nobody wants to see."""


@dataclass(frozen=True)
class LossWeights:
    """Factor of every term; 0 switches a term off.

    Attributes:
        reconstruction: Charbonnier distance of the corrected frame.
        structure: 1 - SSIM of the corrected frame.
        fidelity: Logarithm of a frame's mean squared error, which is its PSNR: an exposure that is off weighs more in
            it than in the reconstruction, and a frame that is nearly right more than one that is lost.
        candidates: Each candidate where it can be right: brightened where too dark, darkened where too bright.
        reflectance: Features of the bad and of the good frame should agree (arXiv 2402.17296).
        amplitude: Log Fourier amplitude at low frequencies (arXiv 2402.17296).
        smoothness: Total variation of illumination maps and grid coefficients.
        exposure: The exposure estimate of the light token.
        steadiness: Light from frame to frame should change as in the reference, over a 4 by 4 grid.
        invariance: The same scene under another flicker and noise should give the same answer (noise robustness).
        bias: Mean colour of the whole frame, which per-pixel distances weigh too little.
    """

    reconstruction: float = 1.0
    structure: float = 0.5
    fidelity: float = 0.02
    candidates: float = 0.25
    reflectance: float = 0.05
    amplitude: float = 0.01
    smoothness: float = 0.06
    exposure: float = 0.1
    steadiness: float = 0.05
    invariance: float = 0.3
    bias: float = 0.3


def charbonnier(a: Tensor, b: Tensor) -> Tensor:
    """Smooth absolute distance per value (epsilon 0.003)."""
    return ((a - b).square() + 1e-5).sqrt()


def ssim(a: Tensor, b: Tensor, side: int = 8) -> Tensor:
    """Mean structural similarity of ``(B, 3, H, W)`` in [0, 1] with box windows (Wang et al., 2004).

    Windows overlap by half: as good a teacher as one window a pixel, at a tenth of the time.
    """

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, side, stride=side // 2)

    mean_a, mean_b = mean(a), mean(b)
    variance = mean(a * a) - mean_a.square() + mean(b * b) - mean_b.square()
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return (value / ((mean_a.square() + mean_b.square() + c1) * (variance + c2))).mean()


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``value`` ``(B, 3, H, W)`` where ``mask`` ``(B, 1 or 3, H, W)``.

    Over a twentieth of the batch at least, so that a few pixels do not weigh like many.
    """
    mask = mask.expand_as(value)
    return (value * mask).sum() / mask.sum().clamp(min=0.05 * mask.numel())


def candidate_loss(output: VECNetOutput, good: Tensor, known: Tensor) -> Tensor:
    """Each candidate held to the reference where it can reach it; ``known`` is `all_losses`'s."""
    x = output.relit
    open_pixels = (luma(x) < 0.97).to(x.dtype)
    error = good - x
    dark = (error > 0.01).to(x.dtype) * open_pixels
    bright = (error < -0.01).to(x.dtype) * open_pixels
    return (
        masked_mean(charbonnier(output.brightened, good), dark)
        + masked_mean(charbonnier(output.darkened, good), bright)
        + (known * charbonnier(output.synthesised, good)).mean()
    )


def reflectance_loss(bad: Tensor, good: Tensor, x: Tensor) -> Tensor:
    """``1 - cos`` of the reflectance features ``(B, C, h, w)`` of bad and good frames, clipped places left out."""
    similarity = F.cosine_similarity(bad - bad.mean(1, keepdim=True), good - good.mean(1, keepdim=True), dim=1)
    light = F.avg_pool2d(luma(x), 4).squeeze(1)
    mask = ((light > 0.02) & (light < 0.95)).to(similarity.dtype)
    return ((1 - similarity) * mask).mean()


def amplitude_loss(a: Tensor, b: Tensor, radius: int = 12) -> Tensor:
    """L1 of log amplitude of luma below ``radius`` cycles a frame, without its mean."""
    planes = torch.cat((luma(a), luma(b)), dim=1)
    height, width = planes.shape[-2:]
    taper = border_taper(height, planes)[:, None] * border_taper(width, planes)
    planes = (planes - planes.mean((-2, -1), keepdim=True)) * taper
    spectrum = torch.fft.rfft2(planes, norm="ortho")
    # The absolute value of a zero has no direction: a small constant keeps its gradient finite.
    log = torch.log((spectrum.real.square() + spectrum.imag.square() + 1e-4).sqrt())
    low = torch.cat((log[..., : radius + 1, : radius + 1], log[..., -radius:, : radius + 1]), dim=-2)
    return (low[:, 0] - low[:, 1]).abs().mean()


def total_variation(x: Tensor) -> Tensor:
    """Mean absolute difference of neighbours along the last two dimensions."""
    return x.diff(dim=-1).abs().mean() + x.diff(dim=-2).abs().mean()


def smoothness_loss(fields_: Fields) -> Tensor:
    """Total variation of the coefficients, not of the picture they make."""
    grid = fields_.grid
    depth = grid.diff(dim=2).abs().mean()
    lights = total_variation(fields_.illumination_under) + total_variation(fields_.illumination_over)
    return total_variation(grid) + 0.5 * depth + 0.1 * lights


def log_light(frames: Tensor, cells: int) -> Tensor:
    """Stops of light ``(B, 1, cells, cells)`` of frames ``(B, 3, H, W)``."""
    return DISPLAY_GAMMA * torch.log2(F.adaptive_avg_pool2d(luma(frames), cells).clamp(min=0.01))


def all_losses(
    output: VECNetOutput,
    fields_: Fields,
    good: Tensor,
    *,
    features_bad: Tensor,
    features_good: Tensor,
    windows_a_sequence: int,
    is_pair: bool,
) -> dict[str, Tensor]:
    """Every term by the name it has in `LossWeights`, unweighted.

    Args:
        output: Of a batch whose rows are sequences times consecutive windows, windows innermost.
        fields_: What it was made from.
        good: References ``(B, 3, H, W)``.
        features_bad: Reflectance features of the bad window.
        features_good: Reflectance features of the reference, no gradient.
        windows_a_sequence: How many consecutive rows belong to one sequence.
        is_pair: The second half of the batch shows the first half under another flicker.
    """
    out = output.corrected
    known = 1 - (1 - CLIPPED_WEIGHT) * (output.relit.amin(1, keepdim=True) > CLIPPED_FROM).to(out.dtype)
    half = out.shape[0] // 2
    grid_out = log_light(out, 4).unflatten(0, (-1, windows_a_sequence))
    grid_good = log_light(good, 4).unflatten(0, (-1, windows_a_sequence))
    needed = log_light(good, 1).flatten() - log_light(output.relit, 1).flatten()
    zero = out.new_zeros(())
    return {
        "reconstruction": (known * charbonnier(out, good)).mean(),
        "structure": 1 - ssim(out, good),
        "fidelity": ((known * (out - good).square()).mean((1, 2, 3)) + 1e-3).log().mean(),
        "candidates": candidate_loss(output, good, known),
        "reflectance": reflectance_loss(features_bad, features_good, output.relit),
        "amplitude": amplitude_loss(out, good),
        "smoothness": smoothness_loss(fields_),
        "exposure": charbonnier(fields_.exposure_ev, needed).mean(),
        "steadiness": (grid_out.diff(dim=1) - grid_good.diff(dim=1)).abs().mean() if windows_a_sequence > 1 else zero,
        "invariance": charbonnier(out[:half], out[half:]).mean() if is_pair else zero,
        "bias": (out.mean((2, 3)) - good.mean((2, 3))).abs().mean(),
    }


def weighted_sum(terms: dict[str, Tensor], weights: LossWeights) -> Tensor:
    """The training objective."""
    total = next(iter(terms.values())).new_zeros(())
    for field in fields(weights):
        factor = float(getattr(weights, field.name))
        if factor:
            total = total + factor * terms[field.name]
    return total
