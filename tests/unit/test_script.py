"""A line as sentences: each spoken by itself, kept when whole, the voice looked for once and counted once."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot import audio
from bot.arrivals import Arrivals
from bot.audio.loudness import loudness
from bot.audio.opus import decode_packets
from bot.cache import SpeechCache
from bot.errors import ProviderError, SpeechError, VoiceError
from bot.homes import Homes
from bot.models import Voice
from bot.providers.markup import FISH_S2
from bot.samples import SampleService, Take
from bot.script import Manner, Speech
from bot.speech import SpeechService
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE
from tests.fakes import FakeProvider, HouseFake, speech_chunks
from tests.sounds import babble, to_pcm
from tests.unit.voices_house import Clone, speech_from

TEXT = "Dr. Smith came at noon. He brought a fine cake! Who wants a piece of it?"
SENTENCES = ("Dr. Smith came at noon.", "He brought a fine cake!", "Who wants a piece of it?")


@pytest.fixture
def cache() -> SpeechCache:
    return SpeechCache(4_000_000)


@pytest.fixture
def speech(store: Store, homes: Homes, samples: SampleService, cache: SpeechCache) -> SpeechService:
    return SpeechService(store, homes, samples, max_text=400, cache=cache, fresh_seconds=0)


@pytest.fixture
def voices(store: Store, homes: Homes, cache: SpeechCache) -> VoiceService:
    return VoiceService(store, homes, Arrivals(store, homes), cache)


async def _hear(part: Speech) -> list[bytes]:
    async with part as packets:
        return [packet async for portion in packets for packet in portion]


async def test_a_line_is_cut_and_each_sentence_is_a_request_of_its_own(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    script = speech.script(await clone(), TEXT)
    assert script.sentences == SENTENCES
    assert provider.count("synthesize") == 0

    for number in range(3):
        assert {audio.packet_samples(packet) for packet in await _hear(script.open(number))} == {960}
        assert provider.last("synthesize").text == SENTENCES[number]


async def test_what_is_not_opened_is_not_made(speech: SpeechService, provider: FakeProvider, clone: Clone) -> None:
    script = speech.script(await clone(), TEXT)

    await _hear(script.open(0))

    assert provider.count("synthesize") == 1


async def test_the_style_is_in_every_sentence_and_in_none_that_people_read(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    provider.tags = FISH_S2

    script = speech.script(await clone(), "This is (laugh) the first one. This is the second.", Manner(style="sad"))
    for number in range(2):
        await _hear(script.open(number))

    assert script.sentences == ("This is the first one.", "This is the second.")
    sent = [request.text for verb, request in provider.asked if verb == "synthesize"]
    assert sent == ["[sad] This is [laugh] the first one.", "[sad] This is the second."]


async def test_the_same_sentence_is_made_once(speech: SpeechService, provider: FakeProvider, clone: Clone) -> None:
    voice = await clone()
    first = await _hear(speech.script(voice, TEXT).open(1))

    again = await _hear(speech.script(voice, f"{SENTENCES[1]} And that was all of it.").open(0))

    assert again == first
    assert provider.count("synthesize") == 1


@pytest.mark.parametrize("manner", [Manner(speed=1.5), Manner(style="sad")])
async def test_another_manner_is_another_sentence(
    speech: SpeechService, provider: FakeProvider, clone: Clone, manner: Manner
) -> None:
    provider.tags = FISH_S2
    voice = await clone()

    await _hear(speech.script(voice, TEXT).open(0))
    await _hear(speech.script(voice, TEXT, manner).open(0))

    assert provider.count("synthesize") == 2


async def test_a_sentence_that_breaks_off_is_neither_kept_nor_counted(
    speech: SpeechService, voices: VoiceService, provider: FakeProvider, cache: SpeechCache, clone: Clone
) -> None:
    voice = await clone()
    provider.script.breaks_after = 2

    with pytest.raises(ProviderError):
        await _hear(speech.script(voice, TEXT).open(0))

    assert cache.size == 0
    assert (await voices.resolve("Aki", owner_id=ALICE)).use_count == 0


async def test_a_sentence_that_is_left_early_stops_and_is_not_kept(
    speech: SpeechService, provider: FakeProvider, cache: SpeechCache, clone: Clone
) -> None:
    provider.script.chunks = speech_chunks(30, phrases=30)

    async with speech.script(await clone(), TEXT).open(0) as packets:
        await anext(packets)

    assert provider.open_streams == 0
    assert provider.chunks_sent < 10
    assert cache.size == 0


async def test_a_line_is_counted_once_also_from_the_cache(
    speech: SpeechService, voices: VoiceService, clone: Clone
) -> None:
    voice = await clone()

    for _ in range(2):
        script = speech.script(voice, TEXT)
        await asyncio.gather(*(_hear(script.open(number)) for number in (0, 1, 2, 0)))

    assert (await voices.resolve("Aki", owner_id=ALICE)).use_count == 2


async def test_the_store_is_asked_once_a_line(
    homes: Homes, samples: SampleService, clone: Clone, tmp_path: Path
) -> None:
    class Counting(Store):
        asked = 0

        async def get(self, voice_id: str, *, owner_id: int) -> Voice | None:
            self.asked += 1
            return await super().get(voice_id, owner_id=owner_id)

    voice = await clone()
    async with Counting(f"sqlite+aiosqlite:///{tmp_path / 'mynah.db'}", key=None) as counting:
        patient = SpeechService(counting, homes, samples, max_text=400, fresh_seconds=0)
        script = patient.script(voice, TEXT)
        for number in range(3):
            await _hear(script.open(number))

        assert counting.asked == 1

        await _hear(SpeechService(counting, homes, samples, max_text=400).script(voice, TEXT).open(0))
        assert counting.asked == 1, "a line that begins right after its voice was read"


async def test_a_voice_deleted_before_its_turn_says_so_though_its_sentences_were_kept(
    speech: SpeechService, voices: VoiceService, cache: SpeechCache, clone: Clone
) -> None:
    voice = await clone()
    script = speech.script(voice, TEXT)
    await _hear(script.open(0))
    assert cache.size

    await voices.delete(voice)

    assert cache.size == 0
    with pytest.raises(VoiceError, match="Aki was deleted before its turn came"):
        await _hear(script.open(0))
    with pytest.raises(VoiceError, match="Aki was deleted before its turn came"):
        await _hear(speech.script(voice, TEXT).open(2))


async def test_a_voice_deleted_right_after_it_was_asked_for_is_missed(
    store: Store, homes: Homes, samples: SampleService, voices: VoiceService, cache: SpeechCache, clone: Clone
) -> None:
    speech = SpeechService(store, homes, samples, max_text=400, cache=cache)
    voice = await clone()
    script = speech.script(voice, TEXT)

    await voices.delete(voice)

    with pytest.raises(VoiceError, match="Aki was deleted before its turn came"):
        await _hear(script.open(0))


async def test_a_voice_deleted_while_a_sentence_is_made_leaves_nothing(
    speech: SpeechService, voices: VoiceService, cache: SpeechCache, clone: Clone
) -> None:
    voice = await clone()

    async with speech.script(voice, TEXT).open(0) as packets:
        await anext(packets)
        await voices.delete(voice)
        assert [packet async for portion in packets for packet in portion]

    assert cache.size == 0


async def test_a_voice_that_changed_its_id_is_forgotten_and_one_that_did_not_is_kept(
    speech: SpeechService, voices: VoiceService, provider: FakeProvider, cache: SpeechCache, clone: Clone
) -> None:
    voice = await clone()
    await _hear(speech.script(voice, TEXT).open(0))

    renamed = await voices.rename(voice, "Momo")
    assert cache.size
    provider.script.moves_on_change = True
    await voices.edit(renamed, description="new")

    assert cache.size == 0


async def test_a_voice_that_trains_again_is_forgotten(
    speech: SpeechService, provider: FakeProvider, cache: SpeechCache, clone: Clone
) -> None:
    voice = await clone()
    await _hear(speech.script(voice, TEXT).open(0))
    provider.script.trains_again = True

    with pytest.raises(VoiceError, match="not ready"):
        await _hear(speech.script(voice, TEXT).open(1))

    assert cache.size == 0


async def test_a_voice_that_failed_since_is_not_heard_from_the_cache(
    speech: SpeechService, store: Store, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    await _hear(speech.script(voice, TEXT).open(0))
    await store.save(replace(voice, state="failed"))

    await _hear(speech.script(voice, TEXT).open(0))

    assert provider.count("synthesize") == 2


async def test_a_voice_that_got_another_id_is_not_heard_from_the_cache(
    speech: SpeechService, store: Store, provider: FakeProvider, clone: Clone
) -> None:
    voice, other = await clone(), await clone("Bea")
    await _hear(speech.script(voice, TEXT).open(0))
    await store.save(replace(voice, remote_id=other.remote_id))

    await _hear(speech.script(voice, TEXT).open(0))

    assert provider.count("synthesize") == 2
    assert provider.last("synthesize").remote_id == other.remote_id


async def test_a_rejected_voice_that_moved_is_asked_for_by_its_new_id_from_then_on(
    speech: SpeechService, provider: FakeProvider, store: Store, clone: Clone
) -> None:
    voice = await clone()
    await store.save(replace(voice, remote_id="an-older-id"))
    script = speech.script(voice, TEXT)

    for number in range(3):
        await _hear(script.open(number))

    assert provider.count("synthesize") == 4


@pytest.mark.parametrize("text", ["", "🦜", "[laugh]", "x" * 401])
async def test_a_line_that_cannot_be_spoken_is_refused_at_once(
    speech: SpeechService, clone: Clone, take: Take, text: str
) -> None:
    voice = await clone()

    with pytest.raises(SpeechError):
        speech.script(voice, text)
    with pytest.raises(SpeechError):
        speech.script_once(take, text)
    with pytest.raises(SpeechError):
        speech.script(voice, TEXT, Manner(speed=9))
    with pytest.raises(VoiceError):
        speech.script(replace(voice, state="training"), TEXT)


async def test_a_recording_speaks_by_sentences_and_nothing_is_kept(
    speech: SpeechService, provider: FakeProvider, cache: SpeechCache, take: Take
) -> None:
    script = speech.script_once(take, TEXT)

    for number in range(3):
        assert await _hear(script.open(number))
        assert provider.last("synthesize").text == SENTENCES[number]
        assert provider.last("synthesize").samples[0].wav.startswith(b"RIFF")

    assert cache.size == 0


async def test_a_recording_is_refused_where_nothing_speaks_from_one(
    store: Store, samples: SampleService, take: Take
) -> None:
    speech = speech_from(HouseFake(), store=store, samples=samples)

    with pytest.raises(VoiceError, match="choose a voice instead"):
        speech.script_once(take, TEXT)


async def test_a_ready_made_voice_is_kept_for_everybody_and_counted_nowhere(
    store: Store, samples: SampleService, cache: SpeechCache
) -> None:
    house = HouseFake()
    homes = Homes(store, {"house": house}, default="house")
    speech = SpeechService(store, homes, samples, max_text=200, cache=cache)

    first = await _hear(speech.script(homes.house[1], TEXT).open(0))

    assert await _hear(speech.script(homes.house[1], TEXT).open(0)) == first
    assert house.count("synthesize") == 1


async def test_a_short_sentence_after_a_long_one_is_as_loud(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    script = speech.script(await clone(), TEXT)
    heard = []
    for number, seconds in enumerate((4.0, 0.8)):
        faint = babble(seconds, rate=24_000, seed=number + 1) * np.float32(0.2)
        provider.script.chunks = (to_pcm(faint),)
        heard.append(loudness(decode_packets(await _hear(script.open(number)))))

    assert heard[0] == pytest.approx(-16, abs=1)
    assert abs(heard[1] - heard[0]) < 2
