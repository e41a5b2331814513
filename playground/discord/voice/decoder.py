"""Opus packets to sound, as a listener's client does it. Knows no network."""

from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import InvalidDataError
from numpy.typing import NDArray

RATE = 48_000
"""Samples per second of everything heard."""

Sound = NDArray[np.float32]


class Decoder:
    """Owns the state of one Opus stream."""

    def __init__(self) -> None:
        context = av.CodecContext.create("libopus", "r")
        if not isinstance(context, AudioCodecContext):
            raise TypeError("libopus is not an audio decoder here")
        context.sample_rate = RATE
        context.layout = "stereo"
        self._context = context

    def decode(self, packet: bytes) -> Sound:
        """Return a packet's sound, mono at 48 kHz; nothing where it is not Opus."""
        try:
            frames = self._context.decode(av.Packet(packet))
        except InvalidDataError:
            return np.zeros(0, dtype=np.float32)
        parts: list[NDArray[Any]] = [frame.to_ndarray().reshape(-1, 2) for frame in frames]
        if not parts:
            return np.zeros(0, dtype=np.float32)
        stereo = np.concatenate(parts).astype(np.float32) / np.float32(32768)
        mono: Sound = stereo.mean(axis=1, dtype=np.float32)
        return mono
