"""``vecnet train``: trains the network as a TOML file says, step by step."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.training import TrainingConfig, train

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer

_LINE_EVERY = 20


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Train until the configured number of steps; Ctrl+C ends the run and keeps the last checkpoint."""
    config = TrainingConfig.load(Path(options.config))
    last = None
    with printer.bar(config.steps, "step") as bar:
        for last in train(config, resume=options.resume):
            bar.move_to(last.step, config.steps, f"Loss {last.loss:.4f}")
            printer.event({"event": "step", **asdict(last)})
            if last.validation is not None:
                figures = ", ".join(f"{name} {value:.2f} dB" for name, value in last.validation.items())
                printer.text(f"step {last.step}: loss {last.loss:.4f}; validation {figures}")
            elif last.step % _LINE_EVERY == 0:
                terms = ", ".join(f"{name} {value:.4f}" for name, value in last.terms.items())
                printer.text(f"step {last.step}: loss {last.loss:.4f} ({terms}), {last.seconds:.2f} s")
    done = config.steps if last is None else last.step
    printer.event({"event": "done", "step": done, "out": config.out})
    printer.text(f"Trained {done} steps; the best weights are {Path(config.out) / 'best.safetensors'}.")
