import os
import threading
from collections.abc import Iterator
from typing import BinaryIO

import pytest

from bot.providers.local.wire import Frame, read_frame, write_frame
from bot.providers.local.worker import RefusedError, Worker


def count(frame: Frame) -> Iterator[Frame]:
    """Answer as many times as the text says."""
    if frame.text == "no":
        raise RefusedError("Not this one.")
    if frame.text == "full":
        raise MemoryError
    for _ in range(int(frame.text)):
        yield Frame(request=frame.request, verb="sound", body=b"x")


class Pipes:
    """A worker in a thread, and the ends of its pipes."""

    def __init__(self) -> None:
        inlet, to_worker = os.pipe()
        from_worker, outlet = os.pipe()
        self.to: BinaryIO = os.fdopen(to_worker, "wb")
        self.answers: BinaryIO = os.fdopen(from_worker, "rb")
        self.ended = threading.Event()
        self._ends = (os.fdopen(inlet, "rb"), os.fdopen(outlet, "wb"))
        self._worker = Worker(*self._ends, count, self.ended.set)
        self._thread = threading.Thread(target=self._worker.run, daemon=True)

    def __enter__(self) -> "Pipes":
        return self

    def run(self, frame: Frame) -> None:
        """Work on one request here, in this thread."""
        write_frame(self.to, frame)
        self._worker.run()

    def start(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self.to.close()
        if self._thread.ident is not None:
            self._thread.join(10)
        self.ended.wait(10)
        for end in (*self._ends, self.answers):
            end.close()


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    with Pipes() as opened:
        yield opened


def test_request_is_answered_step_by_step_until_done(pipes: Pipes) -> None:
    write_frame(pipes.to, Frame(request=1, verb="speak", text="2"))
    pipes.start()

    answers = [read_frame(pipes.answers) for _ in range(3)]

    assert [answer.verb for answer in answers if answer] == ["sound", "sound", "done"]


def test_short_request_does_not_wait_for_a_long_one(pipes: Pipes) -> None:
    write_frame(pipes.to, Frame(request=1, verb="speak", text="50"))
    write_frame(pipes.to, Frame(request=2, verb="speak", text="1"))
    pipes.start()

    order = [answer.request for _ in range(53) if (answer := read_frame(pipes.answers))]

    assert order.index(2) < 50


def test_stopped_request_makes_nothing_more(pipes: Pipes) -> None:
    for frame in (
        Frame(request=1, verb="speak", text="1000000"),
        Frame(request=2, verb="speak", text="3"),
        Frame(request=1, verb="stop"),
    ):
        write_frame(pipes.to, frame)
    pipes.start()

    seen: list[Frame] = []
    while not seen or (seen[-1].request, seen[-1].verb) != (2, "done"):
        answer = read_frame(pipes.answers)
        assert answer is not None
        seen.append(answer)
    write_frame(pipes.to, Frame(request=3, verb="speak", text="1"))
    rest = [read_frame(pipes.answers) for _ in range(2)]

    assert [frame.request for frame in rest if frame] == [3, 3]


def test_refusal_reaches_the_asker_in_words(pipes: Pipes) -> None:
    write_frame(pipes.to, Frame(request=4, verb="speak", text="no"))
    pipes.start()

    assert read_frame(pipes.answers) == Frame(request=4, verb="refused", text="Not this one.")


def test_fault_costs_its_own_request_and_no_other(pipes: Pipes, caplog: pytest.LogCaptureFixture) -> None:
    write_frame(pipes.to, Frame(request=1, verb="speak", text="2"))
    write_frame(pipes.to, Frame(request=2, verb="speak", text="secret words"))
    pipes.start()

    answers = [answer for _ in range(4) if (answer := read_frame(pipes.answers))]

    assert [frame.verb for frame in answers if frame.request == 1] == ["sound", "sound", "done"]
    assert [frame.verb for frame in answers if frame.request == 2] == ["failed"]
    assert "request 2 failed: ValueError" in caplog.text
    assert "secret" not in caplog.text


def test_worker_without_memory_ends(pipes: Pipes) -> None:
    with pytest.raises(MemoryError):
        pipes.run(Frame(request=1, verb="speak", text="full"))


def test_worker_ends_when_the_other_side_hangs_up(pipes: Pipes) -> None:
    pipes.start()

    pipes.to.close()

    assert pipes.ended.wait(10)
