"""What an export keeps until its file is whole: closed groups of pictures and a manifest, in a hidden folder beside it.

Whatever ends the process, the manifest names only groups that are on the disk: an interrupted export goes on behind
the last of them, and gives frame for frame what it would have given undisturbed.
"""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from vecnet_core.errors import InputError, VideoWriteError
from vecnet_core.video.numbering import has_output
from vecnet_core.video.parts import hidden_path, write_whole

if TYPE_CHECKING:
    from pathlib import Path

_ENDING = "vecnet"
WHOLE = "whole"
"""The stem of the joined file, until it takes the output's name."""

NAMING = "naming"
"""A mark that is made just before the joined file takes the output's name: where it is and that file is not, it has."""

PLACING = "placing.json"
"""A mark that pictures have begun to take their names; it stays as long as the groups do."""

_KEPT_ENDINGS = {".npz", ".json", ".safetensors"}
_ENDINGS = {*_KEPT_ENDINGS, ".packets", ".part"}
_MANIFEST, _LOCK = "manifest.json", "lock"
_VERSION = 1


@dataclass(frozen=True)
class Group:
    """A closed group of pictures.

    Attributes:
        name: Of its file.
        frames: How many frames of the clip are in it.
        size: Bytes of the file.
    """

    name: str
    frames: int
    size: int


@dataclass(frozen=True)
class Manifest:
    """What is kept of an export.

    Attributes:
        job: What is exported, and how, as plain values: only the same job goes on with it.
        total: Frames of the whole export.
        groups: The closed groups, in order.
    """

    job: dict[str, Any]
    total: int
    groups: tuple[Group, ...] = ()

    @property
    def frames(self) -> int:
        """Frames that are kept."""
        return sum(group.frames for group in self.groups)

    def to_json(self) -> bytes:
        """As a file."""
        return (json.dumps({"version": _VERSION, **asdict(self)}, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self | None:
        """From a file; None when it is no manifest of this version."""
        try:
            values = json.loads(text)
            if values["version"] != _VERSION:
                return None
            groups = tuple(
                Group(str(each["name"]), int(each["frames"]), int(each["size"])) for each in values["groups"]
            )
            made = cls(dict(values["job"]), int(values["total"]), groups)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None
        is_sound = all(group.frames > 0 and group.name == _group_name(number) for number, group in enumerate(groups))
        is_sound = is_sound and (not made.total or made.frames <= made.total)
        return made if is_sound else None


def unfinished_folder(output: Path) -> Path:
    """Where the unfinished export to an output keeps what it has."""
    return hidden_path(output, _ENDING)


def find_unfinished(output: Path) -> Manifest | None:
    """What an interrupted export to an output has kept; None when there is nothing to go on with."""
    manifest = _read_manifest(unfinished_folder(output))
    return manifest if manifest is not None and manifest.groups else None


def is_written(output: Path) -> bool:
    """True when an output is there and no export to it is unfinished, but for what a killed one had still to remove."""
    if not has_output(output):
        return False
    folder = unfinished_folder(output)
    return find_unfinished(output) is None or ((folder / NAMING).is_file() and not any(folder.glob(f"{WHOLE}*")))


def is_half_placed(output: Path) -> bool:
    """True when an export was stopped while its pictures took their names: those that are there are its own."""
    return (unfinished_folder(output) / PLACING).is_file()


def discard_unfinished(output: Path) -> None:
    """Remove what an interrupted export to an output has kept.

    Raises:
        InputError: The export is running.
        VideoWriteError: It cannot be removed.
    """
    folder = unfinished_folder(output)
    if not folder.is_dir():
        return
    _refuse_link(folder)
    lock = _locked(folder, output)
    try:
        _remove(folder, lock)
    except OSError as error:
        raise VideoWriteError(
            f"what an interrupted export left cannot be removed ({error.strerror})",
            path=folder,
            hint="remove it by hand",
        ) from error


class Unfinished:
    """The folder of a running export, locked against a second one.

    Args:
        output: The file that is to be written.
        manifest: What is to be exported, without groups.
        resume: Go on with what an interrupted export of the same job has kept.

    Attributes:
        path: The folder.
        manifest: What is kept.

    Raises:
        InputError: Another export to this output is running; or one was interrupted and ``resume`` is False; or that
            one was of another job.
        VideoWriteError: The folder cannot be made.
    """

    def __init__(self, output: Path, manifest: Manifest, *, resume: bool = False) -> None:
        self.path = unfinished_folder(output)
        self.manifest = manifest
        _refuse_link(self.path)
        try:
            self.path.mkdir(exist_ok=True)
        except OSError as error:
            raise VideoWriteError(
                f"this cannot be written ({error.strerror})", path=output, hint="choose another name or folder"
            ) from error
        self._lock = _locked(self.path, output)
        try:
            self._begin(output, resume=resume)
        except BaseException:
            self._lock.release()
            raise

    def group_path(self) -> Path:
        """Where the next group is written."""
        return self.path / _group_name(len(self.manifest.groups))

    def add(self, frames: int, size: int) -> None:
        """The next group is closed and on the disk.

        Raises:
            OSError: The manifest cannot be written.
        """
        groups = (*self.manifest.groups, Group(self.group_path().name, frames, size))
        after = Manifest(self.manifest.job, self.manifest.total, groups)
        write_whole(self.path / _MANIFEST, after.to_json())
        self.manifest = after

    def close(self, *, keep: bool) -> None:
        """Let go of the folder; it stays when something in it is worth keeping and that is wanted."""
        keep = keep and bool(self.manifest.groups)
        if not keep:
            # The manifest first: whatever happens while the rest goes, nothing goes on with half of it.
            with suppress(OSError):
                (self.path / _MANIFEST).unlink(missing_ok=True)
            with suppress(OSError):
                _remove(self.path, self._lock)
        self._lock.release()

    def _begin(self, output: Path, *, resume: bool) -> None:
        kept = _read_manifest(self.path)
        if kept is not None and kept.groups:
            if not resume:
                raise InputError(
                    f"an export to this file was interrupted after {kept.frames} of {kept.total} frames",
                    path=output,
                    hint="add --resume to finish it, or --restart to begin anew",
                )
            if (kept.job, kept.total) != (self.manifest.job, self.manifest.total):
                raise InputError(
                    f"the interrupted export to this file differs from this one ({_difference(kept, self.manifest)})",
                    path=output,
                    hint="resume it with the settings it was begun with, or add --restart to begin anew",
                )
            whole = [group for group in kept.groups if _is_whole(self.path / group.name, group)]
            self.manifest = Manifest(kept.job, kept.total, kept.groups[: _leading(whole, kept.groups)])
        wanted = {_LOCK, *(group.name for group in self.manifest.groups)}
        if kept is not None and kept.groups:
            wanted |= {path.name for path in self.path.iterdir() if path.suffix in _KEPT_ENDINGS}
        try:
            for path in self.path.iterdir():
                is_ours = path.suffix in _ENDINGS or path.stem in {WHOLE, NAMING}
                if path.name in wanted or not is_ours:
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            write_whole(self.path / _MANIFEST, self.manifest.to_json())
        except OSError as error:
            raise VideoWriteError(
                f"this cannot be written ({error.strerror})", path=output, hint="check free space and permissions"
            ) from error


def _refuse_link(folder: Path) -> None:
    """Touch nothing through a link: what it leads to is somebody else's."""
    if folder.is_symlink():
        raise VideoWriteError(
            "a link stands where an export keeps what it has done", path=folder, hint="remove the link"
        )


def _remove(folder: Path, lock: FileLock) -> None:
    """Remove a locked folder and let go of it: in this order, so that no export that begins meanwhile loses its own."""
    if sys.platform == "win32":
        lock.release()  # what is open cannot be removed there
        shutil.rmtree(folder)
        return
    try:
        shutil.rmtree(folder)
    finally:
        lock.release()


def _group_name(number: int) -> str:
    return f"{number:06}.packets"


def _is_whole(path: Path, group: Group) -> bool:
    try:
        return path.stat().st_size == group.size
    except OSError:
        return False


def _leading(whole: list[Group], groups: tuple[Group, ...]) -> int:
    """How many groups are whole before the first that is not."""
    return next((number for number, group in enumerate(groups) if group not in whole), len(groups))


def _difference(kept: Manifest, wanted: Manifest) -> str:
    """What differs, by name."""
    names = sorted(name for name in {*kept.job, *wanted.job} if kept.job.get(name) != wanted.job.get(name))
    return ", ".join(names) or f"{kept.total} frames instead of {wanted.total}"


def _read_manifest(folder: Path) -> Manifest | None:
    try:
        return Manifest.from_json((folder / _MANIFEST).read_bytes())
    except OSError:
        return None


def _locked(folder: Path, output: Path) -> FileLock:
    """The folder's lock, which the system lets go of whatever ends the process."""
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            "another export to this file is running", path=output, hint="wait for it, or give the output another name"
        ) from error
    except OSError as error:
        raise VideoWriteError(
            f"this cannot be written ({error.strerror})", path=output, hint="check the folder's permissions"
        ) from error
    return lock
