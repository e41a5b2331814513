"""The two ciphers that voice servers offer, with one interface: that of cryptography's `AESGCM`.

Source: Discord's "Voice Connections", Transport Encryption Modes: AES where the server has it, XChaCha20 always.
"""

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.playback.native import encrypt

AES, XCHACHA = "aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"

KEY = 32
"""Bytes of a key, whichever cipher it is for."""
_TAG = 16


class Cipher(Protocol):
    """Encrypts under one key, without letting go of Python's interpreter lock."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Return `data` encrypted, and a tag of 16 bytes that vouches for it and for `associated_data`."""


class XChaCha20Poly1305:
    """libsodium's, whose binding in PyNaCl lets go of the interpreter lock for each call of 1 us."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Return `data` encrypted, and a tag of 16 bytes; the nonce has 24."""
        sealed = ctypes.create_string_buffer(len(data) + _TAG)
        sizes = ctypes.c_ulonglong(len(data)), ctypes.c_ulonglong(len(associated_data))
        encrypt(sealed, None, data, sizes[0], associated_data, sizes[1], None, nonce, self._key)
        return sealed.raw


@dataclass(frozen=True, slots=True)
class Mode:
    """A transport encryption mode."""

    cipher: Callable[[bytes], Cipher]
    nonce: int
    """Bytes of a nonce, of which the first four count."""


MODES: Mapping[str, Mode] = {AES: Mode(AESGCM, nonce=12), XCHACHA: Mode(XChaCha20Poly1305, nonce=24)}
"""By Discord's name."""
