"""The core's sentences as the window says them: where they name an option of the command line, the control for it."""

from __future__ import annotations

import re

_CONTROLS = (
    (
        "which their folder or --frame-rate opens as a sequence",
        "which Open image sequence in the File menu opens as one",
    ),
    ("add --resume to finish it, or --restart to begin anew", "choose Finish it or Begin anew in the export form"),
    ("add --restart to begin anew", "choose Begin anew in the export form"),
    ("add --overwrite, or give another name", "allow to replace it, or give another name"),
    ("or drop the transparency (--drop-alpha)", "or switch Keep transparency off"),
    ("--deinterlace", "Deinterlace in the Clip panel"),
    ("--frame-rate", "Frame rate in the Clip panel"),
    ("--video-stream", "Video stream in the Clip panel"),
    ("--hdr sdr", "Convert to SDR in the Clip panel"),
    ("--hdr", "HDR in the Clip panel"),
)
_OPTION_IN_BRACKETS = re.compile(r" \([^()]*--[a-z][^()]*\)")


def for_window(sentence: str) -> str:
    """A sentence of the core that a person without a command line can act on."""
    for option, control in _CONTROLS:
        sentence = sentence.replace(option, control)
    return _OPTION_IN_BRACKETS.sub("", sentence)
