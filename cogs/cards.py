"""How a voice, a recording and a queue look to a member."""

import io
from collections.abc import Sequence

import discord
from discord.utils import escape_markdown, escape_mentions, format_dt

from bot.models import HOUSE, SampleReport, Voice, VoicePage
from bot.playback import Line, Queued

COLOUR = discord.Colour(0x6FD3BD)
PICTURE = "waveform.png"

_STATES = {
    "unknown": "being made",
    "created": "waiting to be made",
    "training": "being made",
    "trained": "ready",
    "failed": "cannot speak: delete it and clone again",
}

_FIRST_WORDS = 40
_MOST_LINES = 10

_SEEN_BY = {"private": "you alone", "unlist": "whoever has its link", "public": "everybody"}


def picture_file(png: bytes) -> discord.File:
    """Attach a waveform so that a card can show it."""
    return discord.File(io.BytesIO(png), filename=PICTURE, description="Waveform of the recording")


def audio_file(data: bytes, name: str, form: str) -> discord.File:
    """Attach speech under a voice's name."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name).strip("-").lower()
    return discord.File(io.BytesIO(data), filename=f"{plain or 'voice'}.{form}")


def heard_card(title: str, report: SampleReport) -> discord.Embed:
    """Show what was heard in a recording."""
    rough = " You can go on, but the voice will sound rough." if report.grade == "poor" else ""
    card = discord.Embed(title=escape_markdown(title), description=report.sentence + rough, colour=COLOUR)
    card.add_field(name="Speech", value=f"{report.speech_seconds:.1f} s of {report.seconds:.1f} s")
    card.add_field(name="Level", value=f"{report.loudness:.0f} LUFS")
    card.add_field(name="Noise", value=f"{report.noise:.0f} dBFS")
    card.add_field(name="Clipping", value="none" if report.clipped < 0.0005 else f"{report.clipped:.1%} of it")
    card.set_image(url=f"attachment://{PICTURE}")
    return card


def voice_card(voice: Voice, *, label: str, is_default: bool) -> discord.Embed:
    """Show all that is known of a voice."""
    title = escape_markdown(voice.name) + (" (your default)" if is_default else "")
    about = escape_markdown(voice.description) or (voice.report.sentence if voice.report else "")
    card = discord.Embed(title=title, description=about, colour=COLOUR)
    card.add_field(name="State", value=_STATES[voice.state])
    card.add_field(name="Made by", value=label)
    card.add_field(name="Visible to", value=_SEEN_BY[voice.visibility])
    if voice.fault:
        card.add_field(name="What went wrong", value=escape_markdown(voice.fault), inline=False)
    if voice.owner_id == HOUSE:
        card.add_field(name="Ready-made", value="everybody here may speak with it, nobody may change it")
        return card
    if voice.report:
        card.add_field(name="Sample", value=f"{voice.report.speech_seconds:.1f} s of speech")
        card.set_image(url=f"attachment://{PICTURE}")
    card.add_field(name="Lines spoken", value=str(voice.use_count))
    card.add_field(name="Last spoken", value=format_dt(voice.last_used_at, "R") if voice.last_used_at else "never")
    if voice.tags:
        card.add_field(name="Tags", value=escape_markdown(", ".join(voice.tags)))
    if voice.languages:
        card.add_field(name="Languages", value=", ".join(voice.languages))
    card.add_field(name="Made", value=format_dt(voice.created_at, "D"))
    card.add_field(name="Changed", value=format_dt(voice.updated_at, "R"))
    card.add_field(name="You confirmed", value=f"“{voice.consent}” {format_dt(voice.consented_at, 'f')}", inline=False)
    return card


def list_card(page: VoicePage, *, offset: int, house: Sequence[Voice] = ()) -> discord.Embed:
    """Show one page of a member's voices, a line each, and which ready-made ones there are."""
    lines = []
    for number, voice in enumerate(page.voices, offset + 1):
        star = " · your default" if voice.id == page.default_id else ""
        spoken = "1 line" if voice.use_count == 1 else f"{voice.use_count} lines"
        lines.append(f"{number}. **{escape_markdown(voice.name)}**: {_STATES[voice.state]}, {spoken} spoken{star}")
    title = "Your voice" if page.total == 1 else f"Your {page.total} voices"
    card = discord.Embed(title=title, description="\n".join(lines), colour=COLOUR)
    if house:
        card.set_footer(text=f"Ready-made, for everybody: {', '.join(voice.name for voice in house)}")
    return card


def first_words(line: Line) -> str:
    """Give the beginning of what a line says, about 40 characters, as plain text."""
    words = " ".join(" ".join(line.sentences).split())
    return words if len(words) <= _FIRST_WORDS else f"{words[:_FIRST_WORDS].rstrip()} …"


def queue_card(lines: Sequence[Queued]) -> discord.Embed:
    """Show what is said and what waits, in order: whose line, in which voice, how it begins, how long it is."""
    shown = [f"{number}. {_queued(each)}" for number, each in enumerate(lines[:_MOST_LINES], 1)]
    if len(lines) > _MOST_LINES:
        shown.append(f"… and {len(lines) - _MOST_LINES} more.")
    title = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
    return discord.Embed(title=title, description="\n".join(shown), colour=COLOUR)


def _queued(queued: Queued) -> str:
    line = queued.line
    words = escape_markdown(escape_mentions(first_words(line)), ignore_links=False).replace("<", "\\<")
    expected = max(queued.expected_seconds, queued.said_seconds)
    if not queued.speaking:
        how = f"{expected:.0f} s"
    elif queued.paused or queued.muted:
        held = " and ".join(word for word, so in (("paused", queued.paused), ("muted", queued.muted)) if so)
        how = f"{held} at {queued.said_seconds:.0f} of {expected:.0f} s"
    else:
        how = f"being said, {queued.said_seconds:.0f} of {expected:.0f} s"
    says = f": “{words}”" if words else ""
    return f"**{escape_markdown(line.voice)}** for <@{line.asker_id}>{says} ({how})"
