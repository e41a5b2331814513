import ctypes
import errno
import platform
import socket

import pytest

from bot.playback import aio
from bot.playback.outbox import FEW, Outbox
from tests.unit.playback.ways import MANY, OpenWays, Sender, taken


def test_this_machine_takes_many_datagrams_at_once_and_gets_back_what_that_took() -> None:
    before = taken()
    context = aio.Context.open(4)
    assert context is not None
    assert taken() == before + 1

    context.close()

    assert taken() == before


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [(aio.platform, "machine", lambda: "abacus"), (aio.sys, "platform", "darwin"), (aio.sys, "maxsize", (1 << 31) - 1)],
    ids=["another machine", "another system", "a Python of 32 bits, whose calls have other numbers"],
)
def test_elsewhere_no_call_is_made_whose_number_is_not_known(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, value: object
) -> None:
    monkeypatch.setattr(where, name, value)

    context = aio.Context.open(4)

    assert context is None


class Grudging:
    """The system, which takes few writes at a time, tells of one at a time, and sometimes of none, with an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *errors: int) -> None:
        self._system = aio._SYSCALL
        self._errors = list(errors)
        monkeypatch.setattr(aio, "_SYSCALL", self)

    def __call__(self, call: int, context: object, *rest: object) -> int:
        _, _, submit, reap = aio._NUMBERS[platform.machine()]
        if call == submit:
            count, blocks = rest
            rest = ctypes.c_long(min(count.value, 3)), blocks
        elif call == reap and self._errors:
            ctypes.set_errno(self._errors.pop(0))
            return -1
        elif call == reap:
            rest = ctypes.c_long(1), ctypes.c_long(1), *rest[2:]
        return self._system(call, context, *rest)


def test_a_system_that_takes_and_tells_little_at_a_time_is_asked_again(
    opened: OpenWays, monkeypatch: pytest.MonkeyPatch
) -> None:
    Grudging(monkeypatch, errno.EINTR, errno.EINTR)
    ways, senders = opened(MANY), [Sender() for _ in range(MANY)]
    ways[-1][0].shutdown(socket.SHUT_WR)
    box = Outbox()

    for moment in range(20):
        for sender, (near, _) in zip(senders, ways, strict=True):
            box.put(sender, near.fileno(), [bytes([moment])])
        box.dispatch()
    box.close()

    for _, far in ways[:-1]:
        assert [far.recv(16) for _ in range(20)] == [bytes([moment]) for moment in range(20)]
    assert [sender.refusals for sender in senders] == [[]] * (MANY - 1) + [[errno.EPIPE] * 20]


def test_a_system_that_does_not_tell_what_became_of_packets_is_not_asked_for_ever(
    opened: OpenWays, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Grudging(monkeypatch, errno.ENOSYS)
    ways = opened(MANY)
    box = Outbox()

    for near, _ in ways:
        box.put(Sender(), near.fileno(), [b"word"])
    box.dispatch()
    box.close()

    assert [far.recv(16) for _, far in ways] == [b"word"] * MANY
    assert "does not tell what became of packets" in caplog.text


def test_the_system_is_asked_once_whether_it_takes_many_at_once(
    opened: OpenWays, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(aio.platform, "machine", lambda: "abacus")
    caplog.set_level("INFO")
    box = Outbox()

    for _ in range(3):
        for near, _ in opened(FEW):
            box.put(Sender(), near.fileno(), [b"word"])
        box.dispatch()

    assert caplog.text.count("Packets are sent one by one") == 1
