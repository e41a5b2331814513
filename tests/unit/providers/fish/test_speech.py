"""Lines of Fish Audio over HTTP: heard while they are made, and paid for once."""

import asyncio

import pytest

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest
from bot.providers.fish import FishProvider
from bot.providers.patience import Patience
from bot.settings import FishSettings
from playground.services.fish import FishService
from playground.services.service import Fault
from tests.unit.providers.fish.house import SAY, far_end
from tests.unit.providers.fish_house import HASTY, KEY, SECONDS, TEXT, clone_request, collect, fish, sample
from tests.unit.providers.sound import listen, speak


@pytest.mark.parametrize(
    ("form", "encoding", "rate"),
    [("opus", "ogg", 48_000), ("mp3", "mp3", 44_100), ("wav", "wav", 44_100), ("pcm", "pcm", 44_100)],
)
async def test_line_is_heard_whole_in_each_format(service: FishService, form: str, encoding: str, rate: int) -> None:
    service.portion = 1001
    async with fish(service, format=form) as provider:
        voice = await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=voice.id)) as stream:
            heard = await listen(stream)

    assert (stream.encoding, stream.rate) == (encoding, rate)
    assert heard == pytest.approx(SECONDS, abs=0.15)


async def test_line_with_a_voice_is_json_and_names_the_model(service: FishService) -> None:
    async with fish(service, model="s1", format="mp3", latency="low") as provider:
        voice = await provider.create(clone_request())
        heard = await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id, speed=2.0))

    asked = service.last("POST", "/v1/tts")
    assert asked.headers["model"] == "s1"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["content-length"] == str(len(asked.body))
    assert asked.content() == {
        "text": TEXT,
        "reference_id": voice.id,
        "format": "mp3",
        "sample_rate": 44_100,
        "latency": "low",
        "prosody": {"speed": 2.0, "volume": 0, "normalize_loudness": True},
    }
    assert heard == pytest.approx(SECONDS / 2, abs=0.15)


async def test_line_with_samples_is_msgpack_and_leaves_no_voice(service: FishService, provider: FishProvider) -> None:
    samples = (sample(20, transcript="One."), sample(1))

    heard = await speak(provider, SpeechRequest(text=TEXT, samples=samples))

    asked = service.last("POST", "/v1/tts")
    assert asked.headers["content-type"] == "application/msgpack"
    assert "transfer-encoding" not in asked.headers
    assert asked.content()["references"] == [
        {"audio": samples[0].wav, "text": "One."},
        {"audio": samples[1].wav, "text": ""},
    ]
    assert "reference_id" not in asked.content()
    assert heard == pytest.approx(SECONDS, abs=0.15)
    assert service.voices == {}


async def test_line_without_any_voice_is_not_sent(service: FishService, provider: FishProvider) -> None:
    with pytest.raises(ProviderError, match="choose one") as caught:
        await speak(provider, SpeechRequest(text=TEXT))

    assert caught.value.kind == "invalid"
    assert service.asked == []


async def test_sound_is_handed_on_before_all_of_it_is_made(service: FishService, provider: FishProvider) -> None:
    service.gate = asyncio.Event()
    voice = await provider.create(clone_request())

    async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=voice.id)) as stream:
        first = await anext(stream.chunks)
        service.gate.set()
        rest = [chunk async for chunk in stream.chunks]

    assert first.startswith(b"OggS")
    assert rest


async def test_leaving_early_frees_the_place(service: FishService, provider: FishProvider) -> None:
    service.gate = asyncio.Event()
    voice = await provider.create(clone_request())
    for _ in range(service.concurrency + 1):
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=voice.id)) as stream:
            await anext(stream.chunks)
    service.gate.set()

    assert await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))


async def test_leaving_early_hangs_up() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nOggSOggS\r\n")
        while await reader.read(1000):
            pass
        gone.set()

    async with far_end(serve) as url:
        settings = FishSettings(base_url=url, api_key=KEY)
        async with FishProvider(settings, patience=HASTY) as provider:
            async with provider.synthesize(SpeechRequest(text=TEXT, remote_id="a" * 32)) as stream:
                first = await anext(stream.chunks)
            await gone.wait()

    assert first == b"OggSOggS"


@pytest.mark.parametrize("form", ["opus", "mp3", "wav", "pcm"])
async def test_sound_that_is_cut_fails_after_what_came_and_is_not_asked_for_again(
    service: FishService, form: str
) -> None:
    async with fish(service, format=form) as provider:
        voice = await provider.create(clone_request())
        request = SpeechRequest(text=TEXT, remote_id=voice.id)
        whole, _ = await collect(provider, request)
        service.fail(SAY, Fault(cuts_after=5000, body=whole, content_type="audio/x"))
        got, error = await collect(provider, request)

    assert error is not None
    assert error.kind == "network"
    assert "broke off" in str(error)
    assert got == whole[:5000]
    assert service.count("POST", "/v1/tts") == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, body="You have exceeded your current concurrency limit"),
        Fault(status=429, headers={"Retry-After": "0"}),
        Fault(status=500),
    ],
)
async def test_line_that_was_refused_for_now_is_asked_for_again(
    service: FishService, provider: FishProvider, fault: Fault
) -> None:
    voice = await provider.create(clone_request())
    service.fail(SAY, fault)

    heard = await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert heard == pytest.approx(SECONDS, abs=0.15)
    assert service.count("POST", "/v1/tts") == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drops=True),
        Fault(status=200, body="<html>", content_type="text/html"),
        Fault(status=200, body={"message": "sorry"}, content_type="audio/opus"),
        Fault(status=200, body=b"", content_type="audio/opus"),
        Fault(status=200, body=b"\x00\x01garbage", content_type="audio/opus"),
        Fault(status=302, headers={"Location": "http://127.0.0.1:1/v1/tts"}),
        Fault(cuts_after=2, body=b"OggS", content_type="audio/opus"),
    ],
)
async def test_line_that_may_have_been_made_is_not_paid_for_again(
    service: FishService, provider: FishProvider, fault: Fault
) -> None:
    voice = await provider.create(clone_request())
    service.fail(SAY, fault)

    with pytest.raises(ProviderError) as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert caught.value.kind in {"network", "server"}
    assert service.count("POST", "/v1/tts") == 1


async def test_service_that_stays_broken_is_given_up(service: FishService, provider: FishProvider) -> None:
    voice = await provider.create(clone_request())
    service.fail(SAY, *[Fault(status=500)] * 9)

    with pytest.raises(ProviderError, match="try again in a few minutes") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert caught.value.kind == "server"
    assert service.count("POST", "/v1/tts") == HASTY.attempts


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
async def test_first_sound_that_does_not_come_says_so_and_not_that_it_broke_off(head: bytes) -> None:
    attempts = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.write(head)
        while await reader.read(1000):
            pass

    async with far_end(serve) as url:
        settings = FishSettings(base_url=url, api_key=KEY)
        patience = Patience(base=0.001, cap=0.002, first_byte=0.05, attempts=2)
        async with FishProvider(settings, patience=patience) as provider:
            got, error = await collect(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))

    assert error is not None
    assert (got, error.kind, attempts) == (b"", "network", 1)
    assert "did not answer in time" in str(error)


async def test_sound_without_end_is_ended(service: FishService) -> None:
    portion = b"\1\2" * 4_000_000
    service.fail(SAY, Fault(endless=True, body=portion, content_type="audio/pcm"))
    async with fish(service, format="pcm") as provider:
        got, error = await collect(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))

    assert "without end" in str(error)
    assert 100_000_000 < len(got) <= 128_000_000


async def test_quiet_sound_that_begins_like_a_bracket_is_sound(service: FishService) -> None:
    sound = b"\x3c\x00\x5b\xff" * 8000
    service.fail(SAY, Fault(status=200, body=sound, content_type="audio/pcm"))
    async with fish(service, format="pcm") as provider:
        got, error = await collect(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))

    assert (got, error) == (sound, None)


async def test_concurrency_that_the_service_tells_is_followed(service: FishService, provider: FishProvider) -> None:
    service.concurrency = 2
    voice = await provider.create(clone_request())

    said = [speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id, party=party)) for party in range(6)]
    heard = await asyncio.gather(*said)

    assert all(heard)
    assert service.most_at_once == 2
