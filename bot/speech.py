"""Text and a voice in, Opus packets out. Has never heard of Discord."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime

from bot import audio
from bot.errors import ProviderError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import AudioFormat, Voice
from bot.providers.base import AudioStream, SpeechRequest
from bot.samples import SampleService, Take
from bot.store import Store
from bot.text import clean_text

log = logging.getLogger(__name__)

Speech = AbstractAsyncContextManager[AsyncIterator[bytes]]
"""Synthesized audio on its way: 48 kHz Opus packets of 20 ms. Nothing is made before it is entered."""

PREVIEW = "Hello! This is how I sound. Give me something to say."


class SpeechService:
    """The rules for speaking. Owns no state."""

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
        self._samples = samples
        self._max_text = max_text

    def read(self, text: str) -> str:
        """Return the words that will be spoken. Raises `SpeechError`."""
        return clean_text(text, limit=self._max_text)

    def expect_ready(self, voice: Voice) -> None:
        """Raise `VoiceError` where a voice cannot speak, and say why."""
        if voice.state == "failed":
            raise VoiceError(f"{voice.name} could not be made: delete it and clone it again.")
        if voice.state != "trained":
            raise VoiceError(f"{voice.name} is not ready yet: try again in a minute.")

    def say(self, voice: Voice, text: str) -> Speech:
        """Speak a text with a voice. Raises `VoiceError` now where the voice is not ready."""
        words = self.read(text)
        self.expect_ready(voice)
        return self._say(voice, words, counts=True)

    @asynccontextmanager
    async def _say(self, voice: Voice, words: str, *, counts: bool) -> AsyncIterator[AsyncIterator[bytes]]:
        present = await self._store.get(voice.id, owner_id=voice.owner_id)
        if present is None:
            raise VoiceError(f"{voice.name} was deleted before its turn came.")
        request = SpeechRequest(text=words, remote_id=present.remote_id)
        async with self._homes.of(present).synthesize(request) as stream, aclosing(_pack(stream)) as packets:
            yield packets
        if counts:
            await self._count(voice)

    async def _count(self, voice: Voice) -> None:
        """Count a line that was spoken. A database that refuses must not spoil it."""
        try:
            await self._store.count_use(voice.id, at=datetime.now(UTC))
        except StoreError as error:
            log.warning("a line of voice %s was not counted: %s", voice.id, error)

    def say_once(self, take: Take, text: str) -> Speech:
        """Speak a text in the voice of a recording, and keep nothing."""
        if not self._homes.default.capabilities.instant:
            raise VoiceError("Speaking from a recording is not possible here: make a voice with /clone first.")
        return self._say_once(take, self.read(text))

    @asynccontextmanager
    async def _say_once(self, take: Take, words: str) -> AsyncIterator[AsyncIterator[bytes]]:
        samples = await self._samples.restore(take.kept, take.report)
        request = SpeechRequest(text=words, samples=samples)
        async with self._homes.default.synthesize(request) as stream, aclosing(_pack(stream)) as packets:
            yield packets

    async def preview(self, voice: Voice) -> bytes:
        """Speak a fixed sentence with a voice, as an Ogg Opus file."""
        self.expect_ready(voice)
        return await self.render(self._say(voice, PREVIEW, counts=False), "ogg")

    async def try_preview(self, voice: Voice) -> bytes | None:
        """Speak a fixed sentence if the voice is ready, and its provider and the store answer."""
        try:
            return await self.preview(voice) if voice.state == "trained" else None
        except ProviderError as error:
            log.warning("no preview of voice %s: %s", voice.id, error.kind)
            return None
        except StoreError as error:
            log.warning("no preview of voice %s: %s", voice.id, error)
            return None

    async def render(self, speech: Speech, form: AudioFormat) -> bytes:
        """Speak into a file."""
        async with speech as packets:
            made = [packet async for packet in packets]
        return await asyncio.to_thread(audio.write_file, made, form)


async def _pack(stream: AudioStream) -> AsyncGenerator[bytes]:
    packer = audio.Packer(stream.encoding, stream.rate)
    async for chunk in stream.chunks:
        for packet in await asyncio.to_thread(packer.feed, chunk):
            yield packet
    for packet in await asyncio.to_thread(packer.finish):
        yield packet
