"""Text and a voice in, Opus packets out. Has never heard of Discord."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot import audio
from bot.arrivals import Arrivals
from bot.cache import SentenceKey, SpeechCache
from bot.errors import ProviderError, SpeechError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import HOUSE, AudioFormat, Voice, VoiceMessage
from bot.packing import Packing
from bot.providers.base import AudioStream, SpeechRequest, VoiceProvider
from bot.samples import SampleService, Take
from bot.sentences import split_sentences
from bot.store import Store
from bot.text import clean_text

log = logging.getLogger(__name__)

Speech = AbstractAsyncContextManager[AsyncIterator[bytes]]
"""Synthesized audio on its way: 48 kHz Opus packets of 20 ms. Nothing is made before it is entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a line is said, and for whom."""

    style: str = ""
    """A tag for emotion or style, before the line."""
    speed: float = 1.0
    """1 as usual, 2 twice as fast."""
    party: int = 0
    """The server or member whose turn it is at a busy service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A line as sentences, each of which can be spoken by itself. Nothing is made before one is opened."""

    sentences: tuple[str, ...]
    """As they are spoken, for people to read: without markup the model needs."""
    open: Callable[[int], Speech]
    """Speak sentence n, as often as liked."""


@dataclass(slots=True)
class _Line:
    """A line on its way. Owns what is known of its voice by now, and whether it was counted."""

    voice: Voice
    era: int
    """Of the cache, when it was asked for."""
    asked_at: float = field(default_factory=time.monotonic)
    present: Voice | None = None
    """As the store had it when the line began."""
    counted: bool = False


FRESH_SECONDS = 0.5
PLAINLY = Manner()
PREVIEW = "Hello! This is how I sound. Give me something to say."


class SpeechService:
    """The rules for speaking. Sentences that were spoken are kept in the cache; nothing else is remembered here."""

    def __init__(
        self,
        store: Store,
        homes: Homes,
        samples: SampleService,
        *,
        max_text: int,
        cache: SpeechCache | None = None,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        """`fresh_seconds`: for so long, a voice is taken to be in the store as it was just read."""
        self._store = store
        self._homes = homes
        self._arrivals = Arrivals(store, homes)
        self._samples = samples
        self._max_text = max_text
        self._fresh_seconds = fresh_seconds
        self._cache = SpeechCache(0) if cache is None else cache
        self._packing = Packing()

    def read(self, text: str) -> str:
        """Return the words that will be spoken. Raises `SpeechError`."""
        return clean_text(text, limit=self._max_text)

    def expect_ready(self, voice: Voice) -> None:
        """Raise `VoiceError` where a voice cannot speak, and say why."""
        if voice.state == "failed":
            why = voice.fault or "It could not be made."
            raise VoiceError(f"{voice.name} cannot speak. {why} Delete it and clone it again.")
        if voice.state != "trained":
            raise VoiceError(f"{voice.name} is not ready yet: try again in a minute.")

    def styles(self, voice: Voice) -> tuple[str, ...]:
        """List the tags for emotion and style that a voice's model knows."""
        return self._homes.of(voice).markup.tags

    def knows_style(self, voice: Voice | None, style: str) -> bool:
        """Say whether the model of a voice, or of a recording, does anything with a style."""
        home = self._homes.default if voice is None else self._homes.of(voice)
        return home.markup.takes(style)

    def say(self, voice: Voice, text: str, manner: Manner = PLAINLY) -> Speech:
        """Speak a whole text with a voice. Raises `VoiceError` or `SpeechError` now where that cannot be."""
        self.expect_ready(voice)
        return self._say(voice, self._request(self._homes.of(voice), self.read(text), manner), counts=True)

    def script(self, voice: Voice, text: str, manner: Manner = PLAINLY) -> Script:
        """Cut a text into sentences to be spoken with a voice; as one line, it is counted once.

        Raises `VoiceError` or `SpeechError` now where that cannot be.
        """
        self.expect_ready(voice)
        home = self._homes.of(voice)
        sentences, requests = self._sentences(home, text, manner)
        line = _Line(voice, self._cache.era)
        return Script(
            sentences=sentences, open=lambda number: self._say_part(line, requests[number], begins=number == 0)
        )

    def script_once(self, take: Take, text: str, manner: Manner = PLAINLY) -> Script:
        """Cut a text into sentences to be spoken in the voice of a recording, and keep nothing of what was said."""
        sentences, requests = self._sentences(self._instant_home(), text, manner)
        source = uuid.uuid4().hex
        return Script(sentences=sentences, open=lambda number: self._say_once(take, requests[number], source=source))

    def _sentences(
        self, home: VoiceProvider, text: str, manner: Manner
    ) -> tuple[tuple[str, ...], tuple[SpeechRequest, ...]]:
        """Cut a text; give the sentences to read, and those to send. Raises `SpeechError`."""
        pieces = split_sentences(self.read(text))
        requests = tuple(self._request(home, piece, manner) for piece in pieces)
        return tuple(home.markup.show(piece) or piece for piece in pieces), requests

    def _request(self, home: VoiceProvider, words: str, manner: Manner) -> SpeechRequest:
        speeds = home.capabilities.speeds
        if manner.speed != 1 and speeds is None:
            raise SpeechError(f"{home.label} cannot speak faster or slower: leave the speed out.")
        if speeds is not None and not speeds[0] <= manner.speed <= speeds[1]:
            raise SpeechError(
                f"{home.label} speaks at speeds from {speeds[0]:g} to {speeds[1]:g}: choose one of those."
            )
        written = home.markup.write(words, manner.style)
        if not any(c.isalnum() for c in written):
            raise SpeechError("This voice knows no such tags, and there is nothing else in that: write some words.")
        return SpeechRequest(text=written, speed=manner.speed, party=manner.party)

    async def _find(self, voice: Voice) -> Voice:
        """Read a voice whose turn has come. Raises `VoiceError` where it is gone."""
        present = voice if voice.owner_id == HOUSE else await self._store.get(voice.id, owner_id=voice.owner_id)
        if present is None:
            raise VoiceError(f"{voice.name} was deleted before its turn came.")
        return present

    @asynccontextmanager
    async def _say_part(
        self, line: _Line, request: SpeechRequest, *, begins: bool
    ) -> AsyncIterator[AsyncIterator[bytes]]:
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

    def _is_fresh(self, line: _Line) -> bool:
        """Whether a line begins right after it was asked for, and no voice was changed or deleted between."""
        return time.monotonic() - line.asked_at < self._fresh_seconds and self._cache.era == line.era

    async def _keep(self, key: SentenceKey, packets: AsyncGenerator[bytes], *, era: int) -> AsyncGenerator[bytes]:
        """Hand packets on, and keep them when they are whole."""
        made: list[bytes] = []
        async with aclosing(packets):
            async for packet in packets:
                made.append(packet)
                yield packet
        self._cache.put(key, made, era=era)

    def _pack(self, stream: AudioStream, request: SpeechRequest, voice: Voice) -> AsyncGenerator[bytes]:
        return self._packing.pack(stream, request, label=self._homes.of(voice).label, source=voice.id)

    @asynccontextmanager
    async def _say(self, voice: Voice, request: SpeechRequest, *, counts: bool) -> AsyncIterator[AsyncIterator[bytes]]:
        present = await self._find(voice)
        async with AsyncExitStack() as stack:
            stream, present = await self._open(stack, present, request)
            yield await stack.enter_async_context(aclosing(self._pack(stream, request, present)))
        if counts:
            await self._count(voice)

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
        self.expect_ready(again)
        return await stack.enter_async_context(home.synthesize(replace(request, remote_id=again.remote_id))), again

    async def _count(self, voice: Voice) -> None:
        """Count a line that was spoken. A database that refuses must not spoil it."""
        if voice.owner_id == HOUSE:
            return
        try:
            await self._store.count_use(voice.id, at=datetime.now(UTC))
        except StoreError as error:
            log.warning("a line of voice %s was not counted: %s", voice.id, error)

    def say_once(self, take: Take, text: str, manner: Manner = PLAINLY) -> Speech:
        """Speak a whole text in the voice of a recording, and keep nothing."""
        return self._say_once(take, self._request(self._instant_home(), self.read(text), manner))

    def _instant_home(self) -> VoiceProvider:
        """Return what speaks from a recording. Raises `VoiceError` where nothing does."""
        home = self._homes.default
        if not home.capabilities.instant:
            cure = "make a voice with /clone first" if home.capabilities.clones else "choose a voice instead"
            raise VoiceError(f"Speaking from a recording is not possible here: {cure}.")
        return home

    @asynccontextmanager
    async def _say_once(
        self, take: Take, request: SpeechRequest, *, source: str = ""
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        samples = await self._samples.restore(take.kept, take.report)
        line = replace(request, samples=samples)
        home = self._homes.default
        async with AsyncExitStack() as stack:
            stream = await stack.enter_async_context(home.synthesize(line))
            packed = self._packing.pack(stream, line, label=home.label, source=source)
            yield await stack.enter_async_context(aclosing(packed))

    async def preview(self, voice: Voice, *, party: int = 0) -> bytes:
        """Speak a fixed sentence with a voice, as an Ogg Opus file."""
        self.expect_ready(voice)
        return await self.render(self._say(voice, SpeechRequest(text=PREVIEW, party=party), counts=False), "ogg")

    async def try_preview(self, voice: Voice, *, party: int = 0) -> bytes | None:
        """Speak a fixed sentence if the voice is ready, and its provider and the store answer."""
        try:
            return await self.preview(voice, party=party) if voice.state == "trained" else None
        except ProviderError as error:
            log.warning("no preview of voice %s: %s", voice.id, error.kind)
            return None
        except StoreError as error:
            log.warning("no preview of voice %s: %s", voice.id, error)
            return None

    async def render(self, speech: Speech, form: AudioFormat) -> bytes:
        """Speak into a file."""
        return await asyncio.to_thread(audio.write_file, await _all_of(speech), form)

    async def record(self, speech: Speech) -> VoiceMessage:
        """Speak into a voice message."""
        return await asyncio.to_thread(audio.write_voice_message, await _all_of(speech))


async def _all_of(speech: Speech) -> list[bytes]:
    async with speech as packets:
        return [packet async for packet in packets]


def _key(voice: Voice, request: SpeechRequest) -> SentenceKey:
    return SentenceKey(
        voice_id=voice.id,
        remote_id=voice.remote_id,
        provider=voice.provider,
        words=request.text,
        speed=request.speed,
    )


async def _again(packets: Iterable[bytes]) -> AsyncGenerator[bytes]:
    for packet in packets:
        yield packet
