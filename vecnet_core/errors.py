"""The errors this project raises: each says what is wrong with which file, and what the user can do."""

from __future__ import annotations

from pathlib import Path


class VecnetError(Exception):
    """Base of every error raised on purpose; its text is one sentence a user can act on.

    Args:
        message: What is wrong, as a clause without a final full stop.
        path: The file or folder it concerns, if any; shown in front of the message.
        frame: The 0-based frame index it concerns, if any.
        hint: What the user can do about it, as an imperative clause.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        frame: int | None = None,
        hint: str = "",
    ) -> None:
        """Keep the parts, so that a notice may lay them out differently from a terminal."""
        self.message = message
        self.path = None if path is None else Path(path)
        self.frame = frame
        self.hint = hint
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The whole error as one line of text."""
        where = "" if self.path is None else f"{self.path}: "
        at = "" if self.frame is None else f" at frame {self.frame}"
        hint = f"; {self.hint}" if self.hint else ""
        line = f"{where}{self.message}{at}{hint}".replace("\n", " ").strip()
        return line if line.endswith(".") else f"{line}."


class VideoOpenError(VecnetError):
    """A file that cannot be opened as video."""


class VideoReadError(VecnetError):
    """A video that opened, but whose frames cannot be read as asked."""


class VideoDamageError(VideoReadError):
    """A frame that the file holds and that does not decode."""


class VideoWriteError(VecnetError):
    """An output that cannot be written."""


class VideoVerifyError(VideoWriteError):
    """An output that was written and is not what was meant; it is kept beside, instead of taking its place."""


class CheckpointError(VecnetError):
    """Weights that are missing, damaged, or of another network."""


class DeviceError(VecnetError):
    """A compute device that is not there or not usable."""


class SettingsError(VecnetError):
    """A setting outside its range."""


class ProjectError(VecnetError):
    """A project file that is damaged, hostile, or from a newer version."""


class DataError(VecnetError):
    """Training or evaluation data that is missing or of the wrong form."""


class GraphError(VecnetError):
    """A graph of the network that does not agree with it, or cannot be written."""


class InputError(VecnetError):
    """An argument that does not fit: a path used twice, a range that is empty."""
