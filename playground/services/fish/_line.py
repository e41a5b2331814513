"""What is asked of synthesis: the fields of a TTSRequest, read and judged as the service does. Speaks nothing."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import ormsgpack

from playground.services.fish import _refusals as refusals
from playground.services.fish._refusals import RefusalError
from playground.services.service import Asked, ServiceBreachError
from playground.services.sound import Form

MODELS = ("s1", "s2-pro", "s2.1-pro", "s2.1-pro-free")
MIME: Mapping[Form, str] = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm", "opus": "audio/opus"}

_NUMBER, _TEXT = (int, float), (str,)
_KINDS: Mapping[str, tuple[type, ...]] = {
    "text": _TEXT, "reference_id": (str, list), "references": (list,), "prosody": (dict,), "temperature": _NUMBER,
    "top_p": _NUMBER, "chunk_length": (int,), "min_chunk_length": (int,), "normalize": (bool,), "format": _TEXT,
    "sample_rate": (int,), "mp3_bitrate": (int,), "opus_bitrate": (int,), "latency": _TEXT, "max_new_tokens": (int,),
    "repetition_penalty": _NUMBER, "condition_on_previous_chunks": (bool,), "early_stop_threshold": _NUMBER,
    "features": (list,),
}  # fmt: skip
_PROSODY = {"speed", "volume", "normalize_loudness"}
_LATENCIES = ("low", "normal", "balanced")
_RATES: Mapping[Form, tuple[int, ...]] = {
    "mp3": (32_000, 44_100),
    "wav": (8_000, 16_000, 24_000, 32_000, 44_100),
    "pcm": (8_000, 16_000, 24_000, 32_000, 44_100),
    "opus": (48_000,),
}
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MOST_BODY = 50 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing to say."""

    model: str
    text: str
    form: Form
    rate: int
    speed: float
    chunk_length: int
    voice_ids: tuple[str, ...]
    references: tuple[bytes, ...] = field(repr=False)
    asked: Mapping[str, Any] = field(repr=False)


def model_of(asked: Asked) -> str:
    """Give the model that the header names; the paid one where it is missing or unknown."""
    name = asked.headers.get("model", "")
    return name if name in MODELS else "s2.1-pro"


def read_line(asked: Asked) -> Line:
    """Read the body of POST /v1/tts."""
    if len(asked.body) > _MOST_BODY:
        raise refusals.too_large()
    packed = "msgpack" in asked.media_type
    if not packed and asked.media_type != "application/json":
        raise refusals.unparsed("Expected request with `Content-Type: application/json` or `application/msgpack`")
    how = "msgpack" if packed else "json"
    try:
        values = ormsgpack.unpackb(asked.body) if packed else json.loads(asked.body)
    except ValueError as error:
        raise _unparsed(how, "invalid type: expected struct TTSRequest") from error
    return judge(values, how, model_of(asked))


def judge(values: Any, how: str, model: str) -> Line:
    """Refuse what is wrong in the order in which it is found; unknown fields are a breach."""
    if not isinstance(values, dict):
        raise _unparsed(how, f"invalid type: {type(values).__name__}, expected struct TTSRequest")
    # the service does not look at a model in the body
    if unknown := set(values) - set(_KINDS) - {"model"}:
        raise ServiceBreachError(f"TTSRequest has no field {', '.join(sorted(map(str, unknown)))}")
    present = {name: value for name, value in values.items() if value is not None and name in _KINDS}
    _judge_kinds(present, how)
    form = _form(present.get("format", "mp3"), how)
    voice_ids = _ids(present.get("reference_id"), how, model)
    references = _references(present.get("references", []), how)
    speed = _speed(present.get("prosody", {}))
    rate = present.get("sample_rate", 48_000 if form == "opus" else 44_100)
    if rate not in _RATES[form]:
        supported = ", ".join(map(str, _RATES[form]))
        raise refusals.told(400, f"Invalid sample rate {rate} for format {MIME[form]}. Supported: {supported}")
    return Line(
        model=model,
        text=present["text"],
        form=form,
        rate=rate,
        speed=speed,
        chunk_length=present.get("chunk_length", 300),
        voice_ids=voice_ids,
        references=references,
        asked=present,
    )


def _unparsed(how: str, what: str) -> RefusalError:
    return refusals.unparsed(f"Failed to parse {how} request body: {what}")


def _judge_kinds(values: Mapping[str, Any], how: str) -> None:
    if "text" not in values:
        raise _unparsed(how, "missing field `text`")
    for name, value in values.items():
        wanted = _KINDS[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise _unparsed(how, f"invalid type: {type(value).__name__}, expected {wanted[0].__name__}")
    latency = values.get("latency", "normal")
    if latency not in _LATENCIES:
        raise _unparsed(how, f"unknown variant `{latency}`, expected one of `low`, `normal`, `balanced`")


def _form(name: str, how: str) -> Form:
    form: Form
    for form in get_args(Form):
        if form == name:
            return form
    raise _unparsed(how, f"unknown variant `{name}`, expected one of `mp3`, `wav`, `pcm`, `opus`")


def _speed(prosody: Mapping[str, Any]) -> float:
    if unknown := set(prosody) - _PROSODY:
        raise ServiceBreachError(f"prosody has no field {', '.join(sorted(unknown))}")
    speed = prosody.get("speed", 1.0)
    if not 0.5 <= speed <= 2.0:
        raise refusals.told(400, "speed must be in [0.5, 2.0]")
    return float(speed)


def _ids(value: str | list[Any] | None, how: str, model: str) -> tuple[str, ...]:
    rule = "must be 1..=128 chars of [A-Za-z0-9_-]"
    match value:
        case None:
            return ()
        case str():
            if not _ID.fullmatch(value):
                raise refusals.told(400, f"reference_id {rule}")
            return (value,)
    if model == "s1":
        raise refusals.told(
            400,
            "Failed to parse the request body as MsgPack: data did not match any variant of untagged enum "
            "MultiSpeakerReference",
        )
    for place, each in enumerate(value):
        if not isinstance(each, str):
            raise _unparsed(how, "data did not match any variant of untagged enum ClientSideReferenceId")
        if not _ID.fullmatch(each):
            raise refusals.told(400, f"reference_id[{place}] {rule}")
    return tuple(value)


def _references(values: list[Any], how: str) -> tuple[bytes, ...]:
    """Give the sound of every reference, of all speakers."""
    found: list[bytes] = []
    for each in values:
        if isinstance(each, list):
            found += _references(each, how)
            continue
        if not isinstance(each, dict) or not isinstance(each.get("text"), str) or "audio" not in each:
            raise _unparsed(how, "data did not match any variant of untagged enum ReferenceAudio")
        if unknown := set(each) - {"audio", "text"}:
            raise ServiceBreachError(f"ReferenceAudio has no field {', '.join(sorted(unknown))}")
        found.append(_bytes(each["audio"], how))
    return tuple(found)


def _bytes(value: Any, how: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, list) and all(isinstance(each, int) and 0 <= each <= 255 for each in value):
        return bytes(value)
    raise _unparsed(how, f"invalid type: {type(value).__name__}, expected byte array")
