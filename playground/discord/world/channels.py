"""Channels of a server and their permission overwrites. Knows no member by name."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal

from playground.discord.wire import Json, JsonObject


class ChannelKind(IntEnum):
    """The channel types the playground has."""

    TEXT = 0
    VOICE = 2
    STAGE = 13


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies to one role or one member."""

    id: int
    kind: Literal["role", "member"]
    allow: int = 0
    deny: int = 0

    def payload(self) -> JsonObject:
        """Return the overwrite object."""
        return {
            "id": str(self.id),
            "type": 0 if self.kind == "role" else 1,
            "allow": str(int(self.allow)),
            "deny": str(int(self.deny)),
        }


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel; `user_limit` 0 means no limit."""

    id: int
    guild_id: int
    kind: ChannelKind
    name: str
    position: int
    user_limit: int = 0
    bitrate: int = 64_000
    overwrites: tuple[Overwrite, ...] = ()

    @property
    def spoken(self) -> bool:
        """Whether members can join it and talk."""
        return self.kind is not ChannelKind.TEXT

    def overwrite(self, target_id: int) -> Overwrite | None:
        """Return the overwrite of one role or member."""
        return next((each for each in self.overwrites if each.id == target_id), None)

    def with_overwrite(self, overwrite: Overwrite) -> "Channel":
        """Return this channel with `overwrite` in place of the target's former one."""
        others = tuple(each for each in self.overwrites if each.id != overwrite.id)
        return replace(self, overwrites=(*others, overwrite))

    def steps(self, role_ids: Iterable[int], member_id: int) -> tuple[tuple[int, int], ...]:
        """Return (allow, deny) in the order they apply: everyone's, the roles' together, the member's."""
        allow = deny = 0
        for role_id in role_ids:
            found = self.overwrite(role_id)
            if found is not None:
                allow, deny = allow | found.allow, deny | found.deny
        everyone, own = self.overwrite(self.guild_id), self.overwrite(member_id)
        return (
            (everyone.allow, everyone.deny) if everyone else (0, 0),
            (allow, deny),
            (own.allow, own.deny) if own else (0, 0),
        )

    def payload(self) -> dict[str, Json]:
        """Return the channel object."""
        return {
            "id": str(self.id),
            "type": int(self.kind),
            "guild_id": str(self.guild_id),
            "name": self.name,
            "position": self.position,
            "permission_overwrites": [each.payload() for each in self.overwrites],
            "parent_id": None,
            "nsfw": False,
            "topic": None,
            "last_message_id": None,
            "rate_limit_per_user": 0,
            "bitrate": self.bitrate,
            "user_limit": self.user_limit,
            "rtc_region": None,
            "flags": 0,
        }
