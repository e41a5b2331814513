"""What a member does with the voices they own: find, show, rename, edit, choose, delete. Has never heard of Discord."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.arrivals import SEEN_BY, Arrival, Arrivals, exposes
from bot.cache import SpeechCache
from bot.errors import ProviderError, VoiceError
from bot.homes import Homes, outlives
from bot.models import HOUSE, Visibility, Voice, VoicePage, name_key
from bot.providers.base import VoiceEdit
from bot.store import Store
from bot.text import clean_name, clean_note, clean_tags

log = logging.getLogger(__name__)

_OFFERED = 25
"""As many as Discord shows."""


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

    def __init__(self, store: Store, homes: Homes, arrivals: Arrivals, cache: SpeechCache | None = None) -> None:
        self._store = store
        self._homes = homes
        self._arrivals = arrivals
        self._cache = SpeechCache(0) if cache is None else cache

    @property
    def house(self) -> tuple[Voice, ...]:
        """The ready-made voices that everybody may speak with."""
        return self._homes.house

    def label_of(self, voice: Voice) -> str:
        """Say what this voice lives at."""
        home = self._homes.reach(voice)
        return f"{voice.provider}, which is switched off here" if home is None else home.label

    async def page(self, *, owner_id: int, offset: int, limit: int) -> VoicePage:
        """Read one page of a member's voices, by name."""
        return await self._store.page(owner_id=owner_id, offset=offset, limit=limit)

    async def search(self, text: str, *, owner_id: int) -> tuple[Voice, ...]:
        """Find up to 25 voices a member may speak with by the beginning or a part of their names, their own first."""
        own = await self._store.search(text, owner_id=owner_id)
        shared = (voice for voice in self.house if name_key(text) in name_key(voice.name))
        return (*own, *shared)[:_OFFERED]

    async def find(self, voice_id: str, *, owner_id: int) -> Voice | None:
        """Read one of a member's voices by its id, if it is still there."""
        return await self._store.get(voice_id, owner_id=owner_id)

    async def resolve(self, wanted: str | None, *, owner_id: int) -> Voice:
        """Find the voice a member means, by id or name; without one, their default. Raises `VoiceError`."""
        if wanted is None or not wanted.strip():
            voice = await self._store.default(owner_id)
            if voice is not None:
                return voice
            if self.house and not await self._store.count(owner_id):
                return self.house[0]
            if await self._store.count(owner_id):
                raise VoiceError("You have no default voice: name one, or choose it with /voices default.")
            raise VoiceError("You have no voice yet: make one with /clone.")
        voice = await self._store.find(wanted, owner_id=owner_id) or next(
            (each for each in self.house if wanted == each.id or name_key(wanted) == name_key(each.name)), None
        )
        if voice is None:
            raise VoiceError("You have no voice of that name: /voices list shows those you have.")
        return voice

    async def own(self, wanted: str | None, *, owner_id: int) -> Voice:
        """Find the voice a member means to change. Raises `VoiceError` where it is not theirs."""
        voice = await self.resolve(wanted, owner_id=owner_id)
        if voice.owner_id == HOUSE:
            raise VoiceError(f"{voice.name} is ready-made and everybody's: it cannot be changed.")
        return voice

    async def refresh(self, voice: Voice) -> Voice:
        """Read a voice again at its provider, where that is possible now."""
        return (await self._read_again(voice)).voice

    async def try_refresh(self, voice: Voice) -> Voice:
        """Read a voice again where its provider is there and answers; else return it as it is remembered."""
        return (await self.look_at(voice)).voice

    async def look_at(self, voice: Voice) -> Arrival:
        """Read a voice as `try_refresh` does, with what its owner should know of what was found."""
        if self._homes.reach(voice) is None:
            return Arrival(voice=voice)
        try:
            return await self._read_again(voice)
        except ProviderError as error:
            log.warning("voice %s could not be read at %s: %s", voice.id, voice.provider, error.kind)
            return Arrival(voice=voice)

    async def _read_again(self, voice: Voice) -> Arrival:
        arrival = await self._arrivals.read_again(voice)
        self._compare(voice, arrival.voice)
        return arrival

    def _compare(self, before: Voice, after: Voice) -> None:
        """Forget what a voice said where it may sound different now."""
        if (before.remote_id, before.state) != (after.remote_id, after.state):
            self._cache.forget(after.id)

    async def is_default(self, voice: Voice) -> bool:
        """Say whether this is the voice its owner speaks with when none is named."""
        default = await self._store.default(voice.owner_id)
        return default is not None and default.id == voice.id

    async def rename(self, voice: Voice, name: str) -> Voice:
        """Give a voice another name. Raises `VoiceError` where it is taken or cannot be used."""
        name = await free_name(self._store, name, owner_id=voice.owner_id, but=voice.id)
        return await self._change(voice, {"name": name, "title": name}, VoiceEdit(title=name))

    async def edit(
        self,
        voice: Voice,
        *,
        description: str | None = None,
        tags: str | None = None,
        visibility: Visibility | None = None,
        cover: bytes | None = None,
    ) -> Voice:
        """Change what is written about a voice, who sees it and how it looks (JPEG); None leaves it as it is."""
        if description is None and tags is None and visibility is None and cover is None:
            raise VoiceError("There is nothing to change: give a description, tags, visibility or a cover.")
        self._expect_possible(voice, visibility, cover)
        edit = VoiceEdit(
            description=None if description is None else clean_note(description),
            tags=None if tags is None else clean_tags(tags),
            visibility=visibility,
            cover=cover,
        )
        changes = {"description": edit.description, "tags": edit.tags, "visibility": edit.visibility}
        return await self._change(voice, {field: value for field, value in changes.items() if value is not None}, edit)

    def _expect_possible(self, voice: Voice, visibility: Visibility | None, cover: bytes | None) -> None:
        if visibility is None and cover is None:
            return
        home = self._homes.of(voice)
        can = home.capabilities
        if cover is not None and not can.covers:
            raise VoiceError(f"{home.label} shows no pictures with voices: leave the cover out.")
        if visibility not in {None, voice.visibility, *can.visibilities}:
            only = " or ".join(can.visibilities)
            raise VoiceError(f"At {home.label} a voice can be {only} only: leave the visibility out.")
        if visibility not in {None, voice.visibility} and not can.edits:
            raise VoiceError(f"{home.label} cannot change who sees a voice: ask the operator to have it removed there.")
        if visibility == "public" and cover is None and not voice.cover_image:
            raise VoiceError("A voice that everybody sees needs a picture: attach a cover too.")
        if voice.remote_id is None:
            raise VoiceError(f"{voice.name} is not made yet: try again when it is ready.")

    async def _change(self, voice: Voice, changes: Mapping[str, Any], edit: VoiceEdit) -> Voice:
        """Save first: the name must be free here before anything is said elsewhere. Refused there, it is taken back."""
        home = self._homes.reach(voice)
        before, after = await self._homes.change(
            voice, lambda present: replace(present, updated_at=datetime.now(UTC), **changes)
        )
        if home is not None and after.remote_id is not None and home.capabilities.edits:
            try:
                remote = await home.update(after.remote_id, edit)
            except ProviderError as error:
                await self._take_back(before, after, _undone(changes, before, error))
                raise
            after = await self._homes.adopt(after, remote)
            self._compare(before, after)
            if exposes(remote, edit.visibility or remote.visibility):
                raise VoiceError(f"{home.label} did not hide it: try again in a minute.")
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

    def outlives(self, voice: Voice) -> str:
        """Say what of a voice stays at its provider when it is deleted here; nothing where nothing does."""
        home = self._homes.reach(voice)
        if home is None:
            return f"{voice.provider} is switched off here: what it has of the voice stays there."
        return outlives(home, voice.visibility)

    async def delete(self, voice: Voice) -> bool:
        """Remove a voice at its provider, then here with its samples; tell whether there was one.

        Where either fails first, all stays.
        """
        await self._store.check()  # a database that refuses must do so before the provider is asked
        present = await self._store.get(voice.id, owner_id=voice.owner_id)
        if present is None:
            return False
        await self._delete_there(present)
        log.info("voice %s deleted at %s", voice.id, voice.provider)
        deleted = await self._store.delete(voice.id, owner_id=voice.owner_id)
        self._cache.forget(voice.id)
        return deleted

    async def _delete_there(self, voice: Voice) -> None:
        home = self._homes.reach(voice)
        if home is None or not home.capabilities.deletes:
            return
        remote_id = voice.remote_id
        if home.capabilities.finds:
            try:
                found = await self._homes.look_for(voice)
            except ProviderError as error:
                if error.kind != "not_found":
                    raise
            else:
                remote_id = found.id if found else remote_id
        if remote_id is not None:
            await home.delete(remote_id)
        elif voice.state == "unknown" and home.capabilities.online:
            # deleted now, it would stay there for good if it is still being made
            raise VoiceError(f"{voice.name} may be in the making at {home.label}: delete it when that is known.")


def _undone(changes: Mapping[str, Any], before: Voice, error: ProviderError) -> Mapping[str, Any]:
    """Give the changes that were surely not made: where that is unknown, a voice counts as seen by the more people."""
    wanted = changes.get("visibility")
    if wanted is None or not error.retryable or SEEN_BY.index(wanted) < SEEN_BY.index(before.visibility):
        return changes
    return {field: value for field, value in changes.items() if field != "visibility"}
