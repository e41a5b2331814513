"""A service is asked through real sockets, and what it was asked is looked at from its end."""

import asyncio
import logging
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.errors import ProviderError, ProviderFault
from bot.providers.base import AudioStream
from bot.providers.faults import Account, Refusal
from bot.providers.http import Http
from bot.providers.limiter import Limiter
from bot.providers.patience import Patience
from bot.providers.question import Part, Question
from playground.services.service import Asked, Fault, Service, Upload

ACCOUNT = Account(label="Fish Audio", key_setting="FISH_API_KEY")
KEY = "sk-SECRET-KEY"
QUICK = Patience(base=0.001, cap=0.002)
HASTY = Patience(base=0.001, cap=0.002, first_byte=0.1, between=0.1, create=0.1, attempts=2)
SOUND = b"ID3\4" + bytes(range(256)) * 100
GET = Question(method="GET", path="/voice")
MAKE = Question(method="POST", path="/voice", json={"title": "Aki"})
SPEAK = Question(method="POST", path="/speech", json={"text": "Hello."})


class Far(Service):
    """A service of one voice. Owns when it is made, whether it ever spoke, and how many requests it says it allows."""

    def __init__(self) -> None:
        super().__init__()
        self.made = asyncio.Event()
        self.made.set()
        self.spoke = asyncio.Event()
        self.allows = ""
        self.sound = SOUND
        self.route("PATCH", "/voice", self._show)
        self.route("GET", "/voice", self._show)
        self.route("POST", "/voice", self._show)
        self.route("POST", "/speech", self._speak)

    async def _show(self, asked: Asked) -> web.StreamResponse:
        await self.made.wait()
        headers = {"Ratelimit-Limit-Concurrency": self.allows} if self.allows else {}
        return web.json_response({"_id": "v"}, headers=headers)

    async def _speak(self, asked: Asked) -> web.StreamResponse:
        self.spoke.set()
        return await self.send_sound(asked, self.sound, content_type="audio/mpeg")


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    async with Far() as service:
        yield service


@asynccontextmanager
async def opened(url: str, patience: Patience = QUICK, *, limit: int = 5) -> AsyncIterator[Http]:
    async with Http(
        ACCOUNT, url, SecretStr(KEY), reading=lambda *_: None, patience=patience, limiter=Limiter(limit)
    ) as http:
        yield http


@pytest.fixture
async def http(far: Far) -> AsyncIterator[Http]:
    async with opened(far.url) as session:
        yield session


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


async def collect(stream: AudioStream, heard: bytearray) -> None:
    async for chunk in stream.chunks:
        heard += chunk


async def listen(http: Http, heard: bytearray | None = None) -> bytes:
    heard = bytearray() if heard is None else heard
    async with http.speak(SPEAK, asked="mp3") as stream:
        await collect(stream, heard)
    return bytes(heard)


async def test_a_question_is_asked_with_the_key_and_its_answer_read(http: Http, far: Far) -> None:
    reply = await http.ask(
        Question(method="GET", path="/voice", params=(("tag", "a"), ("tag", "b c")), headers={"model": "s1"})
    )

    asked = far.last("GET", "/voice")
    assert (reply.status, reply.content) == (200, {"_id": "v"})
    assert asked.query == {"tag": ["a", "b c"]}
    assert (asked.key, asked.headers["model"], asked.body) == (KEY, "s1", b"")


async def test_a_body_is_sent_as_what_it_is(http: Http, far: Far) -> None:
    await http.ask(MAKE)
    await http.ask(Question(method="POST", path="/voice", raw=b"\x80", headers={"Content-Type": "application/msgpack"}))

    first, second = far.asked
    assert (first.media_type, first.content()) == ("application/json", {"title": "Aki"})
    assert (second.media_type, second.content()) == ("application/msgpack", {})
    assert all("content-length" in asked.headers for asked in far.asked)


async def test_a_form_is_sent_with_its_length_however_large(http: Http, far: Far) -> None:
    wav = bytes(range(256)) * 12_000
    form = (
        Part(name="title", value="Aki é"),
        Part(name="voices", value=wav, filename="1.wav", media_type="audio/wav"),
        Part(name="voices", value=b"two", filename="2.wav", media_type="audio/wav"),
    )

    await http.ask(Question(method="POST", path="/voice", form=form))

    asked = far.last("POST", "/voice")
    assert int(asked.headers["content-length"]) > len(wav)
    assert "transfer-encoding" not in asked.headers
    assert asked.form == {
        "title": ["Aki é"],
        "voices": [Upload(wav, "1.wav", "audio/wav"), Upload(b"two", "2.wav", "audio/wav")],
    }


REFUSED = [Fault(status=429), Fault(status=500), Fault(status=503)]
LOST = [Fault(drops=True), Fault(status=408), Fault(hangs=True)]


@pytest.mark.parametrize("fault", REFUSED)
async def test_what_was_refused_for_now_is_asked_again_whole(http: Http, far: Far, fault: Fault) -> None:
    far.fail("POST /voice", fault, fault)

    assert (await http.ask(MAKE)).status == 200
    assert [asked.content() for asked in far.asked] == [{"title": "Aki"}] * 3


@pytest.mark.parametrize("fault", REFUSED + LOST)
@pytest.mark.parametrize("question", [GET, replace(GET, method="PATCH"), replace(MAKE, idempotent=True)])
async def test_what_costs_nothing_twice_is_asked_again_though_its_answer_was_lost(
    far: Far, question: Question, fault: Fault
) -> None:
    far.fail(f"{question.method} /voice", fault)

    async with opened(far.url, Patience(base=0.001, cap=0.002, first_byte=0.5)) as http:
        assert (await http.ask(question)).status == 200

    assert len(far.asked) == 2


@pytest.mark.parametrize("fault", LOST)
async def test_what_may_be_charged_is_not_asked_again_once_it_was_sent(far: Far, fault: Fault) -> None:
    far.fail("POST /voice", fault, fault)
    far.fail("POST /speech", fault, fault)

    async with opened(far.url, HASTY) as http:
        for asking in (http.ask(MAKE), listen(http)):
            with pytest.raises(ProviderError) as caught:
                await asking
            assert caught.value.kind == "network"

    assert [asked.path for asked in far.asked] == ["/voice", "/speech"]


async def test_what_was_never_sent_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with opened(closed_port()) as http:
        for asking in (http.ask(MAKE), listen(http)):
            caplog.clear()
            with pytest.raises(ProviderError, match="cannot be reached"):
                await asking
            assert caplog.text.count("attempt") == QUICK.attempts - 1


async def test_it_is_asked_so_often_and_no_more(http: Http, far: Far) -> None:
    far.fail("GET /voice", *[Fault(status=503)] * 10)

    with pytest.raises(ProviderError) as caught:
        await http.ask(GET)

    assert (caught.value.kind, len(far.asked)) == ("server", QUICK.attempts)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid"),
        (401, "auth"),
        (402, "no_credit"),
        (403, "auth"),
        (404, "not_found"),
        (413, "too_large"),
        (422, "invalid"),
    ],
)
async def test_what_is_refused_is_not_asked_again(http: Http, far: Far, status: int, kind: ProviderFault) -> None:
    far.fail("GET /voice", Fault(status=status, body={"message": "SPOKEN"}))

    with pytest.raises(ProviderError) as caught:
        await http.ask(GET)

    assert (caught.value.kind, len(far.asked)) == (kind, 1)
    assert "SPOKEN" not in str(caught.value)


async def test_a_wait_that_is_asked_for_is_waited(far: Far) -> None:
    far.fail("GET /voice", Fault(status=429, headers={"Retry-After": "0"}))

    async with opened(far.url, Patience(base=3600, cap=3600, total=7200)) as http:
        assert (await http.ask(GET)).status == 200


async def test_a_wait_that_is_too_long_is_told(http: Http, far: Far) -> None:
    far.fail("GET /voice", Fault(status=429, headers={"Retry-After": "600"}))

    with pytest.raises(ProviderError) as caught:
        await http.ask(GET)

    assert (caught.value.kind, caught.value.retry_after, len(far.asked)) == ("rate_limited", 600, 1)


async def test_a_dialect_reads_refusals_first(far: Far) -> None:
    def reading(refusal: Refusal, account: Account) -> ProviderError | None:
        return account.fault("not_found") if "gone" in refusal.words else None

    far.fail("GET /voice", Fault(status=400, body="Gone!"))

    async with Http(ACCOUNT, far.url, None, reading=reading) as http:
        with pytest.raises(ProviderError) as caught:
            await http.ask(GET)

    assert caught.value.kind == "not_found"
    assert "authorization" not in far.asked[0].headers


async def test_an_answer_without_end_is_not_read_to_it(far: Far) -> None:
    far.fail("GET /voice", Fault(endless=True, body=bytes(1_000_000)))

    async with opened(far.url, Patience(attempts=1)) as http:
        with pytest.raises(ProviderError) as caught:
            await http.ask(GET)

    assert caught.value.kind == "server"


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """Open a server that treats each connection so; give its address."""
    async with asyncio.TaskGroup() as group:

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            group.create_task(handle(reader, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def trickling(head: bytes, drop: bytes = b" ") -> AsyncIterator[str]:
    """Open a server that says this, and then drop after drop until it closes."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        with suppress(OSError):
            while not (over.is_set() or writer.is_closing()):
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(0.005)

    async with serving(serve) as url:
        try:
            yield url
        finally:
            over.set()


TRICKLE = Patience(first_byte=0.1, between=0.1, create=0.1, attempts=1)


async def test_an_answer_that_trickles_is_not_waited_for() -> None:
    async with trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n") as url, opened(url, TRICKLE) as http:
        for asking, kind in (
            (http.ask(GET), "network"),
            (http.ask_beside(GET), "network"),
            (http.ask_once(MAKE), "unknown_outcome"),
        ):
            with pytest.raises(ProviderError) as caught:
                async with asyncio.timeout(10):
                    await asking
            assert caught.value.kind == kind


async def test_a_head_that_trickles_is_not_waited_for() -> None:
    async with trickling(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a") as url, opened(url, TRICKLE) as http:
        for asking in (http.ask(GET), listen(http)):
            with pytest.raises(ProviderError) as caught:
                async with asyncio.timeout(10):
                    await asking
            assert caught.value.kind == "network"


@pytest.mark.parametrize(("status", "kind"), [(402, "no_credit"), (503, "server")])
async def test_a_refusal_that_trickles_is_understood_by_its_status(status: int, kind: ProviderFault) -> None:
    head = f"HTTP/1.1 {status} No\r\nContent-Length: 1000000\r\n\r\n".encode()
    async with trickling(head) as url, opened(url, TRICKLE) as http:
        for asking in (http.ask(GET), listen(http)):
            with pytest.raises(ProviderError) as caught:
                async with asyncio.timeout(10):
                    await asking
            assert caught.value.kind == kind


async def test_a_create_goes_by_a_connection_of_its_own_and_not_by_one_that_may_be_closing() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a first request as if more were welcome, and hang up on a second."""
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"}" if (await reader.readexactly(4)) == b"POST" else b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await reader.read(10_000)

    async with serving(serve) as url, opened(url) as http:
        for _ in range(2):
            assert (await http.ask(GET)).content == {}
            assert (await http.ask_once(MAKE)).content == {}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_key_follows_no_redirect(http: Http, far: Far, status: int) -> None:
    async with Far() as elsewhere:
        where = Fault(status=status, headers={"Location": f"{elsewhere.url}/voice"})
        for route in ("GET /voice", "POST /voice", "POST /speech"):
            far.fail(route, *[where] * QUICK.attempts)

        for question in (http.ask(GET), http.ask_once(MAKE), listen(http)):
            with pytest.raises(ProviderError):
                await question

        assert elsewhere.asked == []


async def test_a_create_is_answered(http: Http) -> None:
    assert (await http.ask_once(MAKE)).content == {"_id": "v"}


async def test_a_create_that_never_left_may_be_sent_again() -> None:
    async with opened(closed_port()) as http:
        with pytest.raises(ProviderError) as caught:
            await http.ask_once(MAKE)

    assert caught.value.kind == "network"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drops=True),
        Fault(drops=True, works_first=True),
        Fault(hangs=True),
        Fault(status=500),
        Fault(status=503),
        Fault(status=408),
        Fault(cuts_after=3, body=b'{"_id": "v"}'),
    ],
)
async def test_a_create_whose_answer_is_lost_is_sent_once_and_left_open(far: Far, fault: Fault) -> None:
    far.fail("POST /voice", fault)

    async with opened(far.url, Patience(create=0.5, base=0.001)) as http:
        with pytest.raises(ProviderError) as caught:
            await http.ask_once(MAKE)

    assert (caught.value.kind, len(far.asked)) == ("unknown_outcome", 1)


@pytest.mark.parametrize("status", [400, 401, 402, 413, 422, 429])
async def test_a_create_that_is_refused_was_not_made(http: Http, far: Far, status: int) -> None:
    far.fail("POST /voice", Fault(status=status))

    with pytest.raises(ProviderError) as caught:
        await http.ask_once(MAKE)

    assert caught.value.kind != "unknown_outcome"
    assert len(far.asked) == 1


async def test_a_create_may_take_longer_than_a_first_byte(far: Far) -> None:
    far.made.clear()
    async with opened(far.url, Patience(first_byte=0.05, create=60, attempts=1)) as http:
        making = asyncio.create_task(http.ask_once(MAKE))
        with pytest.raises(ProviderError):
            await http.ask(GET)

        far.made.set()

        assert (await making).status == 200


async def test_sound_is_heard_as_it_arrives(http: Http, far: Far) -> None:
    far.gate = asyncio.Event()

    async with http.speak(SPEAK, asked="mp3") as stream:
        first = await anext(stream.chunks)
        far.gate.set()
        rest = [chunk async for chunk in stream.chunks]

    assert stream.encoding == "mp3"
    assert first + b"".join(rest) == SOUND
    assert len(first) <= far.portion


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=200, body="<html>Sorry</html>", content_type="text/html"),
        Fault(status=200, body={"message": "failed"}),
        Fault(status=200, body='{"message": "failed"}', content_type="audio/mpeg"),
        Fault(status=200, body=b"", content_type="audio/mpeg"),
        Fault(status=200, body=b"ID3", content_type="audio/mpeg"),
        Fault(status=200, body=bytes(5000), content_type="audio/mpeg"),
    ],
)
async def test_an_answer_that_is_no_sound_is_a_failure_and_not_asked_for_again(far: Far, fault: Fault) -> None:
    far.fail("POST /speech", fault)
    async with opened(far.url) as http:
        with pytest.raises(ProviderError) as caught:
            await listen(http)

        assert (caught.value.kind, len(far.asked)) == ("server", 1)

        assert await listen(http) == SOUND


async def test_sound_cut_in_the_middle_fails_after_what_was_there_and_is_not_repeated(http: Http, far: Far) -> None:
    far.fail("POST /speech", Fault(cuts_after=5000, body=SOUND, content_type="audio/mpeg"))
    heard = bytearray()

    with pytest.raises(ProviderError, match="broke off") as caught:
        await listen(http, heard)

    assert (caught.value.kind, bytes(heard), len(far.asked)) == ("network", SOUND[:5000], 1)


async def test_sound_cut_before_it_was_heard_fails_and_is_not_asked_for_again(http: Http, far: Far) -> None:
    far.fail("POST /speech", Fault(cuts_after=2, body=SOUND, content_type="audio/mpeg"))

    with pytest.raises(ProviderError) as caught:
        await listen(http)

    assert (caught.value.kind, len(far.asked)) == ("network", 1)


async def test_a_first_byte_that_does_not_come_is_not_waited_for(far: Far) -> None:
    far.fail("POST /speech", Fault(hangs=True))

    async with opened(far.url, HASTY) as http:
        with pytest.raises(ProviderError) as caught:
            await listen(http)

    assert (caught.value.kind, len(far.asked)) == ("network", 1)
    assert "broke off" not in str(caught.value)


async def test_sound_that_stops_coming_is_not_waited_for(far: Far) -> None:
    far.gate = asyncio.Event()
    heard = bytearray()

    async with opened(far.url, Patience(first_byte=60, between=0.1)) as http:
        with pytest.raises(ProviderError, match="broke off"):
            await listen(http, heard)

    far.gate.set()
    assert SOUND.startswith(heard)
    assert heard
    assert len(far.asked) == 1


async def test_who_speaks_holds_a_place_until_all_has_arrived_heard_or_not(far: Far) -> None:
    far.gate = asyncio.Event()
    async with opened(far.url, limit=1) as http, http.speak(SPEAK, asked="mp3") as stream:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(http.ask(GET), 0.05)
        assert far.count("GET", "/voice") == 0

        far.gate.set()

        assert (await http.ask(GET)).status == 200
        assert b"".join([chunk async for chunk in stream.chunks]) == SOUND


async def test_lines_that_play_for_long_do_not_keep_others_waiting(far: Far) -> None:
    far.sound = SOUND * 100
    async with opened(far.url) as http, AsyncExitStack() as playing:
        for _ in range(http.limiter.limit):
            await playing.enter_async_context(http.speak(SPEAK, asked="mp3"))

        async with asyncio.timeout(30):
            assert await listen(http) == far.sound


async def test_sound_that_broke_off_is_heard_as_far_as_it_came_and_its_place_given_back(far: Far) -> None:
    far.fail("POST /speech", Fault(cuts_after=5000, body=SOUND, content_type="audio/mpeg"))
    async with opened(far.url, limit=1) as http, http.speak(SPEAK, asked="mp3") as stream:
        assert (await http.ask(GET)).status == 200

        heard = bytearray()
        with pytest.raises(ProviderError, match="broke off"):
            await collect(stream, heard)

    assert heard == SOUND[:5000]


async def test_a_line_that_is_cancelled_gives_its_place_back(far: Far) -> None:
    far.gate = asyncio.Event()
    async with opened(far.url, limit=1) as http:
        speaking = asyncio.create_task(listen(http))
        await far.spoke.wait()

        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking

        assert (await http.ask(GET)).status == 200
    far.gate.set()


async def test_the_places_are_as_many_as_the_service_says(http: Http, far: Far) -> None:
    limits = []
    for allows in ("", "2", "15", "many", "-1", "0", "9" * 5000):
        far.allows = allows
        await http.ask(GET)
        limits.append(http.limiter.limit)

    assert limits == [5, 2, 15, 15, 15, 1, 1]


async def test_a_refusal_tells_of_places_too(http: Http, far: Far) -> None:
    far.fail("GET /voice", Fault(status=404, headers={"ratelimit-limit-concurrency": "3"}))

    with pytest.raises(ProviderError):
        await http.ask(GET)

    assert http.limiter.limit == 3


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x15\x03\x03\0\2\2F", b""])
async def test_what_is_no_http_is_a_fault_of_the_network_that_shows_no_key(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def garble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    caplog.set_level(logging.DEBUG)
    server = await asyncio.start_server(garble, "127.0.0.1", 0)
    async with server, opened(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as http:
        with pytest.raises(ProviderError) as caught:
            await http.ask(GET)

        assert KEY not in repr(http) + repr(http.session)

    assert caught.value.kind == "network"
    assert KEY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value.__cause__) + caplog.text


async def test_questions_and_replies_show_nothing_of_what_is_said(http: Http) -> None:
    form = (Part(name="texts", value="SPOKEN"),)
    questions = [
        MAKE,
        Question(method="POST", path="/voice", raw=b"SPOKEN"),
        Question(method="POST", path="/", form=form),
    ]

    assert "Aki" not in repr(questions)
    assert "SPOKEN" not in repr(questions)
    assert "_id" not in repr(await http.ask(GET))


async def test_it_must_be_open() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Http(ACCOUNT, closed_port(), None, reading=lambda *_: None).ask(GET)
