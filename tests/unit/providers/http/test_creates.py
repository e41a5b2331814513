"""A create is sent once, whatever becomes of its answer."""

import asyncio
from contextlib import suppress

import pytest

from bot.errors import ProviderError
from bot.providers.http import Http
from bot.providers.patience import Patience
from playground.services.service import Fault
from tests.unit.providers.http.house import GET, MAKE, QUICK, Far, closed_port, listen, opened, serving


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
