"""A provider that does as it is told: the far end of the rules' tests, written from `VoiceProvider`'s contract."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar, Literal

from bot.errors import ProviderError, ProviderFault
from bot.models import RemoteVoice, Sample, Visibility
from bot.providers.base import (
    AudioStream,
    Capabilities,
    CloneRequest,
    Encoding,
    Health,
    SpeechRequest,
    VoiceEdit,
    VoiceProvider,
)
from bot.providers.markup import PLAIN, Markup
from tests.sounds import babble, to_pcm

Verb = Literal["create", "get", "find", "update", "delete", "synthesize", "check", "transcribe"]

_RATE = 24_000


@cache
def speech_chunks(seconds: float = 1.2, *, phrases: int = 3) -> tuple[bytes, ...]:
    """Make the sound of a line as a provider sends it: PCM at 24 kHz, a phrase a chunk."""
    return tuple(to_pcm(babble(seconds / phrases, rate=_RATE, seed=phrase)) for phrase in range(phrases))


@dataclass(slots=True)
class _Made:
    voice_id: str
    remote: RemoteVoice
    reads: int = 0


@dataclass(slots=True)
class Script:
    """How the provider behaves from now on."""

    faults: dict[str, ProviderFault] = field(default_factory=dict)
    loses_answers: bool = False
    """A create makes the voice, and its answer does not arrive."""
    comes_back: Visibility | None = None
    """How visible a made voice is, whatever was asked."""
    stubborn: bool = False
    """Leaves who sees a voice as it is, whatever is asked."""
    moves_on_change: bool = False
    """Gives a voice that is changed a new id."""
    trains_again: bool = False
    """Rejects a voice it had, and trains it anew."""
    trained_after: int = 0
    """Reads until a voice is trained; 0: at once."""
    encoding: Encoding = "pcm"
    chunks: tuple[bytes, ...] = field(default_factory=speech_chunks)
    breaks_after: int | None = None
    """Chunks until the line is cut off by a fault of the kind `network`."""
    before_updating: Callable[[], Awaitable[None]] | None = None
    before_creating: Callable[[], Awaitable[None]] | None = None
    while_creating: Callable[[], Awaitable[None]] | None = None
    """Awaited between the making of a voice and the answer."""


class FakeProvider(VoiceProvider):
    """Owns voices in memory, and a record of all it was asked."""

    name: ClassVar[str] = "fake"
    label: ClassVar[str] = "a fake that only tests know"
    capabilities: Capabilities = Capabilities(
        clones=True, instant=True, visibilities=("private", "unlist", "public"), covers=True, speeds=(0.5, 2.0)
    )

    def __init__(self) -> None:
        self.script = Script()
        self.tags = PLAIN
        self.asked: list[tuple[Verb, Any]] = []
        self.open_streams = 0
        self.chunks_sent = 0
        self._made: dict[str, _Made] = {}
        self._rung = asyncio.Event()

    @property
    def markup(self) -> Markup:
        return self.tags

    @property
    def voices(self) -> dict[str, RemoteVoice]:
        """Every voice that lives here, by its id here."""
        return {remote_id: made.remote for remote_id, made in self._made.items()}

    def fail(self, verb: Verb, kind: ProviderFault) -> None:
        """Refuse this from now on."""
        self.script.faults[verb] = kind

    def recover(self, verb: Verb) -> None:
        """Do this again from now on."""
        del self.script.faults[verb]

    def count(self, verb: Verb) -> int:
        """Say how often this was asked."""
        return sum(asked == verb for asked, _ in self.asked)

    async def until_asked(self, verb: Verb, *, times: int) -> None:
        """Wait until this was asked so often."""
        while self.count(verb) < times:
            self._rung.clear()
            await self._rung.wait()

    def last(self, verb: Verb) -> Any:
        """Give what was asked with this verb last."""
        return next(argument for asked, argument in reversed(self.asked) if asked == verb)

    async def create(self, request: CloneRequest) -> RemoteVoice:
        self._note("create", request)
        if self.script.before_creating is not None:
            await self.script.before_creating()
        remote = RemoteVoice(
            id=f"remote-{len(self.asked)}",
            title=request.title,
            state="trained" if self.script.trained_after == 0 else "created",
            description=request.description,
            tags=request.tags,
            visibility=self.script.comes_back or request.visibility,
            languages=("en",),
        )
        self._made[remote.id] = _Made(request.voice_id, remote)
        if self.script.while_creating is not None:
            await self.script.while_creating()
        if self.script.loses_answers:
            raise _fault("unknown_outcome")
        return remote

    async def get(self, remote_id: str) -> RemoteVoice:
        self._note("get", remote_id)
        made = self._find(remote_id)
        made.reads += 1
        if made.remote.state == "created" and made.reads >= self.script.trained_after:
            made.remote = replace(made.remote, state="trained")
        return made.remote

    async def find(self, voice_id: str) -> RemoteVoice | None:
        self._note("find", voice_id)
        return next((made.remote for made in self._made.values() if made.voice_id == voice_id), None)

    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        if self.script.before_updating is not None:
            await self.script.before_updating()
        self._note("update", (remote_id, edit))
        made = self._find(remote_id)
        made.remote = replace(
            made.remote,
            title=made.remote.title if edit.title is None else edit.title,
            description=made.remote.description if edit.description is None else edit.description,
            tags=made.remote.tags if edit.tags is None else edit.tags,
            visibility=made.remote.visibility if edit.visibility is None or self.script.stubborn else edit.visibility,
            cover_image="cover.jpg" if edit.cover else made.remote.cover_image,
        )
        if self.script.moves_on_change:
            del self._made[remote_id]
            made.remote = replace(made.remote, id=f"{remote_id}-moved")
            self._made[made.remote.id] = made
        return made.remote

    async def delete(self, remote_id: str) -> None:
        self._note("delete", remote_id)
        self._made.pop(remote_id, None)

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AudioStream]:
        self._note("synthesize", request)
        if request.remote_id is not None:
            made = self._find(request.remote_id)
            if self.script.trains_again:
                made.remote = replace(made.remote, state="training")
                raise _fault("not_found")
        self.open_streams += 1
        chunks = self._speak()
        try:
            yield AudioStream(encoding=self.script.encoding, rate=_RATE, chunks=chunks)
        finally:
            await chunks.aclose()
            self.open_streams -= 1

    async def _speak(self) -> AsyncGenerator[bytes]:
        for number, chunk in enumerate(self.script.chunks):
            if number == self.script.breaks_after:
                raise _fault("network")
            self.chunks_sent += 1
            yield chunk

    async def check(self) -> Health:
        self._note("check", None)
        return Health(summary="as well as a fake can be")

    def _note(self, verb: Verb, argument: Any) -> None:
        self.asked.append((verb, argument))
        self._rung.set()
        kind = self.script.faults.get(verb)
        if kind is not None:
            raise _fault(kind)

    def _find(self, remote_id: str) -> _Made:
        if remote_id not in self._made:
            raise _fault("not_found")
        return self._made[remote_id]


class SlowFake(FakeProvider):
    """Neither speaks at once from a recording nor takes a new name, nor gives a voice up."""

    name: ClassVar[str] = "slow"
    capabilities: Capabilities = Capabilities(clones=True, instant=False, deletes=False, edits=False, finds=False)


class HouseFake(FakeProvider):
    """Speaks with what it has, and clones nothing."""

    name: ClassVar[str] = "house"
    label: ClassVar[str] = "a house of fakes"
    capabilities: Capabilities = Capabilities(clones=False, instant=False, deletes=False, edits=False, finds=False)

    def __init__(self) -> None:
        super().__init__()
        for title in ("Alloy", "Nova"):
            voice = RemoteVoice(id=title.lower(), title=title, state="trained", visibility="public")
            self._made[voice.id] = _Made("", voice)

    @property
    def ready_made(self) -> tuple[RemoteVoice, ...]:
        return tuple(self.voices.values())


class ScribeFake(FakeProvider):
    """Must know the words of a recording, and can write them down."""

    name: ClassVar[str] = "scribe"
    capabilities: Capabilities = Capabilities(
        clones=True, instant=True, needs_transcripts=True, transcribes=True, max_samples=2
    )

    async def transcribe(self, sample: Sample, *, party: int = 0) -> str:
        self._note("transcribe", sample)
        return "what was said"


class WordyFake(FakeProvider):
    """Must know the words of a recording, and cannot write them down."""

    name: ClassVar[str] = "wordy"
    capabilities: Capabilities = Capabilities(clones=True, instant=True, needs_transcripts=True)


class StuckFake(FakeProvider):
    """Makes voices that are never ready, and never tells."""

    name: ClassVar[str] = "stuck"

    def __init__(self) -> None:
        super().__init__()
        self.script.trained_after = 1000

    async def get(self, remote_id: str) -> RemoteVoice:
        await asyncio.Event().wait()
        raise AssertionError


class BrokenFake(StuckFake):
    """Has a bug."""

    name: ClassVar[str] = "broken"

    async def get(self, remote_id: str) -> RemoteVoice:
        raise KeyError(remote_id)


class HauntedFake(FakeProvider):
    """Has something happen just before a voice is read for the first time."""

    name: ClassVar[str] = "haunted"

    def __init__(self) -> None:
        super().__init__()
        self.script.trained_after = 1000
        self.before_getting: Callable[[], Awaitable[object]] | None = None

    async def get(self, remote_id: str) -> RemoteVoice:
        happening, self.before_getting = self.before_getting, None
        if happening is not None:
            await happening()
        return await super().get(remote_id)


def _fault(kind: ProviderFault) -> ProviderError:
    return ProviderError(f"The fake said no ({kind}): try something else.", kind=kind)
