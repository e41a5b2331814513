"""The way from bytes to packets by decoding, levelling and encoding. Knows no format."""

import string
from typing import Protocol

import numpy as np

from bot.audio.level import Leveller
from bot.audio.opus import OpusEncoder
from bot.audio.recording import RATE, Samples, chain
from bot.errors import ProviderError

RISE = round(0.003 * RATE)
"""Samples over which sound that begins in the middle of a wave is faded in: no click, and no dull consonant."""
FALL = round(0.005 * RATE)
"""The same at its end."""
_PRINTABLE = frozenset(string.printable.encode())


class Sound(Protocol):
    """Turns bytes of one format into mono samples at 48 kHz."""

    def feed(self, chunk: bytes) -> Samples:
        """Take the next bytes and give the sound in them."""

    def finish(self) -> Samples:
        """Give the rest."""


class Path(Protocol):
    """Turns bytes into packets."""

    @property
    def copies(self) -> bool:
        """Whether nothing had to be decoded so far."""

    @property
    def loudness(self) -> float | None:
        """How loud it came, in LUFS, where that was measured."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and give the packets that are ready."""

    def finish(self) -> list[bytes]:
        """Give the rest."""


class Voice:
    """Turns samples into packets at -16 LUFS. Owns the leveller and the encoder; makes nothing of nothing.

    Both ends are faded, so that no click is heard where another piece comes before or after. What goes on in the
    middle of a piece is not `levelled`.
    """

    def __init__(self, *, levelled: bool = True, phrases: bool = False, usual: float | None = None) -> None:
        self._leveller = Leveller(phrases=phrases, usual=usual) if levelled else None
        self._encoder = OpusEncoder()
        self._risen = 0
        """Samples of the beginning that were faded in."""
        self._heard = False

    @property
    def loudness(self) -> float | None:
        """How loud it came, in LUFS, where that was measured."""
        return self._leveller.heard if self._leveller else None

    def feed(self, samples: Samples) -> list[bytes]:
        """Take the next samples and give the packets that are full."""
        if not samples.size:
            return []
        self._heard = True
        return self._encoder.feed(self._leveller.feed(self._rise(samples)) if self._leveller else samples)

    def finish(self) -> list[bytes]:
        """Give the rest, none where nothing was heard."""
        if not self._heard:
            return []
        # the leveller holds back more than is faded
        rest = self._encoder.feed(_fall(self._leveller.finish())) if self._leveller else []
        return rest + self._encoder.finish()

    def _rise(self, samples: Samples) -> Samples:
        count = min(RISE - self._risen, samples.size)
        if not count:
            return samples
        faded = samples[:count] * _slope(RISE)[self._risen : self._risen + count]
        self._risen += count
        return chain([faded, samples[count:]])


def _fall(samples: Samples) -> Samples:
    count = min(FALL, samples.size)
    return chain([samples[: samples.size - count], samples[samples.size - count :] * _slope(count)[::-1]])


def _slope(count: int) -> Samples:
    """Draw half a cosine from 0 to 1."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1)), dtype=np.float32)


class SoundPath:
    """Decodes, levels and encodes. Owns one of each."""

    copies = False

    def __init__(self, sound: Sound, *, phrases: bool, usual: float | None) -> None:
        self._sound = sound
        self._voice = Voice(phrases=phrases, usual=usual)

    @property
    def loudness(self) -> float | None:
        """How loud it came, in LUFS, where that was measured."""
        return self._voice.loudness

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and give the packets that are ready."""
        return self._voice.feed(self._sound.feed(chunk))

    def finish(self) -> list[bytes]:
        """Give the rest."""
        return self._voice.feed(self._sound.finish()) + self._voice.finish()


def no_sound() -> ProviderError:
    """Say that what came is not sound."""
    return ProviderError("The voice service sent no sound: try again in a minute.", kind="server")


def cut_off() -> ProviderError:
    """Say that sound came and its end did not."""
    return ProviderError("The voice service stopped in the middle: try again in a minute.", kind="server")


def is_text(data: bytes) -> bool:
    """Tell a page of text, such as an error in HTML or JSON, from sound."""
    return len(data) >= 16 and _PRINTABLE.issuperset(data[:64])
