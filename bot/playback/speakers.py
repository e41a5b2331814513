"""Every server's speaker, found by the server's id. Knows no line and no connection."""

import asyncio
from types import TracebackType
from typing import Self

import discord

from bot.errors import PlaybackError
from bot.playback.line import Line, Ticket
from bot.playback.link import Connect
from bot.playback.speaker import Speaker
from bot.playback.voice_client import connect as connect_to_discord


class Speakers:
    """Owns one Speaker for each server that was spoken in. Opens and closes with `async with`.

    Everything here belongs to the event loop's thread. `connect` joins a channel.
    """

    def __init__(self, max_queue: int, idle_seconds: float, *, connect: Connect = connect_to_discord) -> None:
        self._max_queue = max_queue
        self._idle_seconds = idle_seconds
        self._connect = connect
        self._speakers: dict[int, Speaker] = {}
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Refuse what waits, stop what is said, leave every channel. To be called while Discord is still connected."""
        self._closed = True
        async with asyncio.TaskGroup() as group:
            for speaker in self._speakers.values():
                group.create_task(speaker.close())

    def enqueue(self, line: Line) -> Ticket:
        """Take a line for its channel's server.

        Raises PlaybackError at once where it can be known that it would not be heard: the queue is full, the bot may
        not connect or speak there, the channel is a stage, full, gone, or nobody is in it.
        """
        if self._closed:
            raise PlaybackError("I am shutting down: ask again in a minute.")
        guild_id = line.channel.guild.id
        speaker = self._speakers.get(guild_id)
        if speaker is None:
            speaker = self._speakers[guild_id] = Speaker(
                max_queue=self._max_queue, idle_seconds=self._idle_seconds, connect=self._connect
            )
        return speaker.enqueue(line)

    def stop(self, guild_id: int, *, asker_id: int, may_mute: bool) -> int:
        """End the lines of this member, or all of them with `may_mute`; return how many.

        Raises PlaybackError where nothing is said, or nothing of it is the member's.
        """
        speaker = self._speakers.get(guild_id)
        if speaker is None:
            raise PlaybackError("Nothing is being said here.")
        return speaker.stop(asker_id=asker_id, may_mute=may_mute)

    async def leave(self, guild_id: int, *, asker_id: int, may_mute: bool) -> bool:
        """Stop every line and leave the server's voice channel; whether there was one to leave.

        Raises PlaybackError where it would cut off somebody else's line: for a member who is not in that channel, and
        has not `may_mute`.
        """
        speaker = self._speakers.get(guild_id)
        return speaker is not None and await speaker.leave(asker_id=asker_id, may_mute=may_mute)

    def notice(self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState) -> None:
        """Follow a voice state update: a kick, a move, the last listener leaving. To be called on every one."""
        speaker = self._speakers.get(member.guild.id)
        if speaker is not None and before.channel != after.channel:
            speaker.notice(member, after)
