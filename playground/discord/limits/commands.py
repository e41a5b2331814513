"""Limits of application commands (discord.com/developers, "Application Commands"). Knows nothing of who uses them."""

import re
from collections import Counter
from collections.abc import Iterator

from playground.discord.refusal import Problems
from playground.discord.wire import JsonObject, flag, number, objects, real, text

CHAT, USER, MESSAGE = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, NUMBER = 1, 2, 3, 4, 10
_MOST = {CHAT: 100, USER: 15, MESSAGE: 15}
_NAME = re.compile(r"[-_'\w]{1,32}")
_MAX_CHARACTERS = 8000
_CHOOSABLE = frozenset({STRING, INTEGER, NUMBER})


def check_commands(commands: tuple[JsonObject, ...]) -> None:
    """Raise RefusalError 50035 for commands that Discord would refuse to register."""
    problems = Problems()
    counts = Counter(number(command, "type", CHAT) for command in commands)
    for kind, found in counts.items():
        if found > _MOST.get(kind, 1):
            problems.add("commands", "APPLICATION_COMMANDS_TOO_MANY", f"Maximum number of commands reached: {kind}")
    names = Counter((number(command, "type", CHAT), text(command, "name")) for command in commands)
    for index, command in enumerate(commands):
        _check_command(problems, str(index), command)
        if names[number(command, "type", CHAT), text(command, "name")] > 1:
            problems.add(f"{index}.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Command name is used twice")
    problems.raise_if_any()


def _check_command(problems: Problems, path: str, command: JsonObject) -> None:
    kind = number(command, "type", CHAT)
    if kind == CHAT:
        _check_name(problems, path, command)
        problems.length(f"{path}.description", text(command, "description"), 1, 100)
        _check_options(problems, path, objects(command, "options"), depth=0)
    else:
        problems.length(f"{path}.name", text(command, "name"), 1, 32)
        problems.length(f"{path}.description", text(command, "description"), 0, 0)
    if sum(len(part) for part in _parts(command)) > _MAX_CHARACTERS:
        problems.add(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_MAX_CHARACTERS})")


def _check_options(problems: Problems, path: str, options: tuple[JsonObject, ...], *, depth: int) -> None:
    problems.count(f"{path}.options", len(options), 0, 25)
    nested = {number(option, "type") <= GROUP for option in options}
    if nested == {True, False}:
        problems.add(f"{path}.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands beside options")
    seen_optional = False
    names = Counter(text(option, "name") for option in options)
    for index, option in enumerate(options):
        here = f"{path}.options.{index}"
        if names[text(option, "name")] > 1:
            problems.add(f"{here}.name", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option name is used twice")
        if flag(option, "required"):
            if seen_optional:
                message = "Required options must be placed before non-required options"
                problems.add(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        else:
            seen_optional = True
        _check_option(problems, here, option, depth=depth)


def _check_option(problems: Problems, path: str, option: JsonObject, *, depth: int) -> None:
    kind = number(option, "type")
    _check_name(problems, path, option)
    problems.length(f"{path}.description", text(option, "description"), 1, 100)
    if not SUBCOMMAND <= kind <= 11 or (kind == GROUP and depth > 0) or (kind == SUBCOMMAND and depth > 1):
        problems.add(f"{path}.type", "BASE_TYPE_CHOICES", f"Option type {kind} may not stand here")
    if kind in {SUBCOMMAND, GROUP}:
        _check_options(problems, path, objects(option, "options"), depth=depth + (1 if kind == GROUP else 2))
        return
    choices = objects(option, "choices")
    problems.count(f"{path}.choices", len(choices), 0, 25)
    if choices and (flag(option, "autocomplete") or kind not in _CHOOSABLE):
        problems.add(f"{path}.choices", "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID", "Choices may not stand here")
    if flag(option, "autocomplete") and kind not in _CHOOSABLE:
        problems.add(f"{path}.autocomplete", "APPLICATION_COMMAND_AUTOCOMPLETE_INVALID", "Cannot autocomplete this")
    for index, choice in enumerate(choices):
        problems.length(f"{path}.choices.{index}.name", text(choice, "name"), 1, 100)
        value = choice.get("value")
        if isinstance(value, str) is not (kind == STRING):
            problems.add(f"{path}.choices.{index}.value", "BASE_TYPE_BAD_TYPE", "The value has the wrong type")
        elif isinstance(value, str):
            problems.length(f"{path}.choices.{index}.value", value, 1, 100)
    _check_range(problems, path, option)


def _check_range(problems: Problems, path: str, option: JsonObject) -> None:
    if not 0 <= number(option, "min_length") <= 6000:
        problems.add(f"{path}.min_length", "NUMBER_TYPE_MAX", "int value should be between 0 and 6000.")
    if not 1 <= number(option, "max_length", 6000) <= 6000:
        problems.add(f"{path}.max_length", "NUMBER_TYPE_MAX", "int value should be between 1 and 6000.")
    low, high = real(option, "min_value"), real(option, "max_value")
    if low is not None and high is not None and low > high:
        problems.add(f"{path}.min_value", "NUMBER_TYPE_MAX", "min_value is above max_value")


def _check_name(problems: Problems, path: str, named: JsonObject) -> None:
    name = text(named, "name")
    if not _NAME.fullmatch(name) or name != name.lower():
        problems.add(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _parts(body: JsonObject) -> Iterator[str]:
    yield text(body, "name")
    yield text(body, "description")
    for choice in objects(body, "choices"):
        yield text(choice, "name")
        yield str(choice.get("value"))
    for option in objects(body, "options"):
        yield from _parts(option)
