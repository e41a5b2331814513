"""Where each voice lives, and what is told of it there, remembered here. Has never heard of Discord."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bot.errors import VoiceError
from bot.models import RemoteVoice, Voice
from bot.providers.base import VoiceProvider
from bot.store import Store


class Homes:
    """Owns which provider a voice is at: the one it was made at, whatever makes new ones today.

    Every change to a voice that is kept goes through `change`, one at a time, so that none is lost to another.
    """

    def __init__(self, store: Store, providers: Mapping[str, VoiceProvider], *, default: str) -> None:
        self._store = store
        self._providers = providers
        self._changing = asyncio.Lock()
        self.default = providers[default]
        """Makes new voices."""

    def of(self, voice: Voice) -> VoiceProvider:
        """Return the provider of a voice. Raises `VoiceError` where it is switched off."""
        provider = self._providers.get(voice.provider)
        if provider is None:
            raise VoiceError(f"This voice lives at {voice.provider}, which is switched off here: ask the operator.")
        return provider

    async def look_for(self, voice: Voice) -> RemoteVoice | None:
        """Read a voice at its provider, also where its id there is not known because an answer was lost."""
        home = self.of(voice)
        return await home.find(voice.id) if voice.remote_id is None else await home.get(voice.remote_id)

    async def change(self, voice: Voice, alter: Callable[[Voice], Voice]) -> tuple[Voice, Voice]:
        """Alter a voice as it is kept by now, and keep it; return it before and after.

        Raises `VoiceError` where it is gone or its new name is taken.
        """
        async with self._changing:
            before = await self._store.get(voice.id, owner_id=voice.owner_id)
            if before is None:
                raise VoiceError("You have no such voice any more: see /voices list.")
            after = alter(before)
            await self._store.save(after)
        return before, after

    async def adopt(self, voice: Voice, remote: RemoteVoice) -> Voice:
        """Remember what a provider tells of a voice, but for what its owner writes about it: that is known here."""

        def alter(present: Voice) -> Voice:
            return replace(
                present,
                remote_id=remote.id,
                state=remote.state,
                visibility=remote.visibility,
                train_mode=remote.train_mode,
                languages=remote.languages,
                cover_image=remote.cover_image,
                updated_at=max(present.updated_at, remote.updated_at or datetime.now(UTC)),
            )

        _, adopted = await self.change(voice, alter)
        return adopted
