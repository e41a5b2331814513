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
_HEAD_SIZE = ctypes.c_ulonglong(_HEAD)
LONGEST = 2048
"""Bytes of the longest payload: an Opus packet has at most 1,275 (RFC 6716), its end-to-end encryption adds less."""


class _Place:
    """Owns the room in which a thread seals, one datagram after the other.

    There is one for a thread and not for a channel, so that it stays in the processor's nearest memory.
    """

    def __init__(self) -> None:
        self.room = bytearray(_NONCE + _HEAD + LONGEST + _TAG + _COUNT.size)
        first = ctypes.addressof(ctypes.c_char.from_buffer(self.room))  # holds it to its size and place
        self.nonce = ctypes.c_void_p(first)
        self.start = ctypes.c_void_p(first + _NONCE)
        self.body = ctypes.c_void_p(first + _NONCE + _HEAD)
        self.payload_size = ctypes.c_ulonglong(0)


class _Thread(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.place = _Place()


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

    def seal(self, payloads: Sequence[bytes]) -> list[bytes]:
        """Make the datagrams of the next moments of 20 ms. Raises ValueError for a payload longer than `LONGEST`."""
        if max(map(len, payloads), default=0) > LONGEST:
            raise ValueError(f"a payload of more than {LONGEST} bytes is no Opus packet")
        key, ssrc, count, place = self._key, self._ssrc, self._packets, _THREAD.place
        room, body, start, nonce_at, payload_size = place.room, place.body, place.start, place.nonce, place.payload_size
        self._packets = count + len(payloads)
        sealed = []
        for payload in payloads:
            payload_size.value = size = len(payload)
            nonce = count & 0xFFFFFFFF
            timestamp = count * _SAMPLES & 0xFFFFFFFF
            count += 1
            _START.pack_into(room, 0, nonce, _VERSION, _OPUS, count & 0xFFFF, timestamp, ssrc)
            _COUNT.pack_into(room, _NONCE + _HEAD + size + _TAG, nonce)
            encrypt(body, None, payload, payload_size, start, _HEAD_SIZE, None, nonce_at, key)
            sealed.append(bytes(room[_NONCE : _NONCE + _HEAD + size + _TAG + _COUNT.size]))
        return sealed
