"""The Discord client: which events it asks for, which cogs it carries, and where its failures go."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.client.announcements import Announcements
from bot.client.buttons import Buttons, Interaction
from bot.client.commands import sync_commands
from bot.client.failures import answer_failure
from bot.client.news import Courier
from bot.client.revival import Revival
from bot.cloning import CloneService
from bot.drafts import Drafts
from bot.lines import LineBook
from bot.playback import Speakers
from bot.samples import SampleService
from bot.speech import SpeechService
from bot.voices import VoiceService
from bot.watching import VoiceWatch

log = logging.getLogger(__name__)

_PULSE_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What cogs may call; built in `__main__` and closed there."""

    voices: VoiceService
    clones: CloneService
    speech: SpeechService
    samples: SampleService
    speakers: Speakers
    drafts: Drafts
    watch: VoiceWatch
    book: LineBook


class Tree(app_commands.CommandTree["Bot"]):
    """Every command's failure ends here."""

    async def on_error(self, interaction: discord.Interaction["Bot"], error: app_commands.AppCommandError) -> None:
        """Answer it."""
        await answer_failure(interaction, error)


class Bot(commands.AutoShardedBot):
    """Owns the connection to Discord, the cogs and the buttons."""

    def __init__(
        self, rules: Rules, *, cogs: Sequence[str], data_dir: Path, connector: aiohttp.BaseConnector | None
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=discord.Intents(guilds=True, voice_states=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            max_messages=None,
            connector=connector,
        )
        self.rules = rules
        self.buttons = Buttons()
        self.announcements = Announcements(self, rules.speakers)
        self.revival = Revival(
            self,
            book=rules.book,
            voices=rules.voices,
            speech=rules.speech,
            speakers=rules.speakers,
            announcements=self.announcements,
        )
        self._cog_names = tuple(cogs)
        self._data_dir = data_dir
        self._tasks: list[asyncio.Task[None]] = []

    async def setup_hook(self) -> None:
        """Load the cogs, and tell Discord of the commands where they changed."""
        self.announcements.open()
        for name in self._cog_names:
            await self.load_extension(name)
        await sync_commands(self.tree, self.application_id or 0, self._data_dir / "commands.sha256")
        self._tasks = [
            asyncio.create_task(self._beat(self._data_dir / "alive")),
            asyncio.create_task(self.rules.watch.run(Courier(self).tell)),
            asyncio.create_task(self._revive()),
        ]

    async def close(self) -> None:
        """Leave the voice channels, then Discord."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with self.announcements.farewell():
            await self.rules.speakers.close()
        await super().close()

    async def on_interaction(self, interaction: Interaction) -> None:
        """Answer presses of buttons; commands go to the tree."""
        await self.buttons.dispatch(interaction)

    async def on_error(self, event_method: str, /, *args: object, **kwargs: object) -> None:
        """Answer a failed press; log whatever else failed."""
        error = sys.exception()
        if args and isinstance(args[0], discord.Interaction) and error is not None:
            await answer_failure(args[0], error)
        else:
            log.error("bug in %s", event_method, exc_info=error)

    async def _revive(self) -> None:
        """Go on with what was being said when the bot was stopped."""
        await self.wait_until_ready()
        await self.revival.run()

    async def _beat(self, mark: Path) -> None:
        """Touch a file while every shard is connected: the health check looks at its age."""
        await self.wait_until_ready()
        while True:
            if self.is_ready() and not any(shard.is_closed() for shard in self.shards.values()):
                await asyncio.to_thread(mark.touch)
            await asyncio.sleep(_PULSE_SECONDS)


def build_bot(
    rules: Rules, *, cogs: Sequence[str], data_dir: Path, connector: aiohttp.BaseConnector | None = None
) -> Bot:
    """Make the bot. `connector` is the one seam through which a stand-in for Discord enters."""
    return Bot(rules, cogs=cogs, data_dir=data_dir, connector=connector)
