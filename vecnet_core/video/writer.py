"""Writes corrected frames as a file, or a picture each, from closed groups that outlive the process."""

from __future__ import annotations

import errno
import json
import shutil
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Self, cast

from av.error import FFmpegError

from vecnet_core.errors import InputError, VideoWriteError
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.joining import PictureTimes, join_into_file, join_into_pictures
from vecnet_core.video.metadata import Span
from vecnet_core.video.muxer import WHOLE_SOURCE, Muxer
from vecnet_core.video.opening import ffmpeg_name
from vecnet_core.video.packets import PacketFile
from vecnet_core.video.parts import put_in_place, sync_file, write_whole
from vecnet_core.video.pictures import PictureEncoder
from vecnet_core.video.planning import plan_pictures
from vecnet_core.video.series import number_in
from vecnet_core.video.unfinished import NAMING, PLACING, WHOLE, Manifest, Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from vecnet_core.frame import Frame, HdrMetadata, VideoInfo
    from vecnet_core.video.copying import StreamTally
    from vecnet_core.video.numbering import PictureNames
    from vecnet_core.video.pictures import PicturePlan

__all__ = ["EncodeSettings", "VideoWriter", "check_output"]

GROUP_FRAMES = 120
"""Frames of a closed group: what is lost at most when an export is interrupted. A multiple of the frames that the
network takes at once, so that an export that goes on batches them as it would have undisturbed."""


def check_output(path: Path, source: Path | None = None) -> None:
    """Refuse an output that cannot be written or that is the source itself, before any work is done.

    Raises:
        InputError: The output is the source.
        VideoWriteError: The folder is missing or not writable, or the name is a folder's.
    """
    folder = path.absolute().parent
    try:
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise InputError("the output is the source itself", path=path, hint="give the output another name")
        if path.is_dir():
            hint = "give a file name such as corrected.mp4, or for pictures corrected_%05d.tif"
            raise VideoWriteError("this is a folder", path=path, hint=hint)
        if not folder.is_dir():
            raise VideoWriteError("its folder does not exist", path=path, hint="create the folder or choose another")
    except OSError as error:
        raise VideoWriteError(
            f"this cannot be written ({error.strerror})", path=path, hint="choose another name or folder"
        ) from error
    try:
        # Tried, because what `os.access` says is not true for root, network shares and read-only file systems.
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise VideoWriteError(
            f"its folder is not writable ({error.strerror})", path=path, hint="choose a folder you may write to"
        ) from error


class VideoWriter:
    """Encodes frames, and at the end joins them with the source's sound, tags and metadata.

    What is encoded lies in closed groups in a hidden folder beside the output. Leaving the writer by an exception
    leaves nothing else behind, and not even that while no group is closed.

    Args:
        path: The output; its ending chooses the container. An existing file is replaced, but only when all is written.
        info: The facts of the source: size, time base, layout, tags, rotation and pixel aspect are taken from it.
        encode: Codec, quality and preset.
        copy_from: The file from which everything but the pictures is copied, usually the source.
        video_stream: Which of its video streams the frames are from.
        hdr: HDR's static metadata that are true of the frames.
        start_seconds: Start of the range that will be written, counted from the source's first frame. The output then
            starts where the source does: its first frame takes the source's first time.
        stop_seconds: End of that range; None is the end of the source.
        total: How many frames will come; None when that is not known.
        job: What else the frames depend on, as plain values: only the same job goes on with an interrupted one.
        resume: Go on with what an interrupted export of the same job has kept; see `kept_frames`.

    Attributes:
        path: The output.
        warnings: Sentences on what could not be kept.
        plan: How the pictures are encoded.
        names: Those of the pictures, where each is a file of its own; None for a video file.
        pixel_aspect: The one that is written; 1 where the file cannot hold the source's.
        folder: What is kept of the export lies here until it is finished.
        kept_frames: Frames that an interrupted export has encoded: the first to write is the one behind them.
        copied: What was copied of each stream of sound, subtitles and data; filled by `join`.
        chapters: How many chapters the file has; filled by `join`.
        timecode: Of its first frame, empty for none; filled by `join`.

    Raises:
        InputError: The output is the source, or the export cannot be resumed as asked.
        VideoWriteError: The folder, the container or the codec does not allow the output.
    """

    path: Path
    warnings: tuple[str, ...]
    plan: PicturePlan
    names: PictureNames | None
    pixel_aspect: Fraction
    folder: Path
    kept_frames: int
    copied: tuple[StreamTally, ...]
    chapters: int
    timecode: str

    def __init__(
        self,
        path: Path | str,
        info: VideoInfo,
        encode: EncodeSettings,
        *,
        copy_from: Path | None = None,
        video_stream: int = 0,
        hdr: HdrMetadata | None = None,
        start_seconds: float = 0.0,
        stop_seconds: float | None = None,
        total: int | None = None,
        job: dict[str, Any] | None = None,
        resume: bool = False,
    ) -> None:
        self.path = self._path = Path(path)
        self._info = info
        self._copy_from = copy_from
        self._video_stream = video_stream
        self._is_cut = start_seconds > 0 or stop_seconds is not None
        self._stop_seconds = stop_seconds
        self.copied = ()
        self.chapters, self.timecode = 0, ""
        self._last_pts: int | None = None
        self._encoder: PictureEncoder | None = None
        self._file: PacketFile | None = None
        self._group_frames = 0
        self._part: Path | None = None
        self._has_ended = False
        check_output(self._path, info.path)
        if copy_from is not None:
            check_output(self._path, copy_from)
        planned = plan_pictures(self._path, info, encode, copy_from, video_stream, hdr)
        self.plan, self.names, self.pixel_aspect = planned.plan, planned.names, planned.pixel_aspect
        self._first_number = self._number_from(info)
        self.warnings = (*planned.warnings, *self._rehearse(), *self._bystanders(total))
        wanted = {"source": info.fingerprint, **self._described(start_seconds), **(job or {})}
        manifest = Manifest(json.loads(json.dumps(wanted)), total or 0)
        self._unfinished = Unfinished(self._path, manifest, resume=resume)
        self.folder = self._unfinished.path
        self.kept_frames = self._unfinished.manifest.frames

    def write(self, frame: Frame) -> Frame:
        """Encode one frame; frames come in the order of their times.

        Returns:
            The frame as it was given to the encoder: in its layout and range.

        Raises:
            VideoWriteError: The encoder or the disk refuses.
        """
        if (frame.width, frame.height) != (self._info.width, self._info.height):
            raise VideoWriteError(
                f"a frame is {frame.width}x{frame.height}, the video {self._info.width}x{self._info.height}",
                path=self._path,
                frame=frame.index,
            )
        if self._last_pts is not None and frame.pts <= self._last_pts:
            raise VideoWriteError("frames must come in rising time", path=self._path, frame=frame.index)
        self._last_pts = frame.pts
        stored = self.plan.stored(frame)
        try:
            if self._encoder is None or self._file is None:
                path = self._unfinished.group_path()
                path.unlink(missing_ok=True)
                self._file, self._encoder = PacketFile(path), PictureEncoder(self.plan)
            for picture in self._encoder.encode(stored):
                self._file.add(picture)
            self._group_frames += 1
            if self._group_frames == GROUP_FRAMES:
                self._close_group()
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error
        return stored

    def join(self) -> Iterator[int]:
        """Close the last group and write the file, which stays hidden until `finish`; tells how many frames are in it.

        Raises:
            VideoWriteError: The disk refuses; what is encoded is kept.
        """
        if self._part is not None:
            return
        try:
            self._close_group()
            paths = [self._unfinished.path / group.name for group in self._unfinished.manifest.groups]
            times = PictureTimes(paths)
            if not len(times.pts):
                raise VideoWriteError("no frame was written", path=self._path, hint="choose a range that is not empty")
            if self.names is not None:
                part = self.folder / WHOLE
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir()
                yield from join_into_pictures(part, self.names, self._first_number, paths)
            else:
                part = self.folder / f"{WHOLE}{self._path.suffix.lower()}"
                part.unlink(missing_ok=True)
                first = int(times.pts[0])
                shift = first - self._info.start_pts if self._is_cut else 0
                with self._muxer(ffmpeg_name(part), self._span(first, shift)) as muxer:
                    yield from join_into_file(muxer, paths, times, shift, self._info.time_base)
                    self.copied, self.chapters, self.timecode = muxer.copied, muxer.chapters, muxer.timecode
                sync_file(part)
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error
        self._part = part

    def complete(self) -> Path:
        """`join` at one go.

        Returns:
            The file, or the folder of the pictures (of a single one, itself): whole but still hidden, so that it can
            be looked at before it takes its place.
        """
        for _ in self.join():
            pass
        part = cast("Path", self._part)
        pictures = list(part.iterdir()) if self.names is not None else []
        return pictures[0] if len(pictures) == 1 else part

    def finish(self) -> None:
        """Complete the output, unless that is done, give it its name, and remove what it was made from."""
        if self._has_ended:
            return
        self.complete()
        part = cast("Path", self._part)
        try:
            if self.names is None:
                write_whole(self.folder / NAMING, b"")
                put_in_place(part, self._path)
            else:
                write_whole(self.folder / PLACING, b"{}\n")
                for picture in sorted(part.iterdir()):
                    put_in_place(picture, self._path.with_name(picture.name))
        except OSError as error:
            raise self._failed(error) from error
        self._end(keep=False)

    def set_aside(self) -> Path:
        """Keep a complete output that is not what was meant: hours of work may be in it, and someone may want to look.

        Returns:
            Its name beside the output's, in place of nothing; of pictures, that of a folder.
        """
        self.complete()
        part = cast("Path", self._part)
        stem, suffix = self._path.stem, self._path.suffix
        if self.names is not None:
            stem, suffix = self.names.before.rstrip("._- ") or "pictures", ""
        number = 1
        while True:
            mark = "unverified" if number == 1 else f"unverified-{number}"
            kept = self._path.with_name(f"{stem}.{mark}{suffix}")
            try:
                if self.names is None:
                    kept.touch(exist_ok=False)
                else:
                    kept.mkdir()
            except FileExistsError:
                number += 1
            else:
                break
        if self.names is None:
            part.replace(kept)
        else:
            for picture in part.iterdir():
                picture.replace(kept / picture.name)
        self._end(keep=False)
        return kept

    def abort(self, *, keep: bool = True) -> None:
        """Stop; the closed groups stay when that is wanted. Nothing happens after `finish`."""
        if not self._has_ended:
            self._end(keep=keep)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish, or after an exception leave nothing but closed groups behind."""
        try:
            if kind is None:
                self.finish()
        finally:
            self.abort()

    @property
    def closed_groups(self) -> int:
        """Groups that are on the disk."""
        return len(self._unfinished.manifest.groups)

    @property
    def closed_frames(self) -> int:
        """Frames that are on the disk, in closed groups."""
        return self._unfinished.manifest.frames

    @property
    def encoded_bytes(self) -> int:
        """Bytes of the closed groups."""
        return sum(group.size for group in self._unfinished.manifest.groups)

    def expected_bytes(self, frames: int) -> int:
        """About how large so many pictures become: as those that are encoded, at first as the codec's usually are."""
        if self.closed_frames:
            return round(self.encoded_bytes * frames / self.closed_frames)
        bits = self.plan.encoder.usual_bits(self.plan.encode, self.plan.layout)
        return round(bits / 8 * self._info.width * self._info.height * frames)

    def failure(self, error: OSError) -> VideoWriteError:
        """The error to raise for one of the disk that happened around this writer."""
        return self._failed(error)

    def _end(self, *, keep: bool) -> None:
        """Let go of everything."""
        self._has_ended = True
        self._encoder = None
        if self._file is not None:
            self._file.abandon()
            self._file = None
        self._unfinished.close(keep=keep)

    def _close_group(self) -> None:
        """Push the open group to the disk and into the manifest."""
        if self._encoder is None or self._file is None:
            return
        for picture in self._encoder.finish():
            self._file.add(picture)
        size = self._file.close()
        self._unfinished.add(self._group_frames, size)
        self._encoder = self._file = None
        self._group_frames = 0

    # Opening

    def _number_from(self, info: VideoInfo) -> int:
        """The number of the first picture: that of the source's, else 1.

        Raises:
            InputError: The pictures would take the place of the source's.
        """
        if self.names is None:
            return 1
        if self.names.hold_any_of(info.files or (info.path,)):
            raise InputError("the output is the source itself", path=self._path, hint="give the pictures other names")
        number = number_in(info.files[0]) if info.files else None
        return 1 if number is None else number

    def _bystanders(self, total: int | None) -> Iterator[str]:
        """A sentence for pictures that stay beside those that are written, and would be taken for theirs."""
        if self.names is None or total is None:
            return
        written = {self.names.name(self._first_number + place) for place in range(total)}
        others = sum(path.name not in written for path in self.names.existing())
        if others:
            yield f"{others} older pictures with other numbers lie among the new ones"

    def _rehearse(self) -> tuple[str, ...]:
        """Write a file's head into memory, so that what container or encoder refuse is told before any work."""
        try:
            if self.names is not None:
                PictureEncoder(self.plan)
                return ()
            with self._muxer(BytesIO()) as muxer:
                muxer.start()
                return muxer.warnings
        except (FFmpegError, ValueError, OSError) as error:
            raise self._refused(error) from error

    def _muxer(self, target: str | IO[bytes], span: Span = WHOLE_SOURCE) -> Muxer:
        return Muxer(
            target, self._path, self.plan, copy_from=self._copy_from, span=span, video_stream=self._video_stream
        )

    def _described(self, start_seconds: float) -> dict[str, Any]:
        """What the encoded frames depend on, for the manifest."""
        return {
            "range": [start_seconds, self._stop_seconds],
            "encoder": [self.plan.encoder.name, self.plan.pixel_format, *sorted(self.plan.encode.to_dict().items())],
            "container": self._path.suffix.lower(),
        }

    def _span(self, first: int, shift: int) -> Span:
        """The part of the source that is copied with the pictures, as far from the first of them as before.

        Args:
            first: Time of the first picture, in the source's ticks.
            shift: By how much the pictures are moved.
        """
        info = self._info
        start = None if shift == 0 else first * info.time_base
        stop = None if self._stop_seconds is None else info.start_pts * info.time_base + Fraction(self._stop_seconds)
        return Span(start, stop, shift * info.time_base)

    # Errors

    def _refused(self, error: Exception) -> VideoWriteError:
        """The error for an encoder or container that does not open."""
        reason = (error.strerror if isinstance(error, FFmpegError | OSError) else "") or str(error)
        return VideoWriteError(
            f"{self.plan.encoder.codec} video of {self._info.width}x{self._info.height} cannot be started ({reason})",
            path=self._path,
            hint="choose another codec, or a name that ends in .mkv",
        )

    def _failed(self, error: FFmpegError | OSError) -> VideoWriteError:
        """The error for a write that failed under way."""
        if error.errno == errno.ENOSPC:
            kept = self._unfinished.manifest.frames
            return VideoWriteError(
                f"the disk is full; {kept} frames are done and kept" if kept else "the disk is full",
                path=self._path,
                hint="make space on it, then resume the export" if kept else "make space on it, then export again",
            )
        reason = error.strerror or "unknown cause"
        return VideoWriteError(
            f"the file cannot be written ({reason})", path=self._path, hint="check free space and permissions"
        )
