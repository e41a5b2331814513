import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.errors import BotError
from bot.web import Web

PUBLIC = "https://mynah.example.com/bot"


class House:
    """Owns whether the bot is well."""

    well = True

    def healthy(self) -> bool:
        return self.well


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def web(house: House) -> AsyncIterator[Web]:
    async with Web(0, "127.0.0.1", public_url=PUBLIC, healthy=house.healthy) as opened:
        yield opened


@pytest.fixture
async def outside(web: Web) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client of the server, without the path that a proxy before it takes away."""
    async with aiohttp.ClientSession(base_url=f"http://127.0.0.1:{web.port}/") as session:
        yield session


def path(url: str) -> str:
    assert url.startswith(PUBLIC + "/")
    return url.removeprefix(PUBLIC)


async def ring(outside: aiohttp.ClientSession, url: str, body: object) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with outside.post(path(url), data=data) as response:
        return response.status


async def test_healthz_says_whether_the_bot_is_well(outside: aiohttp.ClientSession, house: House) -> None:
    async with outside.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})

    house.well = False

    async with outside.get("/healthz") as response:
        assert response.status == 503


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("GET", "/"),
        ("POST", "/healthz"),
        ("GET", "/callbacks/x"),
        ("POST", "/callbacks/x"),
        ("POST", "/callbacks/"),
        ("GET", "/samples/"),
        ("GET", "/samples/x"),
        ("PUT", "/samples/x"),
        ("GET", "/samples/x/y"),
        ("GET", "/.env"),
        ("OPTIONS", "/"),
    ],
)
async def test_nothing_else_is_there(outside: aiohttp.ClientSession, method: str, where: str) -> None:
    async with outside.request(method, where, data=b"{}" if method == "POST" else None) as response:
        assert response.status == 404


async def test_a_sample_is_there_while_it_is_published(web: Web, outside: aiohttp.ClientSession) -> None:
    data = bytes(range(256)) * 12_000
    with web.publish(data, "audio/wav") as url:
        async with outside.get(path(url)) as response:
            assert (response.status, await response.read()) == (200, data)
            assert response.headers["Content-Type"] == "audio/wav"
            assert response.headers["Cache-Control"] == "no-store"
        async with outside.head(path(url)) as response:
            assert (response.status, await response.read()) == (200, b"")
            assert response.headers["Content-Length"] == str(len(data))

    async with outside.get(path(url)) as response:
        assert response.status == 404


async def test_addresses_are_secret_and_each_its_own(web: Web) -> None:
    with web.publish(b"a", "audio/wav") as one, web.publish(b"a", "audio/wav") as two, web.expect() as bell:
        secrets = [each.rpartition("/")[2] for each in (one, two, bell.url)]

    assert len(set(secrets)) == 3
    assert all(len(each) >= 43 for each in secrets)


async def test_a_ring_is_heard(web: Web, outside: aiohttp.ClientSession) -> None:
    with web.expect() as bell:
        bell.claim("task-1")
        waiting = asyncio.ensure_future(bell.rings(60))

        assert await ring(outside, bell.url, {"task_id": "task-1", "audio_url": "https://elsewhere.example"}) == 200
        assert await waiting


async def test_it_rings_once_more_when_it_is_rung_twice(web: Web, outside: aiohttp.ClientSession) -> None:
    with web.expect() as bell:
        bell.claim("task-1")

        for _ in range(2):
            assert await ring(outside, bell.url, {"task_id": "task-1"}) == 200
            assert await bell.rings(60)
        assert not await bell.rings(0.001)


async def test_silence_is_waited_for_so_long_only(web: Web) -> None:
    with web.expect() as bell:
        assert not await bell.rings(0.001)


async def test_a_ring_before_the_claim_counts_when_the_task_is_claimed(
    web: Web, outside: aiohttp.ClientSession
) -> None:
    with web.expect() as bell:
        assert await ring(outside, bell.url, {"task_id": "other"}) == 200
        assert await ring(outside, bell.url, {"task_id": "task-1"}) == 200
        assert not await bell.rings(0)

        bell.claim("task-1")

        assert await bell.rings(0)


async def test_a_ring_of_another_task_does_not_count(web: Web, outside: aiohttp.ClientSession) -> None:
    with web.expect() as bell:
        assert await ring(outside, bell.url, {"task_id": "other"}) == 200
        bell.claim("task-1")

        assert await ring(outside, bell.url, {"task_id": "other"}) == 404
        assert not await bell.rings(0)


async def test_rings_before_the_claim_are_not_remembered_without_end(web: Web, outside: aiohttp.ClientSession) -> None:
    with web.expect() as bell:
        answers = [await ring(outside, bell.url, {"task_id": f"task-{number}"}) for number in range(17)]

        assert answers == [200] * 16 + [404]
        assert await ring(outside, bell.url, {"task_id": "task-0"}) == 200


async def test_an_address_is_closed_when_its_task_is_done(web: Web, outside: aiohttp.ClientSession) -> None:
    with web.expect() as bell:
        bell.claim("task-1")

    assert await ring(outside, bell.url, {"task_id": "task-1"}) == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"task_id=task-1",
        b'"task-1"',
        b'["task_id"]',
        b"{}",
        b'{"task_id": ""}',
        b'{"task_id": 1}',
        b'{"task_id": null}',
        b'{"task_id": ["task-1"]}',
        b"[" * 60_000,
    ],
)
async def test_what_names_no_task_is_refused(web: Web, outside: aiohttp.ClientSession, body: bytes) -> None:
    with web.expect() as bell:
        bell.claim("task-1")

        assert await ring(outside, bell.url, body) == 400
        assert not await bell.rings(0)


async def test_a_ring_may_be_64_kilobytes(web: Web, outside: aiohttp.ClientSession) -> None:
    def sized(size: int) -> bytes:
        return json.dumps({"task_id": "task-1", "": ""}).encode().replace(b'""}', b'"' + b"x" * size + b'"}')

    room = 64 * 1024 - len(sized(0))
    with web.expect() as bell:
        bell.claim("task-1")

        assert await ring(outside, bell.url, sized(room)) == 200
        assert await ring(outside, bell.url, sized(room + 1)) == 413


async def test_strangers_cannot_send_much(outside: aiohttp.ClientSession) -> None:
    async with outside.post("/callbacks/guess", data=bytes(200_000)) as response:
        assert response.status == 404


async def test_addresses_and_what_is_said_are_not_logged(
    web: Web, outside: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with web.expect() as bell, web.publish(b"SAMPLE", "audio/wav") as sample:
        bell.claim("task-1")
        for body in ({"task_id": "task-1", "word": "SPOKEN"}, b"SPOKEN", bytes(70_000)):
            await ring(outside, bell.url, body)
        async with outside.get(path(sample)) as response:
            await response.read()

    for secret in (bell.url.rpartition("/")[2], sample.rpartition("/")[2], "SPOKEN", "SAMPLE"):
        assert secret not in caplog.text


async def test_a_ring_that_is_never_finished_does_not_hold_the_closing_up() -> None:
    async with Web(0, "127.0.0.1", public_url=PUBLIC, healthy=lambda: True) as web:
        with web.expect() as bell:
            reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
            head = f"POST {path(bell.url)} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
            writer.write(head.encode())
            assert b"100 Continue" in await reader.readline()

    writer.close()
    await writer.wait_closed()


async def test_a_ring_that_is_told_too_slowly_is_not_waited_for() -> None:
    async with Web(0, "127.0.0.1", public_url=PUBLIC, healthy=lambda: True, patience=0.01) as web:
        with web.expect() as bell:
            reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
            writer.write(f"POST {path(bell.url)} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode())
            assert b"408" in await reader.readline()

            writer.close()
            await writer.wait_closed()


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BotError, match=f"{port}.*WEB_PORT"):
            async with Web(port, "127.0.0.1", public_url=None, healthy=lambda: True):
                pass


async def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(BotError, match="WEB_HOST"):
        async with Web(0, "192.0.2.1", public_url=None, healthy=lambda: True):
            pass


async def test_nothing_is_laid_out_where_nobody_can_come() -> None:
    web = Web(0, "127.0.0.1", public_url=None, healthy=lambda: True)

    with pytest.raises(BotError, match="PUBLIC_URL"), web.expect():
        pass
    with pytest.raises(BotError, match="PUBLIC_URL"), web.publish(b"a", "audio/wav"):
        pass
