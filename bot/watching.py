"""Voices whose making has not ended, followed until it has, across restarts. Has never heard of Discord."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.arrivals import Arrivals
from bot.errors import ProviderError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import UNFINISHED, RemoteVoice, Voice
from bot.providers.base import VoiceProvider
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
    remote: RemoteVoice | None
    """What its provider said, where that could not be remembered."""
    since: float
    resumed: bool
    """It was unfinished when the bot started."""
    waiting: list["asyncio.Future[News | None]"] = field(default_factory=list)

    @property
    def age(self) -> float:
        """Seconds it has been followed."""
        return asyncio.get_running_loop().time() - self.since


class VoiceWatch:
    """Owns which voices are followed. News goes to whoever waits in `settled`, and where nobody does to `tell`."""

    def __init__(self, store: Store, homes: Homes, arrivals: Arrivals, *, pace: Pace | None = None) -> None:
        self._store = store
        self._homes = homes
        self._arrivals = arrivals
        self._pace = pace or Pace()
        self._pursuits: dict[str, _Pursuit] = {}
        self._begun: asyncio.Queue[_Pursuit] = asyncio.Queue()

    async def run(self, tell: Tell) -> None:
        """Follow what was unfinished before, and whatever is added, until cancelled; no service holds another up."""
        tasks = {asyncio.create_task(self._resume())}
        try:
            while True:
                pursuit = await self._begun.get()
                task = asyncio.create_task(self._pursue(pursuit, tell))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                task.add_done_callback(_mourn)
        finally:
            for task in tuple(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for pursuit in self._pursuits.values():
                _answer(pursuit, None)

    def follow(self, voice: Voice, remote: RemoteVoice | None = None) -> None:
        """Look at a voice from now on until its making has ended; `remote`, where an answer is still to be kept."""
        self._begin(voice, remote, resumed=False)

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

    def _begin(self, voice: Voice, remote: RemoteVoice | None, *, resumed: bool) -> None:
        pursuit = _Pursuit(voice, remote, asyncio.get_running_loop().time(), resumed)
        self._pursuits[voice.id] = pursuit
        self._begun.put_nowait(pursuit)

    async def _resume(self) -> None:
        while True:
            try:
                unfinished = await self._store.unfinished()
            except StoreError as error:
                log.warning("the unfinished voices could not be read: %s", error)
                await asyncio.sleep(self._pace.first)
                continue
            for voice in unfinished:
                if voice.id not in self._pursuits:
                    self._begin(voice, None, resumed=True)
            return

    async def _pursue(self, pursuit: _Pursuit, tell: Tell) -> None:
        """Look at one voice until its making has ended, and give the news."""
        news: News | None = None
        try:
            news = await self._chase(pursuit, tell)
        finally:
            if self._pursuits.get(pursuit.voice.id) is pursuit:
                del self._pursuits[pursuit.voice.id]
            waited_for = _answer(pursuit, news)
        if news is not None and not waited_for:
            await tell(news)

    async def _chase(self, pursuit: _Pursuit, tell: Tell) -> News | None:
        step, late = self._pace.first, pursuit.resumed
        if not pursuit.resumed:
            await asyncio.sleep(step)
        while True:
            news, ended = await self._try(pursuit)
            if ended:
                return news
            if pursuit.age > self._pace.until:
                present = await self._present(pursuit)
                if present is None or present.state != "unknown":
                    return None if late or present is None else News(voice=present)
                # what may or may not be there is looked for until that is known
                step = self._pace.longest
                if not late:
                    late = True
                    await self._report(pursuit, News(voice=present), tell)
            await asyncio.sleep(step)
            step = min(step * self._pace.growth, self._pace.longest)

    @staticmethod
    async def _report(pursuit: _Pursuit, news: News, tell: Tell) -> None:
        if not _answer(pursuit, news):
            await tell(news)

    async def _present(self, pursuit: _Pursuit) -> Voice | None:
        try:
            return await self._store.get(pursuit.voice.id, owner_id=pursuit.voice.owner_id)
        except StoreError:
            return pursuit.voice

    async def _try(self, pursuit: _Pursuit) -> tuple[News | None, bool]:
        voice = pursuit.voice
        try:
            return await self._look_or_lose(pursuit)
        except (ProviderError, StoreError) as error:
            log.warning("voice %s could not be looked at, %s did not tell: %s", voice.id, voice.provider, error)
            return None, False
        except VoiceError as error:  # deleted meanwhile, or its provider is switched off
            log.info("voice %s is not followed any more: %s", voice.id, error)
            return None, True

    async def _look_or_lose(self, pursuit: _Pursuit) -> tuple[News | None, bool]:
        """Look once; what its service has no more has failed."""
        try:
            return await self._look(pursuit)
        except ProviderError as error:
            if error.kind != "not_found":
                raise
        return News(voice=await self._homes.give_up(pursuit.voice, "Its service has it no more.")), True

    async def _look(self, pursuit: _Pursuit) -> tuple[News | None, bool]:
        """Look once. Give the news if there is any, and whether to stop following."""
        voice = pursuit.voice
        present = await self._store.get(voice.id, owner_id=voice.owner_id)
        if present is None:
            return None, True
        if present.state not in UNFINISHED:  # somebody else looked before
            return News(voice=present), True
        home = self._homes.of(present)
        if pursuit.remote is None and not home.capabilities.finds:
            return News(voice=await self._guess(present, home)), True
        remote = pursuit.remote or await self._homes.look_for(present)
        if remote is None:
            return await self._miss(present, pursuit)
        arrival = await self._arrivals.take_in(present, remote)
        pursuit.remote = None
        if arrival.voice.state not in UNFINISHED:
            log.info("voice %s at %s: %s", voice.id, voice.provider, arrival.voice.state)
            return News(voice=arrival.voice, note=arrival.note), True
        return None, False

    async def _guess(self, voice: Voice, home: VoiceProvider) -> Voice:
        """Decide on a voice of which its service cannot be asked."""
        if voice.remote_id is not None:  # it said that it makes it, and would refuse to speak with what it has not made
            _, ready = await self._homes.change(voice, lambda present: replace(present, state="trained"))
            return ready
        fault = f"{home.label} did not answer, and cannot be asked whether it was made: cloning may cost again."
        return await self._homes.give_up(voice, fault)

    async def _miss(self, voice: Voice, pursuit: _Pursuit) -> tuple[News | None, bool]:
        """Go on looking for a voice that is not there, until it is sure that it was never made."""
        patience = self._pace.lost if self._homes.of(voice).capabilities.online else 0.0
        if pursuit.age < patience:
            return None, False
        await self._store.delete(voice.id, owner_id=voice.owner_id)
        log.info("voice %s was never made at %s", voice.id, voice.provider)
        return News(voice=voice, gone=True), True


def _mourn(task: asyncio.Task[None]) -> None:
    """Tell the log of a voice that is not followed any more because of a bug."""
    if not task.cancelled() and (bug := task.exception()) is not None:
        log.error("bug: a voice is not followed any more", exc_info=bug)


def _answer(pursuit: _Pursuit, news: News | None) -> bool:
    """Answer those who wait; say whether there was one."""
    waiting = [each for each in pursuit.waiting if not each.done()]
    for each in waiting:
        each.set_result(news)
    return bool(waiting)
