"""Opus packets as Discord's voice servers take them: RTP, sealed with the connection's key. Knows no socket.

Source: RFC 3550 for the header; Discord's "Voice Connections" for the mode `aead_xchacha20_poly1305_rtpsize`: the
header is authenticated, the payload sealed, and the 4 bytes of the nonce that count follow it.
"""

import ctypes
import struct
import threading
from collections.abc import Sequence

from bot.playback.native import encrypt

_START = struct.Struct(">I20xBBHII")
"""A nonce of 24 bytes, of which the first four count, and after it the header."""
_COUNT = struct.Struct(">I")
_VERSION, _OPUS = 0x80, 0x78
_SAMPLES = 960
"""By which the time of each packet of 20 ms is later, at 48 kHz."""
_NONCE, _HEAD, _TAG, _KEY = 24, 12, 16, 32
LONGEST = 2048
"""Bytes of the longest payload: an Opus packet has at most 1,275 (RFC 6716), its end-to-end encryption adds less."""


class Datagram:
    """Owns the room in which a thread seals, one datagram after the other; `bytes` takes a copy.

    There is one for a thread and not for a channel, so that it stays in the processor's nearest memory.
    """

    __slots__ = ("body", "header_size", "nonce", "payload_size", "room", "size", "start")

    def __init__(self) -> None:
        self.room = bytearray(_NONCE + _HEAD + LONGEST + _TAG + _COUNT.size)
        first = ctypes.addressof(ctypes.c_char.from_buffer(self.room))  # holds it to its size and place
        self.nonce = ctypes.c_void_p(first)
        self.start = ctypes.c_void_p(first + _NONCE)
        """Address of the datagram."""
        self.body = ctypes.c_void_p(first + _NONCE + _HEAD)
        self.size = ctypes.c_size_t(0)
        """Bytes of the datagram."""
        self.payload_size = ctypes.c_ulonglong(0)
        self.header_size = ctypes.c_ulonglong(_HEAD)

    def __bytes__(self) -> bytes:
        return bytes(self.room[_NONCE : _NONCE + self.size.value])


class _Thread(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.datagram = Datagram()


_THREAD = _Thread()


class RtpStream:
    """Owns the sequence, the time and the nonce of one connection. No nonce is used twice, whatever the key.

    Belongs to one thread at a time.
    """

    __slots__ = ("_key", "_packets", "_ssrc")

    def __init__(self) -> None:
        self._key = bytes(_KEY)
        self._ssrc = 0
        self._packets = 0

    def rekey(self, key: Sequence[int], ssrc: int) -> None:
        """Go on with another key (32 bytes) and source, as after joining again. Raises ValueError for no such key."""
        if len(key) != _KEY:
            raise ValueError(f"a transport key has {_KEY} bytes, not {len(key)}")
        self._key, self._ssrc = bytes(key), ssrc

    def seal(self, payload: bytes) -> Datagram:
        """Make the datagram of the next 20 ms, in the room of the one that this thread sealed before.

        Raises ValueError where the payload is longer than `LONGEST`.
        """
        size = len(payload)
        if size > LONGEST:
            raise ValueError(f"a payload of {size} bytes is no Opus packet")
        datagram, count = _THREAD.datagram, self._packets
        self._packets = sequence = count + 1
        nonce = count & 0xFFFFFFFF
        timestamp = count * _SAMPLES & 0xFFFFFFFF
        room = datagram.room
        _START.pack_into(room, 0, nonce, _VERSION, _OPUS, sequence & 0xFFFF, timestamp, self._ssrc)
        _COUNT.pack_into(room, _NONCE + _HEAD + size + _TAG, nonce)
        datagram.payload_size.value = size
        datagram.size.value = _HEAD + size + _TAG + _COUNT.size
        encrypt(
            datagram.body, None, payload, datagram.payload_size, datagram.start, datagram.header_size, None,
            datagram.nonce, self._key,
        )  # fmt: skip
        return datagram
