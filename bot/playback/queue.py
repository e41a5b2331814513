"""What is said and what waits in one server: in which order, who may end what, what is made ahead.

Knows no connection: whose turn comes when is said by whoever holds one.
"""

from collections import deque
from dataclasses import replace

import discord

from bot.errors import PlaybackError
from bot.playback.background import Background
from bot.playback.buffer import Head
from bot.playback.history import History
from bot.playback.ledger import Ledger
from bot.playback.limits import Limits
from bot.playback.line import Line, Queued, Tell, Ticket, VocalChannel
from bot.playback.rights import allow_bot
from bot.playback.turn import Turn


class Queue:
    """Owns the turns of one server, and writes down what is still to be said."""

    def __init__(self, limits: Limits, *, ledger: Ledger, background: Background) -> None:
        self._limits = limits
        self._ledger = ledger
        self._background = background
        self._head = Head()
        self._waiting: deque[Turn] = deque()
        self._history = History()
        self.current: Turn | None = None
        """The one whose turn it is."""
        self.closing = False
        """The process ends: what was not said stays written down."""

    @property
    def turns(self) -> list[Turn]:
        """What is said and what waits, in order."""
        return [turn for turn in (self.current, *self._waiting) if turn is not None and not turn.over]

    @property
    def waiting(self) -> list[Turn]:
        """What waits, in order."""
        return list(self._waiting)

    @property
    def said(self) -> tuple[Line, ...]:
        """The last lines that were said, the latest first."""
        return self._history.lines

    @property
    def listed(self) -> tuple[Queued, ...]:
        """What is said and what waits, in order, as members see it."""
        return tuple(
            Queued(
                line=turn.line,
                ticket=turn.ticket,
                speaking=turn is self.current,
                paused=turn.paused,
                muted=turn.muted,
                said_seconds=turn.seconds,
                expected_seconds=turn.expected_seconds,
            )
            for turn in self.turns
        )

    def add(self, line: Line) -> Ticket:
        """Take a line. Raises PlaybackError where too many wait."""
        if len(self._waiting) >= self._limits.max_queue:
            raise PlaybackError(
                f"{len(self._waiting)} lines are waiting here already: try again when some have been said."
            )
        turn = Turn(
            line,
            position=len(self._waiting),
            at_once=not self.turns,
            head=self._head,
            reached=lambda number: self._note(line, number),
            unheard_seconds=self._limits.unheard_seconds,
            slow_seconds=self._limits.slow_seconds,
        )
        self._waiting.append(turn)
        if line.saved is not None:
            self._ledger.keep(line.saved)
        self._prepare_next()
        return turn.ticket

    def announced(self, line: Line, *, panel: tuple[int, int], tell: Tell) -> None:
        """Take note of where a line was announced (the ids of channel and message), if it is not over yet."""
        for turn in self.turns:
            if turn.line.id == line.id:
                saved = turn.line.saved
                if saved is not None:
                    saved = replace(saved, panel_channel_id=panel[0], panel_message_id=panel[1])
                    self._ledger.keep(saved)
                turn.line = replace(turn.line, saved=saved, tell=tell)

    def advance(self) -> Turn | None:
        """Begin the next turn, where one waits; the line after it is made as soon as this one is."""
        if not self._waiting:
            return None
        turn = self.current = self._waiting.popleft()
        turn.prepare(then=self._prepare_next)
        return turn

    def finish(self) -> None:
        """End the present turn, which was taken."""
        turn, self.current = self.current, None
        if turn is not None:
            self._file(turn)

    def stop(self, *, asker_id: int, may_mute: bool) -> int:
        """End every line that this member may stop, and return how many. Raises PlaybackError where there is none."""
        allowed = _allowed(self.turns, asker_id=asker_id, may_mute=may_mute)
        self.end(allowed, None)
        return len(allowed)

    def skip(self, *, asker_id: int, may_mute: bool) -> Line:
        """End the line that is being said, and return it. Raises PlaybackError where there is none of theirs."""
        (turn,) = _allowed(self.turns[:1], asker_id=asker_id, may_mute=may_mute)
        self.end([turn], None)
        return turn.line

    def pause(self, *, paused: bool, asker_id: int, may_mute: bool) -> Line:
        """Hold the line that is being said, or let it go on; return it, also if it was so. Raises as `skip`."""
        (turn,) = _allowed(self.turns[:1], asker_id=asker_id, may_mute=may_mute)
        if turn.paused != paused:
            turn.pause(paused=paused)
        return turn.line

    def end(self, turns: list[Turn], verdict: PlaybackError | None) -> None:
        """End lines early: with a reason for their tickets, or as stopped by somebody."""
        for turn in turns:
            turn.interrupt(verdict)
            if turn is not self.current:
                self._waiting.remove(turn)
                self._file(turn)
                self._background.run(turn.discard())

    def judge(self) -> None:
        """End the lines that the bot may not say any more, with the cure. On a stage, who speaks need not ask again."""
        for turn in self.turns:
            present = turn.channel.guild.get_channel(turn.channel.id)
            if turn is self.current and isinstance(present, discord.StageChannel):
                continue
            try:
                allow_bot(turn.channel)
            except PlaybackError as refusal:
                self.end([turn], refusal)

    def move(self, left: VocalChannel, entered: VocalChannel) -> None:
        """Have what was to be said in one channel said in another."""
        for turn in self.turns:
            if turn.channel == left:
                turn.channel = entered

    def _prepare_next(self) -> None:
        """Begin to make the next line, once nothing is made any more for the one that plays."""
        if self.current is not None and self.current.made and self._waiting:
            self._waiting[0].prepare()

    def _note(self, line: Line, number: int) -> None:
        """Write down how far a line is."""
        if line.saved is not None:
            self._ledger.reach(line.saved.id, number)

    def _file(self, turn: Turn) -> None:
        """Strike a line out that is over, unless it is to be gone on with after a restart."""
        saved = turn.line.saved
        goes_on = self.closing and not turn.stopped and turn.number < len(turn.line.sentences)
        if saved is not None and not goes_on:
            self._ledger.drop(saved.id)
        if turn.line.replayable and turn.seconds and any(turn.line.sentences):
            self._history.add(replace(turn.line, channel=turn.channel))


def _allowed(turns: list[Turn], *, asker_id: int, may_mute: bool) -> list[Turn]:
    """Give those of the turns that a member may end. Raises PlaybackError where there are none."""
    if not turns:
        raise PlaybackError("Nothing is being said here.")
    allowed = [turn for turn in turns if may_mute or turn.line.asker_id == asker_id]
    if not allowed:
        raise PlaybackError(f"That line is not yours: ask {_asker(turns[0].line)} or a member with Mute Members.")
    return allowed


def _asker(line: Line) -> str:
    member = line.channel.guild.get_member(line.asker_id)
    return "whoever asked for it" if member is None else discord.utils.escape_mentions(member.display_name)
