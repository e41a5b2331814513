"""Sentences that were spoken, kept in memory to be spoken again at no cost. Knows no provider; writes nothing down."""

import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import astuple, dataclass

_SHARE = 8
"""A sentence larger than such a part of the cache would drive out too many others."""
_ENTRY = 600
"""Bytes that an entry takes beside its key and its packets, measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceKey:
    """All that the sound of a sentence depends on."""

    voice_id: str
    remote_id: str | None
    provider: str
    words: str
    """As they are sent, with tags."""
    speed: float


class SpeechCache:
    """Owns complete sentences as packets, no more than so many bytes of them; the least recently spoken goes first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[SentenceKey, tuple[bytes, ...]] = OrderedDict()
        self._size = 0
        self._era = 0

    @property
    def size(self) -> int:
        """Bytes in use, with what it takes to keep them."""
        return self._size

    @property
    def era(self) -> int:
        """How often something was forgotten: to be read before a sentence is made, and handed to `put`."""
        return self._era

    def get(self, key: SentenceKey) -> tuple[bytes, ...] | None:
        """Give the packets of a sentence, if it is kept."""
        packets = self._kept.get(key)
        if packets is not None:
            self._kept.move_to_end(key)
        return packets

    def put(self, key: SentenceKey, packets: Sequence[bytes], *, era: int) -> None:
        """Keep a whole sentence, unless it is too large, or a voice was forgotten while it was made."""
        made = tuple(packets)
        size = _weigh(key, made)
        if era != self._era or not made or size > self._most // _SHARE:
            return
        self._drop(key)
        self._kept[key] = made
        self._size += size
        while self._size > self._most:
            self._drop(next(iter(self._kept)))

    def forget(self, voice_id: str) -> None:
        """Drop all sentences of a voice that is gone or sounds different now."""
        self._era += 1
        for key in [key for key in self._kept if key.voice_id == voice_id]:
            self._drop(key)

    def _drop(self, key: SentenceKey) -> None:
        packets = self._kept.pop(key, None)
        if packets is not None:
            self._size -= _weigh(key, packets)


def _weigh(key: SentenceKey, packets: tuple[bytes, ...]) -> int:
    parts = (*astuple(key), packets, *packets)
    return _ENTRY + sum(sys.getsizeof(part) for part in parts)
