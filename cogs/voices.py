"""/voices: what a member does with the voices they own, and with no other."""

import discord
from discord import app_commands
from discord.ext import commands
from discord.utils import escape_markdown

from bot.client import Bot, Buttons, button, read_upload, row
from bot.client.buttons import Interaction, party_of
from bot.models import Visibility
from bot.samples import SampleService
from bot.speech import SpeechService
from bot.voices import VoiceService
from cogs.cards import audio_file, list_card, picture_file, voice_card
from cogs.choices import suggest_voices

_PAGE = 10
_GONE = "It is deleted already."
_ALL_GOES = "Its model and its recording go for good, and nobody can bring them back."
_MOST_PICTURE = 8_000_000
_VISIBILITIES: dict[str, Visibility] = {"private": "private", "unlist": "unlist", "public": "public"}


class Voices(commands.GroupCog, group_name="voices", group_description="The voices you own"):
    """Owns the answers to /voices and its buttons."""

    def __init__(
        self, *, voices: VoiceService, samples: SampleService, speech: SpeechService, buttons: Buttons
    ) -> None:
        self._voices = voices
        self._samples = samples
        self._speech = speech
        buttons.add("page", self._turn)
        buttons.add("delete-yes", self._delete)
        buttons.add("delete-no", self._keep)

    @app_commands.command(name="list")
    async def list_all(self, interaction: Interaction) -> None:
        """List your voices."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        content, card, view = await self._page(interaction, 0)
        await interaction.edit_original_response(content=content, embed=card, view=view)

    async def _turn(self, interaction: Interaction, offset: str) -> None:
        await interaction.response.defer()
        content, card, view = await self._page(interaction, int(offset))
        await interaction.edit_original_response(content=content, embed=card, view=view)

    async def _page(
        self, interaction: Interaction, offset: int
    ) -> tuple[str | None, discord.Embed | None, discord.ui.View]:
        page = await self._voices.page(owner_id=interaction.user.id, offset=offset, limit=_PAGE)
        if not page.voices and offset:
            return await self._page(interaction, max(0, offset - _PAGE))
        if not page.voices:
            ready = ", ".join(escape_markdown(voice.name) for voice in self._voices.house)
            others = f" Ready-made voices that you can use in /say: {ready}." if ready else ""
            return f"You have no voice yet: make one with /clone.{others}", None, row()
        turns = []
        if offset:
            turns.append(button("Previous", "page", str(max(0, offset - _PAGE))))
        if offset + len(page.voices) < page.total:
            turns.append(button("Next", "page", str(offset + _PAGE)))
        return None, list_card(page, offset=offset, house=self._voices.house), row(*turns)

    @app_commands.command()
    @app_commands.describe(voice="Which of your voices; without it, your default voice")
    async def show(self, interaction: Interaction, voice: str | None = None) -> None:
        """Show all there is to know of one voice."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = await self._voices.resolve(voice, owner_id=interaction.user.id)
        found = await self._voices.look_at(chosen)
        shown = found.voice
        default = await self._voices.is_default(shown)
        card = voice_card(shown, label=self._voices.label_of(shown), is_default=default)
        files = [picture_file(await self._samples.picture(shown.report))] if shown.report else []
        await interaction.edit_original_response(content=found.note or None, embed=card, attachments=files)

    @app_commands.command()
    @app_commands.describe(voice="Which of your voices", name="What it shall be called: up to 32 characters")
    async def rename(self, interaction: Interaction, voice: str, name: str) -> None:
        """Give a voice another name."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = await self._voices.own(voice, owner_id=interaction.user.id)
        renamed = await self._voices.rename(chosen, name)
        await interaction.edit_original_response(
            content=f"{escape_markdown(chosen.name)} is now called {escape_markdown(renamed.name)}."
        )

    @app_commands.command()
    @app_commands.describe(
        voice="Which of your voices",
        description="A note about the voice, for you; a dash takes it away",
        tags="Words to sort it by, with commas between; a dash takes them away",
        visibility="Who sees it at its service: you alone, whoever has the link, or everybody",
        cover="A picture for it, where its service shows one",
    )
    @app_commands.choices(
        visibility=[
            app_commands.Choice(name="private: you alone", value="private"),
            app_commands.Choice(name="unlisted: whoever has its link", value="unlist"),
            app_commands.Choice(name="public: everybody", value="public"),
        ]
    )
    async def edit(
        self,
        interaction: Interaction,
        voice: str,
        description: app_commands.Range[str, 0, 300] | None = None,
        tags: app_commands.Range[str, 0, 260] | None = None,
        visibility: str | None = None,
        cover: discord.Attachment | None = None,
    ) -> None:
        """Change the notes on a voice, who sees it and how it looks."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = await self._voices.own(voice, owner_id=interaction.user.id)
        edited = await self._voices.edit(
            chosen,
            description=_text(description),
            tags=_text(tags),
            visibility=_VISIBILITIES.get(visibility or ""),
            cover=await self._picture(cover),
        )
        default = await self._voices.is_default(edited)
        card = voice_card(edited, label=self._voices.label_of(edited), is_default=default)
        card.set_image(url=None)
        await interaction.edit_original_response(content="Changed.", embed=card)

    async def _picture(self, cover: discord.Attachment | None) -> bytes | None:
        if cover is None:
            return None
        async with self._samples.room():
            return await self._samples.cover(
                await read_upload(cover, max_bytes=_MOST_PICTURE, otherwise="make it smaller")
            )

    @app_commands.command()
    @app_commands.describe(voice="Which of your voices /say speaks with when none is named")
    async def default(self, interaction: Interaction, voice: str) -> None:
        """Choose the voice that speaks when none is named."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = await self._voices.own(voice, owner_id=interaction.user.id)
        await self._voices.set_default(chosen)
        await interaction.edit_original_response(content=f"{escape_markdown(chosen.name)} is now your default voice.")

    @app_commands.command()
    @app_commands.describe(voice="Which of your voices; without it, your default voice")
    async def preview(self, interaction: Interaction, voice: str | None = None) -> None:
        """Hear one sentence in a voice; only you can play it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = await self._voices.resolve(voice, owner_id=interaction.user.id)
        spoken = await self._speech.preview(chosen, party=party_of(interaction))
        await interaction.edit_original_response(
            content=f"This is {escape_markdown(chosen.name)}.", attachments=[audio_file(spoken, chosen.name, "ogg")]
        )

    @app_commands.command()
    @app_commands.describe(voice="Which of your voices")
    async def delete(self, interaction: Interaction, voice: str) -> None:
        """Delete a voice for good, after asking."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = await self._voices.own(voice, owner_id=interaction.user.id)
        name = escape_markdown(chosen.name)
        await interaction.edit_original_response(
            content=f"Delete {name}? {self._voices.outlives(chosen) or _ALL_GOES}",
            view=row(
                button("Delete it", "delete-yes", chosen.id, style=discord.ButtonStyle.danger),
                button("Keep it", "delete-no", chosen.id),
            ),
        )

    async def _delete(self, interaction: Interaction, voice_id: str) -> None:
        await interaction.response.defer()
        chosen = await self._voices.find(voice_id, owner_id=interaction.user.id)
        if chosen is None:
            await interaction.edit_original_response(content=_GONE, view=None)
            return
        name = escape_markdown(chosen.name)
        await interaction.edit_original_response(content=f"Deleting {name} …", view=None)
        deleted = await self._voices.delete(chosen)
        stays = self._voices.outlives(chosen)
        done = (
            f"{name} is forgotten here, with its recording. {stays}"
            if stays
            else f"{name} is deleted for good, with its recording."
        )
        await interaction.edit_original_response(content=done if deleted else _GONE)

    async def _keep(self, interaction: Interaction, voice_id: str) -> None:
        await interaction.response.defer()
        kept = await self._voices.find(voice_id, owner_id=interaction.user.id)
        await interaction.edit_original_response(content="It stays." if kept else _GONE, view=None)

    @show.autocomplete("voice")
    @preview.autocomplete("voice")
    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest_voices(self._voices, interaction, typed)

    @rename.autocomplete("voice")
    @edit.autocomplete("voice")
    @default.autocomplete("voice")
    @delete.autocomplete("voice")
    async def _suggest_own(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest_voices(self._voices, interaction, typed, own=True)


def _text(value: str | None) -> str | None:
    return "" if value is not None and value.strip() in {"-", "–"} else value


async def setup(bot: Bot) -> None:
    """Add the cog."""
    rules = bot.rules
    await bot.add_cog(Voices(voices=rules.voices, samples=rules.samples, speech=rules.speech, buttons=bot.buttons))
