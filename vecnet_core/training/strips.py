"""Pictures of what a network in training does: for each unseen frame what went in, what it made, and the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from vecnet_core.data.synthesis import draw_batch
from vecnet_core.training.trainer import windows

if TYPE_CHECKING:
    from pathlib import Path

    from vecnet_core.data.clips import PackedScenes
    from vecnet_core.network.vecnet import VECNet
    from vecnet_core.training.config import TrainingConfig

STRIP_SEED = 2_000_000
ROWS = 8
SIDE_PX = 128


@torch.no_grad()
def write_strip(path: Path, network: VECNet, scenes: PackedScenes, config: TrainingConfig) -> None:
    """Save a JPEG: input, both illuminations, the three candidates, the result and the reference, left to right.

    The frames are the same at every call, so that the strips of a run can be leafed through.
    """
    device = next(network.parameters()).device
    rows: list[torch.Tensor] = []
    number = 0
    while len(rows) < ROWS:
        batch = draw_batch(scenes, config.synthesis, STRIP_SEED, number)
        window, good, _ = windows(batch, config.network.window, device)
        output = network(window)
        columns = (
            window[:, window.shape[1] // 2],
            output.illumination_under,
            output.illumination_over,
            output.brightened,
            output.darkened,
            output.synthesised,
            output.corrected,
            good,
        )
        square = [torch.nn.functional.interpolate(column, (SIDE_PX, SIDE_PX), mode="area") for column in columns]
        rows += torch.cat(square, dim=3).unbind()[: ROWS - len(rows)]
        number += 1
    picture = torch.cat(rows, dim=1).clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((picture * 255 + 0.5).astype(np.uint8)).save(path, quality=88)
