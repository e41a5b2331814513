"""What a member does with the voices they own: find, show, rename, edit, choose, delete. Has never heard of Discord."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

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

    async def find(self, voice_id: str, *, owner_id: int) -> Voice | None:
        """Read one of a member's voices by its id, if it is still there."""
        return await self._store.get(voice_id, owner_id=owner_id)

    async def resolve(self, wanted: str | None, *, owner_id: int) -> Voice:
        """Find the voice a member means, by id or name; without one, their default. Raises `VoiceError`."""
        if wanted is None or not wanted.strip():
            voice = await self._store.default(owner_id)
            if voice is not None:
                return voice
            if await self._store.count(owner_id):
                raise VoiceError("You have no default voice: name one, or choose it with /voices default.")
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
        return await self._change(voice, {"name": name, "title": name}, VoiceEdit(title=name))

    async def edit(self, voice: Voice, *, description: str | None, tags: str | None) -> Voice:
        """Change what is written about a voice; None leaves it as it is."""
        if description is None and tags is None:
            raise VoiceError("There is nothing to change: give a description or tags.")
        edit = VoiceEdit(
            description=None if description is None else clean_note(description),
            tags=None if tags is None else clean_tags(tags),
        )
        changes = {"description": edit.description, "tags": edit.tags}
        return await self._change(voice, {field: value for field, value in changes.items() if value is not None}, edit)

    async def _change(self, voice: Voice, changes: Mapping[str, Any], edit: VoiceEdit) -> Voice:
        """Save first: the name must be free here before anything is said elsewhere. Refused there, it is taken back."""
        home = self._homes.of(voice)
        before, after = await self._homes.change(
            voice, lambda present: replace(present, updated_at=datetime.now(UTC), **changes)
        )
        if after.remote_id is not None and home.capabilities.edits:
            try:
                await home.update(after.remote_id, edit)
            except ProviderError:
                await self._take_back(before, after, changes)
                raise
        return after

    async def _take_back(self, before: Voice, after: Voice, changed: Mapping[str, Any]) -> None:
        """Undo a change, but for what was changed again meanwhile."""

        def alter(present: Voice) -> Voice:
            mine = (field for field in ("updated_at", *changed) if getattr(present, field) == getattr(after, field))
            return replace(present, **{field: getattr(before, field) for field in mine})

        try:
            await self._homes.change(after, alter)
        except VoiceError as error:  # gone, or its old name is another's by now
            log.warning("a change to voice %s was not taken back: %s", after.id, error)

    async def set_default(self, voice: Voice) -> None:
        """Make this the voice that is spoken with when none is named."""
        await self._store.set_default(voice.id, owner_id=voice.owner_id)

    async def delete(self, voice: Voice) -> bool:
        """Remove a voice at its provider, then here with its samples; tell whether there was one.

        Where either fails first, all stays.
        """
        await self._store.check()  # a database that refuses must do so before the provider is asked
        present = await self._store.get(voice.id, owner_id=voice.owner_id)
        if present is None:
            return False
        await self._delete_at(self._homes.of(present), present)
        log.info("voice %s deleted at %s", voice.id, voice.provider)
        return await self._store.delete(voice.id, owner_id=voice.owner_id)

    @staticmethod
    async def _delete_at(home: VoiceProvider, voice: Voice) -> None:
        if not home.capabilities.deletes:
            return
        made = None if voice.remote_id else await home.find(voice.id)
        remote_id = made.id if made else voice.remote_id
        if remote_id is not None:
            await home.delete(remote_id)
