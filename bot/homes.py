"""Where each voice lives, and what is told of it there, remembered here. Has never heard of Discord."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bot.errors import ProviderError, VoiceError
from bot.models import HOUSE, RemoteVoice, Visibility, Voice
from bot.providers.base import VoiceProvider
from bot.store import Store

log = logging.getLogger(__name__)

_NO_WORDS = re.compile(r"[^\w\s.,;:!?'%-]|_")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


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
        self.scribe = next((each for each in providers.values() if each.capabilities.transcribes), None)
        """Writes down what is said in a recording, where any provider does."""
        self.house = tuple(_house_voice(each.name, remote) for each in providers.values() for remote in each.ready_made)
        """The ready-made voices, for everybody."""

    def of(self, voice: Voice) -> VoiceProvider:
        """Return the provider of a voice. Raises `VoiceError` where it is switched off."""
        provider = self.reach(voice)
        if provider is None:
            raise VoiceError(f"This voice lives at {voice.provider}, which is switched off here: ask the operator.")
        return provider

    def reach(self, voice: Voice) -> VoiceProvider | None:
        """Return the provider of a voice, unless it is switched off."""
        return self._providers.get(voice.provider)

    async def look_for(self, voice: Voice) -> RemoteVoice | None:
        """Read a voice at its provider, also where its id there is not known because an answer was lost."""
        home = self.of(voice)
        if voice.remote_id is None:
            return await home.find(voice.id)
        try:
            return await home.get(voice.remote_id)
        except ProviderError as error:
            # where a name is part of the id, a lost answer to a renaming hides the voice
            if error.kind != "not_found" or (found := await home.find(voice.id)) is None:
                raise
            return found

    async def give_up(self, voice: Voice, fault: str) -> Voice:
        """Remember that a voice cannot speak, and why; one that had failed keeps its reason."""

        def alter(present: Voice) -> Voice:
            kept = present.fault if present.state == "failed" else ""
            return replace(present, state="failed", fault=kept or fault)

        _, failed = await self.change(voice, alter)
        return failed

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
                fault=_sentence(remote.fault),
                visibility=remote.visibility,
                train_mode=remote.train_mode,
                languages=remote.languages,
                cover_image=remote.cover_image,
                updated_at=max(present.updated_at, remote.updated_at or datetime.now(UTC)),
            )

        _, adopted = await self.change(voice, alter)
        return adopted

    async def greet(self) -> None:
        """Ask every service whether its key is good, at no cost, and tell the log."""
        for provider in self._providers.values():
            if not provider.capabilities.online:
                continue
            try:
                log.info("%s: %s", provider.label, await provider.check())
            except ProviderError as error:
                log.error("%s does not work: %s", provider.label, error)  # noqa: TRY400 - the sentence says it all


def _sentence(words: str) -> str:
    """Make a plain sentence of what a service notes: no markup, no links."""
    words = " ".join(_NO_WORDS.sub("", words).split())
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else ""


def outlives(home: VoiceProvider, visibility: Visibility = "private") -> str:
    """Say what of a voice stays at its provider when it is deleted here; nothing where nothing does."""
    if home.capabilities.deletes:
        return ""
    seen = "private, and nobody here can use it"
    if visibility != "private":
        seen = "and others may see it: ask the operator to have it removed"
    return f"{home.label} has no way to delete voices: its model stays there, {seen}."


def _house_voice(provider: str, remote: RemoteVoice) -> Voice:
    return Voice(
        id=f"{provider}:{remote.id}",
        owner_id=HOUSE,
        name=remote.title,
        provider=provider,
        remote_id=remote.id,
        state="trained",
        title=remote.title,
        description=remote.description,
        visibility="public",
        created_at=_LONG_AGO,
        updated_at=_LONG_AGO,
        consent="",
        consented_at=_LONG_AGO,
    )
