import asyncio
import io
import struct

import pytest

from bot.providers.local.wire import Frame, WireError, read_frame, receive_frame, write_frame

FRAME = Frame(request=7, verb="speak", text="grüße 👋", language="de", body=b"\0\1\2")


def packed(frame: Frame) -> bytes:
    stream = io.BytesIO()
    write_frame(stream, frame)
    return stream.getvalue()


async def received(data: bytes) -> Frame | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await receive_frame(reader)


async def test_frame_arrives_as_it_was_sent() -> None:
    assert read_frame(io.BytesIO(packed(FRAME))) == FRAME
    assert await received(packed(FRAME)) == FRAME


@pytest.mark.parametrize("missing", [1, 4, 60])
async def test_frame_cut_short_is_the_end(missing: int) -> None:
    data = packed(FRAME)[:-missing]

    assert read_frame(io.BytesIO(data)) is None
    assert await received(data) is None


@pytest.mark.parametrize(
    "data", [struct.pack(">II", 2**31, 0), struct.pack(">II", 3, 0) + b"{,}", struct.pack(">II", 9, 0) + b'{"cat":1}']
)
async def test_what_is_not_a_frame_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        read_frame(io.BytesIO(data))
    with pytest.raises(WireError):
        await received(data)
