"""A bare HTTP client for the stand-in of Fish Audio, for what no good client would send."""

import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import ormsgpack

from playground.services.fish import FishService
from tests.sounds import babble, to_wav

WAV = to_wav(babble(2.0, rate=16_000), rate=16_000)
"""A recording of 2 s."""
COVER = b"\xff\xd8\xff\xe0 a picture"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def content(self) -> Any:
        return json.loads(self.body)


class Angler:
    """Owns one session."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def ask(self, method: str, path: str, *, key: str = "good-key", **options: Any) -> Answer:
        """Send one request with a key; no key where it is empty."""
        headers = {**bearer(key), **options.pop("headers", {})}
        async with self.session.request(method, self.url + path, headers=headers, **options) as response:
            return Answer(response.status, response.headers.copy(), await response.read())

    async def make(self, *fields: tuple[str, Any], key: str = "good-key", **others: str) -> Answer:
        """Ask for a voice with one recording; `others` replace the usual fields, None leaves one out."""
        usual: dict[str, Any] = {"type": "tts", "title": "Aki", "train_mode": "fast", "visibility": "private"}
        values = [(name, value) for name, value in {**usual, **others}.items() if value is not None]
        return await self.ask("POST", "/model", key=key, data=form(("voices", WAV), *values, *fields))

    async def made(self, *fields: tuple[str, Any], key: str = "good-key", **others: str) -> dict[str, Any]:
        """Make a voice."""
        answer = await self.make(*fields, key=key, **others)
        assert answer.status == 201, answer.text
        return answer.content

    async def say(self, *, key: str = "good-key", model: str | None = "s2-pro", **body: Any) -> Answer:
        """Speak, asked in JSON."""
        headers = {"model": model} if model else {}
        return await self.ask("POST", "/v1/tts", key=key, json=body, headers=headers)

    async def say_packed(self, *, key: str = "good-key", **body: Any) -> Answer:
        """Speak, asked in msgpack."""
        headers = {"model": "s2-pro", "Content-Type": "application/msgpack"}
        return await self.ask("POST", "/v1/tts", key=key, data=io.BytesIO(ormsgpack.packb(body)), headers=headers)


def bearer(key: str) -> dict[str, str]:
    """Give the header that carries a key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def form(*fields: tuple[str, Any]) -> aiohttp.FormData:
    """Write a multipart form; bytes are files."""
    data = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields:
        if isinstance(value, bytes):
            data.add_field(name, io.BytesIO(value), filename="sample.wav", content_type="audio/wav")
        else:
            data.add_field(name, value)
    return data


async def breach(service: FishService, cast: Callable[[Angler], Awaitable[object]]) -> None:
    """Open the service, do something there, and close it: what it has to say, it says then."""
    async with service, angler_at(service.url) as angler:
        await cast(angler)


@asynccontextmanager
async def angler_at(url: str) -> AsyncIterator[Angler]:
    """Open a client."""
    async with aiohttp.ClientSession() as session:
        yield Angler(session, url)
