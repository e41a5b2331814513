"""The composition root: settings, store, providers, rules, bot, run; closed in reverse.

python -m bot            run on Discord
python -m bot doctor     check this machine and these settings, with the cure for each failure
python -m bot health     exit 0 while a running bot is connected (for containers)
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import discord
from pydantic import ValidationError
from pydantic_settings import SettingsError

from bot import audio
from bot.arrivals import Arrivals
from bot.cache import SpeechCache
from bot.client import Bot, Rules, build_bot
from bot.cloning import CloneService
from bot.doctor import examine
from bot.drafts import Drafts
from bot.errors import BotError
from bot.homes import Homes
from bot.lines import LineBook
from bot.playback import Limits, Speakers
from bot.providers import create_providers
from bot.providers.doorstep import Doorstep
from bot.providers.patience import Patience
from bot.samples import SampleService
from bot.settings import Settings
from bot.speech import SpeechService
from bot.store import Store, load_key
from bot.voices import VoiceService
from bot.watching import Pace, VoiceWatch
from bot.web import Web
from cogs import ALL

log = logging.getLogger("bot")

_STALE_SECONDS = 60.0
_COLLECTED_AFTER = (20_000, 50, 50)
_TURN_SECONDS = 0.0005
_LEAST = {
    "PIL": logging.INFO,
    "aiosqlite": logging.INFO,
    "asyncio": logging.INFO,
    "discord": logging.INFO,
    "sqlalchemy": logging.WARNING,
}


@asynccontextmanager
async def open_rules(
    settings: Settings,
    *,
    downloads: aiohttp.BaseConnector | None = None,
    patience: Patience | None = None,
    pace: Pace | None = None,
) -> AsyncIterator[Rules]:
    """Open store, providers and speakers, and build the rules on them.

    `downloads`: the way to the results that services name by address; without it, one that reaches public hosts only.
    `patience`: with every service; without it, each provider's own. `pace`: how unfinished voices are looked at.
    """
    folder = settings.data_dir
    try:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BotError(f"{folder} cannot be made: give this user the right to write there, or set DATA_DIR.") from error
    secret = settings.sample_key.get_secret_value() if settings.sample_key else None
    key = await asyncio.to_thread(load_key, secret, folder)
    limits = audio.Limits(max_bytes=settings.max_sample_mb * 1_000_000, max_seconds=settings.max_sample_seconds)
    samples = SampleService(limits)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(settings.sqlalchemy_url, key=key))
        doorstep = await _open_web(stack, settings)
        made = create_providers(settings, doorstep=doorstep, downloads=downloads, patience=patience)
        providers = {name: await stack.enter_async_context(provider) for name, provider in made.items()}
        book = await stack.enter_async_context(LineBook(store.lines))
        bounds = Limits(max_queue=settings.max_queue, idle_seconds=settings.idle_seconds)
        speakers = await stack.enter_async_context(Speakers(bounds, ledger=book))
        homes = Homes(store, providers, default=settings.provider)
        arrivals = Arrivals(store, homes)
        watch = VoiceWatch(store, homes, arrivals, pace=pace)
        cache = SpeechCache(settings.cache_mb * 1_000_000)
        voices = VoiceService(store, homes, arrivals, cache)
        clones = CloneService(
            store,
            homes,
            samples,
            arrivals,
            watch,
            max_voices=settings.max_voices,
            keep_samples=settings.keep_samples,
        )
        speech = SpeechService(store, homes, samples, max_text=settings.max_text, cache=cache)
        greeting = asyncio.create_task(homes.greet())
        stack.callback(greeting.cancel)
        yield Rules(
            voices=voices,
            clones=clones,
            speech=speech,
            samples=samples,
            speakers=speakers,
            drafts=Drafts(),
            watch=watch,
            book=book,
        )


async def _open_web(stack: AsyncExitStack, settings: Settings) -> Doorstep | None:
    """Serve health, callbacks and samples where a setting asks for it."""
    if settings.web_port is None:
        return None
    web = Web(
        settings.web_port,
        settings.web_host,
        public_url=settings.public_url,
        healthy=lambda: is_alive(settings.data_dir),
    )
    await stack.enter_async_context(web)
    return web if settings.public_url else None


@asynccontextmanager
async def open_bot(
    settings: Settings,
    *,
    connector: aiohttp.BaseConnector | None = None,
    downloads: aiohttp.BaseConnector | None = None,
    patience: Patience | None = None,
    pace: Pace | None = None,
) -> AsyncIterator[Bot]:
    """Open everything the bot stands on, and the bot, not yet connected."""
    async with open_rules(settings, downloads=downloads, patience=patience, pace=pace) as rules:
        bot = build_bot(rules, cogs=ALL, data_dir=settings.data_dir, connector=connector)
        async with bot:
            yield bot


def settle() -> None:
    """Keep Python itself from holding everything up.

    What was loaded is taken out of garbage collection: it stays, and looking through it takes 60 ms. A thousand voice
    connections are as much again, so that it is done less often; nearly everything goes without it. Threads take turns
    ten times as often as they would: the clock of all channels is one of them, beside those that decode and level.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)
    sys.setswitchinterval(_TURN_SECONDS)


async def run(settings: Settings, *, connector: aiohttp.BaseConnector | None = None) -> None:
    """Run on Discord until the process is told to stop."""
    if settings.discord_token is None:
        raise BotError("DISCORD_TOKEN is not set: put it in .env (README, 'Run it on Discord'), or try `make demo`.")
    current = asyncio.current_task()
    if current is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, current.cancel)
    async with open_bot(settings, connector=connector) as bot:
        settle()
        try:
            await bot.start(settings.discord_token.get_secret_value())
        except discord.LoginFailure as error:
            raise BotError(
                "Discord refused DISCORD_TOKEN: reset it in the developer portal and copy it anew."
            ) from error
        except aiohttp.ClientError as error:
            raise BotError("Discord cannot be reached: check this machine's network and its clock.") from error


async def _run_by(connect: Callable[[], aiohttp.BaseConnector] | None, settings: Settings) -> None:
    await run(settings, connector=connect() if connect else None)


def read_settings() -> Settings:
    """Read the settings. Raises `BotError` that names each wrong one."""
    try:
        return Settings()
    except UnicodeDecodeError as error:
        raise BotError(".env is not written in UTF-8: save it so, and start again.") from error
    except SettingsError as error:
        raise BotError(f"Settings are wrong: {error}. Rename or unset what another program uses there.") from error
    except ValidationError as error:
        wrong = "; ".join(
            ": ".join(
                filter(None, ("_".join(map(str, each["loc"])).upper(), each["msg"].removeprefix("Value error, ")))
            )
            for each in error.errors()
        )
        raise BotError(f"Settings are wrong: {wrong}.") from error


def is_alive(data_dir: Path) -> bool:
    """Say whether a running bot was connected within the last minute."""
    mark = data_dir / "alive"
    return mark.is_file() and time.time() - mark.stat().st_mtime < _STALE_SECONDS


def set_up_logging(level: str) -> None:
    """Log to stderr. Libraries stay above the level at which they write texts, URLs or SQL."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    for name, least in _LEAST.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level)))


def main(arguments: list[str] | None = None, *, connect: Callable[[], aiohttp.BaseConnector] | None = None) -> int:
    """Do what the command line says; return the exit status. `connect` makes another way to Discord."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Mynah, a Discord bot that clones voices")
    parser.add_argument("command", nargs="?", choices=("run", "doctor", "health"), default="run")
    command = parser.parse_args(arguments).command
    os.umask(0o077)  # what the bot keeps is for nobody else to read
    try:
        settings = read_settings()
        set_up_logging("WARNING" if command == "doctor" else settings.log_level)
        match command:
            case "health":
                return 0 if is_alive(settings.data_dir) else 1
            case "doctor":
                return asyncio.run(examine(settings))
            case _:
                asyncio.run(_run_by(connect, settings))
    except BotError as error:
        print(error, file=sys.stderr)
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
