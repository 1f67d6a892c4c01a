"""A project: one clip, how it is corrected, which part of it, and how it is written; kept as versioned JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from vecnet_core.errors import InputError, ProjectError, VecnetError
from vecnet_core.settings import CorrectionSettings, is_number
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.parts import write_whole

VERSION = 1
"""Of the file format; a file with a higher one is from a newer program."""

_LARGEST_BYTES = 1_000_000
_NAMES = ("version", "clip", "settings", "start_seconds", "stop_seconds", "encode", "device", "output")


@dataclass(frozen=True)
class Project:
    """Everything an export needs to know.

    Attributes:
        clip: The source video.
        settings: How it is corrected.
        start_seconds: Start of the range, counted from the first frame.
        stop_seconds: End of the range; None is the end of the clip.
        encode: How it is written.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        output: The file to write; None when none is chosen yet.

    Raises:
        InputError: The range is empty or not a number.
    """

    clip: Path
    settings: CorrectionSettings = field(default_factory=CorrectionSettings)
    start_seconds: float = 0.0
    stop_seconds: float | None = None
    encode: EncodeSettings = field(default_factory=EncodeSettings)
    device: str = "auto"
    output: Path | None = None

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

    def to_json(self) -> str:
        """The project as text."""
        values: dict[str, Any] = {
            "version": VERSION,
            "clip": str(self.clip),
            "settings": self.settings.to_dict(),
            "start_seconds": self.start_seconds,
            "stop_seconds": self.stop_seconds,
            "encode": self.encode.to_dict(),
            "device": self.device,
            "output": None if self.output is None else str(self.output),
        }
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
        if not isinstance(values, dict) or not isinstance(values.get("version"), int):
            raise ProjectError("this is not a project file")
        if values["version"] > VERSION:
            raise ProjectError("the project is from a newer version of VECNet", hint="update VECNet to open it")
        unknown = sorted(set(values) - set(_NAMES))
        if unknown:
            raise ProjectError(f"the project has an unknown entry {unknown[0]!r}")
        try:
            return cls(
                clip=Path(_text(values, "clip")),
                settings=CorrectionSettings.from_dict(_table(values, "settings")),
                start_seconds=_number(values, "start_seconds", 0.0),
                stop_seconds=None if values.get("stop_seconds") is None else _number(values, "stop_seconds", 0.0),
                encode=EncodeSettings.from_dict(_table(values, "encode")),
                device=_text(values, "device", "auto"),
                output=None if values.get("output") is None else Path(_text(values, "output")),
            )
        except ProjectError:
            raise
        except VecnetError as error:
            raise ProjectError(f"the project is damaged: {error.message}", hint=error.hint) from error

    def save(self, path: Path) -> None:
        """Write the project, under another name first, so that a crash never leaves half of it."""
        try:
            write_whole(path, self.to_json().encode())
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
            if path.stat().st_size > _LARGEST_BYTES:
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
        output = None if project.output is None else folder / project.output
        return cls(
            clip=folder / project.clip,
            settings=project.settings,
            start_seconds=project.start_seconds,
            stop_seconds=project.stop_seconds,
            encode=project.encode,
            device=project.device,
            output=output,
        )


def _text(values: dict[str, Any], name: str, default: str | None = None) -> str:
    """A text of the file."""
    value = values.get(name, default)
    if not isinstance(value, str) or not value or "\0" in value:
        raise ProjectError(f"the project's {name} must be a text")
    return value


def _number(values: dict[str, Any], name: str, default: float) -> float:
    """A finite number of the file."""
    value = values.get(name, default)
    if not is_number(value):
        raise ProjectError(f"the project's {name} must be a number")
    return float(value)


def _table(values: dict[str, Any], name: str) -> dict[str, Any]:
    """A table of the file; empty when it is left out."""
    value = values.get(name, {})
    if not isinstance(value, dict):
        raise ProjectError(f"the project's {name} must be a table")
    return value
