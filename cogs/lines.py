"""A line for a voice channel: asked for, announced to everybody, and followed to its end for its asker."""

import asyncio
from dataclasses import dataclass
from functools import partial

from bot.client import Announcements, follow
from bot.client.buttons import Interaction
from bot.models import PACKET_SECONDS
from bot.playback import Line, Played, Speakers, Ticket, VocalChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A line that was asked for, and how it is spoken of."""

    line: Line
    ticket: Ticket
    subject: str
    """Begins a sentence to the asker."""
    note: str
    """To know beside it: a sentence with a blank before it, or nothing."""


class Lines:
    """Owns how a line is answered, whichever command asked for it."""

    def __init__(self, *, speakers: Speakers, announcements: Announcements) -> None:
        self._speakers = speakers
        self._announcements = announcements

    def ask(self, line: Line, *, subject: str, note: str = "") -> Asked:
        """Have a line said. Raises PlaybackError where it can be known that it would not be heard."""
        return Asked(line=line, ticket=self._speakers.enqueue(line), subject=subject, note=note)

    async def follow(self, interaction: Interaction, asked: Asked) -> None:
        """Tell the asker how it goes, and everybody that something is said. Raises what the line's ticket does."""
        line, ticket = asked.line, asked.ticket
        promise = f"{asked.subject} {_turn(ticket)} in {line.channel.mention}. /stop ends it.{asked.note}"
        await interaction.edit_original_response(content=promise)
        announcing = asyncio.create_task(self._announcements.announce(interaction, line, ticket))
        try:
            outcome = partial(_outcome, asked.subject, line.channel)
            await follow(interaction, ticket, promise=promise, outcome=outcome)
        finally:
            await announcing
            await self._announcements.refresh(line.channel.guild.id)


def _turn(ticket: Ticket) -> str:
    if ticket.at_once:
        return "is about to speak"
    if not ticket.position:
        return "speaks next"
    return f"speaks after {ticket.position} other" + "s" * (ticket.position > 1)


def _outcome(subject: str, channel: VocalChannel, played: Played) -> str:
    seconds = played.packets * PACKET_SECONDS
    if played.stopped and not played.packets:
        return "Your line was stopped before its first word."
    if played.stopped:
        return f"Stopped after {seconds:.1f} s."
    return f"{subject} spoke in {(played.channel or channel).mention} for {seconds:.1f} s."
