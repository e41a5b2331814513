"""Rate limits, server errors and lost connections that a test asks for. Knows no route."""

import re
from dataclasses import dataclass

from aiohttp import web

from playground.discord.wire import Json, render


@dataclass(slots=True)
class Hitch:
    """The next `times` requests whose "METHOD /path" matches `where` get `status`, or no answer where it is None."""

    where: re.Pattern[str]
    status: int | None
    times: int
    retry_after: float = 0.0
    everywhere: bool = False
    served: bool = False
    """What is asked for is done all the same."""


class Hitches:
    """Owns what shall go wrong, and how often something did."""

    def __init__(self) -> None:
        self._hitches: list[Hitch] = []
        self.met = 0

    def throttle(
        self, where: str = ".*", *, times: int = 1, retry_after: float = 0.01, everywhere: bool = False
    ) -> None:
        """Answer 429 to the next requests whose "METHOD /path" matches; `everywhere` is the global limit."""
        self._hitches.append(Hitch(re.compile(where), 429, times, retry_after, everywhere))

    def fail(self, where: str = ".*", *, status: int = 503, times: int = 1, served: bool = False) -> None:
        """Answer with a server error to the next requests whose "METHOD /path" matches; `served` ones are done."""
        self._hitches.append(Hitch(re.compile(where), status, times, served=served))

    def hang_up(self, where: str = ".*") -> None:
        """Close the connection on the next request whose "METHOD /path" matches, and do nothing."""
        self._hitches.append(Hitch(re.compile(where), None, times=1))

    def next(self, method: str, path: str) -> Hitch | None:
        """Return what shall go wrong with this request, None for nothing."""
        for hitch in self._hitches:
            if hitch.times > 0 and hitch.where.search(f"{method} {path}"):
                hitch.times -= 1
                self.met += 1
                return hitch
        return None


def refuse(hitch: Hitch, request: web.Request) -> web.Response:
    """Build the answer (discord.com/developers, "Exceeding A Rate Limit"), or have none come."""
    if hitch.status is None:
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    if hitch.status != 429:
        return web.Response(status=hitch.status, text="upstream connect error", content_type="text/plain")
    body: dict[str, Json] = {
        "message": "You are being rate limited.",
        "retry_after": hitch.retry_after,
        "global": hitch.everywhere,
    }
    scope = "global" if hitch.everywhere else "user"
    headers = {
        "Content-Type": "application/json",
        # a client takes a 429 without Via for one of Cloudflare's, and gives up
        "Via": "1.1 google",
        "Retry-After": str(max(1, round(hitch.retry_after))),
        "X-RateLimit-Scope": scope,
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset-After": str(hitch.retry_after),
    }
    if hitch.everywhere:
        headers["X-RateLimit-Global"] = "true"
    return web.Response(status=429, body=render(body).encode(), headers=headers)
