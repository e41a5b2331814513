"""The worker's side of the pipe: takes requests, works on them in turns, answers.

Every request is worked on a step at a time (a phrase, a stage of listening), and the requests take turns, so that a
long text never keeps a short one waiting. Does not know what the steps do.
"""

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import BinaryIO

from bot.providers.local.wire import Frame, read_frame, write_frame

log = logging.getLogger(__name__)

Begin = Callable[[Frame], Iterator[Frame]]
"""Starts the work a request asks for: a frame for each step, the last of them the answer."""


_LAST = frozenset({"done", "refused", "failed"})


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
            answer = _step(request, job)
            write_frame(self._outlet, answer)
            if answer.verb not in _LAST:
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
                self._jobs.append((frame.request, self._work(frame)))
        return True

    def _work(self, frame: Frame) -> Iterator[Frame]:
        """Begin at the first step, so that what goes wrong there is this request's as well."""
        yield from self._begin(frame)

    def _listen(self) -> None:
        try:
            while (frame := read_frame(self._inlet)) is not None:
                self._arrived.put(frame)
        finally:
            self._arrived.put(None)
            self._on_end()


def _step(request: int, job: Iterator[Frame]) -> Frame:
    """Take one step of a request; its end, of whatever kind, is a frame too."""
    try:
        return next(job)
    except StopIteration:
        return Frame(request=request, verb="done")
    except RefusedError as refusal:
        return Frame(request=request, verb="refused", text=str(refusal))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault in one request must not end everybody's
        # where, and not its message: that may hold what is spoken
        places = "".join(traceback.format_tb(error.__traceback__))
        log.warning("request %d failed: %s\n%s", request, type(error).__name__, places)
        return Frame(request=request, verb="failed")
