"""What the channels play: speech without an end, until it is told to end. Counts what was handed to the player."""

from collections.abc import Sequence

import discord

from bot.playback.player import SpeechSource


class Loop(discord.AudioSource):
    """Hands out the same packets over and over."""

    def __init__(self, packets: Sequence[bytes]) -> None:
        self._packets = packets
        self._next = 0

    def is_opus(self) -> bool:
        """Say that packets pass through as they are."""
        return True

    def read(self) -> bytes:
        """Hand out the next 20 ms."""
        packet = self._packets[self._next]
        self._next = (self._next + 1) % len(self._packets)
        return packet

    def read_on(self, most: int) -> Sequence[bytes]:
        """Hand out up to so many more."""
        return [self.read() for _ in range(most)]


class Counted(discord.AudioSource):
    """Hands on another source until it is told to end. Owns how much was handed on.

    It ends between two packets, so that each packet counted is one that the player meant to send.
    """

    def __init__(self, source: discord.AudioSource) -> None:
        self._source = source
        self._ahead = source.read_on if isinstance(source, SpeechSource) else None
        self.handed = 0
        self.ending = False

    def is_opus(self) -> bool:
        """Say what the source says."""
        return self._source.is_opus()

    def read(self) -> bytes:
        """Hand on the next 20 ms, nothing once it is to end."""
        packet = b"" if self.ending else self._source.read()
        self.handed += bool(packet)
        return packet

    def read_on(self, most: int) -> Sequence[bytes]:
        """Hand on up to so many more, where the player can take them together."""
        if self.ending or self._ahead is None:
            return ()
        following = self._ahead(most)
        self.handed += len(following)
        return following

    def cleanup(self) -> None:
        """Let go of the source."""
        self._source.cleanup()
