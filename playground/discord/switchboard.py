"""Joining, moving and leaving calls: keeps the voice states of the world and the voice server's seats together.

It also breaks them as Discord does: closed websockets, voice servers that go away, sessions that are over.

Knows no gateway connection: the application's wishes (opcode 4) are brought here.
"""

import logging
import secrets

from playground.discord.refusal import RefusalError
from playground.discord.voice import Listener, VoiceServer
from playground.discord.wire import JsonObject
from playground.discord.world import World
from playground.discord.world.calls import VoiceState
from playground.discord.world.channels import ChannelKind
from playground.discord.world.events import Event

log = logging.getLogger(__name__)


class Switchboard:
    """Owns who listens where, and the session the application joined its calls with."""

    def __init__(self, world: World, voice: VoiceServer) -> None:
        self._world = world
        self._voice = voice
        self._ears: dict[tuple[int, int], Listener] = {}
        self._endpoints: dict[int, str] = {}
        """Of channels whose voice server was changed."""

    def wish(self, *, guild_id: int, channel_id: int | None, session_id: str, self_mute: bool, self_deaf: bool) -> None:
        """Do what the application asks for with opcode 4.

        Where it may not connect, or the channel is full, nothing happens at all: that is what Discord does.
        """
        bot_id = self._world.bot.id
        if channel_id is None:
            self._hang_up(guild_id)
            return
        admitted = self._world.calls.admits(guild_id=guild_id, user_id=bot_id, channel_id=channel_id)
        if not admitted or not self._world.guilds.is_open(guild_id):
            log.debug("guild %d: the application may not join channel %d", guild_id, channel_id)
            return
        old = self._world.calls.state(guild_id, bot_id)
        self._world.calls.place(
            guild_id=guild_id,
            user_id=bot_id,
            channel_id=channel_id,
            session_id=session_id,
            self_mute=self_mute,
            self_deaf=self_deaf,
        )
        flags = (self_mute, self_deaf)
        elsewhere = old is None or (old.channel_id, old.session_id) != (channel_id, session_id)
        if old is None or elsewhere or (old.self_mute, old.self_deaf) == flags:
            self._connect(guild_id, channel_id, session_id, old)

    def move(self, *, guild_id: int, user_id: int, channel_id: int | None) -> None:
        """Let an admin move somebody to another channel, or out of the call (None).

        Raises RefusalError 40032 where they are in no call.
        """
        old = self._world.calls.state(guild_id, user_id)
        if old is None:
            raise RefusalError(400, 40032, "Target user is not connected to voice.")
        if user_id != self._world.bot.id:
            self.leave(guild_id=guild_id, user_id=user_id)
            if channel_id is not None:
                self.join(guild_id=guild_id, user_id=user_id, channel_id=channel_id)
        elif channel_id is None:
            self._hang_up(guild_id)
        elif channel_id != old.channel_id:
            self._world.calls.place(
                guild_id=guild_id,
                user_id=user_id,
                channel_id=channel_id,
                session_id=old.session_id,
                self_mute=old.self_mute,
                self_deaf=old.self_deaf,
            )
            self._connect(guild_id, channel_id, old.session_id, old)

    def join(self, *, guild_id: int, user_id: int, channel_id: int) -> Listener:
        """Let a human sit down in a call and listen; one who sat elsewhere gets up first."""
        self._unseat(guild_id, user_id)
        self._world.calls.place(
            guild_id=guild_id, user_id=user_id, channel_id=channel_id, session_id=secrets.token_hex(16)
        )
        self._prepare(channel_id)
        listener = self._voice.seat(channel_id=channel_id, user_id=user_id)
        self._ears[guild_id, user_id] = listener
        return listener

    def leave(self, *, guild_id: int, user_id: int) -> None:
        """Let a human leave their call."""
        self._unseat(guild_id, user_id)
        self._world.calls.remove(guild_id=guild_id, user_id=user_id)

    def listener(self, *, guild_id: int, user_id: int) -> Listener | None:
        """Return the ears of a human in a call."""
        return self._ears.get((guild_id, user_id))

    # What a test makes go wrong with the application's call

    def close(self, *, guild_id: int, code: int) -> None:
        """Close the application's voice websocket; where it sits does not change."""
        self._voice.dismiss(guild_id=guild_id, user_id=self._world.bot.id, code=code)

    def lose_server(self, *, guild_id: int, code: int) -> None:
        """Take the voice server of a call away: there is no endpoint, until `give_server`."""
        self._seat_of_bot(guild_id)
        self._tell_server(guild_id, secrets.token_hex(8), None)
        self.close(guild_id=guild_id, code=code)

    def give_server(self, *, guild_id: int, endpoint: str) -> None:
        """Give a call another voice server; the websocket to the earlier one, if there is one, is closed with 4014."""
        state, channel_id = self._seat_of_bot(guild_id)
        self._endpoints[channel_id] = endpoint
        self._connect(guild_id, channel_id, state.session_id, None)
        self._voice.supersede(guild_id=guild_id, user_id=state.user_id)

    def end_session(self, session_id: str) -> None:
        """Let the application be out of all calls that it joined with a session of the gateway that is over now."""
        for state in self._world.calls.of_session(session_id):
            self._hang_up(state.guild_id)

    def _seat_of_bot(self, guild_id: int) -> tuple[VoiceState, int]:
        state = self._world.calls.state(guild_id, self._world.bot.id)
        if state is None or state.channel_id is None:
            raise RefusalError(404, 10065, "Unknown Voice State")
        return state, state.channel_id

    def _hang_up(self, guild_id: int) -> None:
        bot_id = self._world.bot.id
        if self._world.calls.remove(guild_id=guild_id, user_id=bot_id) is not None:
            self._voice.dismiss(guild_id=guild_id, user_id=bot_id, code=4014)

    def _connect(self, guild_id: int, channel_id: int, session_id: str, old: VoiceState | None) -> None:
        bot_id = self._world.bot.id
        self._prepare(channel_id)
        endpoint = self._endpoints.get(channel_id, self._voice.endpoint)
        token = self._voice.expect(
            guild_id=guild_id, channel_id=channel_id, user_id=bot_id, session_id=session_id, endpoint=endpoint
        )
        self._tell_server(guild_id, token, endpoint)
        if old is not None and old.channel_id != channel_id:
            self._voice.supersede(guild_id=guild_id, user_id=bot_id)

    def _tell_server(self, guild_id: int, token: str, endpoint: str | None) -> None:
        data: JsonObject = {"token": token, "guild_id": str(guild_id), "endpoint": endpoint}
        self._world.events.emit(Event("VOICE_SERVER_UPDATE", data, guild_id, about=self._world.bot.id))

    def _unseat(self, guild_id: int, user_id: int) -> None:
        if self._ears.pop((guild_id, user_id), None) is None:
            return
        state = self._world.calls.state(guild_id, user_id)
        if state is not None and state.channel_id is not None:
            self._voice.unseat(channel_id=state.channel_id, user_id=user_id)

    def _prepare(self, channel_id: int) -> None:
        """Stage channels are not end-to-end encrypted."""
        if self._world.guilds.channel(channel_id).kind is ChannelKind.STAGE:
            self._voice.faults.dave_versions.setdefault(channel_id, 0)
