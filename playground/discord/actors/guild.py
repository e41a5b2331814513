"""A server as its admin handles it: channels, roles, members, permissions, moving, muting and kicking.

And what befalls it: voice connections that break, voice servers that change, outages.
"""

from collections.abc import Iterable
from dataclasses import replace

from playground.discord.actors.member import Member
from playground.discord.actors.places import BotUser, RoleHandle, Room
from playground.discord.actors.transcript import Transcript
from playground.discord.permissions import named
from playground.discord.switchboard import Switchboard
from playground.discord.world import World
from playground.discord.world.channels import ChannelKind

_NO_NITRO = 10 << 20


class Guild:
    """Owns nothing but which server it is; `text_channel` is its first channel."""

    def __init__(self, world: World, transcript: Transcript, switchboard: Switchboard, guild_id: int) -> None:
        self._world = world
        self._transcript = transcript
        self._switchboard = switchboard
        self.id = guild_id
        self.text_channel = self.add_text_channel("general")

    @property
    def name(self) -> str:
        """Its name."""
        return self._world.guilds.server(self.id).name

    @property
    def everyone(self) -> RoleHandle:
        """The role everybody has."""
        return RoleHandle(self._world, self.id)

    @property
    def bot(self) -> BotUser:
        """The application's own user."""
        return BotUser(self._world)

    def add_text_channel(self, name: str) -> Room:
        """Make a text channel."""
        return Room(self._world, self._world.guilds.add_channel(self.id, name, ChannelKind.TEXT).id)

    def add_voice_channel(self, name: str, user_limit: int = 0) -> Room:
        """Make a voice channel; 0 is no limit."""
        channel = self._world.guilds.add_channel(self.id, name, ChannelKind.VOICE, user_limit=user_limit)
        return Room(self._world, channel.id)

    def add_stage_channel(self, name: str) -> Room:
        """Make a stage channel."""
        return Room(self._world, self._world.guilds.add_channel(self.id, name, ChannelKind.STAGE).id)

    def remove_channel(self, room: Room) -> None:
        """Delete a channel; whoever is in its call is out of it."""
        # the application first: a call that ends tells its clients nothing of the others' leaving
        for user_id in sorted(self._world.calls.present(room.id), key=lambda user_id: user_id != self._world.bot.id):
            self._switchboard.move(guild_id=self.id, user_id=user_id, channel_id=None)
        self._world.guilds.remove_channel(room.id)

    def add_role(self, name: str, *permissions: str, mentionable: bool = False) -> RoleHandle:
        """Make a role with these permissions."""
        role = self._world.guilds.add_role(self.id, name, named(*permissions), mentionable=mentionable)
        return RoleHandle(self._world, role.id)

    def remove_role(self, role: RoleHandle) -> None:
        """Delete a role."""
        self._world.guilds.remove_role(role.id)

    def add_member(self, who: str | Member, *roles: RoleHandle, upload_limit: int = _NO_NITRO) -> Member:
        """Let somebody in: a new user of this name, or a member of another server; `upload_limit` grows with Nitro."""
        user = self._world.guilds.add_user(who) if isinstance(who, str) else who.membership.user
        self._world.guilds.add_member(self.id, user, tuple(role.id for role in roles))
        return Member(
            self._world,
            self._transcript,
            self._switchboard,
            guild_id=self.id,
            user_id=user.id,
            home=self.text_channel,
            upload_limit=upload_limit,
        )

    def grant(self, role: RoleHandle, to: Member | BotUser) -> None:
        """Give somebody a role."""
        member = self._world.guilds.member(self.id, to.id)
        self._world.guilds.set_member(replace(member, role_ids=(*member.role_ids, role.id)))

    def revoke(self, role: RoleHandle, of: Member | BotUser) -> None:
        """Take a role from somebody."""
        member = self._world.guilds.member(self.id, of.id)
        left = tuple(role_id for role_id in member.role_ids if role_id != role.id)
        self._world.guilds.set_member(replace(member, role_ids=left))

    def deny(
        self,
        where: Room | RoleHandle,
        *names: str,
        permissions: Iterable[str] = (),
        to: RoleHandle | Member | BotUser | None = None,
    ) -> None:
        """Deny permissions in a channel (to everyone, or to one role or user), or take them from a role."""
        denied = named(*names, *permissions)
        if isinstance(where, RoleHandle):
            old = self._world.guilds.role(where.id).permissions
            self._world.guilds.set_role(where.id, old & ~denied)
        else:
            target = to or self.everyone
            kind = "role" if isinstance(target, RoleHandle) else "member"
            self._world.guilds.overwrite(where.id, target.id, "role" if kind == "role" else "member", deny=denied)

    def allow(
        self,
        where: Room | RoleHandle,
        *names: str,
        permissions: Iterable[str] = (),
        to: RoleHandle | Member | BotUser | None = None,
    ) -> None:
        """Allow permissions in a channel (to everyone, or to one role or user), or give them to a role."""
        allowed = named(*names, *permissions)
        if isinstance(where, RoleHandle):
            old = self._world.guilds.role(where.id).permissions
            self._world.guilds.set_role(where.id, old | allowed)
        else:
            target = to or self.everyone
            kind = "role" if isinstance(target, RoleHandle) else "member"
            self._world.guilds.overwrite(where.id, target.id, "role" if kind == "role" else "member", allow=allowed)

    def limit_files(self, most_bytes: int) -> None:
        """Let no file that is uploaded here be larger, whatever the boost level says."""
        self._world.guilds.limit_files(self.id, most_bytes)

    def set_limit(self, room: Room, user_limit: int) -> None:
        """Let no more than so many sit in a channel; 0 is no limit. Who sits there stays."""
        self._world.guilds.set_limit(room.id, user_limit)

    async def fill(self, room: Room) -> list[Member]:
        """Seat new members in a channel until it is full; raises ValueError for one without a limit."""
        limit = room.channel.user_limit
        if not limit:
            raise ValueError(f"{room.name} has no limit")
        guests = [self.add_member(f"guest {number}") for number in range(len(room.present), limit)]
        for guest in guests:
            await guest.joins(room)
        return guests

    def mute(self, who: Member | BotUser) -> None:
        """Mute somebody in a call, for the whole server and until `unmute`: nobody hears them."""
        self._world.calls.moderate(guild_id=self.id, user_id=who.id, mute=True)

    def unmute(self, who: Member | BotUser) -> None:
        """Let somebody in a call be heard again."""
        self._world.calls.moderate(guild_id=self.id, user_id=who.id, mute=False)

    def deafen(self, who: Member | BotUser) -> None:
        """Deafen somebody in a call, for the whole server; they are heard as before."""
        self._world.calls.moderate(guild_id=self.id, user_id=who.id, deaf=True)

    def undeafen(self, who: Member | BotUser) -> None:
        """Let somebody in a call hear again."""
        self._world.calls.moderate(guild_id=self.id, user_id=who.id, deaf=False)

    def invite_to_speak(self, who: Member | BotUser) -> None:
        """Let a moderator make somebody on a stage a speaker."""
        invited = None if who.id == self.bot.id else self._world.clock.now()
        self._world.calls.suppress(guild_id=self.id, user_id=who.id, suppress=False, asked_at=invited)

    def send_to_audience(self, who: Member | BotUser) -> None:
        """Let a moderator send a speaker back to the audience: nobody hears them."""
        self._world.calls.suppress(guild_id=self.id, user_id=who.id, suppress=True)

    def kick(self, who: Member | BotUser) -> None:
        """Put somebody out of the server; they are out of its calls first."""
        if self._world.calls.state(self.id, who.id) is not None:
            self.kick_from_voice(who)
        if who.id == self.bot.id:
            self._world.leave_server(self._world.guilds.server(self.id))
        else:
            self._world.guilds.remove_member(self.id, who.id)

    def invite_bot(self) -> None:
        """Let the application in again after it was kicked."""
        self._world.guilds.add_member(self.id, self._world.bot)
        self._world.open_server(self._world.guilds.server(self.id))

    def goes_down(self) -> None:
        """Become unavailable to the application, as in an outage; voice connections stand."""
        self._world.lose_server(self._world.guilds.server(self.id))

    def comes_back(self) -> None:
        """Become available again."""
        self._world.restore_server(self._world.guilds.server(self.id))

    def close_voice(self, code: int) -> None:
        """Close the application's voice websocket here; where it sits does not change.

        After 4015 and 1006 (cut without a word) it may resume, after anything else its token is void.
        """
        self._switchboard.close(guild_id=self.id, code=code)

    def lose_voice_server(self, code: int = 4014) -> None:
        """Take away the voice server of the application's call: VOICE_SERVER_UPDATE with `endpoint: null`."""
        self._switchboard.lose_server(guild_id=self.id, code=code)

    def give_voice_server(self, endpoint: str = "voice-2.discord.media:443") -> None:
        """Tell the application where its call is now: a new endpoint and token. An open websocket is closed (4014)."""
        self._switchboard.give_server(guild_id=self.id, endpoint=endpoint)

    def kick_from_voice(self, who: Member | BotUser) -> None:
        """Disconnect somebody from their call."""
        self._switchboard.move(guild_id=self.id, user_id=who.id, channel_id=None)

    def move(self, who: Member | BotUser, room: Room) -> None:
        """Move somebody to another call."""
        self._switchboard.move(guild_id=self.id, user_id=who.id, channel_id=room.id)
