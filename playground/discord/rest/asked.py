"""One request as the routes see it, its form and files read (JSON, or multipart with payload_json). Knows no route."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiohttp import BodyPartReader, web

from playground.discord.limits.messages import draft_of
from playground.discord.wire import Json, JsonObject, WireError, as_object, number, objects, parse, real, text
from playground.discord.world.drafts import Draft, Upload

_FILE = re.compile(r"files\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: `names` are the variable parts of its path, `files` its uploads by number: name, type, bytes."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str | None
    body: Json = None
    files: Mapping[int, tuple[str, str | None, bytes]] | None = None
    names: Mapping[str, str] | None = None

    def id(self, name: str) -> int:
        """Return an id from the path."""
        value = (self.names or {})[name]
        if not value.isdecimal():
            raise WireError(f"{name}: not a snowflake")
        return int(value)

    def word(self, name: str) -> str:
        """Return a variable part of the path."""
        return (self.names or {})[name]

    def form(self) -> JsonObject:
        """Return the JSON object that was sent, empty where there was no body."""
        return {} if self.body is None else as_object(self.body)

    def draft(self, data: JsonObject) -> Draft:
        """Read a message form, with the files its `attachments` describe."""
        files = self.files or {}
        told = {number(each, "id"): each for each in objects(data, "attachments")}
        uploads = tuple(
            Upload(
                filename=text(told.get(index, {}), "filename", name),
                data=content,
                description=text(told.get(index, {}), "description") or None,
                duration=real(told.get(index, {}), "duration_secs"),
                waveform=text(told.get(index, {}), "waveform") or None,
                content_type=kind,
            )
            for index, (name, kind, content) in sorted(files.items())
        )
        kept = frozenset(told) - frozenset(files) if "attachments" in data else None
        return replace(draft_of(data), uploads=uploads, kept=kept)


async def read(request: web.Request, path: str) -> Asked:
    """Read a request; raises WireError for a body that is neither JSON nor Discord's multipart."""
    asked = Asked(request.method, path, dict(request.query), request.headers.get("Authorization"))
    if request.content_type == "multipart/form-data":
        return await _read_parts(request, asked)
    body = await request.read()
    return replace(asked, body=parse(body)) if body else asked


async def _read_parts(request: web.Request, asked: Asked) -> Asked:
    body: Json = None
    files: dict[int, tuple[str, str | None, bytes]] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise WireError("a multipart within a multipart")
        content = bytes(await part.read())
        numbered = _FILE.fullmatch(part.name or "")
        if part.name == "payload_json":
            body = parse(content)
        elif numbered is not None:
            files[int(numbered[1])] = (part.filename or "unknown", part.headers.get("Content-Type"), content)
        else:
            raise WireError(f"unknown part {part.name!r}")
    return replace(asked, body=body, files=files)
