"""Laws of the device: a wish is taken word for word or refused with a sentence that fits terminal and window."""

from __future__ import annotations

import pytest
import torch

from vecnet_core.device import choose_device
from vecnet_core.errors import DeviceError

MISSPELT = ["", "gpu", "CPU", "cpu:9", "cpu:", "auto:1", "mps:0", "cuda:", "cuda:x", "cuda:-1", "cuda: 1", "cuda:1:2"]


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    def name_of(number: int) -> str:
        return f"card {number}"

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", name_of)


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("cards", ["two_cards", "no_card"])
@pytest.mark.parametrize("wish", MISSPELT)
def test_a_misspelt_device_is_refused_with_and_without_a_card(
    wish: str, cards: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(cards)
    with pytest.raises(DeviceError, match=r"unknown device.*; choose auto, cpu"):
        choose_device(wish)


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize(
    ("wish", "name"),
    [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:0", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")],
)
def test_a_card_is_chosen_by_its_number(wish: str, name: str) -> None:
    assert choose_device(wish).name == name


@pytest.mark.usefixtures("two_cards")
def test_a_number_without_a_card_is_refused() -> None:
    with pytest.raises(DeviceError, match="no cuda:2; choose a number below 2"):
        choose_device("cuda:2")


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("wish", ["cuda", "cuda:1", "mps"])
def test_a_missing_card_is_told_in_words_that_also_fit_the_window(wish: str) -> None:
    with pytest.raises(DeviceError, match="choose the device cpu or auto") as refused:
        choose_device(wish)
    assert "--" not in refused.value.sentence


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("wish", ["auto", "cpu"])
def test_without_a_card_the_processor_computes(wish: str) -> None:
    assert choose_device(wish).name == "cpu"
