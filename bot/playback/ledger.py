"""What playback needs of whoever writes lines down, so that they survive the end of the process."""

from typing import Protocol

from bot.playback.line import Line


class Ledger(Protocol):
    """Writes lines down. Every method returns at once."""

    def keep(self, line: Line) -> None:
        """Write a line down, to be gone on with after a restart."""

    def reach(self, line: Line, number: int) -> None:
        """Write down that every sentence before this one was said."""

    def drop(self, line: Line) -> None:
        """Strike a line out: it is over."""


class NoLedger:
    """Writes nothing down."""

    def keep(self, line: Line) -> None:
        """Forget it."""

    def reach(self, line: Line, number: int) -> None:
        """Forget it."""

    def drop(self, line: Line) -> None:
        """Forget it."""
