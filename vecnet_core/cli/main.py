"""Runs one command and turns how it ended into an exit code and at most one sentence."""

from __future__ import annotations

import logging
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vecnet_core.cli.parser import make_parser
from vecnet_core.cli.printing import Printer
from vecnet_core.device import share_cores
from vecnet_core.errors import InputError, VecnetError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from types import FrameType

log = logging.getLogger(__name__)

SUCCESS, FAILURE, REFUSED, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; `sys.argv` when left out.

    Returns:
        0 for success, 2 for an error with a sentence, 130 when interrupted, 1 for what should not happen.
    """
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s")
    options = make_parser().parse_args(arguments)
    share_cores()
    before = signal.signal(signal.SIGTERM, _interrupt)
    printer = Printer(options.json)
    try:
        printer.spare(_named_paths(options))
        # Only the module of the command that runs is loaded, so that `--help` needs neither torch nor FFmpeg.
        command = import_module(f"vecnet_core.cli.{options.module}")
        code = command.run(options, printer)
        printer.close()
    except VecnetError as error:
        return _refuse(printer, error.sentence)
    except KeyboardInterrupt as interrupt:
        return _interrupted(printer, str(interrupt) or "Interrupted; nothing unfinished was left behind.")
    except BrokenPipeError:
        # Whoever read the output has gone; without this Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except OSError as error:  # the one place for a path that cannot even be looked at: a locked folder, too long a name
        path = error.filename if isinstance(error.filename, str) else None
        hint = "check the name, its folder and the permissions"
        return _refuse(
            printer, InputError(f"this cannot be used ({error.strerror or error})", path=path, hint=hint).sentence
        )
    except Exception as error:  # the edge of the program: never a bare traceback
        log.debug("unexpected error", exc_info=True)
        text = f"an unexpected error stopped the command ({type(error).__name__}: {error})"
        _refuse(printer, text.replace("\n", " ") + "; please report it with the command that you typed.")
        return FAILURE
    finally:
        signal.signal(signal.SIGTERM, before)
    return SUCCESS if code is None else int(code)


def _named_paths(options: argparse.Namespace) -> Iterator[Path]:
    """Whatever the command line names beside the JSON; a word that is no path does no harm here."""
    for name, value in vars(options).items():
        words = value if isinstance(value, list) else [value]
        yield from (Path(word) for word in words if isinstance(word, str) and name != "json")


def _refuse(printer: Printer, sentence: str) -> int:
    """Say what is wrong, on standard error and to whoever reads the JSON."""
    printer.ending({"event": "error", "message": sentence})
    printer.note(sentence)
    printer.close()
    return REFUSED


def _interrupted(printer: Printer, sentence: str) -> int:
    """Say what there is now: nothing, unless the command that was interrupted knows better."""
    printer.ending({"event": "interrupted", "message": sentence})
    printer.note(sentence)
    printer.close()
    return INTERRUPTED


def _interrupt(number: int, frame: FrameType | None) -> Any:
    """A polite request to end is treated as Ctrl+C, so that part files are removed."""
    raise KeyboardInterrupt
