"""A sender over a real socket: what the voice server gets, in which moment, and what is counted."""

import gc
import socket
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.playback.buffer import SILENCE
from bot.playback.ciphers import AES, XCHACHA
from bot.playback.outbox import AT_ONCE, PHASES, Outbox
from bot.playback.route import Route
from bot.playback.sender import PacketSender

KEY = [7] * 32


@dataclass
class Group:
    """The end-to-end encryption of a call: marks what it encrypts."""

    ready: bool = True
    encrypted: list[bytes] = field(default_factory=list)

    def encrypt_opus(self, packet: bytes) -> bytes:
        self.encrypted.append(packet)
        return b"sealed " + packet


class Call:
    """A connection whose handshake is done, with the voice server's end of its socket."""

    def __init__(self) -> None:
        self.server, near = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.server.bind(("127.0.0.1", 0))
        near.connect(self.server.getsockname())
        near.setblocking(False)
        self.route = Route()
        self.route.websocket = SimpleNamespace(close_code=None)
        self.route.mode, self.route.secret_key, self.route.ssrc = AES, KEY, 1
        self.route.socket = near
        self.route.dave_session, self.route.dave_protocol_version = None, 0
        self.route.sessions = 1
        self.route.connected = True
        self.box = Outbox()
        self.sender = PacketSender(self.route, self.box)

    def pass_by(self, rounds: int = 1) -> Sequence[bytes]:
        """Let 20 ms pass, so many times; return what arrived."""
        for _ in range(rounds * PHASES):
            self.box.dispatch()
        return self.heard()

    def heard(self) -> Sequence[bytes]:
        """Return what arrived since, decrypted."""
        heard = []
        while True:
            try:
                datagram = self.server.recv(2048, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return heard
            count = datagram[-4:]
            heard.append(AESGCM(bytes(KEY)).decrypt(count + bytes(8), datagram[12:-4], datagram[:12]))

    @property
    def counts(self) -> tuple[int, int]:
        return self.sender.sent, self.sender.refused


@pytest.fixture
def call() -> Iterator[Call]:
    call = Call()
    yield call
    call.box.close()
    call.route.socket.close()
    call.server.close()


def test_packets_that_follow_leave_20_ms_after_each_other_and_in_order(call: Call) -> None:
    count = call.sender.send(b"a", [b"b", SILENCE, b"c"])

    assert count == 4
    assert [(call.sender.sent, call.pass_by()) for _ in range(5)] == [
        (0, [b"a"]),
        (1, [b"b"]),
        (2, [SILENCE]),
        (3, [b"c"]),
        (4, []),
    ]
    assert call.counts == (4, 0)


def test_a_packet_leaves_in_the_moment_that_is_next(call: Call) -> None:
    call.box.dispatch()
    call.sender.send(b"a", [b"b"])

    call.box.dispatch()
    assert call.heard() == [b"a"]
    for _ in range(PHASES - 1):
        call.box.dispatch()
    assert call.heard() == []
    call.box.dispatch()
    assert call.heard() == [b"b"]


def test_what_is_on_its_way_is_told_in_packets_until_the_last_one_left(call: Call) -> None:
    assert call.sender.go_on() == 0
    call.sender.send(b"a", [b"b", b"c"])

    told = []
    for _ in range(3 * PHASES):
        told.append(call.sender.go_on())
        call.box.dispatch()

    assert told == [3] * PHASES + [2] * PHASES + [1] * PHASES
    assert call.sender.go_on() == 0


def test_packets_that_the_network_does_not_take_are_counted(call: Call) -> None:
    call.server.close()  # who sends there is told so with the next packet

    for _ in range(4):
        call.sender.send(b"a")
        call.box.dispatch()

    assert call.counts == (2, 2)
    assert call.sender.bounced == 2


def test_packets_that_follow_and_are_not_taken_by_the_network_are_not_counted_as_sent(call: Call) -> None:
    call.sender.send(b"a", [b"b", b"c"])
    call.pass_by()

    call.route.socket.shutdown(socket.SHUT_WR)
    for _ in range(2 * PHASES):
        call.box.dispatch()

    assert call.counts == (1, 2)
    assert call.sender.bounced == 0


def test_a_sender_knows_when_its_last_packet_will_have_left(call: Call) -> None:
    before = time.monotonic()
    assert call.sender.last_sent < before

    call.sender.send(SILENCE)
    assert before <= call.sender.last_sent <= time.monotonic()
    assert call.sender.last_voiced < before
    call.pass_by()

    before = time.monotonic()
    call.sender.send(b"a", [b"b", b"c"])
    assert before + 0.04 <= call.sender.last_sent == call.sender.last_voiced <= time.monotonic() + 0.04


def test_what_nobody_could_decrypt_is_counted_and_not_sent(call: Call) -> None:
    call.route.dave_session, call.route.dave_protocol_version = Group(ready=False), 1

    counts = [call.sender.send(b"a", [b"b"]), call.sender.send(SILENCE)]

    assert counts == [1, 1]
    assert call.pass_by() == [SILENCE]
    assert call.counts == (1, 2)


def test_all_but_silence_is_encrypted_for_the_call_also_what_follows_silence(call: Call) -> None:
    group = call.route.dave_session = Group()
    call.route.dave_protocol_version = 1

    call.sender.send(SILENCE, [b"a", SILENCE, b"b"])

    assert call.pass_by(4) == [SILENCE, b"sealed a", SILENCE, b"sealed b"]
    assert group.encrypted == [b"a", b"b"]


def test_nothing_leaves_while_a_session_is_agreed_on(call: Call) -> None:
    call.route.connected = False

    counts = [call.sender.send(b"a", [b"b", b"c"]), call.sender.send(SILENCE)]

    assert counts == [1, 1]
    assert call.pass_by(4) == []
    assert call.counts == (0, 3)


@pytest.mark.parametrize("gone", range(AT_ONCE))
def test_what_has_not_left_when_a_connection_is_lost_waits_for_the_session_to_be_resumed(call: Call, gone: int) -> None:
    packets = [bytes([number]) for number in range(AT_ONCE)]
    call.sender.send(packets[0], packets[1:])
    assert call.pass_by(gone) == packets[:gone]

    call.route.connected = False
    assert call.pass_by(10) == []
    assert call.sender.go_on() == 0
    assert call.counts == (gone, 0)
    call.sender.send(SILENCE)
    call.route.connected = True

    assert call.sender.go_on() == AT_ONCE - gone
    assert [call.pass_by() for _ in packets[gone:]] == [[packet] for packet in packets[gone:]]
    assert call.counts == (AT_ONCE, 0)
    assert call.sender.go_on() == 0


def test_a_connection_that_is_lost_again_has_what_is_left_wait_again(call: Call) -> None:
    call.sender.send(b"a", [b"b", b"c", b"d"])
    heard = [*call.pass_by()]
    for _ in range(3):
        call.route.connected = False
        heard += call.pass_by()
        call.route.connected = True
        call.sender.go_on()
        heard += call.pass_by()

    assert heard == [b"a", b"b", b"c", b"d"]
    assert call.counts == (4, 0)


def test_a_connection_that_is_lost_takes_back_nothing_of_others(call: Call) -> None:
    other = Call()
    sender = PacketSender(other.route, call.box)
    call.sender.send(b"a", [b"b"])
    sender.send(b"x", [b"y", b"z"])

    call.route.connected = False
    call.pass_by(3)

    assert other.heard() == [b"x", b"y", b"z"]
    assert call.heard() == []
    other.route.socket.close()
    other.server.close()


def test_what_was_taken_back_is_not_sent_in_the_next_session(call: Call) -> None:
    call.sender.send(b"a", [b"b", b"c"])
    heard = [*call.pass_by()]

    call.route.connected = False
    call.pass_by()
    call.route.sessions += 1
    call.route.connected = True

    assert call.sender.go_on() == 0
    call.sender.send(b"anew")
    assert [*heard, *call.pass_by(4)] == [b"a", b"anew"]
    assert call.counts == (2, 0)


def test_what_was_put_is_not_sent_where_the_next_session_begins_before_the_next_moment(call: Call) -> None:
    call.sender.send(b"a", [b"b", b"c"])
    heard = [*call.pass_by()]

    call.route.connected = False
    call.route.sessions += 1
    call.route.connected = True

    assert [*heard, *call.pass_by(3)] == [b"a"]
    assert call.counts == (1, 0)


def test_a_session_that_is_resumed_before_the_next_moment_loses_no_time(call: Call) -> None:
    call.sender.send(b"a", [b"b", b"c"])
    heard = [call.pass_by()]

    call.route.connected = False
    call.route.connected = True

    assert [*heard, call.pass_by(), call.pass_by()] == [[b"a"], [b"b"], [b"c"]]
    assert call.counts == (3, 0)


def test_a_connection_that_was_lost_while_the_clock_rested_delays_nothing(call: Call) -> None:
    call.route.connected = False
    call.route.connected = True

    call.sender.send(b"a", [b"b"])

    assert [call.pass_by(), call.pass_by()] == [[b"a"], [b"b"]]


def test_what_is_read_just_as_a_session_is_resumed_overtakes_nothing(call: Call) -> None:
    packets = [bytes([number]) for number in range(2 * AT_ONCE)]
    call.sender.send(packets[0], packets[1:AT_ONCE])
    heard = [*call.pass_by()]
    call.route.connected = False
    call.pass_by()
    assert call.sender.go_on() == 0

    call.route.connected = True
    before = time.monotonic()
    assert call.sender.send(packets[AT_ONCE], packets[AT_ONCE + 1 :]) == AT_ONCE
    assert before + 0.14 <= call.sender.last_sent <= time.monotonic() + 0.14
    heard += call.pass_by(2)
    call.route.connected = False
    heard += call.pass_by()
    call.route.connected = True
    while rounds := call.sender.go_on():
        heard += call.pass_by(rounds)

    assert heard == packets
    assert call.counts == (len(packets), 0)


def test_what_was_taken_back_is_not_sent_once_its_source_has_ended(call: Call) -> None:
    call.sender.send(b"a", [b"b", b"c"])
    heard = [*call.pass_by()]
    call.route.connected = False
    call.pass_by()

    call.sender.drop()
    call.route.connected = True

    assert call.sender.go_on() == 0
    call.sender.send(b"another")
    assert [*heard, *call.pass_by(3)] == [b"a", b"another"]


def test_a_connection_that_was_never_there_is_not_kept_although_the_clock_rests() -> None:
    box, route, group = Outbox(), Route(), Group()
    PacketSender(route, box)
    route.dave_session = group
    kept = weakref.ref(group)

    route.connected = False  # as in each state of a handshake
    del route, group
    gc.collect()

    assert kept() is None


def test_a_connection_that_is_lost_with_nothing_on_its_way_has_nothing_sent_again(call: Call) -> None:
    call.sender.send(b"a")
    assert call.pass_by(2) == [b"a"]

    call.route.connected = False
    call.pass_by()
    call.route.connected = True

    assert call.sender.go_on() == 0
    assert call.counts == (1, 0)


@pytest.mark.parametrize(("mode", "key"), [("a cipher of tomorrow", [1] * 32), (XCHACHA, [1] * 31)])
def test_nothing_leaves_under_the_old_key_where_the_new_one_is_of_no_use(call: Call, mode: str, key: list[int]) -> None:
    call.sender.send(b"a")
    call.pass_by()

    call.route.mode, call.route.secret_key = mode, key

    for _ in range(2):
        with pytest.raises((KeyError, ValueError)):
            call.sender.send(b"b")
    assert call.pass_by() == []
    assert call.counts == (1, 0)
