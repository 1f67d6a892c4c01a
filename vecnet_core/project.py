"""A project: clips, how each is corrected, which part of it, and how it is written; kept as versioned JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from stat import S_ISREG
from typing import Any, Self

from vecnet_core.errors import InputError, ProjectError, VecnetError
from vecnet_core.settings import CorrectionSettings, is_number
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.parts import write_whole

VERSION = 2
"""Of the file format; a file with a higher one is from a newer program. Version 1 held one clip, without ``decode``."""

_LARGEST_BYTES = 10_000_000
_MOST_CLIPS = 10_000
_CLIP_NAMES = ("path", "settings", "decode", "start_seconds", "stop_seconds", "encode", "output", "source")
_SOURCE_NAMES = ("size_bytes", "seconds")
_NAMES = ("version", "device", "clips")
_NAMES_OF_1 = ("version", "device", "clip", *_CLIP_NAMES)


@dataclass(frozen=True)
class SourceFacts:
    """By what a source is known again when it has moved.

    Attributes:
        size_bytes: Of the file; 0 for pictures.
        seconds: How long it plays.
    """

    size_bytes: int
    seconds: float

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The facts of plain values.

        Raises:
            ProjectError: One is unknown, or makes no sense.
        """
        _refuse_unknown(values, _SOURCE_NAMES)
        size_bytes, seconds = values.get("size_bytes"), _number(values, "seconds", -1.0)
        if type(size_bytes) is not int or not 0 <= size_bytes < 1 << 63 or seconds < 0:
            raise ProjectError("the project's source must have a size and a length")
        return cls(size_bytes, seconds)


@dataclass(frozen=True)
class Clip:
    """Everything an export needs to know of one clip.

    Attributes:
        path: The source: a video file, or an image sequence.
        settings: How it is corrected.
        start_seconds: Start of the range, counted from the first frame.
        stop_seconds: End of the range; None is the end of the clip.
        encode: How it is written.
        output: The file to write; None when none is chosen yet.
        decode: How it is read.
        source: What was known of the source when it was last opened; a clip is the same whatever is known of it.

    Raises:
        InputError: The range is empty or not a number.
    """

    path: Path
    settings: CorrectionSettings = field(default_factory=CorrectionSettings)
    start_seconds: float = 0.0
    stop_seconds: float | None = None
    encode: EncodeSettings = field(default_factory=EncodeSettings)
    output: Path | None = None
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    source: SourceFacts | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Refuse a range that holds nothing."""
        ends = [self.start_seconds, *([] if self.stop_seconds is None else [self.stop_seconds])]
        if not all(is_number(end) for end in ends):
            raise InputError("the start and end must be numbers of seconds")
        if self.start_seconds < 0:
            raise InputError(f"the start is {self.start_seconds:g} s", hint="give 0 or more seconds")
        if self.stop_seconds is not None and self.stop_seconds <= self.start_seconds:
            raise InputError(
                f"the range from {self.start_seconds:g} s to {self.stop_seconds:g} s is empty",
                hint="give an end after the start",
            )

    def to_dict(self) -> dict[str, Any]:
        """The clip as plain values."""
        return {
            "path": self.path.as_posix(),
            "settings": self.settings.to_dict(),
            "decode": self.decode.to_dict(),
            "start_seconds": self.start_seconds,
            "stop_seconds": self.stop_seconds,
            "encode": self.encode.to_dict(),
            "output": None if self.output is None else self.output.as_posix(),
            "source": None if self.source is None else asdict(self.source),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The clip of plain values; every one is checked.

        Raises:
            VecnetError: One is unknown, of another kind, or outside its range.
        """
        _refuse_unknown(values, _CLIP_NAMES)
        return cls(
            path=Path(_text(values, "path")),
            settings=CorrectionSettings.from_dict(_table(values, "settings")),
            start_seconds=_number(values, "start_seconds", 0.0),
            stop_seconds=None if values.get("stop_seconds") is None else _number(values, "stop_seconds", 0.0),
            encode=EncodeSettings.from_dict(_table(values, "encode")),
            output=None if values.get("output") is None else Path(_text(values, "output")),
            decode=DecodeSettings.from_dict(_table(values, "decode")),
            source=None if values.get("source") is None else SourceFacts.from_dict(_table(values, "source")),
        )


@dataclass(frozen=True)
class Project:
    """Clips that are worked on together.

    Attributes:
        clips: In the order they are shown and exported.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    """

    clips: tuple[Clip, ...] = ()
    device: str = "auto"

    def to_json(self) -> str:
        """The project as text."""
        values = {"version": VERSION, "device": self.device, "clips": [clip.to_dict() for clip in self.clips]}
        return json.dumps(values, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The project of a text; every value is checked, so that a hostile file can do no harm.

        Raises:
            ProjectError: It is not a project, damaged, or from a newer version.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:  # also a number of more digits than Python reads
            raise ProjectError("this is not a project file, or it is damaged") from error
        if not isinstance(values, dict) or type(values.get("version")) is not int:
            raise ProjectError("this is not a project file")
        if values["version"] > VERSION:
            raise ProjectError("the project is from a newer version of VECNet", hint="update VECNet to open it")
        try:
            if values["version"] < VERSION:
                values = _from_version_1(values)
            _refuse_unknown(values, _NAMES)
            clips = values.get("clips", [])
            if not isinstance(clips, list) or len(clips) > _MOST_CLIPS:
                raise ProjectError("the project's clips must be a list")
            return cls(tuple(Clip.from_dict(_as_table(each)) for each in clips), _text(values, "device", "auto"))
        except ProjectError:
            raise
        except VecnetError as error:
            raise ProjectError(f"the project is damaged: {error.message}", hint=error.hint) from error

    def save(self, path: Path) -> None:
        """Write the project whole or not at all; what lies in its folder is named from there, so that it can move."""
        folder = path.absolute().parent
        clips = tuple(
            replace(
                clip, path=_from_folder(clip.path, folder), output=clip.output and _from_folder(clip.output, folder)
            )
            for clip in self.clips
        )
        try:
            write_whole(path, replace(self, clips=clips).to_json().encode())
        except OSError as error:
            raise ProjectError(
                f"the project cannot be written ({error.strerror})", path=path, hint="choose another folder"
            ) from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a project; relative paths in it are taken from its own folder.

        Raises:
            ProjectError: It cannot be read; the error names the file.
        """
        try:
            facts = path.stat()
            if not S_ISREG(facts.st_mode):
                raise ProjectError("this is not a project file")
            if facts.st_size > _LARGEST_BYTES:
                raise ProjectError("this is too large to be a project file")
            project = cls.from_json(path.read_text(encoding="utf-8"))
        except OSError as error:
            reason = error.strerror or "unknown cause"
            raise ProjectError(f"the project cannot be read ({reason})", path=path, hint="check the name") from error
        except UnicodeDecodeError as error:
            raise ProjectError("this is not a project file", path=path) from error
        except ProjectError as error:
            raise ProjectError(error.message, path=path, hint=error.hint) from error
        folder = path.absolute().parent
        clips = tuple(
            replace(clip, path=folder / clip.path, output=clip.output and folder / clip.output)
            for clip in project.clips
        )
        return replace(project, clips=clips)


def _from_folder(path: Path, folder: Path) -> Path:
    """A path as it is named from a folder it lies in; absolute elsewhere."""
    path = path.absolute()
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _from_version_1(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a project with one clip, as they are today."""
    _refuse_unknown(values, _NAMES_OF_1)
    clip = {name: values[name] for name in _CLIP_NAMES if name in values}
    if "clip" in values:
        clip["path"] = values["clip"]
    return {"device": values.get("device", "auto"), "clips": [clip], "version": VERSION}


def _refuse_unknown(values: dict[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ProjectError(f"the project has an unknown entry {unknown[0]!r:.60}")


def _text(values: dict[str, Any], name: str, default: str | None = None) -> str:
    """A text of the file."""
    value = values.get(name, default)
    if not isinstance(value, str) or not value or "\0" in value or not _is_encodable(value):
        raise ProjectError(f"the project's {name} must be a text")
    return value


def _is_encodable(text: str) -> bool:
    """False for half a character, which no file name holds."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _number(values: dict[str, Any], name: str, default: float) -> float:
    """A finite number of the file."""
    value = values.get(name, default)
    if not is_number(value):
        raise ProjectError(f"the project's {name} must be a number")
    return float(value)


def _table(values: dict[str, Any], name: str) -> dict[str, Any]:
    """A table of the file; empty when it is left out."""
    return _as_table(values.get(name, {}), name)


def _as_table(value: object, name: str = "clip") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProjectError(f"the project's {name} must be a table")
    return value
