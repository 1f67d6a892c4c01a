"""``vecnet studio``: starts the window as a program of its own, without importing it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from vecnet_core.command import studio_line
from vecnet_core.errors import InputError

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer


def run(options: argparse.Namespace, printer: Printer) -> int:
    """Wait for the window to be closed; its exit code is ours."""
    try:
        code = subprocess.call([*studio_line(), *options.files])
    except OSError as error:
        raise InputError(
            f"the window cannot be started ({error.strerror})", path=studio_line()[0], hint="install VECNet again"
        ) from error
    printer.event({"event": "done", "files": options.files, "exit_code": code})
    return code
