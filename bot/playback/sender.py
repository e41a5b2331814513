"""One channel's packets on their way out: encrypted for those who listen, sealed, sent and counted. Plays nothing."""

import ctypes
import errno
import logging
import time

from bot.playback.buffer import SILENCE
from bot.playback.native import send
from bot.playback.route import Route
from bot.playback.rtp import RtpStream

log = logging.getLogger(__name__)


class PacketSender:
    """Owns what was sent through a route, and what was not. `send` belongs to the pacer's thread."""

    __slots__ = ("_key", "_route", "_stream", "bounced", "last_sent", "last_voiced", "refused", "sent")

    def __init__(self, route: Route) -> None:
        self._route = route
        self._stream = RtpStream()
        self._key: object = None
        self.sent = 0
        """Packets handed to the network."""
        self.refused = 0
        """Packets the network did not take, or that nobody could have decrypted."""
        self.bounced = 0
        """Times the network brought back word that nobody takes packets there."""
        self.last_sent = float("-inf")
        """When the last packet left, on the monotonic clock."""
        self.last_voiced = float("-inf")
        """When the last one left that was not silence."""

    def send(self, packet: bytes) -> None:
        """Send one Opus packet of 20 ms; what nobody could decrypt is not sent."""
        route = self._route
        voiced = packet != SILENCE
        if not route.connected:  # what was agreed on with the next server is not all there yet
            self.refused += voiced
            return
        if route.secret_key is not self._key:
            self._key = route.secret_key
            self._stream.rekey(route.secret_key, route.ssrc)
        if voiced and route.dave_protocol_version:
            session = route.dave_session
            if session is None or not session.ready:
                self.refused += 1
                return
            packet = session.encrypt_opus(packet)
        datagram = self._stream.seal(packet)
        if send(route.socket.fileno(), datagram.start, datagram.size, 0) < 0:
            self.refused += 1
            reason = ctypes.get_errno()
            self.bounced += reason == errno.ECONNREFUSED
            log.debug("A packet was dropped: error %d", reason)
        else:
            self.sent += 1
            self.last_sent = now = time.monotonic()
            if voiced:
                self.last_voiced = now
