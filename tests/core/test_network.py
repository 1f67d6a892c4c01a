"""Laws of the network: shapes, ranges, Retinex division, a neutral start, and that it can learn."""

import dataclasses

import pytest
import torch

from vecnet_core.losses import LossWeights, all_losses, ssim, weighted_sum
from vecnet_core.network.illumination import FLOOR, brighten, darken, illuminate
from vecnet_core.network.synthesis import CurveHead, apply_curve, slice_grid, synthesise
from vecnet_core.network.vecnet import VECNet, VECNetConfig, light_statistics

TINY = VECNetConfig(analysis_short_side=32, widths=(8, 12, 16), depths=(1, 1, 1), token_channels=16)


def tiny() -> VECNet:
    torch.manual_seed(0)
    return VECNet(TINY)


@pytest.mark.parametrize("size", [(32, 32), (32, 64), (80, 48), (128, 320)])
@pytest.mark.parametrize("full", [(33, 47), (64, 48)])
def test_every_map_has_its_shape_and_range(size: tuple[int, int], full: tuple[int, int]) -> None:
    network = tiny()
    fields = network.analyse(torch.rand(2, 5, 3, *size))
    frame = torch.rand(2, 3, *full)
    output = network.render(frame, fields)
    for name in ("corrected", "relit", "brightened", "darkened", "synthesised", "weights"):
        picture = getattr(output, name)
        assert picture.shape == (2, 3, *full)
        assert picture.min() >= -1e-6
        assert picture.max() <= 1 + 1e-6
    assert torch.allclose(output.weights.sum(1), torch.ones(2, *full), atol=1e-5)
    assert (output.brightened >= output.relit - 1e-3).all()
    assert (output.darkened <= output.relit + 1e-3).all()
    lights = torch.cat((output.illumination_under, output.illumination_over))
    assert lights.min() >= 0.9 * FLOOR
    assert lights.max() <= 1


def test_candidates_and_weights_recompose_to_the_result() -> None:
    output = tiny()(torch.rand(1, 5, 3, 32, 48))
    x = output.relit
    candidates = (output.brightened, output.darkened, output.synthesised)
    recomposed = x + sum(output.weights[:, k : k + 1] * (y - x) for k, y in enumerate(candidates))
    assert (recomposed.clamp(0, 1) - output.corrected).abs().max() < 1 / 255


def test_white_light_leaves_the_frame_and_white_stays_white() -> None:
    x = torch.linspace(0, 1, 100).view(1, 1, 10, 10)
    white = torch.ones(1)
    assert torch.allclose(brighten(x, white), x, atol=2e-4)
    assert torch.allclose(darken(x, white), x, atol=2e-4)
    dim = torch.tensor(0.3)
    assert brighten(torch.ones(1), dim) == 1
    assert darken(torch.ones(1), dim) > 0.999


def test_division_passes_gradient_to_light_on_both_sides_of_the_maximum() -> None:
    light = torch.tensor([0.49, 0.51], requires_grad=True)
    brighten(torch.tensor([0.5, 0.5]), light).sum().backward()
    assert light.grad is not None
    assert (light.grad < -0.1).all()


def test_curves_start_as_the_identity_and_always_rise() -> None:
    torch.manual_seed(1)
    head = CurveHead(8)
    x = torch.rand(4, 3, 6, 6)
    exponent, values = head(torch.zeros(4, 8))
    assert torch.allclose(apply_curve(x, exponent, values), x, atol=2e-3)
    exponent, values = head(1000 * torch.randn(4, 8))
    assert (values.diff(dim=-1) > 0).all()
    assert (exponent > 0.12).all()
    assert (exponent < 8.01).all()


def test_a_constant_grid_is_constant_whatever_the_guide() -> None:
    grid = torch.arange(15.0).view(1, 15, 1, 1, 1).expand(1, 15, 8, 4, 6)
    sliced = slice_grid(grid, torch.rand(1, 20, 30))
    assert torch.allclose(sliced, torch.arange(15.0).view(1, 15, 1, 1).expand_as(sliced), atol=1e-5)


def test_light_statistics_follow_the_light_smoothly() -> None:
    frame = torch.rand(1, 3, 64, 64) * 0.5 + 0.2
    here, near, far = (light_statistics(frame * factor) for factor in (1.0, 1.002, 1.3))
    assert (near - here).abs().max() < 0.02
    assert (far - here).abs().max() > 0.1


SWITCHES = ["use_alignment", "use_dual_stream", "use_synthesis", "use_token", "use_curve", "use_grid"]


def switched(switch: str) -> tuple[VECNet, VECNet]:
    """The same weights, far from their neutral start, with all parts and without one."""
    networks = VECNet(TINY), VECNet(dataclasses.replace(TINY, **{switch: False}))
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in networks[0].parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    networks[1].load_state_dict(networks[0].state_dict())
    return networks


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_part_can_be_switched_off_and_makes_a_difference(switch: str) -> None:
    whole, without = switched(switch)
    torch.manual_seed(1)
    window = torch.rand(1, 5, 3, 32, 32)
    output = without(window)
    assert torch.isfinite(output.corrected).all()
    assert not torch.allclose(whole(window).corrected, output.corrected, atol=1e-3)


def test_without_synthesis_the_third_candidate_has_no_weight() -> None:
    assert switched("use_synthesis")[1](torch.rand(1, 5, 3, 32, 32)).weights[:, 2].max() < 1e-6


def test_without_alignment_the_neighbours_do_not_matter() -> None:
    network = switched("use_alignment")[1]
    window, other = torch.rand(2, 1, 5, 3, 32, 32)
    other[:, 2] = window[:, 2]
    assert torch.equal(network(other).corrected, network(window).corrected)


def test_without_curve_and_grid_the_third_candidate_is_the_frame() -> None:
    neither = VECNet(dataclasses.replace(TINY, use_curve=False, use_grid=False))
    neither.load_state_dict(switched("use_curve")[0].state_dict())
    output = neither(torch.rand(1, 5, 3, 32, 32) * 0.9)
    assert torch.allclose(output.synthesised, output.relit, atol=1e-5)


def test_without_the_token_a_brighter_frame_is_felt_through_the_streams_alone() -> None:
    network = switched("use_token")[1]
    seen: list[torch.Tensor] = []
    network.scene.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.rand(1, 5, 3, 32, 32))
    assert seen[0].abs().max() == 0


def test_a_tiny_network_overfits_one_window() -> None:
    network = tiny()
    good = torch.nn.functional.interpolate(torch.rand(1, 3, 6, 6), size=(32, 32), mode="bicubic").clamp(0.05, 0.95)
    window = (good * 0.3)[:, None].expand(1, 5, 3, 32, 32)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    first = last = 0.0
    for step in range(120):
        fields, features = network.analyse_features(window)
        output = network.render(window[:, 2], fields)
        terms = all_losses(
            output,
            fields,
            good,
            features_bad=features,
            features_good=network.still_features(good).detach(),
            windows_a_sequence=1,
            is_pair=False,
        )
        loss = weighted_sum(terms, LossWeights())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        last = float(terms["reconstruction"].detach())
        first = last if step == 0 else first
    assert last < 0.15 * first


def test_similarity_is_one_for_the_same_frame() -> None:
    frame = torch.rand(2, 3, 32, 32)
    assert ssim(frame, frame) == pytest.approx(1.0, abs=1e-5)
    assert ssim(frame, frame * 0.3) < 0.9


def test_clipped_white_has_no_colour_whatever_the_coefficients() -> None:
    toned = torch.rand(1, 3, 8, 8)
    sliced = 0.3 * torch.randn(1, 12, 8, 8)
    assert synthesise(torch.ones(1, 3, 8, 8), toned, sliced).std(1).max() < 1e-6
    coloured = torch.ones(1, 3, 8, 8)
    coloured[:, 2] = 0.9
    assert torch.equal(synthesise(coloured, toned, sliced), synthesise(0.5 * coloured, toned, sliced))


def test_each_channel_is_divided_by_the_light_of_its_own_level() -> None:
    """A red cup: a channel at 0.9 needs other light than one at 0.2."""
    x = torch.tensor([0.9, 0.5, 0.2])[None, :, None, None].expand(1, 3, 4, 4)
    coefficients = torch.tensor([0.6, 0.6, 0.6, 0.8])[None, :, None, None].expand(1, 4, 4, 4)
    light = illuminate(x, coefficients)[0, :, 0, 0]
    assert light.tolist() == pytest.approx([0.92, 0.6, 0.36])
