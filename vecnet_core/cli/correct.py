"""``vecnet correct``: writes a corrected copy of a clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.cli.exporting import ExportOptions, export
from vecnet_core.cli.options import decode_of, settings_of
from vecnet_core.cli.parser import AUTO
from vecnet_core.project import Clip
from vecnet_core.video.presets import encode_of

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Export the clip."""
    settings = settings_of(options)
    if options.denoise != AUTO:
        settings = replace(settings, denoise=options.denoise)
    output = Path(options.output)
    clip = Clip(
        path=Path(options.input),
        settings=settings,
        start_seconds=options.start,
        stop_seconds=options.end,
        encode=encode_of(
            options.codec,
            output,
            crf=options.crf,
            preset=options.preset,
            bit_depth=options.bit_depth,
            alpha="drop" if options.drop_alpha else None,
            hardware=options.hardware or None,
        ),
        output=output,
        decode=decode_of(options),
    )
    wanted = ExportOptions.of(options, options.device)
    export(clip, output, wanted, printer, auto_denoise=options.denoise == AUTO)
