"""Ace Data Cloud, a reseller of Fish Audio: recordings go there as links, sound comes back as links.

It can neither change nor remove a voice, and says so. Source: https://docs.acedata.cloud and AceDataCloud/Docs,
en/guides/fish.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Self

from bot.errors import ProviderError
from bot.models import RemoteVoice
from bot.providers.acedata._questions import CHECK, create_question, list_question, voice_question
from bot.providers.acedata._refusals import read_fault, read_refusal
from bot.providers.acedata._speaking import Pace, Speaking
from bot.providers.ahead import read_ahead
from bot.providers.base import (
    AudioStream,
    Capabilities,
    CloneRequest,
    Health,
    RemotePage,
    SpeechRequest,
    VoiceEdit,
    VoiceProvider,
    VoiceQuery,
)
from bot.providers.doorstep import Doorstep
from bot.providers.downloads import Downloads
from bot.providers.entity import marked, read_entity
from bot.providers.faults import Account
from bot.providers.http import Http
from bot.providers.limiter import Limiter
from bot.providers.markup import PLAIN, Markup, fish_markup
from bot.providers.patience import Patience
from bot.settings import AceDataSettings

__all__ = ["AceDataProvider", "Pace"]

log = logging.getLogger(__name__)

_ACCOUNT = Account(label="Ace Data Cloud", key_setting="ACEDATA_API_KEY")
_PATIENCE = Patience(first_byte=240.0)
"""It answers when a whole line is made, which by its documents takes up to two minutes."""
_PAGE = 50
_MOST_PAGES = 20


class AceDataProvider(VoiceProvider):
    """Owns one account: its session, the way to its results, and how many lines it makes at once."""

    name: ClassVar[str] = "acedata"
    label: ClassVar[str] = "Ace Data Cloud"
    capabilities: Capabilities = Capabilities(
        clones=True, instant=False, deletes=False, edits=False, needs_links=True, speeds=(0.5, 2.0)
    )

    def __init__(
        self,
        settings: AceDataSettings,
        *,
        downloads: Downloads,
        doorstep: Doorstep | None = None,
        patience: Patience | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.capabilities = replace(
            type(self).capabilities,
            needs_links=doorstep is None,
            # the old way of speaking has no field for it
            speeds=None if settings.mode == "legacy" else type(self).capabilities.speeds,
        )
        self._settings = settings
        self._downloads = downloads
        self._doorstep = doorstep
        self._http = Http(
            _ACCOUNT, settings.base_url, settings.api_key, reading=read_refusal, patience=patience or _PATIENCE
        )
        self._speaking = Speaking(
            self._http, settings, doorstep=doorstep, pace=pace or Pace(first=(patience or _PATIENCE).poll)
        )
        # a line takes several requests, each with a turn of its own: its place is of another kind, or they would
        # wait for each other
        self._lines = Limiter()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._downloads)
            await stack.enter_async_context(self._http)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    @property
    def markup(self) -> Markup:
        """The old way of speaking has a model of its own, of which nothing is known."""
        return PLAIN if self._settings.mode == "legacy" else fish_markup(self._settings.model)

    async def create(self, request: CloneRequest) -> RemoteVoice:
        """Make a voice from recordings that the service fetches while this runs."""
        with ExitStack() as stack:
            if self._doorstep is None:
                links = request.links
            else:
                links = tuple(
                    stack.enter_context(self._doorstep.publish(sample.wav, "audio/wav")) for sample in request.samples
                )
            if not links:
                raise ProviderError(
                    f"{self.label} fetches recordings from links and there is none: attach the recording to a message "
                    "again, or ask the operator to set PUBLIC_URL.",
                    kind="invalid",
                )
            return self._made(await self._send(request, links))

    async def _send(self, request: CloneRequest, links: Sequence[str]) -> Any:
        """Send a create, in the form of links that is set, and return its answer."""
        choice, enhance = self._settings.voices, self._settings.enhance
        if choice == "list" or len(links) > 1:
            question = create_question(request, links, enhance=enhance, as_list=True)
            return (await self._http.ask_once(question)).content
        try:
            question = create_question(request, links, enhance=enhance, as_list=False)
            return (await self._http.ask_once(question)).content
        except ProviderError as error:
            if choice == "string" or error.kind != "invalid":
                raise
            log.info("%s does not take a link alone: sent once more as a list", self.label)
        # no blind repeat: the first was refused as invalid, so nothing was made by it
        question = create_question(request, links, enhance=enhance, as_list=True)
        return (await self._http.ask_once(question)).content

    def _made(self, content: Any) -> RemoteVoice:
        """Read the answer to a create. One that makes no sense may still have made a voice."""
        inner = content.get("data") if isinstance(content, Mapping) else None
        try:
            return read_entity(inner if isinstance(inner, Mapping) else content, _ACCOUNT)
        except ProviderError as error:
            known = read_fault(content, _ACCOUNT)
            if known is None or known.kind == "server":
                known = _ACCOUNT.fault("unknown_outcome")
            raise known from error

    async def get(self, remote_id: str) -> RemoteVoice:
        """Read one voice."""
        return read_entity((await self._http.ask(voice_question(remote_id))).content, _ACCOUNT)

    async def find(self, voice_id: str) -> RemoteVoice | None:
        """Look for the mark of our id through the account's voices; how they are sorted is not known."""
        seen = 0
        for page in range(1, _MOST_PAGES + 1):
            items, total = await self._page(VoiceQuery(page=page, size=_PAGE))
            entity = next((item for item in items if marked(item, voice_id)), None)
            if entity is not None:
                return await self.get(read_entity(entity, _ACCOUNT).id)
            seen += len(items)
            if not items or seen >= total:
                return None
        log.warning("%s: a voice was not among the first %d", self.label, seen)
        return None

    async def list(self, query: VoiceQuery) -> RemotePage:
        """List voices, in the service's own order, with less told of each than `get` tells."""
        items, total = await self._page(query)
        voices = tuple(read_entity(item, _ACCOUNT) for item in items)
        return RemotePage(voices=voices, total=total, more=bool(voices) and query.page * query.size < total)

    async def _page(self, query: VoiceQuery) -> tuple[Sequence[Mapping[str, Any]], int]:
        content = (await self._http.ask(list_question(query))).content
        items = content.get("items") if isinstance(content, Mapping) else None
        if not isinstance(items, Sequence) or not all(isinstance(item, Mapping) for item in items):
            raise _ACCOUNT.fault("server")
        total = content.get("total")
        return items, total if isinstance(total, int) else len(items)

    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Refuse: the service has no way to change a voice."""
        raise ProviderError(
            f"{self.label} cannot change a voice once it is made: only what I keep of it changes.", kind="invalid"
        )

    async def delete(self, remote_id: str) -> None:
        """Refuse: the service has no way to remove a voice."""
        raise ProviderError(
            f"{self.label} cannot remove a voice: it stays there until the operator asks their support.",
            kind="invalid",
        )

    def synthesize(self, request: SpeechRequest) -> AbstractAsyncContextManager[AudioStream]:
        """Have the whole line made, then fetch it."""
        return read_ahead(self._speak(request))

    @asynccontextmanager
    async def _speak(self, request: SpeechRequest) -> AsyncIterator[AudioStream]:
        # the places that the service told of last time
        self._lines.resize(self._http.limiter.limit)
        async with self._lines.turn(request.party):
            link = await self._speaking.link(request)
            async with self._downloads.open(link, account=_ACCOUNT, asked="mp3") as stream:
                yield stream

    async def check(self) -> Health:
        """Show the key; free."""
        await self._http.ask(CHECK)
        return Health(summary="key accepted", concurrency=self._lines.limit)
