"""What a member is offered while they type a name."""

import pytest

from bot.store import Store
from tests.unit.store.examples import ALICE, BOB, make_voice


async def _fill(store: Store, *names: str, owner_id: int = ALICE) -> None:
    for name in names:
        await store.add(make_voice(name, owner_id=owner_id))


async def _names(store: Store, text: str, **how: int) -> list[str]:
    return [voice.name for voice in await store.search(text, owner_id=ALICE, **how)]


async def test_names_that_start_so_come_first_then_words_then_any_place(store: Store) -> None:
    await _fill(store, "Maria", "Ana Maria", "Zoe", "Mara", "Oma", "Jean Marc")

    assert await _names(store, "ma") == ["Mara", "Maria", "Ana Maria", "Jean Marc", "Oma"]


async def test_an_empty_text_gives_the_first_voices_by_name(store: Store) -> None:
    await _fill(store, *(f"voice {number:02}" for number in range(30)))

    assert await _names(store, " ") == [f"voice {number:02}" for number in range(25)]
    assert await _names(store, "", limit=2) == ["voice 00", "voice 01"]


@pytest.mark.parametrize("text", ["ÉLO", "ｅ́lo", "e\u0301lo", "  élo"])
async def test_search_folds_what_is_typed_as_it_folds_names(store: Store, text: str) -> None:
    await _fill(store, "Élodie", "Elodie")

    assert await _names(store, text) == ["Élodie"]


@pytest.mark.parametrize(
    ("text", "found"), [("%", ["100%"]), ("_", ["a_b"]), ("/", ["and/or"]), ("\\", ["back\\slash"])]
)
async def test_wildcards_are_taken_for_what_they_are(store: Store, text: str, found: list[str]) -> None:
    await _fill(store, "100%", "a_b", "and/or", "back\\slash", "plain")

    assert await _names(store, text) == found


async def test_search_gives_own_voices_only(store: Store) -> None:
    await _fill(store, "Aki")
    await _fill(store, "Akira", owner_id=BOB)

    assert await _names(store, "ak") == ["Aki"]


@pytest.mark.parametrize("text", ["aki\ud800", "a\0ki"])
async def test_what_no_database_can_hold_is_left_out_of_the_search(store: Store, text: str) -> None:
    await _fill(store, "Aki")

    assert await _names(store, text) == ["Aki"]


async def test_a_text_longer_than_any_name_finds_nothing(store: Store) -> None:
    await _fill(store, "a" * 100)

    assert await _names(store, "a" * 60_000) == []
