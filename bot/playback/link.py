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
    def encrypted(self) -> bool:
        """Whether a packet sent now can be decrypted by those who listen."""

    def is_connected(self) -> bool:
        """Whether packets leave."""

    async def wait_encrypted(self) -> None:
        """Wait until `encrypted`. Raises PlaybackError where that does not come."""

    def play(self, source: discord.AudioSource, *, after: Callable[[Exception | None], Any]) -> None:
        """Read the source from a thread of its own, and call `after` there when it ends, for whatever reason."""

    def stop(self) -> None:
        """End what plays."""

    async def disconnect(self, *, force: bool) -> None:
        """Leave the channel."""


Connect = Callable[[discord.VoiceChannel], Awaitable[VoiceLink]]
"""Joins a channel. Raises PlaybackError, leaving nothing behind."""
