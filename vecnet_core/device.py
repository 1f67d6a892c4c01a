"""Which device computes: chosen once, named where the user looks."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vecnet_core.errors import DeviceError

if TYPE_CHECKING:
    import torch

_WISH = re.compile(r"auto|cpu|mps|cuda(?::(?P<number>[0-9]+))?")


@dataclass(frozen=True)
class Device:
    """A compute device.

    Attributes:
        name: torch's name, such as ``cuda:0``.
        label: What to show, such as ``CPU (2 cores)`` or ``CUDA: NVIDIA H200``.
    """

    name: str
    label: str

    @property
    def is_gpu(self) -> bool:
        """True where the detail head costs next to nothing."""
        return self.name != "cpu"

    def torch(self) -> torch.device:
        """Torch's own object."""
        import torch

        return torch.device(self.name)


def share_cores() -> None:
    """Let torch's waiting threads sleep; call it at the start of a program, before torch is loaded.

    Threads that spin while they wait took 867 instead of 131 CPU ms a frame (720p, 2 busy cores, 2026-11).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def choose_device(wish: str = "auto") -> Device:
    """Pick a device; ``auto`` takes CUDA, then MPS, then the CPU. Loads torch.

    Raises:
        DeviceError: The wish is unknown or not there.
    """
    import torch

    asked = _WISH.fullmatch(wish)
    if asked is None:
        raise DeviceError(f"unknown device {wish!r}", hint="choose auto, cpu, mps, cuda or a numbered one like cuda:1")
    kind, number = wish.partition(":")[0], int(asked["number"] or 0)
    if kind in {"auto", "cuda"} and torch.cuda.is_available():
        count = torch.cuda.device_count()
        if number >= count:
            raise DeviceError(f"there is no {wish}", hint=f"choose a number below {count}")
        return Device(f"cuda:{number}", f"CUDA: {torch.cuda.get_device_name(number)}")
    if kind in {"auto", "mps"} and torch.backends.mps.is_available():
        return Device("mps", "MPS: Apple GPU")
    if kind in {"cuda", "mps"}:
        raise DeviceError(f"{kind.upper()} is not available on this machine", hint="choose the device cpu or auto")
    name = platform.processor() or platform.machine()
    return Device("cpu", f"CPU: {os.cpu_count()} cores, {name}" if name else f"CPU: {os.cpu_count()} cores")
