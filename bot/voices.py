"""The life of a voice: drafted, cloned, listed, renamed, edited, chosen, deleted. Has never heard of Discord."""

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.errors import ProviderError, QuotaError, SampleError, VoiceError
from bot.models import RemoteVoice, Voice, VoicePage
from bot.providers.base import CloneRequest, VoiceEdit, VoiceProvider
from bot.samples import SampleService, Take
from bot.store import Store
from bot.text import clean_name, clean_note, clean_tags

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


class VoiceService:
    """The rules for voices. Voices live in the store and at their provider; nothing is remembered here."""

    def __init__(
        self,
        store: Store,
        providers: Mapping[str, VoiceProvider],
        samples: SampleService,
        *,
        provider: str,
        max_voices: int,
        keep_samples: bool,
    ) -> None:
        self._store = store
        self._providers = providers
        self._samples = samples
        self._provider = providers[provider]
        self._max_voices = max_voices
        self._adding = asyncio.Lock()
        self.keep_samples = keep_samples

    @property
    def label(self) -> str:
        """What makes new voices, said honestly."""
        return self._provider.label

    def label_of(self, voice: Voice) -> str:
        """Say what this voice lives at."""
        return self._home(voice).label

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
        least = self._provider.capabilities.min_speech_seconds
        if take.report.speech_seconds < least:
            more = "" if take.report.grade == "poor" else f" I need at least {least:.0f} s."
            raise SampleError(take.report.sentence + more)
        return take

    async def admit(self, name: str, *, owner_id: int) -> str:
        """Return the name as it would be kept, if this member may make a voice of that name now."""
        name = await self._free_name(name, owner_id=owner_id)
        if await self._store.count(owner_id) >= self._max_voices:
            raise QuotaError(f"You have {self._max_voices} voices, which is all you may have: delete one first.")
        return name

    async def _free_name(self, name: str, *, owner_id: int, but: str | None = None) -> str:
        try:
            name = clean_name(name)
        except ValueError as error:
            raise VoiceError(str(error)) from error
        taken = await self._store.by_name(name, owner_id=owner_id)
        if taken is not None and taken.id != but:
            raise VoiceError(f"You already have a voice called {taken.name}: choose another name.")
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
        request = CloneRequest(
            voice_id=voice.id, title=voice.title, samples=samples, description=voice.description, tags=voice.tags
        )
        try:
            remote = await self._provider.create(request)
        except ProviderError as error:
            if error.kind != "unknown_outcome":
                await self._store.delete(voice.id, owner_id=voice.owner_id)
            raise
        try:
            voice = await self._settle(voice, remote)
        except VoiceError:
            # its owner deleted it while it was being made, when the provider had nothing to delete yet
            if self._provider.capabilities.deletes:
                await self._provider.delete(remote.id)
            raise
        log.info("voice %s made at %s", voice.id, voice.provider)
        return voice

    def _conceive(self, draft: Draft) -> Voice:
        now = datetime.now(UTC)
        return Voice(
            id=draft.id,
            owner_id=draft.owner_id,
            name=draft.name,
            provider=self._provider.name,
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
        voice = await self._adopt(voice, remote)
        default = await self._store.default(voice.owner_id)
        if default is None or default.id == voice.id:
            await self._store.set_default(voice.id, owner_id=voice.owner_id)
        return voice

    async def _adopt(self, voice: Voice, remote: RemoteVoice) -> Voice:
        # its owner may have renamed it while the provider was busy
        voice = await self._store.get(voice.id, owner_id=voice.owner_id) or voice
        if not self._home(voice).capabilities.edits:
            remote = replace(remote, title=voice.title, description=voice.description, tags=voice.tags)
        voice = replace(
            voice,
            remote_id=remote.id,
            state=remote.state,
            title=remote.title,
            description=remote.description,
            tags=remote.tags,
            visibility=remote.visibility,
            train_mode=remote.train_mode,
            languages=remote.languages,
            cover_image=remote.cover_image,
            updated_at=remote.updated_at or datetime.now(UTC),
        )
        await self._store.save(voice)
        return voice

    async def recover(self) -> None:
        """Settle the voices whose making was interrupted: adopt what the provider has, forget what it has not."""
        for voice in await self._store.unfinished():
            if voice.provider not in self._providers:
                continue
            try:
                remote = await self._look_for(voice)
            except ProviderError as error:
                log.warning("voice %s stays unsettled, %s did not tell: %s", voice.id, voice.provider, error.kind)
                continue
            if remote is not None:
                await self._settle(voice, remote)
            else:
                await self._store.delete(voice.id, owner_id=voice.owner_id)
            log.info("voice %s was interrupted: %s", voice.id, "found" if remote else "was never made")

    async def _look_for(self, voice: Voice) -> RemoteVoice | None:
        """Read a voice at its provider, also where its id there is not known because an answer was lost."""
        home = self._home(voice)
        return await home.find(voice.id) if voice.remote_id is None else await home.get(voice.remote_id)

    async def page(self, *, owner_id: int, offset: int, limit: int) -> VoicePage:
        """Read one page of a member's voices, by name."""
        return await self._store.page(owner_id=owner_id, offset=offset, limit=limit)

    async def search(self, text: str, *, owner_id: int) -> tuple[Voice, ...]:
        """Find up to 25 of a member's voices by the beginning or a part of their names."""
        return await self._store.search(text, owner_id=owner_id)

    async def resolve(self, wanted: str | None, *, owner_id: int) -> Voice:
        """Find the voice a member means, by id or name; without one, their default. Raises `VoiceError`."""
        if wanted is None or not wanted.strip():
            voice = await self._store.default(owner_id)
            if voice is not None:
                return voice
            if await self._store.count(owner_id):
                raise VoiceError("Say which voice, or choose your default with /voices default.")
            raise VoiceError("You have no voice yet: make one with /clone.")
        voice = await self._store.get(wanted, owner_id=owner_id) or await self._store.by_name(wanted, owner_id=owner_id)
        if voice is None:
            raise VoiceError("You have no voice of that name: /voices list shows those you have.")
        return voice

    async def refresh(self, voice: Voice) -> Voice:
        """Read a voice again at its provider, where that is possible now."""
        remote = await self._look_for(voice)
        return voice if remote is None else await self._adopt(voice, remote)

    async def try_refresh(self, voice: Voice) -> Voice:
        """Read a voice again where its provider answers; else return it as it is remembered."""
        try:
            return await self.refresh(voice)
        except ProviderError as error:
            log.warning("voice %s could not be read at %s: %s", voice.id, voice.provider, error.kind)
            return voice

    async def is_default(self, voice: Voice) -> bool:
        """Say whether this is the voice its owner speaks with when none is named."""
        default = await self._store.default(voice.owner_id)
        return default is not None and default.id == voice.id

    async def rename(self, voice: Voice, name: str) -> Voice:
        """Give a voice another name. Raises `VoiceError` where it is taken or cannot be used."""
        name = await self._free_name(name, owner_id=voice.owner_id, but=voice.id)
        return await self._change(voice, replace(voice, name=name, title=name), VoiceEdit(title=name))

    async def edit(self, voice: Voice, *, description: str | None, tags: str | None) -> Voice:
        """Change what is written about a voice; None leaves it as it is."""
        if description is None and tags is None:
            raise VoiceError("There is nothing to change: give a description or tags.")
        described = voice.description if description is None else clean_note(description)
        tagged = voice.tags if tags is None else clean_tags(tags)
        changed = replace(voice, description=described, tags=tagged)
        return await self._change(voice, changed, VoiceEdit(description=described, tags=tagged))

    async def _change(self, before: Voice, after: Voice, edit: VoiceEdit) -> Voice:
        """Save first: the name must be free here before anything is said elsewhere. Refused there, it is taken back."""
        home = self._home(before)
        after = replace(after, updated_at=datetime.now(UTC))
        await self._store.save(after)
        if after.remote_id is not None and home.capabilities.edits:
            try:
                await home.update(after.remote_id, edit)
            except ProviderError:
                await self._store.save(before)
                raise
        return after

    async def set_default(self, voice: Voice) -> None:
        """Make this the voice that is spoken with when none is named."""
        await self._store.set_default(voice.id, owner_id=voice.owner_id)

    async def delete(self, voice: Voice) -> None:
        """Remove a voice at its provider, then here with its samples. Where the provider fails, all stays."""
        home = self._home(voice)
        if home.capabilities.deletes:
            made = None if voice.remote_id else await home.find(voice.id)
            remote_id = made.id if made else voice.remote_id
            if remote_id is not None:
                await home.delete(remote_id)
        await self._store.delete(voice.id, owner_id=voice.owner_id)
        log.info("voice %s deleted at %s", voice.id, voice.provider)

    def _home(self, voice: Voice) -> VoiceProvider:
        provider = self._providers.get(voice.provider)
        if provider is None:
            raise VoiceError(f"This voice lives at {voice.provider}, which is switched off here: ask the operator.")
        return provider
