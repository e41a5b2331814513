"""Voices whose making has not ended, followed until it has, across restarts. Has never heard of Discord."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.arrivals import Arrivals
from bot.errors import ProviderError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import UNFINISHED, Voice
from bot.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a voice is looked at, and for how long, in seconds."""

    first: float = 5.0
    growth: float = 1.4
    longest: float = 60.0
    until: float = 600.0
    """After this it is left to its owner to look again."""
    lost: float = 120.0
    """A voice whose answer was lost and that its service does not show by then was never made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What became of a voice, for its owner; unfinished where its service takes too long to wait for."""

    voice: Voice
    note: str = ""
    """What to know beside its state, in a sentence."""
    gone: bool = False
    """It was never made, and is forgotten."""


Tell = Callable[[News], Awaitable[None]]


@dataclass(slots=True)
class _Pursuit:
    """One voice that is followed."""

    voice: Voice
    due: float
    step: float
    resumed: bool
    """It was unfinished when the bot started."""
    waiting: list["asyncio.Future[News | None]"] = field(default_factory=list)


class VoiceWatch:
    """Owns which voices are followed. News goes to whoever waits in `settled`, and where nobody does to `tell`."""

    def __init__(self, store: Store, homes: Homes, arrivals: Arrivals, *, pace: Pace | None = None) -> None:
        self._store = store
        self._homes = homes
        self._arrivals = arrivals
        self._pace = pace or Pace()
        self._pursuits: dict[str, _Pursuit] = {}
        self._changed = asyncio.Event()

    async def run(self, tell: Tell) -> None:
        """Follow what was unfinished before, and whatever is added, until cancelled."""
        try:
            for voice in await self._store.unfinished():
                if voice.id not in self._pursuits:
                    self._pursue(voice, resumed=True)
            while True:
                await self._run(tell)
        finally:
            for pursuit in self._pursuits.values():
                _answer(pursuit, None)

    def follow(self, voice: Voice) -> None:
        """Look at a voice from now on until its making has ended."""
        self._pursue(voice, resumed=False)

    async def settled(self, voice: Voice, *, patience: float) -> News | None:
        """Wait for the end of a making that is followed, at most so many seconds; None: it has not ended."""
        pursuit = self._pursuits.get(voice.id)
        if pursuit is None:
            return None
        answer: asyncio.Future[News | None] = asyncio.get_running_loop().create_future()
        pursuit.waiting.append(answer)
        try:
            async with asyncio.timeout(patience):
                return await answer
        except TimeoutError:
            return None
        finally:
            pursuit.waiting.remove(answer)

    def _pursue(self, voice: Voice, *, resumed: bool) -> None:
        now = asyncio.get_running_loop().time()
        due = now if resumed else now + self._pace.first
        self._pursuits[voice.id] = _Pursuit(voice, due, self._pace.first, resumed)
        self._changed.set()

    async def _run(self, tell: Tell) -> None:
        """Look at every voice that is due, and wait for the next."""
        self._changed.clear()
        now = asyncio.get_running_loop().time()
        for pursuit in [each for each in self._pursuits.values() if each.due <= now]:
            await self._pursue_once(pursuit, tell)
        due = min((each.due for each in self._pursuits.values()), default=None)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._changed.wait()

    async def _pursue_once(self, pursuit: _Pursuit, tell: Tell) -> None:
        voice = pursuit.voice
        try:
            news, ended = await self._look(voice)
        except (ProviderError, StoreError) as error:
            log.warning("voice %s could not be looked at, %s did not tell: %s", voice.id, voice.provider, error)
            news, ended = None, False
        except VoiceError as error:  # deleted meanwhile, or its provider is switched off
            log.info("voice %s is not followed any more: %s", voice.id, error)
            news, ended = None, True
        if not ended and self._age(voice) > self._pace.until:
            news, ended = None if pursuit.resumed else News(voice=voice), True
        if not ended:
            pursuit.due = asyncio.get_running_loop().time() + pursuit.step
            pursuit.step = min(pursuit.step * self._pace.growth, self._pace.longest)
            return
        self._pursuits.pop(voice.id, None)
        if not _answer(pursuit, news) and news is not None:
            await tell(news)

    async def _look(self, voice: Voice) -> tuple[News | None, bool]:
        """Look once. Give the news if there is any, and whether to stop following."""
        present = await self._store.get(voice.id, owner_id=voice.owner_id)
        if present is None or present.state not in UNFINISHED:
            return None, True
        home = self._homes.of(present)
        if not home.capabilities.finds:
            fault = f"{home.label} did not answer, and cannot be asked whether it was made: cloning may cost again."
            return News(voice=await self._homes.give_up(present, fault)), True
        try:
            remote = await self._homes.look_for(present)
        except ProviderError as error:
            if error.kind != "not_found":
                raise
            return News(voice=await self._homes.give_up(present, f"{home.label} has it no more.")), True
        if remote is None:
            return await self._miss(present)
        arrival = await self._arrivals.take_in(present, remote)
        if arrival.voice.state not in UNFINISHED:
            log.info("voice %s at %s: %s", voice.id, voice.provider, arrival.voice.state)
            return News(voice=arrival.voice, note=arrival.note), True
        return None, False

    async def _miss(self, voice: Voice) -> tuple[News | None, bool]:
        """Go on looking for a voice that is not there, until it is sure that it was never made."""
        patience = self._pace.lost if self._homes.of(voice).capabilities.online else 0.0
        if self._age(voice) < patience:
            return None, False
        await self._store.delete(voice.id, owner_id=voice.owner_id)
        log.info("voice %s was never made at %s", voice.id, voice.provider)
        return News(voice=voice, gone=True), True

    def _age(self, voice: Voice) -> float:
        return (datetime.now(UTC) - voice.created_at).total_seconds()


def _answer(pursuit: _Pursuit, news: News | None) -> bool:
    """Answer those who wait; say whether there was one."""
    waiting = [each for each in pursuit.waiting if not each.done()]
    for each in waiting:
        each.set_result(news)
    return bool(waiting)
