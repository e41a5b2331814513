"""The real bot as a process of its own in a test's Discord, stopped by signals as an operator or a kernel does."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from bot.settings import Settings
from playground.discord import Discord
from playground.discord.wires import authority_pem
from tests.e2e.stage import PATIENCE, House

ROOT = Path(__file__).parents[2]


class BotProcess:
    """Owns the process, and the file that takes what it writes; both may be begun anew."""

    def __init__(self, discord: Discord, folder: Path, environment: Mapping[str, str]) -> None:
        self.discord = discord
        self.environment = dict(environment)
        """The settings, under the names they have in `.env`; what is changed counts from the next start on."""
        self._folder = folder
        """Where it runs: an empty place, in which there is no `.env` of anybody."""
        self._log = folder / "bot.log"
        self._process: asyncio.subprocess.Process | None = None
        self._greeted = 0

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def output(self) -> str:
        """What it wrote to standard output and standard error since the first start."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def bugs(self) -> list[str]:
        """The lines of its log that tell of a bug, in ours or in a library."""
        return [line for line in self.output.splitlines() if " ERROR " in line or line.startswith("Traceback")]

    async def start(self) -> None:
        """Start the bot; return at once."""
        assert not self.running
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        authority = self._folder / "authority.pem"
        await asyncio.to_thread(authority.write_text, authority_pem())
        self._greeted = self.discord.gateway.identified
        way = ("--port", str(self.discord.resolver.port), "--authority", str(authority))
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.e2e.subject", *way),
                cwd=self._folder,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        """Return once it has identified and its commands are known.

        Raises AssertionError with what it wrote where it ended instead.
        """
        bell = self.discord.world.events.bell
        greeting = asyncio.create_task(bell.until(lambda: self.discord.gateway.identified > self._greeted))
        ending = asyncio.create_task(self.process.wait())
        try:
            await asyncio.wait({greeting, ending}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            assert greeting.done(), f"the bot is not there:\n{self.output}"
            await self.discord.bot_ready()
        finally:
            for task in (greeting, ending):
                task.cancel()
            await asyncio.wait({greeting, ending})

    def terminate(self) -> None:
        """Ask it to stop, as an operator does (SIGTERM); return at once."""
        self.process.terminate()

    def kill(self) -> None:
        """End it as the kernel does (SIGKILL); return at once. Discord learns of it by connections that break."""
        self.process.kill()

    async def exited(self, timeout: float = PATIENCE) -> int:  # noqa: ASYNC109 - the tests' words
        """Return its exit status once it has ended, -9 after `kill`. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            return await self.process.wait()

    async def restart(self) -> None:
        """Start it anew on the same folder and return when it is ready; one that still runs is terminated first."""
        await self.stop()
        await self.start()
        await self.ready()

    async def stop(self) -> None:
        """Terminate it where it runs, and return when it is gone; one that does not go is killed, and told."""
        if not self.running:
            return
        self.terminate()
        try:
            await self.exited()
        except TimeoutError as error:
            self.kill()
            await self.exited()
            raise AssertionError(f"the bot did not stop when it was terminated:\n{self.output}") from error

    def _environment(self) -> dict[str, str]:
        """Return what the process sees: nothing of this machine's own settings, and what coverage hands down."""
        names = tuple(name.upper() for name in Settings.model_fields)
        around = {name: value for name, value in os.environ.items() if not name.startswith(names)}
        return {**around, "PYTHONPATH": str(ROOT), **self.environment}


class Apart(House):
    """A house whose bot is a process of its own: `process` takes signals; `bot` and what is in it cannot be reached.

    `patience` and `pace` do not count: the bot waits as in production.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self._bird: BotProcess | None = None

    @property
    def process(self) -> BotProcess:
        assert self._bird is not None
        return self._bird

    async def start(self) -> None:
        """Start the bot on what is in the folder."""
        if self._bird is None:
            told = {"DISCORD_TOKEN": self.discord.token, **environment(self.settings)}
            self._bird = BotProcess(self.discord, self.folder.parent / "process", told)
        await self._bird.start()
        try:
            await self._bird.ready()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Terminate the bot and wait for its end."""
        if self._bird is not None:
            await self._bird.stop()


def environment(settings: Settings) -> dict[str, str]:
    """Write settings as the environment has them: FISH_API_KEY is the field api_key of fish."""
    told: dict[str, str] = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            told |= {f"{name}_{field}".upper(): _spell(getattr(value, field)) for field in value.model_fields_set}
        else:
            told[name.upper()] = _spell(value)
    return told


def _spell(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return str(value).lower()
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return "" if value is None else str(value)
