"""One clock for every channel: a thread that lets each player send its packet of 20 ms when it is due.

discord.py has a thread for each channel, which breaks down at a few hundred of them. Knows no packet and no connection.
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
from bot.playback.outbox import Outbox

log = logging.getLogger(__name__)

PHASES = 8
"""Parts of 20 ms over which channels are spread, so that their packets do not all fall due at once."""
LATE_SECONDS = 0.005
"""A packet that leaves later than this counts as late."""
MOST_BEHIND = 0.06
"""Where the clock fell further behind, it is set anew: a burst of more than three packets is not caught up with."""

_STEP = PACKET_SECONDS / PHASES
_CROWDED = 4
"""Players more than its share that a phase takes before newcomers go to the next."""

Tick = Callable[[], bool]
"""Sends what is due and says whether there will be more; must not wait for anything."""


class Pacer:
    """Owns the thread and who is ticked in which phase. Opens and closes with `async with`."""

    def __init__(self) -> None:
        self.late = 0
        """Packets that left more than `LATE_SECONDS` after they were due."""
        self.skipped = 0.0
        """Seconds by which the clock was set anew, because the process did not run."""
        self.outbox = Outbox()
        """Takes what is sent in a tick."""
        self._phases: list[list[Tick]] = [[] for _ in range(PHASES)]
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
        """Call `tick` within 3 ms and then every 20 ms, until it returns False. From any thread."""
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

    def _let_go(self) -> None:
        while self._retired:
            self.outbox.retire(self._retired.popleft())
        self.outbox.dispatch()

    def _pace(self) -> None:
        """Keep time while there is anybody to be ticked."""
        start, step = time.perf_counter(), 0
        while not self._closing and (self._arrivals or any(self._phases)):
            due = start + step * _STEP
            ahead = due - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)
            elif ahead < -MOST_BEHIND:
                self.skipped -= ahead
                start, due = start - ahead, due - ahead
                log.debug("the clock was set anew by %.0f ms", -ahead * 1000)
            phase = step % PHASES
            self._admit(phase)
            self._tick(phase)
            self._let_go()
            if time.perf_counter() - due > LATE_SECONDS:
                self.late += len(self._phases[phase])
            step += 1

    def _admit(self, phase: int) -> None:
        """Let newcomers in, where this phase has not more than its share already."""
        players = self._phases[phase]
        room = sum(map(len, self._phases)) // PHASES + _CROWDED - len(players)
        while self._arrivals and room > 0:
            players.append(self._arrivals.popleft())
            room -= 1

    def _tick(self, phase: int) -> None:
        players = self._phases[phase]
        going = [tick for tick in players if tick()]
        if len(going) != len(players):
            self._phases[phase] = going
