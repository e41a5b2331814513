"""Servers with their roles, channels and members; every change made here is told as an event.

Knows nothing of messages, interactions or calls.
"""

from dataclasses import dataclass, replace
from typing import Literal

from playground.discord.clock import Clock
from playground.discord.permissions import EVERYONE, EVERYTHING, NOBODY, Permission, in_channel, union
from playground.discord.refusal import RefusalError
from playground.discord.snowflakes import Snowflakes
from playground.discord.wire import Json, JsonObject
from playground.discord.world.channels import Channel, ChannelKind, Overwrite
from playground.discord.world.events import Event, Events
from playground.discord.world.people import Membership, User

_FILE_LIMIT = {0: 10 << 20, 1: 10 << 20, 2: 50 << 20, 3: 100 << 20}


@dataclass(frozen=True, slots=True)
class Role:
    """A role; the one whose id is the server's is @everyone."""

    id: int
    guild_id: int
    name: str
    position: int
    permissions: int
    mentionable: bool = False

    def payload(self) -> JsonObject:
        """Return the role object."""
        return {
            "id": str(self.id),
            "name": self.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": self.position,
            "permissions": str(int(self.permissions)),
            "managed": False,
            "mentionable": self.mentionable,
            "flags": 0,
        }


@dataclass(frozen=True, slots=True)
class Server:
    """A server (a guild, in the API's words); `tier` is its boost level."""

    id: int
    name: str
    owner_id: int
    tier: int = 0
    most_bytes: int | None = None
    """A limit of uploaded files in place of the tier's: Discord has moved it before."""

    @property
    def file_limit(self) -> int:
        """How many bytes one uploaded file may have."""
        return _FILE_LIMIT[self.tier] if self.most_bytes is None else self.most_bytes


class Guilds:
    """Owns users, servers, roles, channels and members."""

    def __init__(self, clock: Clock, snowflakes: Snowflakes, events: Events) -> None:
        self._clock = clock
        self._snowflakes = snowflakes
        self._events = events
        self._open: set[int] = set()
        self.users: dict[int, User] = {}
        self.servers: dict[int, Server] = {}
        self._roles: dict[int, Role] = {}
        self._channels: dict[int, Channel] = {}
        self._members: dict[tuple[int, int], Membership] = {}

    def add_user(self, name: str, *, bot: bool = False) -> User:
        """Make an account."""
        user = User(self._snowflakes.next(), name, bot)
        self.users[user.id] = user
        return user

    def add_server(self, name: str, *, owner_id: int, tier: int = 0) -> Server:
        """Make a server with @everyone and nothing else; it is told once it is `World.open_server`ed."""
        server = Server(self._snowflakes.next(), name, owner_id, tier)
        self.servers[server.id] = server
        self._roles[server.id] = Role(server.id, server.id, "@everyone", 0, EVERYONE)
        return server

    def limit_files(self, guild_id: int, most_bytes: int) -> None:
        """Let no uploaded file be larger."""
        self.servers[guild_id] = replace(self.server(guild_id), most_bytes=most_bytes)

    def add_role(self, guild_id: int, name: str, permissions: int, *, mentionable: bool = False) -> Role:
        """Make a role."""
        position = len(self.roles(guild_id))
        role = Role(self._snowflakes.next(), guild_id, name, position, permissions, mentionable)
        self._roles[role.id] = role
        self._tell_role("GUILD_ROLE_CREATE", role)
        return role

    def set_role(self, role_id: int, permissions: int) -> None:
        """Change what a role may do."""
        role = self._roles[role_id] = replace(self._roles[role_id], permissions=permissions)
        self._tell_role("GUILD_ROLE_UPDATE", role)

    def remove_role(self, role_id: int) -> None:
        """Delete a role; whoever had it has it no more, which is told of nobody."""
        role = self._roles.pop(role_id)
        for place, member in self._members.items():
            if role_id in member.role_ids:
                left = tuple(each for each in member.role_ids if each != role_id)
                self._members[place] = replace(member, role_ids=left)
        data: JsonObject = {"guild_id": str(role.guild_id), "role_id": str(role_id)}
        self._tell(Event("GUILD_ROLE_DELETE", data, role.guild_id))

    def add_channel(self, guild_id: int, name: str, kind: ChannelKind, *, user_limit: int = 0) -> Channel:
        """Make a channel."""
        channel = Channel(self._snowflakes.next(), guild_id, kind, name, len(self.channels(guild_id)), user_limit)
        self._channels[channel.id] = channel
        self._tell(Event("CHANNEL_CREATE", channel.payload(), guild_id))
        return channel

    def remove_channel(self, channel_id: int) -> None:
        """Delete a channel."""
        channel = self._channels.pop(channel_id)
        self._tell(Event("CHANNEL_DELETE", channel.payload(), channel.guild_id))

    def set_limit(self, channel_id: int, user_limit: int) -> None:
        """Change how many may sit in a channel; 0 is no limit."""
        self._channels[channel_id] = changed = replace(self.channel(channel_id), user_limit=user_limit)
        self._tell(Event("CHANNEL_UPDATE", changed.payload(), changed.guild_id))

    def overwrite(
        self, channel_id: int, target_id: int, kind: Literal["role", "member"], *, allow: int = 0, deny: int = 0
    ) -> None:
        """Allow and deny permissions in a channel, on top of what the overwrite of this target already says."""
        channel = self.channel(channel_id)
        old = channel.overwrite(target_id) or Overwrite(target_id, kind)
        new = replace(old, allow=(old.allow | allow) & ~deny, deny=(old.deny | deny) & ~allow)
        self._channels[channel_id] = changed = channel.with_overwrite(new)
        self._tell(Event("CHANNEL_UPDATE", changed.payload(), channel.guild_id))

    def add_member(self, guild_id: int, user: User, role_ids: tuple[int, ...] = ()) -> Membership:
        """Let a user into a server."""
        member = Membership(user, guild_id, self._clock.now(), role_ids)
        self._members[guild_id, user.id] = member
        self._tell_member("GUILD_MEMBER_ADD", member)
        return member

    def remove_member(self, guild_id: int, user_id: int) -> None:
        """Put a member out of a server; raises RefusalError 10007."""
        member = self.member(guild_id, user_id)
        del self._members[guild_id, user_id]
        data: JsonObject = {"guild_id": str(guild_id), "user": member.user.payload()}
        self._tell(Event("GUILD_MEMBER_REMOVE", data, guild_id, about=user_id))

    def set_member(self, member: Membership) -> None:
        """Put `member` in place of what the server knew of this user."""
        self._members[member.guild_id, member.user.id] = member
        self._tell_member("GUILD_MEMBER_UPDATE", member)

    def server(self, guild_id: int) -> Server:
        """Return a server; raises RefusalError 10004."""
        if guild_id not in self.servers:
            raise RefusalError(404, 10004, "Unknown Guild")
        return self.servers[guild_id]

    def role(self, role_id: int) -> Role:
        """Return a role; raises RefusalError 10011."""
        if role_id not in self._roles:
            raise RefusalError(404, 10011, "Unknown Role")
        return self._roles[role_id]

    def channel(self, channel_id: int) -> Channel:
        """Return a channel; raises RefusalError 10003."""
        if channel_id not in self._channels:
            raise RefusalError(404, 10003, "Unknown Channel")
        return self._channels[channel_id]

    def member(self, guild_id: int, user_id: int) -> Membership:
        """Return a member; raises RefusalError 10007."""
        if (guild_id, user_id) not in self._members:
            raise RefusalError(404, 10007, "Unknown Member")
        return self._members[guild_id, user_id]

    def roles(self, guild_id: int) -> tuple[Role, ...]:
        """Return the roles of a server."""
        return tuple(role for role in self._roles.values() if role.guild_id == guild_id)

    def channels(self, guild_id: int) -> tuple[Channel, ...]:
        """Return the channels of a server."""
        return tuple(channel for channel in self._channels.values() if channel.guild_id == guild_id)

    def members(self, guild_id: int) -> tuple[Membership, ...]:
        """Return the members of a server."""
        return tuple(member for (home, _), member in self._members.items() if home == guild_id)

    def holds(self, guild_id: int, user_id: int) -> bool:
        """Tell whether a user is a member of a server."""
        return (guild_id, user_id) in self._members

    def may(self, *, guild_id: int, user_id: int, channel_id: int | None = None) -> Permission:
        """Return what a member may do in the server, or in one of its channels; a stranger may do nothing."""
        if not self.holds(guild_id, user_id):
            return NOBODY
        member = self.member(guild_id, user_id)
        if self.server(guild_id).owner_id == user_id:
            return EVERYTHING
        base = union(self.role(role_id).permissions for role_id in (guild_id, *member.role_ids))
        if base & Permission.ADMINISTRATOR:
            return EVERYTHING
        if channel_id is None:
            return base
        channel = self.channel(channel_id)
        if channel.guild_id != guild_id:
            return NOBODY
        return in_channel(base, channel.steps(member.role_ids, user_id))

    def open(self, guild_id: int) -> None:
        """Tell what happens in a server from now on."""
        self._open.add(guild_id)

    def close(self, guild_id: int) -> None:
        """Tell nothing of a server from now on."""
        self._open.discard(guild_id)

    def is_open(self, guild_id: int) -> bool:
        """Tell whether the application is told of a server: it is in it, and the server is available."""
        return guild_id in self._open

    def _tell(self, event: Event) -> None:
        if event.guild_id in self._open:
            self._events.emit(event)

    def _tell_role(self, event: str, role: Role) -> None:
        data: JsonObject = {"guild_id": str(role.guild_id), "role": role.payload()}
        self._tell(Event(event, data, role.guild_id))

    def _tell_member(self, event: str, member: Membership) -> None:
        data: dict[str, Json] = {**member.payload(), "guild_id": str(member.guild_id)}
        self._tell(Event(event, data, member.guild_id, about=member.user.id))
