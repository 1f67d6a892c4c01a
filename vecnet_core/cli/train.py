"""``vecnet train``: trains the network as a TOML file says, step by step."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.training import TrainingConfig, TrainingStep, saved_step, train
from vecnet_core.training.processes import rank

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer

_LINE_EVERY = 20


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Train until the configured number of steps; Ctrl+C ends the run and keeps the last checkpoint."""
    config = TrainingConfig.load(Path(options.config))
    out = Path(config.out)
    last: TrainingStep | None = None
    try:
        with printer.bar(config.steps, "step") as bar:
            for last in train(config, resume=options.resume):
                if rank() == 0:
                    bar.move_to(last.step, config.steps, f"Loss {last.loss:.4f}")
                    _tell_step(last, printer)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(_how_to_go_on(saved_step(out), last)) from interrupt
    if rank() != 0:
        return
    done = config.steps if last is None else last.step
    printer.event({"event": "done", "step": done, "out": config.out})
    if done < config.steps:
        printer.text(f"The leg ends at step {done} of {config.steps}; go on with --resume.")
    else:
        printer.text(f"Trained {done} steps; the best weights are {out / 'best.safetensors'}.")


def _tell_step(step: TrainingStep, printer: Printer) -> None:
    """Every step as JSON, some of them for people."""
    printer.event({"event": "step", **asdict(step)})
    if step.validation is not None:
        figures = ", ".join(f"{name} {value:.2f} dB" for name, value in step.validation.items())
        printer.text(f"step {step.step}: loss {step.loss:.4f}; validation {figures}")
    elif step.step % _LINE_EVERY == 0:
        terms = ", ".join(f"{name} {value:.4f}" for name, value in step.terms.items())
        printer.text(f"step {step.step}: loss {step.loss:.4f} ({terms}), {step.seconds:.2f} s")


def _how_to_go_on(saved: int | None, last: TrainingStep | None) -> str:
    """What an interrupted run leaves: its checkpoint, which is older than its last step."""
    if saved is None:
        return f"Interrupted at step {last.step if last else 0}, before the first checkpoint; start again."
    return f"Interrupted at step {max(saved, last.step if last else 0)}; go on with --resume from step {saved}."
