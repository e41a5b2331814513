"""The way from bytes to packets by decoding, levelling and encoding. Knows no format."""

import string
from typing import Protocol

from bot.audio.level import Leveller
from bot.audio.opus import OpusEncoder
from bot.audio.recording import Samples
from bot.errors import ProviderError

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

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and give the packets that are ready."""

    def finish(self) -> list[bytes]:
        """Give the rest."""


class Voice:
    """Turns samples into packets at -16 LUFS. Owns the leveller and the encoder; makes nothing of nothing."""

    def __init__(self, *, levelled: bool = True, phrases: bool = False) -> None:
        self._leveller = Leveller(phrases=phrases) if levelled else None
        self._encoder = OpusEncoder()
        self._heard = False

    def feed(self, samples: Samples) -> list[bytes]:
        """Take the next samples and give the packets that are full."""
        if not samples.size:
            return []
        self._heard = True
        return self._encoder.feed(self._leveller.feed(samples) if self._leveller else samples)

    def finish(self) -> list[bytes]:
        """Give the rest, none where nothing was heard."""
        if not self._heard:
            return []
        rest = self._encoder.feed(self._leveller.finish()) if self._leveller else []
        return rest + self._encoder.finish()


class SoundPath:
    """Decodes, levels and encodes. Owns one of each."""

    copies = False

    def __init__(self, sound: Sound, *, phrases: bool) -> None:
        self._sound = sound
        self._voice = Voice(phrases=phrases)

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
