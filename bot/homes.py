"""Where each voice lives, and what is told of it there, remembered here. Has never heard of Discord."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bot.errors import VoiceError
from bot.models import RemoteVoice, Voice
from bot.providers.base import VoiceProvider
from bot.store import Store


class Homes:
    """Owns which provider a voice is at: the one it was made at, whatever makes new ones today."""

    def __init__(self, store: Store, providers: Mapping[str, VoiceProvider], *, default: str) -> None:
        self._store = store
        self._providers = providers
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

    async def adopt(self, voice: Voice, remote: RemoteVoice) -> Voice:
        """Remember what a provider tells of a voice."""
        # its owner may have renamed it while the provider was busy
        voice = await self._store.get(voice.id, owner_id=voice.owner_id) or voice
        if not self.of(voice).capabilities.edits:
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
