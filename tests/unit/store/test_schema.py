"""From an empty database to the present tables."""

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bot.errors import StoreError
from bot.store import Store
from bot.store._schema import FOLDER, HEAD
from bot.store._tables import metadata
from tests.unit.store.examples import ALICE, KEY, MORNING, file_url, make_line, make_voice

ROOT = Path(__file__).parents[3]
OPEN_AND_ADD = """
import asyncio, sys
from bot.store import Store
from tests.unit.store.examples import make_voice, file_url
async def main():
    async with Store(sys.argv[1], key=None) as store:
        await store.add(make_voice(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main())
print("alembic" in sys.modules)
"""


@asynccontextmanager
async def _started(url: str, name: str) -> AsyncIterator[Process]:
    """A process of its own, about to open the store as soon as it reads a line."""
    command = [sys.executable, "-W", "error", "-c", OPEN_AND_ADD, url, name]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _make_as_of(revision: str, folder: Path) -> None:
    """Make a database as the Mynah of that step did."""
    engine = create_engine(f"sqlite:///{folder}/mynah.db")
    script = ScriptDirectory(FOLDER)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        for step in reversed(list(script.iterate_revisions(revision, "base"))):
            step.module.upgrade(Operations(context))
            context.stamp(script, step.revision)
    engine.dispose()


def _expect_the_very_tables(folder: Path) -> None:
    engine = create_engine(f"sqlite:///{folder}/mynah.db")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()


async def test_the_steps_lead_from_an_empty_file_to_the_very_tables(url: str, tmp_path: Path) -> None:
    async with Store(url, key=KEY):
        pass

    _expect_the_very_tables(tmp_path)


@pytest.mark.parametrize("revision", ["0001", "0002"])
async def test_the_steps_lead_from_every_earlier_schema_to_the_very_tables_and_keep_what_is_in_them(
    url: str, tmp_path: Path, revision: str
) -> None:
    _make_as_of(revision, tmp_path)
    voice = make_voice("Aki")
    with closing(sqlite3.connect(tmp_path / "mynah.db")) as connection, connection:
        connection.execute(
            "INSERT INTO voices (id, owner_id, name, name_key, provider, state, title, description, tags, visibility, "
            "train_mode, languages, use_count, created_at, updated_at, consent, consented_at) VALUES (?, ?, 'Aki', "
            "'aki', 'imitation', 'trained', 'Aki', '', '[]', 'private', 'fast', '[]', 0, ?, ?, ?, ?)",
            (voice.id, ALICE, *["2025-03-01 08:30:15.250000"] * 2, voice.consent, "2025-03-01 08:30:15.250000"),
        )

    line = make_line(voice_id=voice.id)
    async with Store(url, key=KEY) as store:
        assert await store.get(voice.id, owner_id=ALICE) == voice
        await store.lines.write(added=[line])
        assert [each.id for each in await store.lines.take_up(since=MORNING)] == [line.id]

    _expect_the_very_tables(tmp_path)


def test_the_head_is_the_last_step_and_the_steps_form_one_line() -> None:
    assert ScriptDirectory(FOLDER).get_heads() == [HEAD]


async def test_every_connection_is_told_what_sqlite_must_be_told(store: Store) -> None:
    assert store._database._open_engine is not None
    async with store._database._open_engine.connect() as first, store._database._open_engine.connect() as second:
        for connection in (first, second):
            told = {
                pragma: (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one()
                for pragma in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous", "secure_delete")
            }
            assert told == {
                "journal_mode": "wal",
                "foreign_keys": 1,
                "busy_timeout": 5000,
                "synchronous": 1,
                "secure_delete": 1,
            }


async def test_the_search_needs_no_more_than_the_index_of_the_owner(store: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mynah.db")) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM voices WHERE owner_id = 1 ORDER BY name_key"
        ).fetchall()

    assert len(plan) == 1
    assert "USING INDEX" in plan[0][3]
    assert "(owner_id=?)" in plan[0][3]


async def test_stores_opened_at_once_on_new_files_do_not_meet(tmp_path: Path) -> None:
    async def use(name: str) -> int:
        (tmp_path / name).mkdir()
        async with Store(file_url(tmp_path / name), key=None) as store:
            await store.add(make_voice())
            return await store.count(ALICE)

    assert await asyncio.gather(*(use(name) for name in "abc")) == [1, 1, 1]


async def test_stores_opened_at_once_on_one_new_file_take_turns(url: str) -> None:
    async def use(name: str) -> None:
        async with Store(url, key=None) as store:
            await store.add(make_voice(name))

    await asyncio.gather(*(use(name) for name in "abcd"))

    async with Store(url, key=None) as store:
        assert await store.count(ALICE) == 4


async def test_two_processes_may_open_one_new_file_at_once(url: str) -> None:
    async with _started(url, "first") as first, _started(url, "second") as second:
        ends = await asyncio.gather(first.communicate(b"go\n"), second.communicate(b"go\n"))

    assert [first.returncode, second.returncode] == [0, 0], ends
    async with Store(url, key=None) as store:
        assert await store.count(ALICE) == 2


async def test_alembic_is_not_loaded_where_nothing_is_to_migrate(url: str) -> None:
    async with Store(url, key=None):
        pass

    async with _started(url, "later") as later:
        output, _ = await later.communicate(b"go\n")

    assert output == b"False\n"


async def test_a_database_of_a_newer_mynah_is_left_alone(url: str, tmp_path: Path) -> None:
    async with Store(url, key=KEY):
        pass
    with closing(sqlite3.connect(tmp_path / "mynah.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match="newer version"):
        async with Store(url, key=KEY):
            pass


async def test_a_migration_that_fails_leaves_the_file_as_it_was(url: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mynah.db")) as connection, connection:
        connection.execute("CREATE TABLE samples (mine TEXT)")

    with pytest.raises(Exception, match="samples already exists"):
        async with Store(url, key=KEY):
            pass

    with closing(sqlite3.connect(tmp_path / "mynah.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall() == [("samples",)]
