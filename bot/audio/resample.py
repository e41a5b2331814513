"""Frames of FFmpeg to samples and back, and one rate to another. Knows one channel only."""

import numpy as np
from av import AudioFrame, AudioResampler

from bot.audio.recording import RATE, Samples, chain


def to_frame(samples: Samples, rate: int = RATE) -> AudioFrame:
    """Wrap one channel of samples for FFmpeg."""
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples, dtype=np.float32)[None, :], "flt", "mono")
    frame.sample_rate = rate
    return frame


def to_samples(frame: AudioFrame) -> Samples:
    """Read a frame of any common sample format as -1 to 1, channels averaged into one.

    Raises ValueError where numpy has no such sample type.
    """
    array = frame.to_ndarray()
    kind = array.dtype
    channels = frame.layout.nb_channels
    if frame.format.is_packed and channels > 1:
        array = array.reshape(-1, channels).T
    if kind == np.uint8:
        return ((array.astype(np.float32) - 128.0) / 128.0).mean(axis=0, dtype=np.float32)
    if np.issubdtype(kind, np.integer):
        return (array.mean(axis=0, dtype=np.float64) / -float(np.iinfo(kind).min)).astype(np.float32)
    sound = np.nan_to_num(array, nan=0.0, posinf=1.0, neginf=-1.0).mean(axis=0, dtype=np.float64)
    return np.clip(sound, -16.0, 16.0).astype(np.float32)


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
    return chain([resampler.feed(samples), resampler.finish()])
