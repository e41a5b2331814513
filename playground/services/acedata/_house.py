"""What all rooms of the stand-in share: keys, voices, switches, and the door that every request comes through.

Does not know any route.
"""

from typing import Any, Literal

import aiohttp
from aiohttp import web

from playground.services.acedata._outside import Outside
from playground.services.acedata._refusals import RefusedError, Trouble, told
from playground.services.acedata._results import Results
from playground.services.acedata._tasks import Callbacks, Ending, Task, TaskShape
from playground.services.service import Asked, Handler, Service
from playground.services.sound import Form, Speak, babble

AUTHOR = "7ecad23df62a4174acd6a2a6cb5201ee"
"""All voices live in the one account that the platform has at Fish Audio."""
_FORMS: tuple[Form, ...] = ("mp3", "wav", "pcm", "opus")


class House(Service):
    """Owns accounts, voices, tasks and switches."""

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

        self.voices_accepts: Literal["string", "list", "both"] = "both"
        """How the links of a new voice's recordings may be written; the documents differ."""
        self.thin_create = False
        """Whether a new voice is answered as in the OpenAPI example."""
        self.trained_after = 0
        """How many reads a new voice takes until it is trained; 0: it is made trained."""
        self.fails_training = False
        """Whether new voices fail instead of being trained."""
        self.forced_visibility: Literal["public", "unlist", "private"] | None = None
        """What a new voice is given whatever was asked."""
        self.formats: tuple[Form, ...] = _FORMS
        """Which formats there are; older guides have fewer."""
        self.format_required = False
        self.content_form: Form | None = None
        """What is in every result, where it is not what was asked for."""
        self.started_at: Literal["number", "text"] = "number"
        """How the beginning of a task is told."""

        self.ends_after = 2
        """The ask that finds a task ended, counted from 1."""
        self.hiccups = 0
        """At how many asks before that a task tells an error in bare words, which it survives."""
        self.ending: Ending = "finished"
        """How new tasks end, and how that is told."""
        self.failure: Trouble = "api_error"
        """What is said of tasks that fail with a code."""
        self.task_shape: TaskShape = "record"
        self.callbacks: Callbacks = "once"

        self.bare_errors = False
        """Whether errors leave out `success`."""
        self.barred: dict[str, Trouble] = {}
        """Why a key is refused whatever it asks."""
        self.busy = 0
        """The next so many requests meet the rate limit."""

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
