"""What one kind of database must be told and the others need not: the only module with SQL of a single dialect.

Knows engines and connections. Does not know the tables.
"""

import asyncio
import sqlite3
import time
from typing import Any, Literal

from sqlalchemy import URL, Connection, create_engine, event, func, make_url, select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_only

from bot.store._reader import Reader

Transaction = Literal["BEGIN DEFERRED", "BEGIN IMMEDIATE", ""]
READ: Transaction = "BEGIN DEFERRED"
WRITE: Transaction = "BEGIN IMMEDIATE"
"""A writer takes SQLite's lock at the start, because SQLite refuses to turn a reader into a second writer later."""
NONE: Transaction = ""
"""For what SQLite does outside transactions only."""

_OPTION = "sqlite_transaction"

_BUSY_SECONDS = "5"
_PRAGMAS = ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON")
_PAUSE = 0.02
_MIGRATION_LOCK = 0x6D796E6168  # "mynah"


def build_engine(url: str) -> AsyncEngine:
    """Build the engine for a SQLAlchemy URL. Connects to nothing yet.

    SQLite waits 5 s for a lock; `?timeout=` in the URL says otherwise. What members wrote stays out of the text of its
    errors, which is logged.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    engine = create_async_engine(_patient(parsed), hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def build_reader(url: str) -> Reader | None:
    """Build what reads a SQLite file beside who writes it; None for other databases, and for one without a file.

    Connects to nothing yet. The file must have been brought to the present schema before the first question.
    """
    parsed = make_url(url)
    without_file = parsed.database in {None, "", ":memory:"} or parsed.query.get("mode") == "memory"
    if parsed.get_backend_name() != "sqlite" or without_file:
        return None
    engine = create_engine(_patient(parsed.set(drivername="sqlite")), hide_parameters=True)
    event.listen(engine, "connect", _prepare_reading)
    event.listen(engine, "begin", _begin_sqlite)
    return Reader(engine)


def _patient(url: URL) -> URL:
    return url if "timeout" in url.query else url.update_query_dict({"timeout": _BUSY_SECONDS})


async def probe(engine: AsyncEngine) -> None:
    """Meet a file that cannot be opened here: aiosqlite's thread would outlive the failure, and perhaps the loop."""
    if engine.dialect.name == "sqlite":
        (where,), how = engine.dialect.create_connect_args(engine.url)
        await asyncio.to_thread(lambda: sqlite3.connect(where, **how).close())


def _prepare_sqlite(connection: Any, entry: ConnectionPoolEntry) -> None:
    """Set up a new SQLite connection. The driver is told to leave transactions to `_begin_sqlite`."""
    connection.isolation_level = None
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_reading(connection: Any, entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON").close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Have readers and a writer side by side. SQLite does not wait here when two switch at once, so we do."""
    cursor.execute("PRAGMA busy_timeout")
    (patience,) = cursor.fetchall()[0]
    deadline = time.monotonic() + patience / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await_only(asyncio.sleep(_PAUSE))
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_OPTION, READ)
    if statement:
        connection.exec_driver_sql(statement)


async def prepare(connection: AsyncConnection, kind: Transaction) -> None:
    """Say what the next transaction of a connection is for."""
    await connection.execution_options(**{_OPTION: kind})


async def lock_schema(connection: AsyncConnection) -> None:
    """Keep other processes from migrating until this transaction ends. SQLite's writer holds that lock already."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))


async def scrub(connection: AsyncConnection) -> bool:
    """Cut SQLite's log, which still holds what was deleted; tell whether nobody's reading was in the way."""
    if connection.dialect.name != "sqlite":
        return True
    hindered = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
    return not hindered
