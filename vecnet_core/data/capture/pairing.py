"""Makes an aligned pair of a bad and a good clip from two recordings of one scene, or says why it cannot be made."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from vecnet_core.data.capture.alignment import Matching, Placing, Progress, luma_of, match, place, shared_crop
from vecnet_core.data.capture.recordings import ByteImage, Recording, open_recording
from vecnet_core.data.capture.residual import Residual, exposure_difference_ev, measure_residual
from vecnet_core.data.capture.warping import Crop, warp_picture
from vecnet_core.data.dime import BAD_FOLDER, GOOD_FOLDER
from vecnet_core.errors import DataError, InputError, VideoWriteError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_LEAST_TILES = 3
_WORST_FACTOR = 4
_MOST_UNMATCHED = 0.3
_NAMED = 12


@dataclass(frozen=True)
class PairRequest:
    """What to pair and where to put it.

    Attributes:
        bad: The badly exposed recording: a video or a folder of photos.
        good: The well exposed one.
        folder: The data set.
        name: Of the clip in it.
        split: ``train`` or ``test``.
        max_offset_seconds: The recordings are searched for at most this time between them.
        max_residual_px: Pictures whose residual is larger are left out.
        overwrite: Whether a clip of that name may be replaced.
    """

    bad: Path
    good: Path
    folder: Path
    name: str
    split: str = "train"
    max_offset_seconds: float = 5.0
    max_residual_px: float = 0.5
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers and a name that mean nothing."""
        for option, value in (("offset", self.max_offset_seconds), ("residual", self.max_residual_px)):
            if not 0 <= value < math.inf:
                raise InputError(f"the largest {option} is {value:g}", hint="give 0 or more")
        if not self.name or self.name.startswith(".") or set(self.name) & set('/\\:*?"<>|'):
            raise InputError(f"{self.name!r} is no name for a clip", hint="give a plain folder name with --name")

    @property
    def targets(self) -> tuple[Path, Path, Path]:
        """Folder of the bad pictures, folder of the good ones, and the report."""
        split = self.folder / self.split
        return split / BAD_FOLDER / self.name, split / GOOD_FOLDER / self.name, split / f"{self.name}.json"


@dataclass(frozen=True)
class PictureFit:
    """How one picture of a pair fits.

    Attributes:
        bad: Its number in the bad recording, which is also its file name.
        good: Its number in the good recording.
        residual: What alignment leaves.
        exposure_ev: Stops by which the bad one is brighter.
        is_kept: Whether it is in the data set.
    """

    bad: int
    good: int
    residual: Residual
    exposure_ev: float
    is_kept: bool


@dataclass(frozen=True)
class PairReport:
    """What was measured and written.

    Attributes:
        bad: The badly exposed recording.
        good: The well exposed one.
        offset_frames: Picture ``i`` of the bad one was taken with picture ``i + offset_frames`` of the good one.
        offset_seconds: The same as time.
        offset_from: ``motion``, or ``assumed`` where nothing moves.
        offset_agreement: Correlation of what changes in both.
        offset_runner_up: The same at the next best offset.
        transform: ``fixed`` for the whole clip, or ``moving``: then the three below are of the median.
        shift_px: (x, y) where the bad picture's middle lies in the good one, from that one's middle.
        rotation_degrees: Clockwise.
        zoom: Pixels of the good picture per pixel of the bad one.
        crop: Part of the bad picture that was kept.
        residual_median_px: Median over the kept pictures of their medians.
        residual_p95_px: Median over the kept pictures of their 95th percentiles.
        exposure_ev: Median stops by which the bad one is brighter.
        pictures: Every picture that both have, in order.
        notes: Sentences on what was assumed.
    """

    bad: Path
    good: Path
    offset_frames: int
    offset_seconds: float
    offset_from: str
    offset_agreement: float
    offset_runner_up: float
    transform: str
    shift_px: tuple[float, float]
    rotation_degrees: float
    zoom: float
    crop: Crop
    residual_median_px: float
    residual_p95_px: float
    exposure_ev: float
    pictures: tuple[PictureFit, ...]
    notes: tuple[str, ...]

    @property
    def kept(self) -> tuple[PictureFit, ...]:
        """The pictures in the data set."""
        return tuple(fit for fit in self.pictures if fit.is_kept)

    @property
    def left_out(self) -> tuple[PictureFit, ...]:
        """The pictures that do not fit."""
        return tuple(fit for fit in self.pictures if not fit.is_kept)

    def as_values(self) -> dict[str, Any]:
        """Plain values for JSON; what could not be measured is null."""
        values = _plain(asdict(self))
        return {**values, "kept": len(self.kept), "left_out": [fit.bad for fit in self.left_out]}


def pair_recordings(request: PairRequest) -> Iterator[Progress | PairReport]:
    """Align two recordings and write the pair; the report comes last, when everything is in its place.

    Each is read three times: for what moves, for how the pictures lie to each other, and to write them. Only small
    pictures are kept in memory. The clip is written to a hidden folder beside its place, which is renamed when it is
    whole and removed when it is not.

    Raises:
        DataError: The recordings cannot be aligned.
        InputError: The clip exists already, or would replace its own recording.
        VideoOpenError: A recording cannot be opened.
        VideoWriteError: The pictures cannot be written.
    """
    _check_targets(request)
    with open_recording(request.bad) as bad, open_recording(request.good) as good:
        matching = yield from match(bad, good, request.max_offset_seconds)
        placing = yield from place(bad, good, matching)
        crop = shared_crop(bad, good, placing)
        with _part_folder(request) as part:
            pictures = yield from _write(bad, good, matching, placing, crop, part, request.max_residual_px)
            _check_kept(pictures, request)
            report = _report(bad, good, matching, placing, crop, pictures)
            text = json.dumps(report.as_values(), indent=1) + "\n"
            (part / "report").write_text(text, encoding="utf-8")
            _publish(part, request.targets)
    yield report


def _check_targets(request: PairRequest) -> None:
    """Refuse to replace a clip unasked, and the recordings themselves in any case."""
    if request.bad.exists() and request.good.exists() and request.bad.samefile(request.good):
        raise InputError("one recording is given twice", path=request.bad, hint="give a bad and a good recording")
    for target in request.targets:
        for recording in (request.bad, request.good):
            if recording.resolve().is_relative_to(target.resolve()):
                raise InputError("the clip would replace its own recording", path=target, hint="give another --name")
        if target.exists() and not request.overwrite:
            raise InputError("the clip exists already", path=target, hint="add --overwrite, or give another --name")


def _write(
    bad: Recording, good: Recording, matching: Matching, placing: Placing, crop: Crop, part: Path, limit_px: float
) -> Generator[Progress, None, list[PictureFit]]:
    """Move, crop, measure and write picture after picture."""
    pictures: list[PictureFit] = []
    for number, ((here, there), transform) in enumerate(zip(matching.pairs, placing.transforms, strict=True), start=1):
        if transform is None:
            pictures.append(PictureFit(here, there, Residual(math.inf, math.inf, 0, 1.0), math.nan, is_kept=False))
        else:
            low = crop.cut(bad.picture(here))
            high = warp_picture(good.picture(there), transform, crop)
            residual = measure_residual(luma_of(low), luma_of(high))
            is_kept = _fits(residual, limit_px)
            pictures.append(PictureFit(here, there, residual, exposure_difference_ev(low, high), is_kept))
            if is_kept:
                _save(low, part / BAD_FOLDER / f"{here:06d}.png")
                _save(high, part / GOOD_FOLDER / f"{here:06d}.png")
        yield Progress("Writing", number, len(matching.pairs))
    return pictures


def _fits(residual: Residual, limit_px: float) -> bool:
    """Whether a picture lies right nearly everywhere: what moves and was taken at another time is in few tiles."""
    is_measured = residual.tiles >= _LEAST_TILES and residual.unmatched <= _MOST_UNMATCHED
    return is_measured and residual.median_px <= limit_px and residual.p95_px <= _WORST_FACTOR * limit_px


def _check_kept(pictures: list[PictureFit], request: PairRequest) -> None:
    """Refuse a pair most of which does not fit."""
    kept = sum(fit.is_kept for fit in pictures)
    if kept and 2 * kept >= len(pictures):
        return
    typical = float(np.median([fit.residual.median_px for fit in pictures]))
    told = f"half of them are off by {typical:.2f} pixels or more"
    if typical == math.inf or sum(fit.residual.tiles < _LEAST_TILES for fit in pictures) * 2 > len(pictures):
        told = "most have too little in common to be measured"
    raise DataError(
        f"only {kept} of {len(pictures)} pictures fit those of {request.good} ({told})",
        path=request.bad,
        hint="record both from one place without parallax, or allow a larger --max-residual",
    )


def _report(
    bad: Recording, good: Recording, matching: Matching, placing: Placing, crop: Crop, pictures: list[PictureFit]
) -> PairReport:
    """Everything that was found, in one value."""
    kept = [fit for fit in pictures if fit.is_kept]
    typical = placing.typical
    middle, other = (complex(each.width - 1, each.height - 1) / 2 for each in (bad, good))
    shift = typical.turn * middle + typical.shift - other
    notes: list[str] = []
    if matching.is_assumed:
        notes.append("Nothing moves, so the time between the recordings cannot be seen; an offset of 0 was assumed.")
    if bad.frame_rate is None or good.frame_rate is None:
        notes.append("Photos carry no times; they were matched by their order.")
    return PairReport(
        bad=bad.path,
        good=good.path,
        offset_frames=matching.offset.frames,
        offset_seconds=matching.seconds,
        offset_from="assumed" if matching.is_assumed else "motion",
        offset_agreement=matching.offset.agreement,
        offset_runner_up=matching.offset.runner_up,
        transform="fixed" if placing.is_fixed else "moving",
        shift_px=(shift.real, shift.imag),
        rotation_degrees=typical.rotation_degrees,
        zoom=typical.zoom,
        crop=crop,
        residual_median_px=float(np.median([fit.residual.median_px for fit in kept])),
        residual_p95_px=float(np.median([fit.residual.p95_px for fit in kept])),
        exposure_ev=float(np.median([fit.exposure_ev for fit in kept])),
        pictures=tuple(pictures),
        notes=tuple(notes),
    )


@contextmanager
def _part_folder(request: PairRequest) -> Generator[Path]:
    """A hidden folder beside the clip's place, gone in the end."""
    split = request.folder / request.split
    part: Path | None = None
    try:
        split.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{request.name[:_NAMED]}.", suffix=".part", dir=split))
        for side in (BAD_FOLDER, GOOD_FOLDER):
            (part / side).mkdir()
        yield part
    except OSError as error:
        raise VideoWriteError(
            f"the pair cannot be written ({error.strerror or error})",
            path=split,
            hint="choose a folder with space that you may write to",
        ) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def _publish(part: Path, targets: tuple[Path, Path, Path]) -> None:
    """Move the finished clip to its place; on failure everything is as before."""
    moved: list[tuple[Path, Path]] = []
    try:
        for name, target in zip((BAD_FOLDER, GOOD_FOLDER, "report"), targets, strict=True):
            target.parent.mkdir(exist_ok=True)
            for source, place_for in ((target, part / f"old {name}"), (part / name, target)):
                if source.exists():
                    source.rename(place_for)
                    moved.append((source, place_for))
    except BaseException:
        for source, place_for in reversed(moved):
            place_for.rename(source)
        raise


def _save(picture: ByteImage, path: Path) -> None:
    """Write an 8-bit PNG."""
    Image.fromarray(picture).save(path, compress_level=4)


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value
