"""Ogg: pages, the packets laced into them, and Opus in it. Decodes no sound.

Sources: RFC 3533 for pages and lacing, RFC 7845 for Opus headers, granule positions and trimming.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.audio.opus import FRAME, PRE_SKIP, OpusHead, packet_samples
from bot.errors import SampleError

MAGIC = b"OggS"
CONTINUED, FIRST, LAST = 1, 2, 4
PACKETS_A_PAGE = 50
"""One second: what a player must have read to begin."""

_PAGE = struct.Struct("<4sBBqIIIB")
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class OggPacket(NamedTuple):
    """One packet of one logical stream."""

    data: bytes
    serial: int
    first: bool
    """It opens its stream."""
    last: bool
    """Its page is marked as the last of its stream."""


@dataclass(slots=True)
class _Lane:
    """What is known of one logical stream."""

    sequence: int
    partial: bytearray | None = None
    """A packet that goes on in the next page; None where its beginning was lost."""
    ended: bool = False


@dataclass(slots=True)
class OggReader:
    """Finds packets in bytes that come in any portions. Owns what is unfinished.

    Damaged pages (RFC 3533 section 6: the checksum) and bytes that are no page are passed over.
    """

    _buffer: bytearray = field(default_factory=bytearray)
    _lanes: dict[int, _Lane] = field(default_factory=dict)
    skipped: int = 0
    """Bytes passed over so far."""

    def feed(self, data: bytes) -> Iterator[OggPacket]:
        """Take the next bytes and give the packets that are whole."""
        self._buffer += data
        start = 0
        while (size := self._page_size(start)) is not None:
            if size and _checksum(self._buffer[start : start + size]):
                yield from self._open_page(bytes(self._buffer[start : start + size]))
                start += size
                continue
            found = self._buffer.find(MAGIC, start + 1)
            next_start = found if found >= 0 else max(start + 1, len(self._buffer) - len(MAGIC) + 1)
            self.skipped += next_start - start
            start = next_start
        del self._buffer[:start]

    @property
    def cut(self) -> bool:
        """Whether the bytes so far end in the middle of a page or a packet."""
        return bool(self._buffer) or any(lane.partial and not lane.ended for lane in self._lanes.values())

    def _page_size(self, start: int) -> int | None:
        """Tell the size of the page at `start`: 0 where there is no page, None where more bytes are needed."""
        have = len(self._buffer) - start
        if have <= 0:
            return None
        if not self._buffer.startswith(MAGIC[: min(have, 4)], start):
            return 0
        if have < _PAGE.size:
            return None
        segments = self._buffer[start + _PAGE.size - 1]
        if have < _PAGE.size + segments:
            return None
        table = self._buffer[start + _PAGE.size : start + _PAGE.size + segments]
        size = _PAGE.size + segments + sum(table)
        return size if have >= size else None

    def _open_page(self, page: bytes) -> Iterator[OggPacket]:
        _, _, flags, _, serial, sequence, _, segments = _PAGE.unpack_from(page)
        lane = self._lanes.get(serial)
        opens = bool(flags & FIRST)
        if lane is None or opens:
            lane = self._lanes[serial] = _Lane(sequence, bytearray())
        elif sequence != lane.sequence:
            lane.partial = None
        lane.sequence = (sequence + 1) & 0xFFFFFFFF
        lane.ended = bool(flags & LAST)
        if not flags & CONTINUED:
            lane.partial = bytearray()
        yield from _unlace(page, segments, lane, serial=serial, opens=opens)


def _unlace(page: bytes, segments: int, lane: _Lane, *, serial: int, opens: bool) -> Iterator[OggPacket]:
    position = _PAGE.size + segments
    last = lane.ended
    for length in page[_PAGE.size : position]:
        part = page[position : position + length]
        position += length
        if length == 255:
            if lane.partial is not None:
                lane.partial += part
            continue
        if lane.partial is not None:
            data = bytes(lane.partial) + part if lane.partial else part
            yield OggPacket(data, serial, opens, last)
        opens = False
        if lane.partial is None or lane.partial:
            lane.partial = bytearray()


def read_ogg(data: bytes) -> list[bytes]:
    """Take the Opus packets out of an Ogg file.

    Raises SampleError where it holds none, or any of another duration than 20 ms.
    """
    packets: list[bytes] = []
    headers: dict[int, int] = {}
    for packet in OggReader().feed(data):
        if packet.first and OpusHead.parse(packet.data):
            headers[packet.serial] = 2
        left = headers.get(packet.serial, -1)
        if left > 0:
            headers[packet.serial] = left - 1
        elif left == 0 and packet.data:
            packets.append(packet.data)
    if not packets or any(packet_samples(packet) != FRAME for packet in packets):
        raise SampleError("That file is not Ogg Opus in packets of 20 ms: record it again.")
    return packets


def write_ogg(packets: Sequence[bytes], *, samples: int | None = None, pre_skip: int = PRE_SKIP) -> bytes:
    """Write 20 ms packets as an Ogg Opus file.

    `samples` is the length meant to be heard, at 48 kHz: what the last packet holds beyond it is trimmed by the player
    (RFC 7845 section 4.4). Left out, everything is heard.
    """
    serial = zlib.crc32(b"".join(packets[:PACKETS_A_PAGE]))
    end = len(packets) * FRAME
    if samples is not None:
        end = max(end - FRAME + 1, min(end, samples + pre_skip))
    tags = b"OpusTags" + struct.pack("<I", 5) + b"mynah" + struct.pack("<I", 0)
    bodies = [packets[start : start + PACKETS_A_PAGE] for start in range(0, len(packets), PACKETS_A_PAGE)]
    pages = [_write_page([OpusHead(pre_skip=pre_skip).pack()], FIRST, 0, serial, 0)]
    pages.append(_write_page([tags], 0 if bodies else LAST, 0, serial, 1))
    for number, body in enumerate(bodies):
        last = number == len(bodies) - 1
        granule = end if last else (number + 1) * PACKETS_A_PAGE * FRAME
        pages += _lace(body, granule, serial, sequence=len(pages), last=last)
    return b"".join(pages)


def _lace(packets: Sequence[bytes], granule: int, serial: int, *, sequence: int, last: bool) -> list[bytes]:
    """Write packets that end at `granule` on as few pages as their lacing values allow."""
    pages: list[bytes] = []
    body: list[bytes] = []
    room = 255
    for number, packet in enumerate(packets):
        need = len(packet) // 255 + 1
        if need > room:
            before = granule - (len(packets) - number) * FRAME
            pages.append(_write_page(body, 0, before, serial, sequence + len(pages)))
            body, room = [], 255
        body.append(packet)
        room -= need
    pages.append(_write_page(body, LAST if last else 0, granule, serial, sequence + len(pages)))
    return pages


def _write_page(packets: Sequence[bytes], flags: int, granule: int, serial: int, sequence: int) -> bytes:
    table = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    head = _PAGE.pack(MAGIC, 0, flags, granule, serial, sequence, 0, len(table))
    page = head + table + b"".join(packets)
    return page[:22] + struct.pack("<I", _crc(page)) + page[26:]


def _checksum(page: bytearray) -> bool:
    claimed = int.from_bytes(page[22:26], "little")
    page[22:26] = b"\0\0\0\0"
    return _crc(bytes(page)) == claimed


def _crc(page: bytes) -> int:
    """Compute the CRC of RFC 3533: zlib's polynomial, but neither reflected nor inverted."""
    reflected = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED), "big")
