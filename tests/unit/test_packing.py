"""Sound as it comes, packed: no longer than its words can take, and of a loudness that is each voice's own."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from bot import audio
from bot.errors import ProviderError
from bot.packing import Packing
from bot.providers.base import AudioStream, Encoding, SpeechRequest
from tests.sounds import babble, to_pcm
from tests.turns import others

SILENCE = b"\xf8\xff\xfe"
LINE = SpeechRequest(text="Hi")


def _stream(data: bytes, encoding: Encoding = "pcm") -> AudioStream:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 1000):
            yield data[start : start + 1000]

    return AudioStream(encoding=encoding, chunks=chunks(), rate=24_000)


async def _packed(packing: Packing, level: float, source: str) -> list[bytes]:
    sound = to_pcm(babble(0.8, rate=24_000) * np.float32(level))
    return [
        packet
        async for portion in packing.pack(_stream(sound), LINE, label="Fish Audio", source=source)
        for packet in portion
    ]


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 32), (0.5, 34), (2.0, 31)])
async def test_what_speaks_on_is_cut_off_after_what_its_words_can_take_and_told(speed: float, seconds: int) -> None:
    endless = _stream(audio.write_ogg([SILENCE] * 3000), "ogg")
    line = SpeechRequest(text="Hi", speed=speed)
    packed = Packing().pack(endless, line, label="Fish Audio", source="a")
    packets: list[bytes] = []

    async def hear() -> None:
        async for portion in packed:
            packets.extend(portion)

    with pytest.raises(ProviderError, match="Fish Audio speaks without end: say it again, in other words") as caught:
        await hear()
    assert packets == [SILENCE] * seconds * 50
    assert caught.value.kind == "server"


async def test_sound_that_is_all_there_lets_others_run_while_it_is_packed() -> None:
    stream = _stream(audio.write_ogg([SILENCE] * 1500), "ogg")
    async with others() as turns:
        portions = [portion async for portion in Packing().pack(stream, LINE, label="Fish Audio", source="")]

    assert sum(map(len, portions)) == 1500
    assert turns() > 3


@pytest.mark.parametrize(("before", "source"), [("a", "b"), ("", "")])
async def test_a_voice_is_as_loud_whatever_was_said_before_by_another(before: str, source: str) -> None:
    packing = Packing()
    await _packed(packing, 0.05, before)

    assert await _packed(packing, 0.8, source) == await _packed(Packing(), 0.8, source)


async def test_the_next_sentence_of_a_voice_knows_how_loud_the_one_before_came() -> None:
    packing = Packing()
    await _packed(packing, 0.05, "a")

    assert await _packed(packing, 0.8, "a") != await _packed(Packing(), 0.8, "a")
