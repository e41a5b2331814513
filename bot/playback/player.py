"""One source on its way into a channel, some packets at a time. Knows no connection: it is handed what sends."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from bot.playback.buffer import SILENCE
from bot.playback.pacer import Pacer

TAIL = 5
"""Frames of silence after the last word, so that listeners do not fill the gap with its sound (Discord's "Voice Data
Interpolation")."""


class PacketSource(Protocol):
    """Hands out Opus packets of 20 ms. Any discord.AudioSource that is Opus already is one."""

    def read(self) -> bytes | None:
        """Hand out the next packet, `b""` at the end, None where there is nothing for now. Never waits."""


@runtime_checkable
class SpeechSource(PacketSource, Protocol):
    """Knows some of its packets beforehand."""

    def read_on(self, most: int) -> Sequence[bytes]:
        """Hand out up to so many packets that follow the one that was read, if they are there and wanted anyway."""


class PacketSink(Protocol):
    """Sends Opus packets of 20 ms."""

    def send(self, packet: bytes, following: Sequence[bytes] = ()) -> int:
        """Send a packet, and those that follow it when they are due; return for how many times 20 ms that will do."""

    def go_on(self) -> int:
        """Return for how many times 20 ms there is something on its way; 0 where nothing is that could be heard."""

    def drop(self) -> None:
        """Send nothing of what waits for a lost connection: its source has ended."""


class Player:
    """Owns whether a source goes on. Ticked by the pacer's thread; the rest belongs to the event loop's.

    A source that reads `b""` has ended; one that reads None has nothing for now, and is not asked again until `wake`.
    """

    __slots__ = (
        "_drop",
        "_ended",
        "_go_on",
        "_lock",
        "_pacer",
        "_read",
        "_read_on",
        "_send",
        "_stopped",
        "_tail",
        "_ticking",
        "_told",
        "_woken",
    )

    def __init__(
        self,
        source: PacketSource,
        sink: PacketSink,
        pacer: Pacer,
        ended: Callable[[Exception | None], None],
    ) -> None:
        self._read = source.read
        self._read_on = source.read_on if isinstance(source, SpeechSource) else _none_ahead
        self._send, self._go_on, self._drop = sink.send, sink.go_on, sink.drop
        self._pacer = pacer
        self._ended = ended
        self._tail = TAIL
        """Frames of silence still to be sent when the source has ended."""
        self._told = False
        """Whether it was told that the source ended."""
        self._stopped = False
        self._lock = threading.Lock()
        """Held where it is decided whether to be ticked again."""
        self._ticking = False
        self._woken = False

    @property
    def over(self) -> bool:
        """Whether the source is not read any more."""
        return self._stopped or self._told

    def wake(self) -> None:
        """Read the source, from the next moment on."""
        with self._lock:
            self._woken = True
            if self._ticking:
                return
            self._ticking = True
        self._pacer.add(self.tick)

    def stop(self) -> None:
        """Read the source no more; the silence that ends it follows."""
        self._stopped = True
        self.wake()

    def cut(self) -> None:
        """Send nothing more, as another source follows."""
        self._stopped, self._tail = True, 0

    def tick(self, most: int) -> int:
        """Send up to so many packets. Another source's bug is not to silence this one: whatever fails is handed on."""
        try:
            if self._tail and (going := self._go_on()):
                return going
            self._woken = False
            if not (self._told or self._stopped):
                packet = self._read()
                if packet:
                    return self._send(packet, self._read_on(most - 1))
                if packet is None:
                    return self._is_wanted()
            self._end(None)
            going = self._silence()
        except Exception as error:  # noqa: BLE001 - the thread belongs to every channel
            self._end(error)
            going = self._tail > 0
        return going or self._is_wanted()

    def _is_wanted(self) -> bool:
        """Say whether it was woken while there was nothing to send; else it is ticked no more."""
        with self._lock:
            self._ticking = self._woken
            return self._ticking

    def _silence(self) -> bool:
        if self._tail > 0:
            self._tail -= 1
            self._send(SILENCE)
        return self._tail > 0

    def _end(self, error: Exception | None) -> None:
        if not self._told:
            self._told = True
            self._drop()
            self._ended(error)


def _none_ahead(_most: int) -> Sequence[bytes]:
    return ()
