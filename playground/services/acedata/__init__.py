"""Ace Data Cloud on loopback: a reseller of Fish Audio that takes links and gives links.

Written from what it documents, in three versions of the truth: where they differ, a switch says which holds. What it
answers are links to a host of its own, https under a test CA, to which `downloads_connector` is the way.
"""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import aiohttp

from playground.services.acedata._entity import entity
from playground.services.acedata._errands import Errands
from playground.services.acedata._house import AUTHOR, House
from playground.services.acedata._models import Models
from playground.services.acedata._outside import Ring
from playground.services.acedata._refusals import Trouble
from playground.services.acedata._results import Serving
from playground.services.acedata._speaking import Speaking
from playground.services.acedata._tasks import Callbacks, Ending, Task, TaskShape
from playground.services.acedata._way import HOST, OTHER_HOST
from playground.services.sound import Speak, babble

__all__ = [
    "HOST",
    "OTHER_HOST",
    "AceDataService",
    "Callbacks",
    "Ending",
    "Ring",
    "Serving",
    "Task",
    "TaskShape",
    "Trouble",
]


class AceDataService(House):
    """Owns the routes. `House` has the switches, `results` those of the links.

    `fetches` is the way to the recordings and to the callbacks, closed with the service; without one, it is the
    open network.
    """

    def __init__(self, *, speak: Speak = babble, fetches: aiohttp.BaseConnector | None = None) -> None:
        super().__init__(speak=speak, fetches=fetches)
        self._rooms = AsyncExitStack()
        errands, models = Errands(self), Models(self)
        speaking = Speaking(self, errands)
        self.late = errands.late
        """When callbacks are delivered that are late."""
        self.route("POST", "/fish/model", self.through(models.create, billed=True))
        self.route("GET", "/fish/model", self.through(models.page))
        self.route("GET", "/fish/model/{id}", self.through(models.get))
        self.route("POST", "/fish/tts", self.through(speaking.say, billed=True))
        self.route("POST", "/fish/audios", self.through(speaking.say_old, billed=True))
        self.route("POST", "/fish/tasks", self.through(errands.ask))

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.results)
            await stack.enter_async_context(self.outside)
            await super().__aenter__()
            self._rooms = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        async with self._rooms:
            await super().__aexit__(kind, error, traceback)

    def publish(
        self, title: str, *, tags: tuple[str, ...] = (), languages: tuple[str, ...] = ("en",)
    ) -> dict[str, Any]:
        """Put a public voice of somebody else on the list."""
        voice = entity(title=title, author=AUTHOR, tags=tags, languages=languages, visibility="public")
        self.voices[voice["_id"]] = voice
        return voice
