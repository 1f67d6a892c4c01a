"""Laws of MPA: motion is found whatever the exposure, light is measured whatever the motion."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage import data

from vecnet_core.network.alignment import DISPLAY_GAMMA, align_window, common_amplitude, luma, relight, warp

EXPOSURES_EV = (-2.0, -1.0, 0.0, 1.0, 2.0)


def photo(name: str, side: int = 160) -> np.ndarray:
    """A real photograph, cropped to a square and reduced."""
    image = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
    edge = min(image.shape[-2:])
    return F.interpolate(image[..., :edge, :edge], size=(side, side), mode="area")[0].permute(1, 2, 0).numpy()


def moved_window(image: np.ndarray, dx: int, dy: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A window whose neighbours are moved by (dx, dy) and exposed from -2 to +2 EV; and the same in one light."""
    crops = []
    for t in range(5):
        x, y = (0, 0) if t == 2 else (dx, dy)
        crops.append(image[16 + y : 144 + y, 16 + x : 144 + x])
    plain = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)[None]
    factors = torch.tensor([2.0 ** (ev / DISPLAY_GAMMA) for ev in EXPOSURES_EV])
    return (plain * factors[:, None, None, None]).clamp(0, 1), plain


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
@pytest.mark.parametrize("move", [(8, 0), (-8, 0), (0, 8), (0, -8), (6, -5)])
def test_neighbours_8_px_and_2_ev_apart_are_aligned_to_half_the_error(name: str, move: tuple[int, int]) -> None:
    window, plain = moved_window(photo(name), *move)
    aligned = align_window(window)
    planes = F.avg_pool2d(luma(plain)[0], 4)
    centre = planes[2:3]
    before = (planes - centre).abs()[..., 3:-3, 3:-3].mean((1, 2, 3))
    after = (warp(planes, aligned.flow[0]) - centre).abs()[..., 3:-3, 3:-3].mean((1, 2, 3))
    neighbours = [0, 1, 3, 4]
    assert (after[neighbours] <= 0.5 * before[neighbours]).all()


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_light_is_measured_while_things_move(name: str) -> None:
    window, _ = moved_window(photo(name), 5, 3)
    gain = align_window(window).gain_ev[0]
    wanted = torch.tensor([-ev for ev in EXPOSURES_EV])
    assert (gain - wanted).abs().max() < 0.35


def test_a_still_window_is_left_where_it_is() -> None:
    frame = torch.from_numpy(photo("chelsea", 128)).permute(2, 0, 1)
    aligned = align_window(frame.expand(1, 5, -1, -1, -1))
    assert aligned.flow.abs().max() < 0.05
    assert aligned.gain_ev.abs().max() == 0
    assert torch.equal(aligned.frames[0, 2], frame)
    assert torch.allclose(aligned.agreement.sum(1), torch.ones(1, 1, 32, 32))


def test_common_amplitude_cancels_a_gain() -> None:
    frame = torch.from_numpy(photo("coffee", 64)).permute(2, 0, 1)
    plane = luma(frame)[0]
    planes = common_amplitude(torch.stack((0.25 * plane, plane, 0.5 * plane))[None])[0]
    assert torch.allclose(planes[0], planes[1], atol=1e-4)
    assert torch.allclose(planes[2], planes[1], atol=1e-4)


@pytest.mark.parametrize("gain_ev", [-2.0, -0.3, 0.0, 0.4, 1.5])
def test_relighting_keeps_clipped_white_white_and_order(gain_ev: float) -> None:
    ramp = torch.linspace(0, 1, 256).expand(3, 1, 256)
    lit = relight(ramp, torch.tensor(gain_ev))
    assert lit[..., -1].min() == pytest.approx(1.0, abs=1e-6)
    assert lit.diff(dim=-1).min() >= -1e-6
    assert lit.min() >= 0
    assert lit.max() <= 1
