"""Any sound of a provider, in any portions, to Opus packets of 20 ms. Does not know which provider, or who listens."""

import sys
from collections.abc import Iterator, Mapping
from typing import Literal, assert_never

from bot.audio.opus import FRAME, packet_samples
from bot.audio.packer._mp3 import Mp3Sound
from bot.audio.packer._ogg import OggPath
from bot.audio.packer._pcm import PcmSound
from bot.audio.packer._sound import Path, SoundPath, no_sound
from bot.audio.packer._wav import WavSound

Encoding = Literal["pcm", "ogg", "mp3", "wav"]

_MOST: Mapping[Encoding, int] = {"pcm": 48_000, "ogg": 2_048, "mp3": 8_192, "wav": 48_000}
"""Bytes of about half a second; of Ogg less, as its first may be decoded outside a thread."""
_LEAST: Mapping[Encoding, int] = {"pcm": 5_600, "ogg": 1, "mp3": 1_024, "wav": 5_600}
"""Bytes of about 60 ms: each turn has its price. The first packet is not kept waiting for them."""


class Packer:
    """Packs one utterance. Owns decoder, leveller and encoder, and what is not yet a whole packet.

    Speech comes out at -16 LUFS; Ogg Opus that is 20 ms packets already comes out as it came. Packets are handed out
    as soon as they can be made: the first after 40 ms of sound; where chunks are `phrases`, after 0.8 s of it, or after
    the first phrase where that is longer. `rate` matters for `pcm` only: mono, signed 16 bit, little endian. `usual`:
    how loud sound from there came before, in LUFS, so that a short piece is as loud as a long one.
    """

    def __init__(
        self, encoding: Encoding, rate: int = 48_000, *, phrases: bool = False, usual: float | None = None
    ) -> None:
        self._path = _path(encoding, rate, phrases=phrases, usual=usual)
        self._least, self._most = (1, sys.maxsize) if phrases else (_LEAST[encoding], _MOST[encoding])
        self._rest = b""
        """Of the last chunk."""
        self._packets = 0

    @property
    def copies(self) -> bool:
        """Whether packets pass untouched so far: feeding a portion then takes no time worth a thread."""
        return self._path.copies

    @property
    def loudness(self) -> float | None:
        """How loud the sound came so far, in LUFS; None where it passes untouched, or too little came to tell."""
        return self._path.loudness

    def portions(self, chunk: bytes) -> Iterator[bytes]:
        """Cut chunks into portions to be fed one by one: not so long that the first packet has to wait for the last.

        A rest too small to be worth it stays for the next chunk or the end.
        """
        data, self._rest = self._rest + chunk, b""
        for start in range(0, len(data), self._most):
            portion = data[start : start + self._most]
            if self._packets and len(portion) < self._least:
                self._rest = portion
            else:
                yield portion

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and give the packets that are ready.

        Raises ProviderError where the bytes are no sound. Blocks: call it in a thread.
        """
        return self._checked(self._path.feed(chunk))

    def finish(self) -> list[bytes]:
        """Give the rest, the last packet filled up with silence.

        Raises ProviderError where there was no sound at all, or it was cut off.
        """
        rest, self._rest = self._rest, b""
        packets = self._checked(self._path.feed(rest)) + self._checked(self._path.finish())
        if not self._packets:
            raise no_sound()
        return packets

    def _checked(self, packets: list[bytes]) -> list[bytes]:
        if any(packet_samples(packet) != FRAME for packet in packets):
            raise no_sound()
        self._packets += len(packets)
        return packets


def _path(encoding: Encoding, rate: int, *, phrases: bool, usual: float | None) -> Path:
    match encoding:
        case "pcm":
            return SoundPath(PcmSound(rate), phrases=phrases, usual=usual)
        case "wav":
            return SoundPath(WavSound(), phrases=phrases, usual=usual)
        case "mp3":
            return SoundPath(Mp3Sound(), phrases=phrases, usual=usual)
        case "ogg":
            return OggPath()
        case _:
            assert_never(encoding)
