"""Discord's marks in a text as a reader sees them: names of channels, people and roles, and times. Changes nothing."""

import re
from datetime import UTC, datetime

from playground.discord.refusal import RefusalError
from playground.discord.world import World

_MARK = re.compile(r"<(?P<kind>#|@&|@!?|t:)(?P<number>-?\d+)(?::(?P<style>\w))?>")
_STYLES = {
    "t": "%H:%M",
    "T": "%H:%M:%S",
    "d": "%d/%m/%Y",
    "D": "%d %B %Y",
    "f": "%d %B %Y %H:%M",
    "F": "%A, %d %B %Y %H:%M",
}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def read_marks(line: str, world: World) -> str:
    """Return a line with every mark replaced by what a client shows for it."""

    def shown(match: re.Match[str]) -> str:
        number = int(match["number"])
        match match["kind"]:
            case "#":
                return f"#{_channel(number, world)}"
            case "@&":
                return f"@{_role(number, world)}"
            case "t:":
                return _time(number, match["style"] or "f", world.clock.now().timestamp())
            case _:
                return f"@{_user(number, world)}"

    return _MARK.sub(shown, line)


def _channel(number: int, world: World) -> str:
    try:
        return world.guilds.channel(number).name
    except RefusalError:
        return "unknown"


def _role(number: int, world: World) -> str:
    try:
        return world.guilds.role(number).name
    except RefusalError:
        return "unknown-role"


def _user(number: int, world: World) -> str:
    user = world.guilds.users.get(number)
    return user.name if user else "unknown-user"


def _time(number: int, style: str, now: float) -> str:
    if style != "R":
        return datetime.fromtimestamp(number, UTC).strftime(_STYLES.get(style, _STYLES["f"]))
    away = round(number - now)
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(away) >= size), (1, "second"))
    count = abs(away) // size
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {words}" if away > 0 else f"{words} ago"
