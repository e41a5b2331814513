"""What leaves in this moment: few datagrams at once, many by a thread that has them sent while others go on.

The system takes as long for a datagram as Python does. While it does so for a hundred of them, without the interpreter
lock, those of the next moment are encrypted.
"""

import logging
import socket
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from bot.playback.aio import Context
from bot.playback.batch import MOST, Batch, Put, Refused

log = logging.getLogger(__name__)

FEW = 16
"""Datagrams that are sent sooner than a thread is woken."""
SPARE = 3
"""Batches that may wait to be sent: more would only make late what is late already."""


class Outbox:
    """Owns the thread that sends, once there is a moment with many. `put` and `dispatch` belong to one thread."""

    put: Put
    """Add a datagram for a socket by its number; whoever put it is told if it is refused."""

    def __init__(self) -> None:
        self._filling = Batch(self._overflow)
        self.put = self._filling.put
        self._full: SimpleQueue[Batch | None] = SimpleQueue()
        self._empty: SimpleQueue[Batch] = SimpleQueue()
        self._context: Context | None = None
        self._tried = False
        """Whether the system was asked to take many at once."""
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def close(self) -> None:
        """Send what there is; then there is no thread any more."""
        self.dispatch()
        if self._context is not None:
            self._full.put(None)
            self._thread.join()
            self._context.close()
            self._context = None

    def retire(self, retired: socket.socket) -> None:
        """Close a socket once what was put before has left."""
        self._filling.retire(retired)

    def dispatch(self) -> None:
        """Send what was put, or have it sent after what was put before it."""
        filled = self._filling
        if filled.empty:
            return
        if len(filled) >= FEW and not self._tried:
            self._start()
        if self._context is None or (len(filled) < FEW and self._empty.qsize() == SPARE):
            _leave(filled.send)
            return
        self._full.put(filled)
        self._filling = self._empty.get()
        self.put = self._filling.put

    def _start(self) -> None:
        """Have many datagrams sent at once from now on, where the system does that."""
        self._tried = True
        self._context = Context.open(MOST)
        if self._context is not None:
            for _ in range(SPARE):
                self._empty.put(Batch(self._overflow))
            self._thread.start()

    def _overflow(self, sender: Refused, number: int, datagram: bytes) -> None:
        """Have those leave first that were put before."""
        self.dispatch()
        self.put(sender, number, datagram)

    def _run(self) -> None:
        while True:
            batch = self._full.get()
            if batch is None or self._context is None:
                return
            _leave(partial(batch.submit, self._context))
            self._empty.put(batch)


def _leave(send: Callable[[], None]) -> None:
    """Send; whatever fails must not end the thread, which belongs to every channel."""
    try:
        send()
    except Exception:
        log.exception("Packets were not sent")
