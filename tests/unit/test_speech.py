"""Text and a voice in, Opus packets out: real store and sound, and a provider that does as it is told."""

import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot import audio
from bot.errors import ProviderError, SpeechError, VoiceError
from bot.models import VoiceState
from bot.samples import SampleService, Take
from bot.speech import PREVIEW, SpeechService
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE
from tests.fakes import FakeProvider, speech_chunks
from tests.unit.voices_house import Clone, speech_from


async def test_a_line_is_opus_packets_of_20_ms_and_as_long_as_its_sound(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()
    provider.script.chunks = speech_chunks(2.0)

    async with speech.say(voice, "Hello **there**, <@123>!") as packets:
        made = [packet async for portion in packets for packet in portion]

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
        speech = speech_from(provider, store=impatient, samples=samples)
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
        rest = [packet async for portion in packets for packet in portion]

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
