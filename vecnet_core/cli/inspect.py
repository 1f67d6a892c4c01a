"""``vecnet inspect``: the facts of a clip, what is assumed, and how its light behaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vecnet_core.cli.options import decode_of
from vecnet_core.metrics.flicker import flicker
from vecnet_core.rendering import LightScan
from vecnet_core.video.footage import open_reader

if TYPE_CHECKING:
    import argparse

    from vecnet_core.cli.printing import Printer
    from vecnet_core.frame import VideoInfo


def run(options: argparse.Namespace, printer: Printer) -> None:
    """Read the whole clip once."""
    with open_reader(Path(options.input), decode_of(options)) as reader:
        info = reader.info
        scan = LightScan(reader)
        with printer.bar(info.frame_count, "frame") as bar:
            for done, _ in enumerate(scan, start=1):
                bar.move_to(done, info.frame_count, "Measuring light")
        light = scan.light
        measured = flicker(light.exposures_ev, float(info.frame_rate), light.cuts, light.duplicates)
        facts = _facts(info)
        facts["warnings"] = list(reader.warnings)
        facts["exposure"] = {
            "mean_ev": round(float(light.exposures_ev.mean()), 4),
            "darkest_ev": round(float(light.exposures_ev.min()), 4),
            "brightest_ev": round(float(light.exposures_ev.max()), 4),
            "frames_ev": [round(float(value), 4) for value in light.exposures_ev],
        }
        facts["cuts"] = list(light.cuts)
        facts["duplicates"] = list(light.duplicates)
        facts["flicker"] = {
            "stops": round(measured.stops, 5),
            "peak_frequency_hz": round(measured.peak_frequency_hz, 4),
            "amplitude_stops": round(measured.amplitude_stops, 5),
        }
    printer.document(facts)
    printer.text(_describe(info, facts))


def _facts(info: VideoInfo) -> dict[str, Any]:
    """The stream's facts as plain values."""
    color = info.color
    return {
        "path": str(info.path),
        "container": info.container,
        "codec": info.codec,
        "width": info.width,
        "height": info.height,
        "frame_count": info.frame_count,
        "frame_rate": f"{info.frame_rate.numerator}/{info.frame_rate.denominator}",
        "frames_per_second": float(info.frame_rate),
        "is_rate_assumed": info.is_rate_assumed,
        "is_variable_rate": info.is_variable_rate,
        "time_base": f"{info.time_base.numerator}/{info.time_base.denominator}",
        "start_pts": info.start_pts,
        "duration_seconds": info.duration_seconds,
        "pixel_format": info.layout.name,
        "bit_depth": info.layout.bit_depth,
        "chroma": info.layout.chroma,
        "has_alpha": info.has_alpha,
        "color": {
            "matrix": color.matrix,
            "range": color.range,
            "primaries": color.primaries,
            "transfer": color.transfer,
            "is_hdr": color.is_hdr,
            "assumed": list(color.assumed),
        },
        "rotation_degrees": info.rotation_degrees,
        "pixel_aspect": f"{info.pixel_aspect.numerator}/{info.pixel_aspect.denominator}",
        "is_interlaced": info.is_interlaced,
        "audio_codecs": list(info.audio_codecs),
    }


def _describe(info: VideoInfo, facts: dict[str, Any]) -> str:
    """The same for people."""
    color = info.color
    tags = [
        f"{name} {getattr(color, name)}{' (assumed)' if name in color.assumed else ''}"
        for name in ("matrix", "range", "primaries", "transfer")
    ]
    exposure, measured = facts["exposure"], facts["flicker"]
    rate = "variable, on average " if info.is_variable_rate else ""
    assumed = ", assumed" if info.is_rate_assumed else ""
    alpha = ", with transparency" if info.has_alpha else ""
    rows = {
        "File": str(info.path),
        "Video": f"{info.codec}, {info.width} x {info.height}, {info.layout.bit_depth} bit {info.layout.chroma}{alpha}",
        "Rate": f"{rate}{float(info.frame_rate):.3f} frames/s ({info.frame_rate}{assumed})",
        "Length": f"{info.frame_count} frames, {info.duration_seconds:.3f} s",
        "Colour": ", ".join(tags),
        "Rotation": f"{info.rotation_degrees} degrees" if info.rotation_degrees else "none",
        "Sound": ", ".join(info.audio_codecs) or "none",
        "Exposure": f"{exposure['mean_ev']:.2f} stops on average "
        f"(darkest frame {exposure['darkest_ev']:.2f}, brightest {exposure['brightest_ev']:.2f}; 0 is white)",
        "Cuts": ", ".join(str(cut) for cut in facts["cuts"]) or "none",
        "Flicker": f"{measured['stops']:.4f} stops RMS; strongest {measured['amplitude_stops']:.4f} stops "
        f"at {measured['peak_frequency_hz']:.2f} Hz",
    }
    lines = [f"{name + ':':<10}{value}" for name, value in rows.items()]
    return "\n".join([*lines, *(f"Note:     {warning}." for warning in facts["warnings"])])
