"""``vecnet doctor``: what this machine has and whether it works."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import av

from vecnet_core.errors import VecnetError
from vecnet_core.video.encode import ENCODERS, HARDWARE
from vecnet_core.video.probe import probe_encoder

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer

PACKAGES = ("vecnet", "torch", "numpy", "numba", "av", "PySide6_Essentials", "pyqtgraph", "superqt")


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Look at each part; what is missing is said and does not stop the rest."""
    findings: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "ffmpeg": ".".join(str(part) for part in av.library_versions["libavcodec"]),
        "encoders": {codec: probe_encoder(encoder) or "ok" for codec, encoder in ENCODERS.items()},
        "hardware": {each.name: probe_encoder(each) or "ok" for encoders in HARDWARE.values() for each in encoders},
        **_network(options.device),
    }
    printer.document(findings)
    printer.text(_describe(findings))


def _version(name: str) -> str:
    """The installed version of a package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _network(device: str) -> dict[str, Any]:
    """The device and the weights, or why there are none."""
    from vecnet_core.correction.corrector import load_corrector
    from vecnet_core.device import choose_device

    found: dict[str, Any] = {}
    try:
        found["device"] = choose_device(device).label
    except VecnetError as error:
        return {"device": error.sentence, "weights": "not tried", "denoiser": "not tried"}
    try:
        corrector = load_corrector(device=device)
        found["weights"] = corrector.model_hash
        found["denoiser"] = corrector.denoiser.model_hash
    except VecnetError as error:
        found.setdefault("weights", error.sentence)
        found.setdefault("denoiser", error.sentence)
    return found


def _describe(findings: dict[str, Any]) -> str:
    """The findings for people."""
    packages = ", ".join(f"{name} {number}" for name, number in findings["packages"].items())
    lines = [
        f"System:    {findings['system']}, Python {findings['python']}",
        f"Packages:  {packages}",
        f"FFmpeg:    libavcodec {findings['ffmpeg']}",
        f"Device:    {findings['device']}",
        f"Weights:   {findings['weights']}",
        f"Denoiser:  {findings['denoiser']}",
    ]
    lines += [f"Encoder:   {codec}: {state}" for codec, state in findings["encoders"].items()]
    lines += [f"Hardware:  {name}: {state}" for name, state in findings["hardware"].items()]
    return "\n".join(lines)
