import os
import socket

import pytest

from bot.playback.media_socket import MediaSocket
from bot.playback.outbox import PHASES, Outbox
from tests.unit.playback.ways import MANY, OpenWays, Sender


def test_a_socket_is_closed_once(opened: OpenWays) -> None:
    [(near, _)] = opened(1)
    retired: list[socket.socket] = []
    mine = MediaSocket(near, retired.append)

    mine.close()
    mine.close()

    assert len(retired) == 1
    assert retired[0].fileno() >= 0
    assert mine.fileno() == -1
    retired[0].close()


def test_a_closed_socket_keeps_its_number_until_what_was_put_for_it_has_left(box: Outbox, opened: OpenWays) -> None:
    (near, far), *others = opened(MANY)
    number = near.fileno()
    mine = MediaSocket(near, box.retire)
    for each, datagram in ((mine, b"word"), *((other, b"") for other, _ in others)):
        box.put(Sender(), each.fileno(), [datagram])

    mine.close()

    assert mine.fileno() == -1
    with socket.socket() as newcomer:
        assert newcomer.fileno() != number
    box.dispatch()
    assert far.recv(16) == b"word"
    box.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_closed_socket_keeps_its_number_until_the_last_moment_something_was_put_for(
    box: Outbox, opened: OpenWays
) -> None:
    [(near, far)] = opened(1)
    number = near.fileno()
    mine = MediaSocket(near, box.retire)
    box.put(Sender(), number, [b"first", b"second"])

    mine.close()
    for _ in range(PHASES + 1):
        os.fstat(number)
        box.dispatch()
    for _ in range(PHASES - 1):
        box.dispatch()

    assert [far.recv(16) for _ in range(2)] == [b"first", b"second"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
    assert not box.waiting
