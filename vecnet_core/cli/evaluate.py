"""``vecnet evaluate``: the network and its baselines, scored by the protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vecnet_core.cli.options import corrector_of
from vecnet_core.evaluation import evaluate, format_table

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Score on the folders that are given, or on the footage beside the checkout."""
    given = [Path(name) for name in (options.data, options.brackets) if name is not None]
    corrector = corrector_of(options)
    results: list[dict[str, Any]] = []
    with printer.bar(1, "clip") as bar:
        for folder in given or [None]:
            results.append(
                evaluate(folder, corrector=corrector, progress=lambda done, total, what: bar.move_to(done, total, what))
            )
    result = {**results[0], "rows": [row for each in results for row in each["rows"]]}
    # The table first: the scores of hours are not lost with a JSON file that turns out to be unwritable.
    printer.text(format_table(result))
    printer.document(result)
