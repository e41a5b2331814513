"""/clone: a recording becomes a private voice, once its owner has confirmed."""

import asyncio

import discord
from discord import app_commands
from discord.ext import commands
from discord.utils import escape_markdown

from bot.arrivals import Arrival
from bot.client import Bot, Buttons, button, describe, read_upload, row
from bot.client.buttons import Interaction, party_of
from bot.cloning import CONSENT, CloneService, Draft
from bot.drafts import Drafts
from bot.models import UNFINISHED
from bot.samples import SampleService
from bot.speech import SpeechService
from bot.voices import VoiceService
from bot.watching import News, VoiceWatch
from cogs.cards import audio_file, heard_card, picture_file, voice_card

_PATIENCE = 780.0
"""Seconds an answer can still be changed after what was done before: Discord's token lives 15 minutes."""


class Clone(commands.Cog):
    """Owns the conversation from the recording to the finished voice."""

    def __init__(
        self,
        *,
        voices: VoiceService,
        clones: CloneService,
        samples: SampleService,
        speech: SpeechService,
        drafts: Drafts,
        watch: VoiceWatch,
        buttons: Buttons,
    ) -> None:
        self._voices = voices
        self._clones = clones
        self._samples = samples
        self._speech = speech
        self._drafts = drafts
        self._watch = watch
        buttons.add("clone-yes", self._confirm)
        buttons.add("clone-no", self._cancel)

    @app_commands.command()
    @app_commands.describe(
        name="What the voice is called: up to 32 characters",
        sample="A recording of one person speaking: wav, mp3, m4a, ogg, flac or webm; 10 to 30 s is best",
        sample2="More of the same voice",
        sample3="More of the same voice",
        sample4="More of the same voice",
        sample5="More of the same voice",
        transcript="The words spoken in the first recording",
        description="A note about the voice, for you",
        tags="Words to sort it by, with commas between",
        clean_up="Take out noise and long pauses first",
    )
    async def clone(
        self,
        interaction: Interaction,
        name: str,
        sample: discord.Attachment,
        sample2: discord.Attachment | None = None,
        sample3: discord.Attachment | None = None,
        sample4: discord.Attachment | None = None,
        sample5: discord.Attachment | None = None,
        transcript: app_commands.Range[str, 0, 2000] = "",
        description: app_commands.Range[str, 0, 300] = "",
        tags: app_commands.Range[str, 0, 260] = "",
        clean_up: bool = False,
    ) -> None:
        """Make a private voice from a recording."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await self._clones.admit(name, owner_id=interaction.user.id)
        files = [each for each in (sample, sample2, sample3, sample4, sample5) if each is not None]
        most = self._samples.max_bytes
        async with self._samples.room():
            draft = await self._clones.draft(
                await asyncio.gather(*(read_upload(each, max_bytes=most) for each in files)),
                owner_id=interaction.user.id,
                name=name,
                transcript=transcript,
                description=description,
                tags=tags,
                clean_up=clean_up,
                links=[each.url for each in files],
            )
        self._drafts.keep(draft)
        picture = await self._samples.picture(draft.take.report)
        card = heard_card(draft.name, draft.take.report)
        card.add_field(name="Before I make it, please confirm", value=f"“{CONSENT}”", inline=False)
        card.add_field(name="What will be stored", value=self._stored(draft), inline=False)
        await interaction.edit_original_response(
            embed=card,
            attachments=[picture_file(picture)],
            view=row(
                button("I confirm: make the voice", "clone-yes", draft.id, style=discord.ButtonStyle.success),
                button("Cancel", "clone-no", draft.id),
            ),
        )

    def _stored(self, draft: Draft) -> str:
        recording = "your recording, encrypted," if self._clones.keep_samples else "no recording,"
        stays = self._clones.outlives
        listener = self._clones.listener(draft)
        heard = f" {listener} hears the recording once, to write down its words." if listener else ""
        goes = f"removes all of it here. {stays}" if stays else "removes all of it."
        return (
            f"A voice model that only you can use ({self._clones.label}), {recording} the name and notes, and this "
            f"confirmation with its time. /voices delete {goes}{heard}"
        )

    async def _confirm(self, interaction: Interaction, draft_id: str) -> None:
        draft = self._drafts.take(draft_id, owner_id=interaction.user.id)
        card = heard_card(draft.name, draft.take.report)  # without what was to be confirmed
        await interaction.response.edit_message(
            content=f"Making {escape_markdown(draft.name)} …", embed=card, view=None
        )
        arrival = await self._clones.clone(draft, party=party_of(interaction))
        if arrival.voice.state not in UNFINISHED:
            await self._show(interaction, arrival)
            return
        # asked for at once, or what comes while the card is drawn would go elsewhere
        coming = asyncio.create_task(self._watch.settled(arrival.voice, patience=_PATIENCE))
        try:
            await self._show(interaction, arrival)
            news = await coming
        finally:
            coming.cancel()
        if news is not None and news.gone:
            await interaction.edit_original_response(content=describe(news), embed=None, attachments=[])
        elif news is None or news.voice.state in UNFINISHED:
            unsettled = News(voice=arrival.voice, note=arrival.note)
            await interaction.edit_original_response(content=describe(news or unsettled))
        else:
            await self._show(interaction, Arrival(voice=news.voice, note=news.note))

    async def _show(self, interaction: Interaction, arrival: Arrival) -> None:
        """Say that it is made before the preview is tried: the news must not depend on it."""
        voice = arrival.voice
        sentence = describe(News(voice=voice, note=arrival.note))
        await interaction.edit_original_response(content=sentence)
        preview = await self._speech.try_preview(voice, party=party_of(interaction))
        files = [audio_file(preview, voice.name, "ogg")] if preview else []
        if voice.report:
            files.insert(0, picture_file(await self._samples.picture(voice.report)))
        default = await self._voices.is_default(voice)
        card = voice_card(voice, label=self._voices.label_of(voice), is_default=default)
        if voice.report:
            card.description = voice.report.sentence
        await interaction.edit_original_response(content=sentence, embed=card, attachments=files)

    async def _cancel(self, interaction: Interaction, draft_id: str) -> None:
        self._drafts.take(draft_id, owner_id=interaction.user.id)
        await interaction.response.edit_message(
            content="Nothing was made, and nothing was kept.", embed=None, attachments=[], view=None
        )


async def setup(bot: Bot) -> None:
    """Add the cog."""
    rules = bot.rules
    cog = Clone(
        voices=rules.voices,
        clones=rules.clones,
        samples=rules.samples,
        speech=rules.speech,
        drafts=rules.drafts,
        watch=rules.watch,
        buttons=bot.buttons,
    )
    await bot.add_cog(cog)
