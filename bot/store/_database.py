"""One database: its connections, and a transaction at a time on one of them. Knows no table and no question."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import StoreError
from bot.store._dialect import (
    NONE,
    READ,
    WRITE,
    Transaction,
    build_engine,
    build_reader,
    lock_schema,
    prepare,
    probe,
    scrub,
)
from bot.store._faults import opening, translated
from bot.store._reader import Reader
from bot.store._schema import migrate

log = logging.getLogger(__name__)

T = TypeVar("T")


class Database:
    """Owns the connections to one database, opened and brought to the present schema by `async with`."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it, with an async driver."""
        self._url = url
        self._open_engine: AsyncEngine | None = None
        self._reader: Reader | None = None
        self._writing = asyncio.Lock()
        """Who writes waits here for the one before: SQLite lets one write, and has the others try their luck."""
        self._running = 0
        self._idle = asyncio.Event()
        self._closed = False

    async def __aenter__(self) -> Self:
        self._closed = False
        with opening():
            self._open_engine = build_engine(self._url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            with translated():
                await probe(self._open_engine)
            async with self.transaction(WRITE) as connection:
                await lock_schema(connection)
                await migrate(connection)
            self._reader = build_reader(self._url)
            stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    @asynccontextmanager
    async def transaction(self, kind: Transaction) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that ends with the block: kept, or undone where it raises.

        Raises `StoreError` where the database does not do what is asked.
        """
        async with AsyncExitStack() as stack:
            engine = stack.enter_context(self._in_use())
            stack.enter_context(translated())
            if kind == WRITE and engine.dialect.name == "sqlite":
                await stack.enter_async_context(self._writing)
            connection = await stack.enter_async_context(engine.connect())
            await prepare(connection, kind)
            await stack.enter_async_context(connection.begin())
            yield connection

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Have a question answered in a transaction of its own; it may ask several times, and changes nothing.

        It may be run in another thread. Raises `StoreError` where the database does not do what is asked.
        """
        with self._in_use(), translated():
            if self._reader is not None:
                return await self._reader.ask(question)
            async with self.transaction(READ) as connection:
                return await connection.run_sync(question)

    async def scrub(self) -> None:
        """Leave no trace in the file of what was deleted before."""
        clean = False
        # it is gone from the tables already: what fails here must not be told as if it were not
        with suppress(StoreError):
            async with self.transaction(NONE) as connection:
                clean = await scrub(connection)
        if not clean:
            log.warning("what was deleted stays in the log of the database until the next delete or restart")

    @contextmanager
    def _in_use(self) -> Iterator[AsyncEngine]:
        """Keep the database open until the block ends. Raises `StoreError` where it is closed or being closed."""
        if self._closed:
            raise StoreError("I am shutting down: ask again in a minute.")
        if self._open_engine is None:
            raise RuntimeError("the store is not open: use `async with`")
        self._running += 1
        self._idle.clear()
        try:
            yield self._open_engine
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _close(self) -> None:
        """Refuse new questions and wait for those under way: a connection in use is not closed with its engine."""
        self._closed = True
        if self._running:
            await self._idle.wait()
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()
        engine, self._open_engine = self._open_engine, None
        if engine is not None:
            await engine.dispose()
