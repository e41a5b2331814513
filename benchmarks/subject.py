"""The bot as a process of its own, with a probe in its event loop: what benchmarks.job measures.

Started with the playground's port and CA; prints one JSON object for each line on standard input, and ends with it.
With `--fish` it can speak through a stand-in of Fish Audio, too. It may join any number of channels a minute.
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from benchmarks.machine import children, resident_mb
from benchmarks.probe import Probe
from benchmarks.voice.limits import lift_join_limit, raise_file_limit
from bot.__main__ import open_bot, set_up_logging, settle
from bot.settings import FishSettings, Settings
from playground.discord.wires import Resolver, connector
from playground.isolation import IsolatedSettings


async def main(port: int, authority: Path, token: str, settings: Settings) -> None:
    """Run the bot until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    way = connector(Resolver(port), await asyncio.to_thread(authority.read_text))
    async with Probe() as probe, open_bot(settings, connector=way) as bot:
        settle()
        running = asyncio.create_task(bot.start(token))
        while await reader.readline():
            workers = [resident_mb(pid) for pid in children(os.getpid())]
            report = {
                "held_ms": round(max(probe.take(), default=0.0) * 1000, 1),
                "bot_mb": round(resident_mb(os.getpid()), 1),
                "engine_mb": round(sum(workers), 1),
            }
            print(json.dumps(report), flush=True)
        await bot.close()
        with suppress(asyncio.CancelledError):
            await running


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fish", help="where the stand-in of Fish Audio is")
    parser.add_argument("--provider", choices=("imitation", "fish"), default="imitation")
    arguments = parser.parse_args()
    set_up_logging("WARNING")
    raise_file_limit()
    lift_join_limit()
    fish = (
        FishSettings()
        if arguments.fish is None
        else FishSettings(api_key=SecretStr("good-key"), base_url=arguments.fish)
    )
    chosen = IsolatedSettings(data_dir=arguments.data, provider=arguments.provider, fish=fish)
    asyncio.run(main(arguments.port, arguments.authority, arguments.token, chosen))
