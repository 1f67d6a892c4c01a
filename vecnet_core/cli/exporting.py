"""Runs one export for a command: the progress bar, the JSON lines, what was written, what an interrupt leaves."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vecnet_core.cli.outputs import made_folder, refuse_existing
from vecnet_core.errors import InputError
from vecnet_core.video.unfinished import discard_unfinished, find_unfinished, is_half_placed, is_written

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer
    from vecnet_core.correction.corrector import Corrector
    from vecnet_core.export import ExportProgress
    from vecnet_core.project import Clip

STAGES = {
    "light": "Measuring light",
    "export": "Correcting",
    "join": "Joining the file",
    "verify": "Checking the file",
}


@dataclass(frozen=True)
class ExportOptions:
    """What a command says of its exports beside the clips.

    Attributes:
        device: Where the network runs.
        checkpoint: Other weights than the bundled ones.
        overwrite: Replace an output that exists.
        resume: Go on with an interrupted export.
        restart: Forget an interrupted one.
    """

    device: str
    checkpoint: Path | None = None
    overwrite: bool = False
    resume: bool = False
    restart: bool = False

    @classmethod
    def of(cls, options: argparse.Namespace, device: str) -> ExportOptions:
        """From the command line."""
        checkpoint = None if options.checkpoint is None else Path(options.checkpoint)
        return cls(device, checkpoint, options.overwrite, options.resume, options.restart)


def export(clip: Clip, output: Path, options: ExportOptions, printer: Printer, *, auto_denoise: bool = False) -> None:
    """Export one clip, and say how it goes and what came of it.

    Args:
        clip: What to export.
        output: The file to write; the clip's own.
        options: How.
        printer: Where to say it.
        auto_denoise: Remove the noise of dark, noisy footage where a GPU makes that cheap.

    Raises:
        VecnetError: It cannot be exported.
        KeyboardInterrupt: It was interrupted; the text says what is kept.
    """
    if output.exists() and clip.path.exists() and output.samefile(clip.path):
        raise InputError("the output is the source itself", path=output, hint="give the output another name")
    if options.resume and not options.overwrite and is_written(output):
        discard_unfinished(output)
        printer.note(f"{output}: this exists, and no export to it is unfinished: there is nothing to do.")
        printer.event({"event": "skipped", "output": str(output)})
        return
    refuse_existing(output, overwrite=options.overwrite or (options.resume and is_half_placed(output)))
    with made_folder(output.absolute().parent):
        if options.restart:
            discard_unfinished(output)
        elif options.resume and find_unfinished(output) is None:
            printer.note(f"{output}: there is no interrupted export to go on with; it begins at the start.")
        try:
            _run(clip, options, printer, auto_denoise=auto_denoise)
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(_left_behind(output)) from interrupt


def _run(clip: Clip, options: ExportOptions, printer: Printer, *, auto_denoise: bool) -> None:
    """The export itself."""
    from vecnet_core.disk_cache import DiskCache, cache_folder
    from vecnet_core.export import export_video

    begun = time.monotonic()
    is_neutral = clip.settings.is_neutral
    if auto_denoise and not is_neutral:
        clip = _denoised_where_wanted(clip, options.device, printer)
    corrector: Corrector | None = None
    if options.checkpoint is not None and not is_neutral:
        from vecnet_core.correction.corrector import load_corrector

        corrector = load_corrector(options.checkpoint, options.device)
    last: ExportProgress | None = None
    disk = DiskCache(cache_folder())
    export = export_video(clip, corrector, device=options.device, resume=options.resume, disk=disk)
    with closing(disk), closing(export), printer.bar(1, "frame") as bar:
        for last in export:
            if last.stage in STAGES:
                bar.move_to(last.done, last.total, STAGES[last.stage])
                printer.event(_progress_event(last))
    if last is not None:
        _tell_done(last, time.monotonic() - begun, printer)


def _left_behind(output: Path) -> str:
    """What an interrupted export leaves, as a sentence."""
    kept = find_unfinished(output)
    if kept is None:
        return "Interrupted; nothing unfinished was left behind."
    return (
        f"Interrupted; {kept.frames} of {kept.total} frames are kept: the same command with --resume finishes "
        f"{output.name}, with --restart it begins anew."
    )


def _denoised_where_wanted(clip: Clip, device: str, printer: Printer) -> Clip:
    """With the noise of dark, noisy footage removed, where a GPU makes that cheap."""
    from vecnet_core.device import choose_device
    from vecnet_core.export import frame_range
    from vecnet_core.rendering import is_dark_and_noisy
    from vecnet_core.video.footage import open_reader

    if not choose_device(device).is_gpu:
        return clip
    with open_reader(clip.path, clip.decode) as reader:
        if not is_dark_and_noisy(reader, *frame_range(reader, clip)):
            return clip
    printer.note("This footage is dark and noisy: its noise is removed; --denoise 0 keeps it.")
    return replace(clip, settings=replace(clip.settings, denoise=1.0))


def _progress_event(progress: ExportProgress) -> dict[str, Any]:
    """Progress as JSON."""
    return {
        "event": "progress",
        "stage": progress.stage,
        "done": progress.done,
        "total": progress.total,
        "kept": progress.kept,
        "seconds_left": progress.seconds_left,
    }


def _tell_done(progress: ExportProgress, seconds: float, printer: Printer) -> None:
    """Say what was written, and what there is to know about it."""
    for warning in progress.warnings:
        printer.note(f"Note: {warning}.")
    device = f" on {progress.device}" if progress.device else ""
    kept = f", {progress.kept} of them before it was interrupted" if progress.kept else ""
    printer.text(f"Wrote {progress.output}: {progress.done} frames{kept}, in {seconds:.1f} s{device}.")
    printer.text(f"Checked: {', '.join(check.words for check in progress.checks)}.")
    printer.event(
        {
            "event": "done",
            "output": str(progress.output),
            "frames": progress.done,
            "kept": progress.kept,
            "seconds": round(seconds, 3),
            "device": progress.device,
            "warnings": list(progress.warnings),
            "checks": [{"name": check.name, "ok": check.is_good, "words": check.words} for check in progress.checks],
        }
    )
