"""What several commands make of their options: correction settings, and the network on its device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.decode import DecodeSettings, parse_rate

if TYPE_CHECKING:
    import argparse

    from vecnet_core.correction.corrector import Corrector


def settings_of(options: argparse.Namespace) -> CorrectionSettings:
    """The sliders."""
    return CorrectionSettings(
        strength=options.strength,
        shadows=options.shadows,
        highlights=options.highlights,
        exposure_ev=options.exposure_ev,
        steadiness=options.steadiness,
    )


def decode_of(options: argparse.Namespace) -> DecodeSettings:
    """How the clip is read."""
    rate = None if options.frame_rate is None else parse_rate(options.frame_rate)
    return DecodeSettings(options.deinterlace, rate, options.video_stream, options.hdr)


def corrector_of(options: argparse.Namespace) -> Corrector:
    """The network; loads torch."""
    from vecnet_core.correction.corrector import load_corrector

    checkpoint = None if options.checkpoint is None else Path(options.checkpoint)
    return load_corrector(checkpoint, options.device)
