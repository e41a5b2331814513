"""What is asked of Fish Audio, field by field. Sends nothing.

Source: https://docs.fish.audio, API reference.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ormsgpack

from bot.models import Sample
from bot.providers.base import CloneRequest, Encoding, SpeechRequest, VoiceEdit, VoiceQuery
from bot.providers.entity import mark
from bot.providers.question import Part, Question
from bot.settings import FishSettings

LARGEST_PAGE = 100
CREDIT = Question(method="GET", path="/wallet/self/api-credit", params=(("check_free_credit", "true"),))

_ENCODINGS: Mapping[str, Encoding] = {"opus": "ogg", "mp3": "mp3", "wav": "wav", "pcm": "pcm"}
_RATES: Mapping[str, int] = {"opus": 48_000, "mp3": 44_100, "wav": 44_100, "pcm": 44_100}
"""The highest each format comes at."""
_SENTENCE_END = re.compile(
    r"(?<=[.!?…])\s+"
    r"|(?<=[.!?…][\"'”’»)])\s+"
    r"|(?<=[。！？])(?![\s。！？」』”’）])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLine:
    """One line as it is said on the WebSocket."""

    headers: Mapping[str, str]
    frames: tuple[bytes, ...] = field(repr=False)
    """MessagePack maps in order: `start`, a `text` for each sentence, `stop`."""


def encoding(settings: FishSettings) -> Encoding:
    """Name what the sound will be, as the rest of the house calls it."""
    return _ENCODINGS[settings.format]


def rate(settings: FishSettings) -> int:
    """Give the samples a second that are asked for."""
    return _RATES[settings.format]


def creation(request: CloneRequest, texts: Sequence[str], *, enhance: bool) -> Question:
    """Make a voice; `texts` is empty or has one for each sample."""
    fields = [
        ("type", "tts"),
        ("train_mode", "fast"),
        ("title", request.title),
        ("visibility", request.visibility),
        ("enhance_audio_quality", "true" if enhance else "false"),
        ("generate_sample", "false"),
        ("description", mark(request.description, request.voice_id)),
        *(("tags", tag) for tag in request.tags),
        *(("texts", text) for text in texts),
    ]
    recordings = (_recording("voices", sample, number) for number, sample in enumerate(request.samples, 1))
    form = (*(Part(name=name, value=value) for name, value in fields), *recordings, *_cover(request.cover))
    return Question(method="POST", path="/model", form=form, party=request.party)


def reading(remote_id: str) -> Question:
    """Read one voice."""
    return Question(method="GET", path=f"/model/{remote_id}")


def page(query: VoiceQuery) -> Question:
    """List voices."""
    author = () if query.mine or not query.author else (("author_id", query.author),)
    params = (
        ("page_size", str(min(max(query.size, 1), LARGEST_PAGE))),
        ("page_number", str(max(query.page, 1))),
        ("self", "true" if query.mine else "false"),
        ("sort_by", query.sort),
        *((("title", query.title),) if query.title else ()),
        *(("tag", tag) for tag in query.tags),
        *author,
        *(("language", language) for language in query.languages),
        *((("title_language", query.title_language),) if query.title_language else ()),
    )
    return Question(method="GET", path="/model", params=params)


def edits(remote_id: str, edit: VoiceEdit) -> tuple[Question, ...]:
    """Change a voice: the requests that takes, none where nothing is to change."""
    given = (("title", edit.title), ("description", edit.description), ("visibility", edit.visibility))
    fields = {name: value for name, value in given if value is not None}
    path = f"/model/{remote_id}"
    if edit.cover is None:
        changes: dict[str, Any] = dict(fields) if edit.tags is None else {**fields, "tags": list(edit.tags)}
        return (Question(method="PATCH", path=path, json=changes),) if changes else ()
    texts = (*fields.items(), *(("tags", tag) for tag in edit.tags or ()))
    form = (*(Part(name=name, value=value) for name, value in texts), *_cover(edit.cover))
    # a form cannot say that there are none
    untag = (Question(method="PATCH", path=path, json={"tags": []}),) if edit.tags == () else ()
    return (*untag, Question(method="PATCH", path=path, form=form))


def removal(remote_id: str) -> Question:
    """Delete a voice."""
    return Question(method="DELETE", path=f"/model/{remote_id}")


def line(request: SpeechRequest, settings: FishSettings) -> Question:
    """Speak a line by one request: JSON, or msgpack where recordings go with it."""
    body = _speech(request, settings, text=request.text)
    headers: dict[str, str] = {"model": settings.model}
    if request.remote_id is not None:
        return Question(method="POST", path="/v1/tts", headers=headers, json=body, party=request.party)
    headers["Content-Type"] = "application/msgpack"
    return Question(method="POST", path="/v1/tts", headers=headers, raw=ormsgpack.packb(body), party=request.party)


def live_line(request: SpeechRequest, settings: FishSettings) -> LiveLine:
    """Speak a line on a connection, sentence by sentence."""
    events: tuple[dict[str, Any], ...] = (
        {"event": "start", "request": _speech(request, settings, text="")},
        *({"event": "text", "text": sentence} for sentence in sentences(request.text)),
        {"event": "stop"},
    )
    return LiveLine(headers={"model": settings.model}, frames=tuple(map(ormsgpack.packb, events)))


def transcription(sample: Sample, *, party: int) -> Question:
    """Have a recording written down."""
    form = (_recording("audio", sample, 1), Part(name="ignore_timestamps", value="true"))
    return Question(method="POST", path="/v1/asr", form=form, party=party)


def sentences(text: str) -> tuple[str, ...]:
    """Cut a text after its sentences; each piece ends in a space, for the service joins them as they come."""
    return tuple(f"{piece.strip()} " for piece in _SENTENCE_END.split(text) if piece.strip())


def _speech(request: SpeechRequest, settings: FishSettings, *, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "text": text,
        "format": settings.format,
        "sample_rate": rate(settings),
        "latency": settings.latency,
        "prosody": {"speed": request.speed, "volume": 0, "normalize_loudness": True},
    }
    if request.remote_id is not None:
        return {**body, "reference_id": request.remote_id}
    references = [{"audio": sample.wav, "text": sample.transcript} for sample in request.samples]
    return {**body, "references": references}


def _recording(name: str, sample: Sample, number: int) -> Part:
    return Part(name=name, value=sample.wav, filename=f"sample-{number}.wav", media_type="audio/wav")


def _cover(cover: bytes | None) -> tuple[Part, ...]:
    if cover is None:
        return ()
    return (Part(name="cover_image", value=cover, filename="cover.jpg", media_type="image/jpeg"),)
