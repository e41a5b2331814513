"""Sealing and sending a packet in C, without letting go of Python's interpreter lock.

Sockets and PyNaCl let go of it for each call of 3 us, and a thread that did so gets it back only when the one that took
it has had its 5 ms: beside a busy event loop a packet took 2.7 ms so, and 20 us with these. The functions are the C
library's `send` and libsodium's, which PyNaCl carries; a test pins what is used of it.
"""

import ctypes
from typing import Final

from nacl import _sodium

_SODIUM = ctypes.PyDLL(_sodium.__file__)
_LIBC = ctypes.PyDLL(None, use_errno=True)

encrypt: Final = _SODIUM.crypto_aead_xchacha20poly1305_ietf_encrypt
"""libsodium's: out, NULL, message, its size, header, its size, NULL, nonce, key; what is no bytes is an address."""
encrypt.restype = ctypes.c_int
encrypt.argtypes = (
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_ulonglong,
    ctypes.c_void_p,
    ctypes.c_ulonglong,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_char_p,
)

send: Final = _LIBC.send
"""The system's: socket, datagram, its size, 0; below 0 where it was not sent, and then `ctypes.get_errno` says why."""
send.restype = ctypes.c_ssize_t
send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
