"""Routes of channels and of the messages in them, as the bot may use them: those of servers, and direct ones."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from playground.discord.limits.messages import check_draft, check_not_empty
from playground.discord.limits.voice_messages import silent
from playground.discord.permissions import Permission
from playground.discord.refusal import Problems, RefusalError
from playground.discord.rest.asked import Asked
from playground.discord.rest.routes import NOTHING, Outcome, Route
from playground.discord.wire import number
from playground.discord.world import World
from playground.discord.world.channels import Channel
from playground.discord.world.directs import FILE_LIMIT, RIGHTS, Direct
from playground.discord.world.drafts import Draft, MessageFlag
from playground.discord.world.messages import Message

Place: TypeAlias = Channel | Direct


class ChannelRoutes:
    """Owns nothing: asks the world what the bot may, and posts, changes and deletes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> Iterable[Route]:
        """Return the routes."""
        messages = "/channels/{channel}/messages"
        return (
            Route("POST", "/users/@me/channels", self._open),
            Route("GET", "/channels/{channel}", self._channel),
            Route("POST", "/channels/{channel}/typing", self._typing),
            Route("GET", messages, self._history),
            Route("POST", messages, self._create),
            Route("GET", f"{messages}/{{message}}", self._get),
            Route("PATCH", f"{messages}/{{message}}", self._edit),
            Route("DELETE", f"{messages}/{{message}}", self._delete),
        )

    def _open(self, asked: Asked) -> Outcome:
        user = self._world.guilds.users.get(number(asked.form(), "recipient_id"))
        if user is None:
            raise RefusalError(400, 50033, "Invalid Recipient(s)")
        return Outcome(self._world.directs.open(user).payload())

    def _channel(self, asked: Asked) -> Outcome:
        return Outcome(self._seen(asked).payload())

    def _typing(self, asked: Asked) -> Outcome:
        self._need(self._seen(asked), Permission.SEND_MESSAGES)
        return NOTHING

    def _history(self, asked: Asked) -> Outcome:
        channel = self._seen(asked)
        self._need(channel, Permission.READ_MESSAGE_HISTORY)
        limit = int(asked.query.get("limit", "50"))
        before, after = int(asked.query.get("before", str(1 << 63))), int(asked.query.get("after", "0"))
        found = [each for each in self._world.messages.in_channel(channel.id) if after < each.id < before]
        chosen = found[:limit] if "after" in asked.query else found[-limit:]
        return Outcome([self._world.messages.payload(each) for each in reversed(chosen)])

    def _create(self, asked: Asked) -> Outcome:
        channel = self._seen(asked)
        draft = asked.draft(asked.form())
        self._need(channel, Permission.SEND_MESSAGES)
        self._need_for_files(channel, draft)
        if isinstance(channel, Direct):
            self._world.directs.check(channel)
        check_draft(draft, file_limit=self._file_limit(channel))
        check_not_empty(draft)
        draft = self._replied(channel, draft)
        if not self._may(channel) & Permission.EMBED_LINKS:
            draft = replace(draft, embeds=None)
        message = self._world.messages.create(draft, author_id=self._world.bot.id, channel_id=channel.id)
        return Outcome(self._world.messages.payload(message))

    def _get(self, asked: Asked) -> Outcome:
        return Outcome(self._world.messages.payload(self._message(asked)))

    def _edit(self, asked: Asked) -> Outcome:
        message = self._message(asked)
        if message.author_id != self._world.bot.id:
            raise RefusalError(403, 50005, "Cannot edit a message authored by another user")
        if message.flags & MessageFlag.VOICE:
            raise RefusalError(400, 50162, "Voice messages cannot be edited.")
        draft = silent(asked.draft(asked.form()))
        limit = self._file_limit(self._seen(asked))
        names = frozenset(attachment.filename for attachment in message.attachments)
        check_draft(draft, file_limit=limit, old_files=names)
        return Outcome(self._world.messages.payload(self._world.messages.edit(message.id, draft)))

    def _delete(self, asked: Asked) -> Outcome:
        message = self._message(asked)
        if message.author_id != self._world.bot.id:
            self._need(self._seen(asked), Permission.MANAGE_MESSAGES)
        self._world.messages.delete(message.id)
        return NOTHING

    def _message(self, asked: Asked) -> Message:
        """Return the message of the path; an ephemeral one is in no channel."""
        channel = self._seen(asked)
        message = self._world.messages.get(asked.id("message"))
        if message.channel_id != channel.id or message.ephemeral:
            raise RefusalError(404, 10008, "Unknown Message")
        return message

    def _seen(self, asked: Asked) -> Place:
        channel = self._world.directs.find(asked.id("channel")) or self._world.guilds.channel(asked.id("channel"))
        if not self._may(channel) & Permission.VIEW_CHANNEL:
            raise RefusalError(403, 50001, "Missing Access")
        return channel

    def _need(self, channel: Place, permissions: Permission) -> None:
        if permissions & ~self._may(channel):
            raise RefusalError(403, 50013, "Missing Permissions")

    def _need_for_files(self, channel: Place, draft: Draft) -> None:
        """Voice messages have a permission and an error of their own, and need no Attach Files."""
        if not draft.flags & MessageFlag.VOICE:
            self._need(channel, Permission.ATTACH_FILES if draft.uploads else Permission(0))
        elif not self._may(channel) & Permission.SEND_VOICE_MESSAGES:
            raise RefusalError(403, 50173, "You cannot send voice messages in this channel.")

    def _replied(self, channel: Place, draft: Draft) -> Draft:
        """Return the draft, no reply any more where what it answers is gone and need not be there."""
        if draft.reply_to is None:
            return draft
        if not self._may(channel) & Permission.READ_MESSAGE_HISTORY:
            raise RefusalError(400, 160002, "Cannot reply without permission to read message history")
        replied = self._world.messages.find(draft.reply_to)
        if replied is not None and replied.channel_id == channel.id and not replied.ephemeral:
            return draft
        if draft.reply_must_exist:
            problems = Problems()
            problems.add("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
            problems.raise_if_any()
        return replace(draft, reply_to=None)

    def _file_limit(self, channel: Place) -> int:
        return FILE_LIMIT if isinstance(channel, Direct) else self._world.guilds.server(channel.guild_id).file_limit

    def _may(self, channel: Place) -> Permission:
        if isinstance(channel, Direct):
            return RIGHTS
        return self._world.guilds.may(guild_id=channel.guild_id, user_id=self._world.bot.id, channel_id=channel.id)
