"""Brings a database from any released schema to the present one, with Alembic.

Knows the steps in `migrations/versions`. Each is a module with `revision`, `down_revision` and `upgrade(op)`; they form
one line. The operations are handed in, rather than taken from `alembic.op`, because that is one global for all threads.
"""

import logging
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreError

log = logging.getLogger(__name__)

HEAD = "0003"
"""The last step. Known without Alembic, which is loaded (11 MB) only where there is something to do."""

FOLDER = Path(__file__).parent / "migrations"
_version = table("alembic_version", column("version_num"))


async def migrate(connection: AsyncConnection) -> None:
    """Take the steps this database has not seen, within the caller's transaction: all of them or none.

    Raises `StoreError` for a database that a newer Mynah made.
    """
    if await connection.run_sync(_current) != HEAD:
        await connection.run_sync(_upgrade)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar_one_or_none()


def _upgrade(connection: Connection) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.script.revision import ResolutionError

    script = ScriptDirectory(FOLDER)
    context = MigrationContext.configure(connection)
    try:
        steps = list(script.iterate_revisions("head", context.get_current_revision() or "base"))
    except ResolutionError as error:
        raise StoreError(
            "The voice store was made by a newer version of this bot: whoever runs it must install that version again."
        ) from error
    for step in reversed(steps):
        step.module.upgrade(Operations(context))
        context.stamp(script, step.revision)
        log.info("database brought to revision %s", step.revision)
