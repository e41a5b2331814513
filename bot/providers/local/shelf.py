"""Voices on disk: for each a profile (`<id>.npz`) and a card (`<id>.json`). A voice is there when its card is.

Blocking; asked through a thread. Knows nothing of what a profile holds.
"""

import contextlib
import json
import os
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.errors import ProviderError
from bot.models import RemoteVoice
from bot.providers.base import VoiceEdit

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_TIMES = ("created_at", "updated_at")


def _damaged() -> ProviderError:
    return ProviderError("This voice's file is damaged. Delete the voice and clone it again.", kind="invalid")


def _missing() -> ProviderError:
    return ProviderError("This voice is no longer there. Clone it again.", kind="not_found")


def _to_json(voice: RemoteVoice) -> bytes:
    fields: dict[str, Any] = asdict(voice)
    for name in _TIMES:
        fields[name] = fields[name].isoformat() if fields[name] is not None else None
    return json.dumps(fields, ensure_ascii=False, indent=1).encode()


def _from_json(data: bytes) -> RemoteVoice:
    try:
        fields: dict[str, Any] = json.loads(data)
        for name in _TIMES:
            fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
        return RemoteVoice(**{**fields, "tags": tuple(fields["tags"]), "languages": tuple(fields["languages"])})
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged() from error


class Shelf:
    """Owns one folder of voices."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, voice: RemoteVoice, profile: bytes) -> None:
        """Keep a voice: its profile first, so that a card never stands alone. Replaces one of the same id."""
        try:
            self._write(self._path(voice.id, "npz"), profile)
            self._write(self._path(voice.id, "json"), _to_json(voice))
        except OSError as error:
            raise ProviderError(
                "The voice could not be saved: the disk refuses. Please try again later.", kind="server"
            ) from error

    def get(self, voice_id: str) -> RemoteVoice:
        """Read a card. Raises `not_found`, or `invalid` where it is damaged."""
        return _from_json(self._read(self._path(voice_id, "json"), _missing()))

    def profile(self, voice_id: str) -> bytes:
        """Read a profile as it was put."""
        self.get(voice_id)
        return self._read(self._path(voice_id, "npz"), _damaged())

    def edit(self, voice_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Change what a voice is called and who sees it."""
        given = {name: value for name, value in asdict(edit).items() if value is not None and name != "cover"}
        return self._change(replace(self.get(voice_id), **given, updated_at=datetime.now(UTC)))

    def remove(self, voice_id: str) -> None:
        """Take a voice away; nothing happens where there is none."""
        try:
            for kind in ("json", "npz"):
                self._path(voice_id, kind).unlink(missing_ok=True)
        except OSError as error:
            raise ProviderError("The voice could not be deleted: the disk refuses.", kind="server") from error

    def _change(self, voice: RemoteVoice) -> RemoteVoice:
        try:
            self._write(self._path(voice.id, "json"), _to_json(voice))
        except OSError as error:
            raise ProviderError("The voice could not be changed: the disk refuses.", kind="server") from error
        return voice

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file so that it is there whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise

    def _path(self, voice_id: str, kind: str) -> Path:
        if not _ID.fullmatch(voice_id):
            raise _missing()
        return self._folder / f"{voice_id}.{kind}"

    @staticmethod
    def _read(path: Path, missing: ProviderError) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise missing from error
        except OSError as error:
            raise _damaged() from error
