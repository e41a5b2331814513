"""Limits of message components (discord.com/developers, "Component Reference"). Knows nothing of who clicks."""

from collections.abc import Iterator
from enum import IntEnum

from playground.discord.refusal import Problems
from playground.discord.wire import JsonObject, as_object, flag, number, objects, section, text


class Part(IntEnum):
    """The component types."""

    ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT = 10
    THUMBNAIL = 11
    GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS = frozenset(
    {Part.STRING_SELECT, Part.USER_SELECT, Part.ROLE_SELECT, Part.MENTIONABLE_SELECT, Part.CHANNEL_SELECT}
)
LINK, PREMIUM = 5, 6
_LAYOUT = frozenset({Part.SECTION, Part.TEXT, Part.GALLERY, Part.FILE, Part.SEPARATOR, Part.CONTAINER})
_IN_CONTAINER = (_LAYOUT - {Part.CONTAINER}) | {Part.ROW}
_MAX_ROWS, _MAX_PARTS, _MAX_TEXT = 5, 40, 4000


def walk(components: tuple[JsonObject, ...]) -> Iterator[JsonObject]:
    """Yield every component, however deep."""
    for component in components:
        yield component
        yield from walk(objects(component, "components"))
        for key in ("accessory", "component"):
            if component.get(key) is not None:
                yield from walk((as_object(component[key]),))


def check_components(
    problems: Problems, path: str, components: tuple[JsonObject, ...], *, layout: bool, files: frozenset[str]
) -> None:
    """Note every component that Discord would refuse; `layout` is a components-v2 message, `files` its file names."""
    allowed = _LAYOUT | {Part.ROW} if layout else frozenset({Part.ROW})
    if not layout:
        problems.count(path, len(components), 0, _MAX_ROWS)
    _check_all(problems, path, components, allowed, files)
    parts = list(walk(components))
    if len(parts) > _MAX_PARTS and layout:
        problems.add(path, "COMPONENT_LIMIT_EXCEEDED", f"The total number of components exceeds {_MAX_PARTS}")
    if sum(len(text(part, "content")) for part in parts if number(part, "type") == Part.TEXT) > _MAX_TEXT:
        problems.add(path, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"The text exceeds {_MAX_TEXT} characters")
    check_unique(problems, path, parts)


def check_unique(problems: Problems, path: str, parts: list[JsonObject]) -> None:
    """Note custom ids that are used twice, too long or missing."""
    ids = [text(part, "custom_id") for part in parts if part.get("custom_id") is not None]
    if len(ids) != len(set(ids)):
        problems.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
    for custom_id in ids:
        problems.length(f"{path}.custom_id", custom_id, 1, 100)


def check_select(problems: Problems, path: str, select: JsonObject) -> None:
    """Note what is wrong with one select menu."""
    problems.length(f"{path}.custom_id", text(select, "custom_id"), 1, 100)
    problems.length(f"{path}.placeholder", text(select, "placeholder"), 0, 150)
    options = objects(select, "options")
    if number(select, "type") == Part.STRING_SELECT:
        problems.count(f"{path}.options", len(options), 1, 25)
        if number(select, "max_values", 1) > max(1, len(options)):
            problems.add(f"{path}.max_values", "NUMBER_TYPE_MAX", "More values than options")
    check_options(problems, path, options)


def check_options(problems: Problems, path: str, options: tuple[JsonObject, ...]) -> None:
    """Note what is wrong with the options of a select, radio group or checkbox group."""
    for index, option in enumerate(options):
        problems.length(f"{path}.options.{index}.label", text(option, "label"), 1, 100)
        problems.length(f"{path}.options.{index}.value", text(option, "value"), 1, 100)
        problems.length(f"{path}.options.{index}.description", text(option, "description"), 0, 100)
    values = [text(option, "value") for option in options]
    if len(values) != len(set(values)):
        problems.add(f"{path}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The value is used twice")


def _check_all(
    problems: Problems,
    path: str,
    components: tuple[JsonObject, ...],
    allowed: frozenset[Part],
    files: frozenset[str],
) -> None:
    for index, component in enumerate(components):
        here = f"{path}.{index}"
        kind = number(component, "type")
        if kind not in allowed:
            problems.add(f"{here}.type", "UNION_TYPE_CHOICES", f'Value of field "type" may not be {kind} here')
            continue
        _check(problems, here, component, Part(kind), files)


def _check(problems: Problems, path: str, part: JsonObject, kind: Part, files: frozenset[str]) -> None:
    inner = objects(part, "components")
    match kind:
        case Part.ROW:
            _check_row(problems, path, inner)
        case Part.CONTAINER:
            problems.count(f"{path}.components", len(inner), 1, _MAX_PARTS)
            _check_all(problems, f"{path}.components", inner, frozenset(_IN_CONTAINER), files)
        case Part.SECTION:
            problems.count(f"{path}.components", len(inner), 1, 3)
            _check_all(problems, f"{path}.components", inner, frozenset({Part.TEXT}), files)
            accessory = section(part, "accessory")
            if number(accessory, "type") == Part.BUTTON:
                _check_button(problems, f"{path}.accessory", accessory)
        case Part.TEXT:
            problems.length(f"{path}.content", text(part, "content"), 1, _MAX_TEXT)
        case Part.GALLERY:
            problems.count(f"{path}.items", len(objects(part, "items")), 1, 10)
        case Part.FILE:
            url = text(section(part, "file"), "url")
            if url.removeprefix("attachment://") not in files:
                problems.add(f"{path}.file.url", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", url)
        case _:
            pass


def _check_row(problems: Problems, path: str, inner: tuple[JsonObject, ...]) -> None:
    kinds = [number(each, "type") for each in inner]
    if any(kind in SELECTS for kind in kinds):
        problems.count(f"{path}.components", len(inner), 1, 1)
    else:
        problems.count(f"{path}.components", len(inner), 1, 5)
    for index, (kind, each) in enumerate(zip(kinds, inner, strict=True)):
        here = f"{path}.components.{index}"
        if kind == Part.BUTTON:
            _check_button(problems, here, each)
        elif kind in SELECTS:
            check_select(problems, here, each)
        else:
            problems.add(f"{here}.type", "UNION_TYPE_CHOICES", f'Value of field "type" may not be {kind} here')


def _check_button(problems: Problems, path: str, button: JsonObject) -> None:
    style = number(button, "style")
    problems.length(f"{path}.label", text(button, "label"), 0, 80)
    if style == LINK:
        problems.length(f"{path}.url", text(button, "url"), 1, 512)
    elif style != PREMIUM:
        problems.length(f"{path}.custom_id", text(button, "custom_id"), 1, 100)
    if not 1 <= style <= PREMIUM:
        problems.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of 1..6.")
    if style != PREMIUM and not text(button, "label") and not button.get("emoji"):
        problems.add(f"{path}.label", "BUTTON_COMPONENT_MISSING_LABEL", "A button must have a label or emoji")
    if style != LINK and flag(button, "url"):
        problems.add(f"{path}.url", "BUTTON_COMPONENT_URL", "Only a link button has a url")
