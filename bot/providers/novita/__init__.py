"""HighwayAPI, MyRouter and Novita AI: resellers of Fish Audio with one API under three addresses.

They make voices and speak with them; they list, show, change and remove none, so what the bot remembers stands in.
Fields are in `_questions`, refusals in `_refusals`. Sources: https://docs.jiekou.ai, https://docs.myrouter.ai,
https://novita.ai/docs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import ClassVar

from bot.errors import ProviderError
from bot.models import RemoteVoice
from bot.providers.base import AudioStream, Capabilities, CloneRequest, Health, SpeechRequest, VoiceEdit
from bot.providers.entity import read_entity
from bot.providers.faults import Account
from bot.providers.http import Http
from bot.providers.markup import Markup, fish_markup
from bot.providers.novita import _questions as questions
from bot.providers.novita._refusals import UnreadError, read_refusal, setting
from bot.providers.online import OnlineProvider
from bot.providers.patience import Patience
from bot.settings import NovitaSettings

__all__ = ["HighwayProvider", "MyRouterProvider", "NovitaProvider"]

log = logging.getLogger(__name__)

_S2_MODEL = "s2-pro"


class _Reseller(OnlineProvider):
    """Owns the session of one account at one of the three."""

    account: ClassVar[Account]
    capabilities: Capabilities = Capabilities(
        clones=True, instant=True, deletes=False, edits=False, finds=False, speeds=(0.5, 2.0)
    )

    def __init__(self, settings: NovitaSettings, *, patience: Patience | None = None) -> None:
        self.capabilities = replace(type(self).capabilities, needs_links=settings.upload == "json_url")
        self._settings = settings
        self._http = Http(self.account, settings.base_url, settings.api_key, reading=read_refusal, patience=patience)

    @property
    def markup(self) -> Markup:
        """The newer route has one model; on the other the model is what is set."""
        return fish_markup(_S2_MODEL if self._settings.route == "s2_pro" else self._settings.model)

    async def create(self, request: CloneRequest) -> RemoteVoice:
        """Make a voice. Sent once, with the recordings in the encoding that is set."""
        if not request.samples:
            raise ProviderError("A voice needs a recording: attach one and try again.", kind="invalid")
        if self._settings.upload == "json_url" and len(request.links) != len(request.samples):
            raise ProviderError(
                f"{self.label} is set to fetch recordings from links, and there is none for each: attach the recording "
                f"to a message again, or ask the operator to change {setting(self.account, 'UPLOAD')}.",
                kind="invalid",
            )
        question = await asyncio.to_thread(questions.creation, request, self._settings)
        try:
            reply = await self._http.ask_once(question)
        except UnreadError as error:
            raise ProviderError(
                f"{self.label} did not take the name or the recording: change them and try again. If it never does, "
                f"the operator should try another {setting(self.account, 'UPLOAD')}.",
                kind="invalid",
            ) from error
        try:
            return read_entity(reply.content, self.account)
        except ProviderError as error:
            raise self.account.fault("unknown_outcome") from error

    async def get(self, remote_id: str) -> RemoteVoice:
        """Refuse: there is no such route."""
        raise self._unable("be asked about a voice: what I remember of it is all there is.")

    async def find(self, voice_id: str) -> RemoteVoice | None:
        """Refuse: there is no such route."""
        raise self._unable("be asked which voices it made: what I remember of them is all there is.")

    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Refuse: there is no such route."""
        raise self._unable("change a voice once it is made: only what I keep of it changes.")

    async def delete(self, remote_id: str) -> None:
        """Refuse: there is no such route."""
        raise self._unable("delete voices: it stays in their account until the operator asks their support.")

    def _unable(self, what: str) -> ProviderError:
        return ProviderError(f"{self.label} cannot {what}", kind="invalid")

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioStream]:
        """Speak a line on the route that is set."""
        if request.remote_id is None and not request.samples:
            # it would speak in a voice of its own choice
            raise ProviderError("A line needs a voice: choose one, or attach a recording.", kind="invalid")
        question = await asyncio.to_thread(questions.line, request, self._settings)
        asked, rate = questions.sound(self._settings)
        async with self._http.speak(question, asked=asked, rate=rate) as stream:
            yield stream

    async def check(self) -> Health:
        """Show the key by asking for a line without naming a text.

        Nothing free is documented. That a key is looked at before a body, and that a refused body costs nothing, is
        unverified.
        """
        try:
            await self._http.ask(questions.nothing(self._settings))
        except ProviderError as error:
            if error.kind not in {"invalid", "too_large"}:
                raise
            log.debug("%s refused to speak nothing, as hoped", self.label)
        return Health(summary="key accepted", concurrency=self._http.limiter.limit)


class HighwayProvider(_Reseller):
    """HighwayAPI, which https://docs.jiekou.ai describes."""

    name: ClassVar[str] = "highwayapi"
    label: ClassVar[str] = "HighwayAPI"
    account: ClassVar[Account] = Account(label=label, key_setting="HIGHWAYAPI_API_KEY")


class MyRouterProvider(_Reseller):
    """MyRouter, which documents no S2 route."""

    name: ClassVar[str] = "myrouter"
    label: ClassVar[str] = "MyRouter"
    account: ClassVar[Account] = Account(label=label, key_setting="MYROUTER_API_KEY")


class NovitaProvider(_Reseller):
    """Novita AI."""

    name: ClassVar[str] = "novita"
    label: ClassVar[str] = "Novita AI"
    account: ClassVar[Account] = Account(label=label, key_setting="NOVITA_API_KEY")
