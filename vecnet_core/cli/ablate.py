"""``vecnet ablate``: trains the network without each of its parts, and tells what each earns."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.ablation import AblationConfig, ablate, format_ablation

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Go on with a study until it is whole, then print its table."""
    config = AblationConfig.load(Path(options.config))
    data = [Path(options.data)] if options.data is not None else None
    try:
        with printer.bar(config.base.steps, "step") as bar:
            for step in ablate(config, data):
                bar.move_to(step.step, step.steps, f"{step.name} ({step.run + 1} of {step.runs})")
                printer.event({"event": "step", **asdict(step)})
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt("Interrupted; the same command goes on from the last checkpoint.") from interrupt
    table = format_ablation(config)
    (config.out / "table.md").write_text(table, encoding="utf-8")
    printer.event({"event": "done", "table": str(config.out / "table.md")})
    printer.text(table)
