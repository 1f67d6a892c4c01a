"""Laws of rendering: preview equals export, windows keep to their scene, neutral is untouched, memory stays bounded."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from vecnet_core.checkpoint import Checkpoint
from vecnet_core.correction.corrector import Corrector
from vecnet_core.device import Device
from vecnet_core.errors import InputError, VideoDamageError
from vecnet_core.frame import Part, Region
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.rendering import ClipRenderer, LightScan
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.color import from_rgb
from vecnet_core.video.reader import VideoReader

TINY = VECNetConfig(analysis_short_side=32, widths=(8, 12, 16), depths=(1, 1, 1), token_channels=16)


@pytest.fixture(scope="module")
def corrector() -> Corrector:
    torch.manual_seed(3)
    network = VECNet(TINY).eval().requires_grad_(requires_grad=False)
    for name, value in network.named_parameters():
        if any(part in name for part in ("curve.", "grid.head", "illumination.head")):
            value.add_(0.1 * torch.randn_like(value))
    return Corrector(Checkpoint(network, "test"), Device("cpu", "CPU"))


@pytest.fixture
def reader(clip: Path) -> Iterator[VideoReader]:
    with VideoReader(clip) as opened:
        yield opened


def scanned(reader: VideoReader) -> LightScan:
    scan = LightScan(reader)
    assert [sample.index for sample in scan] == list(range(reader.info.frame_count))
    return scan


def test_preview_at_full_size_is_the_exported_frame(reader: VideoReader, corrector: Corrector) -> None:
    light = scanned(reader).light
    settings = CorrectionSettings(strength=0.8, exposure_ev=0.3)
    exported = list(ClipRenderer(reader, corrector, light).corrected_frames(settings))
    assert [frame.index for frame in exported] == list(range(reader.info.frame_count))
    renderer = ClipRenderer(reader, corrector, light)
    for index in (7, 0, 11, 3):
        source = reader.frame(index)
        shown = from_rgb(renderer.render(index, settings).corrected, source)
        # To the last bit on a CPU; a GPU's batches add up in another order.
        assert all(map(np.array_equal, shown.planes, exported[index].planes))
        assert exported[index].pts == source.pts


def test_a_range_exports_what_the_whole_clip_would(reader: VideoReader, corrector: Corrector) -> None:
    light = scanned(reader).light
    whole = list(ClipRenderer(reader, corrector, light).corrected_frames(CorrectionSettings()))
    part = list(ClipRenderer(reader, corrector, light).corrected_frames(CorrectionSettings(), 3, 9))
    assert [frame.index for frame in part] == list(range(3, 9))
    for frame in part:
        assert all(map(np.array_equal, frame.planes, whole[frame.index].planes))


def test_neutral_settings_hand_the_planes_through(reader: VideoReader, corrector: Corrector) -> None:
    neutral = CorrectionSettings(strength=0.0)
    for frame in ClipRenderer(reader, corrector).corrected_frames(neutral):
        assert all(np.array_equal(a, b) for a, b in zip(frame.planes, reader.frame(frame.index).planes, strict=True))


def test_a_slider_never_runs_the_network(reader: VideoReader, corrector: Corrector) -> None:
    renderer = ClipRenderer(reader, corrector)
    assert not renderer.is_analysed(5)
    renderer.render(5, CorrectionSettings())
    assert renderer.is_analysed(5)
    analysis = renderer.analysis(5)
    moved = renderer.render(5, CorrectionSettings(shadows=0.2, highlights=1.7), size=(24, 32))
    assert renderer.analysis(5) is analysis
    assert moved.corrected.shape == (24, 32, 3)
    assert renderer.maps(5, CorrectionSettings(), size=(24, 32)).weights.shape == (24, 32, 3)


def test_knowing_the_light_makes_old_analyses_stale(reader: VideoReader, corrector: Corrector) -> None:
    renderer = ClipRenderer(reader, corrector)
    renderer.analysis(5)
    light = scanned(reader).light
    light.gains_ev[:] = 0.2
    renderer.set_light(light)
    assert not renderer.is_analysed(5)
    assert renderer.gain_ev(5) == pytest.approx(0.2)


def test_scan_measures_flicker_of_a_clip(new_clip: Callable[..., Path]) -> None:
    with VideoReader(new_clip("plain.mp4")) as reader:
        scan = LightScan(reader)
        with pytest.raises(InputError):
            _ = scan.light
        samples = list(scan)
        assert len(scan.light.gains_ev) == reader.info.frame_count
        assert samples[3].thumbnail.dtype == np.uint8
        assert [sample.exposure_ev for sample in samples] == list(scan.light.exposures_ev)


def test_corrected_exposure_is_that_of_the_shown_frame(reader: VideoReader, corrector: Corrector) -> None:
    renderer = ClipRenderer(reader, corrector)
    darker = renderer.corrected_exposure(4, CorrectionSettings(exposure_ev=-1.0))
    assert darker < renderer.corrected_exposure(4, CorrectionSettings()) - 0.7


def break_frames(path: Path, *indices: int) -> None:
    """Overwrite the packets of some frames of an FFV1 clip."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    for index in indices:
        assert data.count(packets[index]) == 1
        data = data.replace(packets[index], b"\xff" * len(packets[index]))
    path.write_bytes(data)


def test_damage_outside_the_range_does_not_stop_it(new_clip: Callable[..., Path], corrector: Corrector) -> None:
    """The hint of a damaged frame says to correct the parts before and after it; these read frames past their ends."""
    path = new_clip("clip.mkv", codec="ffv1", options={"slicecrc": "1", "level": "3", "g": "1"})
    break_frames(path, 2, 9)
    with VideoReader(path, is_strict=True) as reader:
        renderer = ClipRenderer(reader, corrector)
        for start, stop in ((0, 2), (3, 9), (3, 4), (8, 9), (10, 12)):
            part = list(renderer.corrected_frames(CorrectionSettings(), start, stop))
            assert [frame.index for frame in part] == list(range(start, stop))
        with pytest.raises(VideoDamageError) as caught:
            list(renderer.corrected_frames(CorrectionSettings(), 3, 10))
        assert caught.value.frame == 9


def test_windows_beside_damage_repeat_the_last_frame_that_can_be_read(
    new_clip: Callable[..., Path], corrector: Corrector
) -> None:
    whole = new_clip("whole.mkv", codec="ffv1", frames=7, options={"slicecrc": "1", "level": "3", "g": "1"})
    broken = new_clip("broken.mkv", codec="ffv1", options={"slicecrc": "1", "level": "3", "g": "1"})
    break_frames(broken, 7)
    with VideoReader(whole) as short, VideoReader(broken, is_strict=True) as long:
        wanted = ClipRenderer(short, corrector).corrected_frames(CorrectionSettings(), 0, 7)
        found = ClipRenderer(long, corrector).corrected_frames(CorrectionSettings(), 0, 7)
        for ours, theirs in zip(found, wanted, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(ours.planes, theirs.planes, strict=True))


# Parts and regions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("denoise", [0.0, 0.7])
@pytest.mark.parametrize("part", [Part(0, 0, 48, 64), Part(7, 13, 20, 31), Part(47, 63, 1, 1)])
def test_a_part_is_what_the_whole_frame_shows_there(
    reader: VideoReader, corrector: Corrector, part: Part, denoise: float
) -> None:
    settings = CorrectionSettings(strength=0.8, shadows=1.3, exposure_ev=0.3, denoise=denoise)
    renderer = ClipRenderer(reader, corrector, scanned(reader).light)
    whole, seen = renderer.render(5, settings), renderer.render(5, settings, part=part)
    assert np.array_equal(seen.original, whole.original[part.slices])
    # The denoiser's sums are the same whatever the tile, up to their order.
    assert np.abs(seen.corrected - whole.corrected[part.slices]).max() <= (1e-6 if denoise else 0.0)
    assert np.abs(whole.corrected - whole.original).max() > 0.01


def test_maps_of_a_part_are_those_of_the_whole(reader: VideoReader, corrector: Corrector) -> None:
    renderer, part = ClipRenderer(reader, corrector), Part(9, 3, 12, 17)
    whole, seen = renderer.maps(2, CorrectionSettings()), renderer.maps(2, CorrectionSettings(), part=part)
    for name in ("corrected", "weights", "illumination_under", "gain_stops"):
        assert np.array_equal(getattr(seen, name), getattr(whole, name)[part.slices]), name


def test_a_region_is_measured_in_itself(reader: VideoReader, corrector: Corrector) -> None:
    renderer, settings = ClipRenderer(reader, corrector), CorrectionSettings()
    whole = renderer.region_exposures(4, settings, Region(0, 0, 1, 1))
    assert whole[1] == pytest.approx(renderer.corrected_exposure(4, settings))
    halves = [renderer.region_exposures(4, settings, Region(0, top, 1, top + 0.5)) for top in (0.0, 0.5)]
    for side in (0, 1):
        assert 2.0 ** whole[side] == pytest.approx(np.mean([2.0 ** half[side] for half in halves]), rel=1e-4)
    assert halves[0] != halves[1]


def test_a_region_is_never_empty() -> None:
    picture = np.zeros((4, 6, 3), np.float32)
    assert Region(1.0, 1.0, 1.0, 1.0).of(picture).shape == (1, 1, 3)
    assert Region(0.5, 0.25, 0.5, 0.25).of(picture).shape == (1, 1, 3)
    assert Region(0.0, 0.25, 0.5, 0.75).of(picture).shape == (2, 3, 3)


def test_a_part_stays_in_its_frame() -> None:
    assert Part(-4, 60, 10, 10).within(48, 64) == Part(0, 60, 6, 4)
    assert Part(90, 90, 5, 5).within(48, 64)[2:] == (0, 0)
    assert Part(7, 13, 20, 31).grown(8, 48, 64) == Part(0, 0, 35, 52)
