"""Any sound of a provider, in any portions, to Opus packets of 20 ms. Does not know which provider, or who listens."""

from typing import Literal, assert_never

from bot.audio.opus import FRAME, packet_samples
from bot.audio.packer._mp3 import Mp3Sound
from bot.audio.packer._ogg import OggPath
from bot.audio.packer._pcm import PcmSound
from bot.audio.packer._sound import Path, SoundPath, no_sound
from bot.audio.packer._wav import WavSound

Encoding = Literal["pcm", "ogg", "mp3", "wav"]


class Packer:
    """Packs one utterance. Owns decoder, leveller and encoder, and what is not yet a whole packet.

    Speech comes out at -16 LUFS; Ogg Opus that is 20 ms packets already comes out as it came. Packets are handed out
    as soon as they can be made: the first after 0.8 s of sound, or after the first chunk where that is longer.
    `rate` matters for `pcm` only: mono, signed 16 bit, little endian, each chunk ending where a phrase does.
    """

    def __init__(self, encoding: Encoding, rate: int = 48_000) -> None:
        self._path = _path(encoding, rate)
        self._packets = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and give the packets that are ready.

        Raises ProviderError where the bytes are no sound. Blocks: call it in a thread.
        """
        return self._checked(self._path.feed(chunk))

    def finish(self) -> list[bytes]:
        """Give the rest, the last packet filled up with silence.

        Raises ProviderError where there was no sound at all, or it was cut off.
        """
        packets = self._checked(self._path.finish())
        if not self._packets:
            raise no_sound()
        return packets

    def _checked(self, packets: list[bytes]) -> list[bytes]:
        if any(packet_samples(packet) != FRAME for packet in packets):
            raise no_sound()
        self._packets += len(packets)
        return packets


def _path(encoding: Encoding, rate: int) -> Path:
    match encoding:
        case "pcm":
            return SoundPath(PcmSound(rate))
        case "wav":
            return SoundPath(WavSound())
        case "mp3":
            return SoundPath(Mp3Sound())
        case "ogg":
            return OggPath()
        case _:
            assert_never(encoding)
