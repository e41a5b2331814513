"""Opus packets as Discord's voice servers take them: RTP, sealed with the connection's key. Knows no socket.

Source: RFC 3550 for the header; Discord's "Voice Connections" for the mode `aead_xchacha20_poly1305_rtpsize`: the
header is authenticated, the payload sealed, and the 4 bytes of the nonce that count follow it.
"""

import ctypes
import struct
from collections.abc import Sequence

from bot.playback.native import encrypt

_HEADER = struct.Struct(">BBHII")
_COUNT = struct.Struct(">I")
_VERSION, _OPUS = 0x80, 0x78
_SAMPLES = 960
"""By which the time of each packet of 20 ms is later, at 48 kHz."""
_HEAD, _TAG, _NONCE, _KEY = 12, 16, 24, 32
LONGEST = 2048
"""Bytes of the longest payload: an Opus packet has at most 1,275 (RFC 6716), its end-to-end encryption adds less."""


class RtpStream:
    """Owns the sequence, the time and the nonce of one connection. No nonce is used twice, whatever the key.

    Belongs to one thread at a time.
    """

    __slots__ = ("_datagram", "_key", "_nonce", "_nonce_at", "_packets", "_room_at", "_ssrc", "_view")

    def __init__(self) -> None:
        self._key = bytes(_KEY)
        self._ssrc = 0
        self._packets = 0
        self._datagram = bytearray(_HEAD + LONGEST + _TAG + _COUNT.size)
        self._view = memoryview(self._datagram)
        self._nonce = bytearray(_NONCE)
        # both are as long as their owner, and never resized
        self._room_at, self._nonce_at = _address(self._datagram), _address(self._nonce)

    def rekey(self, key: Sequence[int], ssrc: int) -> None:
        """Go on with another key (32 bytes) and source, as after joining again. Raises ValueError for no such key."""
        if len(key) != _KEY:
            raise ValueError(f"a transport key has {_KEY} bytes, not {len(key)}")
        self._key, self._ssrc = bytes(key), ssrc

    def seal(self, payload: bytes) -> bytes:
        """Make the datagram of the next 20 ms. Raises ValueError where the payload is longer than `LONGEST`."""
        size = len(payload)
        if size > LONGEST:
            raise ValueError(f"a payload of {size} bytes is no Opus packet")
        datagram, room, count = self._datagram, self._room_at, self._packets
        self._packets = sequence = count + 1
        end = _HEAD + size + _TAG
        timestamp = count * _SAMPLES & 0xFFFFFFFF
        _HEADER.pack_into(datagram, 0, _VERSION, _OPUS, sequence & 0xFFFF, timestamp, self._ssrc)
        _COUNT.pack_into(self._nonce, 0, count & 0xFFFFFFFF)
        _COUNT.pack_into(datagram, end, count & 0xFFFFFFFF)
        encrypt(room + _HEAD, None, payload, size, room, _HEAD, None, self._nonce_at, self._key)
        return bytes(self._view[: end + _COUNT.size])


def _address(room: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(room))
