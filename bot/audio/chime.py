"""A short pleasant tone by which people know that a channel works. Knows no channel."""

import numpy as np

from bot.audio.opus import OpusEncoder
from bot.audio.recording import RATE, Samples

SECONDS = 1.0
NOTES = ((523.25, 0.0), (659.26, 0.12), (783.99, 0.24))
"""Pitch in Hz and beginning in seconds: C5, E5, G5."""
_LOUD = 0.16
_OVERTONES = ((1, 1.0), (2, 0.3), (3, 0.1))
_DECAY = 6.0
_ATTACK = 0.008
_END = 0.08


def make_chime() -> tuple[bytes, ...]:
    """Make the chime: 48 kHz Opus packets of exactly 20 ms."""
    encoder = OpusEncoder(application="audio")
    return tuple(encoder.feed(_draw()) + encoder.finish())


def _draw() -> Samples:
    """Let each note swell, ring out and, with the last, end in silence."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    sound = np.zeros(time.size)
    for pitch, begin in NOTES:
        own = np.maximum(0.0, time - begin)
        shape = np.minimum(own / _ATTACK, 1.0) * np.exp(-_DECAY * own)
        sound += shape * sum(share * np.sin(2 * np.pi * pitch * times * own) for times, share in _OVERTONES)
    sound *= _LOUD * np.minimum(1.0, (SECONDS - time) / _END)
    return sound.astype(np.float32)
