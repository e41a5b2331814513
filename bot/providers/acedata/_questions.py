"""What Ace Data Cloud is asked, as values. Sends nothing.

Where its documents contradict each other the safe reading is taken: the format is always mp3, the visibility is always
said. Source: AceDataCloud/Docs, en/guides/fish.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from bot.errors import ProviderError
from bot.providers.base import CloneRequest, SpeechRequest, VoiceQuery
from bot.providers.entity import mark
from bot.providers.question import Question
from bot.settings import AceDataSettings


def create_question(request: CloneRequest, links: Sequence[str], *, enhance: bool, as_list: bool) -> Question:
    """Ask for a voice made from recordings at these links."""
    content: dict[str, Any] = {
        "title": request.title,
        "voices": list(links) if as_list else links[0],
        "description": mark(request.description, request.voice_id),
        "visibility": request.visibility,
        "tags": list(request.tags),
        "enhance_audio_quality": enhance,
        "generate_sample": False,
    }
    texts = [sample.transcript for sample in request.samples]
    if all(texts) and len(texts) == len(links):
        content["texts"] = texts
    return Question(method="POST", path="/fish/model", json=content, party=request.party)


def voice_question(remote_id: str) -> Question:
    """Ask for one voice."""
    return Question(method="GET", path=f"/fish/model/{quote(remote_id, safe='')}")


def list_question(query: VoiceQuery) -> Question:
    """Ask for one page of voices. How they are sorted cannot be asked."""
    params = [
        ("page_size", str(query.size)),
        ("page_number", str(query.page)),
        ("self", "true" if query.mine else "false"),
        ("title", query.title),
        *(("tag", tag) for tag in query.tags),
        ("author_id", "" if query.mine else query.author),
        *(("language", language) for language in query.languages),
        ("title_language", query.title_language),
    ]
    return Question(method="GET", path="/fish/model", params=tuple((name, value) for name, value in params if value))


CHECK = Question(method="GET", path="/fish/model", params=(("page_size", "1"), ("self", "true")))
"""The cheapest thing that needs a valid key; free."""


def speech_question(request: SpeechRequest, settings: AceDataSettings, *, callback_url: str | None) -> Question:
    """Ask for a line, in the way that is set.

    Raises `ProviderError` (`invalid`) where there are no words, no voice, or a speed that this way does not know.
    """
    if not any(sign.isalnum() for sign in request.text):
        raise ProviderError("There is nothing to say in that: write some words.", kind="invalid")
    if request.remote_id is None:
        # without a voice it would speak in somebody else's
        raise ProviderError(
            "Ace Data Cloud cannot speak from a recording alone: make a voice with /clone first.", kind="invalid"
        )
    content = _legacy(request) if settings.mode == "legacy" else _line(request)
    if callback_url is not None:
        content["callback_url"] = callback_url
    elif settings.mode in {"async", "callback"}:
        content["async"] = True
    return Question(
        method="POST",
        path="/fish/audios" if settings.mode == "legacy" else "/fish/tts",
        headers={"model": settings.model},
        json=content,
        party=request.party,
    )


def _line(request: SpeechRequest) -> dict[str, Any]:
    content = {"text": request.text, "reference_id": request.remote_id, "format": "mp3", "latency": "normal"}
    return content if request.speed == 1 else {**content, "prosody": {"speed": request.speed}}


def _legacy(request: SpeechRequest) -> dict[str, Any]:
    if request.speed != 1:
        raise ProviderError(
            "Ace Data Cloud's old way of speaking knows one speed only: leave the speed out.", kind="invalid"
        )
    return {"action": "speech", "prompt": request.text, "voice_id": request.remote_id, "model": "fish-tts"}


def task_question(task_id: str, *, party: int) -> Question:
    """Ask how far a task is."""
    content = {"id": task_id, "action": "retrieve"}
    return Question(method="POST", path="/fish/tasks", json=content, party=party, idempotent=True)
