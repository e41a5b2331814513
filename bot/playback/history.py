"""The last lines that were said in one server, which can be said again. Knows no queue."""

from collections import deque

from bot.playback.line import Line

REMEMBERED = 5
"""Lines that can be said again."""


class History:
    """Owns the last lines; one that was said again is there once."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=REMEMBERED)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The latest first; the channel of each is the one it was said in."""
        return tuple(reversed(self._lines))

    def add(self, line: Line) -> None:
        """Put a line among the last ones."""
        for earlier in tuple(self._lines):
            if (earlier.open, earlier.channel) == (line.open, line.channel):
                self._lines.remove(earlier)
        self._lines.append(line)
