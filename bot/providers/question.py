"""What is asked of a service and what it answers, as values. Sends nothing."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp

from bot.providers.faults import parse

Method = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a multipart form (RFC 7578)."""

    name: str
    value: str | bytes = field(repr=False)
    filename: str | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request. At most one of `json`, `raw` and `form` is its body; each is sent with its length."""

    method: Method
    path: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    raw: bytes | None = field(default=None, repr=False)
    form: tuple[Part, ...] = ()
    party: int = 0
    idempotent: bool = False
    """Of a POST: it reads, or sets what it would set again (RFC 9110 section 9.2.2)."""

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when it is not known what became of it."""
        return self.idempotent or self.method != "POST"

    def body(self) -> aiohttp.FormData | io.BytesIO | None:
        """Build the body anew for each attempt, as something that has a length and is sent bit by bit."""
        if self.json is not None:
            return io.BytesIO(json.dumps(self.json).encode())
        if not self.form:
            return None if self.raw is None else io.BytesIO(self.raw)
        form = aiohttp.FormData(default_to_multipart=True)
        for part in self.form:
            value = io.BytesIO(part.value) if isinstance(part.value, bytes) else part.value
            form.add_field(part.name, value, filename=part.filename, content_type=part.media_type)
        return form

    def all_headers(self) -> dict[str, str]:
        """Name the type of a JSON body."""
        return {**self.headers, **({"Content-Type": "application/json"} if self.json is not None else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that was read whole."""

    status: int
    body: bytes = field(repr=False)

    @property
    def content(self) -> Any:
        """The body as JSON or msgpack where it is either, else as text."""
        return parse(self.body)
