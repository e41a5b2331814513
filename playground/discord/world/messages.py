"""Messages, the ones for everybody and the ones only one member sees. Knows no interaction rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from playground.discord.clock import Clock
from playground.discord.permissions import Permission
from playground.discord.refusal import RefusalError
from playground.discord.snowflakes import Snowflakes
from playground.discord.wire import Json, JsonObject
from playground.discord.world.directs import Directs
from playground.discord.world.drafts import Draft, MessageFlag
from playground.discord.world.events import Event, Events
from playground.discord.world.files import Attachment, Files
from playground.discord.world.guilds import Guilds
from playground.discord.world.pings import Pings, find_pings, spoken

_REFERENCE = "attachment://"
_NOBODY = Pings()


_NO_FLAGS = MessageFlag(0)


@dataclass(frozen=True, slots=True)
class Message:
    """A message; `visible_to` names the one who sees an ephemeral one, `guild_id` is None for a direct one."""

    id: int
    channel_id: int
    guild_id: int | None
    author_id: int
    sent_at: datetime
    content: str = ""
    embeds: tuple[JsonObject, ...] = ()
    components: tuple[JsonObject, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: MessageFlag = _NO_FLAGS
    pings: Pings = _NOBODY
    visible_to: int | None = None
    origin: JsonObject | None = None
    edited_at: datetime | None = None
    nonce: str | None = None
    reply_to: int | None = None

    @property
    def ephemeral(self) -> bool:
        """Whether only one member sees it."""
        return self.visible_to is not None

    @property
    def loading(self) -> bool:
        """Whether it only says that the application is thinking."""
        return bool(self.flags & MessageFlag.LOADING)

    def seen_by(self, user_id: int) -> bool:
        """Tell whether a member sees it."""
        return self.visible_to is None or self.visible_to == user_id


class Messages:
    """Owns the messages."""

    def __init__(
        self, clock: Clock, snowflakes: Snowflakes, events: Events, *, guilds: Guilds, directs: Directs, files: Files
    ) -> None:
        self._clock = clock
        self._snowflakes = snowflakes
        self._events = events
        self._guilds = guilds
        self._directs = directs
        self._files = files
        self._messages: dict[int, Message] = {}

    def create(
        self,
        draft: Draft,
        *,
        author_id: int,
        channel_id: int,
        visible_to: int | None = None,
        origin: JsonObject | None = None,
        loading: bool = False,
    ) -> Message:
        """Post a message; `loading` posts the "is thinking..." that a deferral shows."""
        if draft.once and (earlier := self._sent(author_id, draft.nonce)) is not None:
            return earlier
        direct = self._directs.find(channel_id)
        kept = MessageFlag(draft.flags) & ~(MessageFlag.EPHEMERAL | MessageFlag.LOADING)
        private = MessageFlag.EPHEMERAL if visible_to is not None else _NO_FLAGS
        blank = Message(
            id=self._snowflakes.next(),
            channel_id=channel_id,
            guild_id=self._guilds.channel(channel_id).guild_id if direct is None else None,
            author_id=author_id,
            sent_at=self._clock.now(),
            flags=kept | private | (MessageFlag.LOADING if loading else _NO_FLAGS),
            visible_to=visible_to,
            origin=origin,
            nonce=draft.nonce,
            reply_to=draft.reply_to,
        )
        message = self._written(blank, draft)
        message = replace(message, pings=self._pings(message, draft.mentions))
        self._keep("MESSAGE_CREATE", message)
        return message

    def _sent(self, author_id: int, nonce: str | None) -> Message | None:
        """Find a message by its nonce."""
        found = (each for each in self._messages.values() if nonce is not None and each.nonce == nonce)
        return next((each for each in found if each.author_id == author_id), None)

    def fill(self, message_id: int, draft: Draft) -> Message:
        """Give the answer that a deferral promised; like a new message, it notifies."""
        old = self.get(message_id)
        flags = (old.flags & ~MessageFlag.LOADING) | (MessageFlag(draft.flags) & ~MessageFlag.EPHEMERAL)
        message = self._written(replace(old, flags=flags), draft)
        message = replace(message, pings=self._pings(message, draft.mentions))
        self._keep("MESSAGE_UPDATE", message)
        return message

    def edit(self, message_id: int, draft: Draft) -> Message:
        """Change a message; an edit notifies nobody."""
        old = self.get(message_id)
        flags = old.flags | (MessageFlag(draft.flags) & (MessageFlag.SUPPRESS_EMBEDS | MessageFlag.COMPONENTS_V2))
        message = self._written(replace(old, flags=flags, edited_at=self._clock.now()), draft)
        self._keep("MESSAGE_UPDATE", message)
        return message

    def delete(self, message_id: int) -> None:
        """Take a message away, with its files."""
        message = self.get(message_id)
        del self._messages[message_id]
        for attachment in message.attachments:
            self._files.remove(attachment)
        data: JsonObject = {"id": str(message.id), "channel_id": str(message.channel_id), **_home(message)}
        self._events.emit(self._event("MESSAGE_DELETE", message, data))

    def get(self, message_id: int) -> Message:
        """Return a message; raises RefusalError 10008."""
        if message_id not in self._messages:
            raise RefusalError(404, 10008, "Unknown Message")
        return self._messages[message_id]

    def find(self, message_id: int) -> Message | None:
        """Return a message, None where it was deleted."""
        return self._messages.get(message_id)

    def in_channel(self, channel_id: int) -> tuple[Message, ...]:
        """Return the messages everybody sees in a channel, oldest first."""
        found = (each for each in self._messages.values() if each.channel_id == channel_id and not each.ephemeral)
        return tuple(sorted(found, key=lambda each: each.id))

    def payload(self, message: Message) -> JsonObject:
        """Return the message object."""
        data: dict[str, Json] = {
            "id": str(message.id),
            "type": 19 if message.reply_to else (20 if message.origin else 0),
            "channel_id": str(message.channel_id),
            "author": self._guilds.users[message.author_id].payload(),
            "content": message.content,
            "timestamp": message.sent_at.isoformat(),
            "edited_timestamp": None if message.edited_at is None else message.edited_at.isoformat(),
            "tts": False,
            "mention_everyone": message.pings.everyone,
            "mentions": [self._guilds.users[user].payload() for user in sorted(message.pings.users)],
            "mention_roles": [str(role) for role in sorted(message.pings.roles)],
            "attachments": [self._files.payload(each) for each in message.attachments],
            "embeds": [self._resolved(each, message) for each in message.embeds],
            "components": list(message.components),
            "pinned": False,
            "flags": int(message.flags),
        }
        if message.nonce is not None:
            data["nonce"] = message.nonce
        if message.reply_to is not None:
            data["message_reference"] = {
                "message_id": str(message.reply_to),
                "channel_id": str(message.channel_id),
                **_home(message),
            }
        if message.origin is not None:
            data["interaction_metadata"] = message.origin
            data["application_id"] = data["webhook_id"] = str(message.author_id)
        return data

    def _written(self, message: Message, draft: Draft) -> Message:
        kept = message.attachments
        if draft.kept is not None:
            kept = tuple(each for each in kept if each.id in draft.kept)
        added = tuple(
            self._files.add(
                each.filename,
                each.data,
                home_id=message.channel_id,
                ephemeral=message.ephemeral,
                description=each.description,
                duration=each.duration,
                waveform=each.waveform,
            )
            for each in draft.uploads
        )
        return replace(
            message,
            content=message.content if draft.content is None else draft.content,
            embeds=message.embeds if draft.embeds is None else draft.embeds,
            components=message.components if draft.components is None else draft.components,
            attachments=(*kept, *added),
        )

    def _pings(self, message: Message, allowed: JsonObject | None) -> Pings:
        if message.guild_id is None:
            return self._direct_pings(message, allowed)
        may = self._guilds.may(guild_id=message.guild_id, user_id=message.author_id, channel_id=message.channel_id)
        all_roles = bool(may & Permission.MENTION_EVERYONE)
        roles = {role.id for role in self._guilds.roles(message.guild_id) if role.mentionable or all_roles}
        pings = find_pings(
            spoken(message.content, message.components),
            allowed,
            user_known=lambda user_id: user_id in self._guilds.users,
            role_open=lambda role_id: role_id in roles and role_id != message.guild_id,
            may_everyone=all_roles,
        )
        return pings if message.visible_to is None else pings.only(message.visible_to)

    def _direct_pings(self, message: Message, allowed: JsonObject | None) -> Pings:
        direct = self._directs.find(message.channel_id)
        there = set() if direct is None else {direct.user.id}
        return find_pings(
            spoken(message.content, message.components),
            allowed,
            user_known=lambda user_id: user_id in there,
            role_open=lambda _: False,
            may_everyone=False,
        )

    def _resolved(self, embed: JsonObject, message: Message) -> JsonObject:
        """Point the pictures an embed takes from the message's own files to their addresses."""
        shown = dict(embed)
        for key in ("image", "thumbnail"):
            media = shown.get(key)
            url = media.get("url") if isinstance(media, Mapping) else None
            if not isinstance(url, str) or not url.startswith(_REFERENCE):
                continue
            for attachment in message.attachments:
                if attachment.filename == url.removeprefix(_REFERENCE):
                    shown[key] = {"url": self._files.payload(attachment)["url"]}
        return shown

    def _keep(self, event: str, message: Message) -> None:
        self._messages[message.id] = message
        data: dict[str, Json] = {**self.payload(message), **_home(message)}
        if message.guild_id is not None and not self._guilds.users[message.author_id].bot:
            member = dict(self._guilds.member(message.guild_id, message.author_id).payload())
            del member["user"]
            data["member"] = member
        self._events.emit(self._event(event, message, data))

    def _event(self, name: str, message: Message, data: JsonObject) -> Event:
        return Event(name, data, message.guild_id, about=message.author_id, private=message.ephemeral)


def _home(message: Message) -> JsonObject:
    """Return the field that says which server a message is in; a direct one does not have it."""
    return {} if message.guild_id is None else {"guild_id": str(message.guild_id)}
