"""The graph of the network's slow step, `VECNet.analyse`, as a file that runs without this code: torch.export or ONNX.

No file is written unchecked: what it will hold is run beside torch on random windows and on such as footage brings,
and refused when a field comes out otherwise. Height and width are fixed in the file, because the alignment's transform
and the light statistics are made for one size; the batch is free.
"""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import math
import sys
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vecnet_core.command import is_bundle
from vecnet_core.correction.analysis import analysis_size
from vecnet_core.errors import GraphError, InputError
from vecnet_core.network.alignment import DISPLAY_GAMMA
from vecnet_core.video.parts import write_whole
from vecnet_core.video.writer import check_output

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from torch.export import ExportedProgram

    from vecnet_core.checkpoint import Checkpoint
    from vecnet_core.network.vecnet import VECNet

TOLERANCE = 1e-3
"""Largest difference of a field from torch's. In stops it is a fifteenth of a percent of light; in a coefficient that
is multiplied with a picture, a quarter of an 8-bit code value."""

OPSET = 18
"""Version of the ONNX operators: the one that torch writes without converting."""

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
"""What ONNX needs besides torch; the extra ``onnx`` of pyproject.toml."""

INPUT = "window"
INPUT_MEANING = (
    "(batch, frames, 3, height, width) float32 in [0, 1], R'G'B', display-referred, frames in time order, "
    "the centre frame is the one that is analysed"
)

OUTPUTS = {
    "gain_ev": "(batch,) stops that bring the centre frame to the common light of its window",
    "exposure_ev": "(batch,) stops the frame lacks, as the network estimates it; negative: has too many",
    "illumination_under": "(batch, 4, height/8, width/8) illumination of the frame: a colour, and its slope",
    "illumination_over": "(batch, 4, height/8, width/8) the same of the inverted frame",
    "curve_exponent": "(batch,) spreads the knots of curve_values over the tones: knots lie over x ** curve_exponent",
    "curve_values": "(batch, 3, 16) knots of a rising curve per channel",
    "grid": "(batch, 15, 8, height/16, width/16) bilateral grid: 12 affine coefficients, then 3 fusion logits",
    "guide": "(3,) channel weights of the grid's guide",
}
"""Names of the outputs, those of `Fields`, and what they mean; the file carries them."""

Run = Callable[[Tensor], dict[str, Tensor]]
"""A graph that runs: a window to its fields by name."""


@dataclass(frozen=True)
class GraphReport:
    """A graph that was written.

    Attributes:
        path: The file.
        size: Height and width of the frames it takes.
        window: Frames it takes at once.
        model_hash: Names the weights in it.
        byte_count: Size of the file.
        differences: Largest absolute difference from torch of each field, over `check_windows`.
    """

    path: Path
    size: tuple[int, int]
    window: int
    model_hash: str
    byte_count: int
    differences: dict[str, float]


def write_graph(path: Path, checkpoint: Checkpoint, size: tuple[int, int] | None = None) -> GraphReport:
    """Trace, convert, check, and only then write.

    Args:
        path: Where to; ``.pt2`` is torch.export's form, ``.onnx`` is ONNX. A file that is there is replaced.
        checkpoint: The network, on the CPU.
        size: Height and width, multiples of 16; the size at which 16:9 clips are analysed when left out.

    Raises:
        InputError: The ending or the size does not fit, or a package is missing.
        VideoWriteError: The place cannot be written to.
        GraphError: The graph does not agree with torch, or cannot be written.
    """
    network = checkpoint.network
    size = size or analysis_size(9, 16, network.config.analysis_short_side)
    form = path.suffix.lower()
    if form not in {".onnx", ".pt2"}:
        raise InputError("a graph ends in .onnx or .pt2", path=path, hint="give the output one of these endings")
    if any(side % 16 or not 32 <= side <= 1024 for side in size):
        raise InputError(
            f"frames of {size[0]}x{size[1]} cannot be analysed",
            hint="give a height and a width from 32 to 1024, both multiples of 16",
        )
    if form == ".onnx":
        _need_packages()
    check_output(path)
    facts = _facts(checkpoint)
    program = trace(network, size)
    if form == ".onnx":
        data = onnx_bytes(program, facts)
        run = run_onnx(data)
    else:
        data = torch_bytes(program, facts)
        run = run_torch(data)
    differences = largest_differences(network, run, check_windows(network.config.window, size).values())
    for name, difference in differences.items():
        if not difference <= TOLERANCE:  # in this form it catches NaN too
            raise GraphError(
                f"the graph was not written, because its {name} is off by {difference:.1e} from torch's, "
                f"where {TOLERANCE:g} is let through",
                path=path,
                hint="try another size or the other ending",
            )
    _write(path, data)
    return GraphReport(path, size, network.config.window, checkpoint.model_hash, len(data), differences)


class _Analyse(nn.Module):
    """`VECNet.analyse` with its fields by name, so that the file needs no class of ours."""

    def __init__(self, network: VECNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, window: Tensor) -> dict[str, Tensor]:
        """``(B, N, 3, H, W)`` to the fields."""
        fields = self.network.analyse(window)
        return {name: getattr(fields, name) for name in OUTPUTS}


def trace(network: VECNet, size: tuple[int, int]) -> ExportedProgram:
    """The slow step as torch.export's graph: one size, any batch."""
    # Two windows: with one, the batch would be taken for a constant.
    window = torch.zeros(2, network.config.window, 3, *size)
    with torch.no_grad():
        program = torch.export.export(
            _Analyse(network), (window,), dynamic_shapes={INPUT: {0: torch.export.Dim("batch", min=1)}}
        )
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names folders of this machine
    return program


def torch_bytes(program: ExportedProgram, facts: dict[str, str]) -> bytes:
    """The content of a ``.pt2`` file; ``facts`` lie in it as the extra file ``vecnet.json``."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={"vecnet.json": json.dumps(facts)})
    return buffer.getvalue()


def run_torch(data: bytes) -> Run:
    """What a ``.pt2`` file computes."""
    module = torch.export.load(io.BytesIO(data)).module()

    def run(window: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            return module(window)

    return run


def onnx_bytes(program: ExportedProgram, facts: dict[str, str]) -> bytes:
    """The content of an ``.onnx`` file; ``facts`` are its metadata, the meanings its outputs' descriptions."""
    import onnx

    with _quiet_conversion():
        # onnxruntime's own transform of 56 columns is 20 times less exact than torch's (3e-6 against 1e-7), which an
        # alignment of noise makes 5e-3 of a grid; as products with matrices it is as exact, and other runtimes have
        # them all. Torch keeps its FFT, in half the time (0.13 against 0.26 ms for 5 planes of 32x56, 2026-11).
        aten = torch.ops.aten
        program = program.run_decompositions(
            {aten.fft_rfft2.default: real_spectrum, aten.fft_irfft2.default: from_real_spectrum}
        )
        made = torch.onnx.export(
            program,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes={INPUT: {0: "batch"}},
            opset_version=OPSET,
            verbose=False,
        )
    if made is None:
        raise GraphError("torch made no ONNX graph", hint="try the ending .pt2")
    model = made.model_proto
    for part in (model.graph, *model.graph.node, *model.graph.value_info):
        part.ClearField("metadata_props")  # names of folders of this machine; a seventh of the file
    for value in model.graph.output:
        value.doc_string = OUTPUTS[value.name]
    model.graph.input[0].doc_string = INPUT_MEANING
    onnx.helper.set_model_props(model, facts)
    return model.SerializeToString()


def run_onnx(data: bytes) -> Run:
    """What an ``.onnx`` file computes, on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]

    def run(window: Tensor) -> dict[str, Tensor]:
        arrays = session.run(None, {INPUT: window.numpy()})
        return {name: torch.from_numpy(array) for name, array in zip(names, arrays, strict=True)}

    return run


def largest_differences(network: VECNet, run: Run, windows: Iterable[Tensor]) -> dict[str, float]:
    """Largest absolute difference of each field between a graph and the network.

    Args:
        network: The network, on the CPU.
        run: The graph.
        windows: Windows ``(N, 3, H, W)``; all go in as one batch, then the first one alone.

    Returns:
        By field, in its own unit; infinite where a field is missing or has another shape.
    """
    batch = torch.stack(tuple(windows))
    differences = dict.fromkeys(OUTPUTS, 0.0)
    for window in (batch, batch[:1]):
        with torch.no_grad():
            fields = network.analyse(window)
        found = run(window)
        for name in OUTPUTS:
            wanted, got = getattr(fields, name), found.get(name)
            same_form = got is not None and got.shape == wanted.shape
            difference = float((got - wanted).abs().max()) if same_form else math.inf
            # `max` would let NaN pass.
            differences[name] = difference if not difference <= differences[name] else differences[name]
    return differences


def check_windows(count: int, size: tuple[int, int]) -> dict[str, Tensor]:
    """Windows on which graph and network are compared: two random ones, and what footage brings.

    None is of one colour alone: its motion is rounding noise, and torch itself is 2e-4 from its own answer in doubles.

    Args:
        count: Frames of a window, N.
        size: Height and width.

    Returns:
        By name, ``(N, 3, H, W)`` in [0, 1]; the same at every call.
    """
    random = torch.Generator().manual_seed(0)
    flicker = torch.randn(count, generator=random).tolist()
    still = [0.0] * count
    return {
        "noise": torch.rand(count, 3, *size, generator=random),
        "other noise": torch.rand(count, 3, *size, generator=random),
        "still": _shot(still, 0, size, random),
        "dark": _shot([-4.0 + 0.2 * ev for ev in flicker], 2, size, random),
        "bright": _shot([2.0 + 0.2 * ev for ev in flicker], 2, size, random),
        "flickering": _shot([0.7 * ev for ev in flicker], 0, size, random),
        "moving": _shot(still, 6, size, random),
        "nearly black": _shot([-14.0] * count, 0, size, random),
    }


def _shot(exposures_ev: list[float], motion_px: int, size: tuple[int, int], random: torch.Generator) -> Tensor:
    """A camera that moves by ``motion_px`` a frame over a made-up scene, in 8 bits, each frame in its own exposure."""
    height, width = size
    wide = (height, width + motion_px * (len(exposures_ev) - 1))
    scene = torch.zeros(1, 3, *wide)
    for cells in (2, 4, 8, 16, 32):  # structure at every scale, the coarse the strongest, as in pictures
        noise = torch.rand(1, 3, cells, 2 * cells, generator=random)
        scene += F.interpolate(noise, size=wide, mode="bicubic", align_corners=False) / cells
    scene = (scene - scene.min()) / (scene.max() - scene.min())
    frames = [
        scene[0, :, :, t * motion_px : t * motion_px + width] * 2 ** (ev / DISPLAY_GAMMA)
        for t, ev in enumerate(exposures_ev)
    ]
    return (torch.stack(frames).clamp(0, 1) * 255).round() / 255


def real_spectrum(x: Tensor, s: list[int] | None = None, dim: tuple[int, int] = (-2, -1)) -> Tensor:
    """`torch.fft.rfft2` over the last two dimensions, at the size that is there, by products with matrices."""
    height, width = x.shape[-2:]
    cos, sin = _waves(width, x)
    real, imaginary = x @ cos[:, : width // 2 + 1], -(x @ sin[:, : width // 2 + 1])
    cos, sin = _waves(height, x)
    return torch.complex(cos @ real + sin @ imaginary, cos @ imaginary - sin @ real)


def from_real_spectrum(spectrum: Tensor, s: tuple[int, int], dim: tuple[int, int] = (-2, -1)) -> Tensor:
    """`torch.fft.irfft2` to the size ``s`` over the last two dimensions, by products with matrices."""
    height, width = s
    real, imaginary = spectrum.real, spectrum.imag
    cos, sin = _waves(height, real)
    real, imaginary = cos @ real - sin @ imaginary, cos @ imaginary + sin @ real
    column = torch.arange(width // 2 + 1, device=real.device)
    # Each column but the first and (of an even width) the last stands for its mirror image too.
    share = torch.where((column == 0) | (2 * column == width), 1.0, 2.0) / (height * width)
    cos, sin = _waves(width, real)
    return (real * share) @ cos[: width // 2 + 1] - (imaginary * share) @ sin[: width // 2 + 1]


def _waves(length: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of ``2 pi j k / length``, ``(length, length)`` each."""
    index = torch.arange(length, device=like.device)
    # The product is taken round the circle while it is whole: large angles lose digits.
    angle = (index[:, None] * index % length).double() * (2 * math.pi / length)
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def _facts(checkpoint: Checkpoint) -> dict[str, str]:
    """What the file says about itself."""
    return {
        "vecnet.model_hash": checkpoint.model_hash,
        "vecnet.config": json.dumps(asdict(checkpoint.network.config)),
        "vecnet.input": json.dumps({INPUT: INPUT_MEANING}),
        "vecnet.outputs": json.dumps(OUTPUTS),
    }


def _need_packages() -> None:
    """Refuse what cannot be done here, before the work.

    Raises:
        InputError: A package for ONNX is missing.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        install = f'type {sys.executable} -m pip install -c constraints.txt -e ".[onnx]" in the checkout'
        raise InputError(
            f"ONNX needs {' and '.join(missing)}, which {'are' if missing[1:] else 'is'} not installed",
            hint="give the output the ending .pt2" if is_bundle() else install,
        )


@contextmanager
def _quiet_conversion() -> Generator[None]:
    """Keep back what torch's converter says about itself: that there is no torchvision, how it copies its tree."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning)
            yield
    finally:
        log.setLevel(level)


def _write(path: Path, data: bytes) -> None:
    """Write the file whole or not at all.

    Raises:
        GraphError: It cannot be written.
    """
    try:
        write_whole(path, data)
    except OSError as error:
        raise GraphError(
            f"the graph cannot be written ({error.strerror or error})", path=path, hint="choose another place"
        ) from error
