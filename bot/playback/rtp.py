"""Opus packets as Discord's voice servers take them: RTP, sealed with the connection's key. Knows no socket.

Source: RFC 3550 for the header; Discord's "Voice Connections" for the modes named `rtpsize`: the header is
authenticated, the payload sealed, and the 4 bytes of the nonce that count follow it.
"""

import struct
from collections.abc import Callable, Sequence

from bot.playback.ciphers import KEY, MODES

_HEADER = struct.Struct(">BBHII")
_COUNT = struct.Struct(">I")
_VERSION, _OPUS = 0x80, 0x78
_SAMPLES = 960
"""By which the time of each packet of 20 ms is later, at 48 kHz."""
LONGEST = 2048
"""Bytes of the longest payload: an Opus packet has at most 1,275 (RFC 6716), its end-to-end encryption adds less."""


class RtpStream:
    """Owns the sequence, the time and the nonce of one connection. No nonce is used twice, whatever the key."""

    __slots__ = ("_encrypt", "_packets", "_padding", "_ssrc")

    _encrypt: Callable[[bytes, bytes, bytes], bytes]
    _padding: bytes
    """What follows the count in a nonce."""
    _ssrc: int

    def __init__(self) -> None:
        self._packets = 0

    def rekey(self, mode: str, key: Sequence[int], ssrc: int) -> None:
        """Seal with another key (32 bytes) and source, as after joining again. Raises ValueError for no such key."""
        if len(key) != KEY:
            raise ValueError(f"a transport key has {KEY} bytes, not {len(key)}")
        self._encrypt = MODES[mode].cipher(bytes(key)).encrypt
        self._padding = bytes(MODES[mode].nonce - _COUNT.size)
        self._ssrc = ssrc

    def seal(self, payloads: Sequence[bytes]) -> list[bytes]:
        """Make the datagrams of the next moments of 20 ms. Raises ValueError for a payload longer than `LONGEST`."""
        if max(map(len, payloads), default=0) > LONGEST:
            raise ValueError(f"a payload of more than {LONGEST} bytes is no Opus packet")
        encrypt, padding, ssrc, number = self._encrypt, self._padding, self._ssrc, self._packets
        self._packets = number + len(payloads)
        sealed = []
        for payload in payloads:
            count = _COUNT.pack(number & 0xFFFFFFFF)
            timestamp = number * _SAMPLES & 0xFFFFFFFF
            number += 1
            header = _HEADER.pack(_VERSION, _OPUS, number & 0xFFFF, timestamp, ssrc)
            sealed.append(header + encrypt(count + padding, payload, header) + count)
        return sealed
