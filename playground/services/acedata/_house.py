"""What all rooms of the stand-in share: keys, voices, tasks, and the door that every request comes through.

Does not know any route.
"""

from typing import Any

import aiohttp
from aiohttp import web

from playground.services.acedata._outside import Outside
from playground.services.acedata._refusals import RefusedError, told
from playground.services.acedata._results import Results
from playground.services.acedata._switches import Switches
from playground.services.acedata._tasks import Task
from playground.services.service import Asked, Handler
from playground.services.sound import Speak, babble

AUTHOR = "7ecad23df62a4174acd6a2a6cb5201ee"
"""All voices live in the one account that the platform has at Fish Audio."""


class House(Switches):
    """Owns accounts, voices and tasks."""

    def __init__(self, *, speak: Speak = babble, fetches: aiohttp.BaseConnector | None = None) -> None:
        super().__init__(speak=speak)
        self.keys: dict[str, float] = {"good-key": 10.0, "poor-key": 0.0}
        """Credit by key; no route tells it."""
        self.clone_price = 0.1
        self.byte_price = 15 / 1_000_000
        self.voices: dict[str, dict[str, Any]] = {}
        """ModelEntity by id."""
        self.owners: dict[str, str] = {}
        """The key that made a voice, by the voice's id."""
        self.links: dict[str, tuple[str, ...]] = {}
        """Where a voice's recordings were fetched from, by its id."""
        self.recordings: dict[str, tuple[bytes, ...]] = {}
        """The recordings that were fetched, by the voice's id."""
        self.tasks: dict[str, Task] = {}
        self.spoken: list[dict[str, Any]] = []
        """What was synthesized: model, text, format, speed, reference_id, references."""
        self.outside = Outside(fetches)
        """Its `rings` are the callbacks that were delivered."""
        self.results = Results(self)
        """The host of the result links, with switches of its own."""

    def downloads_connector(self) -> aiohttp.TCPConnector:
        """Return a connector that reaches the result links and nothing else; whoever takes it closes it."""
        return self.results.connector()

    def unknown(self, asked: Asked) -> web.StreamResponse:
        """Answer a route that does not exist; a breach."""
        self.breach(f"no such route: {asked.method} {asked.path}")
        return told("no_api").response(bare=self.bare_errors)

    def through(self, work: Handler, *, billed: bool = False) -> Handler:
        """Let a request in: its key, the rate limit, the balance where it costs, then what it asks."""

        async def answer(asked: Asked) -> web.StreamResponse:
            try:
                self._admit(asked)
                if billed and self.keys[asked.key] <= 0:
                    raise told("used_up")
                return await work(asked)
            except RefusedError as refused:
                return refused.response(bare=self.bare_errors)

        return answer

    def visible(self, asked: Asked, voice_id: str) -> dict[str, Any] | None:
        """Give a voice that the account may use: its own, or one that is not private."""
        voice = self.voices.get(voice_id)
        mine = self.owners.get(voice_id) == asked.key
        return voice if voice is not None and (mine or voice["visibility"] != "private") else None

    def _admit(self, asked: Asked) -> None:
        if "authorization" not in asked.headers:
            raise told("no_token")
        if asked.key not in self.keys:
            raise told("invalid_token")
        if asked.key in self.barred:
            raise told(self.barred[asked.key])
        if self.busy:
            self.busy -= 1
            raise told("too_many_requests")
