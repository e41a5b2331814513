from collections.abc import AsyncGenerator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ProviderError
from bot.providers.base import Encoding
from bot.providers.faults import Account
from bot.providers.sound import is_text, open_sound, sniff

ACCOUNT = Account(label="Fish Audio", key_setting="FISH_API_KEY")


class Source:
    """Owns chunks on their way, and whether their way was closed."""

    def __init__(self, chunks: Iterable[bytes | Exception]) -> None:
        self._waiting = list(chunks)
        self.closed = False

    async def chunks(self) -> AsyncGenerator[bytes]:
        try:
            for chunk in self._waiting:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            self.closed = True


async def listen(source: Source, asked: Encoding = "mp3") -> tuple[Encoding, list[bytes]]:
    async with open_sound(source.chunks(), account=ACCOUNT, asked=asked, rate=44_100) as stream:
        return stream.encoding, [chunk async for chunk in stream.chunks]


@pytest.mark.parametrize(
    ("head", "asked", "encoding"),
    [
        (b"OggS\0\2", "ogg", "ogg"),
        (b"OggS\0\2", "mp3", "ogg"),
        (b"OggS\0\2", "pcm", "ogg"),
        (b"RIFF\xff\xff", "mp3", "wav"),
        (b"RIFF\xff\xff", "pcm", "wav"),
        (b"ID3\4", "wav", "mp3"),
        (b"\xff\xfb\x90\xc4", "mp3", "mp3"),
        (b"\xff\xf3\x90\xc4", "ogg", "mp3"),
        (b"\xff\xfb\x90\xc4", "pcm", "pcm"),
        (b"\0\0\0\0", "pcm", "pcm"),
        (b"{\0\5\0", "pcm", "pcm"),
        (b"  <\0", "pcm", "pcm"),
        (b"\0\0\0\0", "mp3", None),
        (b'{"message": "Invalid Token"}', "pcm", None),
        (b'\n[{"loc": []}]', "pcm", None),
        (b"<html>", "pcm", None),
        (b'{"message": "Invalid Token"}', "mp3", None),
        (b"<!doctype html>", "ogg", None),
        (b"\xff", "mp3", None),
        (b"\xff\x0f\0\0", "mp3", None),
    ],
)
def test_bytes_tell_what_is_coming(head: bytes, asked: Encoding, encoding: Encoding | None) -> None:
    assert sniff(head, asked=asked) == encoding


@pytest.mark.parametrize(
    "kind",
    ["text/html; charset=utf-8", "application/json", "application/problem+json", "TEXT/PLAIN", "application/xml"],
)
def test_text_calls_itself_text(kind: str) -> None:
    assert is_text(kind)


@pytest.mark.parametrize("kind", ["audio/mpeg", "audio/ogg; codecs=opus", "application/octet-stream", "", "audio/wav"])
def test_sound_does_not_call_itself_text(kind: str) -> None:
    assert not is_text(kind)


@given(st.lists(st.binary(min_size=1, max_size=6), max_size=12))
async def test_nothing_of_the_sound_is_lost(chunks: list[bytes]) -> None:
    source = Source([b"I", b"D", b"3", b"\4", *chunks])

    encoding, heard = await listen(source)

    assert encoding == "mp3"
    assert b"".join(heard) == b"ID3\4" + b"".join(chunks)
    assert all(heard)
    assert source.closed


@pytest.mark.parametrize("chunks", [[], [b"ID3"], [b"O", b"g"], [b'{"message": 1}'], [b"\0\0\0\0"]])
async def test_what_is_no_sound_is_a_failure_before_anything_is_heard(chunks: list[bytes]) -> None:
    source = Source(chunks)

    with pytest.raises(ProviderError) as caught:
        await listen(source)

    assert caught.value.kind == "server"
    assert source.closed


async def test_a_failure_comes_after_what_was_there() -> None:
    heard = bytearray()

    async def hear() -> None:
        source = Source([b"ID3\4", b"abc", ACCOUNT.broke_off()])
        async with open_sound(source.chunks(), account=ACCOUNT, asked="mp3", rate=44_100) as stream:
            async for chunk in stream.chunks:
                heard.extend(chunk)

    with pytest.raises(ProviderError, match="broke off"):
        await hear()

    assert heard == b"ID3\4abc"


async def test_leaving_early_closes_the_way() -> None:
    source = Source([b"ID3\4", b"abc"])

    async with open_sound(source.chunks(), account=ACCOUNT, asked="mp3", rate=44_100):
        assert not source.closed

    assert source.closed


async def test_sound_without_end_is_ended() -> None:
    portion = bytes(32_000_000)
    source = Source([b"ID3\4", *[portion] * 4])

    with pytest.raises(ProviderError, match="without end"):
        await listen(source)

    assert source.closed
