"""A line in a text channel, for everybody: a file or a voice message, under a label that says what it is."""

from dataclasses import dataclass

from discord.utils import escape_markdown

from bot.client import find_obstacle, try_voice_message
from bot.client.buttons import Interaction
from bot.errors import SpeechError
from bot.models import AudioFormat, VoiceMessage
from cogs.cards import audio_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What is said of a line: whose voice it is, and to its asker alone what they should know beside it."""

    name: str
    note: str

    def answer(self, how: str = "") -> str:
        """Write what the asker reads."""
        return f"Here is what {escape_markdown(self.name)} says{how}.{self.note}"

    def label(self, interaction: Interaction) -> str:
        """Write what everybody reads."""
        asker = escape_markdown(interaction.user.display_name)
        return f"AI voice: **{escape_markdown(self.name)}**, asked for by {asker}"


async def post_file(
    interaction: Interaction, caption: Caption, data: bytes, form: AudioFormat, *, why: str = ""
) -> None:
    """Post a line as a file; `why` it is one, where something else was asked for. Raises SpeechError."""
    if len(data) > interaction.filesize_limit:
        raise SpeechError("The file is larger than Discord takes here: choose format ogg, or say less.")
    await interaction.edit_original_response(content=caption.answer(f", as a file, because {why}" if why else ""))
    await interaction.followup.send(
        caption.label(interaction), file=audio_file(data, caption.name, form), ephemeral=False
    )


async def post_voice_message(interaction: Interaction, caption: Caption, message: VoiceMessage) -> None:
    """Post a line as a voice message, or where Discord refuses that, as a file. Raises SpeechError, PlaybackError."""
    if len(message.ogg) > interaction.filesize_limit:
        raise SpeechError("The voice message is larger than Discord takes here: say less.")
    why = find_obstacle(interaction)
    if not why:
        await interaction.edit_original_response(content=caption.answer())
        why = await try_voice_message(interaction, message, label=caption.label(interaction))
    if why:
        await post_file(interaction, caption, message.ogg, "ogg", why=why)
