"""Lines that were said or waited when the bot was stopped: it comes back and goes on where it stopped, once."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import discord

from bot.client.announcements import Announcements
from bot.client.news import Courier
from bot.errors import BotError, PlaybackError, StoreError
from bot.lines import LineBook
from bot.models import SavedLine
from bot.playback import Line, Speakers, Tell, Ticket, VocalChannel, tell_nobody
from bot.script import Manner
from bot.speech import SpeechService
from bot.voices import VoiceService

log = logging.getLogger(__name__)

OUTAGE_SECONDS = 600.0
"""Time for a server that is down at the start, before its lines are given up."""
MAX_AGE = timedelta(minutes=30)
"""Older lines are not said any more: nobody waits for them."""
TWICE = "I was stopped twice before it was said. Ask again."
LATE = "I was away for more than half an hour. Ask again if it is still to be said."
BACK = "I was restarted, and go on where I stopped."


class Revival:
    """Takes up what an earlier process left. Owns which servers have still to wait for theirs."""

    def __init__(
        self,
        bot: discord.Client,
        *,
        book: LineBook,
        voices: VoiceService,
        speech: SpeechService,
        speakers: Speakers,
        announcements: Announcements,
    ) -> None:
        self._bot = bot
        self._book = book
        self._voices = voices
        self._speech = speech
        self._speakers = speakers
        self._announcements = announcements
        self._courier = Courier(bot)
        self._known = False
        self._awaited: set[int] = set()

    def is_awaited(self, guild_id: int) -> bool:
        """Whether lines may still come back in a server of which nothing is queued yet."""
        return not self._known or guild_id in self._awaited

    async def run(self) -> None:
        """Ask for every line again, and stay until each has an end."""
        try:
            given_up = await self._book.given_up(MAX_AGE)
            left = await self._book.take_up(MAX_AGE)
        except StoreError as error:
            log.warning("what was left unsaid cannot be read: %s", error)
            return
        finally:
            self._known = True
        servers: dict[int, list[SavedLine]] = {}
        for saved in left:
            servers.setdefault(saved.guild_id, []).append(saved)
        self._awaited.update(servers)
        async with asyncio.TaskGroup() as group:
            for saved in given_up:
                group.create_task(self._tell(saved, PlaybackError(TWICE if saved.restored else LATE)))
            for guild_id, panel in _panels(given_up) - _panels(left):
                group.create_task(self._announcements.give_up(guild_id, panel))
            for guild_id, lines in servers.items():
                group.create_task(self._go_on(guild_id, lines))

    async def _go_on(self, guild_id: int, lines: Sequence[SavedLine]) -> None:
        """Ask for the lines of one server again, once it is there."""
        await self._wait_for(guild_id)
        tickets: list[tuple[SavedLine, Line, Ticket]] = []
        for saved in lines:
            try:
                line = await self._rebuild(saved)
                tickets.append((saved, line, self._speakers.enqueue(line)))
            except BotError as error:
                self._book.drop(saved.id)
                await self._tell(saved, error)
                continue
            if len(tickets) == 1:
                await line.tell(BACK)
        self._awaited.discard(guild_id)
        for _, panel in _panels(lines) - _panels([saved for saved, _, _ in tickets]):
            await self._announcements.give_up(guild_id, panel)
        async with asyncio.TaskGroup() as group:
            for saved, line, ticket in tickets:
                group.create_task(self._follow(saved, line, ticket))

    async def _wait_for(self, guild_id: int) -> None:
        """Wait for a server that is down, which has no channels then."""
        guild = self._bot.get_guild(guild_id)
        if guild is not None and guild.unavailable:
            with suppress(TimeoutError):
                await self._bot.wait_for("guild_available", check=lambda g: g.id == guild_id, timeout=OUTAGE_SECONDS)

    async def _rebuild(self, saved: SavedLine) -> Line:
        """Make a line of what was written down. Raises BotError where that cannot be said any more."""
        channel = self._bot.get_channel(saved.channel_id)
        if not isinstance(channel, VocalChannel):
            raise PlaybackError("its channel is gone, or I am not in that server any more.")
        voice = await self._voices.resolve(saved.voice_id, owner_id=saved.asker_id)
        manner = Manner(style=saved.style, speed=saved.speed, party=saved.guild_id)
        script = self._speech.script(voice, saved.text, manner)
        return Line(
            asker_id=saved.asker_id,
            channel=channel,
            open=script.open,
            sentences=script.sentences,
            start=min(saved.sentence, len(script.sentences) - 1),
            saved=saved,
            voice=voice.name,
            tell=self._where(saved, channel),
        )

    def _where(self, saved: SavedLine, channel: VocalChannel) -> Tell:
        """Give what tells something where the line was announced."""
        panel = _panel(saved)
        return tell_nobody if panel is None else self._announcements.resume(channel, panel)

    async def _follow(self, saved: SavedLine, line: Line, ticket: Ticket) -> None:
        panel = _panel(saved)
        if panel is not None:
            await self._announcements.go_on(line, ticket, panel)
        try:
            await ticket.done
        except BotError as error:
            await self._tell(saved, error)
        await self._announcements.refresh(saved.guild_id)

    async def _tell(self, saved: SavedLine, error: BotError) -> None:
        """Tell whoever asked that a line was not said; the answer to their command is too old for that."""
        if not self._bot.is_closed():
            await self._courier.write(
                saved.asker_id, f"I was restarted, and your line was not said to its end: {error}"
            )


def _panel(saved: SavedLine) -> tuple[int, int] | None:
    """Give the ids of where a line was announced, if it was."""
    if saved.panel_channel_id is None or saved.panel_message_id is None:
        return None
    return saved.panel_channel_id, saved.panel_message_id


def _panels(lines: Sequence[SavedLine]) -> set[tuple[int, tuple[int, int]]]:
    """Give where lines were announced, each with its server."""
    return {(saved.guild_id, panel) for saved in lines if (panel := _panel(saved)) is not None}
