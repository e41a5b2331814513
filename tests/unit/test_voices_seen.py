"""Who sees a voice, and voices that come ready made."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.arrivals import Arrivals
from bot.errors import ProviderError, StoreError, VoiceError
from bot.homes import Homes
from bot.providers.base import VoiceEdit
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE, BOB
from tests.fakes import FakeProvider, HouseFake
from tests.unit.voices_house import Clone


def _voices(store: Store, provider: FakeProvider) -> VoiceService:
    homes = Homes(store, {"fake": provider}, default="fake")
    return VoiceService(store, homes, Arrivals(store, homes))


async def test_a_voice_that_became_public_behind_our_back_is_hidden_when_it_is_read(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    assert voice.remote_id is not None
    await provider.update(voice.remote_id, VoiceEdit(visibility="public"))

    found = await voices.look_at(voice)

    assert found.voice.visibility == "private"
    assert "I hid it at once" in found.note
    assert [remote.visibility for remote in provider.voices.values()] == ["private"]


async def test_a_voice_given_up_as_public_does_not_speak_again_before_nobody_else_sees_it(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    provider.script.comes_back = "public"
    provider.script.stubborn = True
    provider.fail("delete", "server")
    voice = await clone()

    again = await voices.refresh(voice)
    provider.script.stubborn = False
    hidden = await voices.refresh(again)

    assert (again.state, again.visibility) == ("failed", "public")
    assert (hidden.state, hidden.visibility, hidden.fault) == ("trained", "private", "")


async def test_a_voice_that_was_removed_keeps_the_reason(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    provider.script.comes_back = "public"
    provider.script.stubborn = True
    voice = await clone()

    assert "I removed it there" in (await voices.refresh(voice)).fault


async def test_a_change_of_who_sees_a_voice_whose_answer_is_lost_counts_as_seen_by_more(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    provider.fail("update", "network")

    with pytest.raises(ProviderError):
        await voices.edit(voice, visibility="unlist", description="new")
    wider = await voices.resolve("Aki", owner_id=ALICE)
    with pytest.raises(ProviderError):
        await voices.edit(wider, visibility="private")

    assert (wider.visibility, wider.description) == ("unlist", "")
    assert (await voices.resolve("Aki", owner_id=ALICE)).visibility == "unlist"


async def test_a_public_voice_of_a_service_that_changes_nothing_cannot_be_called_private(
    voices: VoiceService, store: Store, clone: Clone
) -> None:
    voice = replace(await clone("Aki"), id="e" * 32, name="Far", provider="slow", remote_id="far", visibility="public")
    await store.add(voice)

    with pytest.raises(VoiceError, match="cannot change who sees"):
        await voices.edit(voice, visibility="private")


async def test_delete_removes_nothing_at_the_provider_when_the_database_is_locked(
    store: Store, provider: FakeProvider, clone: Clone, tmp_path: Path
) -> None:
    voice = await clone("Aki")
    file = tmp_path / "mynah.db"
    async with Store(f"sqlite+aiosqlite:///{file}?timeout=0.05", key=None) as impatient:
        voices = _voices(impatient, provider)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="busy"):
                await voices.delete(voice)

    assert provider.count("delete") == 0
    assert (await store.get(voice.id, owner_id=ALICE)) == voice


async def test_an_owner_may_show_a_voice_with_a_picture_and_hide_it_again(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()

    shown = await voices.edit(voice, visibility="public", cover=b"a picture")
    hidden = await voices.edit(shown, visibility="private")

    assert (shown.visibility, shown.cover_image) == ("public", "cover.jpg")
    assert hidden.visibility == "private"
    assert [edit.visibility for _, edit in (each for verb, each in provider.asked if verb == "update")] == [
        "public",
        "private",
    ]
    assert await voices.resolve("Aki", owner_id=ALICE) == hidden


async def test_a_public_voice_needs_a_picture(voices: VoiceService, provider: FakeProvider, clone: Clone) -> None:
    with pytest.raises(VoiceError, match="attach a cover too"):
        await voices.edit(await clone(), visibility="public")
    assert provider.count("update") == 0


async def test_a_voice_that_its_service_does_not_hide_is_remembered_as_seen_and_its_owner_told(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await voices.edit(await clone(), visibility="unlist")
    provider.script.stubborn = True

    with pytest.raises(VoiceError, match="did not hide it"):
        await voices.edit(voice, visibility="private")

    assert (await voices.resolve("Aki", owner_id=ALICE)).visibility == "unlist"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"visibility": "public"}, "can be private only"), ({"cover": b"x"}, "shows no pictures")],
)
async def test_what_a_service_cannot_show_is_refused(
    voices: VoiceService, store: Store, clone: Clone, changes: dict[str, Any], sentence: str
) -> None:
    voice = replace(await clone(), id="e" * 32, name="Far", provider="slow", remote_id="far")
    await store.add(voice)

    with pytest.raises(VoiceError, match=sentence):
        await voices.edit(voice, **changes)
    assert (await voices.edit(voice, visibility="private", description="here")).description == "here"


async def test_a_voice_that_is_not_made_cannot_be_shown(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    provider.script.loses_answers = True

    with pytest.raises(VoiceError, match="not made yet"):
        await voices.edit(await clone(), visibility="unlist")


async def test_a_new_id_that_a_change_brings_is_remembered(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    provider.script.moves_on_change = True

    renamed = await voices.rename(voice, "Bo")

    assert renamed.remote_id != voice.remote_id
    assert renamed.remote_id in provider.voices


async def test_what_a_service_keeps_when_a_voice_is_deleted_is_told(
    voices: VoiceService, store: Store, clone: Clone
) -> None:
    voice = await clone()

    assert voices.outlives(voice) == ""
    assert "no way to delete" in voices.outlives(replace(voice, provider="slow"))


@pytest.fixture
def house(store: Store, provider: FakeProvider) -> VoiceService:
    homes = Homes(store, {"fake": provider, "house": HouseFake()}, default="fake")
    return VoiceService(store, homes, Arrivals(store, homes))


async def test_ready_made_voices_are_found_by_name_after_ones_own(house: VoiceService, clone: Clone) -> None:
    await clone("Nomad")

    assert [voice.name for voice in await house.search("no", owner_id=ALICE)] == ["Nomad", "Nova"]
    assert (await house.resolve("NOVA", owner_id=ALICE)).remote_id == "nova"
    assert (await house.resolve("house:alloy", owner_id=BOB)).name == "Alloy"


async def test_ones_own_voice_wins_over_a_ready_made_one_of_its_name(house: VoiceService, clone: Clone) -> None:
    own = await clone("Nova")

    assert await house.resolve("nova", owner_id=ALICE) == own


async def test_a_member_without_a_voice_speaks_with_the_first_ready_made_one(house: VoiceService, clone: Clone) -> None:
    own = await clone("Aki", owner_id=BOB)

    assert (await house.resolve(None, owner_id=ALICE)).name == "Alloy"
    assert await house.resolve(None, owner_id=BOB) == own


async def test_a_ready_made_voice_cannot_be_changed(house: VoiceService) -> None:
    with pytest.raises(VoiceError, match="everybody's"):
        await house.own("Alloy", owner_id=ALICE)
