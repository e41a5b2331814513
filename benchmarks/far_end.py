"""The stand-in of a voice service as a process of its own, which sends as it is told: what benchmarks.services asks.

Prints one JSON object when it is open and one for each line on standard input, and ends with it. A line sets how
sound is sent from then on (`portion`, `speed`); the answer tells when each line's first sound was sent since the last
answer, in seconds of the clock that all processes share.
"""

import argparse
import asyncio
import json
import re
import sys
import time
import wave
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from playground.services.fish import FishService
from playground.services.service import Asked
from playground.services.sound import RATE, Samples

PLACES = 64
_SECONDS_A_LETTER = 0.06
_HEADER = 44
"""Bytes of a WAV before its sound."""
_MOST_REMEMBERED = 100


class FarEnd(FishService):
    """Owns how sound is sent, and when each line's began to be."""

    def __init__(self, speech: Samples) -> None:
        super().__init__(speak=self._speak)
        self.concurrency = PLACES
        self.size = 0
        """Bytes sent at once; 0: all there are."""
        self.pace = 0.0
        """How fast sound is made, 1 being as fast as it is heard; 0: it is there already."""
        self._speech = speech
        self._began: dict[asyncio.Task[object], float] = {}

    def _speak(self, text: str, speed: float) -> Samples:
        return self._speech[: round(len(text) * _SECONDS_A_LETTER / speed * RATE)]

    def take(self) -> list[float]:
        """Return when the lines since the last time began to be sent, in the order they did."""
        times = [began for began in self._began.values() if began]
        self._began = {task: 0.0 for task in self._began if not task.done()}
        return times

    async def portions(self, _asked: Asked, data: bytes) -> AsyncIterator[bytes]:
        """Send what was told, as fast as was told; the first at once."""
        task = asyncio.current_task()
        start = time.monotonic()
        for portion, seconds in self._cut(data):
            if self.pace:
                await asyncio.sleep(start + seconds / self.pace - time.monotonic())
            if task is not None and task not in self._began:
                self._began[task] = time.monotonic()
            yield portion
        # a benchmark of thousands of lines is not to fill this process either
        del self.asked[:-_MOST_REMEMBERED], self.spoken[:-_MOST_REMEMBERED], self.heard[:-_MOST_REMEMBERED]

    def _cut(self, data: bytes) -> Iterator[tuple[bytes, float]]:
        """Give each portion, and how much sound went before it."""
        if self.pace:
            yield from _measure_out(data)
            return
        size = self.size or max(len(data), 1)
        for start in range(0, len(data), size):
            yield data[start : start + size], 0.0


def _measure_out(data: bytes) -> Iterator[tuple[bytes, float]]:
    """Cut sound into the smallest portions that can be sent while it is made.

    Ogg: pages, whose checksums stand before what they hold. MP3: frames. WAV and bare samples: 20 ms. What stands
    before the sound goes with the first.
    """
    if data.startswith(b"OggS"):
        starts = [found.start() for found in re.finditer(b"OggS", data)]
        head, size, seconds = 0, 0, 0.2
        cuts = [0, *starts[3:], len(data)]
    else:
        head = data.find(b"\xff\xfb") if data.startswith(b"ID3") else _HEADER if data.startswith(b"RIFF") else 0
        size, seconds = (418, 1152 / RATE) if data[head : head + 2] == b"\xff\xfb" else (RATE // 50 * 2, 0.02)
        cuts = [0, *range(head + size, len(data), size), len(data)]
    for number, (start, end) in enumerate(pairwise(cuts)):
        yield data[start:end], number * seconds


def read_speech(path: Path) -> Samples:
    """Read a WAV of 44.1 kHz, mono, 16 bit."""
    with wave.open(str(path)) as file:
        return np.asarray(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768, dtype=np.float32)


async def main(speech: Path) -> None:
    """Serve until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with FarEnd(await asyncio.to_thread(read_speech, speech)) as service:
        voice = service.publish("Bench")
        print(json.dumps({"url": service.url, "voice": voice["_id"], "key": "good-key"}), flush=True)
        service.keys["good-key"] = 1e9
        while line := await reader.readline():
            told = json.loads(line)
            service.size, service.pace = told.get("portion", service.size), told.get("speed", service.pace)
            print(json.dumps(service.take()), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--speech", type=Path, required=True)
    asyncio.run(main(parser.parse_args().speech))
