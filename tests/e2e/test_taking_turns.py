"""Several members in one channel: turns, /stop, /leave, and where a line is said when nobody says where."""

import asyncio

import pytest
import pytest_asyncio

from tests.e2e import uploads
from tests.e2e.ears import Recogniser, read_file, sentence, split, words
from tests.e2e.stage import PATIENCE, Cast, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = " ".join(sentence(number) for number in range(20, 28))


@pytest_asyncio.fixture(loop_scope="session")
async def spoken(scene: Scene, low: Cast, high: Cast) -> Scene:
    """Two members with a voice each, both in the lounge."""
    await scene.house.give(scene.alice, low, "Aki")
    await scene.house.give(scene.bob, high, "Bea")
    await scene.joined(scene.alice, scene.bob)
    return scene


async def test_lines_of_two_members_are_said_one_after_the_other(spoken: Scene, recogniser: Recogniser) -> None:
    first, second, third = (sentence(number) for number in (1, 5, 9))

    answers = [
        await spoken.waits(await spoken.alice.slash("say", text=first)),
        await spoken.waits(await spoken.bob.slash("say", text=second)),
        await spoken.waits(await spoken.alice.slash("say", text=third)),
    ]
    for answer in answers:
        await spoken.spoken(answer)

    heard = spoken.bob.heard(spoken.lounge)
    assert [recogniser.hear(part) for part in split(heard.pcm)] == [words(first), words(second), words(third)]
    assert (heard.clear_packets, heard.lost, heard.wrong_steps) == (0, 0, 0)
    told = sum(float(answer.content.split()[-2]) for answer in answers)
    assert heard.seconds == pytest.approx(told, abs=0.1)


async def test_a_member_is_told_how_many_come_before(spoken: Scene) -> None:
    first = await spoken.alice.slash("say", text=LONG)
    await spoken.bob.hears(spoken.lounge, seconds=0.2)

    others = [await spoken.waits(await spoken.bob.slash("say", text="Hello.")) for _ in range(2)]
    turns = ["Aki is about to speak", "Bea speaks next", "Bea speaks after 1 other"]
    for answer, turn in zip([first, *others], turns, strict=True):
        assert f"{turn} in {spoken.lounge.mention}. /stop ends it." in answer.content

    stopped = await spoken.bob.slash("stop")
    assert stopped.content == "Stopped 2 lines."
    for answer in others:
        await answer.until(lambda seen: seen.content == "Your line was stopped before its first word.")
    stopped = await spoken.alice.slash("stop")
    assert stopped.content == "Stopped 1 line."


async def test_whoever_asked_can_stop_a_line_and_the_next_one_is_said(spoken: Scene, recogniser: Recogniser) -> None:
    stopped = await spoken.alice.slash("say", text=LONG)
    await spoken.bob.hears(spoken.lounge, seconds=0.5)
    following = await spoken.waits(await spoken.bob.slash("say", text=sentence(5)))

    answer = await spoken.alice.slash("stop")

    assert answer.ephemeral
    assert answer.content == "Stopped 1 line."
    await stopped.until(lambda seen: seen.content.startswith("Stopped after "))
    assert float(stopped.content.split()[2]) < 4
    await spoken.spoken(following)
    assert recogniser.hear(split(spoken.bob.heard().pcm)[-1]) == words(sentence(5))
    assert await refusal(await spoken.alice.slash("stop")) == "Nothing is being said here."


async def test_another_member_cannot_stop_a_line_but_one_with_mute_members_can(spoken: Scene) -> None:
    judge = spoken.guild.add_member("carol", spoken.guild.add_role("judges", "mute_members"))
    answer = await spoken.alice.slash("say", text=LONG)
    await spoken.bob.hears(spoken.lounge, seconds=0.3)

    told = await refusal(await spoken.bob.slash("stop"))
    assert told == "That line is not yours: ask alice or a member with Mute Members."
    assert (await judge.slash("stop")).content == "Stopped 1 line."

    await answer.until(lambda seen: seen.content.startswith("Stopped after "))


async def test_a_member_of_the_same_name_has_no_hold_on_the_line_and_not_the_voice(spoken: Scene) -> None:
    namesake = spoken.guild.add_member("alice")
    await spoken.joined(namesake)
    answer = await spoken.alice.slash("say", text=LONG)
    await spoken.bob.hears(spoken.lounge, seconds=0.3)

    stopped = await refusal(await namesake.slash("stop"))
    said = await refusal(await namesake.slash("say", text="Hello.", voice="Aki"))

    assert stopped == "That line is not yours: ask alice or a member with Mute Members."
    assert said.startswith("You have no voice")
    assert (await spoken.alice.slash("stop")).content == "Stopped 1 line."
    await answer.until(lambda seen: seen.content.startswith("Stopped after "))
    await namesake.leaves()


async def test_leave_ends_the_line_and_the_call(spoken: Scene) -> None:
    answer = await spoken.alice.slash("say", text=LONG)
    await spoken.bob.hears(spoken.lounge, seconds=0.3)
    assert spoken.bot_name in spoken.lounge.present
    waiting = await spoken.waits(await spoken.alice.slash("say", text="Hello."))

    left = await (await spoken.bob.slash("leave")).settled()

    assert left.content == "I have left the voice channel."
    assert left.ephemeral
    assert spoken.bot_name not in spoken.lounge.present
    await answer.until(lambda seen: seen.content.startswith("Your line was cut short after "))
    assert answer.content.endswith(" s: I was sent out of #Lounge.")
    await waiting.until(lambda seen: seen.content == "Your line was not said: I was sent out of #Lounge.")
    assert await refusal(await spoken.bob.slash("leave")) == "I am in no voice channel here."


async def test_leave_sends_out_a_bot_that_an_earlier_process_left_in_a_channel(spoken: Scene) -> None:
    guild = spoken.house.bot.get_guild(spoken.guild.id)
    assert guild is not None
    await guild.change_voice_state(channel=guild.get_channel(spoken.lounge.id))
    await spoken.until(lambda: spoken.bot_name in spoken.lounge.present)

    left = await (await spoken.bob.slash("leave")).settled(PATIENCE)

    assert left.content == "I have left the voice channel."
    await spoken.quiet()
    assert await refusal(await spoken.bob.slash("leave")) == "I am in no voice channel here."


@pytest.mark.parametrize("right", ["mute_members", "move_members"])
async def test_leave_is_refused_to_who_does_not_listen_unless_they_may_mute_or_move_members(
    spoken: Scene, right: str
) -> None:
    judge = spoken.guild.add_member("judge", spoken.guild.add_role("judges", right))
    stranger = spoken.guild.add_member("stranger")
    answer = await spoken.alice.slash("say", text=LONG)
    await spoken.bob.hears(spoken.lounge, seconds=0.3)

    told = await refusal(await stranger.slash("leave"))
    assert told == "Somebody's line is being said here: join the channel first, or ask a member with Mute Members."
    assert spoken.bot_name in spoken.lounge.present
    left = await (await judge.slash("leave")).settled()

    assert left.content == "I have left the voice channel."
    await answer.until(lambda seen: seen.content.endswith("I was sent out of #Lounge."))


async def test_the_bot_leaves_when_nobody_is_left(spoken: Scene) -> None:
    answer = await spoken.alice.slash("say", text=LONG)
    await spoken.bob.hears(spoken.lounge, seconds=0.3)

    await spoken.alice.leaves()
    await spoken.bob.hears(spoken.lounge, seconds=0.8)
    assert spoken.lounge.present == ["bob", spoken.bot_name]
    await spoken.bob.leaves()

    await spoken.quiet()
    assert spoken.lounge.present == []
    await answer.until(lambda seen: seen.content == "Nobody is in #Lounge, so I left: join a channel and ask again.")


async def test_without_where_a_line_goes_to_the_channel_for_those_in_one_and_else_into_a_file(
    spoken: Scene, recogniser: Recogniser
) -> None:
    line = sentence(2)
    await spoken.bob.leaves()

    written = await (await spoken.bob.slash("say", text=line)).settled(PATIENCE)
    (file,) = await written.followed(timeout=PATIENCE)
    await spoken.spoken(await spoken.alice.slash("say", text=line))

    assert recogniser.hear(read_file(file.files["bea.ogg"]).sound) == words(line)
    assert recogniser.hear(spoken.alice.heard(spoken.lounge).pcm) == words(line)
    assert [list(seen.files) for seen in spoken.text.messages] == [["bea.ogg"], []]
    assert spoken.text.messages[1].content.startswith("I am in ")
    told = await refusal(await spoken.bob.slash("say", text=line, where="voice channel"))
    assert told == "You are not in a voice channel: join one, or choose where: file."


async def test_the_bot_follows_to_another_channel(spoken: Scene, recogniser: Recogniser) -> None:
    attic = spoken.guild.add_voice_channel("Attic")
    await spoken.spoken(await spoken.alice.slash("say", text=sentence(2)))
    await spoken.alice.moves(attic)
    await spoken.bob.moves(attic)

    answer = await spoken.alice.slash("say", text=sentence(4))
    await answer.until(lambda seen: " spoke in " in seen.content, PATIENCE)

    assert recogniser.hear(spoken.bob.heard(attic).pcm) == words(sentence(4))
    await asyncio.gather(spoken.alice.leaves(), spoken.bob.leaves())
    await spoken.until(lambda: spoken.bot_name not in attic.present)


async def test_a_clip_speaks_once_in_the_channel(spoken: Scene, recogniser: Recogniser) -> None:
    before = spoken.house.traces()
    line = sentence(7)

    answer = await spoken.spoken(await spoken.alice.slash("say", text=line, sample=uploads.recording(whole=True)))
    assert answer.content.startswith("Your recording spoke in ")

    assert recogniser.hear(spoken.bob.heard(spoken.lounge).pcm) == words(line)
    assert spoken.house.traces() == before
    assert await refusal(await spoken.bob.slash("replay")) == (
        f"Nothing was said in {spoken.lounge.mention} lately: try /say."
    )


async def test_two_servers_speak_at_the_same_time(spoken: Scene, low: Cast, recogniser: Recogniser) -> None:
    other = spoken.house.enter("Elsewhere")
    await spoken.house.give(other.alice, low, "Aki")
    await other.joined(other.alice)

    here, there = await asyncio.gather(
        spoken.alice.slash("say", text=sentence(1)), other.alice.slash("say", text=sentence(9))
    )
    await asyncio.gather(spoken.spoken(here), other.spoken(there))

    assert recogniser.hear(spoken.bob.heard().pcm) == words(sentence(1))
    assert recogniser.hear(other.alice.heard().pcm) == words(sentence(9))
    await other.alice.leaves()
    await other.quiet()
