"""Recordings as members send them, listened to, kept and given back."""

import asyncio
import io
import wave

import numpy as np
import pytest

from bot import audio
from bot.errors import SampleError
from bot.samples import SampleService, Take
from tests.conftest import LIMITS
from tests.sounds import babble, clip, quiet, to_wav


async def test_a_recording_is_kept_as_small_opus_of_the_same_length(samples: SampleService, recording: bytes) -> None:
    take = await samples.listen([recording], transcript="Seven seeds.")

    (kept,) = take.kept
    assert kept.transcript == "Seven seeds."
    assert kept.opus.startswith(b"OggS")
    assert len(kept.opus) < 8 * 48_000 * 2 / 4
    assert audio.decode(kept.opus, LIMITS).seconds == pytest.approx(8, abs=0.01)
    assert take.report.seconds == pytest.approx(8, abs=0.05)


async def test_the_transcript_belongs_to_the_first_of_several(samples: SampleService) -> None:
    take = await samples.listen([clip(2), clip(2, seed=2)], transcript="First words.")

    assert [kept.transcript for kept in take.kept] == ["First words.", ""]


async def test_kept_samples_come_back_as_providers_take_them(samples: SampleService, take: Take) -> None:
    (sample,) = await samples.restore(take.kept, take.report)

    with wave.open(io.BytesIO(sample.wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        assert file.getnframes() / 48_000 == pytest.approx(8, abs=0.05)
    assert sample.report is take.report


async def test_a_small_recording_that_is_kept_larger_comes_back_too() -> None:
    recording = to_wav(babble(8, rate=4_000), rate=4_000)
    samples = SampleService(audio.Limits(max_bytes=len(recording), max_seconds=8))
    take = await samples.listen([recording])
    assert len(take.kept[0].opus) > len(recording)

    (sample,) = await samples.restore(take.kept, take.report)

    assert sample.wav.startswith(b"RIFF")


async def test_cleaning_up_takes_long_pauses_out(samples: SampleService) -> None:
    pause = quiet(4, rate=16_000)
    recording = to_wav(np.concatenate([pause, babble(6, rate=16_000), pause]), rate=16_000)

    plain = await samples.listen([recording])
    cleaned = await samples.listen([recording], clean_up=True)

    assert plain.report.seconds > 13
    assert cleaned.report.seconds < 10
    assert cleaned.report.speech_seconds > 5


@pytest.mark.parametrize("clips", [[], [b""], [b"PK\x03\x04 not a sound at all" * 50], [b"x" * 5_000_001]])
async def test_what_is_no_recording_is_refused(samples: SampleService, clips: list[bytes]) -> None:
    with pytest.raises(SampleError):
        await samples.listen(clips)


async def test_one_bad_recording_among_good_ones_is_refused(samples: SampleService) -> None:
    with pytest.raises(SampleError):
        await samples.listen([clip(2), b"no sound", clip(2)])


async def test_recordings_that_are_too_long_together_are_refused() -> None:
    samples = SampleService(audio.Limits(max_bytes=5_000_000, max_seconds=3))

    with pytest.raises(SampleError, match="Together they are longer than 3 s"):
        await samples.listen([clip(2), clip(2)])


async def test_the_files_of_one_more_command_wait_for_room() -> None:
    samples = SampleService(LIMITS, at_once=1)
    entered: list[int] = []
    leave = [asyncio.Event() for _ in range(3)]

    async def hold(number: int) -> None:
        async with samples.room():
            entered.append(number)
            await leave[number].wait()

    async with asyncio.TaskGroup() as group:
        first = group.create_task(hold(0))
        group.create_task(hold(1))
        group.create_task(hold(2))
        await asyncio.sleep(0)
        assert entered == [0, 1]
        leave[0].set()
        await first
        leave[1].set()
        leave[2].set()

    assert entered == [0, 1, 2]


async def test_listening_goes_on_after_a_failure(recording: bytes) -> None:
    samples = SampleService(LIMITS, at_once=1)

    results = await asyncio.gather(*(samples.listen([each]) for each in (b"", recording)), return_exceptions=True)

    assert isinstance(results[0], SampleError)
    assert isinstance(results[1], Take)


async def test_the_waveform_is_drawn_as_png(samples: SampleService, take: Take) -> None:
    assert (await samples.picture(take.report)).startswith(b"\x89PNG\r\n")


def test_the_largest_recording_is_told(samples: SampleService) -> None:
    assert samples.max_bytes == LIMITS.max_bytes
