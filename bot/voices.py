"""What a member does with the voices they own: find, show, rename, edit, choose, delete. Has never heard of Discord."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from bot.errors import ProviderError, VoiceError
from bot.homes import Homes
from bot.models import Voice, VoicePage
from bot.providers.base import VoiceEdit, VoiceProvider
from bot.store import Store
from bot.text import clean_name, clean_note, clean_tags

log = logging.getLogger(__name__)


async def free_name(store: Store, name: str, *, owner_id: int, but: str | None = None) -> str:
    """Return a name as it would be kept, where no other voice of its owner has it. Raises `VoiceError`."""
    try:
        name = clean_name(name)
    except ValueError as error:
        raise VoiceError(str(error)) from error
    taken = await store.by_name(name, owner_id=owner_id)
    if taken is not None and taken.id != but:
        raise VoiceError(f"You already have a voice called {taken.name}: choose another name.")
    return name


class VoiceService:
    """The rules for voices that exist. They live in the store and at their providers; nothing is remembered here."""

    def __init__(self, store: Store, homes: Homes) -> None:
        self._store = store
        self._homes = homes

    def label_of(self, voice: Voice) -> str:
        """Say what this voice lives at."""
        return self._homes.of(voice).label

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
        remote = await self._homes.look_for(voice)
        return voice if remote is None else await self._homes.adopt(voice, remote)

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
        name = await free_name(self._store, name, owner_id=voice.owner_id, but=voice.id)
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
        home = self._homes.of(before)
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
        """Remove a voice at its provider, then here with its samples. Where either fails first, all stays."""
        home = self._homes.of(voice)
        await self._store.save(replace(voice, state="failed"))  # a database that refuses must do so before the provider
        try:
            await self._delete_at(home, voice)
        except ProviderError:
            await self._store.save(voice)
            raise
        await self._store.delete(voice.id, owner_id=voice.owner_id)
        log.info("voice %s deleted at %s", voice.id, voice.provider)

    @staticmethod
    async def _delete_at(home: VoiceProvider, voice: Voice) -> None:
        if not home.capabilities.deletes:
            return
        made = None if voice.remote_id else await home.find(voice.id)
        remote_id = made.id if made else voice.remote_id
        if remote_id is not None:
            await home.delete(remote_id)
