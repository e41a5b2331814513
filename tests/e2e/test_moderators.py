"""What moderators do to the bot in the middle of a line: what a listener hears, and what the asker reads."""

from collections.abc import Callable

import pytest

from bot.models import PACKET_SECONDS
from bot.playback.player import TAIL
from bot.playback.source import END
from playground.discord import Guild, RoleHandle
from tests.e2e.booth import clean, said, says, speaking, understood
from tests.e2e.ears import Recogniser
from tests.e2e.stage import PATIENCE, Scene, over, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = (2, 4)
CURE = "I may not speak in #Lounge: give me Connect and Speak there."


async def test_a_bot_that_is_moved_goes_on_where_it_is_and_who_was_left_hears_no_more(
    stall: Scene, recogniser: Recogniser
) -> None:
    attic = stall.guild.add_voice_channel("Attic")
    await stall.joined(stall.bob, room=attic)
    answer = await speaking(stall, *LINE)

    stall.guild.move(stall.guild.bot, attic)
    await stall.spoken(answer)

    heard = await stall.bob.silence(attic)
    assert understood(recogniser, heard)[-1:] == said(LINE[-1:])
    clean(heard)
    left = stall.alice.heard(stall.lounge).packets
    assert left < 60
    await stall.bob.leaves()
    await stall.until(lambda: "Mynah" not in attic.present)


async def test_a_bot_that_is_moved_while_it_joins_speaks_where_it_is(stall: Scene, recogniser: Recogniser) -> None:
    attic = stall.guild.add_voice_channel("Attic")
    carol = stall.guild.add_member("carol")
    await carol.joins(attic)
    stall.discord.voice.faults.lose_discovery = 2  # so that joining takes a while

    answer = await says(stall.alice, 3)
    await stall.until(lambda: stall.discord.voice.faults.lose_discovery < 2)
    stall.guild.move(stall.guild.bot, attic)
    await stall.spoken(answer)

    heard = await carol.silence(attic)
    assert understood(recogniser, heard) == said([3])
    assert f"spoke in <#{attic.id}>" in answer.content


async def test_a_muted_bot_is_heard_by_nobody_and_says_its_sentence_again_when_it_may(
    stall: Scene, recogniser: Recogniser
) -> None:
    answer = await speaking(stall, *LINE)

    stall.guild.mute(stall.guild.bot)
    await stall.alice.ears().ignores(20)
    stall.alice.ears().reset()
    stall.guild.unmute(stall.guild.bot)
    await stall.spoken(answer)

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said(LINE)
    clean(heard)
    assert heard.hushed == 0


async def test_a_bot_muted_before_its_line_is_refused_with_what_to_do(stall: Scene, recogniser: Recogniser) -> None:
    await stall.spoken(await says(stall.alice, 3))
    await stall.alice.ears(stall.lounge).silence(after=2 * (END + TAIL) * PACKET_SECONDS)
    stall.guild.mute(stall.guild.bot)

    told = await says(stall.alice, 4)
    await told.until(over, PATIENCE)

    assert told.content == "I am muted in #Lounge: a moderator must unmute me first."
    joined = await (await stall.alice.slash("join")).settled(PATIENCE)
    mention = stall.lounge.mention
    assert joined.content == f"I am in {mention}, but muted there: a moderator must unmute me before you can hear me."
    stall.guild.unmute(stall.guild.bot)
    await stall.spoken(await says(stall.alice, 4))
    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([3, 4])
    assert heard.hushed == 0


async def test_a_bot_whose_right_to_speak_is_taken_ends_its_lines_with_the_cure_and_speaks_again_with_it(
    stall: Scene, recogniser: Recogniser
) -> None:
    answer = await speaking(stall, *LINE)
    waiting = await stall.waits(await says(stall.alice, 3))

    stall.guild.deny(stall.lounge, "SPEAK", to=stall.guild.bot)
    for each in (answer, waiting):
        await each.until(over, PATIENCE)
        assert each.content == CURE

    assert await refusal(await says(stall.alice, 3)) == CURE
    assert stall.alice.heard(stall.lounge).packets < 60
    stall.guild.allow(stall.lounge, "SPEAK", to=stall.guild.bot)
    stall.alice.ears().reset()
    await stall.spoken(await says(stall.alice, 3))
    assert understood(recogniser, await stall.alice.silence(stall.lounge)) == said([3])


@pytest.mark.parametrize(
    "take",
    [
        lambda guild, role: guild.revoke(role, guild.bot),
        lambda guild, role: guild.deny(role, "SPEAK"),
        lambda guild, role: guild.remove_role(role),
    ],
    ids=["from it", "its right", "from everybody"],
)
async def test_a_bot_whose_role_is_taken_ends_its_line_with_the_cure(
    stall: Scene, take: Callable[[Guild, RoleHandle], None]
) -> None:
    role = stall.guild.add_role("Voices", "SPEAK")
    stall.guild.deny(stall.guild.everyone, "SPEAK")
    stall.guild.grant(role, stall.guild.bot)
    answer = await speaking(stall, *LINE)

    take(stall.guild, role)
    await answer.until(over, PATIENCE)

    assert answer.content == CURE
    assert stall.alice.heard(stall.lounge).packets < 60


async def test_a_bot_thrown_out_of_a_channel_that_filled_up_waits_outside_and_comes_when_there_is_room(
    stall: Scene, recogniser: Recogniser
) -> None:
    answer = await speaking(stall, 2)
    stall.guild.set_limit(stall.lounge, 2)

    stall.guild.kick_from_voice(stall.guild.bot)
    await stall.quiet()
    await stall.joined(stall.bob)
    full = await refusal(await says(stall.alice, 3))
    await stall.bob.leaves()
    stall.alice.ears().reset()
    again = await says(stall.alice, 3)
    for each in (answer, again):
        await stall.spoken(each)

    assert full == "#Lounge is full: make room for one more, or use another channel."
    assert understood(recogniser, await stall.alice.silence(stall.lounge)) == said([2, 3])


async def test_a_channel_deleted_under_two_lines_tells_both_and_another_channel_works(
    stall: Scene, recogniser: Recogniser
) -> None:
    tower = stall.guild.add_voice_channel("Tower")
    await stall.joined(stall.alice, room=tower)
    answer = await says(stall.alice, *LINE)
    await stall.alice.hears(tower, seconds=0.3)
    waiting = await stall.waits(await says(stall.alice, 3))

    stall.guild.remove_channel(tower)
    for each in (answer, waiting):
        await each.until(over, PATIENCE)
        assert each.content == "#Tower is gone: join another voice channel and ask again."

    await stall.joined(stall.alice)
    await stall.spoken(await says(stall.alice, 3))
    assert understood(recogniser, await stall.alice.silence(stall.lounge)) == said([3])


async def test_a_bot_kicked_from_the_server_in_mid_sentence_speaks_when_it_is_let_in_again(
    stall: Scene, recogniser: Recogniser
) -> None:
    await speaking(stall, *LINE)

    stall.guild.kick(stall.guild.bot)
    await stall.quiet()
    stall.guild.invite_bot()
    stall.alice.ears().reset()

    await stall.spoken(await says(stall.alice, 3))
    parts = understood(recogniser, await stall.alice.silence(stall.lounge))
    assert parts[-1:] == said([3])
