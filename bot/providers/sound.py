"""Sound on its way from a service: what kind it is, told from its first bytes. Decodes nothing."""

import string
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from bot.errors import ProviderError
from bot.providers.base import AudioStream, Encoding
from bot.providers.faults import Account

_HEAD = 4
"""Bytes that tell."""
_PRINTABLE = frozenset(string.printable.encode())
_MOST_SOUND = 128_000_000


def sniff(head: bytes, *, asked: Encoding) -> Encoding | None:
    """Name the encoding of a stream that begins like this; None where it is no sound.

    Services name the same bytes differently, so what they call them is not asked.
    """
    if head.startswith(b"OggS"):
        return "ogg"
    if head.startswith(b"RIFF"):
        return "wav"
    if head.startswith(b"ID3"):
        return "mp3"
    if asked == "pcm":
        # quiet sound may begin with any byte, and is never written in letters
        written = _PRINTABLE.issuperset(head[:64]) and head.lstrip()[:1] in {b"{", b"[", b"<"}
        return None if written else "pcm"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "mp3"
    return None


def is_text(content_type: str) -> bool:
    """Say whether an answer calls itself text, which sound never does."""
    kind = content_type.partition(";")[0].strip().casefold()
    return kind.startswith("text/") or kind.endswith(("json", "xml", "msgpack"))


@asynccontextmanager
async def open_sound(
    chunks: AsyncGenerator[bytes], *, account: Account, asked: Encoding, rate: int
) -> AsyncIterator[AudioStream]:
    """Read until it is known what is coming; entered with nothing of it lost.

    Raises `ProviderError` for what is no sound, and for sound without end.
    """
    async with aclosing(chunks):
        head = b""
        async for chunk in chunks:
            head += chunk
            if len(head) >= _HEAD:
                break
        encoding = sniff(head, asked=asked) if len(head) >= _HEAD else None
        if encoding is None:
            raise account.fault("server")
        async with aclosing(_rejoin(head, chunks, account)) as sound:
            yield AudioStream(encoding=encoding, chunks=sound, rate=rate)


async def _rejoin(head: bytes, rest: AsyncGenerator[bytes], account: Account) -> AsyncGenerator[bytes]:
    size = len(head)
    yield head
    async for chunk in rest:
        size += len(chunk)
        if size > _MOST_SOUND:
            raise ProviderError(f"{account.label} sends without end: say it again.", kind="server")
        yield chunk
