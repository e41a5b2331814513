"""From recordings to a voice: heard, drafted, confirmed, made; and what became of makings that were cut short.

Has never heard of Discord.
"""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.errors import ProviderError, QuotaError, SampleError, VoiceError
from bot.homes import Homes
from bot.models import RemoteVoice, Sample, Voice
from bot.providers.base import CloneRequest
from bot.samples import SampleService, Take
from bot.store import Store
from bot.text import clean_note, clean_tags
from bot.voices import free_name

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


class CloneService:
    """The rules for making voices. What is made lives in the store and at its provider."""

    def __init__(
        self, store: Store, homes: Homes, samples: SampleService, *, max_voices: int, keep_samples: bool
    ) -> None:
        self._store = store
        self._homes = homes
        self._samples = samples
        self._max_voices = max_voices
        self._adding = asyncio.Lock()
        self.keep_samples = keep_samples

    @property
    def label(self) -> str:
        """What makes new voices, said honestly."""
        return self._homes.default.label

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
    ) -> Draft:
        """Listen to recordings for a new voice. Spends and stores nothing.

        Raises `VoiceError` for a name that cannot be used, `QuotaError` for one voice too many, `SampleError`.
        """
        name = await self.admit(name, owner_id=owner_id)
        take = await self.hear(*clips, transcript=clean_note(transcript, most=2000), clean_up=clean_up)
        return Draft(
            id=uuid.uuid4().hex,
            owner_id=owner_id,
            name=name,
            description=clean_note(description),
            tags=clean_tags(tags),
            take=take,
        )

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
        name = await free_name(self._store, name, owner_id=owner_id)
        if await self._store.count(owner_id) >= self._max_voices:
            raise QuotaError(f"You have {self._max_voices} voices, which is all you may have: delete one first.")
        return name

    async def clone(self, draft: Draft) -> Voice:
        """Make the drafted voice, confirmed by its owner just now.

        The row is written before the provider is asked, so that a lost answer leaves a voice that can be looked for.
        """
        samples = await self._samples.restore(draft.take.kept, draft.take.report)
        voice = self._conceive(draft)
        async with self._adding:
            await self.admit(draft.name, owner_id=draft.owner_id)
            await self._store.add(voice, draft.take.kept if self.keep_samples else ())
        remote = await self._create(voice, samples)
        try:
            voice = await self._settle(voice, remote)
        except VoiceError:
            # its owner deleted it while it was being made, when the provider had nothing to delete yet
            if self._homes.default.capabilities.deletes:
                await self._homes.default.delete(remote.id)
            raise
        log.info("voice %s made at %s", voice.id, voice.provider)
        return voice

    async def _create(self, voice: Voice, samples: tuple[Sample, ...]) -> RemoteVoice:
        """Ask for it, once. Where it surely was not made, nothing stays here either."""
        request = CloneRequest(
            voice_id=voice.id, title=voice.title, samples=samples, description=voice.description, tags=voice.tags
        )
        try:
            return await self._homes.default.create(request)
        except ProviderError as error:
            if error.kind != "unknown_outcome":
                await self._store.delete(voice.id, owner_id=voice.owner_id)
            raise

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

    async def _settle(self, voice: Voice, remote: RemoteVoice) -> Voice:
        """Remember what became of a create; a member's first voice is their default, and stays it."""
        voice = await self._homes.adopt(voice, remote)
        default = await self._store.default(voice.owner_id)
        if default is None or default.id == voice.id:
            await self._store.set_default(voice.id, owner_id=voice.owner_id)
        return voice

    async def recover(self) -> None:
        """Settle the voices whose making was interrupted: adopt what the provider has, forget what it has not."""
        for voice in await self._store.unfinished():
            try:
                remote = await self._homes.look_for(voice)
            except (ProviderError, VoiceError) as error:
                log.warning("voice %s stays unsettled, %s did not tell: %s", voice.id, voice.provider, error)
                continue
            if remote is not None:
                await self._settle(voice, remote)
            else:
                await self._store.delete(voice.id, owner_id=voice.owner_id)
            log.info("voice %s was interrupted: %s", voice.id, "found" if remote else "was never made")
