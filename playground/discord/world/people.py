"""Users, and their membership of a server. Knows no channel."""

from dataclasses import dataclass
from datetime import datetime

from playground.discord.wire import Json, JsonObject


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    id: int
    name: str
    bot: bool = False

    def payload(self) -> JsonObject:
        """Return the user object."""
        return {
            "id": str(self.id),
            "username": self.name,
            "discriminator": "0",
            "global_name": self.name,
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }


@dataclass(frozen=True, slots=True)
class Membership:
    """A user in a server: what the server knows of them."""

    user: User
    guild_id: int
    joined_at: datetime
    role_ids: tuple[int, ...] = ()
    nick: str | None = None
    mute: bool = False
    deaf: bool = False

    def payload(self) -> dict[str, Json]:
        """Return the guild member object, the user in it."""
        return {
            "user": self.user.payload(),
            "nick": self.nick,
            "avatar": None,
            "roles": [str(role_id) for role_id in self.role_ids],
            "joined_at": self.joined_at.isoformat(),
            "premium_since": None,
            "deaf": self.deaf,
            "mute": self.mute,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }
