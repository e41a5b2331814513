"""A line to be heard in a voice channel, the ticket its asker holds, and what became of it. Knows no connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import discord

VocalChannel = discord.VoiceChannel | discord.StageChannel


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody wants said, and where. Nothing is made before `open` is entered."""

    asker_id: int
    channel: VocalChannel
    open: Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]
    """Yields 48 kHz Opus packets of exactly 20 ms; leaving the context stops whatever is not yet made."""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a line."""

    packets: int
    """Packets of the line handed to Discord; silence is not counted."""
    stopped: bool
    """Somebody ended it early."""


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

    @property
    def done(self) -> Outcome:
        """Await the end of the line. Raises what opening, making or playing it raised."""
        return Outcome(self._future)

    @property
    def settled(self) -> bool:
        """Whether the outcome is known."""
        return self._future.done()

    def settle(self, played: Played) -> None:
        """Say what became of the line. Only the first outcome counts."""
        if not self._future.done():
            self._future.set_result(played)

    def reject(self, error: BaseException) -> None:
        """Say why the line was not heard. Only the first outcome counts."""
        if not self._future.done():
            self._future.set_exception(error)
            self._future.exception()  # an asker who went away is no reason for asyncio to complain
