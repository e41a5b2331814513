"""Text and a voice in, Opus packets out. Has never heard of Discord."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot import audio
from bot.arrivals import Arrivals
from bot.errors import ProviderError, SpeechError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import HOUSE, PACKET_SECONDS, AudioFormat, Voice, VoiceMessage
from bot.providers.base import AudioStream, SpeechRequest, VoiceProvider
from bot.samples import SampleService, Take
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


_SLACK_SECONDS = 30.0
_SECONDS_A_SIGN = 1.0
"""Several times as long as any language takes, pauses included: what speaks on is no speech."""

_PACKED_AT_ONCE = 2
"""Threads that pack: with more, each waits for the others, and the event loop for all."""

PLAINLY = Manner()
PREVIEW = "Hello! This is how I sound. Give me something to say."


class SpeechService:
    """The rules for speaking. Owns whose turn it is to have sound packed."""

    def __init__(
        self,
        store: Store,
        homes: Homes,
        samples: SampleService,
        *,
        max_text: int,
    ) -> None:
        self._store = store
        self._homes = homes
        self._arrivals = Arrivals(store, homes)
        self._samples = samples
        self._max_text = max_text
        self._turns = asyncio.Semaphore(_PACKED_AT_ONCE)

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
        """Speak a text with a voice. Raises `VoiceError` or `SpeechError` now where that cannot be."""
        self.expect_ready(voice)
        return self._say(voice, self._request(self._homes.of(voice), text, manner), counts=True)

    def _request(self, home: VoiceProvider, text: str, manner: Manner) -> SpeechRequest:
        speeds = home.capabilities.speeds
        if manner.speed != 1 and speeds is None:
            raise SpeechError(f"{home.label} cannot speak faster or slower: leave the speed out.")
        if speeds is not None and not speeds[0] <= manner.speed <= speeds[1]:
            raise SpeechError(
                f"{home.label} speaks at speeds from {speeds[0]:g} to {speeds[1]:g}: choose one of those."
            )
        words = home.markup.write(self.read(text), manner.style)
        if not any(c.isalnum() for c in words):
            raise SpeechError("This voice knows no such tags, and there is nothing else in that: write some words.")
        return SpeechRequest(text=words, speed=manner.speed, party=manner.party)

    @asynccontextmanager
    async def _say(self, voice: Voice, request: SpeechRequest, *, counts: bool) -> AsyncIterator[AsyncIterator[bytes]]:
        present = voice if voice.owner_id == HOUSE else await self._store.get(voice.id, owner_id=voice.owner_id)
        if present is None:
            raise VoiceError(f"{voice.name} was deleted before its turn came.")
        async with AsyncExitStack() as stack:
            stream = await self._open(stack, present, request)
            yield await stack.enter_async_context(aclosing(self._pack(stream, request, self._homes.of(present))))
        if counts and voice.owner_id != HOUSE:
            await self._count(voice)

    async def _open(self, stack: AsyncExitStack, voice: Voice, request: SpeechRequest) -> AudioStream:
        """Ask for the sound; where the voice is rejected, read it again before anything is said of it."""
        home = self._homes.of(voice)
        try:
            return await stack.enter_async_context(home.synthesize(replace(request, remote_id=voice.remote_id)))
        except ProviderError as error:
            if error.kind != "not_found" or not home.capabilities.finds:
                raise
            log.info("voice %s was rejected at %s", voice.id, voice.provider)
        again = (await self._arrivals.read_again(voice)).voice
        self.expect_ready(again)
        return await stack.enter_async_context(home.synthesize(replace(request, remote_id=again.remote_id)))

    async def _count(self, voice: Voice) -> None:
        """Count a line that was spoken. A database that refuses must not spoil it."""
        try:
            await self._store.count_use(voice.id, at=datetime.now(UTC))
        except StoreError as error:
            log.warning("a line of voice %s was not counted: %s", voice.id, error)

    def say_once(self, take: Take, text: str, manner: Manner = PLAINLY) -> Speech:
        """Speak a text in the voice of a recording, and keep nothing."""
        home = self._homes.default
        if not home.capabilities.instant:
            cure = "make a voice with /clone first" if home.capabilities.clones else "choose a voice instead"
            raise VoiceError(f"Speaking from a recording is not possible here: {cure}.")
        return self._say_once(take, self._request(home, text, manner))

    @asynccontextmanager
    async def _say_once(self, take: Take, request: SpeechRequest) -> AsyncIterator[AsyncIterator[bytes]]:
        samples = await self._samples.restore(take.kept, take.report)
        line = replace(request, samples=samples)
        home = self._homes.default
        async with home.synthesize(line) as stream, aclosing(self._pack(stream, line, home)) as packets:
            yield packets

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

    async def _pack(self, stream: AudioStream, request: SpeechRequest, home: VoiceProvider) -> AsyncGenerator[bytes]:
        """Cut sound into packets, of no more than the words can take. Raises `ProviderError`."""
        packer = audio.Packer(stream.encoding, stream.rate, phrases=stream.phrases)
        left = round((_SLACK_SECONDS + _SECONDS_A_SIGN * len(request.text) / request.speed) / PACKET_SECONDS)
        async for chunk in stream.chunks:
            for portion in packer.portions(chunk):
                packets = await self._take_turn(packer, packer.feed, portion)
                for packet in packets[:left]:
                    yield packet
                left -= len(packets)
                if left < 0:
                    raise ProviderError(
                        f"{home.label} speaks without end: say it again, in other words.", kind="server"
                    )
        for packet in await self._take_turn(packer, packer.finish):
            yield packet

    async def _take_turn(self, packer: audio.Packer, work: Callable[..., list[bytes]], *portion: bytes) -> list[bytes]:
        """Have a packer work; in a thread where that takes time."""
        if packer.copies:
            # sound that is all there already would let nobody else run
            await asyncio.sleep(0)
            return work(*portion)
        async with self._turns:
            return await asyncio.to_thread(work, *portion)


async def _all_of(speech: Speech) -> list[bytes]:
    async with speech as packets:
        return [packet async for packet in packets]
