"""Frames between the bot and a worker: lengths, a JSON head, a body of bytes."""

import asyncio
import json
import struct
from dataclasses import asdict, dataclass
from typing import BinaryIO, Literal, Self

Verb = Literal["check", "clone", "speak", "stop", "busy", "sound", "profile", "done", "refused", "failed"]
_LENGTHS = struct.Struct(">II")
_MAX_BYTES = 256 * 1024 * 1024


class WireError(Exception):
    """What arrived is not a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message, either way."""

    request: int
    """Which request it belongs to."""
    verb: Verb
    text: str = ""
    """Text to speak, or the sentence of a refusal."""
    language: str = ""
    """BCP 47 code; empty: to be guessed."""
    body: bytes = b""
    """Sound (mono, signed 16 bit, little endian) or a profile."""

    def pack(self) -> tuple[bytes, bytes]:
        """Write the frame: lengths with the head, and the body as it is."""
        head = asdict(self)
        body = head.pop("body")
        packed = json.dumps(head).encode()
        return _LENGTHS.pack(len(packed), len(body)) + packed, body

    @classmethod
    def unpack(cls, head: bytes, body: bytes) -> Self:
        """Read the two parts of a frame. Raises `WireError`."""
        try:
            return cls(**json.loads(head), body=body)
        except (ValueError, TypeError) as error:
            raise WireError("the head of a frame cannot be read") from error


def _measure(lengths: bytes) -> tuple[int, int]:
    head, body = _LENGTHS.unpack(lengths)
    if head + body > _MAX_BYTES:
        raise WireError("a frame is too large")
    return head, body


def read_frame(stream: BinaryIO) -> Frame | None:
    """Read one frame, waiting for it; None at the end of the stream."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, body = _measure(lengths)
    packed, content = stream.read(head), stream.read(body)
    if len(packed) < head or len(content) < body:
        return None
    return Frame.unpack(packed, content)


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Write one frame and push it out."""
    stream.writelines(frame.pack())
    stream.flush()


async def receive_frame(reader: asyncio.StreamReader) -> Frame | None:
    """Read one frame from a pipe; None at its end."""
    try:
        head, body = _measure(await reader.readexactly(_LENGTHS.size))
        return Frame.unpack(await reader.readexactly(head), await reader.readexactly(body))
    except asyncio.IncompleteReadError:
        return None
