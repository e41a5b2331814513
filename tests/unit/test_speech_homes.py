"""Where a voice lives: voices that are rejected there, ready-made ones, recordings, and homes that are switched off."""

from dataclasses import replace

import pytest

from bot.errors import ProviderError, VoiceError
from bot.homes import Homes
from bot.samples import SampleService, Take
from bot.speech import SpeechService
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE
from tests.fakes import FakeProvider, HouseFake, SlowFake
from tests.unit.voices_house import Clone, speech_from


async def test_a_voice_of_a_provider_that_is_switched_off_says_so(
    speech: SpeechService, store: Store, clone: Clone
) -> None:
    voice = replace(await clone(), id="e" * 32, name="Far", provider="gone")
    await store.add(voice)

    with pytest.raises(VoiceError, match="switched off"):
        await speech.render(speech.say(voice, "Hello"), "ogg")


async def test_speaking_from_a_recording_keeps_nothing(
    speech: SpeechService, store: Store, provider: FakeProvider, take: Take
) -> None:
    said = await speech.render(speech.say_once(take, "Hello"), "ogg")

    assert said.startswith(b"OggS")
    request = provider.last("synthesize")
    assert request.remote_id is None
    assert request.samples[0].wav.startswith(b"RIFF")
    assert [verb for verb, _ in provider.asked] == ["synthesize"]
    assert await store.count(ALICE) == 0
    assert await store.unfinished() == ()


async def test_speaking_from_a_recording_is_refused_where_the_provider_cannot(
    store: Store, elsewhere: SlowFake, samples: SampleService, take: Take
) -> None:
    speech = speech_from(elsewhere, store=store, samples=samples)

    with pytest.raises(VoiceError, match="/clone"):
        speech.say_once(take, "Hello")


async def test_a_rejected_voice_is_read_again_and_spoken_with_where_it_is_there(
    speech: SpeechService, provider: FakeProvider, voices: VoiceService, clone: Clone, store: Store
) -> None:
    voice = await clone()
    await store.save(replace(voice, remote_id="an-older-id"))

    await speech.render(speech.say(voice, "Hello"), "ogg")

    assert [verb for verb, _ in provider.asked] == ["create", "synthesize", "get", "find", "synthesize"]
    assert (await voices.resolve("Aki", owner_id=ALICE)).remote_id == voice.remote_id


async def test_a_voice_that_is_gone_at_its_provider_says_so_and_is_remembered_as_failed(
    speech: SpeechService, provider: FakeProvider, voices: VoiceService, clone: Clone
) -> None:
    voice = await clone()
    assert voice.remote_id is not None
    await provider.delete(voice.remote_id)

    with pytest.raises(VoiceError, match=r"Aki cannot speak\. a fake that only tests know has it no more\. Delete it"):
        await speech.render(speech.say(voice, "Hello"), "ogg")

    assert (await voices.resolve("Aki", owner_id=ALICE)).state == "failed"
    assert provider.count("synthesize") == 1


async def test_a_rejected_voice_that_trains_again_is_not_ready(
    speech: SpeechService, provider: FakeProvider, voices: VoiceService, clone: Clone
) -> None:
    voice = await clone()
    provider.script.trains_again = True

    with pytest.raises(VoiceError, match="not ready yet"):
        await speech.render(speech.say(voice, "Hello"), "ogg")

    assert (await voices.resolve("Aki", owner_id=ALICE)).state == "training"


async def test_a_rejection_by_a_service_that_cannot_be_asked_is_told_as_it_is(
    store: Store, elsewhere: SlowFake, samples: SampleService, clone: Clone
) -> None:
    voice = replace(await clone(), id="e" * 32, name="Far", provider="slow", remote_id="far")
    await store.add(voice)
    speech = speech_from(elsewhere, store=store, samples=samples)

    with pytest.raises(ProviderError, match="not_found"):
        await speech.render(speech.say(voice, "Hello"), "ogg")
    assert (elsewhere.count("synthesize"), elsewhere.count("get")) == (1, 0)


async def test_a_ready_made_voice_speaks_for_everybody_and_is_counted_nowhere(
    store: Store, samples: SampleService
) -> None:
    house = HouseFake()
    homes = Homes(store, {"house": house}, default="house")
    speech = SpeechService(store, homes, samples, max_text=200)

    await speech.render(speech.say(homes.house[1], "Hello"), "ogg")

    assert house.last("synthesize").remote_id == "nova"
    assert await store.count(ALICE) == 0


async def test_where_nothing_can_be_cloned_a_recording_is_answered_with_another_way(
    store: Store, samples: SampleService, take: Take
) -> None:
    speech = speech_from(HouseFake(), store=store, samples=samples)

    with pytest.raises(VoiceError, match="choose a voice instead"):
        speech.say_once(take, "Hello")
