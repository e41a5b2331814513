"""Many datagrams handed to the system in one call, without Python's interpreter lock: Linux's asynchronous I/O.

A socket that does not block takes a datagram at once, so that nothing is pending when the call returns.
Source: io_setup(2), io_submit(2), io_getevents(2) and linux/aio_abi.h. The C library has no functions for these calls,
and no library of Python's submits the writes of many sockets as one.
"""

import ctypes
import errno
import logging
import platform
import struct
import sys
from mmap import mmap
from typing import Self

log = logging.getLogger(__name__)

_NUMBERS = {"x86_64": (206, 207, 209, 208), "aarch64": (0, 1, 2, 4)}
"""Of io_setup, io_destroy, io_submit and io_getevents."""
_SYSCALL = ctypes.CDLL(None, use_errno=True).syscall
_SYSCALL.restype = ctypes.c_long

_WRITE = 1
_EVENT = struct.Struct("<QQqq")
"""`struct io_event`: data, block, result, second result."""

_BLOCK = struct.Struct("<Q8xH2xiQQ24x")
"""`struct iocb`: data, operation, file, buffer and size; the rest is 0."""
BLOCK_SIZE = _BLOCK.size


def pack_write(room: mmap, number: int, file: int, address: int, size: int) -> None:
    """Describe a write as the block of that number in a row: its file's number, its bytes' address and count."""
    _BLOCK.pack_into(room, number * BLOCK_SIZE, number, _WRITE, file, address, size)


def unpack_write(room: mmap, number: int) -> tuple[int, int, int]:
    """Return the file's number, the address and the count of a write that was described."""
    _, _, file, address, size = _BLOCK.unpack_from(room, number * BLOCK_SIZE)
    return file, address, size


class Context:
    """Owns what the system needs to take up to `most` writes at once. Raises OSError where it does not do that."""

    @classmethod
    def open(cls, most: int) -> Self | None:
        """Make one; None where the system has no such thing, or forbids it."""
        try:
            return cls(most)
        except OSError as error:
            log.info("Packets are sent one by one: %s", error.strerror)
            return None

    def __init__(self, most: int) -> None:
        numbers = _NUMBERS.get(platform.machine())
        if sys.platform != "linux" or numbers is None or sys.maxsize < 1 << 32:  # where Python has 32 bits, others
            raise OSError(errno.ENOSYS, "this system has no asynchronous I/O as Linux has it")
        setup, self._destroy, self._submit, self._reap = numbers
        self._id = ctypes.c_ulong(0)
        if _SYSCALL(setup, ctypes.c_uint(most), ctypes.byref(self._id)) != 0:
            raise OSError(ctypes.get_errno(), "this system sets up no asynchronous I/O")
        events = bytearray(_EVENT.size * most)
        self._events = (ctypes.c_char * len(events)).from_buffer(events)
        self._numbers = memoryview(events).cast("Q")[0::4]
        self._results = memoryview(events).cast("q")[2::4]

    def close(self) -> None:
        """Give the system back what it set up."""
        _SYSCALL(self._destroy, self._id)

    def submit(self, blocks: "ctypes.Array[ctypes.c_void_p]", count: int) -> list[tuple[int, int]]:
        """Do the first `count` of these writes; tell the numbers of those that failed, and the errors' numbers."""
        failed: list[tuple[int, int]] = []
        done = 0
        while done < count:
            size = ctypes.sizeof(ctypes.c_void_p)
            taken = _SYSCALL(self._submit, self._id, ctypes.c_long(count - done), ctypes.byref(blocks, done * size))
            if taken > 0:
                done += taken
            else:  # the next one was not taken, as where its socket is closed
                failed.append((done, ctypes.get_errno()))
                done += 1
        return failed + self._collect(count - len(failed))

    def _collect(self, count: int) -> list[tuple[int, int]]:
        """Take back the results of so many writes; tell of those that failed."""
        failed: list[tuple[int, int]] = []
        while count > 0:
            came = _SYSCALL(self._reap, self._id, ctypes.c_long(count), ctypes.c_long(count), self._events, None)
            if came < 0 and ctypes.get_errno() != errno.EINTR:
                raise OSError(ctypes.get_errno(), "the system does not tell what became of packets")
            if came > 0 and min(self._results[:came]) < 0:
                told = zip(self._numbers[:came], self._results[:came], strict=True)
                failed += [(number, -result) for number, result in told if result < 0]
            count -= max(came, 0)
        return failed
