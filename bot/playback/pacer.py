"""One clock for every channel: a thread that has each packet leave when it is due, and its player send more in time.

What leaves in a moment was put before it: encrypting takes the time until then, and delays nothing. discord.py has a
thread for each channel, which breaks down at a few hundred of them. Knows no packet and no connection.
"""

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bot.models import PACKET_SECONDS
from bot.playback.outbox import AT_ONCE, MOMENTS, PHASES, Outbox

log = logging.getLogger(__name__)

LATE_SECONDS = 0.005
"""A packet that leaves later than this counts as late."""
MOST_BEHIND = 0.06
"""Where the clock fell further behind, it is set anew: a burst of more than three packets is not caught up with."""

_STEP = PACKET_SECONDS / PHASES
_CROWDED = 4
"""Players more than its share that a phase takes before newcomers go to the next."""

Tick = Callable[[int], int]
"""Sends what is due, up to so many packets, and says for how many times 20 ms that will do; 0 where there is no more.
Must not wait for anything."""


class Pacer:
    """Owns the thread and who is ticked when. Opens and closes with `async with`."""

    def __init__(self) -> None:
        self.late = 0
        """Packets that left more than `LATE_SECONDS` after they were due."""
        self.skipped = 0.0
        """Seconds by which the clock was set anew, because the process did not run."""
        self.outbox = Outbox()
        """Takes what is sent in a tick."""
        self._due: list[list[Tick]] = [[] for _ in range(MOMENTS)]
        self._shares = [0] * PHASES
        """Players in each phase."""
        self._arrivals: deque[Tick] = deque()
        self._retired: deque[socket.socket] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="pacer", daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join()
        self._let_go()
        self.outbox.close()

    def add(self, tick: Tick) -> None:
        """Call `tick` soon and then as it asks for, until it returns 0. From any thread.

        Soon is within 3 ms, of a crowd of newcomers some in each phase.
        """
        self._arrivals.append(tick)
        self._wake.set()

    def retire(self, retired: socket.socket) -> None:
        """Close a socket once what was sent before has left. From any thread."""
        self._retired.append(retired)
        if self._thread.is_alive():
            self._wake.set()
        else:
            self._let_go()

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait()
            self._wake.clear()
            self._pace()
            self._let_go()

    def _let_go(self) -> int:
        while self._retired:
            self.outbox.retire(self._retired.popleft())
        return self.outbox.dispatch()

    def _pace(self) -> None:
        """Keep time while there is anybody to be ticked, or anything to leave."""
        start, step = time.perf_counter(), 0
        while not self._closing and (self._arrivals or any(self._shares) or self.outbox.waiting):
            due = start + step * _STEP
            ahead = due - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)
            behind = time.perf_counter() - due
            if behind > MOST_BEHIND:
                self.skipped += behind
                start += behind
                log.debug("the clock was set anew by %.0f ms", behind * 1000)
            self._admit()
            left = self._let_go()
            if behind > LATE_SECONDS:
                self.late += left
            self._tick()
            step += 1

    def _admit(self) -> None:
        """Let newcomers in, where this phase has not more than its share already."""
        phase = self.outbox.moment % PHASES
        room = sum(self._shares) // PHASES + _CROWDED - self._shares[phase]
        while self._arrivals and room > 0:
            self._shares[phase] += 1
            room -= 1
            self._call(self._arrivals.popleft())

    def _tick(self) -> None:
        """Have those send whose next packet is due in the moment to come."""
        at = self.outbox.moment % MOMENTS
        players, self._due[at] = self._due[at], []
        for tick in players:
            self._call(tick)

    def _call(self, tick: Tick) -> None:
        """Have one send, so that it will be its turn again when it is not that of many others."""
        moment = self.outbox.moment
        share = self._shares[moment % PHASES] // AT_ONCE + 1
        most = AT_ONCE
        while len(self._due[(moment + most * PHASES) % MOMENTS]) > share and most > 1:
            most -= 1
        rounds = tick(most)
        if rounds:
            self._due[(moment + rounds * PHASES) % MOMENTS].append(tick)
        else:
            self._shares[moment % PHASES] -= 1
