"""A chime in a voice channel, and step by step what came of it, for the member who asked. Knows no voice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.audio import make_chime
from bot.client.buttons import Interaction
from bot.errors import PlaybackError
from bot.models import Packets
from bot.playback import Line, Played, Speakers, Ticket, VocalChannel, VoiceReport, label

_PATIENCE = 840.0
"""Seconds an answer can still be changed: Discord's token lives 15 minutes."""
_WELL = "All of that is well. If you heard no chime: turn my volume up (click on me), and check your output device."
_DUMB = "Discord was not told that I speak: send me out with /leave, and try again."


class VoiceTest:
    """Owns the chime, once it was made."""

    def __init__(self, speakers: Speakers) -> None:
        self._speakers = speakers
        self._chime: tuple[bytes, ...] = ()

    async def run(self, interaction: Interaction, channel: VocalChannel) -> None:
        """Play the chime as a line of its own, and tell how each step went. The first answer is to be pending."""
        self._chime = self._chime or await asyncio.to_thread(make_chime)
        line = Line(asker_id=interaction.user.id, channel=channel, open=lambda _: self._open(), voice="A chime")
        may = f"I may see {label(channel)}, connect and speak there."
        try:
            ticket = self._speakers.enqueue(line)
        except PlaybackError as error:
            await _show(interaction, [], failed=str(error))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._follow(interaction, ticket, may)

    async def _follow(self, interaction: Interaction, ticket: Ticket, may: str) -> None:
        async for report in ticket.reports():
            if not ticket.settled:
                await _show(interaction, [may, *describe(report)], going_on=report.told or _turn(ticket))
        try:
            played = await ticket.done
        except PlaybackError as error:
            await _show(interaction, [may, *describe(ticket.report)], failed=str(error))
        else:
            failed = find_fault(ticket.report, played)
            await _show(interaction, [may, *describe(ticket.report)], failed=failed, going_on=_WELL)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Packets]:
        yield self._packets()

    async def _packets(self) -> Packets:
        yield self._chime


def describe(report: VoiceReport) -> list[str]:
    """Say what went well so far, a sentence for each step."""
    steps = []
    if report.join_seconds is not None:
        steps.append(
            f"I joined in {report.join_seconds * 1000:.0f} ms." if report.join_seconds else "I was there already."
        )
    if report.key_seconds is not None:
        ready = f"The encryption was ready in {report.key_seconds * 1000:.0f} ms."
        steps.append(ready if report.protected else "The call needs no end-to-end encryption.")
    if report.muted is False:
        steps.append("Nobody has muted me.")
    if report.announced:
        steps.append("Discord was told that I speak.")
    if report.sent and not report.refused:
        steps.append(f"{report.sent} of {report.sent} packets left; the network refused none.")
    return steps


def find_fault(report: VoiceReport, played: Played) -> str:
    """Say what went wrong with a line that was played, with the cure; empty where nothing did."""
    if played.stopped:
        return "Somebody stopped the chime: try again."
    if not report.announced:
        return _DUMB
    if report.refused:
        return (
            f"{report.sent} of {report.sent + report.refused} packets left, and the network refused {report.refused}: "
            "whoever runs me must let UDP out of the machine."
        )
    return ""


async def _show(interaction: Interaction, steps: list[str], *, failed: str = "", going_on: str = "") -> None:
    lines = [*(f"✅ {step}" for step in steps), f"❌ {failed}" if failed else going_on]
    await interaction.edit_original_response(content="\n".join(lines))


def _turn(ticket: Ticket) -> str:
    others = ticket.position + (not ticket.at_once)
    return "…" if not others else f"… my turn comes after {others} other" + "s" * (others > 1)
