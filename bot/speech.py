"""Text and a voice in, Opus packets out. Has never heard of Discord."""

import asyncio
import logging
import uuid

from bot import audio
from bot.cache import SpeechCache
from bot.errors import ProviderError, SpeechError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import AudioFormat, Voice, VoiceMessage
from bot.providers.base import SpeechRequest, VoiceProvider
from bot.samples import SampleService, Take
from bot.script import PLAINLY, Manner, Script, Speech
from bot.sentences import split_sentences
from bot.store import Store
from bot.synthesis import FRESH_SECONDS, Synthesis, expect_ready
from bot.text import clean_text

log = logging.getLogger(__name__)

PREVIEW = "Hello! This is how I sound. Give me something to say."


class SpeechService:
    """The rules for speaking: what may be said, in which pieces, into what. Remembers nothing."""

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
        self._homes = homes
        self._max_text = max_text
        cache = SpeechCache(0) if cache is None else cache
        self._synthesis = Synthesis(store, homes, samples, cache, fresh_seconds=fresh_seconds)

    def read(self, text: str) -> str:
        """Return the words that will be spoken. Raises `SpeechError`."""
        return clean_text(text, limit=self._max_text)

    def expect_ready(self, voice: Voice) -> None:
        """Raise `VoiceError` where a voice cannot speak, and say why."""
        expect_ready(voice)

    def styles(self, voice: Voice) -> tuple[str, ...]:
        """List the tags for emotion and style that a voice's model knows."""
        return self._homes.of(voice).markup.tags

    def knows_style(self, voice: Voice | None, style: str) -> bool:
        """Say whether the model of a voice, or of a recording, does anything with a style."""
        home = self._homes.default if voice is None else self._homes.of(voice)
        return home.markup.takes(style)

    def say(self, voice: Voice, text: str, manner: Manner = PLAINLY) -> Speech:
        """Speak a whole text with a voice. Raises `VoiceError` or `SpeechError` now where that cannot be."""
        expect_ready(voice)
        return self._synthesis.whole(voice, self._request(self._homes.of(voice), self.read(text), manner), counts=True)

    def script(self, voice: Voice, text: str, manner: Manner = PLAINLY) -> Script:
        """Cut a text into sentences to be spoken with a voice; as one line, it is counted once.

        Raises `VoiceError` or `SpeechError` now where that cannot be.
        """
        expect_ready(voice)
        home = self._homes.of(voice)
        sentences, requests = self._sentences(home, text, manner)
        line = self._synthesis.begin(voice)
        return Script(
            sentences=sentences, open=lambda number: self._synthesis.part(line, requests[number], begins=number == 0)
        )

    def script_once(self, take: Take, text: str, manner: Manner = PLAINLY) -> Script:
        """Cut a text into sentences to be spoken in the voice of a recording, and keep nothing of what was said."""
        sentences, requests = self._sentences(self._instant_home(), text, manner)
        source = uuid.uuid4().hex
        return Script(
            sentences=sentences, open=lambda number: self._synthesis.once(take, requests[number], source=source)
        )

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

    def say_once(self, take: Take, text: str, manner: Manner = PLAINLY) -> Speech:
        """Speak a whole text in the voice of a recording, and keep nothing."""
        return self._synthesis.once(take, self._request(self._instant_home(), self.read(text), manner))

    def _instant_home(self) -> VoiceProvider:
        """Return what speaks from a recording. Raises `VoiceError` where nothing does."""
        home = self._homes.default
        if not home.capabilities.instant:
            cure = "make a voice with /clone first" if home.capabilities.clones else "choose a voice instead"
            raise VoiceError(f"Speaking from a recording is not possible here: {cure}.")
        return home

    async def preview(self, voice: Voice, *, party: int = 0) -> bytes:
        """Speak a fixed sentence with a voice, as an Ogg Opus file."""
        expect_ready(voice)
        return await self.render(
            self._synthesis.whole(voice, SpeechRequest(text=PREVIEW, party=party), counts=False), "ogg"
        )

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
        return [packet async for portion in packets for packet in portion]
