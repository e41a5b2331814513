"""What playback needs of whoever writes lines down, so that they survive the end of the process."""

from typing import Protocol

from bot.models import SavedLine


class Ledger(Protocol):
    """Writes lines down. Every method returns at once."""

    def keep(self, line: SavedLine) -> None:
        """Write a line down, to be gone on with after a restart."""

    def reach(self, line_id: str, sentence: int) -> None:
        """Write down that every sentence before this one was said."""

    def drop(self, line_id: str) -> None:
        """Strike a line out: it is over."""


class NoLedger:
    """Writes nothing down."""

    def keep(self, line: SavedLine) -> None:
        """Forget it."""

    def reach(self, line_id: str, sentence: int) -> None:
        """Forget it."""

    def drop(self, line_id: str) -> None:
        """Forget it."""
