"""How noisy a frame is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from vecnet_core.metrics.exposure import LUMA_WEIGHTS

if TYPE_CHECKING:
    from vecnet_core.frame import RGBArray

BLOCK_PX = 16


def noise_deviation(rgb: RGBArray) -> float:
    """Standard deviation of the noise in the luma of a frame ``(H, W, 3)``, in code values of [0, 1].

    What a mask that cancels flat areas and straight edges leaves (Immerkaer, "Fast Noise Variance Estimation", CVIU
    1996), in the quietest quarter of small blocks: texture is no noise.
    """
    luma = rgb @ np.array(LUMA_WEIGHTS, np.float32)
    across = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    left = np.abs(across[:-2] - 2 * across[1:-1] + across[2:])
    rows, columns = (size // BLOCK_PX * BLOCK_PX for size in left.shape)
    if not rows or not columns:
        return math.sqrt(math.pi / 2) / 6 * float(left.mean()) if left.size else 0.0
    blocks = left[:rows, :columns].reshape(rows // BLOCK_PX, BLOCK_PX, columns // BLOCK_PX, BLOCK_PX).mean((1, 3))
    blocks = blocks[blocks > 0]  # black bars and clipped skies have none, and say nothing of the rest
    return math.sqrt(math.pi / 2) / 6 * float(np.quantile(blocks, 0.25)) if blocks.size else 0.0
