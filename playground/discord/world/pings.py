"""Whom a message notifies: mentions in its text, cut down by `allowed_mentions`. Knows no message."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from playground.discord.wire import JsonObject, texts

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Pings:
    """Who is notified; false when nobody is."""

    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    everyone: bool = False

    def __bool__(self) -> bool:
        """Tell whether anybody is notified."""
        return bool(self.users or self.roles or self.everyone)

    def only(self, user_id: int) -> "Pings":
        """Return what is left of this where one user alone sees the message."""
        return Pings(users=self.users & {user_id})


def find_pings(
    content: str,
    allowed: JsonObject | None,
    *,
    user_known: Callable[[int], bool],
    role_open: Callable[[int], bool],
    may_everyone: bool,
) -> Pings:
    """Read the mentions in `content`; no `allowed` object means that all of them count."""
    plain = _CODE.sub(" ", content)
    users = _allowed(_USER.findall(plain), allowed, "users")
    roles = _allowed(_ROLE.findall(plain), allowed, "roles")
    everyone = allowed is None or "everyone" in texts(allowed, "parse")
    return Pings(
        users=frozenset(user for user in users if user_known(user)),
        roles=frozenset(role for role in roles if role_open(role)),
        everyone=everyone and may_everyone and bool(_EVERYONE.search(plain)),
    )


def spoken(content: str, components: Iterable[JsonObject]) -> str:
    """Return the text that can mention somebody: the content, and the text displays of a components-v2 message."""
    found = [content]
    pending = list(components)
    while pending:
        component = pending.pop(0)
        if component.get("type") == 10:
            found.append(str(component.get("content", "")))
        inner = component.get("components")
        if isinstance(inner, list | tuple):
            pending.extend(each for each in inner if isinstance(each, Mapping))
    return "\n".join(found)


def _allowed(found: Iterable[str], allowed: JsonObject | None, kind: str) -> set[int]:
    ids = {int(each) for each in found}
    if allowed is None or kind in texts(allowed, "parse"):
        return ids
    return ids & {int(each) for each in texts(allowed, kind)}
