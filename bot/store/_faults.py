"""What a database complains of, in words for a member. The border where its errors become `StoreError`.

Knows error classes and codes. Does not know what was asked.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeoutError,
)

from bot.errors import StoreError

_BUSY = "The voice store is busy: try again in a minute."
_READ_ONLY = (
    "The voice store is read-only, so nothing can be kept: whoever runs this bot must make the database file and its "
    "folder writable."
)
_FULL = "The disk of the voice store is full: whoever runs this bot must free some space, then try again."
_MISSING = (
    "The voice store cannot be opened: whoever runs this bot must check that the database's folder exists and may be "
    "written to."
)
_NO_DATABASE = (
    "The voice store's file is damaged or no database: whoever runs this bot must restore it from a backup or point "
    "DATABASE_URL elsewhere."
)
_UNREACHABLE = "The voice store does not answer: try again in a minute, and tell whoever runs this bot if it stays so."
_BAD_URL = (
    "DATABASE_URL cannot be used: give an address with an async driver that is installed, like "
    "sqlite+aiosqlite:///data/mynah.db, or leave it empty."
)
_UNWRITABLE = "That text holds a character that cannot be kept: type it again without it."

_SQLITE: dict[int, str] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: _MISSING,
    sqlite3.SQLITE_PERM: _MISSING,
    sqlite3.SQLITE_NOTADB: _NO_DATABASE,
    sqlite3.SQLITE_CORRUPT: _NO_DATABASE,
    sqlite3.SQLITE_IOERR: _UNREACHABLE,
}


@contextmanager
def opening() -> Iterator[None]:
    """Translate what building an engine raises for an address that cannot be used."""
    try:
        yield
    except (ArgumentError, InvalidRequestError, ModuleNotFoundError) as error:
        raise StoreError(_BAD_URL) from error


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a database is not able to do into `StoreError`. A wrong question stays what it is: a bug."""
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreError(_BUSY) from error
    except (DBAPIError, sqlite3.Error) as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        raise StoreError(sentence) from error
    except OSError as error:
        raise StoreError(_UNREACHABLE) from error
    except UnicodeEncodeError as error:
        raise StoreError(_UNWRITABLE) from error


def _sentence(error: DBAPIError | sqlite3.Error) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return _SQLITE.get(code & 0xFF)  # the low byte is the primary code: sqlite.org/rescode.html
    lost = isinstance(error, OperationalError | InterfaceError) or getattr(error, "connection_invalidated", False)
    return _UNREACHABLE if lost else None
