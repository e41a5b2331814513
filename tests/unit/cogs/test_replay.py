"""/replay: which line is said again, for whom, and what is offered."""

from dataclasses import replace

from bot.playback import VocalChannel, tell_nobody
from playground.discord import Member
from tests.unit.cogs.booth import Booth, line_in
from tests.unit.store.examples import make_line


async def _tell(_sentence: str) -> None:
    raise AssertionError("the announcement of a line that is over")


async def test_a_line_is_said_again_from_its_beginning_as_a_new_one_for_whoever_asks(
    booth: Booth, alice: Member, channel: VocalChannel
) -> None:
    said = replace(line_in(channel, asker_id=7), start=3, saved=make_line(), tell=_tell)
    booth.lately = (said,)

    await alice.slash("replay")

    (again,) = booth.asked
    assert again.id != said.id
    assert again == replace(
        said, id=again.id, asker_id=alice.id, channel=channel, start=0, saved=None, tell=tell_nobody
    )


async def test_the_name_of_a_voice_is_no_markup(booth: Booth, alice: Member, channel: VocalChannel) -> None:
    booth.lately = (line_in(channel, voice="*A*"),)

    answer = await alice.slash("replay")
    await answer.until(lambda seen: "about to speak" in seen.content)

    assert answer.content.startswith(r"\*A\* is about to speak in ")


async def test_lines_are_offered_by_voice_and_words_whatever_the_case_and_no_longer_than_discord_shows(
    booth: Booth, alice: Member, channel: VocalChannel
) -> None:
    long, short = line_in(channel, voice="V" * 90, words="Good morning."), line_in(channel, words="Good evening.")
    booth.lately = (long, short)

    everything = await alice.autocomplete("replay", line="")
    found = await alice.autocomplete("replay", line="  GOOD eve ")

    assert everything == [(f"{'V' * 90}: Good mor", long.id), ("Aki: Good evening.", short.id)]
    assert found == [("Aki: Good evening.", short.id)]
