"""Lines that were said or waited when the bot was stopped: it comes back and goes on where it stopped, once."""

import asyncio
import logging
from datetime import timedelta

import discord

from bot.client.announcements import Announcements
from bot.client.news import Courier
from bot.errors import BotError, PlaybackError, StoreError
from bot.lines import LineBook
from bot.models import SavedLine
from bot.playback import Line, Speakers, Tell, Ticket, VocalChannel, tell_nobody
from bot.speech import Manner, SpeechService
from bot.voices import VoiceService

log = logging.getLogger(__name__)

MAX_AGE = timedelta(minutes=30)
"""Older lines are not said any more: nobody waits for them."""
BACK = "I was restarted, and go on where I stopped."


class Revival:
    """Takes up what an earlier process left. Owns nothing that lasts."""

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

    async def run(self) -> None:
        """Ask for every line again, and stay until each has an end."""
        try:
            left = await self._book.take_up(MAX_AGE)
        except StoreError as error:
            log.warning("what was left unsaid cannot be read: %s", error)
            return
        tickets: list[tuple[SavedLine, Ticket]] = []
        told: set[int] = set()
        for saved in left:
            try:
                line = await self._rebuild(saved)
                tickets.append((saved, self._speakers.enqueue(line)))
            except BotError as error:
                self._book.drop(saved.id)
                await self._tell(saved, error)
                continue
            if saved.guild_id not in told:
                told.add(saved.guild_id)
                await line.tell(BACK)
        async with asyncio.TaskGroup() as group:
            for saved, ticket in tickets:
                group.create_task(self._follow(saved, ticket))

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
        if saved.panel_channel_id is None or saved.panel_message_id is None:
            return tell_nobody
        return self._announcements.resume(channel, (saved.panel_channel_id, saved.panel_message_id))

    async def _follow(self, saved: SavedLine, ticket: Ticket) -> None:
        try:
            await ticket.done
        except BotError as error:
            await self._tell(saved, error)

    async def _tell(self, saved: SavedLine, error: BotError) -> None:
        """Tell whoever asked that a line was not said; the answer to their command is too old for that."""
        if not self._bot.is_closed():
            await self._courier.write(
                saved.asker_id, f"I was restarted, and your line was not said to its end: {error}"
            )
