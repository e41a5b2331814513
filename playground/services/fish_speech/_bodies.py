"""The bodies its routes take, read as they call themselves. Knows no voice and no sound."""

import base64
import binascii
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, field_validator

from playground.services.fish_speech._answers import RefusedError
from playground.services.service import Asked, ServiceBreachError, Upload

_LONGEST_PATH = 255


class Body(BaseModel):
    """A body in which nothing is unknown."""

    model_config = ConfigDict(extra="forbid")


_Known = TypeVar("_Known", bound=Body)


class Reference(Body):
    """A recording sent along with a line."""

    audio: bytes
    text: str

    @field_validator("audio", mode="before")
    @classmethod
    def _decode(cls, audio: object) -> object:
        """Take base64 where a text is too long to be a path."""
        if isinstance(audio, str) and len(audio) > _LONGEST_PATH:
            try:
                return base64.b64decode(audio, validate=True)
            except binascii.Error:
                return audio
        return audio


class Speech(Body):
    """ServeTTSRequest."""

    text: str
    chunk_length: Annotated[int, Field(ge=100, le=1000, strict=True)] = 200
    format: Literal["wav", "pcm", "mp3", "opus"] = "wav"
    latency: Literal["normal", "balanced"] = "normal"
    references: tuple[Reference, ...] = ()
    reference_id: str | None = None
    seed: int | None = None
    use_memory_cache: Literal["on", "off"] = "off"
    normalize: bool = True
    streaming: bool = False
    max_new_tokens: int = 1024
    top_p: Annotated[float, Field(ge=0.1, le=1.0, strict=True)] = 0.8
    repetition_penalty: Annotated[float, Field(ge=0.9, le=2.0, strict=True)] = 1.1
    temperature: Annotated[float, Field(ge=0.1, le=1.0, strict=True)] = 0.8


class Addition(Body):
    """The form of /v1/references/add, its file still one."""

    id: str
    audio: InstanceOf[Upload]
    text: str


class Deletion(Body):
    """The body of /v1/references/delete."""

    reference_id: str


class Renaming(Body):
    """The body of /v1/references/update."""

    old_reference_id: str
    new_reference_id: str


def read(body: type[_Known], asked: Asked) -> _Known:
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
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")
    try:
        return asked.content()
    except ValueError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "Malformed body") from error
