"""The one state of the playground's Discord; REST and the gateway are two projections of it. Knows no socket."""

from playground.discord.clock import Clock
from playground.discord.snowflakes import Snowflakes
from playground.discord.wire import Json, JsonObject
from playground.discord.world.calls import Calls
from playground.discord.world.commands import Commands
from playground.discord.world.directs import FILE_LIMIT, TOLD, Directs
from playground.discord.world.events import Event, Events
from playground.discord.world.files import Files
from playground.discord.world.guilds import Guilds, Server
from playground.discord.world.interactions import Interaction, Interactions, Kind
from playground.discord.world.messages import Messages


class World:
    """Owns everything there is; `bot` is the application's own user."""

    def __init__(self, clock: Clock, bot_name: str) -> None:
        snowflakes = Snowflakes(clock)
        self.clock = clock
        self.events = Events()
        self.guilds = Guilds(clock, snowflakes, self.events)
        self.bot = self.guilds.add_user(bot_name, bot=True)
        self.owner = self.guilds.add_user("owner")
        self.files = Files(clock, snowflakes)
        self.calls = Calls(self.guilds, self.events)
        self.directs = Directs(snowflakes)
        self.messages = Messages(
            clock, snowflakes, self.events, guilds=self.guilds, directs=self.directs, files=self.files
        )
        self.commands = Commands(snowflakes, self.bot.id)
        self.interactions = Interactions(
            clock, snowflakes, self.messages, self.guilds, bell=self.events.bell, author_id=self.bot.id
        )

    def open_server(self, server: Server) -> None:
        """Tell that the application has joined a server."""
        self.guilds.open(server.id)
        data = dict(self.server_payload(server))
        # only a server that was there at login says that it is available
        del data["unavailable"]
        self.events.emit(Event("GUILD_CREATE", data, server.id))

    def lose_server(self, server: Server) -> None:
        """Let a server become unavailable, as in an outage: nothing is told of it until it is `restore_server`ed."""
        self.events.emit(Event("GUILD_DELETE", {"id": str(server.id), "unavailable": True}, server.id))
        self.guilds.close(server.id)

    def restore_server(self, server: Server) -> None:
        """Tell that a server is available again, and all that it is by now."""
        self.guilds.open(server.id)
        self.events.emit(Event("GUILD_CREATE", self.server_payload(server), server.id))

    def leave_server(self, server: Server) -> None:
        """Put the application out of a server; it is out of its call already."""
        self.events.emit(Event("GUILD_DELETE", {"id": str(server.id)}, server.id))
        self.guilds.close(server.id)
        self.guilds.remove_member(server.id, self.bot.id)

    def ask(
        self,
        kind: Kind,
        data: JsonObject,
        *,
        guild_id: int | None,
        channel_id: int,
        user_id: int,
        source_id: int | None = None,
    ) -> Interaction:
        """Let a member do something with the application."""
        interaction = self.interactions.open(
            kind, data, guild_id=guild_id, channel_id=channel_id, user_id=user_id, source_id=source_id
        )
        self.events.emit(Event("INTERACTION_CREATE", self._interaction_payload(interaction), guild_id, about=user_id))
        return interaction

    def server_payload(self, server: Server) -> JsonObject:
        """Return the guild object of GUILD_CREATE.

        Its members are those an application without the members intent is told: itself, and who is in a call.
        """
        states = self.calls.states(server.id)
        present = {state.user_id for state in states} | {self.bot.id}
        members = self.guilds.members(server.id)
        return {
            **self.brief_server_payload(server),
            "joined_at": self.guilds.member(server.id, self.bot.id).joined_at.isoformat(),
            "large": False,
            "unavailable": False,
            "member_count": len(members),
            "voice_states": [self.calls.payload(state) for state in states],
            "members": [member.payload() for member in members if member.user.id in present],
            "channels": [channel.payload() for channel in self.guilds.channels(server.id)],
            "threads": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def brief_server_payload(self, server: Server) -> JsonObject:
        """Return the guild object as REST gives it."""
        return {
            "id": str(server.id),
            "name": server.name,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "banner": None,
            "description": None,
            "owner_id": str(server.owner_id),
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "application_id": None,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "vanity_url_code": None,
            "premium_tier": server.tier,
            "premium_progress_bar_enabled": False,
            "preferred_locale": "en-US",
            "features": [],
            "emojis": [],
            "stickers": [],
            "roles": [role.payload() for role in self.guilds.roles(server.id)],
        }

    def _interaction_payload(self, interaction: Interaction) -> JsonObject:
        data: dict[str, Json] = {
            "id": str(interaction.id),
            "application_id": str(self.bot.id),
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(interaction.channel_id),
            "locale": "en-US",
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": str(interaction.guild_id or 0)},
            **self._place_of(interaction),
        }
        if interaction.source_id is not None:
            data["message"] = self.messages.payload(self.messages.get(interaction.source_id))
        return data

    def _place_of(self, interaction: Interaction) -> JsonObject:
        """Return what an interaction says of where it came from, by whom, and what the application may there."""
        guild_id, channel_id, user_id = interaction.guild_id, interaction.channel_id, interaction.user_id
        if guild_id is None:
            direct = self.directs.open(self.guilds.users[user_id])
            return {
                "channel": direct.payload(),
                "user": direct.user.payload(),
                "app_permissions": str(int(TOLD)),
                "context": 1,
                "attachment_size_limit": FILE_LIMIT,
            }
        may = self.guilds.may(guild_id=guild_id, user_id=user_id, channel_id=channel_id)
        app_may = self.guilds.may(guild_id=guild_id, user_id=self.bot.id, channel_id=channel_id)
        member = self.guilds.member(guild_id, user_id).payload()
        return {
            "guild": {"id": str(guild_id), "locale": "en-US", "features": []},
            "guild_id": str(guild_id),
            "channel": {**self.guilds.channel(channel_id).payload(), "permissions": str(int(may))},
            "member": {**member, "permissions": str(int(may))},
            "app_permissions": str(int(app_may)),
            "guild_locale": "en-US",
            "context": 0,
            "attachment_size_limit": self.guilds.server(guild_id).file_limit,
        }
