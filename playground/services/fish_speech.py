"""A Fish Speech server of one's own, as `tools/api_server.py` of github.com/fishaudio/fish-speech serves it.

One model, one generation at a time, voices in folders. Knows no account and no credit. What its routes are asked with
and do not know is a breach; the shape of a refused body is not published and is kui's list of faults here.
"""

import asyncio
import base64
import binascii
import io
import math
import re
import wave
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import ormsgpack
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, field_validator

from playground.services.service import Asked, Handler, Service, ServiceBreachError, Upload
from playground.services.sound import RATE, Samples, Speak, babble, encode

_ID = re.compile(r"[a-zA-Z0-9\-_ ]+")
_MOST_ID = 255
_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_HEADS = (b"RIFF", b"OggS", b"ID3", b"\xff", b"fLaC", b"\x1aE\xdf\xa3")
_STRANGERS_PITCH = 880.0


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


_Known = TypeVar("_Known", bound=_Body)


class _Reference(_Body):
    audio: bytes
    text: str

    @field_validator("audio", mode="before")
    @classmethod
    def _decode(cls, audio: object) -> object:
        """Take base64 where a text is too long to be a path."""
        if isinstance(audio, str) and len(audio) > _MOST_ID:
            try:
                return base64.b64decode(audio, validate=True)
            except binascii.Error:
                return audio
        return audio


class _Speech(_Body):
    text: str
    chunk_length: Annotated[int, Field(ge=100, le=1000, strict=True)] = 200
    format: Literal["wav", "pcm", "mp3", "opus"] = "wav"
    latency: Literal["normal", "balanced"] = "normal"
    references: tuple[_Reference, ...] = ()
    reference_id: str | None = None
    seed: int | None = None
    use_memory_cache: Literal["on", "off"] = "off"
    normalize: bool = True
    streaming: bool = False
    max_new_tokens: int = 1024
    top_p: Annotated[float, Field(ge=0.1, le=1.0, strict=True)] = 0.8
    repetition_penalty: Annotated[float, Field(ge=0.9, le=2.0, strict=True)] = 1.1
    temperature: Annotated[float, Field(ge=0.1, le=1.0, strict=True)] = 0.8


class _Addition(_Body):
    id: str
    audio: InstanceOf[Upload]
    text: str


class _Deletion(_Body):
    reference_id: str


class _Renaming(_Body):
    old_reference_id: str
    new_reference_id: str


class _RefusedError(Exception):
    """What is answered as {"statusCode", "message", "error"}."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


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
            try:
                if self.keys and asked.key not in self.keys:
                    raise _RefusedError(HTTPStatus.UNAUTHORIZED, "Invalid token")
                return await handler(asked)
            except _RefusedError as refusal:
                status = refusal.status
                body = {"statusCode": status.value, "message": refusal.message, "error": status.phrase}
                return web.json_response(body, status=status)
            except ValidationError as fault:
                faults = [{**each, "in": "body"} for each in fault.errors(include_url=False, include_input=False)]
                return web.json_response(faults, status=HTTPStatus.UNPROCESSABLE_ENTITY)

        return answer

    async def _health(self, _: Asked) -> web.StreamResponse:
        return web.json_response({"status": "ok"})

    async def _tts(self, asked: Asked) -> web.StreamResponse:
        wish = _read(_Speech, asked)
        if self.max_text_length and len(wish.text) > self.max_text_length:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, f"Text is too long, max length is {self.max_text_length}")
        if wish.streaming and wish.format != "wav":
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "Streaming only supports WAV format")
        async with self._engine:
            known = self._load(wish)
            sound = await asyncio.to_thread(self._generate, wish, known=known)
            return await self.send_sound(
                asked,
                sound,
                content_type=_TYPES[wish.format],
                headers={"Content-Disposition": f"attachment; filename=audio.{wish.format}"},
            )

    def _load(self, wish: _Speech) -> bool:
        """Find what a line is to be spoken with; an id wins over references, and an unknown one is made a folder."""
        audios = [each.audio for each in wish.references]
        if wish.reference_id is not None:
            if _wrong(wish.reference_id) is not None:
                raise _failed()
            voice = self.voices.get(wish.reference_id)
            if voice is None:
                self.folders.add(wish.reference_id)
            audios = [] if voice is None else [voice["audio"]]
        if not all(audio.startswith(_HEADS) or audio[4:8] == b"ftyp" for audio in audios):
            raise _failed()
        # libsndfile has no major format of these names
        if wish.format in {"pcm", "opus"} or not wish.text.strip():
            raise _failed()
        if not audios:
            self.spoke_by_default.append(wish.text)
        return bool(audios)

    def _generate(self, wish: _Speech, *, known: bool) -> bytes:
        samples = self.speak(wish.text, 1.0)
        if not known:
            samples = _tone(len(samples))
        return encode(samples, "mp3") if wish.format == "mp3" else _wav(samples, streaming=wish.streaming)

    async def _add(self, asked: Asked) -> web.StreamResponse:
        wish = _read(_Addition, asked)
        about = {"reference_id": wish.id}
        if not wish.text.strip():
            return _answer(asked, 400, "Reference text cannot be empty", about)
        if not wish.audio.data:
            return _answer(asked, 400, "Audio file is empty or could not be read", about)
        wrong = _wrong(wish.id)
        if wrong is not None:
            return _answer(asked, 400, wrong, about)
        if self._there(wish.id):
            return _answer(asked, 409, f"Reference ID '{wish.id}' already exists", about)
        self.voices[wish.id] = {"text": wish.text, "audio": wish.audio.data, "filename": wish.audio.filename}
        return _answer(asked, 200, f"Reference voice '{wish.id}' added successfully", about)

    async def _list(self, asked: Asked) -> web.StreamResponse:
        found = sorted(self.voices)
        return _answer(asked, 200, f"Found {len(found)} reference voices", {"reference_ids": found})

    async def _delete(self, asked: Asked) -> web.StreamResponse:
        wish = _read(_Deletion, asked)
        about = {"reference_id": wish.reference_id}
        wrong = _wrong(wish.reference_id)
        if wrong is not None:
            return _answer(asked, 400, wrong, about)
        if not self._there(wish.reference_id):
            return _answer(asked, 404, f"Reference ID '{wish.reference_id}' not found", about)
        self.voices.pop(wish.reference_id, None)
        self.folders.discard(wish.reference_id)
        return _answer(asked, 200, f"Reference voice '{wish.reference_id}' deleted successfully", about)

    async def _update(self, asked: Asked) -> web.StreamResponse:
        wish = _read(_Renaming, asked)
        old, new = wish.old_reference_id, wish.new_reference_id
        about = {"old_reference_id": old, "new_reference_id": new}
        if not old.strip():
            return _answer(asked, 400, "Old reference ID cannot be empty", about)
        if not new.strip():
            return _answer(asked, 400, "New reference ID cannot be empty", about)
        if old == new:
            return _answer(asked, 400, "New reference ID must be different from old reference ID", about)
        if _wrong(new) is not None:
            return _answer(asked, 400, "New reference ID contains invalid characters or is too long", about)
        if not self._there(old):
            return _answer(asked, 404, f"Reference ID '{old}' not found", about)
        if self._there(new):
            return _answer(asked, 409, f"Reference ID '{new}' already exists", about)
        if old in self.voices:
            self.voices[new] = self.voices.pop(old)
        else:
            self.folders.symmetric_difference_update({old, new})
        return _answer(asked, 200, f"Reference voice renamed from '{old}' to '{new}' successfully", about)

    def _there(self, reference_id: str) -> bool:
        return reference_id in self.voices or reference_id in self.folders


def _read(body: type[_Known], asked: Asked) -> _Known:
    """Read a body as it calls itself; a field that no such route has is a breach."""
    try:
        return body.model_validate(_content(asked))
    except ValidationError as error:
        unknown = [fault["loc"] for fault in error.errors() if fault["type"] == "extra_forbidden"]
        if unknown:
            raise ServiceBreachError(f"{asked.method} {asked.path} has no field {unknown}") from error
        raise


def _content(asked: Asked) -> Any:
    if asked.media_type == "multipart/form-data":
        return {name: values[-1] for name, values in (asked.form or {}).items()}
    if asked.media_type not in {"application/json", "application/msgpack"}:
        raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")
    try:
        return asked.content()
    except ValueError as error:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "Malformed body") from error


def _wrong(reference_id: str) -> str | None:
    """Say why a reference cannot be called so."""
    if not reference_id.strip():
        return "Reference ID cannot be empty"
    if _ID.fullmatch(reference_id) is None:
        return (
            "Reference ID contains invalid characters. Only alphanumeric, hyphens, underscores, and spaces are allowed."
        )
    return "Reference ID is too long. Maximum length is 255 characters." if len(reference_id) > _MOST_ID else None


def _failed() -> _RefusedError:
    return _RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "Failed to generate speech")


def _answer(asked: Asked, status: int, message: str, about: Mapping[str, Any]) -> web.Response:
    """Answer as /v1/references/* does: in MessagePack, unless JSON and nothing else is wanted."""
    body = {"success": status < 400, "message": message, **about}
    if _wants_json(asked):
        return web.json_response(body, status=status)
    return web.Response(body=ormsgpack.packb(body), status=status, content_type="application/msgpack")


def _wants_json(asked: Asked) -> bool:
    wanted = asked.query.get("format", [""])[-1].strip().lower()
    if wanted in {"json", "msgpack", "application/msgpack"}:
        return wanted == "json"
    accepted = asked.headers.get("accept", "").lower()
    return "application/json" in accepted and "application/msgpack" not in accepted


def _tone(count: int) -> Samples:
    return np.asarray(0.2 * np.sin(2 * np.pi * _STRANGERS_PITCH * np.arange(count) / RATE), dtype=np.float32)


def _wav(samples: Samples, *, streaming: bool) -> bytes:
    """Write a WAV file; one that is streamed says in its head that it has no sound."""
    values = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    head = io.BytesIO()
    with wave.open(head, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        if not streaming:
            file.writeframes(values)
    return head.getvalue() + (values if streaming else b"")
