"""The worker's side of the pipe: takes requests, works on them in turns, answers.

Every request is worked on a step at a time (a phrase, a stage of listening), and the requests take turns, so that a
long text never keeps a short one waiting. Does not know what the steps do.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import BinaryIO

from bot.providers.local.wire import Frame, read_frame, write_frame

Begin = Callable[[Frame], Iterator[Frame]]
"""Starts the work a request asks for: a frame for each step, the last of them the answer."""


class RefusedError(Exception):
    """The request cannot be met; the text is for the member."""


class Worker:
    """Owns the requests under way."""

    def __init__(self, inlet: BinaryIO, outlet: BinaryIO, begin: Begin, on_end: Callable[[], None]) -> None:
        self._inlet, self._outlet = inlet, outlet
        self._begin, self._on_end = begin, on_end
        self._arrived: SimpleQueue[Frame | None] = SimpleQueue()
        self._jobs: deque[tuple[int, Iterator[Frame]]] = deque()

    def run(self) -> None:
        """Work until the other side hangs up."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        while self._take_in():
            request, job = self._jobs.popleft()
            try:
                write_frame(self._outlet, next(job))
            except StopIteration:
                write_frame(self._outlet, Frame(request=request, verb="done"))
            except RefusedError as refusal:
                write_frame(self._outlet, Frame(request=request, verb="refused", text=str(refusal)))
            else:
                self._jobs.append((request, job))

    def _take_in(self) -> bool:
        """Take what has arrived, waiting where there is nothing to do; False at the end."""
        while not self._jobs or not self._arrived.empty():
            frame = self._arrived.get()
            if frame is None:
                return False
            if frame.verb == "stop":
                self._jobs = deque(job for job in self._jobs if job[0] != frame.request)
            else:
                self._jobs.append((frame.request, self._begin(frame)))
        return True

    def _listen(self) -> None:
        try:
            while (frame := read_frame(self._inlet)) is not None:
                self._arrived.put(frame)
        finally:
            self._arrived.put(None)
            self._on_end()
