"""Playback: the way through time, the clock, the sound, and the player that moves the playhead."""

from app.playback.course import Course, Loop
from app.playback.player import Playback
from app.playback.sound import SoundPlayer

__all__ = ["Course", "Loop", "Playback", "SoundPlayer"]
