"""What discord.py's player reads: silence first, then the packets of one line, then the end. Knows no connection."""

from collections.abc import Callable

import discord

from bot.playback.buffer import PacketBuffer

SILENCE = b"\xf8\xff\xfe"
"""One 20 ms Opus frame of silence (RFC 6716; Discord's voice documentation, "Voice Data Interpolation")."""
LEAD = 10
"""Frames of silence before the first word, 200 ms: listeners lose the first sound of a speaker who just began."""
PATIENCE = 500
"""Frames in a row (10 s) to hold the line back while it could not be heard, before giving it up."""


class OpusSource(discord.AudioSource):
    """Feeds one line to a player, 20 ms at a time. Owns the counts of what it handed out.

    `ready` says whether a packet sent now would be heard; while it does not, the line is held and silence is sent.
    """

    def __init__(self, buffer: PacketBuffer, ready: Callable[[], bool]) -> None:
        self._buffer = buffer
        self._ready = ready
        self._lead = LEAD
        self._held = 0
        self.underruns = 0
        """Frames of silence sent because the maker lagged behind."""
        self.exhausted = False
        """The line was handed out to its end."""

    def is_opus(self) -> bool:
        """Say that packets pass through as they are."""
        return True

    def read(self) -> bytes:
        """Hand out the next 20 ms, `b""` at the end. Never waits."""
        if self._lead > 0:
            self._lead -= 1
            return SILENCE
        if not self._ready():
            self._held += 1
            return SILENCE if self._held <= PATIENCE else b""
        self._held = 0
        packet = self._buffer.take()
        if packet is None:
            self.underruns += 1
            return SILENCE
        self.exhausted = not packet
        return packet
