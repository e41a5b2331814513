"""Encrypting a packet and sending it in C, without letting go of Python's interpreter lock.

Sockets and PyNaCl let go of it for each call of 3 us, and a thread that did so gets it back only when the one that took
it has had its 5 ms: beside a busy event loop a packet took 2.7 ms so, and 20 us with these. The functions are the C
library's `send` and libsodium's, which PyNaCl carries; a test pins what is used of it.

They declare no argument types, because converting each argument anew took as long as sealing: whoever calls them hands
in ctypes objects, `bytes`, or None. A plain int is passed as a C int.
"""

import ctypes
from typing import Final

from nacl import _sodium

_SODIUM = ctypes.PyDLL(_sodium.__file__)
_LIBC = ctypes.PyDLL(None, use_errno=True)

encrypt: Final = _SODIUM.crypto_aead_xchacha20poly1305_ietf_encrypt
"""libsodium's: out, NULL, message, its size, header, its size, NULL, nonce, key.

Addresses are `c_void_p`, sizes `c_ulonglong`, message and key `bytes`.
"""
encrypt.restype = ctypes.c_int

send: Final = _LIBC.send
"""The system's: socket, datagram (`c_void_p`), its size (`c_size_t`), 0.

Below 0 where it was not sent, and then `ctypes.get_errno` says why.
"""
send.restype = ctypes.c_ssize_t
