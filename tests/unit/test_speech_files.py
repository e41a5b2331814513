"""What is spoken into files, voice messages and previews."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from bot import audio
from bot.errors import ProviderError, StoreError
from bot.homes import Homes
from bot.models import AudioFormat, Packets, Voice
from bot.samples import SampleService
from bot.script import Speech
from bot.speech import PREVIEW, SpeechService
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE, LIMITS
from tests.fakes import FakeProvider, speech_chunks
from tests.sounds import babble, quiet, to_pcm, to_wav
from tests.turns import others
from tests.unit.voices_house import Clone


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


@asynccontextmanager
async def _all_there() -> AsyncIterator[Packets]:
    """Speak 10 s for which nobody has to wait."""

    async def each() -> Packets:
        yield [b"\xf8\xff\xfe"] * 500

    yield each()


@pytest.mark.parametrize(
    "write",
    [lambda speech, line: speech.render(line, "mp3"), lambda speech, line: speech.record(line)],
    ids=["file", "voice message"],
)
async def test_others_run_while_a_line_is_written(
    speech: SpeechService, write: Callable[[SpeechService, Speech], Awaitable[object]]
) -> None:
    async with others() as turns:
        await write(speech, _all_there())

    assert turns() > 3


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


async def test_silence_is_spoken_as_silence(speech: SpeechService, provider: FakeProvider, clone: Clone) -> None:
    provider.script.chunks = (to_pcm(quiet(1, rate=24_000)),)

    data = await speech.render(speech.say(await clone(), "Hello"), "wav")

    assert float(np.abs(audio.decode(data, LIMITS).samples).max()) < 0.001


async def test_a_preview_is_no_line_of_its_voice(speech: SpeechService, voices: VoiceService, clone: Clone) -> None:
    await speech.preview(await clone())

    assert (await voices.resolve("Aki", owner_id=ALICE)).use_count == 0
