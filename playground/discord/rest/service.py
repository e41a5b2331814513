"""The HTTP API: token, rate limits, dispatch, and a loud no to every route it does not have."""

import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from playground.discord.breaches import Breaches
from playground.discord.refusal import RefusalError
from playground.discord.rest.asked import Asked, read
from playground.discord.rest.hitches import Hitches, refuse
from playground.discord.rest.routes import Outcome, Route, Routes
from playground.discord.wire import Json, WireError, render

log = logging.getLogger(__name__)

_VERSIONED = re.compile(r"/api/v10(/.*)")


class Rest:
    """Owns the dispatch of requests to routes; `hitches` are what a test makes go wrong."""

    def __init__(self, routes: Iterable[Route], breaches: Breaches, token: str) -> None:
        self._routes = Routes(routes)
        self._breaches = breaches
        self._token = token
        self.hitches = Hitches()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request to discord.com."""
        versioned = _VERSIONED.fullmatch(request.path)
        if versioned is None:
            return self._unknown(request.method, request.path)
        path = versioned[1]
        hitch = self.hitches.next(request.method, path)
        if hitch is None:
            return await self._serve(request, path)
        if hitch.served:
            await self._serve(request, path)
        else:
            await request.read()
        return refuse(hitch, request)

    async def _serve(self, request: web.Request, path: str) -> web.Response:
        found = self._routes.find(request.method, path)
        if found is None:
            await request.read()
            return self._unknown(request.method, path)
        route, names = found
        try:
            asked = replace(await read(request, path), names=names)
            outcome = self._answer(route, asked)
        except WireError as error:
            return _json(400, {"message": f"Invalid Form Body: {error}", "code": 50035}, route)
        except RefusalError as refusal:
            log.debug("%s %s refused with %d", route.method, route.template, refusal.code)
            return _json(refusal.status, refusal.body(), route)
        return _json(outcome.status, outcome.body, route)

    def _answer(self, route: Route, asked: Asked) -> Outcome:
        if not route.open and asked.authorization != f"Bot {self._token}":
            raise RefusalError(401, 0, "401: Unauthorized")
        return route.handler(asked)

    def _unknown(self, method: str, path: str) -> web.Response:
        self._breaches.record(f"unknown route: {method} {path}")
        return _json(501, {"message": f"the playground has no {method} {path}", "code": 0}, None)


def _json(status: int, body: Json, route: Route | None) -> web.Response:
    bucket = hashlib.md5((route.template if route else "").encode(), usedforsecurity=False).hexdigest()
    headers = {
        # exactly this: discord.py reads a body with a charset as text
        "Content-Type": "application/json",
        "X-RateLimit-Limit": "50",
        "X-RateLimit-Remaining": "49",
        "X-RateLimit-Reset-After": "1",
        "X-RateLimit-Bucket": bucket,
        "Via": "1.1 google",
    }
    if status == 204:
        del headers["Content-Type"]
        return web.Response(status=204, headers=headers)
    return web.Response(status=status, body=render(body).encode(), headers=headers)
