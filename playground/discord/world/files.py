"""Uploaded files and their signed addresses (discord.com/developers, "Signed Attachment CDN URLs").

Knows neither messages nor HTTP.
"""

import hashlib
import hmac
import mimetypes
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from playground.discord.clock import Clock
from playground.discord.refusal import RefusalError
from playground.discord.snowflakes import Snowflakes
from playground.discord.wire import Json, JsonObject

_LASTS = timedelta(hours=24)
# what Discord says of names that Python's table knows otherwise or not at all
_TYPES = {
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/opus",
    ".wav": "audio/x-wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".flac": "audio/x-flac",
    ".webm": "video/webm",
    ".mp4": "video/mp4",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".png": "image/png",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """An uploaded file; `path` is its place on the CDN."""

    id: int
    filename: str
    data: bytes
    path: str
    ephemeral: bool = False
    description: str | None = None
    duration: float | None = None
    waveform: str | None = None

    @property
    def content_type(self) -> str | None:
        """The type Discord guesses from the name, None where it has no idea."""
        ending = f".{self.filename.rpartition('.')[2].lower()}" if "." in self.filename else ""
        return _TYPES.get(ending) or mimetypes.guess_type(self.filename)[0]


class Files:
    """Owns every uploaded file and the key that signs addresses."""

    def __init__(self, clock: Clock, snowflakes: Snowflakes) -> None:
        self._clock = clock
        self._snowflakes = snowflakes
        self._key = secrets.token_bytes(32)
        self._by_path: dict[str, Attachment] = {}

    def add(
        self,
        filename: str,
        data: bytes,
        *,
        home_id: int,
        ephemeral: bool = False,
        description: str | None = None,
        duration: float | None = None,
        waveform: str | None = None,
    ) -> Attachment:
        """Keep a file under `home_id` (its channel, or the application for what a command was given)."""
        name = re.sub(r"[^A-Za-z0-9_.\-]", "", filename.replace(" ", "_")) or "unknown"
        file_id = self._snowflakes.next()
        folder = "ephemeral-attachments" if ephemeral else "attachments"
        path = f"/{folder}/{home_id}/{file_id}/{name}"
        made = Attachment(file_id, name, data, path, ephemeral, description, duration, waveform)
        self._by_path[path] = made
        return made

    def remove(self, attachment: Attachment) -> None:
        """Forget a file: its address answers 404 from now on."""
        self._by_path.pop(attachment.path, None)

    def payload(self, attachment: Attachment) -> JsonObject:
        """Return the attachment object, its addresses signed for the next 24 hours."""
        signed = f"{attachment.path}?{self._signature(attachment.path)}"
        data: dict[str, Json] = {
            "id": str(attachment.id),
            "filename": attachment.filename,
            "size": len(attachment.data),
            "url": f"https://cdn.discordapp.com{signed}",
            "proxy_url": f"https://media.discordapp.net{signed}",
        }
        if attachment.content_type is not None:
            data["content_type"] = attachment.content_type
        if attachment.ephemeral:
            data["ephemeral"] = True
        if attachment.description is not None:
            data["description"] = attachment.description
        if attachment.duration is not None:
            data["duration_secs"] = attachment.duration
        if attachment.waveform is not None:
            data["waveform"] = attachment.waveform
        return data

    def fetch(self, path: str, query: Mapping[str, str]) -> Attachment:
        """Return the file at a signed address.

        Raises RefusalError 404 for an unknown, unsigned or expired address, 403 for a wrong signature.
        """
        found = self._by_path.get(path)
        try:
            expires, issued = int(query["ex"], 16), int(query["is"], 16)
            given = query["hm"]
        except (KeyError, ValueError) as error:
            raise RefusalError(404, 0, "This content is no longer available.") from error
        if not hmac.compare_digest(given, self._mac(path, expires, issued)):
            raise RefusalError(403, 0, "Forbidden")
        if found is None or expires <= self._clock.now().timestamp():
            raise RefusalError(404, 0, "This content is no longer available.")
        return found

    def _signature(self, path: str) -> str:
        now = self._clock.now()
        issued, expires = int(now.timestamp()), int((now + _LASTS).timestamp())
        return f"ex={expires:x}&is={issued:x}&hm={self._mac(path, expires, issued)}&"

    def _mac(self, path: str, expires: int, issued: int) -> str:
        return hmac.new(self._key, f"{path}:{expires}:{issued}".encode(), hashlib.sha256).hexdigest()
