"""One channel's packets on their way out: encrypted for those who listen, sealed, sent and counted. Plays nothing."""

import errno
import logging
import time
from collections.abc import Sequence

from bot.models import PACKET_SECONDS
from bot.playback.buffer import SILENCE
from bot.playback.outbox import AT_ONCE, PHASES, Outbox
from bot.playback.route import Route
from bot.playback.rtp import RtpStream

log = logging.getLogger(__name__)


class PacketSender:
    """Owns what was sent through a route, and what was not.

    `send`, `go_on`, `drop` and `take_back` belong to the pacer's thread.
    """

    __slots__ = (
        "_due", "_failed", "_handed", "_key", "_outbox", "_route", "_session", "_stream", "_taken_back", "_withheld",
        "bounced", "last_sent", "last_voiced",
    )  # fmt: skip

    def __init__(self, route: Route, outbox: Outbox) -> None:
        self._outbox = outbox
        self._route = route
        self._stream = RtpStream()
        self._key: object = None
        self._due = 0
        """The outbox's moment in which the next packet is due."""
        self._taken_back: Sequence[bytes] = ()
        """Datagrams that had not left when the connection was lost, and go before any other of their session."""
        self._session = 0
        """That the last datagrams were sealed for."""
        self._handed = 0
        """Packets put into the outbox."""
        self._failed = 0
        """Those of them that the network did not take. Counted by whichever thread sends."""
        self._withheld = 0
        """Packets that nobody could have decrypted."""
        self.bounced = 0
        """Times the network brought back word that nobody takes packets there."""
        self.last_sent = float("-inf")
        """When the last packet left, or will have left, on the monotonic clock."""
        self.last_voiced = float("-inf")
        """When the last one left that was not silence."""
        route.lost = lambda: outbox.recall(self)

    @property
    def sent(self) -> int:
        """Packets handed to the network."""
        return self._handed - self._count_ahead() - self._failed

    @property
    def refused(self) -> int:
        """Packets the network did not take, or that nobody could have decrypted."""
        return self._withheld + self._failed

    def send(self, packet: bytes, following: Sequence[bytes] = ()) -> int:
        """Send one Opus packet of 20 ms, and those that follow it as they are due; return how many are on their way.

        What nobody could decrypt is not sent; it takes its 20 ms all the same.
        """
        route = self._route
        voiced = packet != SILENCE or bool(following)  # speech may begin with a packet that is silence
        if not route.connected:  # what was agreed on with the next server is not all there yet
            self._withheld += voiced * (1 + len(following))
            return 1
        key = route.secret_key
        if key is not self._key:
            self._stream.rekey(route.mode, key, route.ssrc)
            self._key = key
        packets = [packet, *following]
        if voiced and route.dave_protocol_version:
            session = route.dave_session
            if session is None or not session.ready:
                self._withheld += len(packets)
                return 1
            encrypt = session.encrypt_opus
            packets = [each if each == SILENCE else encrypt(each) for each in packets]
        if route.sessions != self._session:
            self._session = route.sessions
            self.drop()
        count = self._put(self._stream.seal(packets))
        if voiced:
            self.last_voiced = self.last_sent
        return count

    def go_on(self) -> int:
        """Return for how many times 20 ms there is something on its way; 0 where nothing is that could be heard now."""
        early = self._due - self._outbox.moment
        if early > 0:
            return -(-early // PHASES)
        route = self._route
        if not self._taken_back or not route.connected or route.sessions != self._session:
            return 0
        return self._put()

    def drop(self) -> None:
        """Send nothing of what was taken back."""
        self._taken_back = ()

    def take_back(self) -> None:
        """Take back what was put and has not left, for the same session, unless that is resumed already."""
        route, outbox, due = self._route, self._outbox, self._due
        if route.connected and route.sessions == self._session:
            return
        moments = range(due - self._count_ahead() * PHASES, due, PHASES)
        put = [outbox.withdraw(self, moment) for moment in moments]
        taken = [datagram for datagram in put if datagram is not None]
        if taken:
            self._taken_back = [*taken, *self._taken_back]
            self._handed -= len(taken)
            self._due = outbox.moment

    def _count_ahead(self) -> int:
        """Return how many packets were put whose moment is still to come."""
        moments = self._due - self._outbox.moment
        return moments // PHASES if moments > 0 else 0

    def _put(self, sealed: Sequence[bytes] = ()) -> int:
        """Put as many into the outbox as it takes, of what was taken back and then of these; return how many."""
        outbox, waiting = self._outbox, [*self._taken_back, *sealed]
        datagrams, self._taken_back = waiting[:AT_ONCE], waiting[AT_ONCE:]
        count = len(datagrams)
        outbox.put(self, self._route.socket.fileno(), datagrams)
        self._handed += count
        self._due = outbox.moment + count * PHASES
        self.last_sent = time.monotonic() + (count - 1) * PACKET_SECONDS
        return count

    def refuse(self, reason: int) -> None:
        """Take note that a datagram was not sent, by the system's error number."""
        self._failed += 1
        self.bounced += reason == errno.ECONNREFUSED
        log.debug("A packet was dropped: error %d", reason)
