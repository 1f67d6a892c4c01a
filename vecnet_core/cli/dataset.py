"""``vecnet dataset``: makes training and test data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.cli.outputs import made_folder
from vecnet_core.errors import DataError

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer
    from vecnet_core.data.capture.pairing import PairReport, PairRequest


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Run the data set command that was asked for."""
    actions = {"pack": _pack, "make": _make, "pair": _pair}
    actions[options.action](options, printer)


def _pack(options: argparse.Namespace, printer: Printer) -> None:
    """Decode scenes once."""
    from vecnet_core.data.clips import INDEX_NAME, pack

    if options.short_side < 16:
        raise DataError(f"{options.short_side} pixels are too few", hint="give --short-side at least 16")
    if options.quality is not None and not 1 <= options.quality <= 100:
        raise DataError(f"{options.quality} is no JPEG quality", hint="give --quality 1 to 100")
    if options.frames is not None and options.frames < 1:
        raise DataError("no frames are wanted", hint="give --frames at least 1")
    folder = Path(options.folder)
    if (folder / INDEX_NAME).exists():
        raise DataError("packed scenes are here already", path=folder, hint="choose another folder, or remove it")
    with made_folder(folder):
        scenes = 0
        sources = [Path(source) for source in options.sources]
        for scene in pack(sources, folder, options.short_side, quality=options.quality, most_frames=options.frames):
            scenes += 1
            printer.event({"event": "scene", **asdict(scene)})
            printer.text(f"{scene.name}: {scene.kind}, {_count(scene.frames, 'frame')}")
    printer.event({"event": "done", "scenes": scenes, "folder": str(folder)})
    printer.text(f"Packed {_count(scenes, 'scene')} into {folder}.")


def _make(options: argparse.Namespace, printer: Printer) -> None:
    """Film good clips again, badly."""
    from vecnet_core.data.making import make_pairs

    if options.frames < 1:
        raise DataError("no frames are wanted", hint="give --frames at least 1")
    folder = Path(options.folder)
    sources = [Path(source) for source in options.sources]
    made = 0
    with made_folder(folder):
        for pair in make_pairs(sources, folder, split=options.split, frames=options.frames, seed=options.seed):
            printer.event({"event": "clip", **asdict(pair)})
            if pair.skipped:
                printer.note(f"Left out: {pair.skipped}")
                continue
            made += 1
            printer.text(f"{pair.name}: {_count(pair.frames, 'frame')}, {pair.exposure_ev:+.1f} EV")
        if not made:
            raise DataError("no clip or photo could be read", path=sources[0])
    printer.event({"event": "done", "clips": made, "folder": str(folder)})
    printer.text(f"Made {_count(made, 'pair')} in {folder / options.split}.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _pair(options: argparse.Namespace, printer: Printer) -> None:
    """Align two recordings of one scene and write them as a pair."""
    from vecnet_core.data.capture.pairing import PairReport, PairRequest, pair_recordings

    bad = Path(options.bad)
    request = PairRequest(
        bad=bad,
        good=Path(options.good),
        folder=Path(options.folder),
        name=options.name or (bad.resolve().name if bad.is_dir() else bad.stem),
        split=options.split,
        max_offset_seconds=options.max_offset,
        max_residual_px=options.max_residual,
        overwrite=options.overwrite,
    )
    low, high, _ = (target.absolute() for target in request.targets)
    report: PairReport | None = None
    # The place is tried before any work.
    with made_folder(low.parent), made_folder(high.parent), printer.bar(1, "picture") as bar:
        for step in pair_recordings(request):
            if isinstance(step, PairReport):
                report = step
            else:
                bar.move_to(step.done, step.total, step.stage)
    if report is not None:
        printer.text(_describe_pair(request, report))
        printer.document(report.as_values())


def _describe_pair(request: PairRequest, report: PairReport) -> str:
    """The report for people."""
    low, high, full = request.targets
    x, y = report.shift_px
    source = "assumed"
    if report.offset_from == "motion":
        source = f"found by motion (agreement {report.offset_agreement:.2f})"
    side = "brighter" if report.exposure_ev > 0 else "darker"
    rows = {
        "Pair": f"{len(report.kept)} of {len(report.pictures)} pictures, {report.crop.width} x {report.crop.height}",
        "Bad": str(low),
        "Good": str(high),
        "Offset": f"{report.offset_frames:+d} frames, {report.offset_seconds:+.3f} s, {source}",
        "Placing": f"{report.transform}; shift {x:+.2f}, {y:+.2f} px, rotation {report.rotation_degrees:+.3f} degrees, "
        f"zoom {report.zoom:.4f}",
        "Residual": f"{report.residual_median_px:.2f} px (95 % of a picture under {report.residual_p95_px:.2f} px)",
        "Exposure": f"the bad one is {abs(report.exposure_ev):.2f} stops {side}",
        "Report": str(full),
    }
    lines = [f"{name + ':':<10}{value}" for name, value in rows.items()]
    if report.left_out:
        lines.append(f"Left out: {_numbers([fit.bad for fit in report.left_out])}")
    return "\n".join([*lines, *(f"Note:     {note}" for note in report.notes)])


def _numbers(numbers: list[int]) -> str:
    """Picture numbers, runs of them as first-last."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(str(end) for end in run) for run in runs)
