"""The system's sound device through Qt Multimedia; imported only when there is something to play."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtMultimedia import QAudio, QAudioFormat, QAudioSink, QMediaDevices

from app.playback.sound import CHANNELS, RATE, Block, NoSoundError

if TYPE_CHECKING:
    from PySide6.QtCore import QIODevice

_SAMPLE_BYTES = 2 * CHANNELS
_BUFFERED_SECONDS = 0.2


class DeviceSink:
    """An open sound device that takes 16-bit stereo at 48 kHz."""

    def __init__(self) -> None:
        """Open the default device.

        Raises:
            NoSoundError: There is none, or it does not open.
        """
        device = QMediaDevices.defaultAudioOutput()
        form = QAudioFormat()
        form.setSampleRate(RATE)
        form.setChannelCount(CHANNELS)
        form.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        if device.isNull():
            raise NoSoundError("There is no sound device; the picture plays without sound.")
        if not device.isFormatSupported(form):
            raise NoSoundError(f"The sound device {device.description()} does not take stereo at 48 kHz.")
        self._sink = QAudioSink(device, form)
        self._sink.setBufferSize(round(_BUFFERED_SECONDS * RATE) * _SAMPLE_BYTES)
        self._pipe: QIODevice | None = self._sink.start()
        # The types say that it always opens; a device that was unplugged this moment does not.
        if self._pipe is None or self._sink.error().value != QAudio.Error.NoError.value:  # pyright: ignore[reportUnnecessaryComparison]
            raise NoSoundError(f"The sound device {device.description()} cannot be opened.")

    @property
    def free(self) -> int:
        """Samples it would take now."""
        return self._sink.bytesFree() // _SAMPLE_BYTES

    @property
    def played(self) -> float:
        """Seconds the device has taken."""
        return self._sink.processedUSecs() / 1e6

    def write(self, block: Block) -> None:
        """Take samples ``(N, 2)``."""
        if self._pipe is not None:
            self._pipe.write(block.tobytes())

    def set_volume(self, volume: float) -> None:
        """Loudness from 0 to 1, as the ear judges it."""
        self._sink.setVolume(volume**3)

    def close(self) -> None:
        """Stop at once."""
        self._pipe = None
        self._sink.reset()
