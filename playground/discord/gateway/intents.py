"""Which events an application is told for which intents (discord.com/developers, "Gateway Intents")."""

from collections.abc import Mapping
from enum import IntFlag

from playground.discord.wire import Json, JsonObject
from playground.discord.world.events import Event


class Intent(IntFlag):
    """The intents the playground acts on."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
KNOWN = (1 << 26) - 1

_NEEDED: Mapping[str, Intent] = {
    "GUILD_CREATE": Intent.GUILDS,
    "GUILD_DELETE": Intent.GUILDS,
    "GUILD_ROLE_CREATE": Intent.GUILDS,
    "GUILD_ROLE_UPDATE": Intent.GUILDS,
    "GUILD_ROLE_DELETE": Intent.GUILDS,
    "CHANNEL_CREATE": Intent.GUILDS,
    "CHANNEL_UPDATE": Intent.GUILDS,
    "CHANNEL_DELETE": Intent.GUILDS,
    "GUILD_MEMBER_ADD": Intent.GUILD_MEMBERS,
    "GUILD_MEMBER_UPDATE": Intent.GUILD_MEMBERS,
    "GUILD_MEMBER_REMOVE": Intent.GUILD_MEMBERS,
    "VOICE_STATE_UPDATE": Intent.GUILD_VOICE_STATES,
    "MESSAGE_CREATE": Intent.GUILD_MESSAGES,
    "MESSAGE_UPDATE": Intent.GUILD_MESSAGES,
    "MESSAGE_DELETE": Intent.GUILD_MESSAGES,
}
_MESSAGES = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"})
_HIDDEN: Mapping[str, Json] = {"content": "", "embeds": [], "attachments": [], "components": []}


def told(event: Event, intents: int, application_id: int) -> JsonObject | None:
    """Return what an application with these intents is told of an event, None for nothing."""
    own = event.about == application_id
    direct = event.guild_id is None and event.name in _MESSAGES
    needed = Intent.DIRECT_MESSAGES if direct else _NEEDED.get(event.name, 0)
    if event.private or (needed & ~intents and not (own and event.name == "GUILD_MEMBER_UPDATE")):
        return None
    open_to_it = own or direct or bool(intents & Intent.MESSAGE_CONTENT)
    if event.name in {"MESSAGE_CREATE", "MESSAGE_UPDATE"} and not open_to_it:
        mentioned = any(
            isinstance(user, Mapping) and user.get("id") == str(application_id)
            for user in _list(event.data.get("mentions"))
        )
        return event.data if mentioned else {**event.data, **_HIDDEN}
    return event.data


def _list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else []
