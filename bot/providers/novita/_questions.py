"""What is asked of HighwayAPI, MyRouter and Novita AI, field by field. Sends nothing.

A voice is asked for with the fields of Fish Audio's API, whose way of sending files their documents contradict.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import ormsgpack

from bot.models import Sample
from bot.providers.base import CloneRequest, Encoding, SpeechRequest
from bot.providers.entity import mark
from bot.providers.question import Part, Question
from bot.settings import NovitaSettings

_VOICE = "/v4beta/model"
_LINE = "/v4beta/txt2speech"
_S2_LINE = "/v3/fish-audio-s2-pro-text-to-speech"
_JSON = {"Content-Type": "application/json"}
_MSGPACK = {"Content-Type": "application/msgpack"}
_SOUNDS: Mapping[str, tuple[Encoding, int]] = {
    "opus": ("ogg", 48_000),
    "mp3": ("mp3", 44_100),
    "wav": ("wav", 44_100),
    "pcm": ("pcm", 44_100),
}
"""What each format is, and the highest rate it comes at."""


def sound(settings: NovitaSettings) -> tuple[Encoding, int]:
    """Name what the sound will be and its samples a second."""
    return _SOUNDS[settings.format]


def creation(request: CloneRequest, settings: NovitaSettings) -> Question:
    """Make a voice. Blocks while recordings are written as text."""
    fields = _fields(request, enhance=settings.enhance)
    match settings.upload:
        case "multipart":
            return Question(method="POST", path=_VOICE, form=_form(fields, request.samples), party=request.party)
        case "json_base64":
            voices = [_text(sample) for sample in request.samples]
        case "json_url":
            voices = list(request.links)
        case _:
            assert_never(settings.upload)
    body = json.dumps({**fields, "voices": voices}).encode()
    return Question(method="POST", path=_VOICE, headers=_JSON, raw=body, party=request.party)


def line(request: SpeechRequest, settings: NovitaSettings) -> Question:
    """Speak a line, with a voice that was made or once with recordings. Blocks while recordings are packed."""
    if settings.route == "s2_pro":
        return _s2_line(request, settings)
    body = _speech(request, settings)
    # the older route knows no "low"
    body["latency"] = "normal" if settings.latency == "normal" else "balanced"
    if request.remote_id is not None:
        return Question(method="POST", path=_LINE, headers=_model(settings), json=body, party=request.party)
    body["references"] = [{"audio": sample.wav, "text": sample.transcript} for sample in request.samples]
    headers = {**_model(settings), **_MSGPACK}
    return Question(method="POST", path=_LINE, headers=headers, raw=ormsgpack.packb(body), party=request.party)


def nothing(settings: NovitaSettings) -> Question:
    """Ask for a line without a text, on the route that is set."""
    if settings.route == "s2_pro":
        return Question(method="POST", path=_S2_LINE, json={}, idempotent=True)
    return Question(method="POST", path=_LINE, headers=_model(settings), json={}, idempotent=True)


def _s2_line(request: SpeechRequest, settings: NovitaSettings) -> Question:
    """Speak on the newer route, which is its own model and takes JSON only."""
    body = {**_speech(request, settings), "latency": settings.latency}
    if request.remote_id is None:
        body["references"] = [{"audio": _text(sample), "text": sample.transcript} for sample in request.samples]
    return Question(method="POST", path=_S2_LINE, headers=_JSON, raw=json.dumps(body).encode(), party=request.party)


def _model(settings: NovitaSettings) -> Mapping[str, str]:
    """Name what speaks; what stands behind takes its dearest where it is not told."""
    return {"model": settings.model}


def _speech(request: SpeechRequest, settings: NovitaSettings) -> dict[str, Any]:
    body: dict[str, Any] = {"text": request.text, "format": settings.format, "sample_rate": sound(settings)[1]}
    if request.remote_id is not None:
        body["reference_id"] = request.remote_id
    if request.speed != 1:
        body["prosody"] = {"speed": request.speed}
    return body


def _fields(request: CloneRequest, *, enhance: bool) -> dict[str, Any]:
    """Give all of a voice but its recordings; a list that would be empty is left out."""
    texts = [sample.transcript.strip() for sample in request.samples]
    return {
        "type": "tts",
        "title": request.title,
        "train_mode": "fast",
        # theirs is public where it is not said
        "visibility": request.visibility,
        "description": mark(request.description, request.voice_id),
        "enhance_audio_quality": enhance,
        **({"tags": list(request.tags)} if request.tags else {}),
        # one for each recording, or none: then the service listens for itself
        **({"texts": texts} if all(texts) else {}),
    }


def _form(fields: Mapping[str, Any], samples: Sequence[Sample]) -> tuple[Part, ...]:
    """Write fields as Fish Audio takes them: a list as a part for each value, a truth as a word."""
    parts = [Part(name=name, value=word) for name, value in fields.items() for word in _words(value)]
    recordings = [
        Part(name="voices", value=sample.wav, filename=f"sample-{number}.wav", media_type="audio/wav")
        for number, sample in enumerate(samples, 1)
    ]
    return (*parts, *recordings)


def _words(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _text(sample: Sample) -> str:
    return base64.b64encode(sample.wav).decode()
