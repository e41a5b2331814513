"""The table of routes: which method and path leads to which handler. Knows no handler by name."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from playground.discord.rest.asked import Asked
from playground.discord.wire import Json


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler answers."""

    body: Json = None
    status: int = 200


NOTHING = Outcome(status=204)
Handler: TypeAlias = Callable[[Asked], Outcome]


@dataclass(frozen=True, slots=True)
class Route:
    """One route; `template` names its variable parts in braces, `open` ones need no bot token."""

    method: str
    template: str
    handler: Handler
    open: bool = False

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """Return the variable parts, None where this is not the route."""
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template), path)
        return None if found is None or method != self.method else found.groupdict()


class Routes:
    """Owns the table."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route of a request and the variable parts of its path; fixed paths come before variable ones."""
        for route in sorted(self._routes, key=lambda route: route.template.count("{")):
            names = route.match(method, path)
            if names is not None:
                return route, names
        return None
