import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ProviderError
from bot.models import RemoteVoice, Sample
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit
from bot.providers.imitation import ImitationProvider
from bot.providers.local.engine import Engine
from bot.providers.local.profile import Profile
from bot.providers.local.shelf import Shelf
from tests.unit.providers.sound import REPORT, heard, to_wav

KILLED_WHERE_MARKED = """
import os, pathlib, signal, sys
from bot.providers.local.studio import Studio
from bot.providers.local.worker import Worker
mark, studio = pathlib.Path(sys.argv[1]), Studio()
def begin(frame):
    if mark.exists():
        mark.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return studio.begin(frame)
Worker(sys.stdin.buffer, sys.stdout.buffer, begin, lambda: None).run()
"""
NOTES_ITS_STEPS = """
import sys
from bot.providers.local.studio import Studio
from bot.providers.local.worker import Worker
studio = Studio()
def begin(frame):
    for step in studio.begin(frame):
        with open(sys.argv[1], "a") as file:
            print(frame.request, file=file)
        yield step
Worker(sys.stdin.buffer, sys.stdout.buffer, begin, lambda: None).run()
"""


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[ImitationProvider]:
    async with ImitationProvider(tmp_path) as opened:
        yield opened


@pytest.fixture
def aki(tmp_path: Path, profile: Profile) -> str:
    """Give a voice that was learned once for all, as the provider keeps it."""
    now = datetime.now(UTC)
    Shelf(tmp_path).put(
        RemoteVoice(id="v1", title="Aki", state="trained", created_at=now, updated_at=now), profile.to_bytes()
    )
    return "v1"


def request(sample: Sample, voice_id: str = "v1") -> CloneRequest:
    return CloneRequest(voice_id=voice_id, title="Aki", samples=(sample,))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def written(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*")}


async def test_opening_starts_nothing(tmp_path: Path) -> None:
    speaking, cloning = Engine(), Engine()

    async with ImitationProvider(tmp_path, speaking=speaking, cloning=cloning):
        pass

    assert (speaking.pid, cloning.pid) == (None, None)


async def test_engine_killed_while_it_clones_leaves_nothing_and_the_next_clone_works(
    tmp_path: Path, sample: Sample
) -> None:
    folder, mark = tmp_path / "voices", tmp_path / "mark"
    cloning = Engine(command=(sys.executable, "-c", KILLED_WHERE_MARKED, str(mark)))
    async with ImitationProvider(folder, cloning=cloning) as provider:
        await provider.create(request(sample, "first"))
        before = files(folder)
        mark.touch()

        with pytest.raises(ProviderError) as caught:
            await provider.create(request(sample, "second"))

        assert not mark.exists()
        assert caught.value.retryable
        assert files(folder) == before
        assert await provider.find("second") is None
        assert (await provider.create(request(sample, "second"))).state == "trained"


async def test_speaking_writes_nothing(provider: ImitationProvider, tmp_path: Path, aki: str) -> None:
    before = written(tmp_path)

    async with provider.synthesize(SpeechRequest(text="Hello there.", remote_id=aki)) as stream:
        chunks = [chunk async for chunk in stream.chunks]

    assert chunks
    assert written(tmp_path) == before


async def test_speaking_goes_on_while_a_voice_is_made(tmp_path: Path, sample: Sample) -> None:
    cloning = Engine()
    async with ImitationProvider(tmp_path, cloning=cloning) as provider:
        await provider.create(request(sample, "first"))
        assert cloning.pid is not None
        os.kill(cloning.pid, signal.SIGSTOP)
        making = asyncio.create_task(provider.create(request(sample, "second")))

        async with provider.synthesize(SpeechRequest(text="Hello there.", remote_id="first")) as stream:
            chunks = [chunk async for chunk in stream.chunks]

        os.kill(cloning.pid, signal.SIGCONT)
        assert chunks
        assert (await making).id == "second"


async def test_line_that_is_left_is_not_made_to_its_end(tmp_path: Path, aki: str) -> None:
    steps = tmp_path / "steps"
    speaking = Engine(command=(sys.executable, "-c", NOTES_ITS_STEPS, str(steps)))
    async with ImitationProvider(tmp_path, speaking=speaking) as provider:
        long = "This is one of very many sentences. " * 400
        async with provider.synthesize(SpeechRequest(text=long, remote_id=aki)) as stream:
            await anext(stream.chunks)

        async with provider.synthesize(SpeechRequest(text="One. Two. Three.", remote_id=aki)) as stream:
            assert [len(chunk) > 1000 async for chunk in stream.chunks] == [True] * 3
        line = await provider.check()

    made = steps.read_text().split()
    assert made[made.index("2") :] == ["2", "2", "2", "3"]
    assert str(line).startswith("ready")


async def test_profile_damaged_on_disk_is_an_invalid_voice(
    provider: ImitationProvider, tmp_path: Path, aki: str
) -> None:
    assert (tmp_path / f"{aki}.npz").exists()
    (tmp_path / f"{aki}.npz").write_bytes(b"not a profile")

    with pytest.raises(ProviderError, match="clone it again") as caught:
        async with provider.synthesize(SpeechRequest(text="Hello.", remote_id=aki)):
            pass

    assert caught.value.kind == "invalid"


async def test_several_samples_are_used_together(
    provider: ImitationProvider, speech: np.ndarray, tmp_path: Path
) -> None:
    halves = [Sample(wav=to_wav(half), report=REPORT) for half in np.array_split(speech, 5)]

    voice = await provider.create(CloneRequest(voice_id="v1", title="Aki", samples=tuple(halves)))

    assert voice.state == "trained"


@pytest.mark.parametrize(
    "wav",
    [b"", b"RIFF", to_wav(np.zeros(9), rate=44_100), to_wav(np.zeros(10), channels=2), to_wav(np.zeros(48_000 * 9))],
    ids=["empty", "cut", "44.1 kHz", "stereo", "silence"],
)
async def test_sample_that_cannot_be_used_is_invalid(
    provider: ImitationProvider, sample: Sample, tmp_path: Path, wav: bytes
) -> None:
    with pytest.raises(ProviderError) as caught:
        await provider.create(request(replace(sample, wav=wav)))

    assert caught.value.kind == "invalid"
    assert files(tmp_path) == []


async def test_clone_without_a_sample_is_invalid(provider: ImitationProvider) -> None:
    with pytest.raises(ProviderError, match="needs a recording"):
        await provider.create(CloneRequest(voice_id="v1", title="Aki", samples=()))


async def test_damaged_card_is_reported_by_find(provider: ImitationProvider, tmp_path: Path) -> None:
    (tmp_path / "v1.json").write_text("{")

    with pytest.raises(ProviderError, match="damaged"):
        await provider.find("v1")


async def test_chunks_hold_sound_at_a_fair_level(provider: ImitationProvider, aki: str) -> None:
    async with provider.synthesize(SpeechRequest(text="One two three. Four five six.", remote_id=aki)) as stream:
        chunks = [heard(chunk) async for chunk in stream.chunks]

    assert (stream.encoding, stream.rate, len(chunks)) == ("pcm", 24_000, 2)
    assert all(0.02 < np.sqrt((chunk**2).mean()) < 0.3 for chunk in chunks)


TEXT = "The first sentence is short. The second one is a little longer than that."


async def speak(provider: ImitationProvider, asked: SpeechRequest) -> list[bytes]:
    async with provider.synthesize(asked) as stream:
        return [chunk async for chunk in stream.chunks]


async def test_edit_changes_what_is_given_and_nothing_else(provider: ImitationProvider, sample: Sample) -> None:
    asked = CloneRequest(voice_id="v1", title="Aki", samples=(sample,), description="warm", tags=("a", "b"))
    voice = await provider.create(asked)

    edited = await provider.update(voice.id, VoiceEdit(title="Bo", visibility="unlist"))

    assert (edited.title, edited.visibility, edited.description, edited.tags) == ("Bo", "unlist", "warm", ("a", "b"))
    assert await provider.get(voice.id) == edited


async def test_speech_comes_in_chunks_of_whole_samples(provider: ImitationProvider, aki: str) -> None:
    chunks = await speak(provider, SpeechRequest(text=TEXT, remote_id=aki))

    assert all(chunks)
    assert all(len(chunk) % 2 == 0 for chunk in chunks)


async def test_text_without_words_is_invalid(provider: ImitationProvider, aki: str) -> None:
    with pytest.raises(ProviderError) as caught:
        await speak(provider, SpeechRequest(text="🎉🎉", remote_id=aki))

    assert caught.value.kind == "invalid"


async def test_silence_is_no_voice(provider: ImitationProvider) -> None:
    with pytest.raises(ProviderError) as caught:
        await provider.create(request(Sample(wav=to_wav(np.zeros(48_000 * 10, np.float32)), report=REPORT)))

    assert caught.value.kind == "invalid"
    assert await provider.find("v1") is None
