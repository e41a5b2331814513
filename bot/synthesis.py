"""Sentences in a voice, from its provider or from the cache, as Opus packets. Has never heard of Discord.

Knows no rules for texts: it is handed requests that were judged.
"""

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.arrivals import Arrivals
from bot.cache import SentenceKey, SpeechCache
from bot.errors import ProviderError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import HOUSE, Packets, Voice
from bot.packing import Packing
from bot.providers.base import AudioStream, SpeechRequest
from bot.samples import SampleService, Take
from bot.store import Store

log = logging.getLogger(__name__)

FRESH_SECONDS = 0.5
"""For so long, a voice is taken to be in the store as it was just read."""


@dataclass(slots=True)
class Telling:
    """A line on its way. Owns what is known of its voice by now, and whether it was counted."""

    voice: Voice
    era: int
    """Of the cache, when it was asked for."""
    asked_at: float = field(default_factory=time.monotonic)
    present: Voice | None = None
    """As the store had it when the line began."""
    counted: bool = False


def expect_ready(voice: Voice) -> None:
    """Raise `VoiceError` where a voice cannot speak, and say why."""
    if voice.state == "failed":
        why = voice.fault or "It could not be made."
        raise VoiceError(f"{voice.name} cannot speak. {why} Delete it and clone it again.")
    if voice.state != "trained":
        raise VoiceError(f"{voice.name} is not ready yet: try again in a minute.")


class Synthesis:
    """Has sentences made, kept in the cache, and the lines they belong to counted. Owns how loud voices come."""

    def __init__(
        self, store: Store, homes: Homes, samples: SampleService, cache: SpeechCache, *, fresh_seconds: float
    ) -> None:
        self._store = store
        self._homes = homes
        self._arrivals = Arrivals(store, homes)
        self._samples = samples
        self._cache = cache
        self._fresh_seconds = fresh_seconds
        self._packing = Packing()

    def begin(self, voice: Voice) -> Telling:
        """Take up a line in a voice that was just read."""
        return Telling(voice, self._cache.era)

    @asynccontextmanager
    async def part(self, line: Telling, request: SpeechRequest, *, begins: bool) -> AsyncIterator[Packets]:
        """Speak one sentence of a line, from the cache where it is there; the store is asked where the line begins."""
        if begins or line.present is None:
            line.present = line.voice if self._is_fresh(line) else await self._find(line.voice)
        ready = line.present.state == "trained"
        kept = self._cache.get(_key(line.present, request)) if ready else None
        async with AsyncExitStack() as stack:
            if kept is None:
                era = self._cache.era
                stream, line.present = await self._open(stack, line.present, request)
                packed = self._pack(stream, request, line.present)
                packets = self._keep(_key(line.present, request), packed, era=era)
            else:
                packets = _again(kept)
            yield await stack.enter_async_context(aclosing(packets))
        if not line.counted:
            line.counted = True
            await self._count(line.voice)

    @asynccontextmanager
    async def whole(self, voice: Voice, request: SpeechRequest, *, counts: bool) -> AsyncIterator[Packets]:
        """Speak all there is in a voice, and keep nothing of it."""
        present = await self._find(voice)
        async with AsyncExitStack() as stack:
            stream, present = await self._open(stack, present, request)
            yield await stack.enter_async_context(aclosing(self._pack(stream, request, present)))
        if counts:
            await self._count(voice)

    @asynccontextmanager
    async def once(self, take: Take, request: SpeechRequest, *, source: str = "") -> AsyncIterator[Packets]:
        """Speak in the voice of a recording; `source` is the same for all that is spoken in it."""
        samples = await self._samples.restore(take.kept, take.report)
        line = replace(request, samples=samples)
        home = self._homes.default
        async with AsyncExitStack() as stack:
            stream = await stack.enter_async_context(home.synthesize(line))
            packed = self._packing.pack(stream, line, label=home.label, source=source)
            yield await stack.enter_async_context(aclosing(packed))

    async def _find(self, voice: Voice) -> Voice:
        """Read a voice whose turn has come. Raises `VoiceError` where it is gone."""
        present = voice if voice.owner_id == HOUSE else await self._store.get(voice.id, owner_id=voice.owner_id)
        if present is None:
            raise VoiceError(f"{voice.name} was deleted before its turn came.")
        return present

    def _is_fresh(self, line: Telling) -> bool:
        """Whether a line begins right after it was asked for, and no voice was changed or deleted between."""
        return time.monotonic() - line.asked_at < self._fresh_seconds and self._cache.era == line.era

    async def _open(self, stack: AsyncExitStack, voice: Voice, request: SpeechRequest) -> tuple[AudioStream, Voice]:
        """Ask for the sound; where the voice is rejected, read it again before anything is said of it."""
        home = self._homes.of(voice)
        try:
            stream = await stack.enter_async_context(home.synthesize(replace(request, remote_id=voice.remote_id)))
        except ProviderError as error:
            if error.kind != "not_found" or not home.capabilities.finds:
                raise
            log.info("voice %s was rejected at %s", voice.id, voice.provider)
        else:
            return stream, voice
        self._cache.forget(voice.id)
        again = (await self._arrivals.read_again(voice)).voice
        expect_ready(again)
        return await stack.enter_async_context(home.synthesize(replace(request, remote_id=again.remote_id))), again

    async def _keep(
        self, key: SentenceKey, packets: AsyncGenerator[Sequence[bytes]], *, era: int
    ) -> AsyncGenerator[Sequence[bytes]]:
        """Hand packets on, and keep them when they are whole."""
        made: list[bytes] = []
        async with aclosing(packets):
            async for portion in packets:
                made.extend(portion)
                yield portion
        self._cache.put(key, made, era=era)

    def _pack(self, stream: AudioStream, request: SpeechRequest, voice: Voice) -> AsyncGenerator[Sequence[bytes]]:
        return self._packing.pack(stream, request, label=self._homes.of(voice).label, source=voice.id)

    async def _count(self, voice: Voice) -> None:
        """Count a line that was spoken. A database that refuses must not spoil it."""
        if voice.owner_id == HOUSE:
            return
        try:
            await self._store.count_use(voice.id, at=datetime.now(UTC))
        except StoreError as error:
            log.warning("a line of voice %s was not counted: %s", voice.id, error)


def _key(voice: Voice, request: SpeechRequest) -> SentenceKey:
    return SentenceKey(
        voice_id=voice.id,
        remote_id=voice.remote_id,
        provider=voice.provider,
        words=request.text,
        speed=request.speed,
    )


async def _again(packets: Sequence[bytes]) -> AsyncGenerator[Sequence[bytes]]:
    yield packets
