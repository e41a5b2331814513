"""Throwaway bots on the real discord.py, and a bare HTTP client for what discord.py would not send."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from playground.discord import Discord

INTENTS = discord.Intents(guilds=True, voice_states=True)
Teach = Callable[[app_commands.CommandTree], None]


class Bot(commands.AutoShardedBot):
    """A bot with the commands that `teach` gives it; keeps the errors of its commands."""

    def __init__(self, house: Discord, teach: Teach | None, intents: discord.Intents, **options: Any) -> None:
        options.setdefault("guild_ready_timeout", 0.01)
        super().__init__(command_prefix="!", intents=intents, connector=house.connector(), help_command=None, **options)
        self.teach = teach
        self.errors: list[Exception] = []
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def setup_hook(self) -> None:
        self.tree.on_error = self.keep_error
        if self.teach is not None:
            self.teach(self.tree)
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify at once: discord.py leaves five seconds between two shards."""

    async def keep_error(self, _: discord.Interaction, error: app_commands.AppCommandError) -> None:
        self.errors.append(getattr(error, "original", error))

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.heard.put_nowait((event, args))
        super().dispatch(event, *args, **kwargs)

    async def hears(self, event: str) -> tuple[Any, ...]:
        """Return the arguments of the next such event."""
        async with asyncio.timeout(10):
            while True:
                name, args = await self.heard.get()
                if name == event:
                    return args


@asynccontextmanager
async def running(
    house: Discord, teach: Teach | None = None, *, intents: discord.Intents = INTENTS, **options: Any
) -> AsyncIterator[Bot]:
    """Run a bot in the house until the block ends."""
    bot = Bot(house, teach, intents, **options)
    task = asyncio.create_task(bot.start(house.token))
    try:
        waiting = asyncio.create_task(house.bot_ready())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            await task
        await waiting
        await bot.wait_until_ready()
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)


async def until(met: Callable[[], object]) -> None:
    """Return once something is so that a bot's own task or thread brings about."""
    async with asyncio.timeout(10):
        # a voice client's thread rings no bell that could be waited for
        while not met():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def ask(house: Discord, method: str, path: str, *, token: str | None = None, **options: Any) -> tuple[int, Any]:
    """Send one request to the API as the bot; return the status and the body."""
    headers = {"Authorization": f"Bot {token or house.token}"}
    async with (
        aiohttp.ClientSession(connector=house.connector(), headers=headers) as session,
        session.request(method, f"https://discord.com/api/v10{path}", **options) as response,
    ):
        body = await response.json() if response.content_type == "application/json" else await response.text()
        return response.status, body


async def download(house: Discord, url: str) -> tuple[int, bytes]:
    """Fetch an address; return the status and the body."""
    async with aiohttp.ClientSession(connector=house.connector()) as session, session.get(url) as response:
        return response.status, await response.read()
