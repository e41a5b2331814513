"""A service is asked through real sockets, and what it was asked is looked at from its end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from bot.errors import ProviderError, ProviderFault
from bot.providers.faults import Account, Refusal
from bot.providers.http import Http
from bot.providers.patience import Patience
from bot.providers.question import Part, Question
from playground.services.service import Fault, Upload
from tests.unit.providers.http.house import (
    ACCOUNT,
    GET,
    HASTY,
    KEY,
    MAKE,
    QUICK,
    Far,
    closed_port,
    listen,
    opened,
    serving,
)


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
