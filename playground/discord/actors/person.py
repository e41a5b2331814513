"""What a member of a server does with the application's commands, buttons, menus and forms.

Everything goes out as Discord's own client sends it; what that client would not send raises ClientRefusedError.
"""

import asyncio
from collections.abc import Mapping

from playground.discord.actors.answer import Answer
from playground.discord.actors.commands import DIRECT, command_data, find_command
from playground.discord.actors.drawing import button_name, buttons, draw_modal, menus
from playground.discord.actors.errors import ClientRefusedError, UnansweredError
from playground.discord.actors.forms import Entry, Form
from playground.discord.actors.options import Filled, Value, fill, shown
from playground.discord.actors.places import Inbox, Room
from playground.discord.actors.seen import Seen
from playground.discord.actors.transcript import Transcript
from playground.discord.limits.components import LINK, Part
from playground.discord.permissions import NOBODY, Permission
from playground.discord.wire import Json, JsonObject, flag, number, objects, text
from playground.discord.world import World
from playground.discord.world.commands import Command
from playground.discord.world.drafts import Draft, Upload
from playground.discord.world.interactions import Interaction, Kind, Reply
from playground.discord.world.people import Membership

_NO_NITRO = 10 << 20


class Person:
    """Owns what one member may upload; the rest is in the world."""

    def __init__(
        self,
        world: World,
        transcript: Transcript,
        *,
        guild_id: int,
        user_id: int,
        home: Room,
        upload_limit: int = _NO_NITRO,
    ) -> None:
        self._world = world
        self._transcript = transcript
        self._home = home
        self.guild_id = guild_id
        self.id = user_id
        self.upload_limit = upload_limit

    @property
    def membership(self) -> Membership:
        """What the server knows of this member."""
        return self._world.guilds.member(self.guild_id, self.id)

    @property
    def name(self) -> str:
        """Their name."""
        return self._world.guilds.users[self.id].name

    @property
    def mention(self) -> str:
        """The text that mentions them."""
        return f"<@{self.id}>"

    def picked(self) -> Mapping[str, JsonObject]:
        """Return what is resolved where somebody picks this member as an option."""
        member = dict(self.membership.payload())
        del member["user"]
        may = self._world.guilds.may(guild_id=self.guild_id, user_id=self.id)
        return {"users": self.membership.user.payload(), "members": {**member, "permissions": str(int(may))}}

    async def slash(self, command: str, /, *, in_channel: Room | Inbox | None = None, **options: Value) -> Answer:
        """Use a slash command ("voices list") and return the first answer.

        Raises ClientRefusedError for what the client would refuse, UnansweredError after three seconds of nothing.
        """
        room = in_channel or self._home
        found, offered = self._find(command, room)
        filled = fill(offered, options, upload_limit=self._limit)
        data = command_data(found, command, self._attach(filled))
        self._transcript.add(f"{self.name}>", [f"/{command} {shown(options)}".rstrip()])
        return await self._do(Kind.COMMAND, data, room.id)

    async def autocomplete(
        self, command: str, /, *, in_channel: Room | Inbox | None = None, focused: str | None = None, **options: Value
    ) -> list[tuple[str, str | float]]:
        """Type into an option (`focused`, else the last one given) and return the choices offered: (name, value)."""
        room = in_channel or self._home
        found, offered = self._find(command, room)
        typed = focused or next(reversed(options))
        filled = fill(offered, options, upload_limit=self._limit, focused=typed)
        answer = await self._do(Kind.AUTOCOMPLETE, command_data(found, command, self._attach(filled)), room.id)
        choices = [(text(choice, "name"), _choice_value(choice)) for choice in answer.interaction.choices]
        self._transcript.add(f"{self.name}>", [f"/{command} {shown(options)}", *(f"- {name}" for name, _ in choices)])
        return choices

    async def click(self, seen: Seen, label: str) -> Answer:
        """Click a button; return the same answer where it was updated, else the new one."""
        self._look_at(seen)
        found = [
            each
            for each in buttons(seen.message.components)
            if label in (button_name(each), text(each, "custom_id", label[:0]) or None)
        ]
        if not found:
            raise ClientRefusedError(f"there is no button {label!r}; there are: {', '.join(seen.buttons) or 'none'}")
        button = found[0]
        if flag(button, "disabled"):
            raise ClientRefusedError(f"the button {label!r} is disabled")
        if number(button, "style") == LINK:
            raise ClientRefusedError(f"the button {label!r} opens a link")
        self._transcript.add(f"{self.name}>", [f"clicks [{button_name(button)}]"])
        return await self._use(seen, button, {})

    async def select(self, seen: Seen, *chosen: str, menu: int = 0) -> Answer:
        """Choose options of a select menu by label or value; return as `click` does."""
        self._look_at(seen)
        offered = menus(seen.message.components)
        if menu >= len(offered):
            raise ClientRefusedError("there is no such menu")
        part = offered[menu]
        if flag(part, "disabled"):
            raise ClientRefusedError("the menu is disabled")
        if number(part, "type") != Part.STRING_SELECT:
            raise ClientRefusedError("only menus of texts can be used here")
        values = [_option_value(part, each) for each in chosen]
        low, high = number(part, "min_values", 1), number(part, "max_values", 1)
        if not low <= len(values) <= high:
            raise ClientRefusedError(f"the menu wants {low} to {high} choices, not {len(values)}")
        self._transcript.add(f"{self.name}>", [f"chooses {', '.join(chosen)}"])
        return await self._use(seen, part, {"values": values})

    async def submit(self, answer: Answer, /, **fields: Entry) -> Answer:
        """Fill in and send a form; fields by custom id, label or label_as_identifier; return as `click` does."""
        modal = answer.modal
        if modal is None or answer.interaction.user_id != self.id:
            raise ClientRefusedError("there is no form to fill in")
        form = Form(modal, fields)
        form.check()
        resolved: dict[str, Json] = {}
        file_ids: dict[str, list[int]] = {}
        for custom_id, uploads in form.uploads.items():
            kept = [self._upload(upload) for upload in uploads]
            file_ids[custom_id] = [number(each, "id") for each in kept]
            resolved.update({text(each, "id"): each for each in kept})
        data: dict[str, Json] = {"custom_id": text(modal, "custom_id"), "components": form.payload(file_ids)}
        if resolved:
            data["resolved"] = {"attachments": resolved}
        self._transcript.add(f"{self.name}>", [f"sends the form ({form.shown()})"])
        source_id = answer.interaction.source_id
        return await self._do(Kind.MODAL, data, answer.interaction.channel_id, source_id=source_id, onto=answer)

    def writes(self, content: str = "", *uploads: Upload, in_channel: Room | None = None) -> Seen:
        """Post a message that everybody sees."""
        room = in_channel or self._home
        may = self._world.guilds.may(guild_id=self.guild_id, user_id=self.id, channel_id=room.id)
        if not may & Permission.SEND_MESSAGES:
            raise ClientRefusedError(f"{self.name} may not write in {room.name}")
        draft = Draft(content=content, uploads=uploads)
        return Seen(self._world, self._world.messages.create(draft, author_id=self.id, channel_id=room.id).id)

    @property
    def _limit(self) -> int:
        return max(self.upload_limit, self._world.guilds.server(self.guild_id).file_limit)

    def _find(self, name: str, room: Room | Inbox) -> tuple[Command, tuple[JsonObject, ...]]:
        if isinstance(room, Inbox):
            return find_command(self._world.commands.offered(None), name, NOBODY, context=DIRECT)
        may = self._world.guilds.may(guild_id=self.guild_id, user_id=self.id, channel_id=room.id)
        if not may & Permission.VIEW_CHANNEL or not may & Permission.USE_APPLICATION_COMMANDS:
            raise ClientRefusedError(f"{self.name} may not use commands in {room.name}")
        return find_command(self._world.commands.offered(self.guild_id), name, may)

    def _attach(self, filled: Filled) -> Filled:
        for name, upload in filled.uploads.items():
            filled.attach(name, self._upload(upload))
        return filled

    def _upload(self, upload: Upload) -> JsonObject:
        if len(upload.data) > self._limit:
            raise ClientRefusedError(f"{upload.filename}: your files are too powerful (above {self._limit} bytes)")
        files = self._world.files
        return files.payload(
            files.add(
                upload.filename,
                upload.data,
                home_id=self._world.bot.id,
                ephemeral=True,
                duration=upload.duration,
                waveform=upload.waveform,
            )
        )

    def _look_at(self, seen: Seen) -> None:
        if seen.gone:
            raise ClientRefusedError("the message was deleted")
        if seen.message.guild_id is None:
            raise ClientRefusedError("the controls of a direct message cannot be used in this Discord")
        may = self._world.guilds.may(guild_id=self.guild_id, user_id=self.id, channel_id=seen.message.channel_id)
        if not seen.message.seen_by(self.id) or not may & Permission.VIEW_CHANNEL:
            raise ClientRefusedError(f"{self.name} does not see this message")

    async def _use(self, seen: Seen, part: JsonObject, more: JsonObject) -> Answer:
        data: dict[str, Json] = {
            "custom_id": text(part, "custom_id"),
            "component_type": number(part, "type"),
            "id": number(part, "id"),
            **more,
        }
        onto = seen if isinstance(seen, Answer) else None
        return await self._do(Kind.COMPONENT, data, seen.message.channel_id, source_id=seen.id, onto=onto)

    async def _do(
        self, kind: Kind, data: JsonObject, channel_id: int, *, source_id: int | None = None, onto: Answer | None = None
    ) -> Answer:
        guild_id = self.guild_id if self._world.directs.find(channel_id) is None else None
        if guild_id is not None and not self._world.guilds.is_open(guild_id):
            raise ClientRefusedError("the server is not available, or the application is not in it")
        interaction = self._world.ask(
            kind, data, guild_id=guild_id, channel_id=channel_id, user_id=self.id, source_id=source_id
        )
        await self._first_answer(interaction)
        if interaction.modal is not None:
            self._transcript.add(f"{self._world.bot.name}:", draw_modal(interaction.modal))
        if onto is not None and interaction.reply in {Reply.UPDATE, Reply.DEFERRED_UPDATE}:
            onto.adopt(interaction)
            return onto
        return Answer(self._world, interaction)

    async def _first_answer(self, interaction: Interaction) -> None:
        def over() -> bool:
            return interaction.reply is not None or bool(interaction.broken)

        answered = asyncio.create_task(self._world.events.bell.until(over))
        too_late = asyncio.create_task(self._world.clock.until(interaction.deadline))
        try:
            await asyncio.wait({answered, too_late}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered.cancel()
            too_late.cancel()
            await asyncio.gather(answered, too_late, return_exceptions=True)
        if interaction.reply is None or interaction.broken:
            interaction.given_up = True
            why = "; ".join(interaction.broken) or "the application did not respond in three seconds"
            self._transcript.add(f"{self._world.bot.name}:", [f"({why})"])
            raise UnansweredError(why)


def _option_value(part: JsonObject, wanted: str) -> str:
    options = objects(part, "options")
    for option in options:
        if wanted in (text(option, "label"), text(option, "value")):
            return text(option, "value")
    raise ClientRefusedError(f"the menu does not offer {wanted!r}; it offers: {[text(o, 'label') for o in options]}")


def _choice_value(choice: JsonObject) -> str | float:
    value = choice.get("value")
    return value if isinstance(value, str | int | float) else str(value)
