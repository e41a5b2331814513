"""Speakers that say nothing: what is asked of them is noted, and what they tell is what a test put there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.errors import PlaybackError
from bot.models import Packets
from bot.playback import Limits, Line, Played, Queued, Speakers, Tell, Ticket, VocalChannel, VoiceReport
from playground.discord.bell import Bell


@asynccontextmanager
async def _nothing(_number: int) -> AsyncIterator[Packets]:
    async def each() -> Packets:
        return
        yield ()

    yield each()


def line_in(channel: VocalChannel, *, asker_id: int = 1, voice: str = "Aki", words: str = "Hello.") -> Line:
    """Make a line of one sentence."""
    return Line(asker_id=asker_id, channel=channel, open=_nothing, sentences=(words,), voice=voice)


class Booth(Speakers):
    """Owns what is said, what was said, and what was asked for."""

    def __init__(self) -> None:
        super().__init__(Limits())
        self.lines: list[Queued] = []
        self.lately: tuple[Line, ...] = ()
        self.about = True
        self.asked: list[Line] = []
        self.position = 0
        self.played: Played | None = None
        """What becomes of each line at once; None: it waits."""
        self.fault: PlaybackError | None = None
        """Why each line is not said."""
        self.held: list[bool] = []
        """Each wish to hold the present line, or to let it go on."""
        self.panels: dict[str, tuple[int, int]] = {}
        """Where each line was announced."""
        self.tells: dict[str, Tell] = {}
        self.bell = Bell()
        """Rings when a line was announced."""

    def speak(self, line: Line, *, paused: bool = False) -> None:
        """Have a line be the one that is said."""
        self.lines = [
            Queued(
                line=line,
                ticket=Ticket(0),
                speaking=True,
                paused=paused,
                muted=False,
                said_seconds=1.0,
                expected_seconds=2.0,
            )
        ]

    def enqueue(self, line: Line) -> Ticket:
        self.asked.append(line)
        ticket = Ticket(self.position, at_once=not self.lines)
        if self.fault is not None:
            ticket.reject(self.fault)
        elif self.played is not None:
            ticket.settle(self.played)
        ticket.see(VoiceReport(join_seconds=0.0))
        return ticket

    def announced(self, line: Line, *, panel: tuple[int, int], tell: Tell) -> None:
        self.panels[line.id], self.tells[line.id] = panel, tell
        self.bell.ring()

    def queue(self, guild_id: int) -> tuple[Queued, ...]:
        return tuple(self.lines)

    def is_about(self, guild_id: int) -> bool:
        return self.about

    def said(self, channel: VocalChannel) -> tuple[Line, ...]:
        return self.lately

    def skip(self, guild_id: int, *, asker_id: int, may_mute: bool) -> Line:
        return self.lines.pop(0).line

    def stop(self, guild_id: int, *, asker_id: int, may_mute: bool) -> int:
        ended, self.lines = len(self.lines), []
        return ended

    def pause(self, guild_id: int, *, paused: bool, asker_id: int, may_mute: bool) -> Line:
        if self.lines[0].paused != paused:
            self.held.append(paused)
        self.lines = [replace(each, paused=paused) for each in self.lines]
        return self.lines[0].line

    async def goes(self, guild_id: int) -> None:
        """Leave, and let whoever wants to know be told."""
        self.about = False
        await self._tell_left(guild_id)
