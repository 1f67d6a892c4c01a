"""Laws of the graph: the file computes what torch computes, says what it is, and is not written when it does not."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import vecnet_core
from vecnet_core import graph
from vecnet_core.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from vecnet_core.cli import main
from vecnet_core.errors import GraphError, InputError
from vecnet_core.network.vecnet import Fields, VECNet, VECNetConfig
from vecnet_core.resources import resource

TINY = VECNetConfig(analysis_short_side=32, widths=(8, 12, 16), depths=(1, 1, 1), token_channels=16)
SHALLOW = dataclasses.replace(TINY, depths=(0, 0, 0))  # converts in two thirds of the time, with every kind of layer
SIZE = (32, 48)
HAS_ONNX = all(importlib.util.find_spec(name) for name in graph.PACKAGES)
needs_onnx = pytest.mark.skipif(not HAS_ONNX, reason="the extra onnx is not installed")


def random_network(config: VECNetConfig = TINY) -> VECNet:
    """A network in which everything matters: a fresh one starts with zeros, behind which errors would hide."""
    torch.manual_seed(0)
    network = VECNet(config).eval().requires_grad_(requires_grad=False)
    for parameter in network.parameters():
        parameter += 0.1 * torch.randn_like(parameter)
    return network


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_checkpoint(path, random_network(), {})
    return path


@pytest.fixture(scope="module")
def checkpoint(weights: Path) -> Checkpoint:
    return load_checkpoint(weights)


@pytest.fixture(scope="module")
def torch_file(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> tuple[Path, dict[str, Any]]:
    """A graph that the command wrote, and what it said."""
    folder = tmp_path_factory.mktemp("torch")
    path, said = folder / "new" / "net.pt2", folder / "said.json"
    assert main(["graph", str(path), "--size", "32x48", "--checkpoint", str(weights), "--json", str(said)]) == 0
    assert list(path.parent.iterdir()) == [path]
    return path, json.loads(said.read_text())


@pytest.fixture(scope="module")
def torch_run(torch_file) -> graph.Run:
    return graph.run_torch(torch_file[0].read_bytes())


@pytest.fixture(scope="module")
def onnx_report(tmp_path_factory: pytest.TempPathFactory) -> graph.GraphReport:
    checkpoint = Checkpoint(random_network(SHALLOW), "0123456789abcdef")
    return graph.write_graph(tmp_path_factory.mktemp("onnx") / "net.onnx", checkpoint, SIZE)


@pytest.fixture
def traced(monkeypatch, torch_file) -> bytes:
    """The graph of the tiny network, without the seconds that tracing takes."""
    data = torch_file[0].read_bytes()
    monkeypatch.setattr(graph, "trace", lambda *_: None)
    monkeypatch.setattr(graph, "torch_bytes", lambda *_: data)
    return data


def assert_same_fields(run: graph.Run, network: VECNet, batch: int) -> None:
    """Also on windows that the command did not try, and for a batch of another size."""
    shots = graph.check_windows(5, (SIZE[0], SIZE[1] + 8 * (batch - 1)))
    window = torch.stack([shots["moving"][..., 8 * k : 8 * k + SIZE[1]] ** (1 + k) for k in range(batch)])
    fields, found = network.analyse(window), run(window)
    assert list(found) == [field.name for field in dataclasses.fields(Fields)]
    for name, value in found.items():
        assert value.shape == getattr(fields, name).shape
        assert torch.allclose(value, getattr(fields, name), rtol=0, atol=1e-3), name


@pytest.mark.parametrize("batch", [1, 3])
def test_the_torch_file_computes_what_torch_computes(torch_file, torch_run, checkpoint: Checkpoint, batch: int) -> None:
    assert_same_fields(torch_run, checkpoint.network, batch)
    differences = torch_file[1]["differences"]
    assert set(differences) == set(graph.OUTPUTS)
    assert max(differences.values()) < 1e-6
    assert torch_file[1]["shape"] == ["batch", 5, 3, *SIZE]


@needs_onnx
@pytest.mark.parametrize("batch", [1, 3])
def test_the_onnx_file_computes_what_torch_computes(onnx_report: graph.GraphReport, batch: int) -> None:
    assert_same_fields(graph.run_onnx(onnx_report.path.read_bytes()), random_network(SHALLOW), batch)
    assert max(onnx_report.differences.values()) < 1e-3
    assert list(onnx_report.path.parent.iterdir()) == [onnx_report.path]


def test_the_torch_file_says_what_it_is(torch_file, checkpoint: Checkpoint) -> None:
    path, said = torch_file
    extra = {"vecnet.json": ""}
    torch.export.load(io.BytesIO(path.read_bytes()), extra_files=extra)
    facts = json.loads(extra["vecnet.json"])
    assert facts["vecnet.model_hash"] == said["model_hash"] == checkpoint.model_hash
    assert set(json.loads(facts["vecnet.outputs"])) == set(graph.OUTPUTS)


@needs_onnx
def test_the_onnx_file_says_what_it_is(onnx_report: graph.GraphReport) -> None:
    import onnx

    model = onnx.load(onnx_report.path)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts["vecnet.model_hash"] == "0123456789abcdef"
    assert json.loads(facts["vecnet.config"]) == json.loads(json.dumps(dataclasses.asdict(SHALLOW)))
    assert {value.name: value.doc_string for value in model.graph.output} == graph.OUTPUTS
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert [each.dim_param or each.dim_value for each in shape] == ["batch", 5, 3, *SIZE]
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": graph.OPSET}
    # Few runtimes have a Fourier transform, and onnxruntime's is inexact at sizes that are no power of two.
    assert not {"DFT", "STFT"} & {node.op_type for node in model.graph.node}


@needs_onnx
def test_a_file_names_no_folder_of_this_machine(torch_file, onnx_report: graph.GraphReport) -> None:
    folders = [str(Path(module.__file__).parent).encode() for module in (vecnet_core, torch)]
    for path in (torch_file[0], onnx_report.path):
        content = path.read_bytes()
        assert not any(folder in content for folder in folders)


def test_outputs_are_the_fields() -> None:
    assert list(graph.OUTPUTS) == [field.name for field in dataclasses.fields(Fields)]


@pytest.mark.parametrize("part", ["exposure.bias", "grid.guide", "stem.embed.weight", "curve.steps.bias"])
def test_the_comparison_notices_a_weight_that_is_off(torch_run: graph.Run, part: str) -> None:
    """By a fiftieth, in one row of one layer."""
    other = random_network()
    other.get_parameter(part)[:1] += 0.02
    windows = graph.check_windows(5, SIZE).values()
    assert max(graph.largest_differences(random_network(), torch_run, windows).values()) < 1e-6
    assert max(graph.largest_differences(other, torch_run, windows).values()) > graph.TOLERANCE


@pytest.mark.parametrize("fault", ["nan", "shape", "missing"])
def test_the_comparison_notices_what_is_no_difference_in_numbers(checkpoint: Checkpoint, fault: str) -> None:
    def run(window: torch.Tensor) -> dict[str, torch.Tensor]:
        found = dict(vars(checkpoint.network.analyse(window)))
        if fault == "missing":
            del found["grid"]
        else:
            found["grid"] = found["grid"][:, :, :, :1] if fault == "shape" else found["grid"] * math.nan
        return found

    differences = graph.largest_differences(checkpoint.network, run, graph.check_windows(5, SIZE).values())
    assert not differences.pop("grid") <= graph.TOLERANCE
    assert max(differences.values()) == 0


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("error", [0.01, math.nan])
def test_a_graph_that_is_off_is_not_written(tmp_path: Path, monkeypatch, checkpoint: Checkpoint, error: float) -> None:
    path = tmp_path / "net.pt2"
    path.write_bytes(b"an earlier one")

    def off(_data: bytes) -> graph.Run:
        return lambda window: {
            name: value + (error if name == "exposure_ev" else 0)
            for name, value in vars(checkpoint.network.analyse(window)).items()
        }

    monkeypatch.setattr(graph, "run_torch", off)
    with pytest.raises(GraphError, match="exposure_ev is off by"):
        graph.write_graph(path, checkpoint, SIZE)
    assert path.read_bytes() == b"an earlier one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_is_kept(tmp_path: Path, weights: Path, capsys) -> None:
    path = tmp_path / "net.pt2"
    path.write_bytes(b"an earlier one")
    assert main(["graph", str(path), "--checkpoint", str(weights)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert path.read_bytes() == b"an earlier one"


def test_a_file_that_is_there_is_replaced_on_demand(tmp_path: Path, weights: Path, traced: bytes) -> None:
    path = tmp_path / "net.pt2"
    path.write_bytes(b"an earlier one")
    assert main(["graph", str(path), "--checkpoint", str(weights), "--size", "32x48", "--overwrite"]) == 0
    assert path.read_bytes() == traced
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("net.mp4", [], "ends in .onnx or .pt2"),
        ("net", [], "ends in .onnx or .pt2"),
        ("net.pt2", ["--size", "100x224"], "100x224 cannot be analysed"),
        ("net.pt2", ["--size", "16x16"], "16x16 cannot be analysed"),
        ("net.pt2", ["--size", "128x4096"], "128x4096 cannot be analysed"),
        ("net.pt2", ["--checkpoint", "nowhere.safetensors"], "nowhere.safetensors"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path: Path, weights: Path, capsys, name, options, says) -> None:
    given = options if "--checkpoint" in options else [*options, "--checkpoint", str(weights)]
    assert main(["graph", str(tmp_path / "new" / name), *given]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_command_has_help(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["graph", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(word in told for word in (".onnx", ".pt2", "--size", "--checkpoint", "--overwrite", "--json"))


@pytest.mark.parametrize("size", ["128", "128x", "axb", "-128x224", "128x224x3"])
def test_a_size_is_two_numbers(capsys, size: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["graph", "net.onnx", f"--size={size}"])
    assert ended.value.code == 2
    assert "is no size" in capsys.readouterr().err


def test_a_locked_folder_is_one_sentence(locked: Path, weights: Path, capsys) -> None:
    assert main(["graph", str(locked / "net.pt2"), "--checkpoint", str(weights)]) == 2
    assert "not writable" in capsys.readouterr().err


@pytest.mark.usefixtures("traced")
def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path, monkeypatch, checkpoint: Checkpoint) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vecnet_core.video.parts.os.fsync", full)
    with pytest.raises(GraphError, match="No space left"):
        graph.write_graph(tmp_path / "net.pt2", checkpoint, SIZE)
    assert not list(tmp_path.iterdir())


def test_missing_packages_are_named_with_what_to_type(tmp_path: Path, monkeypatch, checkpoint: Checkpoint) -> None:
    look = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else look(name))
    with pytest.raises(InputError, match="onnxscript") as refused:
        graph.write_graph(tmp_path / "net.onnx", checkpoint, SIZE)
    assert '-e ".[onnx]"' in refused.value.sentence
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(32, 56), (7, 9), (8, 5), (1, 2)])
def test_a_spectrum_by_matrices_is_the_fourier_transform(size: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *size)
    spectrum = torch.fft.rfft2(x.double())
    assert (graph.real_spectrum(x) - spectrum).abs().max() < 2e-7 * spectrum.abs().max()
    assert (graph.from_real_spectrum(spectrum.to(torch.complex64), size) - x).abs().max() < 2e-6


def test_the_windows_are_the_same_each_time_and_differ_from_each_other() -> None:
    windows, again = graph.check_windows(5, SIZE), graph.check_windows(5, SIZE)
    assert {"noise", "dark", "bright", "flickering", "moving"} <= set(windows)
    for name, window in windows.items():
        assert window.shape == (5, 3, *SIZE)
        assert window.min() >= 0
        assert window.max() <= 1
        assert torch.equal(window, again[name])
    mean = {name: float(window.mean()) for name, window in windows.items()}
    assert mean["nearly black"] < 0.02 < mean["dark"] < 0.5 * mean["still"] < mean["still"] < 0.8 * mean["bright"]
    light = windows["flickering"].mean((1, 2, 3))
    assert light.max() > 1.2 * light.min()
    assert (windows["moving"].diff(dim=0).abs().mean((1, 2, 3)) > 0.01).all()
    assert not windows["still"].diff(dim=0).any()


@pytest.mark.slow
@pytest.mark.parametrize("switch", [field.name for field in dataclasses.fields(VECNetConfig) if field.type == "bool"])
def test_every_ablation_can_be_written(tmp_path: Path, switch: str) -> None:
    network = random_network(dataclasses.replace(TINY, **{switch: False}))
    for ending in ("pt2", "onnx") if HAS_ONNX else ("pt2",):
        report = graph.write_graph(tmp_path / f"net.{ending}", Checkpoint(network, "0" * 16), SIZE)
        assert report.path.stat().st_size == report.byte_count


@pytest.mark.slow
@needs_onnx
def test_the_shipped_weights_can_be_written(tmp_path: Path) -> None:
    report = graph.write_graph(tmp_path / "net.onnx", load_checkpoint(resource("weights/vecnet.safetensors")))
    assert report.size == (128, 224)
    assert max(report.differences.values()) < 1e-3
