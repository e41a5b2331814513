"""A message as readable text: what a member sees of it. Knows no state and no viewer."""

import base64
from collections.abc import Iterable
from itertools import pairwise

from playground.discord.limits.components import SELECTS, Part, walk
from playground.discord.limits.modals import inputs
from playground.discord.wire import JsonObject, flag, number, objects, section, text
from playground.discord.world.drafts import MessageFlag
from playground.discord.world.files import Attachment
from playground.discord.world.messages import Message

_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = 24


def draw(message: Message) -> list[str]:
    """Return the lines of a message: content, embeds, files, buttons and menus."""
    if message.loading:
        return ["is thinking..."]
    lines = message.content.splitlines()
    for embed in message.embeds:
        lines.extend(f"| {line}" for line in draw_embed(embed))
    lines.extend(_draw_parts(message.components))
    for attachment in message.attachments:
        if message.flags & MessageFlag.VOICE:
            lines.append(_draw_voice(attachment))
        else:
            lines.append(f"[file: {attachment.filename}, {len(attachment.data):,} bytes]")
    return lines


def _draw_voice(attachment: Attachment) -> str:
    """Return a voice message as its player shows it: the picture and the length."""
    points = base64.b64decode(attachment.waveform or "")
    columns = min(_COLUMNS, len(points))
    edges = [number * len(points) // columns for number in range(columns + 1)] if columns else []
    bars = "".join(_BARS[max(points[first:after]) * len(_BARS) // 256] for first, after in pairwise(edges))
    return f"[voice message: {bars} {attachment.duration or 0:.1f} s]"


def draw_embed(embed: JsonObject) -> list[str]:
    """Return the lines of an embed."""
    lines = [text(section(embed, "author"), "name"), text(embed, "title"), *text(embed, "description").splitlines()]
    for field in objects(embed, "fields"):
        first, *rest = text(field, "value").splitlines() or [""]
        lines.extend([f"{text(field, 'name')}: {first}", *rest])
    for key in ("image", "thumbnail"):
        url = text(section(embed, key), "url")
        if url:
            lines.append(f"[picture: {url.partition('?')[0].rpartition('/')[2]}]")
    lines.append(text(section(embed, "footer"), "text"))
    return [line for line in lines if line]


def draw_modal(modal: JsonObject) -> list[str]:
    """Return the lines of a modal."""
    lines = [f"[form: {text(modal, 'title')}]"]
    lines.extend(text(each, "content") for each in objects(modal, "components") if number(each, "type") == Part.TEXT)
    lines.extend(f"  {label}: ____" for label, _ in inputs(modal))
    return lines


def buttons(components: tuple[JsonObject, ...]) -> tuple[JsonObject, ...]:
    """Return the buttons among components, however deep."""
    return tuple(part for part in walk(components) if number(part, "type") == Part.BUTTON)


def button_name(button: JsonObject) -> str:
    """Return what a member reads on a button: its label, else its emoji."""
    return text(button, "label") or text(section(button, "emoji"), "name")


def menus(components: tuple[JsonObject, ...]) -> tuple[JsonObject, ...]:
    """Return the select menus among components, however deep."""
    return tuple(part for part in walk(components) if number(part, "type") in SELECTS)


def _draw_parts(components: tuple[JsonObject, ...]) -> Iterable[str]:
    for component in components:
        match number(component, "type"):
            case Part.ROW:
                yield " ".join(_draw_control(part) for part in objects(component, "components"))
            case Part.TEXT:
                yield from text(component, "content").splitlines()
            case Part.CONTAINER | Part.SECTION:
                for line in _draw_parts(objects(component, "components")):
                    yield f"| {line}"
                accessory = section(component, "accessory")
                if number(accessory, "type") == Part.BUTTON:
                    yield f"| {_draw_control(accessory)}"
            case Part.GALLERY:
                for item in objects(component, "items"):
                    yield f"[picture: {text(section(item, 'media'), 'url').rpartition('/')[2]}]"
            case _:
                pass


def _draw_control(part: JsonObject) -> str:
    if number(part, "type") == Part.BUTTON:
        name = button_name(part)
        return f"({name})" if flag(part, "disabled") else f"[{name}]"
    names = ", ".join(text(option, "label") for option in objects(part, "options"))
    return f"[{text(part, 'placeholder') or 'choose'}: {names}]"
