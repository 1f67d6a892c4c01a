"""``vecnet export``: exports every clip of a project file, as the window saves it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.cli.exporting import ExportOptions, export
from vecnet_core.errors import ProjectError, VecnetError
from vecnet_core.project import Project

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer


def run(options: argparse.Namespace, printer: Printer) -> int:
    """Export the clips one after another; one that cannot be exported does not keep the others from it.

    Returns:
        0 when all clips are written, else 2.
    """
    path = Path(options.project)
    project = Project.load(path)
    if not project.clips:
        raise ProjectError("the project has no clips", path=path, hint="add one in the window")
    wanted = ExportOptions.of(options, options.device or project.device)
    for clip in project.clips:
        if clip.output is None:
            raise ProjectError(
                "a clip of the project has no output", path=clip.path, hint="choose where to write it in the window"
            )
    failed = 0
    for number, clip in enumerate(project.clips, start=1):
        output = clip.output or Path()
        place = {"number": number, "of": len(project.clips)}
        printer.event({"event": "clip", **place, "input": str(clip.path), "output": str(output)})
        try:
            export(clip, output, wanted, printer)
        except VecnetError as error:
            if len(project.clips) == 1:
                raise
            failed += 1
            printer.note(error.sentence)
            printer.event({"event": "error", "message": error.sentence, "output": str(output)})
    return 2 if failed else 0
