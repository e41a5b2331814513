"""Questions to a SQLite file, each answered in one hand-over to a thread. Knows an engine; not what is asked.

An async driver hands every step of a question over by itself, about ten of them: beside many busy channels each waits
for the event loop anew.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")

_AT_ONCE = 4
"""Questions answered side by side: one that waits for a lock holds nobody else up."""


class Reader:
    """Owns the threads in which a database is read, and what is open there."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine that nobody else uses."""
        self._engine = engine
        self._threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="store-reader")

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """Have a question answered in a transaction of its own. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)

    async def close(self) -> None:
        """Let go of the database when the last question is answered."""
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._engine.dispose)

    def _answer(self, question: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection, connection.begin():
            return question(connection)
