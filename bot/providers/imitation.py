"""The embedded engine as a provider: no account, no key, no network, and no more than an imitation.

Knows where voices are kept and which worker does what. The sound is made in worker processes: one speaks, one learns
new voices, so that nobody waits for somebody else's clone.
"""

import asyncio
import contextlib
import io
import time
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import ClassVar

from bot.errors import ProviderError
from bot.models import RemoteVoice, Sample
from bot.providers.base import (
    AudioStream,
    Capabilities,
    CloneRequest,
    Health,
    SpeechRequest,
    VoiceEdit,
    VoiceProvider,
)
from bot.providers.local.engine import Engine
from bot.providers.local.shelf import Shelf
from bot.providers.local.wire import Frame

_RATE = 24_000
_SAMPLE_RATE = 48_000
_MOST_SECONDS = 300
"""Of all samples together that the engine looks through for the best parts."""
_CLONING_NICE = 10


class ImitationProvider(VoiceProvider):
    """Owns a folder of voices and two worker processes, each started at its first request."""

    name: ClassVar[str] = "imitation"
    label: ClassVar[str] = "basic offline imitation"
    capabilities: Capabilities = Capabilities(clones=True, instant=True, online=False, idempotent_create=True)

    def __init__(self, folder: Path, *, speaking: Engine | None = None, cloning: Engine | None = None) -> None:
        self._shelf = Shelf(folder)
        self._speaking = speaking or Engine()
        self._cloning = cloning or Engine(nice=_CLONING_NICE)
        self._one_clone = asyncio.Lock()
        self._writing = asyncio.Lock()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.gather(self._speaking.close(), self._cloning.close())

    async def create(self, request: CloneRequest) -> RemoteVoice:
        """Make a voice. The id is ours; a voice that was made before is given as it is."""
        if (found := await self.find(request.voice_id)) is not None:
            return found
        profile = await self._learn(request.samples)
        now = datetime.now(UTC)
        voice = RemoteVoice(
            id=request.voice_id,
            title=request.title,
            state="trained",
            description=request.description,
            tags=request.tags,
            visibility=request.visibility,
            created_at=now,
            updated_at=now,
        )
        async with self._writing:
            await asyncio.to_thread(self._shelf.put, voice, profile)
        return voice

    async def get(self, remote_id: str) -> RemoteVoice:
        """Read a voice's card."""
        return await asyncio.to_thread(self._shelf.get, remote_id)

    async def find(self, voice_id: str) -> RemoteVoice | None:
        """Look for a voice by our id, which is its only one."""
        try:
            return await self.get(voice_id)
        except ProviderError as error:
            if error.kind == "not_found":
                return None
            raise

    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Change a voice's card."""
        async with self._writing:
            return await asyncio.to_thread(self._shelf.edit, remote_id, edit)

    async def delete(self, remote_id: str) -> None:
        """Remove a voice's files."""
        async with self._writing:
            await asyncio.to_thread(self._shelf.remove, remote_id)

    @contextlib.asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioStream]:
        """Speak phrase by phrase; entered when the first phrase is made."""
        profile = await self._profile(request)
        question = Frame(request=0, verb="speak", text=request.text, language=request.language or "", body=profile)
        async with self._speaking.ask(question) as replies:
            first = await anext(replies)
            yield AudioStream(encoding="pcm", rate=_RATE, chunks=_sound(first, replies), phrases=True)

    async def check(self) -> Health:
        """Start the speaking worker and have it say something to itself."""
        began = time.monotonic()
        async with self._speaking.ask(Frame(request=0, verb="check")) as replies:
            async for _ in replies:
                pass
        return Health(summary=f"ready ({time.monotonic() - began:.1f} s)")

    async def _profile(self, request: SpeechRequest) -> bytes:
        if request.remote_id is None:
            return await self._learn(request.samples)
        return await asyncio.to_thread(self._shelf.profile, request.remote_id)

    async def _learn(self, samples: tuple[Sample, ...]) -> bytes:
        async with self._one_clone:
            sound = await asyncio.to_thread(_join, samples)
            async with self._cloning.ask(Frame(request=0, verb="clone", body=sound)) as replies:
                return (await anext(replies)).body


async def _sound(first: Frame, replies: AsyncIterator[Frame]) -> AsyncIterator[bytes]:
    yield first.body
    async for frame in replies:
        yield frame.body


def _join(samples: tuple[Sample, ...]) -> bytes:
    """Take the sound of all samples, one after the other, an even share of each where they are long."""
    if not samples:
        raise ProviderError("A voice needs a recording. Attach one and try again.", kind="invalid")
    most = _MOST_SECONDS * _SAMPLE_RATE // len(samples)
    parts = []
    for sample in samples:
        try:
            with wave.open(io.BytesIO(sample.wav)) as file:
                if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (_SAMPLE_RATE, 1, 2):
                    raise ProviderError("This recording is not 48 kHz mono.", kind="invalid")
                parts.append(file.readframes(most))
        except (wave.Error, EOFError) as error:
            raise ProviderError("This recording cannot be read. Send it in another format.", kind="invalid") from error
    return b"".join(parts)
