"""Where the tests act: a Discord on loopback, the real bot in it on a folder of its own, members and their channels.

What a test may look at besides Discord is what an operator could: the files of the data folder, the processes, the
database through the store.
"""

import asyncio
import hashlib
import os
import signal
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.__main__ import open_bot
from bot.client import Bot
from bot.models import KeptSample, Voice
from bot.providers import VoiceProvider, create_providers
from bot.providers.patience import Patience
from bot.settings import ProviderName
from bot.store import Store, load_key
from bot.watching import Pace
from playground.discord import Answer, Discord, Guild, Member, Room, Seen, open_discord
from playground.isolation import IsolatedSettings
from playground.services.acedata import AceDataService
from playground.services.service import Service
from playground.stand_ins import open_stand_in
from tests.e2e import uploads
from tests.e2e.ears import Track, read_file

PATIENCE = 30.0
TRANSCRIPT = "This is a recording of my voice."
QUICK = Patience(attempts=3, base=0.001, cap=0.002)
"""With services: next to no waiting between attempts."""
BRISK = Pace(first=0.02, growth=1.2, longest=0.1, lost=0.2)
"""For voices that are being made: next to no waiting."""
_MOMENT = 0.01
_WORKER = b"bot.providers.local"


@dataclass(frozen=True)
class Cast:
    """A voice that was really cloned once, to be handed to whoever needs one."""

    voice: Voice
    samples: tuple[KeptSample, ...]
    card: str
    profile: bytes


class House:
    """Owns a Discord, stand-ins of services, a data folder, and the bot that runs on all of them.

    The bot can be stopped and started again; the rest stays. The first of `providers` makes new voices; `chosen` are
    settings of its service. After `ready_seconds` without news of another server discord.py calls itself ready: 2 s as
    it comes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        providers: Sequence[ProviderName] = ("imitation",),
        chosen: Mapping[str, Any] | None = None,
        patience: Patience = QUICK,
        pace: Pace = BRISK,
        ready_seconds: float = 0.3,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.settings = IsolatedSettings(data_dir=folder, **settings)
        self.discord: Discord = open_discord()
        self.services: dict[ProviderName, Service] = {}
        self._providers = tuple(providers)
        self._chosen = chosen or {}
        self.patience, self.pace = patience, pace
        self._ready_seconds = ready_seconds
        self._far_ends = AsyncExitStack()
        self._open = AsyncExitStack()
        self._running: asyncio.Task[None] | None = None
        self._bot: Bot | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.discord)
            settings: dict[str, Any] = {}
            # the settings of the last one opened name it as the provider of new voices
            for name in reversed(self._providers):
                settings |= await self._open_far_end(stack, name)
            given = self.settings.model_dump(exclude_unset=True)
            self.settings = IsolatedSettings(**{**settings, **given})
            await self.start()
            self._far_ends = stack.pop_all()
        return self

    async def _open_far_end(self, stack: AsyncExitStack, name: ProviderName) -> Mapping[str, Any]:
        chosen = self._chosen if name == self.provider else {}
        stand_in = await stack.enter_async_context(open_stand_in(name, fetches=self.discord.connector, **chosen))
        if stand_in.downloads is not None:
            await stand_in.downloads.close()  # each start of the bot takes a way of its own, and closes it
        if stand_in.service is not None:
            self.services[name] = stand_in.service
        return stand_in.settings

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        finally:
            await self._far_ends.__aexit__(kind, error, traceback)

    @property
    def provider(self) -> ProviderName:
        """What makes new voices."""
        return self._providers[0]

    @property
    def service(self) -> Any:
        """The stand-in of what makes new voices."""
        return self.services[self.provider]

    @property
    def home(self) -> VoiceProvider:
        """What makes new voices, to be asked what it can do."""
        return create_providers(self.settings)[self.provider]

    @property
    def bot(self) -> Bot:
        assert self._bot is not None
        return self._bot

    async def start(self) -> None:
        """Start the bot on what is in the folder."""
        greeted = self.discord.gateway.identified
        acedata = self.services.get("acedata")
        self._bot = await self._open.enter_async_context(
            open_bot(
                self.settings,
                connector=self.discord.connector(),
                downloads=acedata.downloads_connector() if isinstance(acedata, AceDataService) else None,
                patience=self.patience,
                pace=self.pace,
            )
        )
        self._bot._connection.guild_ready_timeout = self._ready_seconds
        self._running = asyncio.create_task(self._bot.start(self.discord.token))
        bell = self.discord.world.events.bell
        greeting = asyncio.create_task(bell.until(lambda: self.discord.gateway.identified > greeted))
        try:
            await asyncio.wait({self._running, greeting}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if self._running.done():
                self._running.result()
            await self.discord.bot_ready()
        except BaseException:
            await self.stop()
            raise
        finally:
            greeting.cancel()
            await asyncio.wait({greeting})

    async def settled(self) -> None:
        """Wait until the bot knows what an earlier one left unsaid: discord.py waits for servers before."""
        while self.bot.revival.is_awaited(0):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop the bot as its operator does."""
        if self._bot is not None and self._running is not None:
            await self._bot.close()
            await asyncio.gather(self._running, return_exceptions=True)
            await self._open.aclose()
        self._bot = self._running = None

    async def restart(self) -> None:
        """Stop the bot and start it on the same folder."""
        await self.stop()
        await self.start()

    def enter(self, name: str = "Aviary") -> "Scene":
        """Open a new server with two members and a voice channel."""
        guild = self.discord.add_guild(name)
        return Scene(
            house=self,
            guild=guild,
            alice=guild.add_member("alice"),
            bob=guild.add_member("bob"),
            lounge=guild.add_voice_channel("Lounge"),
            text=guild.text_channel,
        )

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Open the database beside the bot."""
        async with Store(self.settings.sqlalchemy_url, key=load_key(None, self.folder)) as store:
            yield store

    async def voices_of(self, member: Member) -> tuple[Voice, ...]:
        """Read what the database has of a member."""
        async with self.store() as store:
            return (await store.page(owner_id=member.id, offset=0, limit=100)).voices

    async def give(self, member: Member, cast: Cast, *names: str) -> list[Voice]:
        """Put voices into a member's hands as if they had cloned them."""
        made = [replace(cast.voice, id=uuid.uuid4().hex, owner_id=member.id, name=name, title=name) for name in names]
        made = [replace(voice, remote_id=voice.id) for voice in made]
        for voice in made:
            self.shelve(voice, cast)
        async with self.store() as store:
            for voice in made:
                await store.add(voice, cast.samples)
        return made

    def shelve(self, voice: Voice, cast: Cast) -> None:
        """Put an engine's files where it keeps them."""
        shelf = self.folder / "imitation"
        shelf.mkdir(exist_ok=True)
        card = cast.card.replace(cast.voice.id, voice.id).replace(f'"{cast.voice.title}"', f'"{voice.title}"')
        (shelf / f"{voice.id}.npz").write_bytes(cast.profile)
        (shelf / f"{voice.id}.json").write_text(card, encoding="utf-8")

    async def cast(self, voice: Voice) -> Cast:
        """Take a voice of the database as the model for others."""
        async with self.store() as store:
            samples = await store.samples(voice.id, owner_id=voice.owner_id)
        shelf = self.folder / "imitation"
        card = (shelf / f"{voice.id}.json").read_text(encoding="utf-8")
        return Cast(voice, samples, card, (shelf / f"{voice.id}.npz").read_bytes())

    def files(self) -> dict[str, str]:
        """Fingerprint every file of the data folder, but the database's own and the pulse."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        kept = (path for path in found if not path.name.startswith("mynah.db") and path.name != "alive")
        return {str(each.relative_to(self.folder)): hashlib.sha256(each.read_bytes()).hexdigest() for each in kept}

    def rows(self) -> dict[str, int]:
        """Count the rows of every table."""
        with closing(sqlite3.connect(f"file:{self.folder / 'mynah.db'}?mode=ro", uri=True)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables}  # noqa: S608

    def traces(self) -> tuple[dict[str, str], dict[str, int]]:
        """Take down all that is kept, to be compared later; lines come and go by themselves."""
        return self.files(), {table: count for table, count in self.rows().items() if table != "lines"}


@dataclass(frozen=True)
class Scene:
    """One server and who is there."""

    house: House
    guild: Guild
    alice: Member
    bob: Member
    lounge: Room
    text: Room

    @property
    def discord(self) -> Discord:
        return self.house.discord

    @property
    def bot_name(self) -> str:
        return self.guild.bot.name

    async def drafts(self, name: str = "Aki", **options: Any) -> Answer:
        """Have alice send a recording and its words to be cloned; None leaves an option out."""
        given = {"name": name, "sample": uploads.recording(), "transcript": TRANSCRIPT, **options}
        filled = {option: value for option, value in given.items() if value is not None}
        return await (await self.alice.slash("clone", **filled)).settled(PATIENCE)

    async def confirms(self, name: str = "Aki", **options: Any) -> Answer:
        """Have alice clone a recording, and return while the voice is being made."""
        draft = await self.drafts(name, **options)
        assert draft.buttons, draft.text
        return await self.alice.click(draft, draft.buttons[0])

    async def clones(self, name: str = "Aki", **options: Any) -> Answer:
        """Have alice clone a recording, and return when its voice can be heard."""
        answer = await self.confirms(name, **options)
        return await answer.until(lambda seen: f"{name.lower()}.ogg" in seen.files, PATIENCE)

    async def says(self, text: str, **options: Any) -> Track:
        """Have alice say something into a file."""
        answer = await (await self.alice.slash("say", text=text, where="file", **options)).settled(PATIENCE)
        assert answer.content.startswith("Here is what"), answer.content
        (message,) = await answer.followed(timeout=PATIENCE)
        ((_, data),) = message.files.items()
        return read_file(data)

    async def joined(self, *members: Member, room: Room | None = None) -> None:
        """Have members sit down in a voice channel."""
        for member in members:
            await member.joins(room or self.lounge)

    async def waits(self, answer: Answer) -> Answer:
        """Wait until a line that was asked for has its place among the others."""
        return await answer.until(_promised, PATIENCE)

    async def spoken(self, answer: Answer) -> Answer:
        """Wait until a line that was asked for has an end, and let it have been said."""
        await answer.until(over, PATIENCE)
        assert " spoke in " in answer.content, answer.content
        return answer

    async def quiet(self) -> None:
        """Wait until the bot is in no call."""
        await self.until(lambda: self.bot_name not in self.lounge.present)

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait for something to come true in Discord."""
        async with asyncio.timeout(PATIENCE):
            await self.discord.world.events.bell.until(met)


def _promised(answer: Seen) -> bool:
    return " speaks " in answer.content or " is about to speak " in answer.content


def over(answer: Seen) -> bool:
    """Tell whether a line that was asked for has an end."""
    return bool(answer.content) and not _promised(answer)


async def refusal(answer: Answer) -> str:
    """Return the sentence a member reads where nothing was done: alone on the answer, to them alone, pinging nobody."""
    await answer.settled(PATIENCE)
    assert answer.ephemeral
    assert not answer.pings
    assert not answer.embeds
    assert not answer.files
    assert not answer.buttons
    assert "Something broke" not in answer.content, answer.content
    return answer.content


async def eventually(met: Callable[[], bool]) -> None:
    """Wait for a state outside Discord of which nobody sends an event."""
    for _ in range(round(PATIENCE / _MOMENT)):
        if met():
            return
        await asyncio.sleep(_MOMENT)
    raise TimeoutError("it did not come true")


def workers(*, cloning: bool) -> list[int]:
    """List the engine's processes under this one: those that learn voices, or those that speak."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            status = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        mine = int(status[1]) == os.getpid() and status[0] != "Z"
        if mine and _WORKER in arguments and (b"10" in arguments) == cloning:
            found.append(int(folder.name))
    return found


def kill(*processes: int) -> None:
    """End processes of the engine as the kernel does where memory runs out."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@asynccontextmanager
async def deadly(*, cloning: bool) -> AsyncIterator[None]:
    """Let no worker of the engine live: whatever is asked of one meets its end."""

    async def reap() -> None:
        while True:
            kill(*workers(cloning=cloning))
            await asyncio.sleep(_MOMENT)

    reaping = asyncio.create_task(reap())
    try:
        yield
    finally:
        reaping.cancel()
        await asyncio.wait((reaping,))
