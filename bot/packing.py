"""Sound as a provider sends it, packed as it comes. Has never heard of Discord; remembers no words and no sound."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence

from bot import audio
from bot.errors import ProviderError
from bot.models import PACKET_SECONDS
from bot.providers.base import AudioStream, SpeechRequest

_SLACK_SECONDS = 30.0
_SECONDS_A_SIGN = 1.0
"""Several times as long as any language takes, pauses included: what speaks on is no speech."""
_PACKED_AT_ONCE = 2
"""Threads that pack: with more, each waits for the others, and the event loop for all."""
_VOICES = 1000
"""Of which it is remembered how loud they come."""


class Packing:
    """Owns whose turn it is to have sound packed, and how loud the sound of each voice usually comes."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_PACKED_AT_ONCE)
        self._usual: OrderedDict[str, float] = OrderedDict()

    async def pack(
        self, stream: AudioStream, request: SpeechRequest, *, label: str, source: str
    ) -> AsyncGenerator[Sequence[bytes]]:
        """Cut sound into packets, some at a time, of no more than the words can take. Raises `ProviderError`.

        `source`: whose voice it is, so that its next sentence is as loud; nothing where it speaks once.
        """
        usual = self._usual.get(source)
        packer = audio.Packer(stream.encoding, stream.rate, phrases=stream.phrases, usual=usual)
        left = round((_SLACK_SECONDS + _SECONDS_A_SIGN * len(request.text) / request.speed) / PACKET_SECONDS)
        async for chunk in stream.chunks:
            for portion in packer.portions(chunk):
                packets = await self._take_turn(packer, packer.feed, portion)
                if packets and left > 0:
                    yield packets[:left]
                left -= len(packets)
                if left < 0:
                    raise ProviderError(f"{label} speaks without end: say it again, in other words.", kind="server")
        rest = await self._take_turn(packer, packer.finish)
        if source and packer.loudness is not None:
            self._remember(source, packer.loudness if usual is None else (usual + packer.loudness) / 2)
        if rest:
            yield rest

    def _remember(self, source: str, loudness: float) -> None:
        self._usual[source] = loudness
        self._usual.move_to_end(source)
        if len(self._usual) > _VOICES:
            self._usual.popitem(last=False)

    async def _take_turn(self, packer: audio.Packer, work: Callable[..., list[bytes]], *portion: bytes) -> list[bytes]:
        """Have a packer work; in a thread where that takes time."""
        if packer.copies:
            # sound that is all there already would let nobody else run
            await asyncio.sleep(0)
            return work(*portion)
        async with self._turns:
            return await asyncio.to_thread(work, *portion)
