"""What all rooms of the stand-in share: keys, voices, switches, and the door that every request comes through.

Knows who asks, what is left in the wallet, and how many requests are under way. Does not know any route.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from aiohttp import web

from playground.services.fish import _refusals as refusals
from playground.services.fish._refusals import RefusalError
from playground.services.service import Asked, Fault, Handler, Service
from playground.services.sound import Form, Samples, Speak, babble, encode

Access = Literal["anybody", "model", "key"]
"""Who may ask: anybody; who has a key, refused as /model refuses; or as /v1 and /wallet refuse."""
Visibility = Literal["public", "unlist", "private"]
Work = Callable[[Asked], Awaitable[web.StreamResponse]]


class House(Service):
    """Owns accounts, voices and switches. Each key is an account of its own."""

    def __init__(self, *, speak: Speak = babble) -> None:
        super().__init__(speak=speak)
        self.keys: dict[str, float] = {"good-key": 10.0, "poor-key": 0.0}
        """Credit in dollars."""
        self.voices: dict[str, dict[str, Any]] = {}
        """ModelEntity by id."""
        self.owners: dict[str, str] = {}
        """The key that made a voice, by the voice's id."""
        self.concurrency = 5
        """Requests at once that an account may have; told in a header of every answer."""
        self.most_at_once = 0
        self.trained_after = 0
        """How many reads a new voice takes until it is trained; 0: it is made trained."""
        self.training_fault = ""
        """Why new voices fail instead of being trained."""
        self.takes_recordings = True
        """Whether what listens to new recordings is there."""
        self.forced_visibility: Visibility | None = None
        """What a new voice is given whatever was asked."""
        self.locks_visibility = False
        """Whether the visibility of a new voice cannot be changed."""
        self.delete_status: Literal[200, 204] = 204
        self.languages: tuple[str, ...] = ("en",)
        """What new voices are heard to speak."""
        self.transcript = "The quick brown fox jumps over the lazy dog. It was a fine day."
        """What is heard in every recording."""
        self.free_needs_credit = False
        """Whether s2.1-pro-free asks for credit as well; reports differ."""
        self.spoken: list[dict[str, Any]] = []
        """What was synthesized: model, text, format, reference_id, references, speed."""
        self.heard: list[dict[str, Any]] = []
        """Every event that came over a WebSocket."""
        self.live_busy: Literal["handshake", "event"] = "handshake"
        """How a WebSocket too many is told."""
        self.live_finish: Literal["stop", "error"] = "stop"
        self.live_cut_after: int | None = None
        """After how many events of sound a WebSocket is closed in the middle."""
        self._under_way: Counter[str] = Counter()

    def encode(self, samples: Samples, form: Form, *, rate: int) -> bytes:
        """Write a whole line's sound as it was asked for. Blocks."""
        return encode(samples, form, rate=rate)

    def admit(self, asked: Asked, access: Access) -> str:
        """Give the account that asks: its key, or nothing for nobody."""
        if asked.key in self.keys:
            return asked.key
        if access == "anybody":
            return ""
        raise refusals.invalid_token() if access == "key" else refusals.no_permission()

    @contextmanager
    def place(self, key: str) -> Iterator[None]:
        """Hold one of an account's places."""
        if key and self._under_way[key] >= self.concurrency:
            raise refusals.busy(self.concurrency)
        self._under_way[key] += 1
        self.most_at_once = max(self.most_at_once, self._under_way[key])
        try:
            yield
        finally:
            self._under_way[key] -= 1

    def under_way(self, key: str) -> int:
        """Say how many requests of an account are under way."""
        return self._under_way[key]

    def pay(self, key: str, dollars: float) -> None:
        """Take from an account what something costs."""
        self.keys[key] -= dollars

    def seek_credit(self, key: str) -> None:
        """Refuse an empty wallet: looked at before anything that was asked."""
        if self.keys[key] <= 0:
            raise refusals.no_credit()

    def labels(self, key: str = "") -> dict[str, str]:
        """Give the headers that go with every answer."""
        headers = {"x-fish-trace-id": uuid.uuid4().hex, "x-fishaudio-datacenter": "loopback"}
        if key:
            headers["ratelimit-limit-concurrency"] = str(self.concurrency)
            headers["ratelimit-current-concurrency"] = str(self._under_way[key])
        return headers

    def through(self, work: Work, access: Access) -> Handler:
        """Let a request in: its key, then a place, then what it asks."""

        async def answer(asked: Asked) -> web.StreamResponse:
            key = ""
            try:
                key = self.admit(asked, access)
                with self.place(key):
                    labels = self.labels(key)
                    response = await work(asked)
            except RefusalError as refusal:
                labels, response = self.labels(key), refusal.response()
            if not response.prepared:
                response.headers.update(labels)
            return response

        return answer

    async def _fail(self, asked: Asked, fault: Fault) -> web.StreamResponse:
        response = await super()._fail(asked, fault)
        if not response.prepared:
            response.headers.update(self.labels(asked.key if asked.key in self.keys else ""))
        return response


def account_id(key: str) -> str:
    """Give the id that an account is known by."""
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
