"""RIFF WAVE as it comes, also with the placeholder sizes of a header written before the sound was made."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.audio.packer._sound import cut_off, no_sound
from bot.audio.recording import Samples, silence
from bot.audio.resample import LOUDEST, Resampler

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
MOST_BEFORE_SOUND = 1 << 20
PLACEHOLDER = 0x7FFF0000
"""Sizes from here on, and 0, stand for "until the end"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    kind: int
    channels: int
    rate: int
    width: int
    """Bytes a sample."""


class WavSound:
    """Reads one WAVE stream. Owns the header until it is whole, and the part of a sample frame between two chunks."""

    def __init__(self) -> None:
        self._buffer = b""
        self._shape: _Shape | None = None
        self._resampler: Resampler | None = None
        self._left = 0
        """Bytes of sound still promised; negative: unknown."""

    def feed(self, chunk: bytes) -> Samples:
        """Take the next bytes and give the sound in them."""
        self._buffer += chunk
        if self._resampler is None:
            self._resampler = self._open()
        if self._resampler is None or self._shape is None:
            return silence(0)
        return self._resampler.feed(self._take(self._shape))

    def finish(self) -> Samples:
        """Give the rest; raises ProviderError where less came than the header promised."""
        if self._resampler is None:
            raise no_sound()
        if self._left > 0:
            raise cut_off()
        return self._resampler.finish()

    def _take(self, shape: _Shape) -> Samples:
        frame = shape.width * shape.channels
        ready = len(self._buffer) if self._left < 0 else min(len(self._buffer), self._left)
        whole = ready // frame * frame
        data, self._buffer = self._buffer[:whole], self._buffer[whole:]
        if self._left >= 0:
            self._left -= whole
            self._left = self._left if self._left >= frame else 0
            self._buffer = self._buffer if self._left else b""
        return _read(data, shape)

    def _open(self) -> Resampler | None:
        """Walk the chunks up to the sound; None where more bytes are needed."""
        data = self._buffer
        if data[:4] not in {b"RIFF"[: len(data)], b"RF64"[: len(data)]} or data[8:12] != b"WAVE"[: len(data[8:12])]:
            raise no_sound()
        position = 12
        while len(data) >= position + 8:
            name, size = struct.unpack_from("<4sI", data, position)
            position += 8
            if name == b"data":
                return self._begin(position, size)
            if size > MOST_BEFORE_SOUND:
                raise no_sound()
            if name == b"fmt " and len(data) >= position + size:
                self._shape = _parse_shape(data[position : position + size])
            position += size + size % 2
        return None

    def _begin(self, position: int, size: int) -> Resampler:
        if self._shape is None:
            raise no_sound()
        self._buffer = self._buffer[position:]
        self._left = -1 if size == 0 or size >= PLACEHOLDER else size
        return Resampler(self._shape.rate)


def _parse_shape(body: bytes) -> _Shape:
    if len(body) < 16:
        raise no_sound()
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if kind == EXTENSIBLE and len(body) >= 26:
        (kind,) = struct.unpack_from("<H", body, 24)
    known = (kind == PCM and bits in {8, 16, 24, 32}) or (kind == FLOAT and bits in {32, 64})
    if not known or not 1 <= channels <= 8 or not 4_000 <= rate <= 384_000:
        raise no_sound()
    return _Shape(kind=kind, channels=channels, rate=rate, width=bits // 8)


def _read(data: bytes, shape: _Shape) -> Samples:
    values: NDArray[Any]
    if shape.kind == FLOAT:
        values = np.clip(np.nan_to_num(np.frombuffer(data, dtype=f"<f{shape.width}")), -LOUDEST, LOUDEST)
    elif shape.width == 1:
        values = (np.frombuffer(data, dtype=np.uint8) - 128.0) / 128.0
    elif shape.width == 3:
        high = np.zeros((len(data) // 3, 4), dtype=np.uint8)
        high[:, 1:] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        values = high.view("<i4")[:, 0] / 2.0**31
    else:
        values = np.frombuffer(data, dtype=f"<i{shape.width}") / 2.0 ** (8 * shape.width - 1)
    return np.asarray(values.reshape(-1, shape.channels).mean(axis=1), dtype=np.float32)
