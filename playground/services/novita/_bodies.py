"""The bodies that the routes take, read as they call themselves. Knows no voice and no account."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, Strict, ValidationError

from playground.services.novita._refusals import because
from playground.services.service import Asked, ServiceBreachError, Upload
from playground.services.sound import Form

Encoding = Literal["multipart", "json_base64", "json_url"]
Visibility = Literal["public", "unlist", "private"]

_LISTS = {"voices", "texts", "tags"}
_MAGIC = (b"RIFF", b"OggS", b"fLaC", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\x1aE\xdf\xa3")
_RATES: Mapping[Form, tuple[int, ...]] = {
    "mp3": (32_000, 44_100),
    "wav": (8_000, 16_000, 24_000, 32_000, 44_100),
    "pcm": (8_000, 16_000, 24_000, 32_000, 44_100),
    "opus": (48_000,),
}
_Share = Annotated[float, Field(ge=0, le=1)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Prosody(Body):
    speed: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0
    volume: float = 0.0


class S2Prosody(Prosody):
    normalize_loudness: bool = True


class PackedReference(Body):
    """A recording as bytes, which only msgpack can carry."""

    audio: Annotated[bytes, Strict()] = Field(repr=False)
    text: str


class WrittenReference(Body):
    """A recording as base64 or as a link."""

    audio: str = Field(repr=False)
    text: str = ""


class Line(Body):
    """What both routes of speech take."""

    text: str
    temperature: _Share = 0.9
    top_p: _Share = 0.9
    chunk_length: Annotated[int, Field(ge=100, le=300)] = 200
    normalize: bool = True
    format: Form = "mp3"
    sample_rate: int | None = None
    mp3_bitrate: Literal[64, 128, 192] = 128

    @property
    def rate(self) -> int:
        """Samples a second, as asked or as usual."""
        return self.sample_rate or (48_000 if self.format == "opus" else 44_100)


class OldLine(Line):
    """POST /v4beta/txt2speech."""

    references: tuple[PackedReference, ...] | None = None
    reference_id: str | None = None
    prosody: Prosody | None = None
    opus_bitrate: Literal[-1000, 24, 32, 48, 64] = 32
    latency: Literal["normal", "balanced"] = "normal"


class S2Line(Line):
    """POST /v3/fish-audio-s2-pro-text-to-speech."""

    references: tuple[WrittenReference, ...] | None = None
    reference_id: str | tuple[str, ...] | None = None
    prosody: S2Prosody | None = None
    opus_bitrate: Literal[-1000, 24_000, 32_000, 48_000, 64_000] = -1000
    latency: Literal["low", "normal", "balanced"] = "normal"
    min_chunk_length: Annotated[int, Field(ge=0, le=100)] = 50
    max_new_tokens: int = 1024
    repetition_penalty: float = 1.2
    early_stop_threshold: _Share = 1.0
    condition_on_previous_chunks: bool = True


class Clone(Body):
    """POST /v4beta/model, but for the files."""

    type: Literal["tts"]
    title: Annotated[str, Field(min_length=1)]
    train_mode: Literal["fast"]
    visibility: Visibility = "public"
    description: str | None = None
    texts: Annotated[tuple[str, ...], Field(max_length=20)] | None = None
    tags: tuple[str, ...] | None = None
    enhance_audio_quality: bool = False


class FormClone(Clone):
    voices: Annotated[tuple[InstanceOf[Upload], ...], Field(min_length=1, max_length=20)]
    cover_image: InstanceOf[Upload] | None = None

    @property
    def encoding(self) -> Encoding:
        return "multipart"

    def recordings(self) -> tuple[bytes, ...]:
        """Give the recordings, each of which must look like sound."""
        return tuple(_sound(voice.data) for voice in self.voices)


class JsonClone(Clone):
    voices: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
    cover_image: str | None = None

    @property
    def encoding(self) -> Encoding:
        linked = all(voice.startswith(("https://", "http://")) for voice in self.voices)
        return "json_url" if linked else "json_base64"

    def recordings(self) -> tuple[bytes, ...]:
        """Give the recordings; none for links, which nobody fetches here."""
        return () if self.encoding == "json_url" else tuple(_sound(_decoded(voice)) for voice in self.voices)


_Known = TypeVar("_Known", bound=Body)


def read_clone(asked: Asked, encodings: frozenset[Encoding]) -> FormClone | JsonClone:
    """Read what a voice is made of, where its encoding is one of these."""
    wish: FormClone | JsonClone
    if asked.media_type == "multipart/form-data" and "multipart" in encodings:
        wish = _judge(FormClone, _fields(asked), asked)
    elif asked.media_type == "application/json" and encodings & {"json_base64", "json_url"}:
        wish = _judge(JsonClone, _content(asked), asked)
    else:
        raise because("INVALID_REQUEST_BODY")
    if wish.encoding not in encodings:
        raise because("INVALID_REQUEST_BODY", "voices: invalid value")
    if wish.texts and len(wish.texts) != len(wish.voices):
        raise because("INVALID_REQUEST_BODY", "texts: one is needed for each of voices")
    if wish.visibility == "public" and not wish.cover_image:
        raise because("INVALID_REQUEST_BODY", "cover_image: required if the model is public")
    return wish


def read_line(asked: Asked, line: type[_Known], *, packs: bool) -> _Known:
    """Read what is to be said, as JSON or, where that is taken, as msgpack."""
    packed = packs and "msgpack" in asked.media_type
    if not packed and asked.media_type != "application/json":
        raise because("INVALID_REQUEST_BODY")
    return _judge(line, _content(asked), asked)


def seek_rate(line: Line) -> None:
    """Refuse a rate that the format does not come at."""
    if line.rate not in _RATES[line.format]:
        raise because("INVALID_REQUEST_BODY", f"sample_rate: {line.rate} is not one of {_RATES[line.format]}")


def _judge(body: type[_Known], content: Any, asked: Asked) -> _Known:
    try:
        return body.model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        unknown = [fault["loc"] for fault in faults if fault["type"] == "extra_forbidden"]
        if unknown:
            raise ServiceBreachError(f"{asked.method} {asked.path} has no field {unknown}") from error
        told = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise because("INVALID_REQUEST_BODY", told) from error


def _fields(asked: Asked) -> dict[str, Any]:
    return {name: values if name in _LISTS else values[-1] for name, values in (asked.form or {}).items()}


def _content(asked: Asked) -> Any:
    try:
        return asked.content()
    except ValueError as error:
        raise because("INVALID_REQUEST_BODY") from error


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise because("INVALID_AUDIO_FILE") from error


def _sound(data: bytes) -> bytes:
    if data.startswith(_MAGIC) or data[4:8] == b"ftyp":
        return data
    raise because("INVALID_AUDIO_FILE")
