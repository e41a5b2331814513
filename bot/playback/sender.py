"""One channel's packets on their way out: encrypted for those who listen, sealed, sent and counted. Plays nothing."""

import errno
import logging
import time
from collections.abc import Sequence

from bot.models import PACKET_SECONDS
from bot.playback.buffer import SILENCE
from bot.playback.outbox import Outbox
from bot.playback.route import Route
from bot.playback.rtp import RtpStream

log = logging.getLogger(__name__)


class PacketSender:
    """Owns what was sent through a route, and what was not. `send` and `go_on` belong to the pacer's thread."""

    __slots__ = (
        "_failed", "_handed", "_key", "_outbox", "_route", "_sealed", "_session", "_stream", "_withheld", "bounced",
        "last_sent", "last_voiced",
    )  # fmt: skip

    def __init__(self, route: Route, outbox: Outbox) -> None:
        self._outbox = outbox
        self._route = route
        self._stream = RtpStream()
        self._key: object = None
        self._sealed: list[bytes] = []
        """Datagrams that are to follow, the next one last: sealing some at a time finds what it needs near at hand."""
        self._session = 0
        """That they were sealed for."""
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

    @property
    def sent(self) -> int:
        """Packets handed to the network."""
        return self._handed - self._failed

    @property
    def refused(self) -> int:
        """Packets the network did not take, or that nobody could have decrypted."""
        return self._withheld + self._failed

    def send(self, packet: bytes, following: Sequence[bytes] = ()) -> None:
        """Send one Opus packet of 20 ms, and seal those that follow it for `go_on`.

        What nobody could decrypt is not sent.
        """
        route = self._route
        voiced = packet != SILENCE or bool(following)  # speech may begin with a packet that is silence
        if not route.connected:  # what was agreed on with the next server is not all there yet
            self._withheld += voiced * (1 + len(following))
            return
        key = route.secret_key
        if key is not self._key:
            self._stream.rekey(route.mode, key, route.ssrc)
            self._key = key
        packets = [packet, *following]
        if voiced and route.dave_protocol_version:
            session = route.dave_session
            if session is None or not session.ready:
                self._withheld += len(packets)
                return
            encrypt = session.encrypt_opus
            packets = [each if each == SILENCE else encrypt(each) for each in packets]
        self._sealed = self._stream.seal(packets)
        self._sealed.reverse()
        self._session = route.sessions
        self.last_sent = time.monotonic() + len(following) * PACKET_SECONDS
        if voiced:
            self.last_voiced = self.last_sent
        self.go_on()

    def go_on(self) -> bool:
        """Put the next sealed packet into the outbox; False where there is none, or it could not be heard now."""
        sealed = self._sealed
        if not sealed:
            return False
        route = self._route
        if not route.connected or route.sessions != self._session:
            return False
        self._outbox.put(self, route.socket.fileno(), sealed.pop())
        self._handed += 1
        return True

    def refuse(self, reason: int) -> None:
        """Take note that a datagram was not sent, by the system's error number."""
        self._failed += 1
        self.bounced += reason == errno.ECONNREFUSED
        log.debug("A packet was dropped: error %d", reason)
