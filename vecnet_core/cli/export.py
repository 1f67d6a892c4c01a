"""``vecnet export``: exports every clip of a project file, as the window saves it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.cli.exporting import ExportOptions, export
from vecnet_core.errors import ProjectError, VecnetError
from vecnet_core.project import Project

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer
    from vecnet_core.project import Clip


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
    _refuse_collisions(project.clips)
    failed = 0
    for number, clip in enumerate(project.clips, start=1):
        output = clip.output or Path()
        place = {"number": number, "of": len(project.clips)}
        printer.event({"event": "clip", **place, "input": str(clip.path), "output": str(output)})
        try:
            export(clip, output, wanted, printer)
        except (VecnetError, OSError) as error:
            if len(project.clips) == 1:
                raise
            failed += 1
            sentence = error.sentence if isinstance(error, VecnetError) else f"{output}: {error.strerror or error}."
            printer.note(sentence)
            printer.event({"event": "error", "message": sentence, "output": str(output)})
    return 2 if failed else 0


def _refuse_collisions(clips: tuple[Clip, ...]) -> None:
    """Every clip is written to a place of its own, and none over another one's source.

    Raises:
        ProjectError: One has no output, or one that is taken.
    """
    sources = {_whole(clip.path) for clip in clips}
    taken: set[str] = set()
    for clip in clips:
        if clip.output is None:
            raise ProjectError(
                "a clip of the project has no output", path=clip.path, hint="choose where to write it in the window"
            )
        output = _whole(clip.output)
        if output in taken or output in sources:
            what = "the output of two clips" if output in taken else "the source of a clip and the output of one"
            raise ProjectError(f"this is {what}", path=clip.output, hint="choose another output in the window")
        taken.add(output)


def _whole(path: Path) -> str:
    """A path without links and steps back, so that two that name one file are equal."""
    return os.path.realpath(path)
