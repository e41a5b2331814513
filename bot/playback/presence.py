"""Where the bot is in one server: it joins, comes back, is invited elsewhere, leaves. Knows no queue."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from dataclasses import replace

import discord

from bot.errors import PlaybackError
from bot.playback.background import Background
from bot.playback.health import describe
from bot.playback.invitations import Invitations
from bot.playback.line import VocalChannel
from bot.playback.link import Connect, VoiceLink
from bot.playback.playing import play
from bot.playback.rights import admit, allow_bot, check_not_muted, found, is_in_voice, is_muted, label
from bot.playback.source import Lead
from bot.playback.stage import ask_to_speak
from bot.playback.turn import Turn

log = logging.getLogger(__name__)

REJOIN_SECONDS = 1.0
"""Pause before a channel is joined again whose connection was lost."""
MOST_LOSSES = 1
"""Times a channel is joined again for the same sentence."""


class Presence:
    """Owns the voice connection of one server, and the invitations to its channels."""

    def __init__(self, connect: Connect, *, invitation_seconds: float, background: Background) -> None:
        """`invitation_seconds`: time to invite the bot back that was thrown out."""
        self._connect = connect
        self._invitation_seconds = invitation_seconds
        self._background = background
        self._parting: asyncio.Task[None] | None = None
        self._invited = asyncio.Event()
        self._invitation: VocalChannel | None = None
        """Where somebody wanted the bot last."""
        self._invitations = Invitations()
        self._lead: asyncio.Future[Exception | None] | None = None
        """Done when the silence was sent that goes before whatever will be said."""
        self.link: VoiceLink | None = None
        """The connection to where it is."""
        self.expelled = False
        """It was thrown out, and waits to be invited back."""
        self.wanted: VocalChannel | None = None
        """Where it is to be although nothing is to be said."""

    @property
    def channel(self) -> VocalChannel | None:
        """The channel it is in."""
        return None if self.link is None else self.link.channel

    def is_in(self, channel: VocalChannel) -> bool:
        """Whether it is in a channel, and connected."""
        link = self.link
        return link is not None and link.is_connected() and link.channel.id == channel.id

    def invite(self, channel: VocalChannel) -> None:
        """Take note that something is to be done in a channel, there if nowhere else."""
        self._invitation = channel
        self._invited.set()

    def call(self, channel: VocalChannel, *, stays: bool = True) -> Awaitable[VocalChannel]:
        """Have it come to a channel where nothing has to be said; what is returned is answered when that was tried.

        `stays`: it is not about to leave where it is.
        """
        coming = self._invitations.open()
        if stays and self.is_in(channel):
            self._invitations.answer(channel)
        else:
            self.wanted = channel
        return coming

    def turn_down(self, refusal: PlaybackError) -> None:
        """Tell those who still wait for it that it does not come."""
        self.wanted = None
        self._invitations.answer(refusal)

    def send_off(self) -> None:
        """Take note that it was thrown out: it comes back to an invitation from now on."""
        self._invited.clear()

    def follow(self, guild: discord.Guild) -> VoiceLink | None:
        """Take the channel as the server has it now; give the connection to it, where there is one."""
        if self.link is not None:
            self.link.rebind(found(guild, self.link.channel))
        return self.link

    def renew(self, guild: discord.Guild) -> None:
        """Follow the server as Discord described it anew; a connection that Discord knows no more is lost."""
        if self.link is None or self.link.parted:
            return
        self.follow(guild)
        if not is_in_voice(guild):
            self._background.run(self.link.disconnect(force=True))

    def notice_mute(self, channel: VocalChannel, turn: Turn | None) -> None:
        """Hold the line while Discord lets nobody hear it."""
        muted, where = is_muted(channel.guild), label(channel)
        if turn is None or turn.muted == muted:
            return
        turn.mute(muted=muted)
        if not muted:
            goes_on = "/resume lets your line go on." if turn.paused else "your line goes on with its sentence."
            turn.ticket.tell(f"I may speak in {where} again: {goes_on}")
        elif isinstance(channel, discord.StageChannel):
            turn.ticket.tell(f"I am in the audience of {where}: your line waits until I may speak.")
            self._background.run(self._ask_again(channel, turn))
        else:
            turn.ticket.tell(f"I was muted in {where}: your line waits until a moderator unmutes me.")

    async def _ask_again(self, channel: VocalChannel, turn: Turn) -> None:
        """Ask for the right to speak back; where nobody gives it, the line is over."""
        try:
            await ask_to_speak(channel, turn.ticket.tell, needed=lambda: turn.muted and not turn.over)
        except PlaybackError as refusal:
            turn.interrupt(refusal)

    async def arrive(self) -> bool:
        """Follow the last call where nothing is to be said; whether it is in a channel then."""
        channel, self.wanted = self.wanted, None
        if channel is None:
            return self.link is not None
        if self.is_in(channel):
            return True
        await self.part()
        try:
            link = await self._enter(channel)
            # listeners get used to the speaker before there is anything to hear
            self._lead = play(link, Lead())
        except PlaybackError as error:
            log.info("An invitation could not be followed: %s", error)
            return False
        return True

    async def join(self, turn: Turn) -> VoiceLink:
        """Return a connection to the line's channel through which a first packet would be heard. Raises PlaybackError.

        What is seen on the way is noted on the line's ticket.
        """
        channel, ticket = admit(turn.channel), turn.ticket
        link, began, joined = self.link, time.monotonic(), 0.0
        if link is None or not self.is_in(channel):
            await self.part()
            link = await self._enter(channel)
            joined = time.monotonic() - began
            channel = found(turn.channel.guild, link.channel)  # Discord may have described it anew meanwhile
            link.rebind(channel)
            self._invited.clear()
        ticket.see(replace(ticket.report, join_seconds=joined, protected=link.protected))
        try:
            admit(channel)  # those who listened may have gone meanwhile
            began = time.monotonic()
            await link.wait_encrypted()
            ticket.see(replace(ticket.report, key_seconds=time.monotonic() - began))
            await ask_to_speak(channel, ticket.tell)
        except PlaybackError:
            await self.part()  # so that asking again starts afresh
            raise
        ticket.see(replace(ticket.report, muted=is_muted(channel.guild)))
        check_not_muted(channel)
        if self._lead is not None:
            await asyncio.wait((self._lead,))  # 200 ms at most, whatever becomes of the connection
            self._lead = None
        return link

    async def recover(self, turn: Turn) -> VocalChannel:
        """Leave where a connection was lost, wait, and return where to go on. Raises PlaybackError for nowhere."""
        where = label(turn.channel)
        expelled = self.link is not None and self.link.expelled
        await self.part()
        if turn.losses > MOST_LOSSES:
            raise PlaybackError(describe(turn.symptom, where))
        allow_bot(turn.channel)
        if not expelled:
            await asyncio.sleep(REJOIN_SECONDS)
            return turn.channel
        turn.ticket.tell(f"I was disconnected from {where}: /join brings me back, and I go on with your line.")
        self.expelled = True
        try:
            async with asyncio.timeout(self._invitation_seconds):
                await self._invited.wait()
        except TimeoutError as error:
            raise PlaybackError(f"I was disconnected from {where} and not invited back: ask again.") from error
        finally:
            self.expelled = False
        return self._invitation or turn.channel

    async def part(self) -> None:
        """Leave the channel, if it is in one. Goes on when cancelled; the next call waits for the end of it."""
        if self.link is not None:
            self._parting = asyncio.create_task(self.link.disconnect(force=True))
            self.link = None
        if self._parting is not None:
            await asyncio.wait((self._parting,))
            self._parting = None

    async def _enter(self, channel: VocalChannel) -> VoiceLink:
        """Join a channel, and tell those who invited the bot how that went. Raises PlaybackError."""
        try:
            link = self.link = await self._connect(channel)
        except PlaybackError as error:
            self._invitations.answer(error)
            raise
        self._invitations.answer(link.channel)
        return link
