"""A line to be heard in a voice channel, the ticket its asker holds, and what became of it. Knows no connection."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import discord

from bot.models import Packets, SavedLine

VocalChannel = discord.VoiceChannel | discord.StageChannel
Tell = Callable[[str], Awaitable[None]]
"""Says one sentence where a line was announced."""
Open = Callable[[int], AbstractAsyncContextManager[Packets]]
"""Speaks one sentence: leaving the context stops what is not yet made."""


async def tell_nobody(_sentence: str) -> None:
    """Say it nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What somebody wants said, and where. Nothing is made before a sentence is opened."""

    asker_id: int
    channel: VocalChannel
    open: Open
    sentences: tuple[str, ...] = ("",)
    """As they are spoken, in order; each is opened by its number."""
    start: int = 0
    """The first sentence to be said."""
    saved: SavedLine | None = None
    """As it is written down until it was said; None: it is not."""
    replayable: bool = True
    """Whether it may be said again once it was said; False: nothing of it is kept."""
    voice: str = ""
    """The name of the voice."""
    tell: Tell = tell_nobody
    """Says something where the line was announced."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Ours: 32 hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A line as it stands in the queue."""

    line: Line
    ticket: "Ticket"
    speaking: bool
    """Whether it is its turn."""
    paused: bool
    """Whether somebody holds it."""
    muted: bool
    """Whether it waits until Discord lets the bot be heard."""
    said_seconds: float
    expected_seconds: float
    """How long it is: as it was made, or a guess while that goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceReport:
    """What was seen of the connection while a line was on its way. What was not seen yet is None."""

    join_seconds: float | None = None
    """Time to join; 0: it was there already."""
    protected: bool | None = None
    """Whether the call is end-to-end encrypted."""
    key_seconds: float | None = None
    """Time until those who listen could decrypt."""
    muted: bool | None = None
    """Whether Discord would have let nobody hear it, when it began."""
    announced: bool | None = None
    """Whether Discord was told that the bot speaks."""
    sent: int = 0
    """Packets the network took, silence included."""
    refused: int = 0
    """Packets the network did not take, or that nobody could have decrypted."""
    told: str = ""
    """What its asker was told last."""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a line."""

    packets: int
    """Packets of the line handed to Discord; silence is not counted."""
    stopped: bool
    """Somebody ended it early."""
    channel: VocalChannel | None = field(default=None, compare=False)
    """Where it was said last: not where it was asked for, if the bot was moved."""


class Outcome(Awaitable[Played]):
    """What a line comes to, awaited as often as liked. Giving up the wait leaves the line alone."""

    def __init__(self, future: asyncio.Future[Played]) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, None, Played]:
        return self._wait().__await__()

    async def _wait(self) -> Played:
        await asyncio.wait((self._future,))
        return self._future.result()


class Ticket:
    """The asker's hold on a line. Owns its outcome; an outcome nobody awaits is no fault."""

    def __init__(self, position: int, *, at_once: bool = False) -> None:
        self.position = position
        """Lines that waited before this one when it was asked for; 0: it is next."""
        self.at_once = at_once
        """Whether nothing was being said or waiting when it was asked for."""
        self._future: asyncio.Future[Played] = asyncio.get_running_loop().create_future()
        self._news: asyncio.Queue[str | None] = asyncio.Queue()
        self.report = VoiceReport()
        """What was seen of its connection so far."""
        self._seen = asyncio.Event()
        self._begun = asyncio.Event()

    @property
    def done(self) -> Outcome:
        """Await the end of the line. Raises what opening, making or playing it raised."""
        return Outcome(self._future)

    @property
    def settled(self) -> bool:
        """Whether the outcome is known."""
        return self._future.done()

    @property
    def rejected(self) -> bool:
        """Whether it is known that the line was not said to its end, and that nobody stopped it."""
        return self._future.done() and self._future.exception() is not None

    async def begun(self) -> bool:
        """Wait until the bot is where the line is to be said; False: the line was over before."""
        await self._begun.wait()
        return self.report.join_seconds is not None

    async def news(self) -> AsyncIterator[str]:
        """Give what is told of the line on its way, a sentence each, until its outcome is known. For one listener."""
        while (sentence := await self._news.get()) is not None:
            yield sentence

    async def reports(self) -> AsyncIterator[VoiceReport]:
        """Give what is seen of its connection whenever that changed, until its outcome is known. For one listener."""
        while not self.settled:
            self._seen.clear()
            yield self.report
            if not self.settled:
                await self._seen.wait()
        yield self.report

    def see(self, report: VoiceReport) -> None:
        """Take note of what was seen of its connection."""
        self.report = report
        self._seen.set()
        if report.join_seconds is not None:
            self._begun.set()

    def tell(self, sentence: str) -> None:
        """Tell the asker how it goes."""
        self._news.put_nowait(sentence)
        self.see(replace(self.report, told=sentence))

    def settle(self, played: Played) -> None:
        """Say what became of the line. Only the first outcome counts."""
        if not self._future.done():
            self._future.set_result(played)
            self._end()

    def reject(self, error: BaseException) -> None:
        """Say why the line was not heard. Only the first outcome counts."""
        if not self._future.done():
            self._future.set_exception(error)
            self._future.exception()  # an asker who went away is no reason for asyncio to complain
            self._end()

    def _end(self) -> None:
        self._news.put_nowait(None)
        self._seen.set()
        self._begun.set()
