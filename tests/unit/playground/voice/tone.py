"""Opus packets of a tone, and its pitch in what was heard."""

from collections.abc import Iterable

import av
import discord
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

RATE = 48_000


class Packets(discord.AudioSource):
    """Opus packets that are there already."""

    def __init__(self, packets: Iterable[bytes]) -> None:
        self._packets = iter(packets)

    def is_opus(self) -> bool:
        return True

    def read(self) -> bytes:
        return next(self._packets, b"")


def tone(seconds: float, hertz: float = 440.0) -> list[bytes]:
    """Return 20 ms Opus packets of a sine."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "flt"
    encoder.bit_rate, encoder.options = 64_000, {"frame_duration": "20"}
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * 50) * 960) / RATE).astype(np.float32)
    packets = []
    for part in wave.reshape(-1, 1, 960):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="flt", layout="mono")
        frame.sample_rate = RATE
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def pitch(sound: NDArray[np.float32]) -> float:
    """Return the loudest frequency in hertz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.argmax(spectrum) * RATE / sound.size)
