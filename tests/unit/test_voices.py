"""What members do with the voices they own, and with no other."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import ProviderError, ProviderFault, QuotaError, VoiceError
from bot.providers.base import CloneRequest, VoiceEdit
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE, BOB
from tests.fakes import FakeProvider, SlowFake
from tests.unit.voices_house import Clone, names


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
