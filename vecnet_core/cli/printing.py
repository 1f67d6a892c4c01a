"""What a command says and where: results and JSON on standard output, notes and the progress bar on standard error."""

from __future__ import annotations

import json
import stat
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vecnet_core.errors import InputError, VecnetError
from vecnet_core.video.parts import write_whole

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

STANDARD_OUTPUT = "-"


class Printer:
    """Prints text for people, or JSON for programs.

    Args:
        json_target: None for no JSON, ``-`` for standard output, else a file.
    """

    def __init__(self, json_target: str | None) -> None:
        self._target = json_target
        self._path = None if json_target in {None, STANDARD_OUTPUT} else Path(str(json_target))
        self._file: IO[str] | None = None

    @property
    def is_json(self) -> bool:
        """True when JSON is wanted, wherever it goes."""
        return self._target is not None

    def spare(self, named: Iterable[Path]) -> None:
        """Refuse to write the JSON over a file that the command names for something else.

        Raises:
            InputError: It would.
        """
        path = self._path
        if path is not None and any(_is_same(path, each) for each in named):
            self._drop()
            raise InputError(
                "the JSON would replace a file of this very command", path=path, hint="choose another place"
            )

    def text(self, text: str) -> None:
        """A result for people; left out when standard output is for JSON."""
        if self._target != STANDARD_OUTPUT:
            sys.stdout.write(text + "\n")

    def note(self, text: str) -> None:
        """A remark on standard error."""
        sys.stderr.write(text + "\n")

    def event(self, values: dict[str, Any]) -> None:
        """One line of JSON, at once."""
        if self.is_json:
            self._write(json.dumps(values) + "\n")

    def ending(self, values: dict[str, Any]) -> None:
        """A last line of JSON that says why the command ends early; an earlier command's file is not replaced by it."""
        # The same is told on standard error; that it cannot be told here too is no second reason.
        with suppress(VecnetError, OSError):
            if self._file is None and self._path is not None and self._path.is_file() and not is_special(self._path):
                return
            self.event(values)

    def document(self, values: dict[str, Any]) -> None:
        """A whole result as JSON; a file gets it whole or stays as it was."""
        text = json.dumps(values, indent=2) + "\n"
        if self._path is None or is_special(self._path):
            if self.is_json:
                self._write(text)
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, text.encode())
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the JSON file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextmanager
    def bar(self, total: int, unit: str) -> Generator[Bar]:
        """A progress bar on standard error; none when that is not a terminal."""
        from tqdm import tqdm

        with tqdm(total=total, unit=unit, disable=None, file=sys.stderr, dynamic_ncols=True, leave=False) as inner:
            yield Bar(inner)

    def _write(self, text: str) -> None:
        """To standard output or the file, which is made with its first line."""
        if self._path is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("w", encoding="utf-8")
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> InputError:
        """The error to raise; no more JSON is tried, since what is left of the command would fail on it again."""
        path = self._path
        self._drop()
        return InputError(f"the JSON file cannot be written ({error.strerror})", path=path, hint="choose another place")

    def _drop(self) -> None:
        """Want no JSON any more."""
        self._target = self._path = None
        # A full disk refuses what is still to be written once more.
        with suppress(OSError):
            self.close()
        self._file = None


def is_special(path: Path) -> bool:
    """True for a device or pipe (``/dev/fd/3``, also where that leads to a file): it is written to, never replaced."""
    if path.is_relative_to("/dev"):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _is_same(one: Path, other: Path) -> bool:
    """True when both name one file, there or not."""
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == other.absolute()


class Bar:
    """A progress bar that is told where it stands, not by how much it moved."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._label = ""
        self._done = 0

    def move_to(self, done: int, total: int, label: str) -> None:
        """Show a place."""
        if total != self._inner.total or done < self._done:
            self._inner.reset(total)
            self._done = 0
        if label != self._label:
            self._inner.set_description(label, refresh=False)
            self._label = label
        self._inner.update(done - self._done)
        self._done = done
