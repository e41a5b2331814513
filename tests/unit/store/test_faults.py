"""What a member reads when the database cannot do its work."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.errors import StoreError
from bot.models import KeptSample
from bot.store import Store
from bot.store._faults import translated
from tests.unit.store.examples import ALICE, KEY, SAMPLES, file_url, make_voice


@contextmanager
def _held(folder: Path, how: str) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "mynah.db", isolation_level=None)) as connection:
        connection.execute(how)
        yield


async def _open(url: str) -> None:
    async with Store(url, key=KEY):
        pass


async def test_a_locked_database_is_told_as_busy_and_nothing_is_changed(url: str, tmp_path: Path) -> None:
    voice = make_voice()
    async with Store(f"{url}?timeout=0.01", key=KEY) as store:
        await store.add(voice)
        with _held(tmp_path, "BEGIN IMMEDIATE"):
            with pytest.raises(StoreError, match="busy: try again"):
                await store.add(make_voice("Bea"), SAMPLES)
            with pytest.raises(StoreError, match="busy: try again"):
                await store.check()

            assert await store.get(voice.id, owner_id=ALICE) == voice

        assert await store.count(ALICE) == 1
        await store.check()


async def test_a_new_database_that_somebody_holds_is_told_as_busy(url: str, tmp_path: Path) -> None:
    with _held(tmp_path, "BEGIN EXCLUSIVE"), pytest.raises(StoreError, match="busy: try again"):
        await _open(f"{url}?timeout=0.01")


async def test_a_read_only_database_can_be_read_and_tells_who_can_help(url: str, tmp_path: Path) -> None:
    voice = make_voice()
    async with Store(url, key=KEY) as writable:
        await writable.add(voice, SAMPLES)
        async with Store(f"sqlite+aiosqlite:///file:{tmp_path}/mynah.db?mode=ro&uri=true", key=KEY) as store:
            assert await store.get(voice.id, owner_id=ALICE) == voice
            for refused in (store.check(), store.delete(voice.id, owner_id=ALICE), store.add(make_voice("Bea"))):
                with pytest.raises(StoreError, match=r"read-only.*writable"):
                    await refused

        assert await writable.samples(voice.id, owner_id=ALICE) == SAMPLES


async def test_a_full_disk_is_told_and_nothing_is_half_made(store: Store) -> None:
    assert store._database._open_engine is not None
    async with store._database._open_engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1")  # no more than it has

    with pytest.raises(StoreError, match=r"full.*free some space"):
        await store.add(make_voice(), (KeptSample(opus=bytes(100_000)),))

    assert await store.count(ALICE) == 0


async def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder exists"):
        await _open(file_url(tmp_path / "nowhere"))


async def test_a_folder_in_place_of_the_file_is_told(url: str, tmp_path: Path) -> None:
    (tmp_path / "mynah.db").mkdir()

    with pytest.raises(StoreError, match="cannot be opened"):
        await _open(url)


async def test_a_file_that_is_no_database_is_told_and_left_alone(url: str, tmp_path: Path) -> None:
    (tmp_path / "mynah.db").write_bytes(b"RIFF this is a recording" * 200)

    with pytest.raises(StoreError, match=r"no database.*DATABASE_URL"):
        await _open(url)

    assert (tmp_path / "mynah.db").read_bytes() == b"RIFF this is a recording" * 200


@pytest.mark.parametrize(
    "address",
    [
        "no address",
        "sqlite:///data/mynah.db",
        "nonesuch+driver://localhost/mynah",
        "postgresql+asyncpgg://localhost/mynah",
    ],
)
async def test_an_address_that_cannot_be_used_is_told_with_an_example(address: str) -> None:
    with pytest.raises(StoreError, match=r"DATABASE_URL.*sqlite\+aiosqlite"):
        await _open(address)


async def test_no_complaint_repeats_the_password_in_the_address() -> None:
    with pytest.raises(StoreError) as complaint:
        await _open("nonesuch://mynah:hunter2@localhost/mynah")

    assert "hunter2" not in str(complaint.value)


async def test_a_name_that_cannot_be_written_down_is_told(store: Store) -> None:
    with pytest.raises(StoreError, match="character that cannot be kept"):
        await store.add(make_voice("Aki\ud800"))

    assert await store.count(ALICE) == 0


async def test_a_missing_table_is_a_bug_and_not_told_as_a_busy_store(store: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mynah.db")) as connection:
        connection.execute("DROP TABLE members")

    with pytest.raises(Exception, match="no such table") as failure:
        await store.default(ALICE)

    assert not isinstance(failure.value, StoreError)


async def test_more_calls_at_once_than_connections_take_turns(store: Store) -> None:
    assert await asyncio.gather(*(store.count(ALICE) for _ in range(100))) == [0] * 100


@pytest.mark.parametrize(
    ("complaint", "told"),
    [
        (ConnectionRefusedError("no server"), "does not answer"),
        (InterfaceError("SELECT 1", {}, Exception("connection is closed")), "does not answer"),
        (OperationalError("SELECT 1", {}, Exception("server closed the connection")), "does not answer"),
        (DBAPIError("SELECT 1", {}, Exception("shut down"), connection_invalidated=True), "does not answer"),
        (PoolTimeoutError("no connection is free"), "busy"),
    ],
)
def test_what_a_database_server_complains_of_is_told(complaint: Exception, told: str) -> None:
    with pytest.raises(StoreError, match=told), translated():
        raise complaint


def test_a_wrong_question_to_a_server_stays_a_bug() -> None:
    with pytest.raises(ProgrammingError), translated():
        raise ProgrammingError("SELECT nothing", {}, Exception("no such column"))


async def test_what_a_member_wrote_is_not_in_a_fault_that_is_logged(store: Store, tmp_path: Path) -> None:
    with _held(tmp_path, "DROP TABLE voices"), pytest.raises(OperationalError) as missing:
        await store.add(make_voice("Tangerine"))

    assert "INSERT INTO voices" in str(missing.value)
    assert "Tangerine" not in str(missing.value)
