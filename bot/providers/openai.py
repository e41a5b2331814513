"""Any server with OpenAI's /v1/audio/speech: OpenAI, Fish Audio's own copy of it, gateways, servers on one's own desk.

Knows the one route and the list of models. It speaks with voices that are there, and makes none. Source:
https://platform.openai.com/docs/api-reference/audio/createSpeech.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from bot.errors import ProviderError, ProviderFault
from bot.models import RemoteVoice
from bot.providers.base import (
    AudioStream,
    Capabilities,
    CloneRequest,
    Encoding,
    Health,
    SpeechRequest,
    VoiceEdit,
)
from bot.providers.faults import Account, Refusal
from bot.providers.http import Http
from bot.providers.markup import Markup, fish_markup
from bot.providers.online import OnlineProvider
from bot.providers.patience import Patience
from bot.providers.question import Question
from bot.settings import OpenAISettings

__all__ = ["OpenAIProvider"]

_ACCOUNT = Account(label="OpenAI-style speech", key_setting="OPENAI_API_KEY")
_ENCODINGS: Mapping[str, Encoding] = {"opus": "ogg", "mp3": "mp3", "wav": "wav", "pcm": "pcm"}
_RATE = 24_000
"""Of bare samples."""
_MODELS = Question(method="GET", path="/models")
_NO_CREDIT = frozenset({"insufficient_quota", "insufficient_user_quota", "billing_hard_limit_reached"})
"""OpenAI's words for it, and those of the gateways made with new-api."""
_VOICE = re.compile(
    r"['\"]voice['\"]|reference not found|must be 1\.\.=128 chars"
    r"|\bvoice\b[^\n]{0,120}\bnot (found|supported|available)|\b(invalid|unknown|unsupported) voice\b"
)
_MODEL = re.compile(r"\bmodel\b[^\n]{0,120}(not exist|not found)|\b(invalid|unknown|unsupported) model\b")
_NO_MODEL = "{label} does not have the model that is set: ask the operator to check OPENAI_MODEL."
_NO_VOICE = "{label} has no such voice: choose another, or ask the operator to check OPENAI_VOICES."
_SENTENCES: tuple[tuple[re.Pattern[str], ProviderFault, str], ...] = (
    (
        re.compile(r"string_too_long|at most \d+ characters|(input|text|string) (is )?too long"),
        "too_large",
        "{label} does not take so much at once: say fewer words.",
    ),
    (_MODEL, "invalid", _NO_MODEL),
    (_VOICE, "not_found", _NO_VOICE),
    (
        re.compile("response_format"),
        "invalid",
        "{label} does not make the kind of sound that is set: ask the operator to change OPENAI_FORMAT.",
    ),
    (re.compile(r"'speed'|\"speed\""), "invalid", "{label} does not speak at that speed: leave the speed out."),
)
_NO_ROUTE = (
    "{label} does not know that request (HTTP {status}): the operator should check OPENAI_BASE_URL, which ends in /v1 "
    "for most servers."
)


class OpenAIProvider(OnlineProvider):
    """Owns the session with one server."""

    name: ClassVar[str] = "openai"
    label: ClassVar[str] = _ACCOUNT.label
    capabilities: Capabilities = Capabilities(
        clones=False, instant=False, deletes=False, edits=False, finds=False, speeds=(0.25, 4.0)
    )

    def __init__(self, settings: OpenAISettings, *, patience: Patience | None = None) -> None:
        if settings.base_url is None:
            raise ValueError("OPENAI_BASE_URL is not set")
        self._settings = settings
        self._http = Http(_ACCOUNT, settings.base_url, settings.api_key, reading=_read_refusal, patience=patience)

    @property
    def markup(self) -> Markup:
        """Fish Audio's models keep their tags in this layer, under names with its own before them."""
        return fish_markup(self._settings.model.removeprefix("fish-audio/"))

    @property
    def ready_made(self) -> tuple[RemoteVoice, ...]:
        """The voices that are set, in their order."""
        names = dict.fromkeys(name.strip() for name in self._settings.voices.split(","))
        return tuple(RemoteVoice(id=name, title=name, state="trained", visibility="public") for name in names if name)

    async def create(self, request: CloneRequest) -> RemoteVoice:
        """Refuse: there is no such route."""
        raise ProviderError(
            f"{self.label} speaks with ready-made voices and clones none: ask the operator for another service.",
            kind="invalid",
        )

    async def get(self, remote_id: str) -> RemoteVoice:
        """Give one of the voices that are set."""
        known = next((voice for voice in self.ready_made if voice.id == remote_id), None)
        if known is None:
            raise _fault("not_found", _NO_VOICE)
        return known

    async def find(self, voice_id: str) -> RemoteVoice | None:
        """Find none: none is ever made."""
        return None

    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Refuse: the voices are the server's."""
        raise ProviderError(f"{self.label} has ready-made voices only: nobody can change them.", kind="invalid")

    async def delete(self, remote_id: str) -> None:
        """Refuse: the voices are the server's."""
        raise ProviderError(f"{self.label} has ready-made voices only: nobody can delete them.", kind="invalid")

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioStream]:
        """Speak a line as it is made."""
        if request.remote_id is None:
            raise ProviderError(
                f"{self.label} cannot speak from a recording: choose one of its ready-made voices.", kind="invalid"
            )
        asked = _ENCODINGS[self._settings.format]
        async with self._http.speak(_line(request, self._settings), asked=asked, rate=_RATE) as stream:
            yield stream

    async def check(self) -> Health:
        """Ask for the list of models, which needs the key and costs nothing; some servers have none."""
        places = self._http.limiter.limit
        try:
            models = _ids((await self._http.ask(_MODELS)).content)
        except ProviderError as error:
            if error.kind != "invalid":
                raise
            return Health(summary="answers, but lists no models: key and model not checked", concurrency=places)
        summary = "answers" if self._settings.api_key is None else "key accepted"
        if models and self._settings.model not in models:
            summary += f", but lists no model {self._settings.model}"
        return Health(summary=summary, concurrency=places)


def _line(request: SpeechRequest, settings: OpenAISettings) -> Question:
    body = {
        "model": settings.model,
        "input": request.text,
        "voice": request.remote_id,
        "response_format": settings.format,
        "speed": request.speed,
    }
    return Question(method="POST", path="/audio/speech", json=body, party=request.party)


def _ids(content: Any) -> tuple[str, ...]:
    data = content.get("data") if isinstance(content, Mapping) else None
    models = data if isinstance(data, list) else ()
    return tuple(str(each.get("id")) for each in models if isinstance(each, Mapping))


def _read_refusal(refusal: Refusal, account: Account) -> ProviderError | None:
    """Understand {"error": {"message", "type", "param", "code"}}, and by its words whatever else a server writes."""
    content = refusal.content
    error = content.get("error") if isinstance(content, Mapping) else None
    codes = {str(error.get("code")), str(error.get("type"))} if isinstance(error, Mapping) else set[str]()
    if codes & _NO_CREDIT:
        # it comes as 429, and waiting does not help
        return account.fault("no_credit")
    if "model_not_found" in codes:
        # OpenAI says 403 where the model is there for others
        return _fault("invalid", _NO_MODEL)
    if refusal.status in {401, 402, 403, 413, 429} or refusal.status >= 500:
        return None
    for pattern, kind, sentence in _SENTENCES:
        if pattern.search(refusal.words):
            return _fault(kind, sentence)
    if refusal.status in {404, 405}:
        return ProviderError(_NO_ROUTE.format(label=account.label, status=refusal.status), kind="invalid")
    return None


def _fault(kind: ProviderFault, sentence: str) -> ProviderError:
    return ProviderError(sentence.format(label=_ACCOUNT.label), kind=kind)
