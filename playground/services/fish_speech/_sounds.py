"""The sound of its voices, and of the one that is nobody's. Knows no request."""

import io
import wave

import numpy as np

from playground.services.sound import RATE, Samples

_PITCH = 880.0
_HEADS = (b"RIFF", b"OggS", b"ID3", b"\xff", b"fLaC", b"\x1aE\xdf\xa3")


def readable(audio: bytes) -> bool:
    """Say whether it begins like a recording."""
    return audio.startswith(_HEADS) or audio[4:8] == b"ftyp"


def tone(count: int) -> Samples:
    """Make the voice of nobody: a plain high tone, `count` samples at `RATE`."""
    return np.asarray(0.2 * np.sin(2 * np.pi * _PITCH * np.arange(count) / RATE), dtype=np.float32)


def write_wav(samples: Samples, *, streaming: bool) -> bytes:
    """Write a WAV file; one that is streamed says in its head that it has no sound."""
    values = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    head = io.BytesIO()
    with wave.open(head, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        if not streaming:
            file.writeframes(values)
    return head.getvalue() + (values if streaming else b"")
