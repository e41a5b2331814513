"""What every provider does alike. A new provider joins by its factory in `PROVIDERS`."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ProviderError
from bot.models import Sample
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit, VoiceProvider
from bot.providers.imitation import ImitationProvider
from bot.providers.local.espeak import Espeak
from bot.providers.local.resample import resample
from tests.unit.providers.sound import sample_of

PROVIDERS: dict[str, Callable[[Path], VoiceProvider]] = {"imitation": ImitationProvider}
TEXT = "The first sentence is short. The second one is a little longer than that."


@pytest.fixture(params=sorted(PROVIDERS))
async def provider(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VoiceProvider]:
    async with PROVIDERS[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def sample() -> Sample:
    said = Espeak().say("The cat sat by the fire and listened to the wind in the old trees. " * 3, "en-us+f4")
    return sample_of(resample(said.samples, said.rate, 48_000))


def clone_request(sample: Sample, voice_id: str = "0123456789abcdef0123456789abcdef") -> CloneRequest:
    return CloneRequest(
        voice_id=voice_id, title="Aki", samples=(sample,), description="warm", tags=("a", "b"), visibility="private"
    )


async def speak(provider: VoiceProvider, request: SpeechRequest) -> list[bytes]:
    async with provider.synthesize(request) as stream:
        return [chunk async for chunk in stream.chunks]


async def test_provider_says_who_it_is_and_that_it_works(provider: VoiceProvider) -> None:
    assert provider.name
    assert provider.label
    assert "\n" not in await provider.check()


async def test_created_voice_carries_what_was_asked_and_is_found_again(provider: VoiceProvider, sample: Sample) -> None:
    asked = clone_request(sample)

    voice = await provider.create(asked)

    assert (voice.title, voice.description, voice.tags, voice.visibility) == ("Aki", "warm", ("a", "b"), "private")
    assert voice.state in {"created", "training", "trained"}
    assert voice.created_at is not None
    assert voice.created_at.tzinfo is not None
    assert await provider.get(voice.id) == voice
    assert await provider.find(asked.voice_id) == voice


async def test_creating_twice_makes_one_voice_where_it_is_promised(provider: VoiceProvider, sample: Sample) -> None:
    assert provider.capabilities.idempotent_create

    first = await provider.create(clone_request(sample))
    second = await provider.create(clone_request(sample))

    assert second == first


async def test_voice_that_was_never_made_is_not_found(provider: VoiceProvider) -> None:
    assert await provider.find("f" * 32) is None
    with pytest.raises(ProviderError) as caught:
        await provider.get("f" * 32)
    assert caught.value.kind == "not_found"
    with pytest.raises(ProviderError) as caught:
        await provider.update("f" * 32, VoiceEdit(title="x"))
    assert caught.value.kind == "not_found"


async def test_edit_changes_what_is_given_and_nothing_else(provider: VoiceProvider, sample: Sample) -> None:
    voice = await provider.create(clone_request(sample))

    edited = await provider.update(voice.id, VoiceEdit(title="Bo", visibility="unlist"))

    assert (edited.title, edited.visibility, edited.description, edited.tags) == ("Bo", "unlist", "warm", ("a", "b"))
    assert await provider.get(voice.id) == edited


async def test_deleted_voice_is_gone_and_deleting_it_again_is_fine(provider: VoiceProvider, sample: Sample) -> None:
    voice = await provider.create(clone_request(sample))

    await provider.delete(voice.id)
    await provider.delete(voice.id)

    assert await provider.find(voice.id) is None
    with pytest.raises(ProviderError) as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))
    assert caught.value.kind == "not_found"


async def test_speech_comes_in_chunks_of_whole_samples(provider: VoiceProvider, sample: Sample) -> None:
    voice = await provider.create(clone_request(sample))

    chunks = await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert all(chunks)
    assert all(len(chunk) % 2 == 0 for chunk in chunks)


def files(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


async def test_instant_speech_keeps_nothing(provider: VoiceProvider, sample: Sample, tmp_path: Path) -> None:
    assert provider.capabilities.instant

    chunks = await speak(provider, SpeechRequest(text=TEXT, samples=(sample,)))

    assert sum(map(len, chunks)) > 24_000
    assert files(tmp_path) == []


async def test_leaving_early_leaves_the_provider_usable(provider: VoiceProvider, sample: Sample) -> None:
    voice = await provider.create(clone_request(sample))
    async with provider.synthesize(SpeechRequest(text=TEXT * 20, remote_id=voice.id)) as stream:
        await anext(stream.chunks)

    assert await speak(provider, SpeechRequest(text="Again.", remote_id=voice.id))


async def test_text_without_words_is_invalid(provider: VoiceProvider, sample: Sample) -> None:
    voice = await provider.create(clone_request(sample))

    with pytest.raises(ProviderError) as caught:
        await speak(provider, SpeechRequest(text="🎉🎉", remote_id=voice.id))

    assert caught.value.kind == "invalid"


async def test_silence_is_no_voice(provider: VoiceProvider) -> None:
    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request(sample_of(np.zeros(48_000 * 10, np.float32))))

    assert caught.value.kind == "invalid"
    assert await provider.find("0123456789abcdef0123456789abcdef") is None
