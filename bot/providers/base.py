"""The door to everything that clones and synthesizes: one abstract verb each, capabilities asked and never tried.

Knows the nouns. Does not know who asks, where voices are remembered, or what becomes of the sound.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, Literal, Self

from bot.errors import ProviderError
from bot.models import RemoteVoice, Sample, Visibility
from bot.providers.markup import PLAIN, Markup

Encoding = Literal["pcm", "ogg", "mp3", "wav"]
SortOrder = Literal["score", "task_count", "created_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do; asked before anything is offered to a member."""

    clones: bool
    """Makes voices that stay."""
    instant: bool
    """Speaks once from samples sent along, and keeps nothing."""
    deletes: bool = True
    edits: bool = True
    """Takes a new title for a voice that exists."""
    finds: bool = True
    """Can be asked for the voice that was made with an id of ours."""
    transcribes: bool = False
    """Writes down the words of a recording."""
    needs_transcripts: bool = False
    """Makes no voice from a recording whose words are not known."""
    needs_links: bool = False
    """Fetches recordings itself, from links."""
    visibilities: tuple[Visibility, ...] = ("private",)
    """What an owner may choose for a voice."""
    covers: bool = False
    """Shows a picture with a voice."""
    speeds: tuple[float, float] | None = None
    """Slowest and fastest speech, 1 being as usual; None: as usual only."""
    online: bool = True
    """Is a service elsewhere, whose key and credit can run out."""
    idempotent_create: bool = False
    """Creating twice with one `CloneRequest.voice_id` makes one voice."""
    max_samples: int = 5
    min_speech_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneRequest:
    """All a provider needs to make a voice."""

    voice_id: str
    """Our id, put where the provider lets it be found again."""
    title: str
    samples: tuple[Sample, ...]
    links: tuple[str, ...] = field(default=(), repr=False)
    """Where the recordings can be fetched for some hours, one for each sample; signed, so never to be logged."""
    description: str = ""
    tags: tuple[str, ...] = ()
    visibility: Visibility = "private"
    cover: bytes | None = field(default=None, repr=False)
    """A picture, JPEG."""
    party: int = 0
    """For whom: turns at a busy service are shared out fairly between parties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceEdit:
    """New values for a voice at its provider; None leaves a field as it is."""

    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    visibility: Visibility | None = None
    cover: bytes | None = field(default=None, repr=False)
    """A picture, JPEG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """One line to speak: with a voice that lives at the provider, or once with samples sent along."""

    text: str
    """Words, with tags as this provider's `markup` writes them."""
    remote_id: str | None = None
    samples: tuple[Sample, ...] = ()
    language: str | None = None
    """BCP 47 code; None: the provider guesses."""
    speed: float = 1.0
    """Within `Capabilities.speeds`."""
    party: int = 0
    """For whom: turns at a busy service are shared out fairly between parties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """Sound on its way from a provider, as it makes it."""

    encoding: Encoding
    chunks: AsyncIterator[bytes]
    """Bytes in order, never empty."""
    rate: int = 48_000
    """Samples a second; meaningful for `pcm`: mono, signed 16 bit, little endian."""
    phrases: bool = False
    """Each chunk is a whole phrase; otherwise chunks end anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceQuery:
    """Which of the voices at a provider to list, and which page of them. Fish Audio's `GET /model` has the meanings."""

    mine: bool = True
    """Only the voices of this account."""
    title: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    """The author's id there; not looked at where `mine` is asked."""
    languages: tuple[str, ...] = ()
    title_language: str = ""
    sort: SortOrder = "created_at"
    """Newest first, most used first, or as the provider ranks them."""
    page: int = 1
    size: int = 10
    """1 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePage:
    """One page of the voices at a provider."""

    voices: tuple[RemoteVoice, ...]
    total: int
    more: bool
    """Whether a next page has any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a provider says of itself and of the account it is used with."""

    summary: str
    """One line: 'key accepted'."""
    credit: str = ""
    """What is left, with its unit; empty where it cannot be asked."""
    concurrency: int | None = None
    """Requests at once, as far as is known."""

    def __str__(self) -> str:
        parts = [self.summary]
        if self.credit:
            parts.append(f"credit {self.credit}")
        if self.concurrency is not None:
            parts.append(f"{self.concurrency} at once")
        return ", ".join(parts)


class VoiceProvider(ABC):
    """Clones and synthesizes. Owns its session, which opens and closes with `async with`.

    Every method raises `ProviderError`; cancelling a call cancels the work behind it.
    """

    name: ClassVar[str]
    """In settings and in the database."""
    label: ClassVar[str]
    """For members: what it honestly is."""
    capabilities: Capabilities
    """Of its class, but for what its settings take away."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    @property
    def markup(self) -> Markup:
        """How the model in use takes tags for emotion and style."""
        return PLAIN

    @property
    def ready_made(self) -> tuple[RemoteVoice, ...]:
        """Voices that are there without being cloned, for everybody."""
        return ()

    @abstractmethod
    async def create(self, request: CloneRequest) -> RemoteVoice:
        """Make a voice. Sent once; `unknown_outcome` where the answer was lost."""

    @abstractmethod
    async def get(self, remote_id: str) -> RemoteVoice:
        """Read one voice; `not_found` where there is none."""

    @abstractmethod
    async def find(self, voice_id: str) -> RemoteVoice | None:
        """Look for the voice that was created with this id of ours, where `Capabilities.finds`."""

    async def list(self, query: VoiceQuery) -> RemotePage:
        """List the voices there. Raises `ProviderError` (`invalid`) where it keeps no list."""
        raise ProviderError(f"{self.label} keeps no list of voices: see /voices list.", kind="invalid")

    @abstractmethod
    async def update(self, remote_id: str, edit: VoiceEdit) -> RemoteVoice:
        """Change what a voice is called, how it looks and who sees it."""

    @abstractmethod
    async def delete(self, remote_id: str) -> None:
        """Remove a voice; one that is already gone is not an error."""

    @abstractmethod
    def synthesize(self, request: SpeechRequest) -> AbstractAsyncContextManager[AudioStream]:
        """Speak. Leaving the context stops whatever is not yet made.

        What fails before the context is entered was not heard; what fails later was heard up to there, and is not sent
        again.
        """

    async def transcribe(self, sample: Sample, *, party: int = 0) -> str:
        """Write down the words of a recording, where `Capabilities.transcribes`."""
        raise ProviderError(f"{self.label} does not write down what is said.", kind="invalid")

    @abstractmethod
    async def check(self) -> Health:
        """Say that it works; costs nothing. Raises the error that speaking would meet."""
