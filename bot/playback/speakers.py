"""Every server's speaker, found by the server's id. Knows no line and no connection."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from types import TracebackType
from typing import Any, Self

import discord

from bot.errors import PlaybackError
from bot.playback.ledger import Ledger, NoLedger
from bot.playback.limits import Limits
from bot.playback.line import Line, Queued, Tell, Ticket, VocalChannel
from bot.playback.link import Connect
from bot.playback.pacer import Pacer
from bot.playback.speaker import Speaker
from bot.playback.voice_client import connect as connect_to_discord

Left = Callable[[int], Coroutine[Any, Any, None]]
"""Does what is to be done when the bot has left the voice channel of a server, given by its id."""
_NOTHING = "Nothing is being said here."


class Speakers:
    """Owns one Speaker for each server that was spoken in, and their clock. Opens and closes with `async with`.

    Everything here belongs to the event loop's thread. `connect` joins a channel; `ledger` writes down what waits.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        connect: Connect | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self._limits = limits
        self._pacer = Pacer()
        self._connect: Connect = connect or partial(connect_to_discord, pacer=self._pacer)
        self._ledger = ledger or NoLedger()
        self._speakers: dict[int, Speaker] = {}
        self._left: Left | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._pacer.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
        await self._pacer.__aexit__(kind, error, traceback)

    async def close(self) -> None:
        """Say every present sentence to its end and leave every channel. To be called while Discord is connected."""
        self._closed = True
        async with asyncio.TaskGroup() as group:
            for speaker in self._speakers.values():
                group.create_task(speaker.close())

    def enqueue(self, line: Line) -> Ticket:
        """Take a line for its channel's server.

        Raises PlaybackError at once where it can be known that it would not be heard: the queue is full, the bot may
        not connect or speak there, the channel is full, gone, or nobody is in it.
        """
        return self._speaker(line.channel).enqueue(line)

    def on_left(self, left: Left) -> None:
        """Have something done whenever a server's channel was left for good, unless the process ends."""
        self._left = left

    def announced(self, line: Line, *, panel: tuple[int, int], tell: Tell) -> None:
        """Take note of where a line was announced, and write it down: `panel` has the ids of channel and message."""
        speaker = self._speakers.get(line.channel.guild.id)
        if speaker is not None:
            speaker.announced(line, panel=panel, tell=tell)

    def join(self, channel: VocalChannel) -> Awaitable[VocalChannel]:
        """Come to a channel, and go on there with what was left unsaid in its server.

        Raises PlaybackError where the bot may not, or speaks elsewhere. What is returned tells where the bot came to,
        and raises PlaybackError where it could not; nobody has to wait for it.
        """
        return self._speaker(channel).join(channel)

    def queue(self, guild_id: int) -> tuple[Queued, ...]:
        """Give what is said and what waits in a server, in order."""
        speaker = self._speakers.get(guild_id)
        return () if speaker is None else speaker.queue

    def is_about(self, guild_id: int) -> bool:
        """Whether the bot is in a channel of a server, or has something to say there."""
        speaker = self._speakers.get(guild_id)
        return speaker is not None and speaker.is_about

    def said(self, channel: VocalChannel) -> tuple[Line, ...]:
        """Give those of the last lines said in a server that were said in this channel, the latest first."""
        speaker = self._speakers.get(channel.guild.id)
        return () if speaker is None else tuple(line for line in speaker.said if line.channel.id == channel.id)

    def stop(self, guild_id: int, *, asker_id: int, may_mute: bool) -> int:
        """End the lines of this member, or all of them with `may_mute`; return how many.

        Raises PlaybackError where nothing is said, or nothing of it is the member's.
        """
        return self._busy(guild_id).stop(asker_id=asker_id, may_mute=may_mute)

    def skip(self, guild_id: int, *, asker_id: int, may_mute: bool) -> Line:
        """End the line that is being said, and return it. Raises PlaybackError as `stop`."""
        return self._busy(guild_id).skip(asker_id=asker_id, may_mute=may_mute)

    def pause(self, guild_id: int, *, paused: bool, asker_id: int, may_mute: bool) -> Line:
        """Hold the line that is being said or let it go on, and return it. Raises PlaybackError as `stop`."""
        return self._busy(guild_id).pause(paused=paused, asker_id=asker_id, may_mute=may_mute)

    async def leave(self, guild_id: int, *, asker_id: int, may_mute: bool) -> bool:
        """Stop every line and leave the server's voice channel; whether there was one to leave.

        Raises PlaybackError where it would cut off somebody else's line: for a member who is not in that channel, and
        has not `may_mute`.
        """
        speaker = self._speakers.get(guild_id)
        return speaker is not None and await speaker.leave(asker_id=asker_id, may_mute=may_mute)

    def notice(self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState) -> None:
        """Follow a voice state update: a kick, a move, a mute, the last listener leaving. To be called on every one."""
        speaker = self._speakers.get(member.guild.id)
        if speaker is not None:
            speaker.notice(member, before, after)

    def renew(self, guild: discord.Guild) -> None:
        """Follow a server that Discord described anew, after an outage or in a new session. To be called on each."""
        speaker = self._speakers.get(guild.id)
        if speaker is not None:
            speaker.renew(guild)

    def judge(self, guild_id: int) -> None:
        """Follow a change of what the bot may do in a server. To be called on every one."""
        speaker = self._speakers.get(guild_id)
        if speaker is not None:
            speaker.judge()

    def _speaker(self, channel: VocalChannel) -> Speaker:
        if self._closed:
            raise PlaybackError("I am shutting down: ask again in a minute.")
        speaker = self._speakers.get(channel.guild.id)
        if speaker is None:
            guild_id = channel.guild.id
            speaker = Speaker(
                self._limits, connect=self._connect, ledger=self._ledger, left=lambda: self._tell_left(guild_id)
            )
            self._speakers[guild_id] = speaker
        return speaker

    async def _tell_left(self, guild_id: int) -> None:
        if self._left is not None:
            await self._left(guild_id)

    def _busy(self, guild_id: int) -> Speaker:
        speaker = self._speakers.get(guild_id)
        if speaker is None:
            raise PlaybackError(_NOTHING)
        return speaker
