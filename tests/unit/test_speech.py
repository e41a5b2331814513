"""Text and a voice in, Opus packets out: real store and sound, and a provider that does as it is told."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot import audio
from bot.errors import ProviderError, SpeechError, StoreError, VoiceError
from bot.homes import Homes
from bot.models import AudioFormat, Voice, VoiceState
from bot.providers.markup import FISH_S1, FISH_S2, PLAIN
from bot.samples import SampleService, Take
from bot.speech import PREVIEW, Manner, SpeechService
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE, LIMITS
from tests.fakes import FakeProvider, HouseFake, SlowFake, speech_chunks
from tests.sounds import babble, quiet, to_pcm, to_wav

Clone = Callable[..., Awaitable[Voice]]


async def test_a_line_is_opus_packets_of_20_ms_and_as_long_as_its_sound(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    provider.script.chunks = speech_chunks(2.0)

    async with speech.say(voice, "Hello **there**, <@123>!") as packets:
        made = [packet async for packet in packets]

    assert {audio.packet_samples(packet) for packet in made} == {960}
    assert len(made) * 0.02 == pytest.approx(2.0, abs=0.1)
    request = provider.last("synthesize")
    assert (request.text, request.remote_id, request.samples) == ("Hello there, someone !", voice.remote_id, ())


async def test_nothing_is_made_before_a_line_is_opened(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    speech.say(await clone(), "Hello")

    assert provider.count("synthesize") == 0


async def test_a_spoken_line_is_counted(speech: SpeechService, voices: VoiceService, clone: Clone) -> None:
    voice = await clone()

    await speech.render(speech.say(voice, "Hello"), "ogg")
    await speech.render(speech.say(voice, "again"), "ogg")

    spoken = await voices.resolve("Aki", owner_id=ALICE)
    assert spoken.use_count == 2
    assert spoken.last_used_at is not None


async def test_a_line_that_cannot_be_counted_is_spoken_all_the_same(
    provider: FakeProvider, samples: SampleService, clone: Clone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    voice = await clone()
    file = tmp_path / "mynah.db"
    async with Store(f"sqlite+aiosqlite:///{file}?timeout=0.05", key=None) as impatient:
        speech = SpeechService(impatient, Homes(impatient, {"fake": provider}, default="fake"), samples, max_text=200)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            said = await speech.render(speech.say(voice, "tangerine"), "ogg")

    assert said.startswith(b"OggS")
    assert "was not counted" in caplog.text
    assert "tangerine" not in caplog.text


async def test_a_voice_that_was_deleted_before_its_turn_says_so(
    speech: SpeechService, voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    line = speech.say(voice, "Hello")
    await voices.delete(voice)

    with pytest.raises(VoiceError, match="Aki was deleted before its turn"):
        await speech.render(line, "ogg")
    assert provider.count("synthesize") == 0


async def test_a_voice_deleted_while_it_speaks_ends_its_line(
    speech: SpeechService, voices: VoiceService, clone: Clone
) -> None:
    voice = await clone()

    async with speech.say(voice, "Hello") as packets:
        await anext(packets)
        await voices.delete(voice)
        rest = [packet async for packet in packets]

    assert rest


async def test_the_voice_of_another_member_does_not_speak(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()

    with pytest.raises(VoiceError):
        await speech.render(speech.say(replace(voice, owner_id=7), "Hello"), "ogg")
    assert provider.count("synthesize") == 0


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("unknown", "not ready yet"),
        ("created", "not ready yet"),
        ("training", "not ready yet"),
        ("failed", "clone it again"),
    ],
)
async def test_a_voice_that_is_not_ready_says_so_at_once(
    speech: SpeechService, clone: Clone, state: VoiceState, words: str
) -> None:
    voice = replace(await clone(), state=state)

    with pytest.raises(VoiceError, match=words):
        speech.say(voice, "Hello")
    assert await speech.try_preview(voice) is None


async def test_a_voice_of_a_provider_that_is_switched_off_says_so(
    speech: SpeechService, store: Store, clone: Clone
) -> None:
    voice = replace(await clone(), id="e" * 32, name="Far", provider="gone")
    await store.add(voice)

    with pytest.raises(VoiceError, match="switched off"):
        await speech.render(speech.say(voice, "Hello"), "ogg")


@pytest.mark.parametrize("text", ["", "  ", "🦜", "x" * 201])
async def test_a_text_that_cannot_be_spoken_is_refused_at_once(
    speech: SpeechService, provider: FakeProvider, clone: Clone, take: Take, text: str
) -> None:
    voice = await clone()

    with pytest.raises(SpeechError):
        speech.say(voice, text)
    with pytest.raises(SpeechError):
        speech.say_once(take, text)
    assert provider.count("synthesize") == 0


async def test_a_line_as_a_voice_message_is_the_same_sound_with_its_length_and_picture(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    voice, other = await clone(), await clone("Bea")
    provider.script.chunks = speech_chunks(2.0)

    message = await speech.record(speech.say(voice, "Hello"))

    # a voice of its own: of one that was heard before, the loudness is known
    assert message.ogg == await speech.render(speech.say(other, "Hello"), "ogg")
    assert message.seconds == pytest.approx(2.0, abs=0.1)
    assert len(message.waveform) == pytest.approx(20, abs=1)


# once, from a recording


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
    speech = SpeechService(store, Homes(store, {"slow": elsewhere}, default="slow"), samples, max_text=200)

    with pytest.raises(VoiceError, match="/clone"):
        speech.say_once(take, "Hello")


# files


@pytest.mark.parametrize(("form", "start"), [("ogg", b"OggS"), ("mp3", b""), ("wav", b"RIFF")])
async def test_a_line_becomes_a_file_that_can_be_played(
    speech: SpeechService, provider: FakeProvider, clone: Clone, form: AudioFormat, start: bytes
) -> None:
    provider.script.chunks = speech_chunks(2.0)

    data = await speech.render(speech.say(await clone(), "Hello"), form)

    assert data.startswith(start)
    recording = audio.decode(data, LIMITS)
    assert recording.seconds == pytest.approx(2.0, abs=0.15)
    assert float(np.sqrt(np.mean(recording.samples**2))) > 0.02


async def test_other_encodings_of_a_provider_become_packets_too(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    wav = to_wav(babble(1.5, rate=24_000), rate=24_000)
    provider.script.encoding = "wav"
    provider.script.chunks = tuple(wav[start : start + 5_000] for start in range(0, len(wav), 5_000))

    data = await speech.render(speech.say(await clone(), "Hello"), "ogg")

    assert audio.decode(data, LIMITS).seconds == pytest.approx(1.5, abs=0.15)


async def test_a_preview_is_a_file_of_a_fixed_sentence(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()

    preview = await speech.try_preview(voice)

    assert preview is not None
    assert preview.startswith(b"OggS")
    assert provider.last("synthesize").text == PREVIEW


async def test_no_preview_is_no_failure_where_the_provider_does_not_speak(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    provider.fail("synthesize", "rate_limited")

    assert await speech.try_preview(voice) is None
    with pytest.raises(ProviderError):
        await speech.preview(voice)


async def test_no_preview_is_no_failure_where_the_store_does_not_answer(
    store: Store, homes: Homes, samples: SampleService, clone: Clone
) -> None:
    class Busy(Store):
        async def get(self, voice_id: str, *, owner_id: int) -> Voice | None:
            raise StoreError("The voice store is busy: try again in a minute.")

    voice = await clone()
    speech = SpeechService(Busy("sqlite+aiosqlite://", key=None), homes, samples, max_text=200)

    assert await speech.try_preview(voice) is None


# what goes wrong at the provider


@pytest.mark.parametrize("chunks", [(), (b"",)])
async def test_no_sound_is_a_failure_of_the_provider(
    speech: SpeechService, provider: FakeProvider, clone: Clone, chunks: tuple[bytes, ...]
) -> None:
    provider.script.chunks = chunks

    with pytest.raises(ProviderError, match="no sound"):
        await speech.render(speech.say(await clone(), "Hello"), "ogg")
    assert provider.open_streams == 0


async def test_a_line_that_breaks_off_fails_and_is_not_counted(
    speech: SpeechService, voices: VoiceService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    provider.script.breaks_after = 2

    with pytest.raises(ProviderError) as caught:
        await speech.render(speech.say(voice, "Hello"), "ogg")

    assert caught.value.kind == "network"
    assert provider.open_streams == 0
    assert (await voices.resolve("Aki", owner_id=ALICE)).use_count == 0


async def test_leaving_a_line_early_stops_what_is_not_yet_made(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    provider.script.chunks = speech_chunks(30, phrases=30)
    voice = await clone()

    async with speech.say(voice, "Hello") as packets:
        await anext(packets)
        assert provider.open_streams == 1

    assert provider.open_streams == 0
    assert provider.chunks_sent < 10


async def test_leaving_a_line_by_a_failure_stops_it_too(
    speech: SpeechService, provider: FakeProvider, take: Take
) -> None:
    provider.script.chunks = speech_chunks(30, phrases=30)

    async def listen() -> None:
        async with speech.say_once(take, "Hello") as packets:
            await anext(packets)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await listen()
    assert provider.open_streams == 0


async def test_silence_is_spoken_as_silence(speech: SpeechService, provider: FakeProvider, clone: Clone) -> None:
    provider.script.chunks = (to_pcm(quiet(1, rate=24_000)),)

    data = await speech.render(speech.say(await clone(), "Hello"), "wav")

    assert float(np.abs(audio.decode(data, LIMITS).samples).max()) < 0.001


async def test_what_is_said_is_not_logged(
    speech: SpeechService, provider: FakeProvider, clone: Clone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    voice = await clone("Pelican")

    await speech.render(speech.say(voice, "the vault code is tangerine"), "mp3")
    provider.fail("synthesize", "network")
    assert await speech.try_preview(voice) is None

    assert "tangerine" not in caplog.text
    assert PREVIEW not in caplog.text


async def test_a_preview_is_no_line_of_its_voice(speech: SpeechService, voices: VoiceService, clone: Clone) -> None:
    await speech.preview(await clone())

    assert (await voices.resolve("Aki", owner_id=ALICE)).use_count == 0


# manner


async def test_style_speed_and_whose_turn_it_is_reach_the_provider(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    provider.tags = FISH_S2

    await speech.render(
        speech.say(await clone(), "Hello (laugh) you", Manner(style="very tired", speed=1.5, party=7)), "ogg"
    )

    request = provider.last("synthesize")
    assert (request.text, request.speed, request.party) == ("[very tired] Hello [laugh] you", 1.5, 7)


@pytest.mark.parametrize("text", ["[happy] Hello [sigh] you", "(happy) Hello (Sigh) you"])
async def test_tags_are_written_for_the_model_that_speaks_and_dropped_where_it_knows_none(
    speech: SpeechService, provider: FakeProvider, clone: Clone, text: str
) -> None:
    voice = await clone()

    spoken = []
    for provider.tags in (FISH_S1, FISH_S2, PLAIN):
        await speech.render(speech.say(voice, text, Manner(style="whispering")), "ogg")
        spoken.append(provider.last("synthesize").text.casefold())

    assert spoken == [
        "(whispering) (happy) hello (sigh) you",
        "[whispering] [happy] hello [sigh] you",
        "hello you",
    ]


async def test_brackets_that_are_no_tags_stay(speech: SpeechService, provider: FakeProvider, clone: Clone) -> None:
    await speech.render(speech.say(await clone(), "Hello (my friend) [you]"), "ogg")

    assert provider.last("synthesize").text == "Hello (my friend) [you]"


@pytest.mark.parametrize("style", ["<|speaker:1|>", "sad] [happy", "(x)|<|"])
async def test_a_style_cannot_give_the_model_orders(
    speech: SpeechService, provider: FakeProvider, clone: Clone, style: str
) -> None:
    provider.tags = FISH_S2

    await speech.render(speech.say(await clone(), "Hello <|phoneme_start|>", Manner(style=style)), "ogg")

    written = provider.last("synthesize").text
    assert "<|" not in written
    assert written.count("[") == written.count("]") == 1


async def test_a_line_of_nothing_but_tags_is_refused_where_they_are_not_known(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    with pytest.raises(SpeechError, match="knows no such tags"):
        speech.say(await clone(), "[laugh]")
    assert provider.count("synthesize") == 0


@pytest.mark.parametrize("speed", [0.4, 2.1])
async def test_a_speed_the_provider_does_not_speak_at_is_refused(
    speech: SpeechService, clone: Clone, speed: float
) -> None:
    with pytest.raises(SpeechError, match=r"from 0\.5 to 2:"):
        speech.say(await clone(), "Hello", Manner(speed=speed))


async def test_a_speed_is_refused_where_the_provider_has_one_only(
    store: Store, elsewhere: SlowFake, samples: SampleService, clone: Clone
) -> None:
    homes = Homes(store, {"slow": elsewhere}, default="slow")
    voice = replace(await clone(), provider="slow")

    with pytest.raises(SpeechError, match="leave the speed out"):
        SpeechService(store, homes, samples, max_text=200).say(voice, "Hello", Manner(speed=1.2))


# rejected voices


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
    homes = Homes(store, {"slow": elsewhere}, default="slow")
    voice = replace(await clone(), id="e" * 32, name="Far", provider="slow", remote_id="far")
    await store.add(voice)
    speech = SpeechService(store, homes, samples, max_text=200)

    with pytest.raises(ProviderError, match="not_found"):
        await speech.render(speech.say(voice, "Hello"), "ogg")
    assert elsewhere.count("get") == 0


# ready-made voices


async def test_a_ready_made_voice_speaks_for_everybody_and_is_counted_nowhere(
    store: Store, samples: SampleService
) -> None:
    house = HouseFake()
    homes = Homes(store, {"house": house}, default="house")
    speech = SpeechService(store, homes, samples, max_text=200)

    await speech.render(speech.say(homes.house[1], "Hello"), "ogg")

    assert house.last("synthesize").remote_id == "nova"
    assert await store.count(ALICE) == 0


async def test_a_style_is_known_by_the_model_of_the_voice_or_of_the_recording(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()

    assert not speech.knows_style(voice, "happy")
    provider.tags = FISH_S1
    assert speech.knows_style(voice, "Happy")
    assert not speech.knows_style(None, "like a pirate")
    assert speech.styles(voice) == FISH_S1.tags


async def test_where_nothing_can_be_cloned_a_recording_is_answered_with_another_way(
    store: Store, samples: SampleService, take: Take
) -> None:
    speech = SpeechService(store, Homes(store, {"house": HouseFake()}, default="house"), samples, max_text=200)

    with pytest.raises(VoiceError, match="choose a voice instead"):
        speech.say_once(take, "Hello")
