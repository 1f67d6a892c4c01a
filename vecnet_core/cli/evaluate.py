"""``vecnet evaluate``: the network and its baselines, scored by the protocol."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vecnet_core.cli.options import corrector_of
from vecnet_core.cli.outputs import made_folder
from vecnet_core.evaluation import evaluate, format_table
from vecnet_core.evaluation.publication import STRIPS, publish, require_place
from vecnet_core.evaluation.strips import StripPictures
from vecnet_core.settings import CorrectionSettings

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer
    from vecnet_core.evaluation.protocol import Watcher


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Score on the folders that are given, or on the footage beside the checkout; the report has a place before."""
    if options.report is None:
        printer.document(_scored(options, printer))
        return
    folder, pictures = Path(options.report), StripPictures()
    with made_folder(folder.absolute() / STRIPS):
        require_place(folder)
        result = _scored(options, printer, pictures.keep)
        written = publish(folder, result, pictures, command_of(options))
    printer.document(result)
    printer.text(f"Wrote {len(written)} files to {folder}.")


def command_of(options: argparse.Namespace) -> str:
    """The command line that asks for the same report."""
    words = ["vecnet", "evaluate"]
    for name in ("data", "brackets", "denoise", "device", "checkpoint", "report"):
        value = getattr(options, name)
        if value not in {None, "auto", 0.0}:
            words += [f"--{name}", str(value)]
    return shlex.join(words)


def _scored(options: argparse.Namespace, printer: Printer, watch: Watcher | None = None) -> dict[str, Any]:
    """Run the evaluation and print its table: the scores of hours are not lost with a file that is unwritable."""
    folders = [Path(name) for name in (options.data, options.brackets) if name is not None]
    corrector = corrector_of(options)
    with printer.bar(1, "clip") as bar:
        settings = CorrectionSettings(denoise=options.denoise)
        result = evaluate(folders or None, corrector=corrector, settings=settings, progress=bar.move_to, watch=watch)
    printer.text(format_table(result))
    return result
