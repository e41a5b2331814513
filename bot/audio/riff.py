"""RIFF WAVE stripped to the two chunks that matter. Decodes nothing.

FFmpeg believes the sizes of the other chunks: a few bytes that claim gigabytes would take gigabytes of memory.
"""

import struct

MAGIC = (b"RIFF", b"RF64")
MOST_SHAPE = 4096


def is_wav(data: bytes) -> bool:
    """Tell RIFF WAVE by its first bytes."""
    return data[:4] in MAGIC and data[8:12] == b"WAVE"


def strip_wav(data: bytes) -> bytes:
    """Keep the shape and the sound of a WAVE file, with sizes that are true; empty where one of them is missing."""
    shape = b""
    position = 12
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        position += 8
        if name == b"data":
            return _write(shape, data, position, size) if shape else b""
        if name == b"fmt " and size <= MOST_SHAPE:
            shape = data[position : position + size]
        position += size + size % 2
    return b""


def _write(shape: bytes, data: bytes, position: int, size: int) -> bytes:
    """Put the file together; a size of nothing, or past the end, stands for all that is left."""
    left = len(data) - position
    length = size if 0 < size <= left else left
    odd = b"\0" * (len(shape) % 2)
    head = struct.pack("<4sI", b"fmt ", len(shape)) + shape + odd + struct.pack("<4sI", b"data", length)
    body = memoryview(data)[position : position + length]
    return b"".join((struct.pack("<4sI4s", b"RIFF", 4 + len(head) + length, b"WAVE"), head, body))
