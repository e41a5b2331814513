"""The bot's playback in a process of its own, with packets that say which they are: what benchmarks.voice.soak drives.

Reads an order a line (`say`, `join`, `leave`) and prints an object for each line that is over.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import discord

from benchmarks.voice.limits import lift_join_limit, raise_file_limit
from benchmarks.voice.numbered import Place, write
from bot.errors import BotError
from bot.models import Packets
from bot.playback import Limits, Line, Speakers
from playground.discord.wires import Resolver, connector

_ASKER = 1
_SEE_SECONDS = 2.0


class Client(discord.AutoShardedClient):
    """A client that speaks numbered packets. Owns who waits for the outcome of a line."""

    def __init__(self, speakers: Speakers, way: Any) -> None:
        super().__init__(intents=discord.Intents(guilds=True, voice_states=True), connector=way, max_messages=None)
        self._speakers = speakers
        self._waiting: set[asyncio.Task[None]] = set()

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Let playback know who comes and goes."""
        self._speakers.notice(member, before, after)

    async def obey(self, order: dict[str, Any]) -> None:
        """Do what an order says; a line is said beside what comes next."""
        channel = self.get_channel(order["channel"])
        if not isinstance(channel, discord.VoiceChannel):
            raise TypeError(f"there is no voice channel {order['channel']}")
        match order["do"]:
            case "say":
                saying = asyncio.create_task(self._say(channel, order))
                self._waiting.add(saying)
                saying.add_done_callback(self._waiting.discard)
            case "join":
                await self._see_gone(channel.guild)
                self._speakers.join(channel)
            case _:
                await self._speakers.leave(channel.guild.id, asker_id=_ASKER, may_mute=True)

    async def _see_gone(self, guild: discord.Guild) -> None:
        """Wait until the bot knows that it was thrown out: whoever invites it back has seen that too."""
        with suppress(TimeoutError):
            while guild.me.voice is not None and guild.me.voice.channel is not None:
                await self.wait_for("voice_state_update", timeout=_SEE_SECONDS)

    async def _say(self, channel: discord.VoiceChannel, order: dict[str, Any]) -> None:
        @asynccontextmanager
        async def open_sentence(sentence: int) -> AsyncIterator[Packets]:
            yield _packets(order["line"], sentence, order["packets"])

        told = ""
        sentences = tuple(f"Sentence {number}." for number in range(order["sentences"]))
        try:
            ticket = self._speakers.enqueue(
                Line(asker_id=_ASKER, channel=channel, open=open_sentence, sentences=sentences)
            )
            await ticket.done
        except BotError as error:
            told = str(error)
        print(json.dumps({"line": order["line"], "told": told}), flush=True)


async def _packets(line: int, sentence: int, count: int) -> Packets:
    for number in range(count):
        yield [write(Place(line, sentence, number))]


async def run(asked: argparse.Namespace) -> None:
    """Obey until there are no orders any more."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    way = connector(Resolver(asked.port), await asyncio.to_thread(asked.authority.read_text))
    async with Speakers(Limits(idle_seconds=3600.0)) as speakers, Client(speakers, way) as client:
        running = asyncio.create_task(client.start(asked.token))
        await asyncio.wait((asyncio.create_task(client.wait_until_ready()), running), return_when="FIRST_COMPLETED")
        print(json.dumps({"ready": client.is_ready()}), flush=True)
        while order := await reader.readline():
            await client.obey(json.loads(order))
        await speakers.close()
        await client.close()
        await running


def main() -> None:
    """Read what is asked, and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    parser.add_argument("--token", required=True)
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("discord.voice_state").setLevel(logging.CRITICAL)  # each connection that is broken on purpose
    raise_file_limit()
    lift_join_limit()
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
