"""Fixtures for all tests: clips made in code."""

import atexit
import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clips import make_clip

# Before torch is loaded: on a busy machine its threads wait for each other longer than these small tensors take.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# What a test exports must not be found in the cache of whoever runs it, nor stay there.
os.environ["VECNET_CACHE"] = tempfile.mkdtemp(prefix="vecnet-cache-")
atexit.register(shutil.rmtree, os.environ["VECNET_CACHE"], ignore_errors=True)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A 12-frame H.264 clip with B-frames, tagged BT.709 limited, with sound."""
    return make_clip(tmp_path / "clip.mp4", audio="aac")


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A folder nobody may write to; for root, to whom permissions mean nothing, the kernel's own."""
    if os.name != "posix":
        pytest.skip("folders are not locked by a mode here")
    if os.geteuid() == 0:
        if not Path("/proc/version").exists():
            pytest.skip("everything is writable for root")
        return Path("/proc")
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    return folder


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder nobody may look into, root neither."""
    folder = tmp_path / "closed"
    folder.mkdir()
    look = Path.stat

    def refuse(path: Path, **options: Any) -> os.stat_result:
        if folder in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    return folder


@pytest.fixture
def new_clip(tmp_path: Path) -> Callable[..., Path]:
    """Makes a clip of a name with the options of `clips.make_clip`."""

    def make(name: str, **options: Any) -> Path:
        return make_clip(tmp_path / name, **options)

    return make
