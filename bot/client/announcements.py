"""Where each server was told that the bot speaks: one message for a spell of speaking, not one for a line.

Knows nothing of what is said.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
import discord

from bot.client.announcement import Announcement, controls, remains
from bot.client.buttons import Interaction
from bot.playback import Line, Speakers, Tell, Ticket, VocalChannel

log = logging.getLogger(__name__)

_FAREWELL_SECONDS = 2.0
"""Time for Discord to change all announcements when the process ends."""
_GOES_ON = "I am being restarted: what was not said goes on when I am back."
_UNSAID = "I was restarted, and nothing is left that I could say here."
_OVER = "Nothing is being said here any more."


@dataclass(slots=True)
class _Spell:
    """A time of speaking in one voice channel, announced in one text channel."""

    channel: VocalChannel
    announcement: Announcement
    paused: bool = False
    """What its buttons show."""
    told: bool = False
    """Whether something else is said there than where the bot speaks."""

    async def tell(self, sentence: str) -> None:
        """Say something that has just happened."""
        self.told = True
        await self.announcement.show(sentence, controls(paused=self.paused))


class Announcements:
    """Owns the spell of speaking of each server. `open` is to be called once."""

    def __init__(self, client: discord.Client, speakers: Speakers) -> None:
        self._client = client
        self._speakers = speakers
        self._spells: dict[int, _Spell] = {}
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def open(self) -> None:
        """Begin to follow who is left."""
        self._speakers.on_left(self._end)

    async def announce(self, interaction: Interaction, line: Line, ticket: Ticket) -> None:
        """Tell everybody that something is going to be said, once a spell; return when its turn has come.

        Where the bot speaks in another voice channel, nothing is told before it is in the line's own; of a line that
        was over before, nothing. The first answer must not be pending.
        """
        elsewhere = self._is_elsewhere(line)
        if not elsewhere and not ticket.settled:
            await self._announce(interaction, line)
        if await ticket.begun() and (elsewhere or self._is_elsewhere(line)):
            await self._announce(interaction, line)

    def resume(self, channel: VocalChannel, panel: tuple[int, int]) -> Tell:
        """Take an announcement up again that was made before a restart, if the server has no other; give what tells
        something there.
        """
        spell = _Spell(channel, Announcement(self._client, *panel), told=True)
        present = self._spells.setdefault(channel.guild.id, spell)
        return present.tell if present.announcement.ids == panel else spell.tell

    async def go_on(self, line: Line, ticket: Ticket, panel: tuple[int, int]) -> None:
        """Take the announcement of a line up again when its turn comes, in place of any other."""
        guild_id = line.channel.guild.id
        if not await ticket.begun():
            return
        async with self._turns[guild_id]:
            spell = self._spells.get(guild_id)
            if spell is None or spell.announcement.ids != panel:
                spell = _Spell(line.channel, Announcement(self._client, *panel), told=True)
                await self._succeed(spell)
                await self._refresh(spell)
            elif spell.channel.id != line.channel.id:
                spell.channel, spell.told = line.channel, True
                await self._refresh(spell)
        self._speakers.announced(line, panel=panel, tell=spell.tell)
        await self._end(guild_id)

    async def give_up(self, guild_id: int, panel: tuple[int, int]) -> None:
        """Say that what an announcement promised before a restart is not said, unless the bot speaks by it again."""
        await self._retire(guild_id, panel, _UNSAID)

    async def clear(self, guild_id: int, panel: tuple[int, int]) -> None:
        """End an announcement whose buttons do nothing, unless the bot is about: a bot that was killed left it."""
        await self._retire(guild_id, panel, _OVER)

    async def _retire(self, guild_id: int, panel: tuple[int, int], told: str) -> None:
        async with self._turns[guild_id]:
            spell = self._spells.get(guild_id)
            if spell is not None and spell.announcement.ids == panel:
                if self._speakers.is_about(guild_id):
                    return
                del self._spells[guild_id]
            await Announcement(self._client, *panel).show(told, remains())

    @asynccontextmanager
    async def farewell(self) -> AsyncIterator[None]:
        """Have every announcement say what becomes of it while the speakers are closed, which is done inside."""
        lines = [queued for guild_id in self._spells for queued in self._speakers.queue(guild_id)]
        yield
        saved = [queued.line.saved for queued in lines if queued.ticket.rejected]
        kept = {(line.panel_channel_id, line.panel_message_id) for line in saved if line is not None}
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await asyncio.gather(*(self._part(guild_id, kept) for guild_id in tuple(self._spells)))

    async def _part(self, guild_id: int, kept: set[tuple[int | None, int | None]]) -> None:
        async with self._turns[guild_id]:
            spell = self._spells.pop(guild_id, None)
            if spell is not None:
                told = _GOES_ON if spell.announcement.ids in kept else _left(spell.channel)
                await spell.announcement.show(told, remains())

    async def refresh(self, guild_id: int) -> None:
        """Show what is true now, where something else is shown."""
        async with self._turns[guild_id]:
            spell = self._spells.get(guild_id)
            if spell is not None and self._speakers.is_about(guild_id):
                await self._refresh(spell)

    def note(self, guild_id: int, *, paused: bool) -> None:
        """Take note of what the buttons show since one was pressed."""
        spell = self._spells.get(guild_id)
        if spell is not None:
            spell.paused = paused

    def _is_elsewhere(self, line: Line) -> bool:
        """Whether the bot is, or is going to be, in another channel before it comes to a line."""
        guild_id = line.channel.guild.id
        spell, lines = self._spells.get(guild_id), self._speakers.queue(guild_id)
        if spell is not None:
            return spell.channel.id != line.channel.id
        return bool(lines) and lines[0].line.channel.id != line.channel.id

    async def _announce(self, interaction: Interaction, line: Line) -> None:
        guild_id = line.channel.guild.id
        async with self._turns[guild_id]:
            spell = self._spells.get(guild_id)
            if spell is None or not _fits(spell, interaction, line):
                posted = await self._post(interaction, line.channel)
                if posted is not None:
                    await self._succeed(posted)
                    spell = posted
                elif spell is not None and spell.channel.id != line.channel.id:
                    spell.channel, spell.told = line.channel, True  # the old message tells where it is now
            if spell is None:
                return
            await self._refresh(spell)
        self._speakers.announced(line, panel=spell.announcement.ids, tell=spell.tell)
        await self._end(guild_id)  # it may have left while this was posted

    async def _succeed(self, spell: _Spell) -> None:
        """Let an announcement take the place of the server's last one."""
        guild_id = spell.channel.guild.id
        former, self._spells[guild_id] = self._spells.get(guild_id), spell
        if former is not None:
            await former.announcement.show(f"I speak in {spell.channel.mention} now.", remains())

    async def _refresh(self, spell: _Spell) -> None:
        voice = spell.channel.guild.me.voice
        if voice is not None and isinstance(voice.channel, VocalChannel) and voice.channel.id != spell.channel.id:
            spell.channel, spell.told = voice.channel, True  # a moderator moved the bot
        lines = self._speakers.queue(spell.channel.guild.id)
        paused = bool(lines) and lines[0].paused
        if spell.told or spell.paused != paused:
            spell.told, spell.paused = False, paused
            await spell.announcement.show(_headline(spell.channel), controls(paused=paused))

    async def _post(self, interaction: Interaction, channel: VocalChannel) -> _Spell | None:
        try:
            answer = await interaction.followup.send(
                _headline(channel), view=controls(paused=False), ephemeral=False, wait=True
            )
        except discord.HTTPException as error:
            log.info("a line was not announced in server %d: HTTP %s", channel.guild.id, error.status)
            return None
        except (aiohttp.ClientError, OSError) as error:
            log.info("a line was not announced in server %d: %s", channel.guild.id, type(error).__name__)
            return None
        return _Spell(channel, Announcement(self._client, answer.channel.id, answer.id, answer=answer))

    async def _end(self, guild_id: int) -> None:
        """Say that the bot has left, unless it is about to come back for more."""
        async with self._turns[guild_id]:
            if guild_id in self._spells and not self._speakers.is_about(guild_id):
                spell = self._spells.pop(guild_id)
                await spell.announcement.show(_left(spell.channel), remains())


def _fits(spell: _Spell, interaction: Interaction, line: Line) -> bool:
    return spell.channel.id == line.channel.id and spell.announcement.ids[0] == interaction.channel_id


def _left(channel: VocalChannel) -> str:
    return f"I have left {channel.mention}."


def _headline(channel: VocalChannel) -> str:
    return f"I am in {channel.mention} and speak in voices made by a machine: /say adds a line."
