"""A gate in the middle of an answer of sound: a test sees that it was reached, and opens it or lets the answer die.

Knows no route and no service.
"""

import asyncio
from collections.abc import AsyncIterator


class CutError(ConnectionError):
    """The answer dies here: whoever sends it closes the connection."""


class Gate:
    """Owns one place in one answer, `after` so many bytes of sound; 0 is before its first byte and its headers."""

    def __init__(self, after: int = 0) -> None:
        self.after = after
        self._reached = asyncio.Event()
        self._decided = asyncio.Event()
        self._cut = False

    async def reached(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the tests' words
        """Return once the answer stands at the gate. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            await self._reached.wait()

    def open(self) -> None:
        """Let the answer go on."""
        self._decided.set()

    def cut(self) -> None:
        """Let the answer die at the gate; before it is reached: as soon as it is."""
        self._cut = True
        self._decided.set()

    async def passed(self) -> None:
        """Stand at the gate until it is opened. Raises CutError where the answer shall die."""
        self._reached.set()
        await self._decided.wait()
        if self._cut:
            raise CutError


class Way:
    """Owns how much of one answer's sound was sent, and the gate that is still before it."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate
        self._sent = 0

    async def begin(self) -> None:
        """Wait where nothing shall be sent yet. Raises CutError."""
        if self._gate is not None and self._gate.after == 0:
            await self._pass(self._gate)

    async def send(self, portion: bytes) -> AsyncIterator[bytes]:
        """Give a portion, in two where the gate is within. Raises CutError."""
        gate, start = self._gate, self._sent
        self._sent += len(portion)
        if gate is None or gate.after >= self._sent:
            yield portion
            return
        place = gate.after - start
        if place:
            yield portion[:place]
        await self._pass(gate)
        yield portion[place:]

    async def _pass(self, gate: Gate) -> None:
        self._gate = None
        await gate.passed()
