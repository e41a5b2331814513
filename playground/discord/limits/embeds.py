"""Limits of embeds (discord.com/developers, "Embed Limits"). Knows nothing of the message around them."""

from collections.abc import Iterable

from playground.discord.refusal import Problems
from playground.discord.wire import JsonObject, objects, section, text

MAX_EMBEDS = 10
MAX_TOTAL = 6000
_LENGTHS = {"title": 256, "description": 4096}


def check_embeds(problems: Problems, path: str, embeds: tuple[JsonObject, ...]) -> None:
    """Note every embed that Discord would refuse."""
    problems.count(path, len(embeds), 0, MAX_EMBEDS)
    for index, embed in enumerate(embeds):
        _check(problems, f"{path}.{index}", embed)
    if sum(len(part) for embed in embeds for part in _parts(embed)) > MAX_TOTAL:
        problems.add(path, "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MAX_TOTAL}")


def _check(problems: Problems, path: str, embed: JsonObject) -> None:
    for key, high in _LENGTHS.items():
        problems.length(f"{path}.{key}", text(embed, key), 0, high)
    problems.length(f"{path}.footer.text", text(section(embed, "footer"), "text"), 0, 2048)
    problems.length(f"{path}.author.name", text(section(embed, "author"), "name"), 0, 256)
    for key in ("image", "thumbnail"):
        url = text(section(embed, key), "url", "https://")
        if not url.startswith(("https://", "http://", "attachment://")):
            problems.add(f"{path}.{key}.url", "URL_TYPE_INVALID_SCHEME", "Scheme must be one of http, https")
    fields = objects(embed, "fields")
    problems.count(f"{path}.fields", len(fields), 0, 25)
    for index, field in enumerate(fields):
        problems.length(f"{path}.fields.{index}.name", text(field, "name").strip(), 1, 256)
        problems.length(f"{path}.fields.{index}.value", text(field, "value").strip(), 1, 1024)
    if not any(part.strip() for part in _parts(embed)) and not (embed.get("image") or embed.get("thumbnail")):
        problems.add(f"{path}.description", "BASE_TYPE_REQUIRED", "This field is required")


def _parts(embed: JsonObject) -> Iterable[str]:
    yield from (text(embed, key) for key in _LENGTHS)
    yield text(section(embed, "footer"), "text")
    yield text(section(embed, "author"), "name")
    for field in objects(embed, "fields"):
        yield text(field, "name")
        yield text(field, "value")
