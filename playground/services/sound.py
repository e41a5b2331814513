"""The sound that the services answer with: made from the text, in each format they offer. Knows no service."""

import io
import struct
from collections.abc import Callable
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Form = Literal["opus", "mp3", "wav", "pcm"]
Speak = Callable[[str, float], Samples]
"""A text and a speed (1 as usual) to mono sound at `RATE`."""

RATE = 44_100
_SECONDS_A_LETTER = 0.06
_UNKNOWN_RIFF, _UNKNOWN_DATA = 4_294_967_076, 4_294_967_040
"""What Fish Audio writes into a WAV header whose length it does not know yet."""


def babble(text: str, speed: float = 1.0) -> Samples:
    """Make a voice-like sound, 60 ms a letter, that differs from text to text."""
    count = max(round(RATE * _SECONDS_A_LETTER * len(text) / speed), RATE // 2)
    time = np.arange(count) / RATE
    seed = np.random.default_rng(list(text.encode()) or [0])
    pitch = 90 + 80 * seed.random() + 15 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(phase * harmonic) / harmonic for harmonic in range(1, 12))
    beat = np.clip(np.sin(2 * np.pi * 4 * time) + 0.4, 0, 1)
    return np.asarray(0.15 * voice * beat, dtype=np.float32)


def encode(samples: Samples, form: Form, *, rate: int = RATE) -> bytes:
    """Write sound as a service sends it: Ogg Opus at 48 kHz, or one of the others at `rate`; WAV without its length."""
    match form:
        case "pcm":
            return _integers(_at(samples, rate))
        case "wav":
            return _head(rate) + _integers(_at(samples, rate))
        case "mp3":
            return _compress(samples, "mp3", "libmp3lame", rate)
        case "opus":
            return _compress(samples, "ogg", "libopus", 48_000)


def _at(samples: Samples, rate: int) -> Samples:
    count = round(len(samples) * rate / RATE)
    places = np.linspace(0, max(len(samples) - 1, 0), count)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


def _integers(samples: Samples) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def _head(rate: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", _UNKNOWN_RIFF, b"WAVE") + form + struct.pack("<4sI", b"data", _UNKNOWN_DATA)


def _compress(samples: Samples, container: str, codec: str, rate: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        stream.bit_rate = 128_000 if codec == "libmp3lame" else 62_000
        values = np.frombuffer(_integers(_at(samples, rate)), dtype="<i2")
        frame = av.AudioFrame.from_ndarray(values[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.codec_context.format or "s16", layout="mono", rate=rate)
        for part in resampler.resample(frame):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return file.getvalue()
