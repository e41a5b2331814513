"""Kept samples: encrypted at rest, bound to their voice, gone when deleted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.models import KeptSample
from bot.store import Store
from tests.unit.store.examples import ALICE, KEY, SAMPLES, make_voice


def _read(folder: Path, question: str) -> list[tuple[bytes, ...]]:
    with closing(sqlite3.connect(folder / "mynah.db")) as connection:
        return connection.execute(question).fetchall()


def _change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "mynah.db")) as connection, connection:
        connection.execute(statement, values)


def _on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("mynah.db*")))


async def test_samples_come_back_in_order(store: Store) -> None:
    voice = make_voice()
    many = tuple(KeptSample(opus=bytes([number]) * 5000, transcript=f"line {number} ✨") for number in range(5))

    await store.add(voice, many)

    assert await store.samples(voice.id, owner_id=ALICE) == many


async def test_neither_sound_nor_words_lie_open_on_the_disk(store: Store, tmp_path: Path) -> None:
    await store.add(make_voice(), SAMPLES)

    everything = _on_disk(tmp_path)

    assert b"Aki" in everything
    assert b"OggS" not in everything
    assert b"quick brown" not in everything


async def test_equal_samples_are_sealed_differently(store: Store, tmp_path: Path) -> None:
    await store.add(make_voice(), (SAMPLES[0], SAMPLES[0]))

    (first,), (second,) = _read(tmp_path, "SELECT opus FROM samples")

    assert first[:12] != second[:12]
    assert first[12:28] != second[12:28]


async def test_another_key_is_told_by_the_name_of_its_setting(url: str) -> None:
    voice = make_voice()
    async with Store(url, key=KEY) as store:
        await store.add(voice, SAMPLES)

    async with Store(url, key=bytes(32)) as store:
        with pytest.raises(StoreError, match="SAMPLE_KEY"):
            await store.samples(voice.id, owner_id=ALICE)


async def test_without_a_key_no_samples_are_kept(url: str) -> None:
    voice = make_voice()
    async with Store(url, key=None) as store:
        await store.add(voice, SAMPLES)

        assert await store.samples(voice.id, owner_id=ALICE) == ()
        assert await store.get(voice.id, owner_id=ALICE) == voice


async def test_samples_kept_earlier_need_their_key(url: str) -> None:
    voice = make_voice()
    async with Store(url, key=KEY) as store:
        await store.add(voice, SAMPLES)

    async with Store(url, key=None) as store:
        with pytest.raises(StoreError, match="SAMPLE_KEY"):
            await store.samples(voice.id, owner_id=ALICE)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE samples SET position = 1 - position + 2",
        "UPDATE samples SET voice_id = (SELECT id FROM voices WHERE name = 'Bea')",
        "UPDATE samples SET opus = transcript",
        "UPDATE samples SET opus = x'00'",
    ],
)
async def test_a_sample_opens_only_in_its_own_place(store: Store, tmp_path: Path, tampering: str) -> None:
    aki, bea = make_voice("Aki"), make_voice("Bea")
    await store.add(aki, SAMPLES)
    await store.add(bea)

    _change(tmp_path, tampering)

    holder = bea if "Bea" in tampering else aki
    with pytest.raises(StoreError, match="SAMPLE_KEY"):
        await store.samples(holder.id, owner_id=ALICE)


async def test_deleted_samples_are_gone_from_the_file_while_the_store_is_open(store: Store, tmp_path: Path) -> None:
    voice = make_voice("Unmistakable", description="a description to look for")
    await store.add(voice, (KeptSample(opus=bytes(range(256)) * 64),))
    await store.add(make_voice("Another"))
    ((sealed,),) = _read(tmp_path, "SELECT opus FROM samples")
    before = _on_disk(tmp_path)

    await store.delete(voice.id, owner_id=ALICE)

    after = _on_disk(tmp_path)
    pieces = [sealed[start : start + 64] for start in range(0, len(sealed) - 64, 64)]
    assert any(piece in before for piece in pieces)
    assert not any(piece in after for piece in pieces)
    assert b"a description to look for" in before
    assert b"a description to look for" not in after


async def test_delete_succeeds_while_somebody_still_reads(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    voice = make_voice()
    async with Store(f"{url}?timeout=0.01", key=KEY) as store:
        await store.add(voice, SAMPLES)
        with closing(sqlite3.connect(tmp_path / "mynah.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM voices").fetchall()

            assert await store.delete(voice.id, owner_id=ALICE) is True

        assert await store.get(voice.id, owner_id=ALICE) is None
        assert "stays in the log" in caplog.text
