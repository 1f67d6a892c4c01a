"""How this very program's command line is called: from a checkout, an installation, or a bundle."""

from __future__ import annotations

import sys
from pathlib import Path


def command_line() -> tuple[str, ...]:
    """The words that start ``vecnet``, to which a command and its arguments are added."""
    if is_bundle():
        return (str(_sibling("vecnet")),)
    return (sys.executable, "-m", "vecnet_core.cli")


def studio_line() -> tuple[str, ...]:
    """The words that start the window, to which files are added."""
    if is_bundle():
        return (str(_sibling("vecnet-studio")),)
    return (sys.executable, "-m", "app")


def is_bundle() -> bool:
    """True inside a bundle, which has no Python to call but two programs side by side."""
    return bool(getattr(sys, "frozen", False))


def _sibling(name: str) -> Path:
    """A program of the bundle, next to the running one."""
    here = Path(sys.executable)
    return here.with_name(name + here.suffix)
