"""Recordings that come in: how long they are and whether anything is in them. Knows no requests."""

import io
from dataclasses import dataclass

import av
import numpy as np

_MAGIC = (b"RIFF", b"OggS", b"fLaC", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\x1aE\xdf\xa3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is in a recording."""

    seconds: float
    peak: float
    """0 to 1."""


def hear(data: bytes) -> Heard | None:
    """Decode a recording, told by its first bytes; None where there is no sound to be read."""
    if not (data.startswith(_MAGIC) or data[4:8] == b"ftyp"):
        return None
    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    count, peak = 0, 0.0
    try:
        with av.open(io.BytesIO(data), "r") as file:
            for frame in file.decode(audio=0):
                for part in resampler.resample(frame):
                    values = part.to_ndarray()
                    count, peak = count + values.size, max(peak, float(np.abs(values).max()))
    except (av.FFmpegError, IndexError):
        return None
    return Heard(seconds=count / 16_000, peak=peak) if count else None
