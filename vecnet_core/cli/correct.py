"""``vecnet correct``: writes a corrected copy of a clip, and leaves nothing behind when it does not come to that."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vecnet_core.cli.options import corrector_of, settings_of
from vecnet_core.cli.outputs import made_folder, refuse_existing
from vecnet_core.cli.parser import AUTO
from vecnet_core.errors import InputError
from vecnet_core.project import Project
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.opening import open_video

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer
    from vecnet_core.export import ExportProgress

STAGES = {"light": "Measuring light", "export": "Correcting", "verify": "Checking the file"}


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Check everything that can be checked at once, then export."""
    output = Path(options.output)
    settings = settings_of(options)
    if options.denoise != AUTO:
        settings = replace(settings, denoise=options.denoise)
    project = Project(
        clip=Path(options.input),
        settings=settings,
        start_seconds=options.start,
        stop_seconds=options.end,
        encode=EncodeSettings(options.codec, options.crf, options.preset),
        device=options.device,
        output=output,
    )
    container, _ = open_video(project.clip, 1)
    container.close()
    if output.exists() and output.samefile(project.clip):
        raise InputError("the output is the source itself", path=output, hint="give the output another name")
    refuse_existing(output, overwrite=options.overwrite)
    with made_folder(output.absolute().parent):
        _export(project, options, printer)


def _export(project: Project, options: argparse.Namespace, printer: Printer) -> None:
    """Export with a progress bar and JSON lines."""
    from vecnet_core.export import export_video

    begun = time.monotonic()
    if options.denoise == AUTO and not project.settings.is_neutral:
        project = _denoised_where_wanted(project, printer)
    corrector = corrector_of(options) if options.checkpoint and not project.settings.is_neutral else None
    last: ExportProgress | None = None
    with closing(export_video(project, corrector)) as export, printer.bar(1, "frame") as bar:
        for last in export:
            if last.stage in STAGES:
                bar.move_to(last.done, last.total, STAGES[last.stage])
                printer.event(_progress_event(last))
    if last is not None:
        _tell_done(last, time.monotonic() - begun, printer)


def _denoised_where_wanted(project: Project, printer: Printer) -> Project:
    """With the noise of dark, noisy footage removed, where a GPU makes that cheap."""
    from vecnet_core.device import choose_device
    from vecnet_core.export import frame_range
    from vecnet_core.rendering import is_dark_and_noisy
    from vecnet_core.video.reader import VideoReader

    if not choose_device(project.device).is_gpu:
        return project
    with VideoReader(project.clip) as reader:
        if not is_dark_and_noisy(reader, *frame_range(reader, project)):
            return project
    printer.note("This footage is dark and noisy: its noise is removed; --denoise 0 keeps it.")
    return replace(project, settings=replace(project.settings, denoise=1.0))


def _progress_event(progress: ExportProgress) -> dict[str, Any]:
    """Progress as JSON."""
    return {
        "event": "progress",
        "stage": progress.stage,
        "done": progress.done,
        "total": progress.total,
        "seconds_left": progress.seconds_left,
    }


def _tell_done(progress: ExportProgress, seconds: float, printer: Printer) -> None:
    """Say what was written, and what there is to know about it."""
    for warning in progress.warnings:
        printer.note(f"Note: {warning}.")
    device = f" on {progress.device}" if progress.device else ""
    printer.text(f"Wrote {progress.output}: {progress.done} frames in {seconds:.1f} s{device}.")
    printer.text(f"Checked: {', '.join(check.words for check in progress.checks)}.")
    printer.event(
        {
            "event": "done",
            "output": str(progress.output),
            "frames": progress.done,
            "seconds": round(seconds, 3),
            "device": progress.device,
            "warnings": list(progress.warnings),
            "checks": [{"name": check.name, "ok": check.is_good, "words": check.words} for check in progress.checks],
        }
    )
