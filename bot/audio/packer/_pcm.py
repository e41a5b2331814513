"""Bare samples: mono, signed 16 bit, little endian."""

import numpy as np

from bot.audio.packer._sound import is_text, no_sound
from bot.audio.recording import Samples, chain
from bot.audio.resample import Resampler


class PcmSound:
    """Reads bare samples at one rate. Owns the half sample between two chunks."""

    def __init__(self, rate: int) -> None:
        self._resampler = Resampler(rate)
        self._half = b""
        self._begun = False

    def feed(self, chunk: bytes) -> Samples:
        """Take the next bytes and give the sound in them."""
        data = self._half + chunk
        if not self._begun and is_text(data):
            raise no_sound()
        self._begun = self._begun or len(data) >= 64
        whole = len(data) // 2 * 2
        self._half = data[whole:]
        values = np.frombuffer(data[:whole], dtype="<i2")
        return self._resampler.feed(np.asarray(values / np.float32(32768), dtype=np.float32))

    def finish(self) -> Samples:
        """Give the rest."""
        return chain([self._resampler.finish()])
