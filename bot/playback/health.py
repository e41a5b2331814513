"""Whether what is sent in a connection can be heard, as far as that shows here. Knows no line.

Discord confirms nothing of what a bot says. What can be known is whether packets leave when they are due and none comes
back, whether Discord was told in this session that the bot speaks, and whether those who listen have the key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self, assert_never

from bot.playback.link import VoiceLink

LOOKS = 3
"""Looks in a row that show the same before it is believed: one alone may have met a moment of change."""
MOST_REFUSED = 5
"""Packets (0.1 s) that may be refused between two looks, as where keys change: nobody misses a word for them."""

Symptom = Literal["encryption", "announcement", "packets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is seen of a connection at one moment."""

    sent: int
    refused: int
    bounced: int
    session: int | None
    """In which what is sent is heard; None where it is not."""
    announced: bool
    encrypted: bool
    settled: bool
    """Neither is it being renewed, nor has it ended."""

    @classmethod
    def of(cls, link: VoiceLink) -> Self:
        """Look at a connection."""
        encrypted, session = link.encrypted, link.live_session()
        return cls(
            sent=link.sent,
            refused=link.refused,
            bounced=link.bounced,
            session=session,
            announced=link.announced,
            encrypted=encrypted,
            settled=link.is_connected() and (session is not None or not encrypted),
        )

    def symptom(self, earlier: "Health", *, due: int) -> Symptom | None:
        """Say what keeps packets from being heard, of which at least `due` had to leave since an earlier look."""
        if not self.settled:
            return None
        if not self.encrypted:
            return "encryption"
        if self.session != earlier.session:
            return None
        if not self.announced:
            return "announcement"
        sent, refused = self.sent - earlier.sent, self.refused - earlier.refused
        if sent < due or refused > min(sent, MOST_REFUSED) or self.bounced > earlier.bounced:
            return "packets"
        return None


class Watchdog:
    """Owns what was seen of one connection while one source plays in it."""

    def __init__(self, link: VoiceLink, *, heard: Callable[[], None]) -> None:
        """`heard` is called whenever nothing speaks against it that all that was said so far was heard."""
        self._link = link
        self._on_heard = heard
        self._seen = Health.of(link)
        self._bad = 0

    @property
    def trusts(self) -> bool:
        """Whether nothing speaks against it that what was said since the last look was heard."""
        return Health.of(self._link).symptom(self._seen, due=0) is None

    def look(self) -> Symptom | None:
        """Look while something should be heard; what is wrong, once that was so for `LOOKS` looks in a row."""
        symptom = self._compare(due=1)
        self._bad = self._bad + 1 if symptom else 0
        return symptom if self._bad >= LOOKS else None

    def conclude(self) -> Symptom | None:
        """Look at the end, before Discord is told that the bot is silent; what is wrong."""
        return self._compare(due=0)

    def _compare(self, *, due: int) -> Symptom | None:
        now = Health.of(self._link)
        symptom, self._seen = now.symptom(self._seen, due=due), now
        if symptom is None:
            self._on_heard()
        return symptom


def describe(symptom: Symptom | None, where: str) -> str:
    """Say, with the cure, what kept a line from being heard in a channel, also after that was joined again."""
    cure = "ask again, or change the channel's region."
    match symptom:
        case None:
            return f"I lost the connection to {where} again and again: {cure}"
        case "packets":
            return f"My packets did not get through to {where}, twice: {cure}"
        case "announcement":
            return f"Discord did not learn that I speak in {where}, twice: {cure}"
        case "encryption":
            return f"Nobody in {where} had the key to what I said, twice: {cure}"
    assert_never(symptom)
