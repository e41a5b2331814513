"""The real client on the real discord.py, in the playground's Discord."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from bot.client import Bot, Rules, build_bot
from bot.cloning import CloneService
from bot.drafts import Drafts
from bot.lines import LineBook
from bot.playback import Limits, Speakers
from bot.samples import SampleService
from bot.speech import SpeechService
from bot.store import Store
from bot.voices import VoiceService
from bot.watching import VoiceWatch
from playground.discord import Discord, Guild, Member

Start = Callable[[], AbstractAsyncContextManager[Bot]]


class Journal(logging.Handler):
    """What the bot logs, to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._news = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self._news.set()

    async def tells(self, words: str) -> logging.LogRecord:
        """Return the first record that says these words, once there is one."""
        async with asyncio.timeout(10):
            while True:
                for record in self.records:
                    if words in record.getMessage():
                        return record
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def journal() -> Iterator[Journal]:
    handler = Journal()
    log = logging.getLogger("bot")
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler
    log.removeHandler(handler)
    log.setLevel(before)


@pytest.fixture
def alice(guild: Guild) -> Member:
    return guild.add_member("alice")


@pytest.fixture
def start(
    house: Discord,
    voices: VoiceService,
    clones: CloneService,
    speech: SpeechService,
    samples: SampleService,
    watch: VoiceWatch,
    store: Store,
    tmp_path: Path,
) -> Start:
    """Give what starts the bot with the stage for its only cog."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Bot]:
        async with LineBook(store.lines) as book, Speakers(Limits(), ledger=book) as speakers:
            rules = Rules(
                voices=voices,
                clones=clones,
                speech=speech,
                samples=samples,
                speakers=speakers,
                drafts=Drafts(),
                watch=watch,
                book=book,
            )
            bot = build_bot(rules, cogs=["tests.unit.client.stage"], data_dir=tmp_path, connector=house.connector())
            async with bot:
                task = asyncio.create_task(bot.start(house.token))
                await house.bot_ready()
                yield bot
                await bot.close()
                await asyncio.gather(task, return_exceptions=True)

    return running


@pytest.fixture
async def bot(start: Start, guild: Guild) -> AsyncIterator[Bot]:
    async with start() as started:
        yield started
