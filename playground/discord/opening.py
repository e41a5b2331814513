"""The playground's Discord as a whole: built from the ground up, opened on loopback, taken down in reverse."""

import asyncio
import logging
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from playground.discord.actors.guild import Guild
from playground.discord.actors.places import BotUser
from playground.discord.actors.transcript import Transcript
from playground.discord.breaches import Breaches, PlaygroundError
from playground.discord.cdn import Cdn
from playground.discord.clock import Clock
from playground.discord.gateway import Gateway
from playground.discord.rest import Rest
from playground.discord.rest.answers import AnswerRoutes
from playground.discord.rest.application import ApplicationRoutes
from playground.discord.rest.channels import ChannelRoutes
from playground.discord.rest.guilds import GuildRoutes
from playground.discord.switchboard import Switchboard
from playground.discord.voice import Tap, VoiceServer
from playground.discord.wires import Resolver, connector, server_tls
from playground.discord.world import World
from playground.discord.world.commands import Command

TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAx.playground.only-good-on-loopback"  # noqa: S105 - opens nothing but the playground
_MAX_REQUEST = 128 << 20
_PATIENCE = 5.0


class Discord:
    """Owns the world and the servers in front of it; open on 127.0.0.1 while it is entered."""

    def __init__(self, *, bot_name: str, shards: int, tap: Tap | None = None) -> None:
        self.token = TOKEN
        self.clock = Clock()
        self.breaches = Breaches()
        self.world = World(self.clock, bot_name)
        self.voice = VoiceServer(hushed=self.world.calls.hushed, tap=tap)
        self.transcript = Transcript(self.world)
        self._switchboard = Switchboard(self.world, self.voice)
        self.gateway = Gateway(self.world, self._switchboard, self.breaches, self.token)
        self.cdn = Cdn(self.world.files)
        self.rest = Rest(
            (
                *ApplicationRoutes(self.world, shards=shards).routes(),
                *AnswerRoutes(self.world).routes(),
                *ChannelRoutes(self.world).routes(),
                *GuildRoutes(self.world, self._switchboard).routes(),
            ),
            self.breaches,
            self.token,
        )
        self.resolver = Resolver(0)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_REQUEST)
        app.router.add_route("*", "/{tail:.*}", self.handle)
        alarm = logging.Logger("playground.discord.server")  # noqa: LOG001 - one of its own, so that nobody silences it
        alarm.addHandler(_Alarm(self.breaches))
        runner = web.AppRunner(app, access_log=None, logger=alarm, shutdown_timeout=_PATIENCE)
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.callback(self.cdn.close)
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls()).start()
            self.resolver.port = runner.addresses[0][1]
            await stack.enter_async_context(self.voice)
            stack.push_async_callback(self.gateway.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)
        try:
            self.check()
        except PlaygroundError as found:
            if error is None:
                raise
            error.add_note(str(found))

    @property
    def bot_user(self) -> BotUser:
        """The application's own user."""
        return BotUser(self.world)

    @property
    def commands(self) -> tuple[Command, ...]:
        """The global commands as they were last synced."""
        return self.world.commands.known()

    def connector(self) -> aiohttp.TCPConnector:
        """Return a connector that leads to this Discord and nowhere else."""
        return connector(self.resolver)

    def refuse_voice(self, *codes: int) -> None:
        """Close the next voice websockets that identify with these codes, one each: 4006, 4017 ..."""
        self.voice.faults.refuse_identify.extend(codes)

    def add_guild(self, name: str, *, tier: int = 0) -> Guild:
        """Make a server that the application is in, with one text channel; `tier` is its boost level."""
        server = self.world.guilds.add_server(name, owner_id=self.world.owner.id, tier=tier)
        self.world.guilds.add_member(server.id, self.world.owner)
        self.world.guilds.add_member(server.id, self.world.bot)
        guild = Guild(self.world, self.transcript, self._switchboard, server.id)
        self.world.open_server(server)
        return guild

    async def bot_ready(self, timeout: float = 15.0, *, synced: bool = True) -> None:  # noqa: ASYNC109 - the tests' words
        """Return once every shard has identified and (`synced`) the commands were synced; raises TimeoutError."""

        def met() -> bool:
            return self.gateway.ready and (self.world.commands.synced or not synced)

        try:
            async with asyncio.timeout(timeout):
                await self.world.events.bell.until(met)
        except TimeoutError as error:
            state = f"shards ready: {self.gateway.ready}, commands synced: {self.world.commands.synced}"
            raise TimeoutError(f"the bot is not ready after {timeout:g} s ({state})") from error

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request to any of Discord's hosts."""
        host = (request.host or "").partition(":")[0]
        if host == "discord.com":
            return await self.rest.handle(request)
        if host.endswith("discord.gg"):
            return await self.gateway.handle(request)
        if host.endswith("discord.media"):
            return await self.voice.handle(request)
        if host in {"cdn.discordapp.com", "media.discordapp.net"}:
            return await self.cdn.handle(request)
        self.breaches.record(f"unknown host: {host} {request.path}")
        return web.Response(status=501)

    def check(self) -> None:
        """Raise PlaygroundError for what the application did and nobody looked at."""
        for interaction in self.world.interactions.all():
            if not interaction.given_up:
                for what in interaction.broken:
                    self.breaches.record(f"{what} (interaction {interaction.kind.name.lower()})")
        for stranger in self.resolver.strangers:
            self.breaches.record(f"a stranger's host was asked for: {stranger}")
        self.breaches.raise_if_any()


class _Alarm(logging.Handler):
    """Records what aiohttp logs when a handler of the playground fails."""

    def __init__(self, breaches: Breaches) -> None:
        super().__init__(logging.ERROR)
        self._breaches = breaches

    def emit(self, record: logging.LogRecord) -> None:
        """Record a failure with its traceback."""
        self._breaches.record(f"a handler of the playground failed: {self.format(record)}")


def open_discord(*, bot_name: str = "Mynah", shards: int = 1, tap: Tap | None = None) -> Discord:
    """Return a Discord to open with `async with`; `shards` is what its gateway recommends, a `tap` reads all voice."""
    return Discord(bot_name=bot_name, shards=shards, tap=tap)
