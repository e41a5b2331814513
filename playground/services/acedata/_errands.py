"""Tasks from their beginning to their end: begun, asked after, rung about. POST /fish/tasks is here."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from yarl import URL

from playground.services.acedata._bodies import Retrieval, read_body
from playground.services.acedata._house import House
from playground.services.acedata._refusals import told
from playground.services.acedata._tasks import Kind, Task
from playground.services.service import Asked


class Errands:
    """Owns when late callbacks are delivered."""

    def __init__(self, house: House) -> None:
        self.late = asyncio.Event()
        self._house = house

    async def ask(self, asked: Asked) -> web.StreamResponse:
        """Tell of one task or of several; each ask brings a task nearer to its end."""
        wish, _ = read_body(Retrieval, asked)
        match wish.action, wish.id, wish.ids:
            case "retrieve", str(task_id), None:
                task = self._find(asked, task_id)
                if task is None:
                    return web.json_response({})
                await self._advance(task)
                return web.json_response(task.status() if self._house.task_shape == "status" else task.record())
            case "retrieve_batch", None, tuple(ids):
                found = [task for task in (self._find(asked, each) for each in ids) if task is not None]
                for task in found:
                    await self._advance(task)
                return web.json_response({"items": [task.record() for task in found], "count": len(found)})
            case _:
                raise told("bad_request", "id or ids is required, and action as it fits.")

    async def begin(
        self, asked: Asked, *, kind: Kind, request: Mapping[str, Any], sound: "asyncio.Task[bytes]", address: str | None
    ) -> Task:
        """Take a task on; an early callback is delivered before this returns."""
        house = self._house
        task = Task(
            key=asked.key,
            kind=kind,
            request=request,
            sound=sound,
            ending=house.ending,
            failure=house.failure,
            hiccups=house.hiccups,
            ends_after=house.ends_after,
            callbacks=house.callbacks,
        )
        house.tasks[task.id] = task
        if address is not None and task.callbacks == "early":
            await self._ring(task, address)
        return task

    async def answer(self, asked: Asked, task: Task, body: Mapping[str, Any], address: str | None) -> web.Response:
        """Answer that a task was taken on, and have its callback delivered after that."""
        response = web.json_response(body)
        await response.prepare(asked.request)
        await response.write_eof()
        if address is not None and task.callbacks not in {"early", "never"}:
            self._house.outside.begin(self._call_back(task, address))
        return response

    async def _call_back(self, task: Task, address: str) -> None:
        match task.callbacks:
            case "late":
                await self.late.wait()
                await self._ring(task, address)
            case "twice":
                await self._ring(task, address)
                await self._ring(task, address)
            case "wrong":
                await self._end(task)
                await self._house.outside.ring(address, {**task.callback(), "task_id": str(uuid.uuid4())})
            case _:
                await self._ring(task, address)

    async def _ring(self, task: Task, address: str) -> None:
        await self._end(task)
        await self._house.outside.ring(address, task.callback())

    async def _advance(self, task: Task) -> None:
        task.asks += 1
        if task.asks >= task.ends_after + task.hiccups:
            await self._end(task)

    async def _end(self, task: Task) -> None:
        # whoever asks may go away; the work goes on for whoever asks next
        sound = await asyncio.shield(task.sound)
        if task.finished is None:
            task.link = "" if task.fails else self._house.results.lay_out(sound)
            task.finished = time.time()

    def _find(self, asked: Asked, task_id: str) -> Task | None:
        task = self._house.tasks.get(task_id)
        return task if task is not None and task.key == asked.key else None


def seek_address(address: str | None) -> None:
    """Refuse a callback address that nobody can be rung at."""
    if address is not None and not is_link(address):
        raise told("bad_request", "callback_url is invalid.")


def is_link(text: str) -> bool:
    """Say whether a text is an address on the web."""
    try:
        target = URL(text)
    except ValueError:
        return False
    return target.scheme in {"https", "http"} and bool(target.host)
