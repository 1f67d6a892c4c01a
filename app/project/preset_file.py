"""A person's own presets as a file: versioned JSON, written whole, and read with every value checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from vecnet_core.errors import SettingsError, VecnetError
from vecnet_core.settings import PRESETS, CorrectionSettings
from vecnet_core.video.parts import write_whole

if TYPE_CHECKING:
    from pathlib import Path

Table = dict[str, CorrectionSettings]

LONGEST_NAME = 40
MOST_PRESETS = 200
_VERSION = 1
_LARGEST_BYTES = 1_000_000


def checked_name(name: str, taken: Table) -> str:
    """A name for a preset, as it will be shown.

    Raises:
        SettingsError: It is empty, too long, or taken.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise SettingsError(f"a preset's name has 1 to {LONGEST_NAME} characters", hint="give it another name")
    if name.casefold() in {one.casefold() for one in (*taken, *PRESETS)}:
        raise SettingsError(f"there is a preset {name} already", hint="give it another name")
    return name


def load_presets(path: Path) -> Table:
    """The presets of a file; none when there is no file.

    Raises:
        SettingsError: It is damaged, hostile, or from a newer version; it stays as it is.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SettingsError("this is too large to hold presets")
        found: object = json.loads(path.read_text(encoding="utf-8"))
        return _table(found)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"your presets cannot be read ({error.strerror})", path=path) from error
    except (ValueError, RecursionError) as error:
        raise _refusal("your presets are damaged", path) from error
    except VecnetError as error:
        raise _refusal(f"your presets are refused: {error.message}", path) from error


def save_presets(path: Path, presets: Table) -> None:
    """Write presets whole or not at all.

    Raises:
        SettingsError: They cannot be written.
    """
    values = {"version": _VERSION, "presets": {name: settings.to_dict() for name, settings in presets.items()}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise SettingsError(f"your presets cannot be written ({error.strerror})", path=path) from error


def _refusal(message: str, path: Path) -> SettingsError:
    return SettingsError(message, path=path, hint="mend the file or move it away; it is left as it is")


def _table(found: object) -> Table:
    values = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    version, presets = values.get("version"), values.get("presets")
    if type(version) is not int or not isinstance(presets, dict) or set(values) != {"version", "presets"}:
        raise SettingsError("this is not a file of presets")
    if version > _VERSION:
        raise SettingsError("they are from a newer version of VECNet")
    entries = cast("dict[str, Any]", presets)
    if len(entries) > MOST_PRESETS:
        raise SettingsError(f"there are more than {MOST_PRESETS}")
    table: Table = {}
    for name, settings in entries.items():
        if not isinstance(settings, dict):
            raise SettingsError("a preset is not a table")
        table[checked_name(name, table)] = CorrectionSettings.from_dict(cast("dict[str, Any]", settings))
    return table
