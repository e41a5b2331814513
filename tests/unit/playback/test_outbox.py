import errno
import gc
import os
import socket
import threading

import pytest

from bot.playback import batch, outbox
from bot.playback.outbox import AT_ONCE, FEW, PHASES, Outbox
from tests.unit.playback.ways import MANY, OpenWays, Sender, taken


@pytest.mark.parametrize("count", [1, FEW - 1, FEW, 3 * FEW])
def test_each_datagram_arrives_where_it_belongs_in_its_order(box: Outbox, opened: OpenWays, count: int) -> None:
    ways, sender = opened(count), Sender()

    for moment in range(20):
        for number, (near, _) in enumerate(ways):
            box.put(sender, near.fileno(), [bytes([moment]) + bytes([number]) * (100 + number)])
        box.dispatch()

    for number, (_, far) in enumerate(ways):
        heard = [far.recv(2048) for _ in range(20)]
        assert heard == [bytes([moment]) + bytes([number]) * (100 + number) for moment in range(20)]
    assert sender.refusals == []


def test_few_have_left_as_soon_as_they_are_dispatched(box: Outbox, opened: OpenWays) -> None:
    ways = opened(FEW - 1)

    for near, _ in ways:
        box.put(Sender(), near.fileno(), [b"word"])
    box.dispatch()

    assert [far.recv(16, socket.MSG_DONTWAIT) for _, far in ways] == [b"word"] * len(ways)


@pytest.mark.parametrize("many", [0, MANY])
def test_what_is_put_while_others_are_few_does_not_overtake_what_was_put_before(
    box: Outbox, opened: OpenWays, many: int
) -> None:
    ways, sender = opened(1 + many), Sender()
    near, far = ways[0]

    for moment in range(50):
        for other, _ in ways[1:] if moment % 2 else ():
            box.put(sender, other.fileno(), [b"another"])
        box.put(sender, near.fileno(), [bytes([moment])])
        box.dispatch()

    assert [far.recv(16) for _ in range(50)] == [bytes([moment]) for moment in range(50)]


def test_a_refusal_is_told_to_whom_it_concerns_and_the_others_arrive(box: Outbox, opened: OpenWays) -> None:
    ways, senders = opened(MANY), [Sender() for _ in range(MANY)]
    gone, closed, first = 5, 9, 0
    ways[gone][0].shutdown(socket.SHUT_WR)
    for number in (closed, first):
        ways[number][0].close()

    for sender, (near, _) in zip(senders, ways, strict=True):
        box.put(sender, near.fileno(), [b"word"])
    box.dispatch()
    box.close()

    assert {number: sender.refusals for number, sender in enumerate(senders) if sender.refusals} == {
        gone: [errno.EPIPE],
        closed: [errno.EBADF],
        first: [errno.EBADF],
    }
    for number, (_, far) in enumerate(ways):
        if number not in {gone, closed, first}:
            assert far.recv(16) == b"word"


def test_that_nobody_takes_packets_there_is_told(box: Outbox, opened: OpenWays) -> None:
    ways, lonely = opened(MANY), Sender()
    ways[3][1].close()

    for _ in range(2):  # word of the first comes back with the second
        for number, (near, _) in enumerate(ways):
            box.put(lonely if number == 3 else Sender(), near.fileno(), [b"word"])
        box.dispatch()
    box.close()

    assert lonely.refusals == [errno.ECONNREFUSED]


def test_more_than_leave_together_arrive_too(box: Outbox, opened: OpenWays, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST", FEW + 1)
    ways = opened(3 * FEW)

    for near, _ in ways:
        box.put(Sender(), near.fileno(), [b"word"])

    assert [box.dispatch() for _ in range(4)] == [FEW + 1, FEW + 1, FEW - 2, 0]
    assert [far.recv(16) for _, far in ways] == [b"word"] * len(ways)


def test_where_there_is_room_in_no_moment_before_the_next_packet_of_20_ms_it_is_refused(
    box: Outbox, opened: OpenWays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MOST", 2)
    [(near, far)] = opened(1)
    senders = [Sender() for _ in range(2 * PHASES + 1)]

    for number, sender in enumerate(senders):
        box.put(sender, near.fileno(), [bytes([number])])
    for _ in range(2 * PHASES):
        box.dispatch()

    assert [far.recv(16) for _ in senders[:-1]] == [bytes([number]) for number in range(2 * PHASES)]
    assert [sender.refusals for sender in senders] == [*[[]] * (2 * PHASES), [errno.ENOBUFS]]
    assert not box.waiting


@pytest.mark.parametrize("more", [0, MANY])
def test_datagrams_that_are_put_together_leave_20_ms_after_each_other(box: Outbox, opened: OpenWays, more: int) -> None:
    ways = opened(1 + more)
    box.dispatch()

    for near, _ in ways:
        box.put(Sender(), near.fileno(), [bytes([number]) for number in range(AT_ONCE)])
    counts = [box.dispatch() for _ in range(AT_ONCE * PHASES)]

    assert counts == [1 + more, *[0] * (PHASES - 1)] * AT_ONCE
    for _, far in ways:
        assert [far.recv(16) for _ in range(AT_ONCE)] == [bytes([number]) for number in range(AT_ONCE)]


def test_there_is_something_waiting_until_the_20_ms_of_the_last_datagram_are_over(
    box: Outbox, opened: OpenWays
) -> None:
    [(near, _)] = opened(1)
    assert not box.waiting

    box.put(Sender(), near.fileno(), [b"first", b"second"])
    waiting = []
    for _ in range(2 * PHASES + 1):
        waiting.append(box.waiting)
        box.dispatch()

    assert waiting == [True] * 2 * PHASES + [False]


@pytest.mark.parametrize("place", ["first", "in the middle", "last", "alone"])
def test_what_is_withdrawn_does_not_leave_and_all_else_does_once(box: Outbox, opened: OpenWays, place: str) -> None:
    ways = opened(1 if place == "alone" else MANY)
    at = {"first": 0, "in the middle": MANY // 2, "last": MANY - 1, "alone": 0}[place]
    senders = [Sender() for _ in ways]
    gone, closed = senders[at], (at + 3) % MANY
    for number, (sender, (near, _)) in enumerate(zip(senders, ways, strict=True)):
        box.put(sender, near.fileno(), [bytes([number]) * (number + 1)] * 2)
    if len(ways) > 1:
        ways[closed][0].close()

    withdrawn = [box.withdraw(gone, moment) for moment in (0, 0, 1, PHASES, PHASES)]
    again = Sender()
    box.put(again, ways[at][0].fileno(), [b"again"])
    box.close()

    word = bytes([at]) * (at + 1)
    assert withdrawn == [word, None, None, word, None]
    for number, (_, far) in enumerate(ways):
        far.settimeout(0)
        if number == at:
            assert far.recv(64) == b"again"
        elif number != closed:
            assert [far.recv(64) for _ in range(2)] == [bytes([number]) * (number + 1)] * 2
        with pytest.raises(BlockingIOError):
            far.recv(64)
    told = {number: sender.refusals for number, sender in enumerate([*senders, again]) if sender.refusals}
    assert told == ({closed: [errno.EBADF] * 2} if len(ways) > 1 else {})


def test_a_sender_that_is_recalled_takes_back_what_it_put_before_more_leaves(box: Outbox, opened: OpenWays) -> None:
    class Recalled(Sender):
        def take_back(self) -> None:
            taken.append((box.moment, box.withdraw(self, box.moment)))

    taken: list[tuple[int, bytes | None]] = []
    [(near, far)] = opened(1)
    sender = Recalled()
    box.put(sender, near.fileno(), [b"word"])

    box.recall(sender)
    counts = [box.dispatch(), box.dispatch()]

    assert taken == [(0, b"word")]
    assert counts == [0, 0]
    far.settimeout(0)
    with pytest.raises(BlockingIOError):
        far.recv(16)


def test_a_sender_that_is_recalled_again_and_again_takes_back_once(box: Outbox) -> None:
    class Recalled(Sender):
        def take_back(self) -> None:
            taken.append(box.moment)

    taken: list[int] = []
    sender = Recalled()

    for _ in range(3):
        box.recall(sender)
    box.dispatch()
    box.dispatch()

    assert taken == [0]


def test_what_was_put_before_a_fault_leaves_before_the_clock_rests(box: Outbox, opened: OpenWays) -> None:
    [(near, far)] = opened(1)

    with pytest.raises(IndexError):
        box.put(Sender(), near.fileno(), [b"first", b"second", bytes(batch.MOST * batch.LONGEST + 1)])
    box.close()

    assert [far.recv(16) for _ in range(2)] == [b"first", b"second"]


def test_all_that_are_recalled_take_back_before_more_leaves(box: Outbox) -> None:
    class Recalled(Sender):
        def take_back(self) -> None:
            taken.append(box.moment)

    taken: list[int] = []

    for _ in range(3):
        box.recall(Recalled())
    box.dispatch()

    assert taken == [0, 0, 0]


@pytest.mark.parametrize("count", [1, MANY])
def test_no_batches_are_kept_beside_those_that_are_filled_again(box: Outbox, opened: OpenWays, count: int) -> None:
    def batches() -> int:
        return sum(type(each) is batch.Batch for each in gc.get_objects())

    before, ways = batches(), opened(count)

    for _ in range(50):
        for near, _ in ways:
            box.put(Sender(), near.fileno(), [b"word"])
        box.dispatch()

    assert batches() - before <= outbox.SPARE + 1


def test_what_is_retired_is_closed_with_the_outbox(box: Outbox, opened: OpenWays) -> None:
    [(near, _)] = opened(1)

    box.retire(near)
    box.close()

    assert near.fileno() == -1


def test_a_datagram_for_which_there_is_no_room_harms_no_other(box: Outbox, opened: OpenWays) -> None:
    [(near, far)] = opened(1)

    box.put(Sender(), near.fileno(), [b"first"])
    with pytest.raises(IndexError):
        box.put(Sender(), near.fileno(), [bytes(batch.MOST * batch.LONGEST)])
    box.put(Sender(), near.fileno(), [b"second"])
    box.dispatch()

    assert [far.recv(16) for _ in range(2)] == [b"first", b"second"]


def test_the_longest_datagrams_have_room(box: Outbox, opened: OpenWays) -> None:
    [(near, far)] = opened(1)
    for _ in range(batch.MOST // 8):
        for number in range(8):
            box.put(Sender(), near.fileno(), [bytes([number]) * batch.LONGEST])
        box.dispatch()
        assert [far.recv(4096) for _ in range(8)] == [bytes([number]) * batch.LONGEST for number in range(8)]


def test_all_that_leave_together_may_be_the_longest_again_and_again(box: Outbox, opened: OpenWays) -> None:
    [(near, far)] = opened(1)

    for moment in range(2 * outbox.SPARE):
        for _ in range(batch.MOST - 1):
            box.put(Sender(), -1, [bytes(batch.LONGEST)])
        for number in range(2):  # the second is one too many, and leaves in the next moment
            box.put(Sender(), near.fileno(), [bytes([moment, number]) * (batch.LONGEST // 2)])
        for _ in range(2):
            box.dispatch()

    heard = [far.recv(4096) for _ in range(4 * outbox.SPARE)]
    sent = [bytes([moment, number]) for moment in range(2 * outbox.SPARE) for number in range(2)]
    assert heard == [each * (batch.LONGEST // 2) for each in sent]


def test_a_fault_where_few_are_sent_has_nothing_sent_twice(box: Outbox, opened: OpenWays) -> None:
    class Faulty(Sender):
        def refuse(self, reason: int) -> None:
            raise RuntimeError("a bug")

    [(near, far)] = opened(1)

    box.put(Sender(), near.fileno(), [b"first"])
    box.put(Faulty(), -1, [b"nowhere"])
    box.dispatch()
    box.put(Sender(), near.fileno(), [b"second"])
    box.dispatch()

    assert [far.recv(16) for _ in range(2)] == [b"first", b"second"]


def test_a_socket_that_cannot_be_closed_has_nothing_sent_twice(box: Outbox, opened: OpenWays) -> None:
    [(near, far)] = opened(1)
    closed = socket.socket()
    os.close(closed.fileno())

    box.put(Sender(), near.fileno(), [b"first"])
    box.retire(closed)
    box.dispatch()
    box.put(Sender(), near.fileno(), [b"second"])
    box.dispatch()

    assert [far.recv(16) for _ in range(2)] == [b"first", b"second"]


@pytest.mark.parametrize("count", [1, MANY])
def test_a_fault_in_sending_is_logged_and_ends_no_thread(
    opened: OpenWays, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    class Faulty(Sender):
        def refuse(self, reason: int) -> None:
            raise RuntimeError("a bug")

    box = Outbox()
    ways = opened(count)
    moments = 2 * outbox.SPARE
    for moment in range(moments):
        for near, _ in ways:
            box.put(Sender(), near.fileno(), [bytes([moment])])
        box.put(Faulty(), -1, [b"nowhere"])
        box.dispatch()
    box.close()

    for _, far in ways:
        assert [far.recv(16) for _ in range(moments)] == [bytes([moment]) for moment in range(moments)]
    assert caplog.text.count("Packets were not sent") == moments


@pytest.mark.parametrize("before", [0, MANY])
def test_what_is_put_after_closing_leaves_too(box: Outbox, opened: OpenWays, before: int) -> None:
    ways = opened(MANY)
    for near, _ in ways[:before]:
        box.put(Sender(), near.fileno(), [b"early"])
    box.close()

    for near, _ in ways:
        box.put(Sender(), near.fileno(), [b"late"])
    box.dispatch()

    for _, far in ways[:before]:
        assert far.recv(16) == b"early"
    assert [far.recv(16) for _, far in ways] == [b"late"] * MANY


def test_closing_leaves_no_thread_and_nothing_unsent(opened: OpenWays) -> None:
    ways, before = opened(MANY), taken()
    box = Outbox()
    for near, _ in ways:
        box.put(Sender(), near.fileno(), [b"last"])

    box.close()

    assert [far.recv(16) for _, far in ways] == [b"last"] * MANY
    assert "outbox" not in {thread.name for thread in threading.enumerate()}
    assert taken() == before
