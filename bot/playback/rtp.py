"""Opus packets as Discord's voice servers take them: RTP, sealed with the connection's key. Knows no socket.

Source: RFC 3550 for the header; Discord's "Voice Connections" for the mode `aead_xchacha20_poly1305_rtpsize`: the
header is authenticated, the payload sealed, and the 4 bytes of the nonce that count follow it.
"""

import struct
from collections.abc import Sequence

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

_HEADER = struct.Struct(">BBHII")
_COUNT = struct.Struct(">I")
_VERSION, _OPUS = 0x80, 0x78
_SAMPLES = 960
"""By which the time of each packet of 20 ms is later, at 48 kHz."""
_ZEROES = bytes(20)


class RtpStream:
    """Owns the sequence, the time and the nonce of one connection. No nonce is used twice, whatever the key."""

    __slots__ = ("_key", "_nonce", "_sequence", "_ssrc", "_timestamp")

    def __init__(self) -> None:
        self._key = b""
        self._ssrc = 0
        self._sequence = 0
        self._timestamp = 0
        self._nonce = 0

    def rekey(self, key: Sequence[int], ssrc: int) -> None:
        """Go on with another key (32 bytes) and source, as after joining again."""
        self._key, self._ssrc = bytes(key), ssrc

    def seal(self, payload: bytes) -> bytes:
        """Make the datagram of the next 20 ms."""
        self._sequence = self._sequence + 1 & 0xFFFF
        header = _HEADER.pack(_VERSION, _OPUS, self._sequence, self._timestamp, self._ssrc)
        self._timestamp = self._timestamp + _SAMPLES & 0xFFFFFFFF
        count = _COUNT.pack(self._nonce)
        self._nonce = self._nonce + 1 & 0xFFFFFFFF
        return header + crypto_aead_xchacha20poly1305_ietf_encrypt(payload, header, count + _ZEROES, self._key) + count
