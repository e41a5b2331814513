"""Drafts that wait for their owner's word. Kept in memory only: a restart forgets them, and nothing was stored."""

import time
from collections.abc import Callable

from bot.cloning import Draft
from bot.errors import VoiceError


class Drafts:
    """Owns the drafts between hearing and confirmation: one a member, a bounded number in all."""

    def __init__(self, *, most: int = 50, seconds: float = 840.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._waiting: dict[int, tuple[Draft, float]] = {}

    def keep(self, draft: Draft) -> None:
        """Keep a draft in place of its owner's last one; the oldest goes where there are too many."""
        self._waiting.pop(draft.owner_id, None)
        self._waiting[draft.owner_id] = (draft, self._clock() + self._seconds)
        self._forget_old()

    def take(self, draft_id: str, *, owner_id: int) -> Draft:
        """Hand a draft out, once. Raises `VoiceError` where it is no longer there."""
        self._forget_old()
        draft, _ = self._waiting.get(owner_id, (None, 0.0))
        if draft is None or draft.id != draft_id:
            raise VoiceError(
                "That recording is used already or no longer here: look at /voices list, or run /clone again."
            )
        del self._waiting[owner_id]
        return draft

    def _forget_old(self) -> None:
        now = self._clock()
        for owner_id, (_, until) in list(self._waiting.items()):
            if until <= now or len(self._waiting) > self._most:
                del self._waiting[owner_id]
