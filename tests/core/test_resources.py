"""What is shipped beside the code is found, in a checkout and in a bundle."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import av
import pytest

from vecnet_core.errors import InputError
from vecnet_core.resources import resource

if TYPE_CHECKING:
    from pathlib import Path


def test_the_sample_is_a_short_clip_with_sound() -> None:
    sample = resource("sample/sample.mp4")
    assert sample.stat().st_size <= 1_500_000
    with av.open(str(sample)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert container.streams.video[0].frames == 180


def test_in_a_bundle_the_resources_lie_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "note.txt").write_text("here")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resource("note.txt").read_text() == "here"


def test_a_missing_resource_says_so() -> None:
    with pytest.raises(InputError, match="install the editor again"):
        resource("nowhere.bin")
