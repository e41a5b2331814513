"""Who is in which voice or stage channel: the voice states. Knows nothing of sockets or sound."""

from dataclasses import dataclass, replace
from datetime import datetime

from playground.discord.permissions import Permission
from playground.discord.refusal import RefusalError
from playground.discord.wire import Json, JsonObject
from playground.discord.world.channels import ChannelKind
from playground.discord.world.events import Event, Events
from playground.discord.world.guilds import Guilds


@dataclass(frozen=True, slots=True)
class VoiceState:
    """One member's place in a call."""

    guild_id: int
    channel_id: int | None
    user_id: int
    session_id: str
    self_mute: bool = False
    self_deaf: bool = False
    suppress: bool = False
    asked_at: datetime | None = None


class Calls:
    """Owns the voice states; every change is told as VOICE_STATE_UPDATE."""

    def __init__(self, guilds: Guilds, events: Events) -> None:
        self._guilds = guilds
        self._events = events
        self._states: dict[tuple[int, int], VoiceState] = {}

    def state(self, guild_id: int, user_id: int) -> VoiceState | None:
        """Return where a member is, None if in no call."""
        return self._states.get((guild_id, user_id))

    def states(self, guild_id: int) -> tuple[VoiceState, ...]:
        """Return the voice states of a server."""
        return tuple(state for state in self._states.values() if state.guild_id == guild_id)

    def present(self, channel_id: int) -> tuple[int, ...]:
        """Return the ids of the users in a channel."""
        return tuple(state.user_id for state in self._states.values() if state.channel_id == channel_id)

    def heard_in(self, channel_id: int) -> tuple[int, ...]:
        """Return the ids of those in a channel whose sound Discord passes on."""
        states = (state for state in self._states.values() if state.channel_id == channel_id)
        return tuple(state.user_id for state in states if not self.hushed(state.guild_id, state.user_id))

    def of_session(self, session_id: str) -> tuple[VoiceState, ...]:
        """Return the voice states that came of one session of the gateway."""
        return tuple(state for state in self._states.values() if state.session_id == session_id)

    def hushed(self, guild_id: int, user_id: int) -> bool:
        """Tell whether nobody is to hear a member: suppressed, muted by the server or by themselves, or in no call."""
        state = self.state(guild_id, user_id)
        return state is None or state.suppress or state.self_mute or self._guilds.member(guild_id, user_id).mute

    def admits(self, *, guild_id: int, user_id: int, channel_id: int) -> bool:
        """Tell whether a member may join a channel: permission to connect, and a free seat or Move Members."""
        try:
            channel = self._guilds.channel(channel_id)
            may = self._guilds.may(guild_id=guild_id, user_id=user_id, channel_id=channel_id)
        except RefusalError:
            return False
        if not channel.spoken or not may & Permission.CONNECT:
            return False
        seated = [other for other in self.present(channel_id) if other != user_id]
        return not channel.user_limit or len(seated) < channel.user_limit or bool(may & Permission.MOVE_MEMBERS)

    def place(
        self,
        *,
        guild_id: int,
        user_id: int,
        channel_id: int,
        session_id: str,
        self_mute: bool = False,
        self_deaf: bool = False,
    ) -> VoiceState:
        """Put a member into a channel; on a stage, or without the right to speak, they arrive suppressed.

        What is allowed to them later changes nothing until they join anew (github.com/discord/discord-api-docs, 4032).
        """
        old = self.state(guild_id, user_id)
        suppress = (
            old.suppress if old and old.channel_id == channel_id else self._silenced(guild_id, user_id, channel_id)
        )
        state = VoiceState(guild_id, channel_id, user_id, session_id, self_mute, self_deaf, suppress)
        self._states[guild_id, user_id] = state
        self._tell(state)
        return state

    def remove(self, *, guild_id: int, user_id: int) -> VoiceState | None:
        """Take a member out of their call; return the state they had."""
        old = self._states.pop((guild_id, user_id), None)
        if old is not None:
            self._tell(replace(old, channel_id=None))
        return old

    def suppress(self, *, guild_id: int, user_id: int, suppress: bool, asked_at: datetime | None = None) -> None:
        """Make somebody on a stage a listener or a speaker; raises RefusalError 10065 where they are in no call.

        `asked_at`: when they are taken to have raised their hand.
        """
        self._change(replace(self._seated(guild_id, user_id), suppress=suppress, asked_at=asked_at))

    def ask_to_speak(self, *, guild_id: int, user_id: int, at: datetime | None) -> None:
        """Raise or lower a hand on a stage."""
        self._change(replace(self._seated(guild_id, user_id), asked_at=at))

    def payload(self, state: VoiceState) -> JsonObject:
        """Return the voice state object."""
        member = self._guilds.member(state.guild_id, state.user_id)
        data: dict[str, Json] = {
            "guild_id": str(state.guild_id),
            "channel_id": None if state.channel_id is None else str(state.channel_id),
            "user_id": str(state.user_id),
            "member": member.payload(),
            "session_id": state.session_id,
            "deaf": member.deaf,
            "mute": member.mute,
            "self_deaf": state.self_deaf,
            "self_mute": state.self_mute,
            "self_video": False,
            "suppress": state.suppress,
            "request_to_speak_timestamp": None if state.asked_at is None else state.asked_at.isoformat(),
        }
        return data

    def moderate(self, *, guild_id: int, user_id: int, mute: bool | None = None, deaf: bool | None = None) -> None:
        """Mute or deafen a member for the whole server, or not any more.

        Raises RefusalError 40032 where they are in no call.
        """
        if self.state(guild_id, user_id) is None:
            raise RefusalError(400, 40032, "Target user is not connected to voice.")
        old = self._guilds.member(guild_id, user_id)
        new = replace(old, mute=old.mute if mute is None else mute, deaf=old.deaf if deaf is None else deaf)
        if new != old:
            self._guilds.set_member(new)
            self.tell_again(guild_id, user_id)

    def tell_again(self, guild_id: int, user_id: int) -> None:
        """Tell a member's voice state again, after the server muted or deafened them."""
        state = self.state(guild_id, user_id)
        if state is not None:
            self._tell(state)

    def _seated(self, guild_id: int, user_id: int) -> VoiceState:
        state = self.state(guild_id, user_id)
        if state is None:
            raise RefusalError(404, 10065, "Unknown Voice State")
        return state

    def _silenced(self, guild_id: int, user_id: int, channel_id: int) -> bool:
        if self._guilds.channel(channel_id).kind is ChannelKind.STAGE:
            return True
        return not self._guilds.may(guild_id=guild_id, user_id=user_id, channel_id=channel_id) & Permission.SPEAK

    def _change(self, state: VoiceState) -> None:
        self._states[state.guild_id, state.user_id] = state
        self._tell(state)

    def _tell(self, state: VoiceState) -> None:
        self._events.emit(Event("VOICE_STATE_UPDATE", self.payload(state), state.guild_id, about=state.user_id))
