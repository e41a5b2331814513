"""The bodies and queries that the routes take. Knows no voice and no account."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.services.acedata._refusals import invalid, told
from playground.services.service import Asked, ServiceBreachError

_Share = Annotated[float, Field(ge=0, le=1)]
_LISTS = {"tag", "language"}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Clone(Body):
    """POST /fish/model."""

    title: Annotated[str, Field(min_length=1)]
    voices: str | Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
    description: str = ""
    cover_image: str = ""
    visibility: Literal["public", "private"] = "private"
    tags: tuple[str, ...] = ()
    texts: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    enhance_audio_quality: bool = False
    generate_sample: bool = False
    callback_url: str | None = None
    """The vendor's client can send it; what comes of it is not documented, and nothing does here."""

    @property
    def links(self) -> tuple[str, ...]:
        return (self.voices,) if isinstance(self.voices, str) else self.voices


class Listing(Body):
    """The query of GET /fish/model."""

    page_size: Annotated[int, Field(ge=1, le=100)] = 10
    page_number: Annotated[int, Field(ge=1)] = 1
    title: str = ""
    tag: tuple[str, ...] = ()
    mine: Annotated[bool, Field(alias="self")] = False
    author_id: str = ""
    language: tuple[str, ...] = ()
    title_language: str = ""


class Prosody(Body):
    speed: float = 1.0
    volume: float = 0.0
    normalize_loudness: bool = True


class Reference(Body):
    audio: str
    text: str = ""


class Line(Body):
    """POST /fish/tts. Which formats there are is the house's affair."""

    text: str
    reference_id: str | tuple[str, ...] | None = None
    references: tuple[Reference, ...] = ()
    format: str | None = None
    sample_rate: int | None = None
    mp3_bitrate: Literal[64, 128, 192] = 128
    opus_bitrate: Literal[-1000, 24, 32, 48, 64, 24_000, 32_000, 48_000, 64_000] = -1000
    prosody: Prosody = Prosody()
    chunk_length: Annotated[int, Field(ge=100, le=300)] = 300
    min_chunk_length: Annotated[int, Field(ge=0, le=100)] = 50
    temperature: _Share = 0.7
    top_p: _Share = 0.7
    latency: Literal["normal", "balanced"] = "normal"
    normalize: bool = True
    max_new_tokens: int = 1024
    repetition_penalty: float = 1.2
    callback_url: str | None = None
    detached: Annotated[bool, Field(alias="async")] = False

    @property
    def voice_ids(self) -> tuple[str, ...]:
        return (self.reference_id,) if isinstance(self.reference_id, str) else self.reference_id or ()


class OldLine(Body):
    """POST /fish/audios."""

    action: str
    prompt: str
    voice_id: str
    model: str = "fish-tts"
    callback_url: str | None = None


class Retrieval(Body):
    """POST /fish/tasks."""

    action: str = "retrieve"
    id: str | None = None
    ids: tuple[str, ...] | None = None


_Known = TypeVar("_Known", bound=Body)


def read_body(body: type[_Known], asked: Asked) -> tuple[_Known, dict[str, Any]]:
    """Read a body, which must be JSON, and give what was sent beside it; a field that is not documented is a breach."""
    if asked.media_type != "application/json":
        raise told("bad_request", "the request must be application/json.")
    try:
        content = asked.content()
    except ValueError as error:
        raise told("bad_request", "the request is not valid JSON.") from error
    if not isinstance(content, dict):
        raise told("bad_request", "the request must be a JSON object.")
    return _judge(body, content, asked), content


def read_query(query: type[_Known], asked: Asked) -> _Known:
    """Read a query; a name that is not documented is a breach."""
    values = {name: each if name in _LISTS else each[-1] for name, each in asked.query.items()}
    return _judge(query, values, asked)


def _judge(body: type[_Known], content: Any, asked: Asked) -> _Known:
    try:
        return body.model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        unknown = [fault["loc"] for fault in faults if fault["type"] == "extra_forbidden"]
        if unknown:
            raise ServiceBreachError(f"{asked.method} {asked.path} has no field {unknown}") from error
        raise invalid(
            [{name: fault[name] for name in ("type", "loc", "msg", "input") if name in fault} for fault in faults]
        ) from error
