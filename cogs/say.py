"""/say: text in a cloned voice, into a voice channel or, as a voice message or a file, into the text channel."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands
from discord.utils import escape_markdown

from bot.client import Bot, read_upload, thinking
from bot.client.buttons import Interaction, party_of
from bot.cloning import CloneService
from bot.errors import PlaybackError, SpeechError, VoiceError
from bot.models import SavedLine, Voice
from bot.playback import Line, VocalChannel, admit
from bot.samples import SampleService
from bot.script import Manner, Script, Speech
from bot.speech import SpeechService
from bot.voices import VoiceService
from cogs.choices import suggest_styles, suggest_voices
from cogs.lines import Asked, Lines
from cogs.places import channel_of
from cogs.posts import Caption, post_file, post_voice_message


class Say(commands.Cog):
    """Owns the answers to /say; the sound itself is the speaker's."""

    def __init__(
        self,
        *,
        voices: VoiceService,
        clones: CloneService,
        speech: SpeechService,
        samples: SampleService,
        lines: Lines,
    ) -> None:
        self._voices = voices
        self._clones = clones
        self._speech = speech
        self._samples = samples
        self._lines = lines

    @app_commands.command()
    @app_commands.rename(form="format")
    @app_commands.describe(
        text="What to say",
        voice="Which of your voices; without it, your default voice",
        where="In the voice channel you are in, or here: as a voice message or a file",
        form="Kind of file; ogg without it",
        style="How to say it: whispering, happy; where the voice's model knows such tags",
        speed="How fast: 0.5 is half, 2 twice as fast as usual",
        sample="Speak once in the voice of this recording, and keep nothing",
    )
    @app_commands.choices(
        where=[
            app_commands.Choice(name="voice channel", value="channel"),
            app_commands.Choice(name="voice message", value="message"),
            app_commands.Choice(name="file", value="file"),
        ]
    )
    async def say(
        self,
        interaction: Interaction,
        text: str,
        voice: str | None = None,
        where: str | None = None,
        form: Literal["ogg", "mp3", "wav"] = "ogg",
        style: app_commands.Range[str, 0, 80] = "",
        speed: app_commands.Range[float, 0.5, 2.0] = 1.0,
        sample: discord.Attachment | None = None,
    ) -> None:
        """Say something in a cloned voice."""
        async with thinking(interaction):
            channel = channel_of(interaction) if where not in {"file", "message"} else None
            if where == "channel" and channel is None:
                raise PlaybackError("You are not in a voice channel: join one, or choose where: file.")
            if where == "message" and form != "ogg":
                raise SpeechError("A voice message has no format: leave format out, or choose where: file.")
            self._speech.read(text)
            if channel is not None:
                admit(channel)
            manner = Manner(style=style, speed=speed, party=party_of(interaction))
            wish = _Wish(text, manner, voice, sample)
            spoken = await self._choose(interaction, wish)
            asked = None if channel is None else self._play(interaction, spoken, channel, wish)
        if asked is not None:
            await self._lines.follow(interaction, asked)
        elif where == "message":
            message = await self._speech.record(spoken.open())
            await post_voice_message(interaction, spoken.caption, message)
        else:
            data = await self._speech.render(spoken.open(), form)
            await post_file(interaction, spoken.caption, data, form)

    async def _choose(self, interaction: Interaction, wish: "_Wish") -> "_Spoken":
        text, manner, sample = wish.text, wish.manner, wish.sample
        if sample is None:
            chosen = await self._voices.resolve(wish.voice, owner_id=interaction.user.id)
            if chosen.state not in {"trained", "failed"}:
                chosen = await self._voices.try_refresh(chosen)
            self._speech.say(chosen, text, manner)  # what cannot be said is refused before its turn
            return _Spoken(
                name=chosen.name,
                subject=escape_markdown(chosen.name),
                note=self._note(chosen, manner),
                open=lambda: self._speech.say(chosen, text, manner),
                script=lambda: self._speech.script(chosen, text, manner),
                voice=chosen,
            )
        if wish.voice is not None:
            raise VoiceError("Choose a voice or attach a sample, not both.")
        async with self._samples.room():
            take = await self._clones.hear(await read_upload(sample, max_bytes=self._samples.max_bytes))
        return _Spoken(
            name="the recording",
            subject="Your recording",
            note=self._note(None, manner),
            open=lambda: self._speech.say_once(take, text, manner),
            script=lambda: self._speech.script_once(take, text, manner),
        )

    def _note(self, voice: Voice | None, manner: Manner) -> str:
        if not manner.style.strip() or self._speech.knows_style(voice, manner.style):
            return ""
        return " Its model does not know that style, so it is said plainly."

    def _play(self, interaction: Interaction, spoken: "_Spoken", channel: VocalChannel, wish: "_Wish") -> Asked:
        script = spoken.script()
        line = Line(
            asker_id=interaction.user.id,
            channel=channel,
            open=script.open,
            sentences=script.sentences,
            saved=_save(interaction, spoken, channel, wish),
            replayable=spoken.voice is not None,
            voice=spoken.name,
        )
        return self._lines.ask(line, subject=spoken.subject, note=spoken.note)

    @say.autocomplete("voice")
    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest_voices(self._voices, interaction, typed)

    @say.autocomplete("style")
    async def _suggest_style(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await suggest_styles(self._voices, self._speech, interaction, typed)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a member asked for."""

    text: str
    manner: Manner
    voice: str | None
    sample: discord.Attachment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """One line that can be opened when its turn comes: in a voice that stays, or once from a recording."""

    name: str
    subject: str
    """Begins a sentence to the asker."""
    note: str
    """To know beside it: a sentence with a blank before it, or nothing."""
    open: Callable[[], Speech]
    """The whole text at once."""
    script: Callable[[], Script]
    """The same, sentence by sentence."""
    voice: Voice | None = None
    """None for a recording, which is not kept."""

    @property
    def caption(self) -> Caption:
        """What is said of it in a text channel."""
        return Caption(name=self.name, note=self.note)


def _save(interaction: Interaction, spoken: _Spoken, channel: VocalChannel, wish: _Wish) -> SavedLine | None:
    """Make what is written down of a line, where it could be said again."""
    if spoken.voice is None:
        return None
    return SavedLine(
        id=uuid.uuid4().hex,
        guild_id=channel.guild.id,
        channel_id=channel.id,
        asker_id=interaction.user.id,
        voice_id=spoken.voice.id,
        voice_name=spoken.name,
        text=wish.text,
        style=wish.manner.style,
        speed=wish.manner.speed,
        position=0,
        asked_at=datetime.now(UTC),
    )


async def setup(bot: Bot) -> None:
    """Add the cog."""
    rules = bot.rules
    lines = Lines(speakers=rules.speakers, announcements=bot.announcements)
    cog = Say(voices=rules.voices, clones=rules.clones, speech=rules.speech, samples=rules.samples, lines=lines)
    await bot.add_cog(cog)
