"""Sound is heard as it arrives, and who speaks holds a place."""

import asyncio
import logging
import traceback
from contextlib import AsyncExitStack

import pytest

from bot.errors import ProviderError
from bot.providers.http import Http
from bot.providers.patience import Patience
from bot.providers.question import Part, Question
from playground.services.service import Fault
from tests.unit.providers.http.house import (
    ACCOUNT,
    GET,
    HASTY,
    KEY,
    MAKE,
    SOUND,
    SPEAK,
    Far,
    closed_port,
    collect,
    listen,
    opened,
)


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
