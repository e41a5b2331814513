"""Where the soak happens: servers of two channels with a listener in each, and the process that speaks in them."""

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from playground.discord import Discord, Guild, Listener, Room, open_discord
from playground.discord.wires import authority_pem


class Server:
    """Owns where in one server the bot was sent last, and what its listeners could not hear."""

    def __init__(self, guild: Guild, rooms: tuple[Room, Room], listeners: Sequence[Listener]) -> None:
        self.guild = guild
        self._rooms, self._listeners = rooms, listeners
        self._place = 0
        self.unheard: Counter[str] = Counter()

    @property
    def room(self) -> Room:
        """Where the bot is, or is to be."""
        return self._rooms[self._place]

    def move(self) -> None:
        """Send the bot to the other channel."""
        self.guild.move(self.guild.bot, self._rooms[1 - self._place])
        self._place = 1 - self._place

    def kick(self) -> None:
        """Throw the bot out."""
        self.guild.kick_from_voice(self.guild.bot)

    def listen_anew(self) -> None:
        """Forget what was heard."""
        for listener in self._listeners:
            heard = listener.heard()
            self.unheard.update(
                clear=heard.clear_packets,
                undecryptable=heard.undecryptable,
                reused_nonces=heard.reused_nonces,
                wrong_steps=heard.wrong_steps,
            )
            listener.reset()

    def frames(self) -> Iterator[bytes]:
        """Give what was heard in either channel, in the order it came."""
        spoken = (frame for listener in self._listeners for frame in listener.heard().spoken)
        return (frame.opus for frame in sorted(spoken, key=lambda frame: frame.arrived))


class Stage:
    """Owns the speaking process, and who waits for the outcome of which line."""

    def __init__(self, discord: Discord, servers: Sequence[Server], process: Process) -> None:
        self.discord, self.servers = discord, servers
        self._process = process
        self._expected: dict[int, asyncio.Future[str]] = {}

    async def order(self, what: str, room: Room, **details: int) -> None:
        """Give the speaking process an order."""
        if self._process.stdin is None:
            raise RuntimeError("the subject was started without pipes")
        self._process.stdin.write(json.dumps({"do": what, "channel": room.id, **details}).encode() + b"\n")
        await self._process.stdin.drain()

    def expect(self, line: int) -> asyncio.Future[str]:
        """Return what will be what the line's asker is told: nothing where it was said to its end."""
        future = self._expected[line] = asyncio.get_running_loop().create_future()
        return future

    def drop(self, server: Server, code: int) -> None:
        """Close the bot's voice websocket in a server."""
        self.discord.voice.dismiss(guild_id=server.guild.id, user_id=server.guild.bot.id, code=code)

    def unheard(self) -> dict[str, int]:
        """Return what reached the far end and could not be heard."""
        total: Counter[str] = Counter()
        for server in self.servers:
            server.listen_anew()
            total.update(server.unheard)
        return {"strays": self.discord.voice.strays, **total}

    async def follow(self) -> None:
        """Read what the speaking process prints, until it is gone."""
        if self._process.stdout is None:
            raise RuntimeError("the subject was started without pipes")
        while line := await self._process.stdout.readline():
            printed = json.loads(line)
            expected = self._expected.pop(printed["line"])
            if not expected.done():
                expected.set_result(printed["told"])


@asynccontextmanager
async def open_stage(channels: int) -> AsyncIterator[Stage]:
    """Open it all."""
    with tempfile.TemporaryDirectory(prefix="mynah-bench-") as folder:
        authority = Path(folder, "authority.pem")
        await asyncio.to_thread(authority.write_text, authority_pem())
        async with open_discord() as discord:
            servers = [await _open_server(discord, number) for number in range(channels)]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.voice.soak_subject", "--port", str(discord.resolver.port),
                "--authority", str(authority), "--token", discord.token, stdin=PIPE, stdout=PIPE,
            )  # fmt: skip
            stage = Stage(discord, servers, process)
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("the subject was started without pipes")
            await process.stdout.readline()
            following = asyncio.create_task(stage.follow())
            try:
                yield stage
            finally:
                process.stdin.close()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 20)
                if process.returncode is None:
                    process.kill()
                await following


async def _open_server(discord: Discord, number: int) -> Server:
    guild = discord.add_guild(f"Aviary {number}")
    rooms = guild.add_voice_channel("Lounge"), guild.add_voice_channel("Attic")
    listeners = [
        await guild.add_member(name).joins(room)
        for name, room in zip((f"bob{number}", f"eve{number}"), rooms, strict=True)
    ]
    return Server(guild, rooms, listeners)
