"""``vecnet graph``: the network's slow step as an ONNX or torch.export file, compared with torch first."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.cli.outputs import made_folder, refuse_existing
from vecnet_core.correction.corrector import load_corrector
from vecnet_core.graph import INPUT, OUTPUTS, TOLERANCE, write_graph

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer
    from vecnet_core.graph import GraphReport


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Write the graph of the bundled weights or of a checkpoint."""
    output = Path(options.output)
    begun = time.monotonic()
    with made_folder(output.absolute().parent):
        refuse_existing(output, overwrite=options.overwrite)
        checkpoint = load_corrector(options.checkpoint, "cpu").checkpoint
        report = write_graph(output, checkpoint, options.size)
    printer.document(
        {
            "output": str(report.path),
            "bytes": report.byte_count,
            "model_hash": report.model_hash,
            "input": INPUT,
            "shape": ["batch", report.window, 3, *report.size],
            "outputs": OUTPUTS,
            "tolerance": TOLERANCE,
            "differences": report.differences,
            "seconds": round(time.monotonic() - begun, 3),
        }
    )
    printer.text(_describe(report))


def _describe(report: GraphReport) -> str:
    """The report for people."""
    height, width = report.size
    lines = [
        f"Wrote {report.path}: {report.byte_count / 1e6:.1f} MB, weights {report.model_hash}.",
        f"It takes windows of {report.window} frames of {height}x{width}, as many at once as you like.",
        f"Largest difference from torch ({TOLERANCE:g} is let through):",
    ]
    lines += [f"  {name:<20}{difference:.1e}" for name, difference in report.differences.items()]
    return "\n".join(lines)
