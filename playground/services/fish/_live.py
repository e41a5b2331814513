"""WebSocket /v1/tts/live: text comes in bit by bit, sound goes out as it is made, each event a msgpack map."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

import ormsgpack
from aiohttp import WSMessage, WSMsgType, web

from playground.services.fish._house import House
from playground.services.fish._line import Line, judge, model_of
from playground.services.fish._refusals import RefusalError
from playground.services.fish._speaking import Speaking
from playground.services.gate import CutError
from playground.services.service import Asked, ServiceBreachError
from playground.services.sound import Encoder

_EVENTS: Mapping[str, set[str]] = {"start": {"request"}, "text": {"text"}, "flush": set(), "stop": set()}
_LARGEST_EVENT = 64 << 20
_FAREWELL = 2.0
"""Seconds that the client has to answer a close."""


class Live:
    """Owns the handshake; what follows is a `_Session`."""

    def __init__(self, house: House, speaking: Speaking) -> None:
        self._house = house
        self._speaking = speaking

    async def answer(self, asked: Asked) -> web.StreamResponse:
        """Refuse with the status of the handshake, or talk until it is over."""
        key = ""
        house = self._house
        try:
            key = house.admit(asked, "key")
            self._speaking.seek_credit(key, model_of(asked))
            with house.place(key):
                socket = await _open(asked, house.labels(key))
                await _Session(house, self._speaking, socket, asked).run()
                return socket
        except RefusalError as refusal:
            if refusal.status != 429 or house.live_busy == "handshake":
                response = refusal.response()
                response.headers.update(house.labels(key))
                return response
        return await self._turn_away(asked, key)

    async def _turn_away(self, asked: Asked, key: str) -> web.StreamResponse:
        """Take the handshake, then say that there is no place."""
        socket = await _open(asked, self._house.labels(key))
        limit = self._house.concurrency
        event = {"event": "error", "error": "Concurrency limit exceeded", "max_concurrency": limit}
        await socket.send_bytes(ormsgpack.packb(event))
        await socket.close()
        return socket


async def _open(asked: Asked, headers: Mapping[str, str]) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(max_msg_size=_LARGEST_EVENT, timeout=_FAREWELL)
    socket.headers.update(headers)
    await socket.prepare(asked.request)
    return socket


class _Session:
    """Owns one connection: what was said and is not yet spoken, and the one stream of sound it becomes."""

    def __init__(self, house: House, speaking: Speaking, socket: web.WebSocketResponse, asked: Asked) -> None:
        self._house = house
        self._speaking = speaking
        self._socket = socket
        self._asked, self._key = asked, asked.key
        self._model = model_of(asked)
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._waiting = ""
        self._sent = 0

    async def run(self) -> None:
        """Take events and speak at the same time, until either side ends it."""
        talking = asyncio.create_task(self._talk())
        try:
            async for message in self._socket:
                self._inbox.put_nowait(_event(message))
        except ServiceBreachError as breach:
            self._house.breach(str(breach))
        finally:
            if not self._socket.closed:
                talking.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await talking
            await self._socket.close()

    async def _talk(self) -> None:
        try:
            await self._converse()
        except RefusalError:
            await self._finish("error")
        except CutError:
            if self._asked.request.transport is not None:
                self._asked.request.transport.close()
        except ServiceBreachError as breach:
            self._house.breach(str(breach))
            await self._socket.close(code=1008)

    async def _converse(self) -> None:
        line = await self._begin()
        encoder = Encoder(line.form, rate=line.rate)
        while True:
            event = await self._hear()
            match event["event"]:
                case "text":
                    self._waiting += event["text"]
                    if len(self._waiting) >= line.chunk_length and not await self._speak(line, encoder):
                        return
                case "flush":
                    if not await self._speak(line, encoder):
                        return
                case "stop":
                    if await self._speak(line, encoder) and await self._send(encoder.close()):
                        await self._finish(self._house.live_finish)
                    return
                case name:
                    raise ServiceBreachError(f"the event {name} came twice")

    async def _begin(self) -> Line:
        event = await self._hear()
        if event["event"] != "start":
            raise ServiceBreachError(f"the first event was {event['event']}, not start")
        line = judge(event["request"], "msgpack", self._model)
        await self._speaking.take(self._key, line)
        self._waiting = line.text
        await self._say({"event": "log", "message": "session started"})
        return line

    async def _hear(self) -> dict[str, Any]:
        event = await self._inbox.get()
        self._house.heard.append(event)
        name = str(event.get("event"))
        if name not in _EVENTS:
            raise ServiceBreachError(f"there is no event {name}")
        if set(event) - {"event"} != _EVENTS[name]:
            raise ServiceBreachError(f"the event {name} came with the fields {sorted(set(event) - {'event'})}")
        return event

    async def _speak(self, line: Line, encoder: Encoder) -> bool:
        """Say what is waiting; whether the connection still stands."""
        text, self._waiting = self._waiting, ""
        if not text.strip():
            return True
        self._speaking.charge(self._key, line, text)
        samples = await asyncio.to_thread(self._house.speak, text, line.speed)
        return await self._send(await asyncio.to_thread(encoder.write, samples))

    async def _send(self, data: bytes) -> bool:
        await self._asked.way.begin()
        async for portion in self._house.portions(self._asked, data):
            if self._sent == self._house.live_cut_after:
                await self._socket.close(code=1011)
                return False
            await self._say({"event": "audio", "audio": portion, "time": float(self._sent)})
            self._sent += 1
        return True

    async def _finish(self, reason: Literal["stop", "error"]) -> None:
        await self._say({"event": "finish", "reason": reason})
        await self._socket.close()

    async def _say(self, event: dict[str, Any]) -> None:
        await self._socket.send_bytes(ormsgpack.packb(event))


def _event(message: WSMessage) -> dict[str, Any]:
    if message.type != WSMsgType.BINARY:
        raise ServiceBreachError(f"a frame was {message.type.name}, not binary")
    try:
        event = ormsgpack.unpackb(message.data)
    except ValueError as error:
        raise ServiceBreachError("a frame was not msgpack") from error
    if not isinstance(event, dict):
        raise ServiceBreachError("a frame was not a map")
    return event
