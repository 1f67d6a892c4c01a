"""Pictures of what a network in training does: for each unseen frame what went in, what it made, and the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from vecnet_core.data.clips import PackedScenes
    from vecnet_core.training.tasks import Task

ROWS = 8
SIDE_PX = 128


def write_strip(path: Path, task: Task[Any, Any], network: nn.Module, scenes: PackedScenes) -> None:
    """Save a JPEG of ``task.columns``; its frames are the same at every call, so that a run's can be leafed through."""
    rows: list[torch.Tensor] = []
    number = 0
    while len(rows) < ROWS:
        columns = task.columns(network, scenes, number)
        square = [torch.nn.functional.interpolate(column, (SIDE_PX, SIDE_PX), mode="area") for column in columns]
        rows += torch.cat(square, dim=3).unbind()[: ROWS - len(rows)]
        number += 1
    picture = torch.cat(rows, dim=1).clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((picture * 255 + 0.5).astype(np.uint8)).save(path, quality=88)
