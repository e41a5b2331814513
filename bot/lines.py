"""What waits and what is being said, written down as it changes, so that it outlives the process.

Has never heard of Discord, and knows no SQL.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from bot.errors import StoreError
from bot.models import SavedLine
from bot.store import Lines

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Change:
    """What is still to be written of one line."""

    line: SavedLine | None = None
    """To be added."""
    reached: int | None = None
    dropped: bool = False

    def then(self, later: "_Change") -> "_Change":
        """Make one change of two. What is dropped stays so."""
        if self.dropped or later.dropped:
            return _Change(dropped=True)
        reached = [each for each in (self.reached, later.reached) if each is not None]
        return replace(self, line=later.line or self.line, reached=max(reached, default=None))


class LineBook:
    """Owns what is written down of lines, and when: soon, by one task, and never while anybody waits for it.

    Opens and closes with `async with`; closing writes out what is pending. What the database refuses is tried again
    later together with what came meanwhile, and the log is told once.
    """

    def __init__(self, lines: Lines, *, gather: float = 0.1, retry: float = 5.0) -> None:
        """`gather`: seconds in which changes come together before they are written; `retry`: after a refusal."""
        self._lines = lines
        self._gather = gather
        self._retry = retry
        self._pending: dict[str, _Change] = {}
        self._written: set[str] = set()
        """The lines of which something may be in the database."""
        self._changed = asyncio.Event()
        self._hurried = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._refused = False
        self._asking = asyncio.Lock()
        """What is being written must be told from what an earlier process left."""
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.flush()
        finally:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
        if self._pending:
            log.warning("%d lines are not written down as they are", len(self._pending))
        elif self._written and (kind is None or issubclass(kind, asyncio.CancelledError)):  # by a signal, that is
            await self._acquit()

    def keep(self, line: SavedLine) -> None:
        """Have a line written down; one that is kept already is written anew, but for how far it is.

        Not to be called for a line after its `drop`: it would be said again after the next start.
        """
        self._note(line.id, _Change(line=line))

    def reach(self, line_id: str, sentence: int) -> None:
        """Have it written down that all sentences before this one were said whole."""
        if line_id in self._pending or line_id in self._written:
            self._note(line_id, _Change(reached=sentence))

    def drop(self, line_id: str) -> None:
        """Have a line forgotten; where it was not written down yet, it never is."""
        if line_id in self._written:
            self._note(line_id, _Change(dropped=True))
        else:
            self._pending.pop(line_id, None)

    async def flush(self) -> None:
        """Wait until what is pending was written, or refused."""
        if self._writer is None:
            raise RuntimeError("the book of lines is not open: use `async with`")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._hurried.set()
        self._changed.set()
        await done

    async def given_up(self, max_age: timedelta) -> tuple[SavedLine, ...]:
        """Give the lines that `take_up` will leave out and forget. Raises `StoreError`."""
        async with self._asking:
            since = datetime.now(UTC) - max_age
            return await self._lines.given_up(since=since, besides=frozenset(self._written))

    async def take_up(self, max_age: timedelta) -> tuple[SavedLine, ...]:
        """Give the lines an earlier process left, in order of asking, and keep them; each is given once.

        Left out and forgotten: lines asked for longer ago than `max_age`, and lines that were taken up before and have
        not got one sentence further. Raises `StoreError`; then nothing was counted, and it may be asked again.
        """
        async with self._asking:
            left = await self._lines.take_up(since=datetime.now(UTC) - max_age, besides=frozenset(self._written))
            self._written.update(line.id for line in left)
        return left

    async def _acquit(self) -> None:
        try:
            await self._lines.acquit(self._written)
        except StoreError as error:
            log.warning("lines that did not end this process count as if they had: %s", error)

    def _note(self, line_id: str, change: _Change) -> None:
        self._pending[line_id] = self._pending.get(line_id, _Change()).then(change)
        self._changed.set()

    def _start(self) -> None:
        self._writer = asyncio.create_task(self._write_down())
        self._writer.add_done_callback(self._mourn)

    def _mourn(self, writer: asyncio.Task[None]) -> None:
        """Go on after a bug, which costs what was being written and no more."""
        if not writer.cancelled() and (bug := writer.exception()) is not None:
            log.error("bug: changes of lines are not written down", exc_info=bug)
            if self._writer is writer:
                self._start()

    async def _write_down(self) -> None:
        pause = self._gather
        while True:
            await self._changed.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurried.wait()
            self._changed.clear()
            self._hurried.clear()
            waiting, self._waiting = self._waiting, []
            try:
                async with self._asking:
                    await self._write()
            finally:
                for each in waiting:
                    if not each.done():
                        each.set_result(None)
            pause = self._gather
            if self._refused:
                pause = self._retry
                self._changed.set()

    async def _write(self) -> None:
        """Write what is pending; what is refused stays so."""
        writing, self._pending = self._pending, {}
        if not writing:
            return
        added = [each.line for each in writing.values() if each.line is not None]
        # before it is tried: what the database says that it refused may be there all the same
        self._written.update(line.id for line in added)
        try:
            await self._lines.write(
                added=added,
                reached={line_id: each.reached for line_id, each in writing.items() if each.reached is not None},
                dropped=[line_id for line_id, each in writing.items() if each.dropped],
            )
        except StoreError as error:
            self._put_back(writing)
            if not self._refused:
                log.warning("lines are not written down for now: %s", error)
            self._refused = True
            return
        self._written.difference_update(line_id for line_id, each in writing.items() if each.dropped)
        if self._refused:
            log.info("lines are written down again")
        self._refused = False

    def _put_back(self, writing: dict[str, _Change]) -> None:
        meanwhile, self._pending = self._pending, writing
        for line_id, change in meanwhile.items():
            self._note(line_id, change)
