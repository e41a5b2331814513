"""A cog that does on Discord whatever a test of the client wants to see answered."""

import io

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Bot, button, follow, read_upload, row, thinking, try_voice_message
from bot.client.buttons import Interaction
from bot.errors import PlaybackError, VoiceError
from bot.models import VoiceMessage
from bot.playback import Ticket

FRUIT = "tangerine"
SOUND = VoiceMessage(ogg=b"OggS and so on", seconds=1.23456, waveform=bytes([0, 128, 255]))


class Stage(commands.Cog):
    """Fails, shows buttons and reads files."""

    ticket: Ticket
    deferred: bool | None = None

    def __init__(self, bot: Bot) -> None:
        bot.buttons.add("note", self._note)
        bot.buttons.add("break", self._break)
        bot.buttons.add("break-late", self._break_late)

    @app_commands.command()
    async def fail(self, interaction: Interaction, how: str, after: str = "nothing") -> None:
        """Fail in some way after some answer."""
        await _answer(interaction, after)
        raise _failure(how)

    @app_commands.command()
    async def show(self, interaction: Interaction) -> None:
        """Show buttons."""
        view = row(
            button("Note", "note", "a|b"),
            button("Break", "break", style=discord.ButtonStyle.danger),
            button("Break late", "break-late"),
            button("Nobody", "nobody"),
        )
        await interaction.response.send_message("Press one.", view=view, ephemeral=True)

    @app_commands.command()
    async def read(self, interaction: Interaction, file: discord.Attachment, most: int = 1000) -> None:
        """Read a file."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        data = await read_upload(file, max_bytes=most)
        await interaction.edit_original_response(content=f"{len(data)} bytes")

    @app_commands.command()
    async def record(self, interaction: Interaction) -> None:
        """Send a voice message."""
        await interaction.response.send_message("Wait.", ephemeral=True)
        why = await try_voice_message(interaction, SOUND, label="**Label** @everyone")
        await interaction.edit_original_response(content=f"Refused: {why}" if why else "Sent.")

    @app_commands.command()
    async def promise(self, interaction: Interaction, patience: float = 60.0) -> None:
        """Follow a line whose ticket a test holds."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        self.ticket = Ticket(0)
        await interaction.edit_original_response(content="It comes.")
        await follow(
            interaction,
            self.ticket,
            promise="It comes.",
            outcome=lambda played: f"{played.packets} packets.",
            patience=patience,
        )

    @app_commands.command()
    async def hurry(self, interaction: Interaction, fails: bool = False) -> None:
        """Work while Discord is told that the answer comes."""
        async with thinking(interaction):
            self.deferred = interaction.response.is_done()
            if fails:
                raise VoiceError("There is nothing here: go away.")
        await interaction.edit_original_response(content="Done.")

    @app_commands.command()
    @app_commands.guild_only()
    async def guarded(self, interaction: Interaction) -> None:
        """Do what nobody may."""
        await interaction.response.send_message("done")

    async def interaction_check(self, interaction: Interaction) -> bool:
        """Refuse one command."""
        command = interaction.command
        if command is None or command.name != "guarded":
            return True
        raise app_commands.CheckFailure

    @commands.Cog.listener()
    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Fail where nobody waits for an answer."""
        raise LookupError(FRUIT)

    async def _note(self, interaction: Interaction, argument: str) -> None:
        await interaction.response.edit_message(content=f"Pressed with {argument}.", view=None)

    async def _break(self, interaction: Interaction, _: str) -> None:
        raise VoiceError("There is nothing to press: try /show.")

    async def _break_late(self, interaction: Interaction, _: str) -> None:
        await interaction.response.edit_message(content="Working …")
        raise VoiceError("It broke while it worked: try /show.")


async def _answer(interaction: Interaction, after: str) -> None:
    match after:
        case "thinking":
            await interaction.response.defer(ephemeral=True, thinking=True)
        case "answer":
            await interaction.response.send_message("Here you are.", ephemeral=True)
        case "edit":
            await interaction.response.defer(ephemeral=True, thinking=True)
            embed = discord.Embed(title="Half of it")
            await interaction.edit_original_response(
                content="Half",
                embed=embed,
                attachments=[discord.File(io.BytesIO(b"half"), "half.txt")],
                view=row(button("More", "note")),
            )


def _failure(how: str) -> Exception:
    match how:
        case "member":
            return PlaybackError("You are not in a voice channel: join one.")
        case "private":
            return app_commands.NoPrivateMessage()
        case "gone":
            return _gone()
        case _:
            return KeyError(FRUIT)


def _gone() -> Exception:
    return discord.NotFound(_Answer(), {"code": 10062, "message": "Unknown interaction"})


class _Answer(aiohttp.ClientResponse):
    """As much of an answer as discord.py's error reads."""

    def __init__(self) -> None:
        self.status, self.reason = 404, "Not Found"

    def __del__(self) -> None:
        return None


async def setup(bot: Bot) -> None:
    """Add the cog."""
    await bot.add_cog(Stage(bot))
