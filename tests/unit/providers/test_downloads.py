"""Result links are fetched from a real server behind TLS; what must not be asked is looked for in what it was asked."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from bot.errors import ProviderError
from bot.providers.addresses import PublicResolver
from bot.providers.base import Encoding
from bot.providers.downloads import Downloads
from bot.providers.faults import Account
from bot.providers.patience import Patience
from tests.unit.providers.far_end import SOUND, Answer, Cdn, Names

ACCOUNT = Account(label="Ace Data Cloud", key_setting="ACEDATA_API_KEY")
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0)


def sound(data: bytes = SOUND, content_type: str = "audio/mpeg") -> Answer:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=data, content_type=content_type)

    return answer


def status(code: int, **headers: str) -> Answer:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


def to(location: str, code: int = 302) -> Answer:
    return status(code, Location=location)


def cut(data: bytes, *, length: int) -> Answer:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg", "Content-Length": str(length)})
        await response.prepare(request)
        await response.write(data)
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


@pytest.fixture
async def cdn() -> AsyncIterator[Cdn]:
    async with Cdn() as server:
        yield server


@pytest.fixture
async def downloads(cdn: Cdn) -> AsyncIterator[Downloads]:
    async with Downloads(cdn.connector(), patience=QUICK) as opened:
        yield opened


async def fetch(downloads: Downloads, url: str, asked: Encoding = "mp3") -> tuple[Encoding, bytes]:
    async with downloads.open(url, account=ACCOUNT, asked=asked) as stream:
        return stream.encoding, b"".join([chunk async for chunk in stream.chunks])


async def listen(downloads: Downloads, url: str, heard: bytearray) -> None:
    async with downloads.open(url, account=ACCOUNT, asked="mp3") as stream:
        async for chunk in stream.chunks:
            heard += chunk


async def failure(downloads: Downloads, url: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await fetch(downloads, url)
    assert caught.value.__cause__ is None
    assert "SECRET" not in str(caught.value)
    assert "example.com" not in str(caught.value)
    return caught.value


async def test_sound_comes_as_it_was_laid_out(downloads: Downloads, cdn: Cdn) -> None:
    assert await fetch(downloads, cdn.answer("/a.mp3", sound())) == ("mp3", SOUND)


async def test_a_link_is_followed_as_it_was_signed(downloads: Downloads, cdn: Cdn) -> None:
    cdn.answer("/a/b~c.mp3", sound())

    await fetch(downloads, "https://cdn.example.com/a/b%7Ec.mp3?X-Sig=a%2Fb%7e+c%3D&x=~")

    assert cdn.asked[0].path_qs == "/a/b%7Ec.mp3?X-Sig=a%2Fb%7e+c%3D&x=~"


async def test_a_link_with_spaces_is_spelled_as_a_link_must_be(downloads: Downloads, cdn: Cdn) -> None:
    cdn.answer("/my voice é.mp3", sound())

    assert await fetch(downloads, " https://cdn.example.com/my voice é.mp3\n") == ("mp3", SOUND)


async def test_bytes_tell_what_it_is_and_not_the_name(downloads: Downloads, cdn: Cdn) -> None:
    link = cdn.answer("/a.mp3", sound(b"RIFF" + bytes(100), "audio/mpeg"))

    assert (await fetch(downloads, link))[0] == "wav"


async def test_nothing_of_ours_is_sent_along(downloads: Downloads, cdn: Cdn) -> None:
    link = cdn.answer("/a.mp3", status(302, Location="https://mirror.example.com/b.mp3", Set_Cookie="id=1; Path=/"))
    cdn.answer("/b.mp3", sound())

    await fetch(downloads, link)
    await fetch(downloads, link)

    names = {name.casefold() for request in cdn.asked for name in request.headers}
    assert cdn.paths == ["/a.mp3", "/b.mp3"] * 2
    assert names == {"host", "user-agent", "accept", "accept-encoding"}


async def test_what_is_packed_is_not_unpacked(downloads: Downloads, cdn: Cdn) -> None:
    async def packed(request: web.BaseRequest) -> web.Response:
        return web.Response(body=SOUND, headers={"Content-Type": "audio/mpeg", "Content-Encoding": "gzip"})

    assert await fetch(downloads, cdn.answer("/a.mp3", packed)) == ("mp3", SOUND)
    assert cdn.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_three_times(downloads: Downloads, cdn: Cdn, code: int) -> None:
    link = cdn.answer("/1", to("https://mirror.example.com/2", code))
    cdn.answer("/2", to("/dir/3", code))
    cdn.answer("/dir/3", to("4?x=%7e", code))
    cdn.answer("/dir/4", sound())

    assert (await fetch(downloads, link))[1] == SOUND
    assert [(each.host, each.path_qs) for each in cdn.asked[1:]] == [
        ("mirror.example.com", "/2"),
        ("mirror.example.com", "/dir/3"),
        ("mirror.example.com", "/dir/4?x=%7e"),
    ]


async def test_a_loop_of_redirects_ends(downloads: Downloads, cdn: Cdn) -> None:
    link = cdn.answer("/1", to("/2"))
    cdn.answer("/2", to("/1"))

    error = await failure(downloads, link)

    assert (error.kind, error.retryable) == ("server", False)
    assert cdn.paths == ["/1", "/2", "/1", "/2"]


BAD = [
    "http://cdn.example.com/b",
    "ftp://cdn.example.com/b",
    "file:///etc/passwd",
    "data:audio/mpeg;base64,SUQz",
    "https://user@cdn.example.com/b",
    "https://:pass@cdn.example.com/b",
    "https://@cdn.example.com/b",
    "https://cdn.example.com:8443/b",
    "https://cdn.example.com:0/b",
    "https://cdn.example.com:99999/b",
    "https://",
    "https:///b",
    "https://127.0.0.1/b",
    "https://127.1/b",
    "https://0x7f.1/b",
    "https://0177.0.0.1/b",
    "https://2130706433/b",
    "https://１２７.０.０.１/b",
    "https://%31%32%37.0.0.1/b",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/b",
    "https://[fe80::1%25lo]/b",
    "https://[::ffff:127.0.0.1]/b",
    "https://[::ffff:7f00:1]/b",
    "https://[64:ff9b::7f00:1]/b",
    "https://[2002:7f00:1::]/b",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/b",
    "https://[::1/b",
    "https://cdn.example.com\\@127.0.0.1/b",
    f"https://{'a' * 64}.example.com/b",
    f"https://{'é' * 64}.example.com/b",
]


@pytest.mark.parametrize("link", [*BAD, "", "/b", "cdn.example.com/b", "//cdn.example.com/b"])
async def test_a_link_that_must_not_be_followed_is_not(downloads: Downloads, cdn: Cdn, link: str) -> None:
    error = await failure(downloads, link)

    assert (error.kind, error.retryable) == ("server", False)
    assert (cdn.asked, cdn.names.asked) == ([], [])


async def test_a_name_that_cannot_be_looked_up_is_a_dead_link(cdn: Cdn) -> None:
    class Strict(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            raise UnicodeError("label too long")

    async with Downloads(cdn.connector(Strict({})), patience=QUICK) as downloads:
        error = await failure(downloads, "https://cdn.example.com/b")

    assert (error.kind, error.retryable) == ("server", False)


@pytest.mark.parametrize(
    "location",
    [*[bad for bad in BAD if bad.isascii() and not bad.endswith(("//", "///b"))], "//127.0.0.1/b", "//[::1]/b"],
)
async def test_a_redirect_that_must_not_be_followed_is_not(downloads: Downloads, cdn: Cdn, location: str) -> None:
    error = await failure(downloads, cdn.answer("/a", to(location)))

    assert (error.kind, error.retryable) == ("server", False)
    assert (cdn.paths, cdn.names.asked) == (["/a"], ["cdn.example.com"])


@pytest.mark.parametrize("code", [300, 302, 304, 401, 403, 404, 410])
async def test_a_link_that_is_gone_is_not_asked_for_again(downloads: Downloads, cdn: Cdn, code: int) -> None:
    error = await failure(downloads, cdn.answer("/a", status(code), sound()))

    assert (error.kind, error.retryable) == ("server", False)
    assert str(code) in str(error)
    assert len(cdn.asked) == 1


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503])
async def test_what_may_pass_is_asked_again(downloads: Downloads, cdn: Cdn, code: int) -> None:
    link = cdn.answer("/a", status(code), status(code, Retry_After="0"), sound())

    assert (await fetch(downloads, link))[1] == SOUND
    assert len(cdn.asked) == 3


async def test_what_does_not_pass_is_given_up(downloads: Downloads, cdn: Cdn) -> None:
    error = await failure(downloads, cdn.answer("/a", status(503)))

    assert (error.kind, len(cdn.asked)) == ("server", QUICK.attempts)


async def test_a_wait_that_is_too_long_is_not_waited(downloads: Downloads, cdn: Cdn) -> None:
    error = await failure(downloads, cdn.answer("/a", status(429, Retry_After="3600")))

    assert (error.kind, error.retry_after, len(cdn.asked)) == ("rate_limited", 3600, 1)


@pytest.mark.parametrize(
    "page",
    [
        sound(b"<html>sorry</html>", "text/html"),
        sound(b'{"error": 1}', "application/octet-stream"),
        sound(b"ID"),
        sound(b""),
    ],
)
async def test_a_page_that_is_no_sound_is_a_failure(downloads: Downloads, cdn: Cdn, page: Answer) -> None:
    assert (await failure(downloads, cdn.answer("/a", page))).kind == "server"


async def test_a_download_cut_in_the_middle_is_heard_so_far_and_not_repeated(downloads: Downloads, cdn: Cdn) -> None:
    link = cdn.answer("/a", cut(SOUND[:5000], length=len(SOUND)))
    heard = bytearray()

    with pytest.raises(ProviderError, match="broke off") as caught:
        await listen(downloads, link, heard)

    assert (caught.value.kind, heard, len(cdn.asked)) == ("network", SOUND[:5000], 1)


async def test_a_download_cut_before_anything_was_heard_is_asked_again(downloads: Downloads, cdn: Cdn) -> None:
    link = cdn.answer("/a", cut(b"", length=100), cut(b"I", length=100), sound())

    assert (await fetch(downloads, link))[1] == SOUND


async def test_a_download_without_end_is_ended(cdn: Cdn) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        while not cdn.closing.is_set():
            await response.write(SOUND)
        return response

    heard = bytearray()
    link = cdn.answer("/a", endless)
    async with Downloads(cdn.connector(), patience=QUICK, most=100_000) as downloads:
        with pytest.raises(ProviderError) as caught:
            await listen(downloads, link, heard)

    assert caught.value.kind == "too_large"
    assert len(heard) <= 100_000


async def test_a_download_that_calls_itself_too_large_is_not_begun(downloads: Downloads, cdn: Cdn) -> None:
    error = await failure(downloads, cdn.answer("/a", cut(SOUND, length=10_000_000_000)))

    assert (error.kind, len(cdn.asked)) == ("too_large", 1)


async def test_a_server_that_says_nothing_is_not_waited_for(cdn: Cdn) -> None:
    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        await cdn.closing.wait()
        return web.Response()

    async with Downloads(cdn.connector(), patience=Patience(first_byte=0.2, attempts=2, base=0.001)) as downloads:
        error = await failure(downloads, cdn.answer("/a", silent))

    assert (error.kind, error.retryable) == ("network", True)


@pytest.mark.parametrize("said", [b"", SOUND])
async def test_a_server_that_stops_talking_is_not_waited_for(cdn: Cdn, said: bytes) -> None:
    async def stops(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        await response.write(said)
        await cdn.closing.wait()
        return response

    hasty = Patience(first_byte=0.2 if not said else 60, between=0.02, attempts=1)
    async with Downloads(cdn.connector(), patience=hasty) as downloads:
        error = await failure(downloads, cdn.answer("/a", stops))

    assert error.kind == "network"


async def test_a_server_that_drips_is_not_waited_for_in_all(cdn: Cdn) -> None:
    async def drips(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        while not cdn.closing.is_set():
            await response.write(SOUND[:10])
            await asyncio.sleep(0.01)
        return response

    link = cdn.answer("/a", drips)
    async with Downloads(cdn.connector(), patience=Patience(attempts=1), longest=0.3) as downloads:
        error = await failure(downloads, link)

    assert error.kind == "network"


async def test_what_the_listener_takes_is_not_counted(cdn: Cdn) -> None:
    async with (
        Downloads(cdn.connector(), patience=QUICK, longest=1.0) as downloads,
        downloads.open(cdn.answer("/a", sound(SOUND * 30)), account=ACCOUNT, asked="mp3") as stream,
    ):
        heard = b""
        async for chunk in stream.chunks:
            heard += chunk
            await asyncio.sleep(1.05 if heard == chunk else 0)

    assert heard == SOUND * 30


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["1.1.1.1", "127.0.0.1"]])
async def test_a_name_that_leads_inside_is_not_followed(cdn: Cdn, addresses: list[str]) -> None:
    link = cdn.answer("/a", sound())
    inside = Names({"cdn.example.com": addresses}, port=cdn.names.port)

    async with Downloads(cdn.connector(PublicResolver(inside)), patience=QUICK) as downloads:
        error = await failure(downloads, link)

    assert (error.kind, error.retryable) == ("server", False)
    assert (cdn.asked, inside.asked) == ([], ["cdn.example.com"])


async def test_the_connector_of_its_own_does_not_lead_inside() -> None:
    async with Downloads(patience=QUICK) as downloads:
        error = await failure(downloads, "https://localhost/a")

    assert (error.kind, error.retryable) == ("server", False)


async def test_a_name_that_does_not_exist_is_a_fault_of_the_network(downloads: Downloads, cdn: Cdn) -> None:
    error = await failure(downloads, "https://gone.example.com/a?SECRET")

    assert (error.kind, error.retryable) == ("network", True)


async def test_a_server_whose_certificate_nobody_vouches_for_is_not_asked(cdn: Cdn) -> None:
    async with Cdn() as stranger:
        link = stranger.answer("/a", sound())
        cdn.names.port = stranger.names.port
        async with Downloads(cdn.connector(), patience=QUICK) as downloads:
            error = await failure(downloads, link)

        assert (error.kind, stranger.asked) == ("network", [])


async def test_links_are_in_no_log_and_no_traceback(
    downloads: Downloads, cdn: Cdn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    links = [
        cdn.answer("/1", status(500)),
        cdn.answer("/2", to("https://127.0.0.1/?SECRET")),
        cdn.answer("/3", cut(b"", length=10)),
        cdn.answer("/4", status(404)),
        "https://gone.example.com/a?SECRET",
        "https://cdn.example.com:x/?SECRET",
    ]

    for link in links:
        try:
            await fetch(downloads, link)
        except ProviderError:
            logging.getLogger("bot").exception("failed")

    assert caplog.text.count("Traceback") == len(links)
    assert "SECRET" not in caplog.text
    assert "example.com" not in caplog.text


async def test_leaving_early_ends_the_download(cdn: Cdn) -> None:
    ended = asyncio.Event()

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        try:
            while True:
                await response.write(SOUND)
        finally:
            ended.set()

    link = cdn.answer("/a", endless)
    async with Downloads(cdn.connector(), patience=QUICK) as downloads:
        async with downloads.open(link, account=ACCOUNT, asked="mp3") as stream:
            heard = await anext(aiter(stream.chunks))
        async with asyncio.timeout(5):
            await ended.wait()
        assert await fetch(downloads, cdn.answer("/b", sound())) == ("mp3", SOUND)
    assert heard.startswith(SOUND[:16])
    assert cdn.paths == ["/a", "/b"]


async def test_downloads_must_be_open() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await fetch(Downloads(), "https://cdn.example.com/a")
