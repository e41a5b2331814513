"""The sound that the services answer with: made from the text, in each format they offer. Knows no service."""

import io
import struct
from collections.abc import Callable
from functools import lru_cache
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


@lru_cache(maxsize=32)
def babble(text: str, speed: float = 1.0) -> Samples:
    """Make a voice-like sound, 60 ms a letter, that differs from text to text."""
    count = max(round(RATE * _SECONDS_A_LETTER * len(text) / speed), RATE // 2)
    time = np.arange(count) / RATE
    seed = np.random.default_rng(list(text.encode()) or [0])
    pitch = 90 + 80 * seed.random() + 15 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(phase * harmonic) / harmonic for harmonic in range(1, 12))
    beat = np.clip(np.sin(2 * np.pi * 4 * time) + 0.4, 0, 1)
    sound = np.asarray(0.15 * voice * beat, dtype=np.float32)
    sound.flags.writeable = False  # all who ask for the same get the same
    return sound


def encode(samples: Samples, form: Form, *, rate: int = RATE) -> bytes:
    """Write sound as a service sends it: Ogg Opus at 48 kHz, or one of the others at `rate`; WAV without its length."""
    encoder = Encoder(form, rate=rate)
    return encoder.write(samples) + encoder.close()


class Encoder:
    """Writes sound bit by bit as one stream, as a service does that is still making the rest."""

    def __init__(self, form: Form, *, rate: int = RATE) -> None:
        self._rate = 48_000 if form == "opus" else rate
        self._pressed = _Pressed(form, self._rate) if form in {"opus", "mp3"} else None
        self._head = _head(rate) if form == "wav" else b""

    def write(self, samples: Samples) -> bytes:
        """Give the bytes that are ready; up to a fifth of a second may stay behind."""
        values = _integers(_at(samples, self._rate))
        if self._pressed is not None:
            return self._pressed.write(values)
        head, self._head = self._head, b""
        return head + values

    def close(self) -> bytes:
        """Give the rest."""
        return self._head if self._pressed is None else self._pressed.close()


class _Pressed:
    """Owns one encoder of Opus or MP3 and the file it writes into."""

    def __init__(self, form: Form, rate: int) -> None:
        self._file = io.BytesIO()
        self._given = 0
        self._rate = rate
        options = {"page_duration": "200000"} if form == "opus" else {"write_xing": "0"}
        self._out = av.open(self._file, "w", format="ogg" if form == "opus" else "mp3", options=options)
        codec: Literal["libopus", "libmp3lame"] = "libopus" if form == "opus" else "libmp3lame"
        bit_rate = 62_000 if form == "opus" else 128_000
        self._stream = self._out.add_stream(codec, rate=rate, layout="mono", bit_rate=bit_rate)
        self._resampler: av.AudioResampler | None = None

    def write(self, values: bytes) -> bytes:
        if values:
            frame = av.AudioFrame.from_ndarray(np.frombuffer(values, dtype="<i2")[np.newaxis], "s16", "mono")
            frame.sample_rate = self._rate
            self._press(frame)
        return self._ready()

    def close(self) -> bytes:
        self._press(None)
        self._out.mux(self._stream.encode(None))
        self._out.close()
        return self._ready()

    def _press(self, frame: av.AudioFrame | None) -> None:
        if self._resampler is None:
            if frame is None:
                return
            form = self._stream.codec_context.format
            self._resampler = av.AudioResampler(format=form, layout="mono", rate=self._rate)
        for part in self._resampler.resample(frame):
            part.pts = None
            self._out.mux(self._stream.encode(part))

    def _ready(self) -> bytes:
        new = self._file.getvalue()[self._given :]
        self._given += len(new)
        return new


def _at(samples: Samples, rate: int) -> Samples:
    if not len(samples):
        return samples
    count = round(len(samples) * rate / RATE)
    places = np.linspace(0, max(len(samples) - 1, 0), count)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


def _integers(samples: Samples) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def _head(rate: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", _UNKNOWN_RIFF, b"WAVE") + form + struct.pack("<4sI", b"data", _UNKNOWN_DATA)
