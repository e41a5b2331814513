"""The voice of the bot in one server: takes turns from a queue, joins, comes back, moves, leaves. Knows one server."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

import discord

from bot.errors import PlaybackError
from bot.playback.buffer import Head
from bot.playback.invitations import Invitations
from bot.playback.ledger import Ledger
from bot.playback.limits import Limits
from bot.playback.line import Line, Queued, Tell, Ticket, VocalChannel
from bot.playback.link import Connect, VoiceLink
from bot.playback.rights import admit, admit_bot, allow_bot, check_not_muted, has_listener, is_in_voice, is_muted, label
from bot.playback.source import Lead
from bot.playback.stage import ask_to_speak
from bot.playback.turn import Turn, play

log = logging.getLogger(__name__)

REJOIN_SECONDS = 1.0
"""Pause before a channel is joined again whose connection was lost."""
MOST_LOSSES = 1
"""Times a channel is joined again for the same sentence."""
REMEMBERED = 5
"""Lines that can be said again."""
_SHUTTING_DOWN = "I am shutting down: ask again in a minute."
_GOES_ON = "I am being restarted: your line goes on when I am back."


class Speaker:
    """Owns the queue and the voice connection of one server, and a task that lives while there is either."""

    def __init__(
        self,
        limits: Limits,
        *,
        connect: Connect,
        ledger: Ledger,
        left: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """`left`: what is to be done whenever a channel was left, unless the process ends."""
        self._limits = limits
        self._connect = connect
        self._ledger = ledger
        self._on_left = left
        self._head = Head()
        self._waiting: deque[Turn] = deque()
        self._current: Turn | None = None
        self._said: deque[Line] = deque(maxlen=REMEMBERED)
        self._link: VoiceLink | None = None
        self._parting: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._aside: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._away = asyncio.Event()
        self._invited = asyncio.Event()
        self._invitation: VocalChannel | None = None
        """Where somebody wanted the bot last."""
        self._wanted: VocalChannel | None = None
        """Where it is to be although nothing is to be said."""
        self._invitations = Invitations()
        self._lead: asyncio.Future[Exception | None] | None = None
        """Done when the silence was sent that goes before whatever will be said."""
        self._leaving = False
        self._closed = False

    @property
    def said(self) -> tuple[Line, ...]:
        """The last lines that were said, the latest first; the channel of each is the one it was said in."""
        return tuple(reversed(self._said))

    @property
    def is_about(self) -> bool:
        """Whether it is in a channel, or has something to say."""
        return self._link is not None or bool(self._turns())

    @property
    def queue(self) -> tuple[Queued, ...]:
        """What is said and what waits, in order."""
        return tuple(
            Queued(
                line=turn.line,
                speaking=turn is self._current,
                paused=turn.paused or turn.muted,
                said_seconds=turn.seconds,
                expected_seconds=turn.expected_seconds,
            )
            for turn in self._turns()
        )

    def enqueue(self, line: Line) -> Ticket:
        """Take a line. Raises PlaybackError at once where it can be known that it would not be heard."""
        if self._closed:
            raise PlaybackError(_SHUTTING_DOWN)
        admit(line.channel)
        if len(self._waiting) >= self._limits.max_queue:
            raise PlaybackError(
                f"{len(self._waiting)} lines are waiting here already: try again when some have been said."
            )
        turn = Turn(
            line,
            position=len(self._waiting),
            at_once=not self._turns(),
            head=self._head,
            reached=lambda number: self._note(line, number),
        )
        self._waiting.append(turn)
        if line.saved is not None:
            self._ledger.keep(line.saved)
        self._prepare_next()
        self._invite(line.channel)
        return turn.ticket

    def announced(self, line: Line, *, panel: tuple[int, int], tell: Tell) -> None:
        """Take note of where a line was announced (the ids of channel and message), if it is not over yet."""
        for turn in self._turns():
            if turn.line.id == line.id:
                saved = turn.line.saved
                if saved is not None:
                    saved = replace(saved, panel_channel_id=panel[0], panel_message_id=panel[1])
                    self._ledger.keep(saved)
                turn.line = replace(turn.line, saved=saved, tell=tell)

    def join(self, channel: VocalChannel) -> Awaitable[VocalChannel]:
        """Come to a channel and go on there with what was left unsaid. Raises PlaybackError where that cannot be.

        What is returned tells where the bot came to, and raises PlaybackError where it could not. Nobody has to wait.
        """
        if self._closed:
            raise PlaybackError(_SHUTTING_DOWN)
        present = admit_bot(channel)
        here = self._channel()
        if self._turns() and self._link is not None and here is not None and here.id != present.id:
            raise PlaybackError(f"I am speaking in {label(here)}: ask again when I am done, or /stop me there.")
        coming = self._invitations.open()
        if self._is_in(present):
            self._invitations.answer(present)
            self._wake.set()
        else:
            self._wanted = present
            self._invite(present)
        return coming

    def stop(self, *, asker_id: int, may_mute: bool) -> int:
        """End every line that this member may stop, and return how many. Raises PlaybackError where there is none."""
        allowed = self._allowed(self._turns(), asker_id=asker_id, may_mute=may_mute)
        self._end(allowed, None)
        return len(allowed)

    def skip(self, *, asker_id: int, may_mute: bool) -> Line:
        """End the line that is being said, and return it. Raises PlaybackError where there is none of theirs."""
        (turn,) = self._allowed(self._turns()[:1], asker_id=asker_id, may_mute=may_mute)
        self._end([turn], None)
        return turn.line

    def pause(self, *, paused: bool, asker_id: int, may_mute: bool) -> Line:
        """Hold the line that is being said, or let it go on; return it. Raises PlaybackError as `skip`."""
        (turn,) = self._allowed(self._turns()[:1], asker_id=asker_id, may_mute=may_mute)
        if turn.paused == paused:
            raise PlaybackError(
                "That line is paused already: /resume lets it go on." if paused else "Nothing is paused."
            )
        turn.pause(paused=paused)
        return turn.line

    async def leave(self, *, asker_id: int, may_mute: bool) -> bool:
        """Stop every line and leave the channel; whether there was anything to leave.

        Raises PlaybackError where somebody else's line is said or waits, and the asker neither listens nor `may_mute`.
        """
        if self._task is None or self._task.done():
            return False
        channel = self._channel()
        listens = channel is not None and asker_id in channel.voice_states
        if not (may_mute or listens) and any(turn.line.asker_id != asker_id for turn in self._turns()):
            raise PlaybackError(
                "Somebody's line is being said here: join the channel first, or ask a member with Mute Members."
            )
        self._send_out("I was sent away" if channel is None else f"I was sent out of {label(channel)}")
        await self._away.wait()
        return True

    async def close(self) -> None:
        """Say the present sentence to its end, leave, and take no more. What was not said stays written down."""
        self._closed = True
        if self._current is not None and self._link is not None and not self._current.paused:
            self._current.finish_sentence(PlaybackError(_GOES_ON if self._current.line.saved else _SHUTTING_DOWN))
            for turn in tuple(self._waiting):
                self._end([turn], PlaybackError(_GOES_ON if turn.line.saved else _SHUTTING_DOWN))
            self._leaving = True
            if self._task is not None:
                await asyncio.wait((self._task,), timeout=self._limits.finish_seconds)
        for turn in self._turns():
            self._end([turn], PlaybackError(_GOES_ON if turn.line.saved else _SHUTTING_DOWN))
        self._abandon(None)
        if self._task is not None:
            await asyncio.wait((self._task,))
        if self._aside:
            await asyncio.wait(self._aside)

    def notice(self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState) -> None:
        """Follow what happened to the bot or its listeners. To be called after Discord's state changed."""
        if member.id == member.guild.me.id and after.channel is None:
            self._invited.clear()
        if self._link is None:
            return
        channel = _found(member.guild, self._link.channel)
        self._link.rebind(channel)
        if member.id == member.guild.me.id:
            if after.channel is None:
                if self._link.parted and self._current is None:
                    self._depart(PlaybackError(f"I was disconnected from {label(channel)}: ask again."))
                return
            channel = after.channel
            self._notice_mute(channel)
        if before.channel != after.channel and not self._link.parted and not has_listener(channel):
            self._abandon(PlaybackError(f"Nobody is in {label(channel)}, so I left."))

    def renew(self, guild: discord.Guild) -> None:
        """Follow the server as Discord described it anew; a connection that Discord knows no more is lost."""
        for turn in self._turns():
            turn.channel = _found(guild, turn.channel)
        link = self._link
        if link is None or link.parted:
            return
        link.rebind(_found(guild, link.channel))
        if not is_in_voice(guild):
            self._look_after(link.disconnect(force=True))

    def judge(self) -> None:
        """End the lines that the bot may not say any more, with the cure. On a stage, who speaks need not ask again."""
        for turn in self._turns():
            present = turn.channel.guild.get_channel(turn.channel.id)
            if turn is self._current and isinstance(present, discord.StageChannel):
                continue
            try:
                allow_bot(turn.channel)
            except PlaybackError as refusal:
                self._end([turn], refusal)

    def _notice_mute(self, channel: VocalChannel) -> None:
        """Hold the line while Discord lets nobody hear it."""
        muted, turn = is_muted(channel.guild), self._current
        if turn is None or turn.muted == muted:
            return
        turn.mute(muted=muted)
        where = label(channel)
        if not muted:
            turn.ticket.tell(f"I may speak in {where} again: your line goes on with its sentence.")
        elif isinstance(channel, discord.StageChannel):
            turn.ticket.tell(f"I am in the audience of {where}: your line waits until I may speak.")
            self._look_after(ask_to_speak(channel, turn.ticket.tell))
        else:
            turn.ticket.tell(f"I was muted in {where}: your line waits until a moderator unmutes me.")

    def _look_after(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done beside the queue, and end with it."""
        task = asyncio.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    def _turns(self) -> list[Turn]:
        """Give what is said and what waits, in order."""
        return [turn for turn in (self._current, *self._waiting) if turn is not None and not turn.over]

    def _allowed(self, turns: list[Turn], *, asker_id: int, may_mute: bool) -> list[Turn]:
        """Give those of the turns that a member may end. Raises PlaybackError where there are none."""
        if not turns:
            raise PlaybackError("Nothing is being said here.")
        allowed = [turn for turn in turns if may_mute or turn.line.asker_id == asker_id]
        if not allowed:
            raise PlaybackError(f"That line is not yours: ask {_asker(turns[0].line)} or a member with Mute Members.")
        return allowed

    def _channel(self) -> VocalChannel | None:
        """Give the channel the bot is in, or is about to join."""
        if self._link is not None:
            return self._link.channel
        turns = self._turns()
        return turns[0].channel if turns else self._wanted

    def _is_in(self, channel: VocalChannel) -> bool:
        link = self._link
        return link is not None and link.is_connected() and link.channel.id == channel.id

    def _invite(self, channel: VocalChannel) -> None:
        """Have something done, there if nowhere else."""
        self._invitation = channel
        self._invited.set()
        self._wake.set()
        if self._task is None or self._task.done():
            self._away.clear()
            self._task = asyncio.create_task(self._run())

    def _send_out(self, why: str) -> None:
        """Leave, and tell those whose lines are dropped why."""
        unsaid = PlaybackError(f"Your line was not said: {why}.")
        self._end(list(self._waiting), unsaid)
        spoken = self._current.seconds if self._current is not None else 0.0
        self._abandon(PlaybackError(f"Your line was cut short after {spoken:.1f} s: {why}.") if spoken else unsaid)

    def _depart(self, verdict: PlaybackError | None = None) -> None:
        """End every line and leave."""
        self._end(list(self._waiting), verdict)
        self._abandon(verdict)

    def _abandon(self, verdict: PlaybackError | None) -> None:
        """End the present line and leave; those that wait are judged when it is their turn."""
        if self._current is not None:
            self._current.interrupt(verdict)
        self._leaving = True
        self._wake.set()

    def _end(self, turns: list[Turn], verdict: PlaybackError | None) -> None:
        for turn in turns:
            turn.interrupt(verdict)
            if turn is not self._current:
                self._waiting.remove(turn)
                self._file(turn)
                self._look_after(turn.discard())

    def _note(self, line: Line, number: int) -> None:
        """Write down how far a line is."""
        if line.saved is not None:
            self._ledger.reach(line.saved.id, number)

    def _file(self, turn: Turn) -> None:
        """Strike a line out that is over, unless it is to be gone on with after a restart."""
        saved = turn.line.saved
        if saved is not None and not (self._closed and turn.number < len(turn.line.sentences)):
            self._ledger.drop(saved.id)
        if turn.seconds and any(turn.line.sentences):
            self._remember(replace(turn.line, channel=turn.channel))

    def _remember(self, line: Line) -> None:
        """Put a line among the last ones; one that was said again is there once."""
        for earlier in tuple(self._said):
            if (earlier.open, earlier.channel) == (line.open, line.channel):
                self._said.remove(earlier)
        self._said.append(line)

    async def _run(self) -> None:
        try:
            while True:
                turn = await self._next()
                if turn is not None:
                    await self._take(turn)
                    continue
                self._leaving = False
                await self._part()
                self._invitations.answer(PlaybackError("I was sent away before I came: ask again."))
                self._away.set()
                if self._on_left is not None and not self._closed:
                    self._look_after(self._on_left())
                if not self._waiting:
                    return
        finally:
            self._end(list(self._waiting), PlaybackError("I had to stop speaking here: ask again."))
            self._invitations.answer(PlaybackError("I had to stop speaking here: ask again."))
            self._away.set()

    async def _next(self) -> Turn | None:
        """Wait for the next turn; None when it is time to leave."""
        while not self._leaving:
            if self._waiting:
                return self._waiting.popleft()
            if (self._link is None or self._wanted is not None) and not await self._arrive():
                return None
            self._wake.clear()
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    await self._wake.wait()
            except TimeoutError:
                return None
        return None

    async def _arrive(self) -> bool:
        """Follow an invitation where nothing is to be said; whether there was one that could be followed."""
        channel, self._wanted = self._wanted, None
        if channel is None:
            return False
        if self._is_in(channel):
            return True
        await self._part()
        try:
            link = await self._enter(channel)
            # listeners get used to the speaker before there is anything to hear
            self._lead = play(link, Lead())
        except PlaybackError as error:
            log.info("An invitation could not be followed: %s", error)
            return False
        return True

    async def _enter(self, channel: VocalChannel) -> VoiceLink:
        """Join a channel, and tell those who invited the bot how that went. Raises PlaybackError."""
        try:
            link = self._link = await self._connect(channel)
        except PlaybackError as error:
            self._invitations.answer(error)
            raise
        self._invitations.answer(link.channel)
        return link

    async def _take(self, turn: Turn) -> None:
        self._current, self._wanted = turn, None
        self._away.clear()
        turn.prepare(then=self._prepare_next)
        try:
            await turn.take(self._reach)
        finally:
            self._current = None
            self._file(turn)
        if turn.losses and self._link is None:
            self._depart(PlaybackError("I was disconnected before this line's turn: ask again."))

    def _prepare_next(self) -> None:
        """Begin to make the next line, once nothing is made any more for the one that plays."""
        if self._current is not None and self._current.made and self._waiting:
            self._waiting[0].prepare()

    async def _reach(self, turn: Turn) -> VoiceLink:
        """Return a connection through which a line would be heard, also after the last one was lost."""
        lost = turn.losses
        if lost:
            await self._recover(turn)
        link = await self._join(turn)
        if lost:
            back = f"I lost the connection to {label(link.channel)} for a moment and go on with the sentence."
            turn.ticket.tell(back)
            await turn.line.tell(back)
        return link

    async def _recover(self, turn: Turn) -> None:
        """Do what can be done about a lost connection. Raises PlaybackError where that is nothing."""
        where = label(turn.channel)
        expelled = self._link is not None and self._link.expelled
        await self._part()
        if turn.losses > MOST_LOSSES:
            raise PlaybackError(
                f"I lost the connection to {where} again and again: ask again, or change the channel's region."
            )
        allow_bot(turn.channel)
        if not expelled:
            await asyncio.sleep(REJOIN_SECONDS)
            return
        turn.ticket.tell(f"I was disconnected from {where}: /join brings me back, and I go on with your line.")
        try:
            async with asyncio.timeout(self._limits.invitation_seconds):
                await self._invited.wait()
        except TimeoutError as error:
            raise PlaybackError(f"I was disconnected from {where} and not invited back: ask again.") from error
        if self._invitation is not None:
            lost = turn.channel
            for each in self._turns():
                each.channel = self._invitation if each.channel == lost else each.channel

    async def _join(self, turn: Turn) -> VoiceLink:
        """Return a connection to the line's channel through which a first packet would be heard."""
        channel, ticket = admit(turn.channel), turn.ticket
        link, began, joined = self._link, time.monotonic(), 0.0
        if link is None or not self._is_in(channel):
            await self._part()
            link = await self._enter(channel)
            joined = time.monotonic() - began
            channel = _found(turn.channel.guild, link.channel)  # Discord may have described it anew meanwhile
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
            await self._part()  # so that asking again starts afresh
            raise
        ticket.see(replace(ticket.report, muted=is_muted(channel.guild)))
        check_not_muted(channel)
        if self._lead is not None:
            await asyncio.wait((self._lead,))  # 200 ms at most, whatever becomes of the connection
            self._lead = None
        return link

    async def _part(self) -> None:
        """Leave the channel, if we are in one. Goes on when cancelled; the next call waits for the end of it."""
        if self._link is not None:
            self._parting = asyncio.create_task(self._link.disconnect(force=True))
            self._link = None
        if self._parting is not None:
            await asyncio.wait((self._parting,))
            self._parting = None


def _found(guild: discord.Guild, channel: VocalChannel) -> VocalChannel:
    """Give a channel as the server has it now; one that is gone as it was."""
    found = guild.get_channel(channel.id)
    return found if isinstance(found, VocalChannel) else channel


def _asker(line: Line) -> str:
    member = line.channel.guild.get_member(line.asker_id)
    return "whoever asked for it" if member is None else discord.utils.escape_mentions(member.display_name)
