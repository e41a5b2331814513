"""From a line to where its sound can be fetched, in each of the four ways. Fetches no sound."""

import asyncio
import logging
from contextlib import ExitStack
from dataclasses import dataclass

from bot.errors import ProviderError
from bot.providers.acedata._questions import speech_question, task_question
from bot.providers.acedata._refusals import read_fault
from bot.providers.acedata._tasks import Task, read_task
from bot.providers.base import SpeechRequest
from bot.providers.doorstep import Callback, Doorstep
from bot.providers.http import Http
from bot.settings import AceDataSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a task is asked after, in seconds."""

    first: float = 3.0
    growth: float = 1.3
    most: float = 15.0
    fallback: float = 15.0
    """Where it should call back but does not."""
    total: float = 600.0


class Speaking:
    """The way lines are made at one account. Owns no state."""

    def __init__(self, http: Http, settings: AceDataSettings, *, doorstep: Doorstep | None, pace: Pace) -> None:
        self._http = http
        self._settings = settings
        self._doorstep = doorstep if settings.mode in {"callback", "legacy"} else None
        self._pace = pace

    async def link(self, request: SpeechRequest) -> str:
        """Have a line made and return the signed address of its sound. Raises `ProviderError`."""
        with ExitStack() as stack:
            bell = None if self._doorstep is None else stack.enter_context(self._doorstep.expect())
            question = speech_question(request, self._settings, callback_url=None if bell is None else bell.url)
            task = read_task((await self._http.ask(question)).content)
            if task.state == "running":
                if not task.id:
                    raise self._http.account.fault("server")
                if bell is not None:
                    bell.claim(task.id)
                task = await self._follow(task.id, bell, party=request.party)
        if task.state == "failed":
            raise self._failure(task)
        return task.link

    async def _follow(self, task_id: str, bell: Callback | None, *, party: int) -> Task:
        """Wait until a task ends, for so long as the pace allows."""
        try:
            async with asyncio.timeout(self._pace.total):
                return await self._end(task_id, bell, party=party)
        except TimeoutError as error:
            raise ProviderError(
                f"{self._http.account.label} did not finish in time: try again later, or with fewer words.",
                kind="network",
            ) from error

    async def _end(self, task_id: str, bell: Callback | None, *, party: int) -> Task:
        pause = self._pace.first
        while True:
            if bell is None:
                await asyncio.sleep(pause)
                pause = min(pause * self._pace.growth, self._pace.most)
            elif await bell.rings(self._pace.fallback):
                # anybody may have rung: what the task says for itself is all that counts
                bell = None
            task = read_task((await self._http.ask(task_question(task_id, party=party))).content)
            if task.state != "running":
                log.info("%s: task %s %s", self._http.account.label, task_id, task.state)
                return task

    def _failure(self, task: Task) -> ProviderError:
        known = read_fault(task.response, self._http.account)
        if known is not None and known.kind != "server":
            return known
        sentence = f"{self._http.account.label} could not make this line: try again, or change the words."
        return ProviderError(sentence, kind="server")
