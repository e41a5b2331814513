"""The speaking process: a discord.py client that joins every voice channel it is told of, and speaks in all at once.

Prints two JSON objects: how joining went, and how speaking did; then it is gone, without goodbyes. discord.py's limit
of 110 messages a minute on a gateway connection, that is as many joins, is lifted here.
"""

import argparse
import asyncio
import gc
import itertools
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import discord

from benchmarks.voice.drivers import DRIVERS, Driver, MissingError, open_driver
from benchmarks.voice.limits import lift_join_limit, raise_file_limit
from benchmarks.voice.sources import Counted
from benchmarks.voice.usage import look
from bot.__main__ import settle
from bot.errors import BotError
from playground.discord.wires import Resolver, connector

_AT_ONCE = 8
_SECURE_SECONDS = 10.0
_ATTEMPTS = 2
"""On a busy machine discord.py's socket reader now and then misses its start, and that attempt ends in a timeout."""
_ENOUGH_FAILURES = 16
"""After so many, the driver cannot: each takes up to 40 s."""
_BEGUN = 25
"""Packets after which a player is past its beginning."""
_BEGIN_SECONDS = 40.0
_SETTLE_SECONDS = 2.0
_END_SECONDS = 10.0


class Subject:
    """Owns the connections of one client."""

    def __init__(self, driver: Driver, client: discord.Client) -> None:
        self._driver = driver
        self._client = client
        self._voices: list[discord.VoiceClient] = []
        self._failures: Counter[str] = Counter()

    async def join(self, seconds: float) -> dict[str, object]:
        """Join every channel, some at a time, for so many seconds at most; tell how many, and what memory each took."""
        channels = [guild.voice_channels[0] for guild in self._client.guilds]
        before, began = look(), time.monotonic()
        turns = asyncio.Semaphore(_AT_ONCE)
        joining = [asyncio.create_task(self._join(channel, turns)) for channel in channels]
        _, unfinished = await asyncio.wait(joining, timeout=seconds)
        for task in unfinished:
            task.cancel()
        if unfinished:
            self._failures["not tried or not done in time"] += len(unfinished)
        took = time.monotonic() - began
        gc.collect()
        after = look()
        return {
            "connected": len(self._voices),
            "failures": dict(self._failures),
            "joining_seconds": round(took, 2),
            "idle_kb_per_channel": round((after.memory_kb - before.memory_kb) / max(len(self._voices), 1), 1),
            "before_kb": before.memory_kb,
        }

    async def _join(self, channel: discord.VoiceChannel, turns: asyncio.Semaphore) -> None:
        async with turns:
            for _ in range(_ATTEMPTS):
                if self._failures.total() >= _ENOUGH_FAILURES or await self._try_to_join(channel):
                    return

    async def _try_to_join(self, channel: discord.VoiceChannel) -> bool:
        try:
            voice = await self._driver.join(channel)
            secure = await _until(lambda: bool(voice.voice_privacy_code), _SECURE_SECONDS)
        except (TimeoutError, OSError, ValueError, discord.DiscordException, BotError) as error:
            self._failures[f"{type(error).__name__}: {error}"[:100]] += 1
            return False
        if voice.is_connected() and secure:
            self._voices.append(voice)
            return True
        self._failures["no key group" if voice.is_connected() else "no connection"] += 1
        await voice.disconnect(force=True)
        return False

    async def speak(self, seconds: float) -> dict[str, object]:
        """Speak everywhere; tell what it took during so many seconds of it, and how many packets were handed out."""
        first = look(memory=False)
        sources = [self._play(voice) for voice in self._voices]
        await _until(lambda: min(source.handed for source in sources) >= _BEGUN, _BEGIN_SECONDS)
        await asyncio.sleep(_SETTLE_SECONDS)
        started = look(memory=False)
        late_before = self._driver.late()
        begin = look(memory=False)
        await asyncio.sleep(seconds)
        end = look(memory=False)
        late = None if late_before is None else (self._driver.late() or 0) - late_before
        resting = look()
        for source in sources:
            source.ending = True
        await _until(lambda: not any(voice.is_playing() for voice in self._voices), _END_SECONDS)
        await asyncio.sleep(0.2)
        return {
            "begin": asdict(begin),
            "end": asdict(end),
            "memory_kb": resting.memory_kb,
            "starting_processor_seconds": started.processor - first.processor,
            "late_by_its_own_count": late,
            "handed": sum(source.handed for source in sources),
        }

    def _play(self, voice: discord.VoiceClient) -> Counted:
        source = Counted(self._driver.source())
        voice.play(source)
        return source


async def _until(met: Callable[[], bool], seconds: float) -> bool:
    """Wait for a state of which nobody tells; whether it came in time."""
    deadline = time.monotonic() + seconds
    for _ in itertools.count():
        if met() or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.02)
    return met()


async def run(asked: argparse.Namespace) -> None:
    """Connect, join, speak."""
    way = connector(Resolver(asked.port), await asyncio.to_thread(asked.authority.read_text))
    intents = discord.Intents(guilds=True, voice_states=True)
    client = discord.Client(intents=intents, connector=way, max_messages=None)
    async with open_driver(asked.driver, asked.speech) as driver, client:
        running = asyncio.create_task(client.start(asked.token))
        await _ready(client, running)
        if asked.driver == "mynah":
            settle()
        else:
            gc.collect()
            gc.freeze()
        subject = Subject(driver, client)
        joined = await subject.join(asked.join_seconds)
        print(json.dumps(joined), flush=True)
        if joined["connected"] == asked.channels:
            print(json.dumps(await subject.speak(asked.seconds)), flush=True)
        # goodbyes of 1,000 channels would take longer than what was measured
        os._exit(0)


async def _ready(client: discord.Client, running: asyncio.Task[None]) -> None:
    ready = asyncio.create_task(client.wait_until_ready())
    await asyncio.wait((ready, running), return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()


def main() -> None:
    """Read what is asked, and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--driver", choices=DRIVERS, required=True)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--channels", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--join-seconds", type=float, required=True)
    logging.basicConfig(level=logging.ERROR)
    raise_file_limit()
    lift_join_limit()
    try:
        asyncio.run(run(parser.parse_args()))
    except MissingError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
