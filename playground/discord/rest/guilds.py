"""Routes of servers, their members, and the places members have in calls."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from playground.discord.permissions import Permission
from playground.discord.refusal import RefusalError
from playground.discord.rest.asked import Asked
from playground.discord.rest.routes import NOTHING, Outcome, Route
from playground.discord.switchboard import Switchboard
from playground.discord.wire import JsonObject, flag, maybe_id, text
from playground.discord.world import World
from playground.discord.world.calls import VoiceState
from playground.discord.world.channels import ChannelKind


class GuildRoutes:
    """Owns nothing: asks the world what the bot may, and changes members and calls."""

    def __init__(self, world: World, switchboard: Switchboard) -> None:
        self._world = world
        self._switchboard = switchboard

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        guild = "/guilds/{guild}"
        return (
            Route("GET", guild, self._guild),
            Route("GET", f"{guild}/channels", self._channels),
            Route("GET", f"{guild}/roles", self._roles),
            Route("GET", f"{guild}/members/{{user}}", self._member),
            Route("PATCH", f"{guild}/members/{{user}}", self._edit_member),
            Route("GET", f"{guild}/voice-states/{{user}}", self._voice_state),
            Route("PATCH", f"{guild}/voice-states/{{user}}", self._edit_voice_state),
        )

    def _guild(self, asked: Asked) -> Outcome:
        return Outcome(self._world.brief_server_payload(self._world.guilds.server(asked.id("guild"))))

    def _channels(self, asked: Asked) -> Outcome:
        return Outcome([channel.payload() for channel in self._world.guilds.channels(asked.id("guild"))])

    def _roles(self, asked: Asked) -> Outcome:
        return Outcome([role.payload() for role in self._world.guilds.roles(asked.id("guild"))])

    def _member(self, asked: Asked) -> Outcome:
        return Outcome(self._world.guilds.member(asked.id("guild"), self._user_id(asked)).payload())

    def _edit_member(self, asked: Asked) -> Outcome:
        guild_id, user_id = asked.id("guild"), self._user_id(asked)
        form = asked.form()
        member = self._world.guilds.member(guild_id, user_id)
        own = user_id == self._world.bot.id
        if "nick" in form:
            self._need(guild_id, Permission.CHANGE_NICKNAME if own else Permission.MANAGE_NICKNAMES)
            member = replace(member, nick=text(form, "nick") or None)
        if "mute" in form or "deaf" in form:
            state = self._world.calls.state(guild_id, user_id)
            if state is None:
                raise RefusalError(400, 40032, "Target user is not connected to voice.")
            self._need(guild_id, Permission.MUTE_MEMBERS if "mute" in form else Permission.DEAFEN_MEMBERS)
            member = replace(member, mute=flag(form, "mute", default=member.mute))
            member = replace(member, deaf=flag(form, "deaf", default=member.deaf))
        if member != self._world.guilds.member(guild_id, user_id):
            self._world.guilds.set_member(member)
            self._world.calls.tell_again(guild_id, user_id)
        if "channel_id" in form:
            self._need(guild_id, Permission.MOVE_MEMBERS)
            self._switchboard.move(guild_id=guild_id, user_id=user_id, channel_id=maybe_id(form, "channel_id"))
        return Outcome(member.payload())

    def _voice_state(self, asked: Asked) -> Outcome:
        return Outcome(self._world.calls.payload(self._seated(asked)))

    def _edit_voice_state(self, asked: Asked) -> Outcome:
        """Change a place on a stage (discord.com/developers, "Modify Current User Voice State", Caveats).

        One may always go back to the audience and lower one's hand. Who is invited, and is no bot, has asked.
        """
        state = self._seated(asked)
        form = asked.form()
        channel_id = maybe_id(form, "channel_id")
        if state.channel_id is None or (channel_id is not None and channel_id != state.channel_id):
            raise RefusalError(404, 10065, "Unknown Voice State")
        if self._world.guilds.channel(state.channel_id).kind is not ChannelKind.STAGE:
            raise RefusalError(400, 50024, "Cannot execute action on this channel type")
        ids = {"guild_id": state.guild_id, "user_id": state.user_id}
        own = state.user_id == self._world.bot.id
        if "suppress" in form:
            if not own or not flag(form, "suppress"):
                self._need(state.guild_id, Permission.MUTE_MEMBERS, state.channel_id)
            invited = not own and not flag(form, "suppress")
            asked_at = self._world.clock.now() if invited else None
            self._world.calls.suppress(**ids, suppress=flag(form, "suppress"), asked_at=asked_at)
        if own and "request_to_speak_timestamp" in form:
            at = _moment(form)
            if at is not None:
                self._need(state.guild_id, Permission.REQUEST_TO_SPEAK, state.channel_id)
            self._world.calls.ask_to_speak(**ids, at=at)
        return NOTHING

    def _seated(self, asked: Asked) -> VoiceState:
        state = self._world.calls.state(asked.id("guild"), self._user_id(asked))
        if state is None:
            raise RefusalError(404, 10065, "Unknown Voice State")
        return state

    def _user_id(self, asked: Asked) -> int:
        return self._world.bot.id if asked.word("user") == "@me" else asked.id("user")

    def _need(self, guild_id: int, permission: Permission, channel_id: int | None = None) -> None:
        may = self._world.guilds.may(guild_id=guild_id, user_id=self._world.bot.id, channel_id=channel_id)
        if not may & permission:
            raise RefusalError(403, 50013, "Missing Permissions")


def _moment(form: JsonObject) -> datetime | None:
    stamp = text(form, "request_to_speak_timestamp")
    return datetime.fromisoformat(stamp) if stamp else None
