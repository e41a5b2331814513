"""From recordings to a voice: heard, drafted, confirmed, made.

Has never heard of Discord.
"""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.arrivals import Arrival, Arrivals
from bot.errors import ProviderError, QuotaError, SampleError, VoiceError
from bot.homes import Homes, outlives
from bot.models import UNFINISHED, RemoteVoice, Sample, Voice
from bot.providers.base import CloneRequest
from bot.samples import SampleService, Take
from bot.store import Store
from bot.text import clean_note, clean_tags
from bot.voices import free_name
from bot.watching import VoiceWatch

log = logging.getLogger(__name__)

CONSENT = "This is my own voice, or I have the permission of the person whose voice it is."
"""What the owner confirms before a voice is made; kept with the voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A voice that was heard and named but not yet confirmed. Nothing of it is stored."""

    id: str
    owner_id: int
    name: str
    description: str
    tags: tuple[str, ...]
    take: Take
    links: tuple[str, ...] = field(default=(), repr=False)
    """Where the recordings can be fetched for some hours; signed, so never to be logged."""


class CloneService:
    """The rules for making voices. What is made lives in the store and at its provider."""

    def __init__(
        self,
        store: Store,
        homes: Homes,
        samples: SampleService,
        arrivals: Arrivals,
        watch: VoiceWatch,
        *,
        max_voices: int,
        keep_samples: bool,
    ) -> None:
        self._store = store
        self._homes = homes
        self._samples = samples
        self._arrivals = arrivals
        self._watch = watch
        self._max_voices = max_voices
        self._adding = asyncio.Lock()
        self.keep_samples = keep_samples

    @property
    def label(self) -> str:
        """What makes new voices, said honestly."""
        return self._homes.default.label

    @property
    def outlives(self) -> str:
        """Say what of a new voice could not be deleted; nothing where all could."""
        return outlives(self._homes.default)

    def listener(self, draft: Draft) -> str:
        """Name who else will hear a recording, to write down its words; nobody where that is not needed."""
        scribe, home = self._homes.scribe, self._homes.default
        known = all(sample.transcript for sample in draft.take.kept)
        return "" if known or scribe is None or not home.capabilities.needs_transcripts else scribe.label

    async def draft(
        self,
        clips: Sequence[bytes],
        *,
        owner_id: int,
        name: str,
        transcript: str = "",
        description: str = "",
        tags: str = "",
        clean_up: bool = False,
        links: Sequence[str] = (),
    ) -> Draft:
        """Listen to recordings for a new voice. Spends and stores nothing.

        Raises `VoiceError` for a name that cannot be used, `QuotaError` for one voice too many, `SampleError`.
        """
        name = await self.admit(name, owner_id=owner_id)
        self._expect_words(len(clips), transcript)
        self._expect_touchable(clean_up)
        take = await self.hear(*clips, transcript=clean_note(transcript, most=2000), clean_up=clean_up)
        return Draft(
            id=uuid.uuid4().hex,
            owner_id=owner_id,
            name=name,
            description=clean_note(description),
            tags=clean_tags(tags),
            take=take,
            links=tuple(links),
        )

    def _expect_words(self, clips: int, transcript: str) -> None:
        home = self._homes.default
        if clips > home.capabilities.max_samples:
            raise SampleError(f"{home.label} takes {home.capabilities.max_samples} recordings at most: send fewer.")
        if home.capabilities.needs_transcripts and self._homes.scribe is None and not transcript.strip():
            raise SampleError(f"{home.label} must know what is said: write the words into `transcript`, as spoken.")

    def _expect_touchable(self, clean_up: bool) -> None:
        home = self._homes.default
        if clean_up and home.capabilities.needs_links:
            raise SampleError(f"{home.label} fetches the recording itself, as you sent it: leave clean_up out.")

    async def hear(self, *clips: bytes, transcript: str = "", clean_up: bool = False) -> Take:
        """Listen to recordings and make sure there is enough speech to imitate. Raises `SampleError`."""
        take = await self._samples.listen(clips, transcript=transcript, clean_up=clean_up)
        least = self._homes.default.capabilities.min_speech_seconds
        if take.report.speech_seconds < least:
            more = "" if take.report.grade == "poor" else f" I need at least {least:.0f} s."
            raise SampleError(take.report.sentence + more)
        return take

    async def admit(self, name: str, *, owner_id: int) -> str:
        """Return the name as it would be kept, if this member may make a voice of that name now."""
        home = self._homes.default
        if not home.capabilities.clones:
            ready = "choose one in /say" if self._homes.house else "ask the operator for another provider"
            raise VoiceError(f"{home.label} speaks with ready-made voices and clones none: {ready}.")
        name = await free_name(self._store, name, owner_id=owner_id)
        if await self._store.count(owner_id) >= self._max_voices:
            raise QuotaError(f"You have {self._max_voices} voices, which is all you may have: delete one first.")
        return name

    async def clone(self, draft: Draft, *, party: int = 0) -> Arrival:
        """Make the drafted voice, confirmed by its owner just now; where it is not ready at once, it is watched.

        The row is written before the provider is asked, so that a lost answer leaves a voice that can be looked for.
        """
        samples = await self._write_down(await self._samples.restore(draft.take.kept, draft.take.report), party)
        voice = self._conceive(draft)
        async with self._adding:
            await self.admit(draft.name, owner_id=draft.owner_id)
            await self._keep_default(draft.owner_id)
            await self._store.add(voice, draft.take.kept if self.keep_samples else ())
        remote, arrival = None, None
        try:
            remote = await self._create(voice, samples, draft.links, party)
            if remote is None:
                return Arrival(voice=voice, note=f"{self.label} did not answer, and I am looking for it.")
            log.info("voice %s made at %s as %s: %s", voice.id, voice.provider, remote.id, remote.state)
            arrival = await self._arrivals.take_in(voice, remote)
            return arrival
        finally:
            # whatever happened, a row that is left unfinished is followed
            if arrival is None or arrival.voice.state in UNFINISHED:
                self._watch.follow(voice if arrival is None else arrival.voice, None if arrival else remote)

    async def _keep_default(self, owner_id: int) -> None:
        """Make the voice that speaks for want of another the default, before there is another."""
        default = await self._store.default(owner_id)
        if default is not None:
            await self._store.set_default(default.id, owner_id=owner_id)

    async def _write_down(self, samples: tuple[Sample, ...], party: int) -> tuple[Sample, ...]:
        """Have the words of a recording written down where the voice cannot be made without them."""
        scribe = self._homes.scribe
        if not self._homes.default.capabilities.needs_transcripts or scribe is None:
            return samples
        return tuple(
            [
                each if each.transcript else replace(each, transcript=await scribe.transcribe(each, party=party))
                for each in samples
            ]
        )

    async def _create(
        self, voice: Voice, samples: tuple[Sample, ...], links: tuple[str, ...], party: int
    ) -> RemoteVoice | None:
        """Ask for it, once. Where it surely was not made, nothing stays here either; None: nobody knows yet."""
        home = self._homes.default
        request = CloneRequest(
            voice_id=voice.id,
            title=voice.title,
            samples=samples,
            links=links,
            description=voice.description,
            tags=voice.tags,
            visibility=voice.visibility,
            party=party,
        )
        try:
            return await home.create(request)
        except ProviderError as error:
            if error.kind != "unknown_outcome":
                await self._store.delete(voice.id, owner_id=voice.owner_id)
                raise
            log.warning("voice %s: no answer from %s", voice.id, voice.provider)
            return None

    def _conceive(self, draft: Draft) -> Voice:
        now = datetime.now(UTC)
        return Voice(
            id=draft.id,
            owner_id=draft.owner_id,
            name=draft.name,
            provider=self._homes.default.name,
            remote_id=None,
            state="unknown",
            title=draft.name,
            description=draft.description,
            tags=draft.tags,
            created_at=now,
            updated_at=now,
            consent=CONSENT,
            consented_at=now,
            report=draft.take.report,
        )
