"""The voice of the bot in one server: takes turns from a queue, joins, moves, leaves. Knows one server."""

import asyncio
import logging
from collections import deque

import discord

from bot.errors import PlaybackError
from bot.playback.line import Line, Ticket, VocalChannel
from bot.playback.link import Connect, VoiceLink
from bot.playback.rights import admit, check_not_muted, has_listener, label
from bot.playback.turn import Turn

log = logging.getLogger(__name__)


class Speaker:
    """Owns the queue and the voice connection of one server, and a task that lives while there is either."""

    def __init__(self, *, max_queue: int, idle_seconds: float, connect: Connect) -> None:
        self._max_queue = max_queue
        self._idle_seconds = idle_seconds
        self._connect = connect
        self._waiting: deque[Turn] = deque()
        self._current: Turn | None = None
        self._link: VoiceLink | None = None
        self._parting: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._discarding: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._away = asyncio.Event()
        self._leaving = False
        self._closed = False

    def enqueue(self, line: Line) -> Ticket:
        """Take a line. Raises PlaybackError at once where it can be known that it would not be heard."""
        if self._closed:
            raise PlaybackError("I am shutting down: ask again in a minute.")
        admit(line.channel)
        if len(self._waiting) >= self._max_queue:
            raise PlaybackError(
                f"{len(self._waiting)} lines are waiting here already: try again when some have been said."
            )
        turn = Turn(line, position=len(self._waiting), at_once=not self._turns())
        self._waiting.append(turn)
        self._prepare_next()
        self._wake.set()
        if self._task is None or self._task.done():
            self._away.clear()
            self._task = asyncio.create_task(self._run())
        return turn.ticket

    def stop(self, *, asker_id: int, may_mute: bool) -> int:
        """End every line that this member may stop, and return how many. Raises PlaybackError where there is none."""
        turns = self._turns()
        if not turns:
            raise PlaybackError("Nothing is being said here.")
        allowed = [turn for turn in turns if may_mute or turn.line.asker_id == asker_id]
        if not allowed:
            raise PlaybackError(f"That line is not yours: ask {_asker(turns[0].line)} or a member with Mute Members.")
        self._end(allowed, None)
        return len(allowed)

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
        """Refuse every line, leave, and take no more."""
        self._closed = True
        self._depart(PlaybackError("I am shutting down: ask again in a minute."))
        if self._task is not None:
            await asyncio.wait((self._task,))
        if self._discarding:
            await asyncio.wait(self._discarding)

    def notice(self, member: discord.Member, after: discord.VoiceState) -> None:
        """Follow what happened to the bot or its listeners. To be called after Discord's state changed."""
        if self._link is None:
            return
        channel = self._link.channel
        if member.id == member.guild.me.id:
            if after.channel is None:
                if self._link.parted:
                    self._depart(PlaybackError(f"I was disconnected from {label(channel)}: ask again."))
                return
            channel = after.channel
        if isinstance(channel, discord.StageChannel):
            self._depart(PlaybackError(f"I was moved to {label(channel)}, a stage, where I cannot speak: ask again."))
        elif not has_listener(channel):
            self._abandon(PlaybackError(f"Nobody is in {label(channel)}, so I left."))

    def _turns(self) -> list[Turn]:
        """Give what is said and what waits, in order."""
        return [turn for turn in (self._current, *self._waiting) if turn is not None and not turn.over]

    def _channel(self) -> VocalChannel | None:
        """Give the channel the bot is in, or is about to join."""
        if self._link is not None:
            return self._link.channel
        turns = self._turns()
        return turns[0].line.channel if turns else None

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
                discarding = asyncio.create_task(turn.discard())
                self._discarding.add(discarding)
                discarding.add_done_callback(self._discarding.discard)

    async def _run(self) -> None:
        try:
            while True:
                turn = await self._next()
                if turn is not None:
                    await self._take(turn)
                    continue
                self._leaving = False
                await self._part()
                self._away.set()
                if not self._waiting:
                    return
        finally:
            self._end(list(self._waiting), PlaybackError("I had to stop speaking here: ask again."))
            self._away.set()

    async def _next(self) -> Turn | None:
        """Wait for the next turn; None when it is time to leave."""
        while not self._leaving:
            if self._waiting:
                return self._waiting.popleft()
            if self._link is None:
                return None
            self._wake.clear()
            try:
                async with asyncio.timeout(self._idle_seconds):
                    await self._wake.wait()
            except TimeoutError:
                return None
        return None

    async def _take(self, turn: Turn) -> None:
        self._current = turn
        self._away.clear()
        turn.prepare(then=self._prepare_next)
        try:
            await turn.take(self._join)
        finally:
            self._current = None
        if turn.cut_off:
            self._depart(PlaybackError("I was disconnected before this line's turn: ask again."))

    def _prepare_next(self) -> None:
        """Begin to make the next line, once nothing is made any more for the one that plays."""
        if self._current is not None and self._current.made and self._waiting:
            self._waiting[0].prepare()

    async def _join(self, line: Line) -> VoiceLink:
        """Return a connection to the line's channel through which a first packet would be heard."""
        channel = admit(line.channel)
        link = self._link
        if link is None or not link.is_connected() or link.channel.id != channel.id:
            await self._part()
            link = self._link = await self._connect(channel)
        try:
            admit(channel)  # those who listened may have gone meanwhile
            await link.wait_encrypted()
        except PlaybackError:
            await self._part()  # so that asking again starts afresh
            raise
        check_not_muted(channel)
        return link

    async def _part(self) -> None:
        """Leave the channel, if we are in one. Goes on when cancelled; the next call waits for the end of it."""
        if self._link is not None:
            self._parting = asyncio.create_task(self._link.disconnect(force=True))
            self._link = None
        if self._parting is not None:
            await asyncio.wait((self._parting,))
            self._parting = None


def _asker(line: Line) -> str:
    member = line.channel.guild.get_member(line.asker_id)
    return "whoever asked for it" if member is None else discord.utils.escape_mentions(member.display_name)
