"""Reads a sequence of pictures as footage: timelapses, renders and scans, each picture a frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.error import FFmpegError, InvalidDataError

from vecnet_core.errors import VideoDamageError, VideoOpenError, VideoReadError
from vecnet_core.frame import VideoInfo
from vecnet_core.video.decode import AS_IT_IS, DecodeSettings
from vecnet_core.video.form import PictureForm, orientation_of
from vecnet_core.video.frame_reader import FrameReader
from vecnet_core.video.index import even_index
from vecnet_core.video.orientation import MIRRORED
from vecnet_core.video.series import find_series

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

    from vecnet_core.frame import Frame

ASSUMED_RATE = Fraction(25)
"""Frames per second of pictures for which no rate is given."""


class SequenceReader(FrameReader):
    """Pictures by index or in order; only the first is decoded when it is opened. Not thread-safe.

    Args:
        path: A folder of pictures, a pattern such as ``shot.%04d.png`` or ``shot_####.png``, or one picture of a
            numbered series.
        decode: How fast the pictures follow each other.
        thread_count: Decoder threads; 0 lets FFmpeg choose.

    Raises:
        VideoOpenError: There are fewer than two pictures, pictures of several kinds, or the first cannot be read.
    """

    def __init__(self, path: Path | str, decode: DecodeSettings = AS_IT_IS, *, thread_count: int = 0) -> None:
        super().__init__(Path(path))
        self._thread_count = thread_count
        if decode.stream:
            raise VideoOpenError("pictures are a single video stream", path=self._path, hint="choose stream 0")
        series = find_series(self._path)
        self._files, self._decoder = series.files, series.decoder
        try:
            first, pixel_aspect = self._decoded(0)
        except VideoDamageError as error:
            raise VideoOpenError(error.message, path=error.path, hint=error.hint) from error
        self._form = PictureForm.of(first, self._files[0], decode.hdr)
        self._orientation = orientation_of(first)
        self._index = even_index(len(self._files))
        rate = decode.frame_rate or ASSUMED_RATE
        self.info = VideoInfo(
            path=self._path,
            container="image2",
            codec=self._decoder,
            width=first.width,
            height=first.height,
            frame_count=len(self._files),
            frame_rate=rate,
            is_variable_rate=False,
            time_base=1 / rate,
            start_pts=0,
            duration_seconds=float(len(self._files) / rate),
            layout=self._form.plan.layout,
            color=self._form.color,
            rotation_degrees=self._orientation.degrees,
            pixel_aspect=pixel_aspect,
            is_interlaced=False,
            audio_codecs=(),
            has_alpha=self._form.plan.has_alpha,
            is_rate_assumed=decode.frame_rate is None,
            files=self._files,
            reading=decode.picture_wishes,
            hdr=self._form.hdr,
            is_mirrored=self._orientation.is_mirrored,
        )
        if self.info.is_mirrored:
            self._warn(MIRRORED)
        for clause in (*self._form.warnings, *series.warnings):
            self._warn(clause)
        if decode.frame_rate is None:
            self._warn(f"pictures say no frame rate: {rate} per second are assumed (--frame-rate)")
        if decode.deinterlace:
            self._warn("pictures of a sequence are whole already and are not deinterlaced")
        self._remember(self._form.frame(first, 0, 0, self.info.time_base, 1))

    def _read(self, index: int) -> Frame:
        """A frame that is not in memory."""
        decoded, _ = self._decoded(index)
        change = self._form.change(decoded)
        if change:
            raise VideoReadError(
                change,
                path=self._files[index],
                frame=index,
                hint="give pictures of one size and kind, or move this one elsewhere",
            )
        if orientation_of(decoded) != self._orientation:
            self._warn(f"{self._files[index].name} is turned otherwise than the first picture, and is shown like it")
        frame = self._form.frame(decoded, index, index, self.info.time_base, 1)
        self._remember(frame)
        return frame

    def _has_frame_after(self, index: int) -> bool:
        """True when a later picture can be read."""
        return any(self._is_readable(later) for later in range(index + 1, len(self._files)))

    def _is_readable(self, index: int) -> bool:
        """True when a picture decodes."""
        try:
            self._decoded(index)
        except VideoDamageError:
            return False
        return True

    def _decoded(self, index: int) -> tuple[VideoFrame, Fraction]:
        """A picture and its pixel aspect.

        Raises:
            VideoDamageError: It cannot be read at all; the error names the file.
        """
        path = self._files[index]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise _damage(path, index, f"the picture cannot be read ({error.strerror})") from error
        if not data:
            raise _damage(path, index, "the picture is empty (0 bytes)")
        try:
            return self._decode(data, "explode")
        except FFmpegError:
            pass
        try:
            decoded = self._decode(data, "ignore_err")
        except FFmpegError as error:
            raise _damage(path, index, "the picture is damaged, or not what its name says") from error
        self._warn(f"{path.name} is damaged and shown as far as it can be decoded")
        return decoded

    def _decode(self, data: bytes, on_damage: str) -> tuple[VideoFrame, Fraction]:
        """Decode the bytes of a picture, with a decoder of its own so that none depends on the ones before it."""
        context = cast("VideoCodecContext", av.CodecContext.create(self._decoder, "r"))
        # Frame threads would only delay the single picture.
        context.thread_type, context.thread_count = "SLICE", self._thread_count
        context.options = {"err_detect": on_damage}
        pictures = [*context.decode(av.Packet(data)), *context.decode(None)]
        if not pictures:
            raise InvalidDataError(0, "no picture came out")
        return pictures[0], context.sample_aspect_ratio or Fraction(1)


def _damage(path: Path, index: int, message: str) -> VideoDamageError:
    """The error for a picture that gives nothing."""
    hint = "copy it again from the camera, or move it out of the sequence"
    return VideoDamageError(message, path=path, frame=index, hint=hint)
