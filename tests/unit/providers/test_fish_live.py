import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import ormsgpack
import pytest
from aiohttp import WSMsgType, web

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest
from bot.providers.fish import FishProvider
from bot.providers.patience import Patience
from bot.settings import FishSettings
from playground.services.fish import FishService
from playground.services.service import Fault
from tests.unit.providers.fish_house import HASTY, KEY, SECONDS, TEXT, clone_request, collect, fish, sample
from tests.unit.providers.sound import listen, speak

LIVE = "GET /v1/tts/live"
LINE = SpeechRequest(text=TEXT, remote_id="a" * 32)
ONCE = SpeechRequest(text=TEXT, samples=(sample(),))
STOP = {"event": "finish", "reason": "stop"}
Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


@pytest.fixture
async def service() -> AsyncIterator[FishService]:
    async with FishService() as opened:
        yield opened


@pytest.fixture
async def provider(service: FishService) -> AsyncIterator[FishProvider]:
    async with fish(service, transport="websocket") as opened:
        yield opened


def audio(sound: bytes) -> dict[str, object]:
    return {"event": "audio", "audio": sound, "time": 1.0}


async def read_line(socket: web.WebSocketResponse) -> None:
    """Take all that is said, up to the stop."""
    async for message in socket:
        if ormsgpack.unpackb(message.data)["event"] == "stop":
            return


@asynccontextmanager
async def talking(*talks: Talk, patience: Patience = HASTY) -> AsyncIterator[tuple[FishProvider, list[web.Request]]]:
    """Open a far end that handles its connections by these, in order, and a provider that asks it for bare samples."""
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.WebSocketResponse:
        asked.append(request)
        socket = web.WebSocketResponse(timeout=0.01, autoclose=False)
        await socket.prepare(request)
        await talks[len(asked) - 1](socket)
        return socket

    app = web.Application()
    app.router.add_get("/v1/tts/live", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        settings = FishSettings(
            base_url=f"http://127.0.0.1:{runner.addresses[0][1]}", api_key=KEY, transport="websocket", format="pcm"
        )
        async with FishProvider(settings, patience=patience) as provider:
            yield provider, asked
    finally:
        await runner.cleanup()


def saying(*events: object) -> Talk:
    """Listen to the line, then send these, each packed unless it is bytes, and hang up."""

    async def talk(socket: web.WebSocketResponse) -> None:
        await read_line(socket)
        for event in events:
            await socket.send_bytes(event if isinstance(event, bytes) else ormsgpack.packb(event))
        await socket.close()

    return talk


@pytest.mark.parametrize(("form", "encoding"), [("opus", "ogg"), ("mp3", "mp3"), ("wav", "wav"), ("pcm", "pcm")])
async def test_line_is_heard_whole_in_each_format(service: FishService, form: str, encoding: str) -> None:
    service.portion = 1001
    async with fish(service, transport="websocket", format=form) as provider:
        voice = await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=voice.id)) as stream:
            heard = await listen(stream)

    assert stream.encoding == encoding
    assert heard == pytest.approx(SECONDS, abs=0.2)
    assert service.count("POST", "/v1/tts") == 0


async def test_line_is_fed_sentence_by_sentence_with_key_and_model(service: FishService) -> None:
    async with fish(service, transport="websocket", model="s2-pro", format="mp3") as provider:
        voice = await provider.create(clone_request())
        await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id, speed=1.5))

    headers = service.last("GET", "/v1/tts/live").headers
    assert (headers["model"], headers["authorization"]) == ("s2-pro", f"Bearer {KEY}")
    assert service.heard == [
        {
            "event": "start",
            "request": {
                "text": "",
                "reference_id": voice.id,
                "format": "mp3",
                "sample_rate": 44_100,
                "latency": "balanced",
                "prosody": {"speed": 1.5, "volume": 0, "normalize_loudness": True},
            },
        },
        {"event": "text", "text": "The first sentence is short. "},
        {"event": "text", "text": "The second one is a little longer than that! "},
        {"event": "stop"},
    ]


async def test_line_with_samples_sends_them_along(service: FishService, provider: FishProvider) -> None:
    recording = sample(30, transcript="One.")

    heard = await speak(provider, SpeechRequest(text=TEXT, samples=(recording,)))

    assert heard == pytest.approx(SECONDS, abs=0.2)
    assert service.heard[0]["request"]["references"] == [{"audio": recording.wav, "text": "One."}]


async def test_sound_larger_than_a_usual_frame_is_taken_and_unknown_events_are_not_minded() -> None:
    sound = b"\1\2" * 3_000_000

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str("hello")
        await saying({"event": "log"}, audio(b""), audio(sound), {"no": "event"}, audio(b"\3\4"), STOP)(socket)

    async with talking(talk) as (provider, _):
        assert await collect(provider, LINE) == (sound + b"\3\4", None)


async def test_sound_is_handed_on_before_all_of_it_is_made(service: FishService, provider: FishProvider) -> None:
    service.gate = asyncio.Event()
    voice = await provider.create(clone_request())

    async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=voice.id)) as stream:
        first = await anext(stream.chunks)
        service.gate.set()
        rest = [chunk async for chunk in stream.chunks]

    assert first.startswith(b"OggS")
    assert rest


async def test_leaving_early_hangs_up_at_once_whatever_the_far_end_does() -> None:
    gone = asyncio.Event()

    async def talk(socket: web.WebSocketResponse) -> None:
        await read_line(socket)
        await socket.send_bytes(ormsgpack.packb(audio(b"\1\2\3\4")))
        assert (await socket.receive()).type == WSMsgType.CLOSE
        gone.set()
        # and never closes itself
        await asyncio.Event().wait()

    async with talking(talk) as (provider, _):
        async with asyncio.timeout(5):
            async with provider.synthesize(LINE) as stream:
                await anext(stream.chunks)
            await gone.wait()


async def test_places_are_held_while_lines_are_made_and_given_back(
    service: FishService, provider: FishProvider
) -> None:
    service.concurrency = 1
    voice = await provider.create(clone_request())

    request = SpeechRequest(text=TEXT, remote_id=voice.id)
    heard = await asyncio.gather(*(speak(provider, request) for _ in range(3)))

    assert all(heard)
    assert service.most_at_once == 1


@pytest.mark.parametrize(
    ("fault", "kind", "attempts"),
    [
        (Fault(status=401), "auth", 1),
        (Fault(status=402), "no_credit", 1),
        (Fault(status=400, headers={"x-fish-error-code": "insufficient_balance"}), "no_credit", 1),
        (Fault(status=400, body="invalid protocol"), "invalid", 1),
        (Fault(status=404), "not_found", 1),
        (Fault(status=429), "rate_limited", HASTY.attempts),
        (Fault(status=503), "server", HASTY.attempts),
        (Fault(status=200), "server", HASTY.attempts),
        # aiohttp itself asks once more where a connection breaks
        (Fault(drops=True), "network", 2 * HASTY.attempts),
        (Fault(status=302, headers={"Location": "/elsewhere"}), "network", HASTY.attempts),
    ],
)
async def test_handshake_is_refused_with_the_fault_that_http_would_have(
    service: FishService, provider: FishProvider, fault: Fault, kind: str, attempts: int
) -> None:
    service.fail(LIVE, *[fault] * 9)

    with pytest.raises(ProviderError) as caught:
        await speak(provider, LINE)

    assert caught.value.kind == kind
    assert service.count("GET", "/v1/tts/live") == attempts
    assert service.count("GET", "/elsewhere") == 0


async def test_handshake_that_is_refused_once_is_tried_again(service: FishService, provider: FishProvider) -> None:
    voice = await provider.create(clone_request())
    service.concurrency = 3
    service.fail(LIVE, Fault(status=429, headers={"Retry-After": "0"}))

    heard = await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert heard == pytest.approx(SECONDS, abs=0.2)
    assert provider._http.limiter.limit == 3


@pytest.mark.parametrize(
    "bad",
    [
        saying({"event": "finish", "reason": "error"}),
        saying({"event": "error", "error": "boom"}),
        saying({"event": "error", "error": "Concurrency limit exceeded", "max_concurrency": 4}),
    ],
)
async def test_line_that_is_given_up_before_its_first_sound_is_said_again(bad: Talk) -> None:
    async with talking(bad, saying(audio(b"\1\2\3\4"), STOP)) as (provider, asked):
        got = await collect(provider, ONCE)

    assert got == (b"\1\2\3\4", None)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (saying(), "network"),
        (saying(STOP), "server"),
        (saying(b"\xc1 no msgpack"), "server"),
        (saying(["a list"]), "server"),
        (saying(audio(b'{"message": "sorry, no"}'), STOP), "server"),
    ],
)
async def test_line_that_was_taken_and_may_have_been_made_is_not_paid_for_again(bad: Talk, kind: str) -> None:
    async with talking(bad, saying(audio(b"\1\2\3\4"), STOP)) as (provider, asked):
        got, error = await collect(provider, ONCE)

    assert error is not None
    assert (got, error.kind, len(asked)) == (b"", kind, 1)


async def test_place_is_given_back_when_all_has_arrived_heard_or_not(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())
    request = SpeechRequest(text=TEXT, remote_id=voice.id)
    provider._http.limiter.resize(1)

    async with asyncio.timeout(30), provider.synthesize(request) as unheard:
        assert await speak(provider, request) == pytest.approx(SECONDS, abs=0.2)
        assert await listen(unheard) == pytest.approx(SECONDS, abs=0.2)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"event": "finish", "reason": "error"}, "server"),
        ({"event": "error", "error": "Concurrency limit exceeded", "max_concurrency": 4}, "rate_limited"),
        ({"event": "error", "error": "Reference not found"}, "not_found"),
        ({"event": "error", "message": "Reference audio too long"}, "invalid"),
    ],
)
async def test_service_that_gives_up_is_understood_by_its_words(event: dict[str, object], kind: str) -> None:
    async with talking(*[saying(event)] * HASTY.attempts) as (provider, asked):
        got, error = await collect(provider, ONCE)
        places = provider._http.limiter.limit

    assert error is not None
    assert (got, error.kind) == (b"", kind)
    assert len(asked) == (HASTY.attempts if error.retryable else 1)
    assert places == event.get("max_concurrency", 5)


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ((), "network"),
        (({"event": "finish", "reason": "error"},), "server"),
        (({"event": "error", "error": "boom"},), "server"),
        ((b"\xc1",), "server"),
    ],
)
async def test_line_that_breaks_off_fails_after_what_came_and_is_not_said_again(
    events: tuple[object, ...], kind: str
) -> None:
    async with talking(saying(audio(b"\1\2\3\4"), audio(b"\5\6"), *events)) as (provider, asked):
        got, error = await collect(provider, LINE)

    assert got == b"\1\2\3\4\5\6"
    assert error is not None
    assert error.kind == kind
    assert "broke off" in str(error)
    assert len(asked) == 1


async def test_stand_in_that_cuts_in_the_middle_is_noticed(service: FishService, provider: FishProvider) -> None:
    service.live_cut_after = 2
    service.portion = 500
    voice = await provider.create(clone_request())

    got, error = await collect(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert len(got) == 1000
    assert error is not None
    assert "broke off" in str(error)
    assert service.count("GET", "/v1/tts/live") == 1


async def test_voice_that_is_gone_fails_the_line(service: FishService, provider: FishProvider) -> None:
    with pytest.raises(ProviderError) as caught:
        await speak(provider, LINE)

    assert caught.value.kind == "not_found"
    assert service.count("GET", "/v1/tts/live") == 1


async def test_busy_service_that_says_so_in_an_event_is_rate_limited(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())
    service.live_busy = "event"
    service.concurrency = 1

    with service.place(KEY), pytest.raises(ProviderError) as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))

    assert caught.value.kind == "rate_limited"
    assert await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))


@pytest.mark.parametrize("heard", [False, True])
async def test_silence_on_the_line_is_waited_for_only_so_long(heard: bool) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await read_line(socket)
        if heard:
            await socket.send_bytes(ormsgpack.packb(audio(b"\1\2\3\4")))
        while (await socket.receive()).type != WSMsgType.CLOSE:
            pass

    patience = Patience(base=0.001, cap=0.002, first_byte=5.0 if heard else 0.05, between=0.05, attempts=2)
    async with talking(talk, patience=patience) as (provider, asked):
        got, error = await collect(provider, LINE)

    assert error is not None
    assert error.kind == "network"
    assert ("broke off" in str(error)) == heard
    assert (got, len(asked)) == (b"\1\2\3\4" if heard else b"", 1)


async def test_service_that_gives_up_while_it_is_spoken_to_is_heard_out() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_bytes(ormsgpack.packb({"event": "error", "error": "Reference audio too long"}))
        await socket.close()

    async with talking(talk) as (provider, asked):
        got, error = await collect(provider, SpeechRequest(text=TEXT * 50, samples=(sample(20),)))

    assert error is not None
    assert (got, error.kind, len(asked)) == (b"", "invalid", 1)
