"""What members do with the voices they own, and with no other."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.arrivals import Arrivals
from bot.errors import ProviderError, ProviderFault, QuotaError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import Voice
from bot.providers.base import CloneRequest, VoiceEdit
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE, BOB
from tests.fakes import FakeProvider, HouseFake, SlowFake

Clone = Callable[..., Awaitable[Voice]]


async def names(voices: VoiceService, owner_id: int = ALICE) -> list[str]:
    page = await voices.page(owner_id=owner_id, offset=0, limit=50)
    return [voice.name for voice in page.voices]


def _voices(store: Store, provider: FakeProvider) -> VoiceService:
    homes = Homes(store, {"fake": provider}, default="fake")
    return VoiceService(store, homes, Arrivals(store, homes))


async def test_two_members_may_use_the_same_name(voices: VoiceService, clone: Clone) -> None:
    await clone("Aki", owner_id=ALICE)
    await clone("Aki", owner_id=BOB)

    assert await names(voices, ALICE) == await names(voices, BOB) == ["Aki"]


async def test_the_row_is_written_before_the_provider_is_asked(
    store: Store, provider: FakeProvider, clone: Clone
) -> None:
    seen: list[tuple[str, str | None]] = []

    async def look() -> None:
        seen.extend((voice.state, voice.remote_id) for voice in await store.unfinished())

    provider.script.while_creating = look

    await clone("Aki")

    assert seen == [("unknown", None)]
    assert await store.unfinished() == ()


async def test_clones_at_once_do_not_go_over_the_limit(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    results = await asyncio.gather(*(clone(f"Voice {n}") for n in range(6)), return_exceptions=True)

    assert sum(isinstance(result, QuotaError) for result in results) == 2
    assert provider.count("create") == len(await names(voices)) == 4


@pytest.mark.parametrize("kind", ["auth", "no_credit", "invalid", "too_large", "rate_limited", "server", "network"])
async def test_a_create_that_failed_is_not_repeated_and_leaves_nothing(
    voices: VoiceService, store: Store, provider: FakeProvider, clone: Clone, kind: ProviderFault
) -> None:
    provider.fail("create", kind)

    with pytest.raises(ProviderError) as caught:
        await clone("Aki")

    assert caught.value.kind == kind
    assert provider.count("create") == 1
    assert await names(voices) == []
    assert await store.unfinished() == ()


async def test_showing_a_voice_whose_answer_was_lost_looks_for_it(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    provider.script.loses_answers = True
    await clone("Aki")

    shown = await voices.try_refresh(await voices.resolve("Aki", owner_id=ALICE))

    assert shown.state == "trained"
    assert shown == await voices.resolve("Aki", owner_id=ALICE)


async def test_a_voice_deleted_while_it_is_made_does_not_stay_at_the_provider(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    async def delete() -> None:
        await voices.delete(await voices.resolve("Aki", owner_id=ALICE))

    provider.script.while_creating = delete

    with pytest.raises(VoiceError):
        await clone("Aki")

    assert provider.voices == {}
    assert await names(voices) == []


async def test_a_voice_is_not_deleted_while_nobody_knows_whether_it_is_being_made(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    async def delete() -> None:
        with pytest.raises(VoiceError, match=r"may be in the making.*delete it when that is known"):
            await voices.delete(await voices.resolve("Aki", owner_id=ALICE))

    provider.script.before_creating = delete

    made = await clone("Aki")

    assert made.remote_id in provider.voices
    assert await names(voices) == ["Aki"]


async def test_a_voice_renamed_while_it_is_made_keeps_its_new_name(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    async def rename() -> None:
        await voices.rename(await voices.resolve("Aki", owner_id=ALICE), "Bo")

    provider.script.while_creating = rename

    made = await clone("Aki")

    assert (made.name, made.state) == ("Bo", "trained")
    assert await names(voices) == ["Bo"]


async def test_the_first_voice_is_the_default_and_stays_it(voices: VoiceService, clone: Clone) -> None:
    first = await clone("Aki")
    second = await clone("Bo")

    assert (await voices.resolve(None, owner_id=ALICE)).name == "Aki"
    assert await voices.is_default(first)
    assert not await voices.is_default(second)


async def test_another_default_is_chosen_and_listed(voices: VoiceService, clone: Clone) -> None:
    await clone("Aki")
    second = await clone("Bo")

    await voices.set_default(second)

    assert (await voices.resolve("  ", owner_id=ALICE)).name == "Bo"
    assert (await voices.page(owner_id=ALICE, offset=0, limit=1)).default_id == second.id


async def test_without_a_voice_or_a_choice_the_member_is_told_what_to_do(voices: VoiceService, clone: Clone) -> None:
    with pytest.raises(VoiceError, match="/clone"):
        await voices.resolve(None, owner_id=ALICE)
    first = await clone("Aki")
    await clone("Bo")
    await clone("Cy")

    await voices.delete(first)

    with pytest.raises(VoiceError, match="/voices default"):
        await voices.resolve(None, owner_id=ALICE)


async def test_the_only_voice_left_speaks_when_none_is_named(voices: VoiceService, clone: Clone) -> None:
    first = await clone("Aki")
    second = await clone("Bo")

    await voices.delete(first)

    assert await voices.resolve(None, owner_id=ALICE) == second


async def test_another_member_finds_nothing_by_id_name_or_search(voices: VoiceService, clone: Clone) -> None:
    voice = await clone("Aki")

    for wanted in (voice.id, "Aki", None):
        with pytest.raises(VoiceError):
            await voices.resolve(wanted, owner_id=BOB)
    assert await voices.search("ak", owner_id=BOB) == ()
    assert (await voices.page(owner_id=BOB, offset=0, limit=10)).total == 0
    assert [found.id for found in await voices.search("ak", owner_id=ALICE)] == [voice.id]


async def test_a_voice_with_a_forged_owner_cannot_be_changed_chosen_or_deleted(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone("Aki")
    forged = replace(voice, owner_id=BOB, remote_id=None)

    with pytest.raises(VoiceError):
        await voices.rename(forged, "Mine")
    with pytest.raises(VoiceError):
        await voices.edit(forged, description="mine", tags=None)
    with pytest.raises(VoiceError):
        await voices.set_default(forged)
    assert not await voices.delete(forged)
    assert await voices.find(voice.id, owner_id=BOB) is None

    assert len(provider.voices) == 1
    assert await voices.resolve("Aki", owner_id=ALICE) == voice


async def test_rename_changes_the_name_here_and_the_title_there(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone("Aki")

    renamed = await voices.rename(voice, " Bo  the  Second ")

    assert (renamed.name, renamed.title, renamed.id) == ("Bo the Second", "Bo the Second", voice.id)
    assert [remote.title for remote in provider.voices.values()] == ["Bo the Second"]
    assert await names(voices) == ["Bo the Second"]


async def test_a_voice_may_be_renamed_to_another_spelling_of_its_own_name(voices: VoiceService, clone: Clone) -> None:
    renamed = await voices.rename(await clone("aki"), "AKI")

    assert renamed.name == "AKI"


@pytest.mark.parametrize("name", ["bo", "", "@here", "x" * 33])
async def test_rename_refuses_a_name_that_is_taken_or_cannot_be_used(
    voices: VoiceService, provider: FakeProvider, clone: Clone, name: str
) -> None:
    voice = await clone("Aki")
    await clone("Bo")

    with pytest.raises(VoiceError):
        await voices.rename(voice, name)
    assert await names(voices) == ["Aki", "Bo"]
    assert provider.count("update") == 0


async def test_edit_changes_only_what_is_given(voices: VoiceService, provider: FakeProvider, clone: Clone) -> None:
    voice = await clone("Aki", description="old", tags="one, two")

    described = await voices.edit(voice, description=" new\nnote ", tags=None)
    tagged = await voices.edit(described, description=None, tags="three")
    emptied = await voices.edit(tagged, description="", tags="")

    assert (described.description, described.tags) == ("new note", ("one", "two"))
    assert (tagged.description, tagged.tags) == ("new note", ("three",))
    assert (emptied.description, emptied.tags) == ("", ())
    assert await voices.resolve("Aki", owner_id=ALICE) == emptied
    assert [(remote.description, remote.tags) for remote in provider.voices.values()] == [("", ())]


async def test_edit_of_nothing_says_so(voices: VoiceService, clone: Clone) -> None:
    with pytest.raises(VoiceError, match="nothing to change"):
        await voices.edit(await clone("Aki"), description=None, tags=None)


async def test_a_change_the_provider_refuses_is_not_made_here_either(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone("Aki", description="old")
    provider.fail("update", "server")

    with pytest.raises(ProviderError):
        await voices.rename(voice, "Bo")
    with pytest.raises(ProviderError):
        await voices.edit(voice, description="new", tags=None)

    assert await voices.resolve("Aki", owner_id=ALICE) == voice


async def test_changes_at_once_all_survive(voices: VoiceService, provider: FakeProvider, clone: Clone) -> None:
    voice = await clone("Aki", description="old", tags="old")

    for turn in range(10):
        await asyncio.gather(
            voices.refresh(voice),
            voices.rename(voice, f"Aki {turn}"),
            voices.edit(voice, description=f"note {turn}", tags=None),
            voices.edit(voice, description=None, tags=f"tag {turn}"),
            voices.refresh(voice),
        )

        (kept,) = (await voices.page(owner_id=ALICE, offset=0, limit=2)).voices
        assert (kept.name, kept.title) == (f"Aki {turn}", f"Aki {turn}")
        assert (kept.description, kept.tags) == (f"note {turn}", (f"tag {turn}",))
        (remote,) = provider.voices.values()
        assert (remote.title, remote.description, remote.tags) == (kept.title, kept.description, kept.tags)


async def test_taking_a_refused_change_back_leaves_what_else_was_changed(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone("Aki", description="old")

    async def meddle() -> None:
        provider.script.before_updating = None
        await voices.edit(voice, description="new", tags=None)
        provider.fail("update", "server")

    provider.script.before_updating = meddle
    with pytest.raises(ProviderError):
        await voices.rename(voice, "Bo")

    kept = await voices.resolve("Aki", owner_id=ALICE)
    assert (kept.title, kept.description) == ("Aki", "new")


async def test_a_later_name_is_not_taken_back_with_a_refused_one(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone("Aki")

    async def meddle() -> None:
        provider.script.before_updating = None
        await voices.rename(voice, "Cy")
        provider.fail("update", "server")

    provider.script.before_updating = meddle
    with pytest.raises(ProviderError):
        await voices.rename(voice, "Bo")

    assert await names(voices) == ["Cy"]


async def test_a_refused_change_of_a_voice_deleted_meanwhile_tells_the_refusal(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone("Aki")

    async def meddle() -> None:
        await voices.delete(voice)

    provider.script.before_updating = meddle
    with pytest.raises(ProviderError, match="not_found"):
        await voices.rename(voice, "Bo")

    assert await names(voices) == []


async def test_refresh_keeps_what_the_owner_wrote(voices: VoiceService, provider: FakeProvider, clone: Clone) -> None:
    voice = await clone("Aki", description="mine", tags="mine")
    await provider.update(str(voice.remote_id), VoiceEdit(title="Theirs", description="theirs", tags=("theirs",)))

    shown = await voices.refresh(voice)

    assert (shown.name, shown.title, shown.description, shown.tags) == ("Aki", "Aki", "mine", ("mine",))


async def test_a_voice_of_a_provider_without_edits_is_renamed_here_only_and_stays_so(
    voices: VoiceService, store: Store, elsewhere: SlowFake, clone: Clone
) -> None:
    remote = await elsewhere.create(CloneRequest(voice_id="e" * 32, title="Far", samples=()))
    voice = replace(await clone("Aki"), id="e" * 32, name="Far", provider="slow", remote_id=remote.id)
    await store.add(voice)

    renamed = await voices.rename(voice, "Away")
    edited = await voices.edit(renamed, description="mine", tags=None)
    await voices.refresh(edited)

    assert elsewhere.count("update") == 0
    assert (await voices.resolve("Away", owner_id=ALICE)).description == "mine"


async def test_refresh_brings_the_state_a_provider_reports(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    provider.script.trained_after = 2
    voice = await clone("Aki")
    assert voice.state == "created"

    first = await voices.refresh(voice)
    second = await voices.refresh(first)

    assert (first.state, second.state) == ("created", "trained")
    assert (await voices.resolve("Aki", owner_id=ALICE)).state == "trained"


async def test_a_voice_is_shown_as_remembered_where_its_provider_does_not_answer(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone("Aki")
    provider.fail("get", "network")

    assert await voices.try_refresh(voice) == voice


async def test_delete_removes_the_voice_there_and_here_with_its_samples(
    voices: VoiceService, store: Store, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone("Aki")

    assert await voices.delete(voice)

    assert provider.voices == {}
    assert not await voices.delete(voice)
    assert await names(voices) == []
    assert await store.samples(voice.id, owner_id=ALICE) == ()


@pytest.mark.parametrize("kind", ["network", "server", "auth"])
async def test_delete_keeps_everything_where_the_provider_fails(
    voices: VoiceService, store: Store, provider: FakeProvider, clone: Clone, kind: ProviderFault
) -> None:
    voice = await clone("Aki")
    provider.fail("delete", kind)

    with pytest.raises(ProviderError):
        await voices.delete(voice)

    assert await names(voices) == ["Aki"]
    assert len(await store.samples(voice.id, owner_id=ALICE)) == 1
    provider.recover("delete")
    await voices.delete(voice)
    assert await names(voices) == []


async def test_delete_finds_a_voice_whose_answer_was_lost_at_the_provider_too(
    voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    provider.script.loses_answers = True
    await clone("Aki")

    await voices.delete(await voices.resolve("Aki", owner_id=ALICE))

    assert provider.voices == {}
    assert await names(voices) == []


async def test_a_voice_of_a_provider_without_deletes_goes_here_at_least(
    voices: VoiceService, store: Store, elsewhere: SlowFake, clone: Clone
) -> None:
    voice = replace(await clone("Aki"), id="e" * 32, name="Far", provider="slow", remote_id="far")
    await store.add(voice)

    await voices.delete(voice)

    assert elsewhere.count("delete") == 0
    assert await names(voices) == ["Aki"]


async def test_a_voice_whose_provider_is_switched_off_is_shown_renamed_and_deleted_all_the_same(
    voices: VoiceService, store: Store, clone: Clone
) -> None:
    voice = replace(await clone("Aki"), id="e" * 32, name="Far", provider="gone")
    await store.add(voice)

    assert await voices.try_refresh(voice) == voice
    assert "switched off" in voices.label_of(voice)
    renamed = await voices.edit(await voices.rename(voice, "Farther"), description="away")
    with pytest.raises(VoiceError, match="switched off"):
        await voices.edit(renamed, visibility="public")
    assert "what it has of the voice stays there" in voices.outlives(voice)
    await voices.delete(voice)

    assert (renamed.name, renamed.description) == ("Farther", "away")
    assert await names(voices) == ["Aki"]


async def test_a_voice_that_its_service_moved_unseen_is_deleted_where_it_is(
    voices: VoiceService, provider: FakeProvider, store: Store, clone: Clone
) -> None:
    voice = await clone()
    await store.save(replace(voice, remote_id="before-it-was-renamed-there"))

    await voices.delete(voice)

    assert provider.voices == {}


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


# who sees a voice, and how it looks


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


# ready-made voices


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
