"""What leaves in each moment: few datagrams at once, many by a thread that has them sent while others go on.

Whoever has packets that follow each other puts them all, and is not asked again before they have left. The system takes
as long for a datagram as Python does. While it does so for a hundred of them, without the interpreter lock, those of
moments to come are encrypted.
"""

import errno
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Protocol

from bot.playback.aio import Context
from bot.playback.batch import MOST, Batch, Refused

log = logging.getLogger(__name__)

PHASES = 8
"""Moments in 20 ms, over which channels are spread, so that their packets do not all fall due at once."""
AT_ONCE = 8
"""Datagrams that may be put together: by 140 ms what is paused ends later."""
FEW = 16
"""Datagrams that are sent sooner than a thread is woken."""
SPARE = 3
"""Batches that may wait to be sent: more would only make late what is late already."""

MOMENTS = PHASES * AT_ONCE
"""For which something may be put, the next one included."""


class Sender(Refused, Protocol):
    """Whoever puts datagrams."""

    def take_back(self) -> None:
        """Withdraw what was put and has not left."""


class Outbox:
    """Owns the moments to come, and the thread that sends, once there is a moment with many.

    All but `recall` belongs to one thread.
    """

    def __init__(self) -> None:
        self.moment = 0
        """The one that is next, of those there ever were."""
        self._last = -1
        """The last moment of the 20 ms of the last datagram, or in which something is closed."""
        self._moments: list[Batch | None] = [None] * MOMENTS
        self._spare: list[Batch] = []
        self._away = 0
        """Batches that the thread has."""
        self._full: SimpleQueue[Batch | None] = SimpleQueue()
        self._sent: SimpleQueue[Batch] = SimpleQueue()
        self._recalled: set[Sender] = set()
        self._context: Context | None = None
        self._tried = False
        """Whether the system was asked to take many at once."""
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    @property
    def waiting(self) -> bool:
        """Whether the time of what was put is not over yet."""
        return self._last >= self.moment

    def close(self) -> None:
        """Send what there is; then there is no thread any more."""
        while self.waiting:
            self.dispatch()
        if self._context is not None:
            self._full.put(None)
            self._thread.join()
            self._context.close()
            self._context = None

    def put(self, sender: Refused, number: int, datagrams: Sequence[bytes]) -> None:
        """Have up to `AT_ONCE` datagrams leave by the socket with this number, from this moment on one in each 20 ms.

        Where too many leave in a moment, it is the next; a sender is told of those that were refused.
        """
        moment = self.moment
        self._last = max(self._last, moment + len(datagrams) * PHASES - 1)
        for datagram in datagrams:
            if not self._batch(moment).put(sender, number, datagram):
                self._delay(moment, sender, number, datagram)
            moment += PHASES

    def withdraw(self, sender: Refused, moment: int) -> bytes | None:
        """Take back what a sender put for a moment to come, None where there is nothing of it."""
        batch = self._moments[moment % MOMENTS]
        return batch.withdraw(sender) if batch is not None else None

    def recall(self, sender: Sender) -> None:
        """Have a sender take back what has not left, before more does. From any thread."""
        self._recalled.add(sender)

    def retire(self, retired: socket.socket) -> None:
        """Close a socket once what was put before has left."""
        self._last = max(self._last, self.moment)
        self._batch(self._last).retire(retired)

    def dispatch(self) -> int:
        """Send what is to leave in this moment, or have it sent after what left before it; tell how many those are."""
        while self._recalled:
            self._recalled.pop().take_back()
        at = self.moment % MOMENTS
        self.moment += 1
        filled = self._moments[at]
        if filled is None:
            return 0
        self._moments[at] = None
        count = len(filled)
        if count >= FEW and not self._tried:
            self._start()
        self._reclaim()
        if self._context is None or (count < FEW and not self._away):
            _leave(filled.send)
            self._spare.append(filled)
        else:
            self._full.put(filled)
            self._away += 1
        return count

    def _batch(self, moment: int) -> Batch:
        at = moment % MOMENTS
        batch = self._moments[at]
        if batch is None:
            batch = self._moments[at] = self._spare.pop() if self._spare else Batch()
        return batch

    def _delay(self, full: int, sender: Refused, number: int, datagram: bytes) -> None:
        """Have a datagram leave in one of the moments after one that is full, before that sender's next one."""
        for moment in range(full + 1, full + PHASES):
            if self._batch(moment).put(sender, number, datagram):
                return
        sender.refuse(errno.ENOBUFS)

    def _reclaim(self) -> None:
        """Take back batches that were sent, and wait for one where too many were not."""
        while self._away and (self._away == SPARE or not self._sent.empty()):
            self._spare.append(self._sent.get())
            self._away -= 1

    def _start(self) -> None:
        """Have many datagrams sent at once from now on, where the system does that."""
        self._tried = True
        self._context = Context.open(MOST)
        if self._context is not None:
            self._thread.start()

    def _run(self) -> None:
        while True:
            batch = self._full.get()
            if batch is None or self._context is None:
                return
            _leave(partial(batch.submit, self._context))
            self._sent.put(batch)


def _leave(send: Callable[[], None]) -> None:
    """Send; whatever fails must not end the thread, which belongs to every channel."""
    try:
        send()
    except Exception:
        log.exception("Packets were not sent")
