"""The transport layer of voice: RTP headers and the two rtpsize encryption modes. Knows no session and no DAVE.

Source: Discord's "Voice Connections" (Transport Encryption Modes), RFC 3550 5.1 and RFC 3711 3.1.
"""

import struct
from collections import deque
from dataclasses import dataclass

import nacl.exceptions
import nacl.secret
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

GCM = "aead_aes256_gcm_rtpsize"
XCHACHA = "aead_xchacha20_poly1305_rtpsize"

_NONCES_KEPT = 1 << 16
_FIXED_HEADER = 12
_NONCE = 4
_PAYLOAD_TYPE = 0x78


class TransportError(Exception):
    """A packet that is not RTP under this session's key."""


class NonceReusedError(TransportError):
    """A packet under a nonce that was used before with the same key."""


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet after transport decryption."""

    ssrc: int
    sequence: int
    timestamp: int
    payload: bytes


def packet_ssrc(datagram: bytes) -> int | None:
    """Return the SSRC of an RTP packet, None where it is too short to be one."""
    if len(datagram) < _FIXED_HEADER + _NONCE:
        return None
    return int.from_bytes(datagram[8:12], "big")


class Seal:
    """Owns one session's transport key and the nonces seen under it."""

    def __init__(self, mode: str, key: bytes) -> None:
        self._mode = mode
        self._gcm = AESGCM(key)
        self._xchacha = nacl.secret.Aead(key)
        self._seen: set[bytes] = set()
        self._order: deque[bytes] = deque()

    def open(self, datagram: bytes) -> Packet:
        """Decrypt an RTP packet. Raises TransportError, and NonceReusedError for a nonce used before."""
        csrcs, extended = datagram[0] & 0x0F, datagram[0] & 0x10
        size = _FIXED_HEADER + 4 * csrcs + (4 if extended else 0)
        if datagram[0] >> 6 != 2 or datagram[1] & 0x7F != _PAYLOAD_TYPE or len(datagram) < size + _NONCE:
            raise TransportError("not an RTP version 2 packet of payload type 0x78")
        header, nonce = datagram[:size], datagram[-_NONCE:]
        body = self._decrypt(header, datagram[size:-_NONCE], nonce)
        self._spend(nonce)
        if extended:
            body = body[4 * int.from_bytes(header[-2:], "big") :]
        sequence, timestamp, ssrc = struct.unpack_from(">HII", header, 2)
        return Packet(ssrc, sequence, timestamp, body)

    def _decrypt(self, header: bytes, sealed: bytes, nonce: bytes) -> bytes:
        try:
            if self._mode == GCM:
                return self._gcm.decrypt(nonce + bytes(8), sealed, header)
            return self._xchacha.decrypt(sealed, header, nonce + bytes(20))
        except (InvalidTag, nacl.exceptions.CryptoError, ValueError) as error:
            raise TransportError("the packet does not decrypt under the session's key") from error

    def _spend(self, nonce: bytes) -> None:
        if nonce in self._seen:
            raise NonceReusedError(f"nonce {nonce.hex()} was used before")
        self._seen.add(nonce)
        self._order.append(nonce)
        if len(self._order) > _NONCES_KEPT:
            self._seen.remove(self._order.popleft())
