"""Handles on channels, roles and the application's own user, as a test holds them. Change nothing."""

from collections.abc import Mapping

from playground.discord.actors.seen import Seen
from playground.discord.wire import JsonObject
from playground.discord.world import World
from playground.discord.world.channels import Channel


class Room:
    """A channel of any kind."""

    def __init__(self, world: World, channel_id: int) -> None:
        self._world = world
        self.id = channel_id

    @property
    def channel(self) -> Channel:
        """The channel as the world has it."""
        return self._world.guilds.channel(self.id)

    @property
    def name(self) -> str:
        """Its name."""
        return self.channel.name

    @property
    def mention(self) -> str:
        """The text that mentions it."""
        return f"<#{self.id}>"

    @property
    def messages(self) -> list[Seen]:
        """What everybody sees in it, oldest first; ephemeral messages are not among it."""
        return [Seen(self._world, message.id) for message in self._world.messages.in_channel(self.id)]

    @property
    def present(self) -> list[str]:
        """The names of those in its call."""
        return [self._world.guilds.users[user_id].name for user_id in self._world.calls.present(self.id)]

    @property
    def speakers(self) -> list[str]:
        """The names of those in its call who are neither suppressed nor muted."""
        return [self._world.guilds.users[user_id].name for user_id in self._world.calls.heard_in(self.id)]

    def picked(self) -> Mapping[str, JsonObject]:
        """Return what is resolved where a member picks it as an option."""
        channel = self.channel
        return {
            "channels": {
                "id": str(channel.id),
                "type": int(channel.kind),
                "name": channel.name,
                "permissions": str(int(self._world.guilds.may(guild_id=channel.guild_id, user_id=self._world.bot.id))),
            }
        }


class Inbox:
    """The channel that a user shares with the application alone."""

    def __init__(self, world: World, user_id: int) -> None:
        self._direct = world.directs.open(world.guilds.users[user_id])

    @property
    def id(self) -> int:
        """Its id."""
        return self._direct.id


class RoleHandle:
    """A role."""

    def __init__(self, world: World, role_id: int) -> None:
        self._world = world
        self.id = role_id

    @property
    def name(self) -> str:
        """Its name."""
        return self._world.guilds.role(self.id).name

    @property
    def mention(self) -> str:
        """The text that mentions it."""
        return f"<@&{self.id}>"

    def picked(self) -> Mapping[str, JsonObject]:
        """Return what is resolved where a member picks it as an option."""
        return {"roles": self._world.guilds.role(self.id).payload()}


class BotUser:
    """The application's own user."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def id(self) -> int:
        """Its id."""
        return self._world.bot.id

    @property
    def name(self) -> str:
        """Its name."""
        return self._world.bot.name

    @property
    def mention(self) -> str:
        """The text that mentions it."""
        return f"<@{self.id}>"
