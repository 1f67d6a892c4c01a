"""What a command says and where: results and JSON on standard output, notes and the progress bar on standard error."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vecnet_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Generator

STANDARD_OUTPUT = "-"


class Printer:
    """Prints text for people, or JSON for programs.

    Args:
        json_target: None for no JSON, ``-`` for standard output, else a file.
    """

    def __init__(self, json_target: str | None) -> None:
        self._target = json_target
        self._file: IO[str] | None = None

    @property
    def is_json(self) -> bool:
        """True when JSON is wanted, wherever it goes."""
        return self._target is not None

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

    def document(self, values: dict[str, Any]) -> None:
        """A whole result as JSON."""
        if self.is_json:
            self._write(json.dumps(values, indent=2) + "\n")

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
        if self._target == STANDARD_OUTPUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        if self._file is None:
            path = Path(str(self._target))
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("w", encoding="utf-8")
            except OSError as error:
                self._target = None
                raise InputError(
                    f"the JSON file cannot be written ({error.strerror})", path=path, hint="choose another place"
                ) from error
        self._file.write(text)
        self._file.flush()


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
