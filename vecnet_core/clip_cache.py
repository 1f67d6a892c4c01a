"""What earlier sessions found out about a clip: its analyses and its light, on disk and never stale.

An entry is named by all that shapes it: the source as it lies on the disk and how it is read, the frames of the window
each in its light, the weights, the device down to its threads, and this program's own code. What differs in any of
them is another entry, so nothing ever has to be declared invalid, and the old ones go when the budget asks.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, fields
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import av
import numba
import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from vecnet_core.correction.analysis import Analysis
from vecnet_core.correction.stabilise import MAX_GAIN_EV, ClipLight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vecnet_core.correction.corrector import Corrector
    from vecnet_core.disk_cache import DiskCache
    from vecnet_core.video.frame_reader import FrameReader

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

Window = tuple[tuple[int, float], ...]
"""Frames of a window in time order, each with the stops that bring it to the clip's steady light."""
Arrays = dict[str, npt.NDArray[Any]]

MOST_THUMBNAILS = 128
"""Kept of a clip, evenly spread: 1.5 MB."""

_LARGEST, _LARGEST_EV, _LARGEST_EXPONENT = 1e6, 64.0, 1e3
"""No network's answer comes near them; below, the arithmetic of `compose` stays finite whatever lies in a file."""
_SCALARS = ("gain_ev", "exposure_ev", "curve_exponent")
_SHAPES: dict[str, tuple[int | None, ...]] = {
    "illumination_under": (None, None, 4),
    "illumination_over": (None, None, 4),
    "curve_values": (3, None),
    "grid": (None, None, None, 16),
    "guide": (3,),
}


@dataclass(frozen=True)
class MeasuredLight:
    """The light of a whole clip, and a few pictures of it.

    Attributes:
        light: As it was measured.
        thumbnails: By frame index, ``(h, w, 3)`` uint8.
    """

    light: ClipLight
    thumbnails: dict[int, npt.NDArray[np.uint8]]


class ClipCache:
    """What is known of one clip, on disk; used from one thread.

    Args:
        disk: Where it lies.
        reader: The clip, just opened: what its files are now is what was read of them.
    """

    def __init__(self, disk: DiskCache, reader: FrameReader) -> None:
        """Note what the clip is now."""
        info = reader.info
        self._disk = disk
        self._reader = reader
        self._warnings = reader.warnings
        self._files = info.files or (info.path,)
        self._stamps = [_stamp(file) for file in self._files]
        stamps = "\n".join(f"{file.name}|{stamp}" for file, stamp in zip(self._files, self._stamps, strict=True))
        # Digested once: of a sequence it is as long as the list of its pictures.
        self._source = _digest(str(info.path.resolve()), info.reading, stamps).hex()
        self._pts = reader.pts()

    def light(self) -> MeasuredLight | None:
        """The clip's light as it was measured before; None when it was not, or what is there makes no sense."""
        key, count = self._light_key(), self._reader.info.frame_count
        return self._get(key, lambda data: unpack_light(data, count))

    def keep_light(self, measured: MeasuredLight) -> None:
        """Keep the light of the whole clip, unless the clip has changed while it was measured.

        That of a damaged clip is better measured each time: it is how the damage is found and told.
        """
        if self._is_unchanged(range(len(self._files))):
            self._disk.put(self._light_key(), pack_light(measured))

    def analysis(self, window: Window, maker: str) -> Analysis | None:
        """The analysis of a window's centre frame by a ``maker``, see `maker_of`; None as in `light`."""
        return self._get(self._analysis_key(window, maker), unpack_analysis)

    def keep_analysis(self, window: Window, maker: str, analysis: Analysis) -> None:
        """Keep an analysis that was made of exactly these frames, unless one has changed or is damaged."""
        frames = {index for index, _ in window} if self._reader.info.files else {0}
        # A warning since the clip was opened: another frame stood in for one that does not decode.
        if self._reader.warnings == self._warnings and self._is_unchanged(frames):
            self._disk.put(self._analysis_key(window, maker), pack_analysis(analysis))

    def _get(self, key: bytes, unpack: Callable[[bytes], Answer | None]) -> Answer | None:
        data = self._disk.get(key)
        if data is None:
            return None
        answer = unpack(data)
        if answer is None:
            log.warning("an entry of the cache makes no sense and is removed")
            self._disk.remove(key)
        return answer

    def _light_key(self) -> bytes:
        return _digest("light", self._source, str(self._reader.info.frame_rate), _code())

    def _analysis_key(self, window: Window, maker: str) -> bytes:
        frames = ",".join(f"{index}@{self._pts[index]}:{gain_ev.hex()}" for index, gain_ev in window)
        return _digest("analysis", self._source, maker, frames)

    def _is_unchanged(self, numbers: Iterable[int]) -> bool:
        """Whether some of the clip's files are what they were."""
        return all(self._stamps[number] and _stamp(self._files[number]) == self._stamps[number] for number in numbers)


def _stamp(file: Path) -> str:
    """What changes with a file's content; the time of its entry too, because copies may keep that of the content.

    Empty where the file is gone.
    """
    try:
        stat = file.stat()
    except OSError:
        return ""
    return f"{stat.st_size}|{stat.st_mtime_ns}|{stat.st_ctime_ns}"


def _digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=20).digest()


@cache
def _code() -> str:
    """Names this program's code and the libraries that pictures pass through."""
    digest = blake2b(digest_size=16)
    root = Path(__file__).parent
    for file in sorted(root.rglob("*.py")):
        digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    if not any(root.glob("*.py")):
        # In a bundle the code lies in the program itself, which no update leaves as it was.
        program = Path(sys.executable)
        digest.update(f"{program}|{_stamp(program)}".encode())
    return f"{digest.hexdigest()}|{av.__version__}|{np.__version__}|{numba.__version__}"


def maker_of(corrector: Corrector, size: tuple[int, int]) -> str:
    """Names who makes analyses of frames at a size, to the last bit: weights, device, threads and code.

    The threads because sums are shared out among them: two and one differ in the last bit.
    """
    # Only here: a clip that is opened shows its frames before torch is loaded.
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    arithmetic = f"{torch.__version__}|{capability}|{torch.get_num_threads()}|{torch.get_float32_matmul_precision()}"
    return f"{corrector.model_hash}|{corrector.device.label}|{arithmetic}|{size}|{_code()}"


def pack_analysis(analysis: Analysis) -> bytes:
    """An analysis as bytes, without loss."""
    arrays: Arrays = {name: np.ascontiguousarray(getattr(analysis, name)) for name in _SHAPES}
    arrays["scalars"] = np.array([getattr(analysis, name) for name in _SCALARS], np.float64)
    return safetensors.numpy.save(arrays)


def unpack_analysis(data: bytes) -> Analysis | None:
    """The analysis of `pack_analysis`; None where the bytes are not one that `compose` can be trusted with."""
    arrays = _arrays(data)
    if arrays is None or set(arrays) != {*_SHAPES, "scalars"}:
        return None
    scalars = arrays.pop("scalars")
    if scalars.shape != (len(_SCALARS),) or scalars.dtype != np.float64:
        return None
    values: dict[str, Any] = dict(zip(_SCALARS, scalars.tolist(), strict=True))
    if not (abs(values["gain_ev"]) <= _LARGEST_EV and abs(values["exposure_ev"]) <= _LARGEST_EV):
        return None
    if not 1 / _LARGEST_EXPONENT <= values["curve_exponent"] <= _LARGEST_EXPONENT:
        return None
    for name, wanted in _SHAPES.items():
        array = arrays[name]
        fits = array.ndim == len(wanted) and all(
            size > 0 and side in {None, size} for size, side in zip(array.shape, wanted, strict=True)
        )
        # The comparison is false for what is no number, too.
        if not fits or array.dtype != np.float32 or not np.abs(array).max() <= _LARGEST:
            return None
        values[name] = array
    if values["illumination_under"].shape != values["illumination_over"].shape:
        return None
    return Analysis(**values)


def pack_light(measured: MeasuredLight) -> bytes:
    """A clip's light as bytes, without loss."""
    light, indices = measured.light, sorted(measured.thumbnails)
    arrays: Arrays = {
        "exposures_ev": light.exposures_ev,
        "gains_ev": light.gains_ev,
        "cuts": np.array(light.cuts, np.int64),
        "duplicates": np.array(light.duplicates, np.int64),
        "indices": np.array(indices, np.int64),
        "thumbnails": np.stack([measured.thumbnails[index] for index in indices])
        if indices
        else np.empty((0, 0, 0, 3), np.uint8),
    }
    return safetensors.numpy.save(arrays)


def unpack_light(data: bytes, frame_count: int) -> MeasuredLight | None:
    """The light of `pack_light`; None where the bytes are not the light of a clip of so many frames."""
    arrays = _arrays(data)
    names = {*(entry.name for entry in fields(ClipLight)), "indices", "thumbnails"}
    if arrays is None or set(arrays) != names:
        return None
    for name, limit in (("exposures_ev", _LARGEST_EV), ("gains_ev", MAX_GAIN_EV)):
        curve = arrays[name]
        if curve.shape != (frame_count,) or curve.dtype != np.float64 or not np.abs(curve).max(initial=0.0) <= limit:
            return None
    for name in ("cuts", "duplicates", "indices"):
        numbers = arrays[name]
        if numbers.ndim != 1 or numbers.dtype != np.int64 or np.any(np.diff(numbers) <= 0):
            return None
        if numbers.size and not 0 <= numbers[0] <= numbers[-1] < frame_count:
            return None
    pictures = arrays["thumbnails"]
    if pictures.ndim != 4 or pictures.dtype != np.uint8 or pictures.shape[::3] != (arrays["indices"].size, 3):
        return None
    cuts, duplicates = (tuple(arrays[name].tolist()) for name in ("cuts", "duplicates"))
    light = ClipLight(arrays["exposures_ev"], arrays["gains_ev"], cuts, duplicates)
    return MeasuredLight(light, dict(zip(arrays["indices"].tolist(), pictures, strict=True)))


def _arrays(data: bytes) -> Arrays | None:
    """Arrays by name; None for bytes that are none."""
    try:
        # Copied: numba would compile `compose` once more for arrays that cannot be written or lie askew.
        return {name: array.copy() for name, array in safetensors.numpy.load(data).items()}
    except (SafetensorError, ValueError, TypeError, KeyError, OverflowError):
        return None
