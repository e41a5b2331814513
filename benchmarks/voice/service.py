"""The stand-in of a voice service as a process of its own, which knows when each line was asked for and answered.

Prints one JSON object when it is open and one for each line on standard input, and ends with it. A line may set how
fast sound is made (`speed`; 0: it is all there) and ask for a `mark`: the answer is, of every request whose text has
that mark, when it came and when its first sound was sent, in seconds of the clock that all processes share.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from benchmarks.far_end import FarEnd, read_speech
from playground.services.fish._house import Access
from playground.services.service import Asked
from playground.services.sound import Form, Samples

_PLACES = 1024


class ClockedService(FarEnd):
    """Owns when each request came. Encodes each length of sound once: hundreds of lines are the same to it."""

    def __init__(self, speech: Samples) -> None:
        super().__init__(speech)
        self.concurrency = _PLACES
        self._came: dict[asyncio.Task[object], tuple[float, bytes]] = {}
        self._written: dict[tuple[int, Form, int], bytes] = {}

    def admit(self, asked: Asked, access: Access) -> str:
        """Note when a request came."""
        if (task := asyncio.current_task()) is not None:
            self._came[task] = (time.monotonic(), asked.body)
        return super().admit(asked, access)

    def encode(self, samples: Samples, form: Form, *, rate: int) -> bytes:
        """Write sound, or what was written of that length before: all lines are the beginning of one speech."""
        key = (len(samples), form, rate)
        if key not in self._written:
            self._written[key] = super().encode(samples, form, rate=rate)
        return self._written[key]

    def find(self, mark: str) -> list[tuple[float, float]]:
        """Return when each request with this mark came, and when its sound began to be sent."""
        asked = [
            (came, self._began.get(task, 0.0)) for task, (came, body) in self._came.items() if mark.encode() in body
        ]
        return sorted(asked)


async def main(speech: Path) -> None:
    """Serve until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with ClockedService(await asyncio.to_thread(read_speech, speech)) as service:
        service.keys["good-key"] = 1e9
        voice = service.publish("Bench")
        print(json.dumps({"url": service.url, "voice": voice["_id"]}), flush=True)
        while line := await reader.readline():
            told = json.loads(line)
            service.pace = told.get("speed", service.pace)
            print(json.dumps(service.find(told.get("mark", "\0"))), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--speech", type=Path, required=True)
    asyncio.run(main(parser.parse_args().speech))
