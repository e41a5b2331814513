"""What the asker of a line is told of it on its way."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import PlaybackError
from bot.playback import Played, Ticket, VoiceReport


async def test_news_are_told_in_order_and_end_with_the_line() -> None:
    ticket = Ticket(0)
    ticket.tell("It is held up.")
    ticket.tell("It goes on.")
    ticket.settle(Played(packets=1, stopped=False))

    assert [sentence async for sentence in ticket.news()] == ["It is held up.", "It goes on."]


async def test_what_is_seen_of_a_connection_is_told_with_each_change_and_at_the_end() -> None:
    ticket, seen = Ticket(0), list[VoiceReport]()

    async def watch() -> None:
        seen.extend([report async for report in ticket.reports()])

    watching = asyncio.create_task(watch())
    changes = (
        lambda: ticket.see(replace(ticket.report, join_seconds=0.5)),
        lambda: ticket.tell("It is held up."),
        lambda: (ticket.see(replace(ticket.report, sent=9)), ticket.reject(PlaybackError("It ended."))),
    )
    for change in changes:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        change()
    await watching

    joined = VoiceReport(join_seconds=0.5)
    told = replace(joined, told="It is held up.")
    assert seen == [VoiceReport(), joined, told, replace(told, sent=9)]
    with pytest.raises(PlaybackError, match="It ended"):
        await ticket.done
