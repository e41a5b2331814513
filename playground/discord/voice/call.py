"""The media session of one channel: clients that speak, listeners that hear, and their key group.

Knows no websocket and no UDP; clients and listeners are handed in.
"""

from collections.abc import Callable

from playground.discord.voice.breach import BreachError
from playground.discord.voice.faults import Faults
from playground.discord.voice.keygroup import KeyGroup
from playground.discord.voice.listener import Listener
from playground.discord.voice.opcodes import Close, Op
from playground.discord.voice.session import Session
from playground.discord.voice.transport import Packet


class Call:
    """Owns who is in one channel's media session."""

    def __init__(self, channel_id: int, faults: Faults, changed: Callable[[], None]) -> None:
        self.channel_id = channel_id
        self.dave_version = faults.dave_version(channel_id)
        self.group = KeyGroup(channel_id, faults, changed)
        self._sessions: dict[int, Session] = {}
        self._listeners: dict[int, Listener] = {}
        self._changed = changed

    @property
    def empty(self) -> bool:
        """Whether nobody is left."""
        return not self._sessions and not self._listeners

    @property
    def settled(self) -> bool:
        """Whether the key group holds everybody and nothing is on its way."""
        return self.dave_version == 0 or self.group.settled

    def enter(self, session: Session) -> None:
        """Let a client in once it has its session description."""
        others = [str(user) for user in (*self._sessions, *self._listeners)]
        self._sessions[session.user_id] = session
        if others:
            session.tell(Op.CLIENTS_CONNECT, {"user_ids": others})
        self._arrive(session)

    def exit(self, session: Session) -> None:
        """Let a client go; whatever it was saying has ended."""
        if self._sessions.get(session.user_id) is session:
            del self._sessions[session.user_id]
            self._depart(session)

    def seat(self, user_id: int) -> Listener:
        """Let a human sit down."""
        if user_id in self._listeners:
            raise ValueError(f"user {user_id} already listens in channel {self.channel_id}")
        listener = Listener(
            channel_id=self.channel_id, user_id=user_id, dave_version=self.dave_version, answer=self._answer
        )
        self._listeners[user_id] = listener
        self._arrive(listener)
        return listener

    def unseat(self, user_id: int) -> None:
        """Let a human leave. Raises KeyError for one who is not here."""
        self._depart(self._listeners.pop(user_id))

    def close(self) -> None:
        """End the call."""
        self.group.close()

    def _arrive(self, member: Session | Listener) -> None:
        for other in self._sessions.values():
            if other is not member:
                other.tell(Op.CLIENTS_CONNECT, {"user_ids": [str(member.user_id)]})
        if self.dave_version:
            self.group.join(member)
        self._changed()

    def _depart(self, member: Session | Listener) -> None:
        for session in self._sessions.values():
            session.tell(Op.CLIENT_DISCONNECT, {"user_id": str(member.user_id)})
        for listener in self._listeners.values():
            listener.gone(member.user_id)
        if self.dave_version:
            self.group.leave(member)

    def speak(self, session: Session, flags: int) -> None:
        """Tell everybody else that a client speaks, or that it does not."""
        session.announced = True
        for other in self._sessions.values():
            if other is not session:
                data = {"user_id": str(session.user_id), "ssrc": session.ssrc, "speaking": flags}
                other.tell(Op.SPEAKING, data)
        for listener in self._listeners.values():
            listener.speaking(session.user_id, flags)

    def forward(self, session: Session, packet: Packet, arrived: float, *, hushed: bool = False) -> None:
        """Let every listener hear a client's packet, or, where the client is `hushed`, only count it."""
        for listener in self._listeners.values():
            listener.receive(session.user_id, packet, arrived, hushed=hushed)

    def refuse(self, *, reused: bool) -> None:
        """Let every listener count a packet that the transport layer refused."""
        for listener in self._listeners.values():
            listener.miss(reused=reused)

    def _answer(self, listener: Listener, op: Op, data: object) -> None:
        match op, data:
            case ((Op.KEY_PACKAGE | Op.COMMIT_WELCOME), bytes()):
                self.group.receive(listener, op, data)
            case Op.TRANSITION_READY, int():
                self.group.ready(listener, data)
            case Op.INVALID_COMMIT_WELCOME, int():
                self.group.invalid(listener)
            case _:
                raise BreachError(f"a listener answered with opcode {op}", code=Close.UNKNOWN_OPCODE)
