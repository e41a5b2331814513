"""A Fish Speech server of the operator's own: one model, one line at a time, voices kept as reference recordings.

All it knows of a voice is the id, so the id carries the title and our own id. Source: github.com/fishaudio/fish-speech,
tools/server.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar

from bot.errors import ProviderError
from bot.models import RemoteVoice
from bot.providers.ahead import read_ahead
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
from bot.providers.faults import Account
from bot.providers.fish_speech._questions import References, expect_success, read_refusal, speech_question
from bot.providers.fish_speech._reference import join, make_id, read_voice, read_voice_id
from bot.providers.http import Http
from bot.providers.limiter import Limiter
from bot.providers.markup import FISH_S2, Markup
from bot.providers.online import OnlineProvider
from bot.providers.patience import Patience
from bot.settings import FishSpeechSettings

__all__ = ["FishSpeechProvider"]

_ACCOUNT = Account(label="Fish Speech", key_setting="FISHSPEECH_API_KEY")
_PATIENCE = Patience(first_byte=300.0)
"""Without compiled kernels a server makes speech much slower than it is spoken."""


class FishSpeechProvider(OnlineProvider):
    """Owns the session with one server, and the only place where it makes a line."""

    name: ClassVar[str] = "fish-speech"
    label: ClassVar[str] = "Fish Speech (self-hosted)"
    capabilities: Capabilities = Capabilities(clones=True, instant=True, needs_transcripts=True, idempotent_create=True)

    def __init__(self, settings: FishSpeechSettings, *, patience: Patience | None = None) -> None:
        if settings.base_url is None:
            raise ValueError("FISHSPEECH_BASE_URL is not set")
        self._settings = settings
        self._references = References(settings)
        self._http = Http(
            _ACCOUNT, settings.base_url, settings.api_key, reading=read_refusal, patience=patience or _PATIENCE
        )
        # lists and changes are answered beside a line that is being made
        self._lines = Limiter(1)

    @property
    def markup(self) -> Markup:
        """The server does not tell its model; its present release brings S2."""
        return FISH_S2

    async def create(self, request: CloneRequest) -> RemoteVoice:
        """Add a reference. The id is ours; a voice that was made before is given as it is."""
        if (found := await self.find(request.voice_id)) is not None:
            return found
        reference = await asyncio.to_thread(join, request.samples)
        reference_id = make_id(request.title, request.voice_id)
        question = self._references.add(reference_id, reference, party=request.party)
        try:
            content = (await self._http.ask_once(question)).content
        except ProviderError as error:
            # taken: nobody else has our id, so it was made by an order that went before
            if error.kind != "invalid" or reference_id not in await self._ids():
                raise
        else:
            if not isinstance(content, Mapping):
                raise _ACCOUNT.fault("unknown_outcome")
            expect_success(content, _ACCOUNT)
        return read_voice(reference_id)

    async def get(self, remote_id: str) -> RemoteVoice:
        """Read one voice off the list."""
        if remote_id not in await self._ids():
            raise _ACCOUNT.fault("not_found")
        return read_voice(remote_id)

    async def find(self, voice_id: str) -> RemoteVoice | None:
        """Look for a voice by our id, which its own ends with."""
        known = next((each for each in await self._ids() if read_voice_id(each) == voice_id), None)
        return None if known is None else read_voice(known)

    async def list(self, query: VoiceQuery) -> RemotePage:
        """List voices by title, which is all that is known of them: the other filters are not followed."""
        wanted = query.title.casefold()
        voices = [read_voice(each) for each in sorted(await self._ids(), key=str.casefold)]
        voices = [voice for voice in voices if wanted in voice.title.casefold()]
        end = query.page * query.size
        return RemotePage(voices=tuple(voices[end - query.size : end]), total=len(voices), more=end < len(voices))

    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Rename a voice, which gives it another id; of everything else the server keeps nothing."""
        voice = await self.get(remote_id)
        new_id = remote_id if edit.title is None else make_id(edit.title, read_voice_id(remote_id))
        if new_id == remote_id:
            return voice
        try:
            expect_success((await self._http.ask(self._references.rename(remote_id, new_id))).content, _ACCOUNT)
        except ProviderError:
            # an attempt whose answer was lost may have done it
            known = await self._ids()
            if new_id not in known or remote_id in known:
                raise
        return read_voice(new_id)

    async def delete(self, remote_id: str) -> None:
        """Remove a voice; one that is already gone is not an error."""
        try:
            expect_success((await self._http.ask(self._references.delete(remote_id))).content, _ACCOUNT)
        except ProviderError as error:
            if error.kind != "not_found":
                raise

    def synthesize(self, request: SpeechRequest) -> AbstractAsyncContextManager[AudioStream]:
        """Speak; wav comes as it is made, mp3 when all of it is."""
        return read_ahead(self._speak(request))

    @asynccontextmanager
    async def _speak(self, request: SpeechRequest) -> AsyncIterator[AudioStream]:
        question = speech_question(request, self._settings)
        async with self._lines.turn(request.party):
            if request.remote_id is not None:
                # the server would speak in a voice of its own, and not say so
                await self.get(request.remote_id)
            async with self._http.speak(question, asked=self._settings.format) as stream:
                yield stream

    async def check(self) -> Health:
        """Count the voices, which needs the key where there is one."""
        count = len(await self._ids())
        return Health(summary=f"answers, {count} voice{'' if count == 1 else 's'}", concurrency=1)

    async def _ids(self) -> Sequence[str]:
        content = expect_success((await self._http.ask(self._references.list())).content, _ACCOUNT)
        ids = content.get("reference_ids")
        if not isinstance(ids, Sequence) or isinstance(ids, str):
            raise _ACCOUNT.fault("server")
        return [str(each) for each in ids]
