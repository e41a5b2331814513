"""Interactions and the rules of their life (discord.com/developers, "Receiving and Responding").

One answer within three seconds, a token that lasts fifteen minutes, ephemerality fixed by the first answer.
Knows nothing of who asks or how it is drawn.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from playground.discord.bell import Bell
from playground.discord.clock import Clock
from playground.discord.refusal import RefusalError
from playground.discord.snowflakes import Snowflakes
from playground.discord.wire import Json, JsonObject
from playground.discord.world.drafts import Draft, MessageFlag
from playground.discord.world.guilds import Guilds
from playground.discord.world.messages import Message, Messages

DEADLINE = timedelta(seconds=3)
LIFETIME = timedelta(minutes=15)


class Kind(IntEnum):
    """What a member did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Reply(IntEnum):
    """How the application may answer first."""

    MESSAGE = 4
    DEFERRED = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


_MESSAGES = frozenset({Reply.MESSAGE, Reply.DEFERRED})
_UPDATES = frozenset({Reply.DEFERRED_UPDATE, Reply.UPDATE})


@dataclass(slots=True, eq=False)
class Interaction:
    """One thing a member did with the application, and how far the answer to it has come."""

    id: int
    token: str
    kind: Kind
    guild_id: int | None
    """None in a direct message to the application."""
    channel_id: int
    user_id: int
    data: JsonObject
    asked_at: datetime
    source_id: int | None = None
    reply: Reply | None = None
    original_id: int | None = None
    waiting: bool = False
    choices: tuple[JsonObject, ...] = ()
    modal: JsonObject | None = None
    followups: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    given_up: bool = False

    @property
    def deadline(self) -> datetime:
        """When the first answer is due."""
        return self.asked_at + DEADLINE

    def permitted(self) -> frozenset[Reply]:
        """Return the answers that fit what was asked."""
        match self.kind:
            case Kind.AUTOCOMPLETE:
                return frozenset({Reply.CHOICES})
            case Kind.COMMAND:
                return _MESSAGES | {Reply.MODAL}
            case Kind.COMPONENT:
                return _MESSAGES | _UPDATES | {Reply.MODAL}
            case Kind.MODAL:
                return _MESSAGES | _UPDATES if self.source_id is not None else _MESSAGES


class Interactions:
    """Owns the interactions, and keeps the rules when the application answers."""

    def __init__(
        self, clock: Clock, snowflakes: Snowflakes, messages: Messages, guilds: Guilds, *, bell: Bell, author_id: int
    ) -> None:
        self._clock = clock
        self._snowflakes = snowflakes
        self._messages = messages
        self._guilds = guilds
        self._bell = bell
        self._author_id = author_id
        self._by_token: dict[str, Interaction] = {}

    def open(
        self,
        kind: Kind,
        data: JsonObject,
        *,
        guild_id: int | None,
        channel_id: int,
        user_id: int,
        source_id: int | None = None,
    ) -> Interaction:
        """Begin an interaction; its three seconds run from now."""
        made = Interaction(
            id=self._snowflakes.next(),
            token=secrets.token_urlsafe(48),
            kind=kind,
            guild_id=guild_id,
            channel_id=channel_id,
            user_id=user_id,
            data=data,
            asked_at=self._clock.now(),
            source_id=source_id,
        )
        self._by_token[made.token] = made
        return made

    def all(self) -> tuple[Interaction, ...]:
        """Return every interaction there was, oldest first."""
        return tuple(self._by_token.values())

    def respond(
        self,
        interaction_id: int,
        token: str,
        reply: Reply,
        draft: Draft,
        *,
        choices: tuple[JsonObject, ...] = (),
        modal: JsonObject | None = None,
    ) -> Interaction:
        """Take the first answer.

        Raises RefusalError 10062 for a late or unknown one, 40060 for a second one, 50035 for one that does not fit.
        """
        found = self._by_token.get(token)
        if found is None or found.id != interaction_id:
            raise RefusalError(404, 10062, "Unknown interaction")
        if found.reply is not None:
            found.broken.append("the application acknowledged the interaction twice")
            self._bell.ring()
            raise RefusalError(400, 40060, "Interaction has already been acknowledged.")
        if self._clock.now() > found.deadline:
            found.broken.append("the application answered after the three seconds")
            self._bell.ring()
            raise RefusalError(404, 10062, "Unknown interaction")
        if reply not in found.permitted():
            errors: JsonObject = {"type": {"_errors": [{"code": "INTERACTION_TYPE_INVALID", "message": reply.name}]}}
            raise RefusalError(400, 50035, "Invalid Form Body", errors)
        self._take(found, reply, draft)
        found.choices, found.modal = choices, modal
        found.reply = reply
        self._bell.ring()
        return found

    def find(self, token: str) -> Interaction | None:
        """Return an interaction by its token, None for an unknown one."""
        return self._by_token.get(token)

    def by_token(self, token: str) -> Interaction:
        """Return an answered interaction by its token, as the webhook routes know it.

        Raises RefusalError 50027 for an unknown or expired token, 10015 before the first answer.
        """
        found = self._by_token.get(token)
        if found is None or self._clock.now() > found.asked_at + LIFETIME:
            raise RefusalError(401, 50027, "Invalid Webhook Token")
        if found.reply is None:
            raise RefusalError(404, 10015, "Unknown Webhook")
        return found

    def message(self, interaction: Interaction, message_id: int | None) -> Message:
        """Return the original answer (None) or one follow-up; raises RefusalError 10008."""
        chosen = interaction.original_id if message_id is None else message_id
        if chosen is None or (chosen != interaction.original_id and chosen not in interaction.followups):
            raise RefusalError(404, 10008, "Unknown Message")
        return self._messages.get(chosen)

    def edit(self, interaction: Interaction, message_id: int | None, draft: Draft) -> Message:
        """Change an answer; the first change of a deferred one is the answer."""
        old = self.message(interaction, message_id)
        if old.loading:
            interaction.waiting = False
            return self._messages.fill(old.id, draft)
        if old.id == interaction.original_id:
            interaction.waiting = False
        return self._messages.edit(old.id, draft)

    def delete(self, interaction: Interaction, message_id: int | None) -> None:
        """Take an answer away."""
        message = self.message(interaction, message_id)
        if message.id == interaction.original_id:
            interaction.waiting = False
        self._messages.delete(message.id)

    def follow_up(self, interaction: Interaction, draft: Draft) -> Message:
        """Add an answer; the first one after a deferral takes the place of the "is thinking..."."""
        original = None if interaction.original_id is None else self._messages.find(interaction.original_id)
        if original is not None and original.loading:
            return self.edit(interaction, None, draft)
        message = self._post(interaction, draft, private=bool(draft.flags & MessageFlag.EPHEMERAL))
        interaction.followups.append(message.id)
        interaction.waiting = False
        self._bell.ring()
        return message

    def _take(self, interaction: Interaction, reply: Reply, draft: Draft) -> None:
        match reply:
            case Reply.MESSAGE | Reply.DEFERRED:
                interaction.waiting = reply is Reply.DEFERRED
                private = bool(draft.flags & MessageFlag.EPHEMERAL)
                posted = self._post(interaction, draft, private=private, loading=interaction.waiting)
                interaction.original_id = posted.id
            case Reply.UPDATE:
                interaction.original_id = interaction.source_id
                self._messages.edit(self._source(interaction), draft)
            case Reply.DEFERRED_UPDATE:
                interaction.original_id = self._source(interaction)
                interaction.waiting = True
            case Reply.CHOICES | Reply.MODAL:
                pass

    def _source(self, interaction: Interaction) -> int:
        if interaction.source_id is None:
            raise RefusalError(404, 10008, "Unknown Message")
        return interaction.source_id

    def _post(self, interaction: Interaction, draft: Draft, *, private: bool, loading: bool = False) -> Message:
        origin: dict[str, Json] = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "user": self._guilds.users[interaction.user_id].payload(),
            "authorizing_integration_owners": {"0": str(interaction.guild_id or 0)},
        }
        return self._messages.create(
            draft,
            author_id=self._author_id,
            channel_id=interaction.channel_id,
            visible_to=interaction.user_id if private else None,
            origin=origin,
            loading=loading,
        )
