"""A voice that a provider says it made, taken in: seen by no more people than its owner chose, and remembered.

Has never heard of Discord.
"""

import logging
from dataclasses import dataclass, replace

from bot.errors import ProviderError, VoiceError
from bot.homes import Homes
from bot.models import HOUSE, UNFINISHED, RemoteVoice, Visibility, Voice
from bot.providers.base import VoiceEdit, VoiceProvider
from bot.store import Store

log = logging.getLogger(__name__)

SEEN_BY: tuple[Visibility, ...] = ("private", "unlist", "public")
"""From the fewest to the most people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A voice as it is remembered now."""

    voice: Voice
    note: str = ""
    """What its owner should know beside it: one sentence, or nothing."""


def exposes(remote: RemoteVoice, wanted: Visibility) -> bool:
    """Say whether more people see a voice than its owner wanted."""
    return SEEN_BY.index(remote.visibility) > SEEN_BY.index(wanted)


class Arrivals:
    """The rules for taking a made voice in. Owns no state."""

    def __init__(self, store: Store, homes: Homes) -> None:
        self._store = store
        self._homes = homes

    async def read_again(self, voice: Voice) -> Arrival:
        """Read a voice at its provider, where that can be asked; one that is gone there has failed.

        One that others see by now, though its owner did not choose so, is dealt with as if it were new.
        """
        home = self._homes.of(voice)
        if not home.capabilities.finds or voice.owner_id == HOUSE:
            return Arrival(voice=voice)
        try:
            remote = await self._homes.look_for(voice)
        except ProviderError as error:
            if error.kind != "not_found":
                raise
            return Arrival(voice=await self._homes.give_up(voice, f"{home.label} has it no more."))
        if remote is None:
            return Arrival(voice=voice)
        # one that was given up because others saw it may speak again only when nobody else does
        wanted: Visibility = "private" if voice.state == "failed" else voice.visibility
        return await self.take_in(replace(voice, visibility=wanted), remote)

    async def take_in(self, voice: Voice, remote: RemoteVoice) -> Arrival:
        """Remember what became of a making; a member's first voice is their default, and stays it.

        A voice that came back more visible than was asked is hidden, or removed, or else not used. Raises
        `VoiceError` where its owner deleted it meanwhile; then it is deleted at its provider too.
        """
        home = self._homes.of(voice)
        try:
            hidden = await self._hide(home, voice, remote)
            if exposes(hidden, voice.visibility):
                return await self._remove(home, voice, hidden)
            present = await self._homes.adopt(voice, hidden)
        except VoiceError:
            if home.capabilities.deletes and await self._store.get(voice.id, owner_id=voice.owner_id) is None:
                await home.delete(remote.id)
            raise
        if present.state != "failed" and voice.state in UNFINISHED:
            await self._choose_first(present)
        shown = exposes(remote, voice.visibility)
        note = f"{home.label} had made it visible to others: I hid it at once." if shown else ""
        return Arrival(voice=present, note=note)

    async def _choose_first(self, voice: Voice) -> None:
        default = await self._store.default(voice.owner_id)
        if default is None or default.id == voice.id:
            await self._store.set_default(voice.id, owner_id=voice.owner_id)

    @staticmethod
    async def _hide(home: VoiceProvider, voice: Voice, remote: RemoteVoice) -> RemoteVoice:
        if not exposes(remote, voice.visibility) or not home.capabilities.edits:
            return remote
        log.warning("voice %s came back %s from %s", voice.id, remote.visibility, voice.provider)
        try:
            return await home.update(remote.id, VoiceEdit(visibility=voice.visibility))
        except ProviderError as error:
            log.warning("voice %s could not be hidden: %s", voice.id, error)
            return remote

    async def _remove(self, home: VoiceProvider, voice: Voice, remote: RemoteVoice) -> Arrival:
        """Take away what cannot be hidden; what cannot be taken away is at least never spoken with."""
        if home.capabilities.deletes:
            try:
                await home.delete(remote.id)
            except ProviderError as error:
                log.warning("voice %s could not be removed: %s", voice.id, error)
            else:
                return await self._fail(
                    voice,
                    replace(remote, visibility=voice.visibility),
                    f"{home.label} made it visible to others and would not hide it, so I removed it there.",
                )
        return await self._fail(
            voice,
            remote,
            f"{home.label} made it visible to others and will not take it back: ask the operator to have voice "
            f"{remote.id} removed there.",
        )

    async def _fail(self, voice: Voice, remote: RemoteVoice, fault: str) -> Arrival:
        adopted = await self._homes.adopt(voice, replace(remote, state="failed", fault=fault))
        return Arrival(voice=adopted)
