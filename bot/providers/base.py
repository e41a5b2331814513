"""The door to everything that clones and synthesizes: one abstract verb each, capabilities asked and never tried.

Knows the nouns. Does not know who asks, where voices are remembered, or what becomes of the sound.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Literal, Self

from bot.models import RemoteVoice, Sample, Visibility

Encoding = Literal["pcm", "ogg", "mp3", "wav"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do; asked before anything is offered to a member."""

    clones: bool
    """Makes voices that stay."""
    instant: bool
    """Speaks once from samples sent along, and keeps nothing."""
    deletes: bool = True
    edits: bool = True
    """Takes a new title, description, tags and visibility for a voice that exists."""
    idempotent_create: bool = False
    """Creating twice with one `CloneRequest.voice_id` makes one voice."""
    max_samples: int = 5
    min_speech_seconds: float = 5.0
    languages: tuple[str, ...] = ()
    """BCP 47 codes it speaks; empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneRequest:
    """All a provider needs to make a voice."""

    voice_id: str
    """Our id, put where the provider lets it be found again."""
    title: str
    samples: tuple[Sample, ...]
    description: str = ""
    tags: tuple[str, ...] = ()
    visibility: Visibility = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceEdit:
    """New values for a voice at its provider; None leaves a field as it is."""

    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    visibility: Visibility | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """One line to speak: with a voice that lives at the provider, or once with samples sent along."""

    text: str
    remote_id: str | None = None
    samples: tuple[Sample, ...] = ()
    language: str | None = None
    """BCP 47 code; None: the provider guesses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """Sound on its way from a provider, as it makes it."""

    encoding: Encoding
    chunks: AsyncIterator[bytes]
    """Bytes in order, never empty. For `pcm` each chunk is whole samples and ends where a phrase does."""
    rate: int = 48_000
    """Samples a second; meaningful for `pcm`: mono, signed 16 bit, little endian."""


class VoiceProvider(ABC):
    """Clones and synthesizes. Owns its session, which opens and closes with `async with`.

    Every method raises `ProviderError`; cancelling a call cancels the work behind it.
    """

    name: ClassVar[str]
    """In settings and in the database."""
    label: ClassVar[str]
    """For members: what it honestly is."""
    capabilities: ClassVar[Capabilities]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    @abstractmethod
    async def create(self, request: CloneRequest) -> RemoteVoice:
        """Make a voice. Sent once; `unknown_outcome` where the answer was lost."""

    @abstractmethod
    async def get(self, remote_id: str) -> RemoteVoice:
        """Read one voice; `not_found` where there is none."""

    @abstractmethod
    async def find(self, voice_id: str) -> RemoteVoice | None:
        """Look for the voice that was created with this id of ours."""

    @abstractmethod
    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Change what a voice is called and who sees it."""

    @abstractmethod
    async def delete(self, remote_id: str) -> None:
        """Remove a voice; one that is already gone is not an error."""

    @abstractmethod
    def synthesize(self, request: SpeechRequest) -> AbstractAsyncContextManager[AudioStream]:
        """Speak. Leaving the context stops whatever is not yet made."""

    @abstractmethod
    async def check(self) -> str:
        """Say in one line that it works; costs nothing. Raises the error that speaking would meet."""
