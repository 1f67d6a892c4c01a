"""Weights, network sizes and provenance in one safetensors file, which loads without executing code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from vecnet_core.errors import CheckpointError
from vecnet_core.network.detail import DetailConfig, DetailHead
from vecnet_core.network.vecnet import VECNet, VECNetConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

Network = TypeVar("Network", VECNet, DetailHead)

FORMAT, DETAIL_FORMAT = "vecnet-1", "vecnet-detail-1"


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and where it came from.

    Attributes:
        network: In evaluation mode, on the CPU.
        model_hash: First 16 hex digits of the SHA-256 of the file; names the weights in caches.
        provenance: Step, training config, data list, validation figures and commit, as stored.
    """

    network: VECNet
    model_hash: str
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DetailCheckpoint:
    """A trained detail head and where it came from; see `Checkpoint`."""

    head: DetailHead
    model_hash: str
    provenance: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, network: VECNet | DetailHead, provenance: dict[str, Any]) -> None:
    """Write ``network`` and its provenance; the file appears whole or not at all."""
    metadata = {
        "format": FORMAT if isinstance(network, VECNet) else DETAIL_FORMAT,
        "config": json.dumps(asdict(network.config)),
        "provenance": json.dumps(provenance),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_tensors(path, tensors, metadata)


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file under a temporary name, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    save_file(tensors, str(part), metadata=metadata)
    part.replace(path)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    try:
        if not path.is_file():
            raise CheckpointError("these weights do not exist", path=path, hint="reinstall, or give another checkpoint")
        with safe_open(str(path), framework="pt", device="cpu") as file:
            metadata = dict(file.metadata() or {})
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118 - not a dict
    except OSError as error:
        raise CheckpointError(
            f"these weights cannot be read ({error.strerror or error})",
            path=path,
            hint="check the name and permissions",
        ) from error
    except (SafetensorError, ValueError) as error:
        raise CheckpointError("this is not a readable safetensors file", path=path) from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Read weights written by `save_checkpoint`.

    Raises:
        CheckpointError: The file is missing, damaged, or holds another network.
    """
    network, provenance = _load(path, FORMAT, lambda values: VECNet(read_config(values)))
    return Checkpoint(network, _hash(path), provenance)


def load_detail(path: Path) -> DetailCheckpoint:
    """A detail head from a file written by `save_checkpoint`.

    Raises:
        CheckpointError: The file is missing, damaged, or holds something else.
    """
    head, provenance = _load(path, DETAIL_FORMAT, lambda values: DetailHead(read_detail_config(values)))
    return DetailCheckpoint(head, _hash(path), provenance)


def _load(path: Path, wanted: str, build: Callable[[dict[str, Any]], Network]) -> tuple[Network, dict[str, Any]]:
    """A network of one format, ready to be used, and its provenance; ``build`` makes it from its stored sizes."""
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != wanted:
        found = metadata.get("format", "none")
        raise CheckpointError(f"these are not weights of this VECNet (format {found}, wanted {wanted})", path=path)
    try:
        network = build(json.loads(metadata["config"]))
        provenance = json.loads(metadata.get("provenance", "{}"))
        network.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError("the weights do not fit the network they describe", path=path) from error
    network.eval()
    network.requires_grad_(requires_grad=False)
    return network, provenance


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def read_config(values: dict[str, Any]) -> VECNetConfig:
    """A network's sizes from plain JSON values; anything implausible is refused before memory is taken for it."""
    known = {entry.name for entry in fields(VECNetConfig)}
    if set(values) - known:
        raise ValueError(f"unknown network settings {sorted(set(values) - known)}")
    plain: dict[str, Any] = {name: tuple(value) if type(value) is list else value for name, value in values.items()}
    config = VECNetConfig(**plain)
    sizes = (config.window, config.analysis_short_side, *config.widths, *config.depths, config.token_channels)
    if any(type(size) is not int or not 1 <= size <= 1024 for size in sizes) or config.window % 2 == 0:
        raise ValueError(f"implausible network sizes {sizes}")
    return config


def read_detail_config(values: dict[str, Any]) -> DetailConfig:
    """A detail head's sizes from plain JSON values; see `read_config`."""
    config = DetailConfig(**values)
    if any(type(size) is not int or not 1 <= size <= 256 for size in (config.channels, config.blocks)):
        raise ValueError(f"implausible sizes {config}")
    return config
