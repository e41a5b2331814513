"""What playback needs of a connection to a voice channel, whoever provides it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import discord

from bot.playback.line import VocalChannel


class VoiceLink(Protocol):
    """A connection to one voice channel."""

    @property
    def channel(self) -> VocalChannel:
        """Where it is now: a moderator may have moved it."""

    @property
    def audible(self) -> bool:
        """Whether a packet sent now would be heard. Asked from the player's thread."""

    @property
    def parted(self) -> bool:
        """Whether it was left for good, and is not just being renewed."""

    def is_connected(self) -> bool:
        """Whether packets leave."""

    async def wait_encrypted(self) -> None:
        """Wait until those who listen can decrypt. Raises PlaybackError where that does not come."""

    def play(self, source: discord.AudioSource, *, after: Callable[[Exception | None], Any]) -> None:
        """Read the source from a thread of its own, and call `after` there when it ends, for whatever reason."""

    def stop(self) -> None:
        """End what plays."""

    async def disconnect(self, *, force: bool) -> None:
        """Leave the channel."""


Connect = Callable[[discord.VoiceChannel], Awaitable[VoiceLink]]
"""Joins a channel. Raises PlaybackError, leaving nothing behind."""
