"""The voice of the bot in one server: lets its queue be said where it is, and it be where its queue is to be said."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import discord

from bot.errors import PlaybackError
from bot.playback.background import Background
from bot.playback.ledger import Ledger
from bot.playback.limits import Limits
from bot.playback.line import Line, Queued, Tell, Ticket, VocalChannel
from bot.playback.link import Connect, VoiceLink
from bot.playback.presence import Presence
from bot.playback.queue import Queue
from bot.playback.rights import admit, admit_bot, found, has_listener, label
from bot.playback.turn import Turn

_SHUTTING_DOWN = "I am shutting down: ask again in a minute."
_GOES_ON = "I am being restarted: your line goes on when I am back."


class Speaker:
    """Owns the queue and the presence of one server, and a task that lives while there is either."""

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
        self._on_left = left
        self._background = Background()
        self._queue = Queue(limits, ledger=ledger, background=self._background)
        self._presence = Presence(connect, invitation_seconds=limits.invitation_seconds, background=self._background)
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._away = asyncio.Event()
        self._leaving = False
        self._closed = False

    @property
    def said(self) -> tuple[Line, ...]:
        """The last lines that were said, the latest first; the channel of each is the one it was said in."""
        return self._queue.said

    @property
    def is_about(self) -> bool:
        """Whether it is in a channel, or has something to say."""
        return self._presence.link is not None or bool(self._queue.turns)

    @property
    def queue(self) -> tuple[Queued, ...]:
        """What is said and what waits, in order."""
        return self._queue.listed

    def enqueue(self, line: Line) -> Ticket:
        """Take a line. Raises PlaybackError at once where it can be known that it would not be heard."""
        if self._closed:
            raise PlaybackError(_SHUTTING_DOWN)
        admit(line.channel)
        ticket = self._queue.add(line)
        self._invite(line.channel)
        return ticket

    def announced(self, line: Line, *, panel: tuple[int, int], tell: Tell) -> None:
        """Take note of where a line was announced (the ids of channel and message), if it is not over yet."""
        self._queue.announced(line, panel=panel, tell=tell)

    def join(self, channel: VocalChannel) -> Awaitable[VocalChannel]:
        """Come to a channel and go on there with what was left unsaid. Raises PlaybackError where that cannot be.

        What is returned tells where the bot came to, and raises PlaybackError where it could not. Nobody has to wait.
        """
        if self._closed:
            raise PlaybackError(_SHUTTING_DOWN)
        present, here = admit_bot(channel), self._presence.channel
        if self._queue.turns and here is not None and here.id != present.id:
            raise PlaybackError(f"I am speaking in {label(here)}: ask again when I am done, or /stop me there.")
        coming = self._presence.call(present, stays=not self._leaving)
        self._invite(present)
        return coming

    def stop(self, *, asker_id: int, may_mute: bool) -> int:
        """End every line that this member may stop, and return how many. Raises PlaybackError where there is none."""
        return self._queue.stop(asker_id=asker_id, may_mute=may_mute)

    def skip(self, *, asker_id: int, may_mute: bool) -> Line:
        """End the line that is being said, and return it. Raises PlaybackError where there is none of theirs."""
        return self._queue.skip(asker_id=asker_id, may_mute=may_mute)

    def pause(self, *, paused: bool, asker_id: int, may_mute: bool) -> Line:
        """Hold the line that is being said, or let it go on; return it. Raises PlaybackError as `skip`."""
        if self._closed:
            raise PlaybackError(_SHUTTING_DOWN)
        return self._queue.pause(paused=paused, asker_id=asker_id, may_mute=may_mute)

    async def leave(self, *, asker_id: int, may_mute: bool) -> bool:
        """Stop every line and leave the channel; whether there was anything to leave.

        Raises PlaybackError where somebody else's line is said or waits, and the asker neither listens nor `may_mute`.
        """
        if self._task is None or self._task.done():
            return False
        channel = self._channel()
        listens = channel is not None and asker_id in channel.voice_states
        turns = self._queue.turns
        if not (may_mute or listens):
            if any(turn.line.asker_id != asker_id for turn in turns):
                raise PlaybackError(
                    "Somebody's line is being said here: join the channel first, or ask a member with Mute Members."
                )
            if channel is not None and not turns:
                raise PlaybackError(
                    f"I am in {label(channel)} and you are not: join it, or ask a member with Mute Members."
                )
        self._send_out("I was sent away" if channel is None else f"I was sent out of {label(channel)}")
        await self._away.wait()
        return True

    async def close(self) -> None:
        """Say the present sentence to its end, leave, and take no more. What was not said stays written down."""
        self._closed = True
        self._queue.closing = not self._presence.expelled  # a restart is no way back in
        current = self._queue.current
        if current is not None and self._presence.link is not None and not (current.paused or current.muted):
            current.finish_sentence(self._farewell(current))
            for turn in self._queue.waiting:
                self._queue.end([turn], self._farewell(turn))
            self._leaving = True
            if self._task is not None:
                await asyncio.wait((self._task,), timeout=self._limits.finish_seconds)
        for turn in self._queue.turns:
            self._queue.end([turn], self._farewell(turn))
        self._abandon(None)
        if self._task is not None:
            await asyncio.wait((self._task,))
        await self._background.finish()

    def notice(self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState) -> None:
        """Follow what happened to the bot or its listeners. To be called after Discord's state changed."""
        own = member.id == member.guild.me.id
        if own and after.channel is None:
            self._presence.send_off()
        link = self._presence.follow(member.guild)
        if link is None:
            return
        channel = link.channel
        if own:
            if after.channel is None:
                if link.parted and self._queue.current is None:
                    self._depart(PlaybackError(f"I was disconnected from {label(channel)}: ask again."))
                return
            if before.channel is not None and before.channel.id != after.channel.id and not link.parted:
                self._follow_move(after.channel)
            channel = after.channel
            self._presence.notice_mute(channel, self._queue.current)
        if before.channel != after.channel and not link.parted and not has_listener(channel):
            self._abandon(PlaybackError(f"Nobody is in {label(channel)}, so I left: join a channel and ask again."))

    def renew(self, guild: discord.Guild) -> None:
        """Follow the server as Discord described it anew; a connection that Discord knows no more is lost."""
        for turn in self._queue.turns:
            turn.channel = found(guild, turn.channel)
        self._presence.renew(guild)
        self.judge()  # of what changed meanwhile nothing is told

    def judge(self) -> None:
        """End the lines that the bot may not say any more, with the cure."""
        self._queue.judge()
        here = self._presence.channel
        if here is not None and here.guild.get_channel(here.id) is None:
            self._abandon(None)

    def _follow_move(self, channel: VocalChannel) -> None:
        """Say what is being said where a moderator sent the bot, and tell those who care."""
        turn = self._queue.current
        if turn is None or turn.over or turn.channel.id == channel.id:
            return
        turn.channel = channel
        moved = f"I was moved to {channel.mention}, and go on there."
        turn.ticket.tell(moved)
        self._background.run(turn.line.tell(moved))

    def _farewell(self, turn: Turn) -> PlaybackError:
        """Say what becomes of a line when the process ends."""
        if self._presence.expelled:
            return PlaybackError(f"I was disconnected from {label(turn.channel)} and not invited back: ask again.")
        return PlaybackError(_GOES_ON if turn.line.saved else _SHUTTING_DOWN)

    def _channel(self) -> VocalChannel | None:
        """Give the channel the bot is in, or is about to join."""
        turns = self._queue.turns
        return self._presence.channel or (turns[0].channel if turns else self._presence.wanted)

    def _invite(self, channel: VocalChannel) -> None:
        """Have something done, there if nowhere else."""
        self._presence.invite(channel)
        self._wake.set()
        if self._task is None or self._task.done():
            self._away.clear()
            self._task = asyncio.create_task(self._run())

    def _send_out(self, why: str) -> None:
        """Leave, and tell those whose lines are dropped why."""
        unsaid = PlaybackError(f"Your line was not said: {why}.")
        self._queue.end(self._queue.waiting, unsaid)
        spoken = self._queue.current.seconds if self._queue.current is not None else 0.0
        self._abandon(PlaybackError(f"Your line was cut short after {spoken:.1f} s: {why}.") if spoken else unsaid)

    def _depart(self, verdict: PlaybackError | None = None) -> None:
        """End every line and leave."""
        self._queue.end(self._queue.waiting, verdict)
        self._abandon(verdict)

    def _abandon(self, verdict: PlaybackError | None) -> None:
        """End the present line and leave; those that wait are judged when it is their turn."""
        if self._queue.current is not None:
            self._queue.current.interrupt(verdict)
        self._leaving = True
        self._presence.turn_down(PlaybackError("I was sent away before I came: ask again."))
        self._wake.set()

    async def _run(self) -> None:
        try:
            while True:
                turn = await self._next()
                if turn is not None:
                    await self._take(turn)
                    continue
                await self._presence.part()
                self._leaving = False
                self._away.set()
                if self._on_left is not None and not self._closed:
                    self._background.run(self._on_left())
                if self._closed or not (self._queue.waiting or self._presence.wanted):
                    return
        finally:
            stopped = PlaybackError("I had to stop speaking here: ask again.")
            self._queue.end(self._queue.waiting, stopped)
            self._presence.turn_down(stopped)
            self._away.set()

    async def _next(self) -> Turn | None:
        """Wait for the next turn, and begin it; None when it is time to leave."""
        while not self._leaving:
            self._wake.clear()  # before it is looked what there is to do: nothing that comes meanwhile is missed
            turn = self._queue.advance()
            if turn is not None:
                return turn
            if not await self._presence.arrive():
                return None
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    await self._wake.wait()
            except TimeoutError:
                return None
        return None

    async def _take(self, turn: Turn) -> None:
        self._presence.wanted = None
        self._away.clear()
        try:
            await turn.take(self._reach)
        finally:
            self._queue.finish()
        if turn.losses and self._presence.link is None:
            self._depart(PlaybackError("I was disconnected before this line's turn: ask again."))

    async def _reach(self, turn: Turn) -> VoiceLink:
        """Return a connection through which a line would be heard, also after the last one was lost."""
        lost = turn.losses
        if lost:
            left = turn.channel
            self._queue.move(left, await self._presence.recover(turn))
        link = await self._presence.join(turn)
        self._follow_move(link.channel)
        if lost:
            back = f"I lost the connection to {label(link.channel)} for a moment and go on with the sentence."
            turn.ticket.tell(back)
            await turn.line.tell(back)
        return link
