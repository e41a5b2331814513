"""Frames of FFmpeg to samples and back, and one rate to another. Knows one channel only."""

from typing import Any

import numpy as np
from av import AudioFrame, AudioResampler
from numpy.typing import NDArray

from bot.audio.recording import RATE, Samples, chain, pieces

LOUDEST = 16.0
"""Full scales: what floating point sound beyond it holds is damage."""
MOST_PLANES = 7
"""Channels in places of their own that PyAV (18.1) can count: of 8 it sees more than there are, and reading those ends
the process."""


def to_frame(samples: Samples, rate: int = RATE) -> AudioFrame:
    """Wrap one channel of samples for FFmpeg."""
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples, dtype=np.float32)[None, :], "flt", "mono")
    frame.sample_rate = rate
    return frame


def to_samples(frame: AudioFrame) -> Samples:
    """Read a frame of any common sample format as -1 to 1, channels averaged into one.

    A file chooses how long its frames are, so a long one is read piece by piece. Raises ValueError where numpy has no
    such sample type.
    """
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels > MOST_PLANES:
        return chain(to_samples(packed) for packed in _pack(frame))
    array: NDArray[Any] = frame.to_ndarray()
    if frame.format.is_packed and channels > 1:
        array = array.reshape(-1, channels).T
    return chain(_mix(array[:, start : start + RATE]) for start in range(0, array.shape[1], RATE))


def _pack(frame: AudioFrame) -> list[AudioFrame]:
    """Put the channels of a frame side by side."""
    packer = AudioResampler(format=frame.format.packed.name, layout=frame.layout, rate=frame.sample_rate)
    return [*packer.resample(frame), *packer.resample(None)]


def _mix(array: NDArray[Any]) -> Samples:
    """Average the rows of any common sample type."""
    if array.dtype.kind == "f":
        array = np.clip(np.nan_to_num(array, nan=0.0), -LOUDEST, LOUDEST)
    sound = array.mean(axis=0, dtype=np.float64)
    match array.dtype.kind, array.dtype.itemsize:
        case "u", _:
            sound = (sound - 128.0) / 128.0
        case "i", width:
            sound /= 2.0 ** (8 * width - 1)
    return np.asarray(sound, dtype=np.float32)


class Resampler:
    """Brings a stream of one channel to 48 kHz. Owns FFmpeg's resampler and its few samples of delay."""

    def __init__(self, rate: int, *, to: int = RATE) -> None:
        self._rate = rate
        self._inner = None if rate == to else AudioResampler(format="flt", layout="mono", rate=to)

    def feed(self, samples: Samples) -> Samples:
        """Take the next samples and give what is ready."""
        if self._inner is None or not samples.size:
            return samples
        return chain(to_samples(frame) for frame in self._inner.resample(to_frame(samples, self._rate)))

    def finish(self) -> Samples:
        """Give the rest."""
        if self._inner is None:
            return chain(())
        return chain(to_samples(frame) for frame in self._inner.resample(None))


def resample(samples: Samples, *, rate: int, to: int) -> Samples:
    """Bring a whole piece of sound from one rate to another."""
    resampler = Resampler(rate, to=to)
    return chain([*(resampler.feed(piece) for piece in pieces(samples)), resampler.finish()])
