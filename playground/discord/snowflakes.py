"""Snowflake ids: milliseconds since Discord's epoch in the upper 42 bits (discord.com/developers, Snowflakes)."""

from playground.discord.clock import Clock

_EPOCH_MS = 1_420_070_400_000


class Snowflakes:
    """Owns the last id given, so that ids only grow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return a new id that carries the present time."""
        stamp = (int(self._clock.now().timestamp() * 1000) - _EPOCH_MS) << 22
        self._last = max(stamp, self._last + 1)
        return self._last
