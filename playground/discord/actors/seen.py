"""A message as somebody sees it, now: reads the world each time. Changes nothing."""

import base64

from playground.discord.actors.drawing import button_name, buttons, draw, menus
from playground.discord.wire import JsonObject, flag, objects, section, text
from playground.discord.world import World
from playground.discord.world.drafts import MessageFlag
from playground.discord.world.files import Attachment
from playground.discord.world.messages import Message
from playground.discord.world.pings import Pings


class Seen:
    """Owns nothing but which message it is."""

    def __init__(self, world: World, message_id: int | None) -> None:
        self._world = world
        self._message_id = message_id

    @property
    def id(self) -> int:
        """The message's id."""
        return self.message.id

    @property
    def message(self) -> Message:
        """The message itself; raises LookupError where there is none (any more)."""
        found = None if self._message_id is None else self._world.messages.find(self._message_id)
        if found is None:
            raise LookupError("there is no such message, or it was deleted")
        return found

    @property
    def gone(self) -> bool:
        """Whether the message was deleted, or there never was one."""
        return self._message_id is None or self._world.messages.find(self._message_id) is None

    @property
    def author(self) -> str:
        """Who wrote it."""
        return self._world.guilds.users[self.message.author_id].name

    @property
    def content(self) -> str:
        """The plain text; empty while the application is still thinking."""
        return self.message.content

    @property
    def text(self) -> str:
        """Everything there is to read, as the transcript shows it."""
        return "\n".join(draw(self.message))

    @property
    def embeds(self) -> list[JsonObject]:
        """The embeds, their pictures pointing to the CDN."""
        return list(objects(self._world.messages.payload(self.message), "embeds"))

    @property
    def files(self) -> dict[str, bytes]:
        """The attached files by name."""
        return {attachment.filename: attachment.data for attachment in self.message.attachments}

    @property
    def ephemeral(self) -> bool:
        """Whether only one member sees it."""
        return self.message.ephemeral

    @property
    def voice_message(self) -> bool:
        """Whether it is a native voice message."""
        return bool(self.message.flags & MessageFlag.VOICE)

    @property
    def seconds(self) -> float:
        """How long its voice message says that it is; raises LookupError where it is none."""
        return self._sound.duration or 0.0

    @property
    def waveform(self) -> bytes:
        """The levels of its voice message, as they are drawn; raises LookupError where it is none."""
        return base64.b64decode(self._sound.waveform or "")

    @property
    def replies_to(self) -> int | None:
        """The id of the message it answers."""
        return self.message.reply_to

    @property
    def _sound(self) -> Attachment:
        if not self.voice_message:
            raise LookupError("this is no voice message")
        return self.message.attachments[0]

    @property
    def pings(self) -> Pings:
        """Whom it notified; false for nobody."""
        return self.message.pings

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons, also of the disabled ones."""
        return [button_name(button) for button in buttons(self.message.components)]

    @property
    def disabled(self) -> list[str]:
        """The labels of the buttons that cannot be clicked."""
        return [button_name(button) for button in buttons(self.message.components) if flag(button, "disabled")]

    @property
    def menus(self) -> list[list[str]]:
        """The labels offered by each of its select menus."""
        return [
            [text(option, "label") for option in objects(menu, "options")] for menu in menus(self.message.components)
        ]

    def picture(self, index: int = 0) -> bytes:
        """Return the bytes of the picture in one of its embeds."""
        url = text(section(self.embeds[index], "image"), "url").partition("?")[0]
        for attachment in self.message.attachments:
            if url.endswith(attachment.path):
                return attachment.data
        raise LookupError("the embed shows no picture of this message")
