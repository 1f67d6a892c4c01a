"""The commands and options of ``vecnet``, and their help."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from vecnet_core.cli.printing import STANDARD_OUTPUT, is_special

DESCRIPTION = """\
VECNet corrects badly exposed video: too dark, blown out, flickering or pumping.

It measures the light of the whole clip, looks at every frame with a neural network, and writes a corrected copy of the
same size, frame times, colour tags and sound. Your source file is never changed."""

EXAMPLES = """\
examples:
  vecnet studio holiday.mp4                         open the window with a clip
  vecnet correct dark.mp4 out/dark.mp4              correct a clip
  vecnet correct in.mov out.mov --codec prores-hq   ... as ProRes, for editing on
  vecnet correct shots/ out/shot_%05d.tif           ... a timelapse, as 16-bit pictures
  vecnet correct in.mp4 out.mp4 --shadows 0.7 --highlights 1.2 --start 0:10 --end 0:20
  vecnet inspect in.mp4                             facts, exposure and flicker of a clip
  vecnet maps in.mp4 maps/ --frame 120              what the network saw, as pictures
  vecnet graph net.onnx                             the network, for other programs
  vecnet doctor                                     does everything work on this machine?

Every command has its own help: vecnet correct --help"""

AUTO = "auto"
JSON_ENDINGS = (".json", ".jsonl", ".ndjson")


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        sys.stderr.write(f"{self.prog}: {message}; see {self.prog} --help.\n")
        sys.exit(2)


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="vecnet", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"vecnet {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_correct(commands)
    _add_export(commands)
    _add_inspect(commands)
    _add_maps(commands)
    _add_graph(commands)
    _add_evaluate(commands)
    _add_train(commands)
    _add_ablate(commands)
    _add_dataset(commands)
    _add_studio(commands)
    _add_doctor(commands)
    _add_bench(commands)
    return parser


def seconds(text: str) -> float:
    """A time: seconds (``12.5``), or hours, minutes and seconds with colons (``1:02.5``, ``0:01:02``)."""
    parts = text.split(":")
    if len(parts) > 3:
        raise argparse.ArgumentTypeError(f"{text!r} is no time")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: give seconds (12.5) or minutes and seconds (1:02.5)"
        ) from None
    total = 0.0
    for number in numbers:
        total = total * 60 + number
    return total


def share_or_auto(text: str) -> float | str:
    """A number, or ``auto``."""
    if text == AUTO:
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number: give 0 to 1, or {AUTO}") from None


def frame_size(text: str) -> tuple[int, int]:
    """A height and a width in pixels: ``128x224``."""
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: give height x width in pixels (128x224)")
    return int(height), int(width)


def json_target(text: str) -> str:
    """A place for JSON; ``--json a.mp4 b.mp4`` means a clip, and would replace it."""
    path = Path(text)
    if text in {STANDARD_OUTPUT, "/dev/stdout"}:
        return STANDARD_OUTPUT
    if path.suffix.lower() in JSON_ENDINGS or is_special(path):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is no JSON file: end its name in .json or .jsonl, or put --json last for standard output"
    )


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add_command(commands: _Commands[_Parser], name: str, summary: str, details: str, module: str) -> _Parser:
    """A command whose module `run`s it."""
    made = commands.add_parser(
        name, help=summary, description=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.set_defaults(module=module)
    return made


def _add_json(parser: _Parser, what: str) -> None:
    """The option ``--json [FILE]``."""
    parser.add_argument(
        "--json",
        nargs="?",
        type=json_target,
        const=STANDARD_OUTPUT,
        metavar="FILE",
        help=f"{what}, to FILE (.json or .jsonl) or (without FILE) to standard output",
    )


def _add_settings(parser: _Parser) -> argparse._ArgumentGroup:
    """The correction sliders, in a group of their own."""
    group = parser.add_argument_group("correction")
    group.add_argument("--strength", type=float, default=1.0, metavar="0..1", help="share of the whole correction (1)")
    group.add_argument(
        "--shadows",
        type=float,
        default=1.0,
        metavar="0..2",
        help="factor on what is brightened (1: as the network says)",
    )
    group.add_argument(
        "--highlights",
        type=float,
        default=1.0,
        metavar="0..2",
        help="factor on what is darkened (1: as the network says)",
    )
    group.add_argument(
        "--exposure-ev", type=float, default=0.0, metavar="-3..3", help="trim of the result in stops (0)"
    )
    group.add_argument(
        "--steadiness", type=float, default=1.0, metavar="0..1", help="share of the flicker that is removed (1)"
    )
    return group


def _add_reading(parser: _Parser) -> None:
    """How the clip is read."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "--deinterlace", action="store_true", help="make whole pictures of interlaced fields (FFmpeg's bwdif)"
    )
    group.add_argument(
        "--frame-rate",
        metavar="FPS",
        help="frames a second of an image sequence or a raw stream: 25, 29.97, 24000/1001 (25 when nothing says more)",
    )
    group.add_argument("--video-stream", type=int, default=0, metavar="N", help="which video stream, from 0 (0)")
    group.add_argument(
        "--hdr", choices=("keep", "sdr"), default="keep", help="keep HDR as it is, or map it to ordinary BT.709 (keep)"
    )


def _add_unfinished(group: argparse._ArgumentGroup) -> None:
    """What to do with what is there already."""
    group.add_argument("--overwrite", action="store_true", help="replace an output that exists")
    group.add_argument("--resume", action="store_true", help="go on with an export that was interrupted")
    group.add_argument("--restart", action="store_true", help="forget an export that was interrupted, and begin anew")


def _add_network(parser: _Parser) -> None:
    """Where the network runs and which weights it has."""
    group = parser.add_argument_group("network")
    group.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps (auto)")
    group.add_argument("--checkpoint", metavar="FILE", help="weights from `vecnet train` instead of the bundled ones")


def _add_correct(commands: _Commands[_Parser]) -> None:
    """``vecnet correct``."""
    details = (
        "Write a corrected copy of a clip. Size, frame times, colour tags, rotation, sound and metadata are kept.\n"
        "OUT appears only when it is whole and checked; its folder is made when it does not exist. With --strength 0\n"
        "and --codec ffv1 the pictures come out bit for bit as they went in.\n\n"
        "What is encoded is kept in a hidden folder beside OUT until then: when the machine stops, the power goes or\n"
        "the disk is full, the same command with --resume goes on, and writes the file it would have written."
    )
    parser = _add_command(commands, "correct", "write a corrected copy of a clip", details, "correct")
    parser.add_argument("input", metavar="IN", help="the clip: a video, or a folder or pattern of pictures")
    parser.add_argument(
        "output",
        metavar="OUT",
        help="the file to write; its ending (.mp4, .m4v, .mov, .mkv, .webm) is the container. Or pictures: a name with "
        "a place for their number, such as out/shot_%%05d.tif (.png, .tif, .jpg, .exr)",
    )
    _add_settings(parser).add_argument(
        "--denoise",
        type=share_or_auto,
        default=AUTO,
        metavar="0..1",
        help="share of the noise that is removed after the correction; slow without a GPU (auto: 1 for dark, noisy "
        "footage on a GPU, else 0)",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "--codec",
        metavar="NAME",
        help="match (the source's, where OUT can hold it), h264, hevc, hevc-10, av1, prores, prores-hq, prores-4444, "
        "dnxhr, dnxhr-hqx, ffv1; of pictures the ending says it (match)",
    )
    group.add_argument("--crf", type=int, metavar="N", help="quality, lower is better (18 for h264)")
    group.add_argument(
        "--preset", metavar="NAME", help="encoder's speed against size (medium), or the ProRes or DNxHR profile"
    )
    group.add_argument(
        "--bit-depth", type=int, metavar="N", help="bits of a sample: 8, 10, 12, 16 (the source's); deeper are rounded"
    )
    group.add_argument("--drop-alpha", action="store_true", help="leave out the transparency of the source")
    group.add_argument(
        "--hardware", action="store_true", help="encode h264, hevc or av1 on the graphics card, where a test passes"
    )
    group.add_argument("--start", type=seconds, default=0.0, metavar="TIME", help="begin here (12.5 or 1:02.5)")
    group.add_argument("--end", type=seconds, default=None, metavar="TIME", help="end here")
    _add_unfinished(group)
    _add_reading(parser)
    _add_network(parser)
    _add_json(parser, "progress and result as JSON lines")


def _add_export(commands: _Commands[_Parser]) -> None:
    """``vecnet export``."""
    details = (
        "Export every clip of a project, as the window saves it, to the outputs chosen there. With --resume, clips\n"
        "that are written already are passed over, and one that was interrupted goes on where it was."
    )
    parser = _add_command(commands, "export", "export the clips of a project file", details, "export")
    parser.add_argument("project", metavar="PROJECT", help="the project file")
    _add_unfinished(parser.add_argument_group("output"))
    group = parser.add_argument_group("network")
    group.add_argument("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps (the project's)")
    group.add_argument("--checkpoint", metavar="FILE", help="weights from `vecnet train` instead of the bundled ones")
    _add_json(parser, "progress and results as JSON lines")


def _add_inspect(commands: _Commands[_Parser]) -> None:
    """``vecnet inspect``."""
    details = (
        "Show the facts of a clip, marking what the file does not say and is assumed, and measure its exposure and\n"
        "flicker (in stops: RMS of the fast changes, and the strongest regular one)."
    )
    parser = _add_command(commands, "inspect", "facts, exposure and flicker of a clip", details, "inspect")
    parser.add_argument("input", metavar="IN", help="the clip")
    _add_reading(parser)
    _add_json(parser, "everything as JSON")


def _add_maps(commands: _Commands[_Parser]) -> None:
    """``vecnet maps``."""
    details = (
        "Write what the correction of one frame is made from as PNG pictures: illumination of both streams, the three\n"
        "candidates, their weights, the gain in stops, reflectance, source and result."
    )
    parser = _add_command(commands, "maps", "what the network saw in a frame, as pictures", details, "maps")
    parser.add_argument("input", metavar="IN", help="the clip")
    parser.add_argument("folder", metavar="DIR", help="folder for the pictures; made when it does not exist")
    parser.add_argument("--frame", type=int, default=0, metavar="N", help="frame number, from 0 (0)")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that exist in DIR")
    _add_settings(parser)
    _add_reading(parser)
    _add_network(parser)
    _add_json(parser, "the pictures' paths as JSON")


def _add_graph(commands: _Commands[_Parser]) -> None:
    """``vecnet graph``: `export` is what a clip gets here, and `onnx` would name one of two forms."""
    details = (
        "Write the slow step of the network, which looks at a window of frames, as a graph that runs without this\n"
        "program: OUT.onnx for ONNX runtimes, OUT.pt2 for torch.export. What the file computes is compared with torch\n"
        "on random and made-up windows first; it is written only when every output agrees within 0.001. The size of\n"
        "the frames is fixed in the file, the number of windows at once is free."
    )
    parser = _add_command(commands, "graph", "the network as an ONNX or torch.export file", details, "graph")
    parser.add_argument("output", metavar="OUT", help="the file to write; its ending (.onnx, .pt2) is the form")
    parser.add_argument(
        "--size",
        type=frame_size,
        metavar="HxW",
        help="height and width of the frames in pixels, multiples of 16 (as 16:9 clips are analysed: 128x224)",
    )
    parser.add_argument("--checkpoint", metavar="FILE", help="weights from `vecnet train` instead of the bundled ones")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT when it exists")
    _add_json(parser, "what was written and the differences from torch as JSON")


def _add_evaluate(commands: _Commands[_Parser]) -> None:
    """``vecnet evaluate``."""
    details = (
        "Score the network and its baselines on clips whose good exposure is known: made dark, bright, mixed and\n"
        "flickering by the protocol, or recorded as pairs. DIR holds good clips, GT and LQ folders, or under/ref/over\n"
        "triplets."
    )
    parser = _add_command(commands, "evaluate", "score the network against its baselines", details, "evaluate")
    parser.add_argument("--data", metavar="DIR", help="test clips (the footage beside the checkout, where it is)")
    parser.add_argument("--brackets", metavar="DIR", help="a second folder, such as bracketed photos")
    parser.add_argument(
        "--report",
        nargs="?",
        const="out/evaluation",
        metavar="DIR",
        help="write the README's table, a page with every score, and strips of pictures to DIR (out/evaluation)",
    )
    parser.add_argument(
        "--denoise", type=float, default=0.0, metavar="0..1", help="score with so much of the noise removed (0)"
    )
    _add_network(parser)
    _add_json(parser, "all rows as JSON")


def _add_train(commands: _Commands[_Parser]) -> None:
    """``vecnet train``."""
    details = (
        "Train the network as a TOML file says; checkpoints and a loss log go to the folder named in it. A run\n"
        "that is there already is never replaced: --resume goes on with it."
    )
    parser = _add_command(commands, "train", "train the network", details, "train")
    parser.add_argument("config", metavar="CONFIG", help="TOML file")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    _add_json(parser, "every step as a JSON line")


def _add_ablate(commands: _Commands[_Parser]) -> None:
    """``vecnet ablate``."""
    details = (
        "Train the network again without each of its parts, as a TOML file says, score every run like `vecnet\n"
        "evaluate`, and print the table. Finished runs are kept: the same command goes on where it was interrupted."
    )
    parser = _add_command(commands, "ablate", "what each part of the network earns", details, "ablate")
    parser.add_argument("config", metavar="STUDY", help="TOML file, such as resources/training/ablation.toml")
    parser.add_argument("--data", metavar="DIR", help="test clips (the footage beside the checkout, where it is)")
    _add_json(parser, "progress as JSON lines")


def _add_dataset(commands: _Commands[_Parser]) -> None:
    """``vecnet dataset``, whose own commands are told apart by ``options.action``."""
    details = "Make training and test data; every command below has its own help: vecnet dataset pair --help"
    parser = _add_command(commands, "dataset", "make training and test data", details, "dataset")
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_dataset_pack(actions)
    _add_dataset_make(actions)
    _add_dataset_pair(actions)


def _add_dataset_pack(actions: _Commands[_Parser]) -> None:
    """``vecnet dataset pack``."""
    details = (
        "Decode clips, photos, HDR panoramas and data sets of pairs (GT and LQ folders) once, to arrays that training\n"
        "reads without FFmpeg. Pack what is to be trained on into DIR/train and what validates into DIR/val; a\n"
        "training config with `packed = DIR` then needs nothing else."
    )
    parser = _add_command(actions, "pack", "decode training data once", details, "dataset")
    parser.set_defaults(action="pack")
    parser.add_argument("sources", metavar="SOURCE", nargs="+", help="folder of clips, photos, panoramas or pairs")
    parser.add_argument("folder", metavar="DIR", help="folder for the arrays; made when it does not exist")
    parser.add_argument(
        "--short-side", type=int, default=288, metavar="PX", help="size that frames are reduced to (288)"
    )
    parser.add_argument("--frames", type=int, metavar="N", help="at most so many frames a clip (all)")
    parser.add_argument(
        "--quality", type=int, metavar="1..100", help="compress as JPEG, to send the folder elsewhere (not compressed)"
    )
    _add_json(parser, "each scene as a JSON line")


def _add_dataset_make(actions: _Commands[_Parser]) -> None:
    """``vecnet dataset make``."""
    details = (
        "Film good clips and photos again, badly: too dark, too bright, both at once, noisy, flickering, as training\n"
        "does. The frames go to DIR/<split>/GT/<clip> and DIR/<split>/LQ/<clip> as PNG, at full size. The same seed\n"
        "makes the same pairs."
    )
    parser = _add_command(actions, "make", "pairs made from good clips", details, "dataset")
    parser.set_defaults(action="make")
    parser.add_argument("sources", metavar="SOURCE", nargs="+", help="folder of well exposed clips and photos")
    parser.add_argument("folder", metavar="DIR", help="folder of the data set; clips that it has are never replaced")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="part of the data set (train)")
    parser.add_argument("--frames", type=int, default=24, metavar="N", help="at most so many frames a clip (24)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed draws other cameras (0)")
    _add_json(parser, "each clip as a JSON line")


def _add_dataset_pair(actions: _Commands[_Parser]) -> None:
    """``vecnet dataset pair``."""
    details = (
        "Make an aligned pair from two recordings of one scene, one badly and one well exposed: two videos, or two\n"
        "folders of photos. The time between them is found from their motion, whatever their exposure; GOOD is moved\n"
        "onto BAD to a fraction of a pixel; both are cropped to what they share. The frames go to\n"
        "DIR/train/LQ/<clip> and DIR/train/GT/<clip>, and what was measured to DIR/train/<clip>.json. Frames that do\n"
        "not fit are left out; recordings that cannot be aligned are refused with the reason, and nothing is written."
    )
    parser = _add_command(actions, "pair", "aligned pairs from two recordings of one scene", details, "dataset")
    parser.set_defaults(action="pair")
    parser.add_argument("bad", metavar="BAD", help="the badly exposed recording: a video or a folder of photos")
    parser.add_argument("good", metavar="GOOD", help="the well exposed recording of the same scene")
    parser.add_argument("folder", metavar="DIR", help="folder of the data set; made when it does not exist")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="part of the data set (train)")
    parser.add_argument("--name", metavar="CLIP", help="name of the clip (BAD's without its ending)")
    parser.add_argument(
        "--max-offset", type=float, default=5.0, metavar="SECONDS", help="largest time between the recordings (5)"
    )
    parser.add_argument(
        "--max-residual", type=float, default=0.5, metavar="PX", help="frames that fit worse are left out (0.5)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the clip when it exists")
    _add_json(parser, "the report as JSON")


def _add_studio(commands: _Commands[_Parser]) -> None:
    """``vecnet studio``."""
    parser = _add_command(commands, "studio", "open the window", "Open the window, with clips if you like.", "studio")
    parser.add_argument("files", metavar="FILE", nargs="*", help="clips to open")
    _add_json(parser, "the files and the exit code as a JSON line, when the window has closed")


def _add_doctor(commands: _Commands[_Parser]) -> None:
    """``vecnet doctor``."""
    details = "Check what this machine has: versions, the compute device, the encoders that open, the weights."
    parser = _add_command(commands, "doctor", "check that everything works on this machine", details, "doctor")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps (auto)")
    _add_json(parser, "the findings as JSON")


def _add_bench(commands: _Commands[_Parser]) -> None:
    """``vecnet bench``."""
    details = (
        "Measure the speed of this machine: CPU time of each part of the work on a 1080p frame, and of a correction\n"
        "beside a plain re-encode. With --window, how soon the window answers: from the moving of a slider or a seek\n"
        "to the painted picture, how long its main thread is held while an export runs, how soon it is shown."
    )
    parser = _add_command(commands, "bench", "measure the speed of this machine", details, "bench")
    parser.add_argument("--window", action="store_true", help="measure how soon the window answers")
    parser.add_argument("--frames", type=int, metavar="N", help="frames of the clip that is made (60; of --window 288)")
    parser.add_argument("--repeats", type=int, metavar="N", help="runs of each kind (3; of --window 30)")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps (auto)")
    _add_json(parser, "the figures as JSON")


def _version() -> str:
    """The installed version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("vecnet")
    except PackageNotFoundError:
        return "(not installed)"
