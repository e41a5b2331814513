"""Limits of messages (discord.com/developers, "Message"). Knows nothing of where they go."""

from playground.discord.limits.components import check_components
from playground.discord.limits.embeds import check_embeds
from playground.discord.limits.voice_messages import check_voice_message
from playground.discord.refusal import Problems, RefusalError
from playground.discord.wire import JsonObject, flag, number, objects, section, text, texts
from playground.discord.world.drafts import Draft, MessageFlag

_MAX_CONTENT, _MAX_FILES = 2000, 10


def check_draft(draft: Draft, *, path: str = "", file_limit: int, old_files: frozenset[str] = frozenset()) -> None:
    """Check what a message shall say; `path` leads to it inside the form ("data." in a callback).

    `old_files` are the names of files an edited message has. Raises RefusalError 50035 for a bad form,
    40005 for a file above `file_limit`.
    """
    problems = Problems()
    layout = bool(draft.flags & MessageFlag.COMPONENTS_V2)
    problems.length(f"{path}content", draft.content or "", 0, _MAX_CONTENT)
    check_embeds(problems, f"{path}embeds", draft.embeds or ())
    files = frozenset(upload.filename for upload in draft.uploads) | old_files
    check_components(problems, f"{path}components", draft.components or (), layout=layout, files=files)
    if layout and (draft.content or draft.embeds):
        problems.add(f"{path}content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "No content, no embeds")
    problems.count(f"{path}attachments", len(draft.uploads) + len(draft.kept or ()), 0, _MAX_FILES)
    if draft.mentions is not None:
        _check_mentions(problems, f"{path}allowed_mentions", draft.mentions)
    problems.raise_if_any()
    if any(len(upload.data) > file_limit for upload in draft.uploads):
        raise RefusalError(413, 40005, "Request entity too large")
    if draft.flags & MessageFlag.VOICE:
        check_voice_message(draft, path=path)


def check_not_empty(draft: Draft) -> None:
    """Raise RefusalError 50006 where a new message would show nothing."""
    if not ((draft.content or "").strip() or draft.embeds or draft.components or draft.uploads):
        raise RefusalError(400, 50006, "Cannot send an empty message")


def check_choices(choices: tuple[JsonObject, ...]) -> None:
    """Raise RefusalError 50035 for autocomplete choices that Discord would refuse."""
    problems = Problems()
    problems.count("data.choices", len(choices), 0, 25)
    for index, choice in enumerate(choices):
        problems.length(f"data.choices.{index}.name", text(choice, "name"), 1, 100)
        value = choice.get("value")
        if isinstance(value, str):
            problems.length(f"data.choices.{index}.value", value, 1, 100)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            problems.add(f"data.choices.{index}.value", "BASE_TYPE_REQUIRED", "This field is required")
    problems.raise_if_any()


def _check_mentions(problems: Problems, path: str, mentions: JsonObject) -> None:
    parse = texts(mentions, "parse")
    for kind in ("users", "roles"):
        listed = texts(mentions, kind)
        problems.count(f"{path}.{kind}", len(listed), 0, 100)
        if kind in parse and listed:
            problems.add(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f'parse:["{kind}"] and {kind}: [ids]')
    if not set(parse) <= {"users", "roles", "everyone"}:
        problems.add(f"{path}.parse", "BASE_TYPE_CHOICES", "Value must be one of {'users', 'roles', 'everyone'}.")


def draft_of(data: JsonObject) -> Draft:
    """Read the fields of a message form, without its files."""
    return Draft(
        content=text(data, "content") if "content" in data else None,
        embeds=objects(data, "embeds") if "embeds" in data else None,
        components=objects(data, "components") if "components" in data else None,
        flags=number(data, "flags"),
        mentions=_mentions(data),
        nonce=None if data.get("nonce") is None else str(data["nonce"]),
        once=flag(data, "enforce_nonce"),
        reply_to=_replied(data),
        reply_must_exist=flag(section(data, "message_reference"), "fail_if_not_exists", default=True),
    )


def _mentions(data: JsonObject) -> JsonObject | None:
    value = data.get("allowed_mentions")
    return value if isinstance(value, dict) else None


def _replied(data: JsonObject) -> int | None:
    reference = data.get("message_reference")
    return number(reference, "message_id") if isinstance(reference, dict) and not flag(data, "type") else None
