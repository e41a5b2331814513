"""Fish Audio: voices that stay or are used once, lines by one request or over a WebSocket, recordings written down.

Knows the service's routes and the order of requests. Its fields are in `_questions`, its refusals in `_refusals`.
"""

import functools
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from bot.errors import ProviderError
from bot.models import RemoteVoice, Sample
from bot.providers.base import (
    AudioStream,
    Capabilities,
    CloneRequest,
    Health,
    RemotePage,
    SpeechRequest,
    VoiceEdit,
    VoiceQuery,
)
from bot.providers.entity import marked, read_entity
from bot.providers.faults import Account, Refusal, understand
from bot.providers.fish import _questions as questions
from bot.providers.fish._live import speak_live
from bot.providers.fish._refusals import read_refusal
from bot.providers.http import Http
from bot.providers.markup import Markup, fish_markup
from bot.providers.online import OnlineProvider
from bot.providers.patience import Patience
from bot.settings import FishSettings

__all__ = ["FishProvider"]

log = logging.getLogger(__name__)

_ACCOUNT = Account(label="Fish Audio", key_setting="FISH_API_KEY")
_REMOTE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PAGES = 10
"""Of the newest voices: past a thousand the service lists none."""
_MOST_TRANSCRIBED = 20_000_000
_LEAST_TRANSCRIBED = 44 + 2 * 48_000
"""Bytes of a second of sound, as samples are written, and its header."""
_FREE = "s2.1-pro-free"


class FishProvider(OnlineProvider):
    """Owns the session of one account at Fish Audio."""

    name: ClassVar[str] = "fish"
    label: ClassVar[str] = _ACCOUNT.label
    capabilities: Capabilities = Capabilities(
        clones=True,
        instant=True,
        transcribes=True,
        visibilities=("private", "unlist", "public"),
        covers=True,
        speeds=(0.5, 2.0),
        # clips of 10 s and more are advised; three seconds were enough for others
        min_speech_seconds=5.0,
    )

    def __init__(self, settings: FishSettings, *, patience: Patience | None = None) -> None:
        self._settings = settings
        self._http = Http(_ACCOUNT, settings.base_url, settings.api_key, reading=read_refusal, patience=patience)

    @property
    def markup(self) -> Markup:
        """Round brackets for S1, square ones and any words for the S2 family."""
        return fish_markup(self._settings.model)

    async def create(self, request: CloneRequest) -> RemoteVoice:
        """Make a voice. Sent once; transcripts that are missing are written first where that is set."""
        if not request.samples:
            raise ProviderError("A voice needs a recording: attach one and try again.", kind="invalid")
        if request.visibility == "public" and request.cover is None:
            raise ProviderError(
                f"{self.label} shows a public voice with a picture only: add a cover, or keep the voice private.",
                kind="invalid",
            )
        texts = await self._texts(request)
        question = questions.creation(request, texts, enhance=self._settings.enhance)
        reply = await self._http.ask_once(question)
        try:
            return read_entity(reply.content, _ACCOUNT)
        except ProviderError as error:
            raise _ACCOUNT.fault("unknown_outcome") from error

    async def _texts(self, request: CloneRequest) -> tuple[str, ...]:
        """Give a transcript for each sample, or none at all: then the service listens for itself."""
        texts = [sample.transcript.strip() for sample in request.samples]
        for number, sample in enumerate(request.samples):
            if texts[number]:
                continue
            if not self._settings.transcribe:
                return ()
            try:
                texts[number] = (await self.transcribe(sample, party=request.party)).strip()
            except ProviderError as error:
                log.info("%s: a recording was not transcribed (%s)", self.label, error.kind)
            if not texts[number]:
                return ()
        return tuple(texts)

    async def get(self, remote_id: str) -> RemoteVoice:
        """Read one voice."""
        _expect_id(remote_id)
        reply = await self._http.ask(questions.reading(remote_id))
        return read_entity(reply.content, _ACCOUNT)

    async def find(self, voice_id: str) -> RemoteVoice | None:
        """Look through this account's voices, newest first, for the one that carries our id."""
        for number in range(1, _PAGES + 1):
            query = VoiceQuery(page=number, size=questions.LARGEST_PAGE)
            items, _, more = await self._page(query)
            for item in items:
                if marked(item, voice_id):
                    return read_entity(item, _ACCOUNT)
            if not more:
                break
        return None

    async def list(self, query: VoiceQuery) -> RemotePage:
        """List voices of this account or, where `mine` is not asked, those that are public."""
        items, total, more = await self._page(query)
        return RemotePage(voices=tuple(read_entity(item, _ACCOUNT) for item in items), total=total, more=more)

    async def _page(self, query: VoiceQuery) -> tuple[tuple[Mapping[str, Any], ...], int, bool]:
        """Give the voices on a page, how many there are in all, and whether a next page has any."""
        content = (await self._http.ask(questions.page(query))).content
        found = content.get("items") if isinstance(content, Mapping) else None
        if not isinstance(found, list):
            raise _ACCOUNT.fault("server")
        items = tuple(item for item in found if isinstance(item, Mapping) and item.get("_id"))
        total = content["total"] if isinstance(content.get("total"), int) else len(items)
        more = content.get("has_more")
        if not isinstance(more, bool):
            more = query.page * min(query.size, questions.LARGEST_PAGE) < total
        return items, total, more and bool(found)

    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Change a voice, and read back what became of it."""
        _expect_id(remote_id)
        for question in questions.edits(remote_id, edit):
            await self._http.ask(question)
        return await self.get(remote_id)

    async def delete(self, remote_id: str) -> None:
        """Remove a voice."""
        try:
            _expect_id(remote_id)
            await self._http.ask(questions.removal(remote_id))
        except ProviderError as error:
            if error.kind != "not_found":
                raise

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioStream]:
        """Speak a line by one request or over a WebSocket, as is set."""
        if request.remote_id is not None:
            _expect_id(request.remote_id)
        elif not request.samples:
            # it would speak in a voice of its own choice
            raise ProviderError("A line needs a voice: choose one, or attach a recording.", kind="invalid")
        settings, asked, rate = self._settings, questions.encoding(self._settings), questions.rate(self._settings)
        if settings.transport == "websocket":
            live = questions.live_line(request, settings)
            doubt = functools.partial(self._expect_voice, request.remote_id)
            speaking = speak_live(self._http, live, asked=asked, rate=rate, party=request.party, doubt=doubt)
        else:
            speaking = self._http.speak(questions.line(request, settings), asked=asked, rate=rate)
        async with speaking as stream:
            yield stream

    async def _expect_voice(self, remote_id: str | None) -> None:
        """Raise `not_found` where there is no such voice; read past the limiter, whose place this line holds."""
        if remote_id is None:
            return
        try:
            await self._http.ask_beside(questions.reading(remote_id))
        except ProviderError as error:
            if error.kind == "not_found":
                raise

    async def transcribe(self, sample: Sample, *, party: int = 0) -> str:
        """Write down a recording of 1 s to 20 MB."""
        if len(sample.wav) < _LEAST_TRANSCRIBED:
            raise ProviderError("The recording is shorter than a second: send a longer one.", kind="invalid")
        if len(sample.wav) > _MOST_TRANSCRIBED:
            raise ProviderError(
                f"{self.label} writes down recordings of up to three minutes: send a shorter one.", kind="too_large"
            )
        content = (await self._http.ask(questions.transcription(sample, party=party))).content
        if not isinstance(content, Mapping) or not isinstance(content.get("text"), str):
            raise _ACCOUNT.fault("server")
        return str(content["text"])

    async def check(self) -> Health:
        """Ask what is left in the wallet. Raises `no_credit` where the model in use needs some and there is none."""
        content = (await self._http.ask(questions.CREDIT)).content
        if not isinstance(content, Mapping):
            raise _ACCOUNT.fault("server")
        credit = _amount(content.get("credit"))
        free = self._settings.model == _FREE or content.get("has_free_credit") is True
        if credit is not None and credit <= 0 and not free:
            raise understand(Refusal(status=402), _ACCOUNT, read_refusal)
        return Health(
            summary="key accepted",
            credit="" if credit is None else f"${credit:.2f}",
            concurrency=self._http.limiter.limit,
        )


def _expect_id(remote_id: str) -> None:
    """Refuse what cannot be an id of a voice there, as the service would."""
    if _REMOTE_ID.fullmatch(remote_id) is None:
        raise _ACCOUNT.fault("not_found")


def _amount(value: Any) -> Decimal | None:
    """Read dollars, which come as a decimal in a string."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
