"""`python -m bot doctor`: looks at the machine and the settings, and says the cure for each failure."""

import asyncio
import functools
import importlib.metadata
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import discord

from bot.errors import BotError, ProviderError
from bot.providers import VoiceProvider, create_providers
from bot.providers.patience import Patience
from bot.settings import Settings
from bot.store import Store, load_key
from bot.web import Web

_LEAST_FREE = 200_000_000
_DAVEY = "0.1.7"
_HURRIED = Patience(connect=5.0, first_byte=10.0, attempts=1)
_QUICK = aiohttp.ClientTimeout(total=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at."""

    name: str
    state: str
    """`ok`, `note` (works, but know this) or `fail`."""
    detail: str
    cure: str = ""


class _SickError(Exception):
    """What a check found wrong."""

    def __init__(self, detail: str, cure: str, *, state: str = "fail") -> None:
        super().__init__(detail)
        self.cure = cure
        self.state = state


async def examine(settings: Settings, *, connector: aiohttp.BaseConnector | None = None) -> int:
    """Print every finding; return 0 where nothing failed, else 1."""
    failed = 0
    async for finding in findings(settings, connector=connector):
        mark = {"ok": "ok  ", "note": "note", "fail": "FAIL"}[finding.state]
        print(f"{mark}  {finding.name}: {finding.detail}")
        if finding.cure:
            print(f"      {'cure' if finding.state == 'fail' else 'hint'}: {finding.cure}")
        failed += finding.state == "fail"
    print("All is well." if not failed else f"{failed} to mend.")
    return 1 if failed else 0


async def findings(settings: Settings, *, connector: aiohttp.BaseConnector | None = None) -> AsyncIterator[Finding]:
    """Look at one thing after another."""
    checks: tuple[tuple[str, Callable[[], Awaitable[str]]], ...] = (
        ("Python", _python),
        ("End-to-end encryption (davey)", _davey),
        ("Transport encryption (PyNaCl)", _pynacl),
        ("Opus codec (av)", _opus),
        ("Data folder", lambda: asyncio.to_thread(_folder, settings.data_dir)),
        ("Sample key", lambda: _key(settings)),
        ("Database", lambda: _database(settings)),
        *_services(settings),
        ("Web server", lambda: _web(settings)),
        ("Discord token", lambda: _token(settings, connector)),
    )
    for name, check in checks:
        try:
            yield Finding(name=name, state="ok", detail=await check())
        except _SickError as sick:
            yield Finding(name=name, state=sick.state, detail=str(sick), cure=sick.cure)
        except BotError as error:
            yield Finding(name=name, state="fail", detail=str(error), cure="Mend that and run this again.")


async def _python() -> str:
    return sys.version.split()[0]


async def _davey() -> str:
    try:
        import davey
    except ImportError as error:
        raise _SickError("cannot be loaded", "run `make setup`: Discord closes voice without it (code 4017)") from error
    version = importlib.metadata.version("davey")
    if version != _DAVEY:
        raise _SickError(f"{version}, tested with {_DAVEY}", "run `make setup`", state="note")
    return f"{version}, protocol {davey.DAVE_PROTOCOL_VERSION}"


async def _pynacl() -> str:
    try:
        import nacl.secret
    except ImportError as error:
        raise _SickError("cannot be loaded", "run `make setup`") from error
    return f"{importlib.metadata.version('pynacl')}, {nacl.secret.Aead.KEY_SIZE * 8} bit keys"


async def _opus() -> str:
    try:
        import av
        from av.codec import Codec
    except ImportError as error:
        raise _SickError("PyAV cannot be loaded", "run `make setup`") from error
    try:
        Codec("libopus", "w")
    except ValueError as error:
        raise _SickError("this PyAV has no libopus", "install PyAV from its wheel: run `make setup`") from error
    return f"PyAV {av.__version__} with libopus"


def _folder(folder: Path) -> str:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise _SickError(
            f"{folder} cannot be written", "give this user the right to write there, or set DATA_DIR"
        ) from error
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE:
        raise _SickError(f"{folder} has {free / 1e6:.0f} MB left", "make room on that disk")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise _SickError(f"{folder} can be read by others", f"chmod 700 {folder}", state="note")
    return f"{folder}, {free / 1e9:.0f} GB free"


async def _key(settings: Settings) -> str:
    secret = settings.sample_key.get_secret_value() if settings.sample_key else None
    await asyncio.to_thread(load_key, secret, settings.data_dir)
    return "set" if secret else f"in {settings.data_dir / 'sample.key'}: keep a copy of it elsewhere"


async def _database(settings: Settings) -> str:
    async with Store(settings.sqlalchemy_url, key=None) as store:
        await store.check()
    return "opens, is up to date, and can be written"


def _services(settings: Settings) -> Iterator[tuple[str, Callable[[], Awaitable[str]]]]:
    """Look at each provider that is set up, on its own."""
    for provider in create_providers(settings, patience=_HURRIED).values():
        makes = " (makes new voices)" if provider.name == settings.provider else ""
        yield f"Voices at {provider.label}{makes}", functools.partial(_service, provider)


async def _service(provider: VoiceProvider) -> str:
    try:
        async with provider:
            return str(await provider.check())
    except ProviderError as error:
        prefix = provider.name.replace("-", "").upper()
        cures: Mapping[str, str] = {
            "auth": f"put a valid key into {prefix}_API_KEY",
            "no_credit": "add credit at the service, or choose a model that needs none",
            "rate_limited": "wait a minute and run this again",
            "server": "run this again later; if it stays so, look at the service's status page",
        }
        other = f"check {prefix}_BASE_URL, the other settings of this service, and this machine's network"
        raise _SickError(str(error), cures.get(error.kind, other)) from error


async def _web(settings: Settings) -> str:
    """Ask ourselves, from outside where there is a public address, whether we are there."""
    if settings.web_port is None:
        return "off: nothing needs it"
    async with AsyncExitStack() as stack:
        web = Web(settings.web_port, settings.web_host, public_url=settings.public_url, healthy=lambda: True)
        try:
            await stack.enter_async_context(web)
        except BotError as error:
            hint = "fine if the bot is running now; else put a free port into WEB_PORT"
            raise _SickError(str(error), hint, state="note") from error
        if settings.public_url is None:
            return f"port {settings.web_port} is free"
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=_QUICK))
        try:
            async with session.get(f"{settings.public_url}/healthz") as response:
                reached = response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            reached = False
        if not reached:
            raise _SickError(
                f"{settings.public_url} does not lead to port {settings.web_port}",
                "mend the proxy or the DNS name, or PUBLIC_URL",
            )
    return f"{settings.public_url} leads here"


async def _token(settings: Settings, connector: aiohttp.BaseConnector | None) -> str:
    if settings.discord_token is None:
        raise _SickError(
            "DISCORD_TOKEN is not set", "needed for `make run` only; `make demo` works without", state="note"
        )
    client = discord.Client(intents=discord.Intents(guilds=True), connector=connector)
    try:
        async with client:
            await client.login(settings.discord_token.get_secret_value())
            return f"accepted, the bot is {client.user}"
    except discord.LoginFailure as error:
        raise _SickError("Discord refuses it", "reset the token in the developer portal and copy it to .env") from error
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        raise _SickError("Discord cannot be reached", "check this machine's network and its clock") from error
