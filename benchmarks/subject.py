"""The bot as a process of its own, with a probe in its event loop: what benchmarks.job measures.

Started with the playground's port and CA; prints one JSON object for each line on standard input, and ends with it.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.machine import children, resident_mb
from bot.__main__ import open_bot, set_up_logging
from playground.discord.wires import Resolver, connector
from playground.isolation import IsolatedSettings

_PERIOD = 0.002


class Probe:
    """Owns how long the loop was held since the last look: a timer that comes late was kept waiting."""

    def __init__(self) -> None:
        self._worst = 0.0

    async def watch(self) -> None:
        """Look every 2 ms."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_PERIOD)
            self._worst = max(self._worst, time.perf_counter() - began - _PERIOD)

    def take(self) -> float:
        """Return the longest hold in seconds, and start again."""
        worst, self._worst = self._worst, 0.0
        return worst


async def main(port: int, authority: Path, token: str, data_dir: Path) -> None:
    """Run the bot until standard input ends."""
    probe = Probe()
    watching = asyncio.create_task(probe.watch())
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    way = connector(Resolver(port), await asyncio.to_thread(authority.read_text))
    async with open_bot(IsolatedSettings(data_dir=data_dir), connector=way) as bot:
        running = asyncio.create_task(bot.start(token))
        while await reader.readline():
            workers = [resident_mb(pid) for pid in children(os.getpid())]
            report = {
                "held_ms": round(probe.take() * 1000, 1),
                "bot_mb": round(resident_mb(os.getpid()), 1),
                "engine_mb": round(sum(workers), 1),
            }
            print(json.dumps(report), flush=True)
        await bot.close()
        with suppress(asyncio.CancelledError):
            await running
    watching.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    set_up_logging("WARNING")
    asyncio.run(main(arguments.port, arguments.authority, arguments.token, arguments.data))
