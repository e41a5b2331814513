"""Limits of modals (discord.com/developers, "Modal"). Knows nothing of who fills them in."""

from playground.discord.limits.components import (
    SELECTS,
    Part,
    check_options,
    check_select,
    check_unique,
    walk,
)
from playground.discord.refusal import Problems
from playground.discord.wire import JsonObject, number, objects, section, text

_GROUPS = frozenset({Part.RADIO_GROUP, Part.CHECKBOX_GROUP})


def check_modal(modal: JsonObject) -> None:
    """Raise RefusalError 50035 for a modal that Discord would refuse."""
    problems = Problems()
    problems.length("data.title", text(modal, "title"), 1, 45)
    problems.length("data.custom_id", text(modal, "custom_id"), 1, 100)
    components = objects(modal, "components")
    problems.count("data.components", len(components), 1, 5)
    for index, component in enumerate(components):
        _check(problems, f"data.components.{index}", component)
    check_unique(problems, "data.components", list(walk(components)))
    problems.raise_if_any()


def inputs(modal: JsonObject) -> tuple[tuple[str, JsonObject], ...]:
    """Return what a member can fill in: each with the label they read."""
    found: list[tuple[str, JsonObject]] = []
    for component in objects(modal, "components"):
        match number(component, "type"):
            case Part.ROW:
                found.extend((text(each, "label"), each) for each in objects(component, "components"))
            case Part.LABEL:
                found.append((text(component, "label"), section(component, "component")))
    return tuple(found)


def _check(problems: Problems, path: str, component: JsonObject) -> None:
    match number(component, "type"):
        case Part.ROW:
            inner = objects(component, "components")
            problems.count(f"{path}.components", len(inner), 1, 1)
            for each in inner:
                problems.length(f"{path}.components.0.label", text(each, "label"), 1, 45)
                _check_input(problems, f"{path}.components.0", each)
        case Part.LABEL:
            problems.length(f"{path}.label", text(component, "label"), 1, 45)
            problems.length(f"{path}.description", text(component, "description"), 0, 100)
            _check_input(problems, f"{path}.component", section(component, "component"))
        case Part.TEXT:
            problems.length(f"{path}.content", text(component, "content"), 1, 4000)
        case other:
            problems.add(f"{path}.type", "UNION_TYPE_CHOICES", f'Value of field "type" may not be {other} here')


def _check_input(problems: Problems, path: str, component: JsonObject) -> None:
    kind = number(component, "type")
    problems.length(f"{path}.custom_id", text(component, "custom_id"), 1, 100)
    if kind == Part.TEXT_INPUT:
        problems.length(f"{path}.placeholder", text(component, "placeholder"), 0, 100)
        problems.length(f"{path}.value", text(component, "value"), 0, 4000)
        if not 1 <= number(component, "max_length", 4000) <= 4000:
            problems.add(f"{path}.max_length", "NUMBER_TYPE_MAX", "int value should be between 1 and 4000.")
    elif kind in SELECTS:
        check_select(problems, path, component)
    elif kind in _GROUPS:
        options = objects(component, "options")
        problems.count(f"{path}.options", len(options), 1, 10)
        check_options(problems, path, options)
    elif kind == Part.FILE_UPLOAD:
        if not 1 <= number(component, "max_values", 1) <= 10:
            problems.add(f"{path}.max_values", "NUMBER_TYPE_MAX", "int value should be between 1 and 10.")
    elif kind != Part.CHECKBOX:
        problems.add(f"{path}.type", "UNION_TYPE_CHOICES", f'Value of field "type" may not be {kind} here')
