"""Voices are deleted, or lost to their service."""

from dataclasses import replace

import pytest

from bot.errors import ProviderError, ProviderFault, VoiceError
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE
from tests.fakes import FakeProvider, SlowFake
from tests.unit.voices_house import Clone, names


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
