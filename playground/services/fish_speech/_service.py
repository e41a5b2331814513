"""The routes of the server, and the references and the engine behind them. Does not know how bodies are read."""

import asyncio
import math
import re
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from playground.services.fish_speech._answers import RefusedError, answer_faults, answer_reference
from playground.services.fish_speech._bodies import Addition, Deletion, Renaming, Speech, read
from playground.services.fish_speech._sounds import readable, tone, write_wav
from playground.services.service import Asked, Handler, Service
from playground.services.sound import Speak, babble, encode

_ID = re.compile(r"[a-zA-Z0-9\-_ ]+")
_MOST_ID = 255
_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


class FishSpeechService(Service):
    """Owns the references and the engine that speaks with them; with `api_key` every route wants it."""

    def __init__(self, *, speak: Speak = babble, api_key: str | None = None) -> None:
        super().__init__(speak=speak)
        self.keys: dict[str, float] = {} if api_key is None else {api_key: math.inf}
        """The keys that are taken; none: everybody is."""
        self.voices: dict[str, dict[str, Any]] = {}
        """What was added, by id: its `text`, `audio` and `filename`."""
        self.folders: set[str] = set()
        """Ids that were spoken with and are not there: they are not listed, and taken all the same."""
        self.spoke_by_default: list[str] = []
        """What was said in the voice of nobody, which is a plain high tone."""
        self.max_text_length = 0
        """Letters; 0: any."""
        self._engine = asyncio.Lock()
        for method, path, handler in (
            ("GET", "/v1/health", self._health),
            ("POST", "/v1/health", self._health),
            ("POST", "/v1/tts", self._tts),
            ("POST", "/v1/references/add", self._add),
            ("GET", "/v1/references/list", self._list),
            ("DELETE", "/v1/references/delete", self._delete),
            ("POST", "/v1/references/update", self._update),
        ):
            self.route(method, path, self._guarded(handler))

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(asked: Asked) -> web.StreamResponse:
            if self.keys and asked.key not in self.keys:
                return RefusedError(HTTPStatus.UNAUTHORIZED, "Invalid token").answer()
            try:
                return await handler(asked)
            except RefusedError as refusal:
                return refusal.answer()
            except ValidationError as error:
                return answer_faults(error)

        return answer

    async def _health(self, _: Asked) -> web.StreamResponse:
        return web.json_response({"status": "ok"})

    async def _tts(self, asked: Asked) -> web.StreamResponse:
        wish = read(Speech, asked)
        if self.max_text_length and len(wish.text) > self.max_text_length:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"Text is too long, max length is {self.max_text_length}")
        if wish.streaming and wish.format != "wav":
            raise RefusedError(HTTPStatus.BAD_REQUEST, "Streaming only supports WAV format")
        async with self._engine:
            known = self._load(wish)
            sound = await asyncio.to_thread(self._generate, wish, known=known)
            return await self.send_sound(
                asked,
                sound,
                content_type=_TYPES[wish.format],
                headers={"Content-Disposition": f"attachment; filename=audio.{wish.format}"},
            )

    def _load(self, wish: Speech) -> bool:
        """Say whether there is anything to speak like; an id wins over references, and an unknown one is no error."""
        audios = [each.audio for each in wish.references]
        if wish.reference_id is not None:
            if _wrong(wish.reference_id) is not None:
                raise _failed()
            voice = self.voices.get(wish.reference_id)
            if voice is None:
                self.folders.add(wish.reference_id)
            audios = [] if voice is None else [voice["audio"]]
        # libsndfile has no major format called pcm or opus
        if wish.format not in _TYPES or not wish.text.strip() or not all(readable(audio) for audio in audios):
            raise _failed()
        if not audios:
            self.spoke_by_default.append(wish.text)
        return bool(audios)

    def _generate(self, wish: Speech, *, known: bool) -> bytes:
        samples = self.speak(wish.text, 1.0)
        if not known:
            samples = tone(len(samples))
        return encode(samples, "mp3") if wish.format == "mp3" else write_wav(samples, streaming=wish.streaming)

    async def _add(self, asked: Asked) -> web.StreamResponse:
        wish = read(Addition, asked)
        about = {"reference_id": wish.id}
        wrong = _wrong(wish.id)
        if not wish.text.strip():
            wrong = "Reference text cannot be empty"
        elif not wish.audio.data:
            wrong = "Audio file is empty or could not be read"
        if wrong is not None:
            return answer_reference(asked, 400, wrong, about)
        if self._there(wish.id):
            return answer_reference(asked, 409, f"Reference ID '{wish.id}' already exists", about)
        self.voices[wish.id] = {"text": wish.text, "audio": wish.audio.data, "filename": wish.audio.filename}
        return answer_reference(asked, 200, f"Reference voice '{wish.id}' added successfully", about)

    async def _list(self, asked: Asked) -> web.StreamResponse:
        found = sorted(self.voices)
        return answer_reference(asked, 200, f"Found {len(found)} reference voices", {"reference_ids": found})

    async def _delete(self, asked: Asked) -> web.StreamResponse:
        gone = read(Deletion, asked).reference_id
        about = {"reference_id": gone}
        wrong = _wrong(gone)
        if wrong is not None:
            return answer_reference(asked, 400, wrong, about)
        if not self._there(gone):
            return answer_reference(asked, 404, f"Reference ID '{gone}' not found", about)
        self.voices.pop(gone, None)
        self.folders.discard(gone)
        return answer_reference(asked, 200, f"Reference voice '{gone}' deleted successfully", about)

    async def _update(self, asked: Asked) -> web.StreamResponse:
        wish = read(Renaming, asked)
        old, new = wish.old_reference_id, wish.new_reference_id
        about = {"old_reference_id": old, "new_reference_id": new}
        wrong = _wrong_renaming(old, new)
        if wrong is not None:
            return answer_reference(asked, 400, wrong, about)
        if not self._there(old):
            return answer_reference(asked, 404, f"Reference ID '{old}' not found", about)
        if self._there(new):
            return answer_reference(asked, 409, f"Reference ID '{new}' already exists", about)
        if old in self.voices:
            self.voices[new] = self.voices.pop(old)
        else:
            self.folders.symmetric_difference_update({old, new})
        return answer_reference(asked, 200, f"Reference voice renamed from '{old}' to '{new}' successfully", about)

    def _there(self, reference_id: str) -> bool:
        return reference_id in self.voices or reference_id in self.folders


def _wrong(reference_id: str) -> str | None:
    """Say why a reference cannot be called so."""
    if not reference_id.strip():
        return "Reference ID cannot be empty"
    if _ID.fullmatch(reference_id) is None:
        return (
            "Reference ID contains invalid characters. Only alphanumeric, hyphens, underscores, and spaces are allowed."
        )
    return "Reference ID is too long. Maximum length is 255 characters." if len(reference_id) > _MOST_ID else None


def _wrong_renaming(old: str, new: str) -> str | None:
    """Say why one reference cannot be called like the other."""
    if not old.strip():
        return "Old reference ID cannot be empty"
    if not new.strip():
        return "New reference ID cannot be empty"
    if old == new:
        return "New reference ID must be different from old reference ID"
    return None if _wrong(new) is None else "New reference ID contains invalid characters or is too long"


def _failed() -> RefusedError:
    return RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed to generate speech")
