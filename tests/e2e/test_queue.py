"""/queue, /skip, /pause, /resume, /join, /replay: what members do with lines, and what they read where they cannot."""

import pytest
import pytest_asyncio

from bot.models import PACKET_SECONDS
from bot.playback.player import TAIL
from bot.playback.source import END
from playground.discord import Answer, ClientRefusedError
from tests.e2e.ears import RATE, Recogniser, sentence, words
from tests.e2e.stage import PATIENCE, Cast, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = " ".join(sentence(number) for number in range(20, 28))
NOT_HERE = "You are not in a voice channel: join one and ask again."
FIRST_WORDS = f"{LONG[:40].rstrip()} …"


@pytest_asyncio.fixture(loop_scope="session")
async def spoken(scene: Scene, low: Cast, high: Cast) -> Scene:
    """Two members with a voice each, both in the lounge."""
    await scene.house.give(scene.alice, low, "Aki")
    await scene.house.give(scene.bob, high, "Bea")
    await scene.joined(scene.alice, scene.bob)
    return scene


async def _long_line(scene: Scene) -> Answer:
    """Have alice say something long, and return while it is being said."""
    answer = await scene.alice.slash("say", text=LONG)
    await scene.bob.hears(scene.lounge, seconds=0.3)
    return answer


async def _ended(scene: Scene, answer: Answer) -> None:
    await scene.alice.slash("stop")
    await answer.until(lambda seen: seen.content.startswith("Stopped after "))


# What is said and what waits


async def test_the_queue_says_who_speaks_in_which_voice_how_it_begins_and_how_long_it_is(spoken: Scene) -> None:
    first = await _long_line(spoken)
    await spoken.waits(await spoken.bob.slash("say", text="Hello   there."))

    seen = await spoken.bob.slash("queue")

    assert seen.ephemeral
    assert not seen.pings
    title, now, then = seen.text.removeprefix("| ").split("\n| ")
    assert title == "2 lines"
    assert now.startswith(f"1. **Aki** for {spoken.alice.mention}: “{FIRST_WORDS}” (being said, ")
    said, of, expected, unit = now.removesuffix(")").split()[-4:]
    assert (of, unit) == ("of", "s")
    assert 0 <= int(said) < int(expected)
    assert then.startswith(f"2. **Bea** for {spoken.bob.mention}: “Hello there.” (")
    await spoken.bob.slash("stop")
    await _ended(spoken, first)


async def test_the_queue_shows_no_markup_and_pings_nobody(spoken: Scene) -> None:
    nuisance = f"@everyone # **a** [b](c) > d `e` {spoken.bob.mention} end"
    await spoken.alice.slash("say", text=nuisance)
    await spoken.bob.hears(spoken.lounge, seconds=0.1)

    seen = await spoken.bob.slash("queue")

    assert not seen.pings
    assert "@everyone" not in seen.text
    assert "**a**" not in seen.text
    assert "[b](c)" not in seen.text.replace("\\[b](c)", "")
    await spoken.alice.slash("stop")


@pytest.mark.parametrize("command", ["queue", "skip", "pause", "resume"])
async def test_where_nothing_is_said_that_is_told(spoken: Scene, command: str) -> None:
    assert await refusal(await spoken.alice.slash(command)) == "Nothing is being said here."


@pytest.mark.parametrize(
    "command", ["queue", "skip", "stop", "pause", "resume", "join", "leave", "replay", "voicetest"]
)
async def test_in_direct_messages_there_is_no_such_command(spoken: Scene, command: str) -> None:
    with pytest.raises(ClientRefusedError, match="hidden"):
        await spoken.alice.slash(command, in_channel=spoken.alice.inbox)


# Skipping and holding


async def test_a_skipped_line_ends_and_the_next_is_said(spoken: Scene, recogniser: Recogniser) -> None:
    skipped = await _long_line(spoken)
    following = await spoken.waits(await spoken.alice.slash("say", text=sentence(5)))

    answer = await spoken.alice.slash("skip")

    assert answer.ephemeral
    assert answer.content == "Skipped."
    await skipped.until(lambda seen: seen.content.startswith("Stopped after "))
    await spoken.spoken(following)
    last = float(following.content.split()[-2]) + (END + TAIL) * PACKET_SECONDS
    assert recogniser.hear(spoken.bob.heard().pcm[-round(last * RATE) :]) == words(sentence(5))


@pytest.mark.parametrize("command", ["skip", "pause"])
async def test_a_line_of_somebody_else_is_left_alone_but_not_by_those_with_mute_members(
    spoken: Scene, command: str
) -> None:
    judge = spoken.guild.add_member("carol", spoken.guild.add_role("judges", "mute_members"))
    line = await _long_line(spoken)

    told = await refusal(await spoken.bob.slash(command))
    assert told == "That line is not yours: ask alice or a member with Mute Members."
    assert (await judge.slash(command)).content in {"Skipped.", "Paused: /resume lets it go on."}

    if command == "pause":
        await _ended(spoken, line)
    await line.until(lambda seen: seen.content.startswith("Stopped after "))


async def test_a_paused_line_is_held_and_goes_on_where_it_was(spoken: Scene, recogniser: Recogniser) -> None:
    text = f"{sentence(1)} {sentence(5)}"
    line = await spoken.alice.slash("say", text=text)
    await spoken.bob.hears(spoken.lounge, seconds=0.5)

    assert (await spoken.alice.slash("pause")).content == "Paused: /resume lets it go on."
    await spoken.bob.silence(spoken.lounge)
    held = await spoken.bob.slash("queue")
    assert "(paused at " in held.text
    assert await refusal(await spoken.alice.slash("pause")) == "That line is paused already: /resume lets it go on."
    assert (await spoken.alice.slash("resume")).content == "It goes on."

    await spoken.spoken(line)
    assert await refusal(await spoken.alice.slash("resume")) == "Nothing is being said here."


async def test_a_muted_bot_says_what_lets_its_line_go_on(spoken: Scene) -> None:
    line = await spoken.alice.slash("say", text=f"{sentence(1)} {sentence(5)}")
    await spoken.bob.hears(spoken.lounge, seconds=0.3)
    spoken.guild.mute(spoken.guild.bot)
    await line.until(lambda seen: "waits until a moderator unmutes me" in seen.content)

    muted = await spoken.bob.slash("queue")
    refused = await refusal(await spoken.alice.slash("resume"))
    paused = await spoken.alice.slash("pause")
    both = await spoken.bob.slash("queue")
    resumed = await spoken.alice.slash("resume")
    spoken.guild.unmute(spoken.guild.bot)

    assert "(muted at " in muted.text
    assert refused == "I am muted here: a moderator must unmute me."
    assert paused.content == "Paused: /resume lets it go on. I am muted here: a moderator must unmute me."
    assert "(paused and muted at " in both.text
    assert resumed.content == "It goes on as soon as a moderator unmutes me."
    await spoken.spoken(line)


# Coming and going


async def test_the_bot_comes_where_it_is_asked_to_and_says_so_once_it_is_there(spoken: Scene) -> None:
    answer = await (await spoken.alice.slash("join")).settled(PATIENCE)

    assert answer.content == f"I am in {spoken.lounge.mention}."
    assert spoken.bot_name in spoken.lounge.present
    again = await (await spoken.bob.slash("join")).settled(PATIENCE)
    assert again.content == answer.content


async def test_a_silent_bot_moves_to_where_it_is_asked_to(spoken: Scene, recogniser: Recogniser) -> None:
    attic = spoken.guild.add_voice_channel("Attic")
    await (await spoken.alice.slash("join")).settled(PATIENCE)
    await spoken.bob.moves(attic)

    answer = await (await spoken.bob.slash("join")).settled(PATIENCE)

    assert answer.content == f"I am in {attic.mention}."
    assert spoken.bot_name in attic.present
    line = await spoken.bob.slash("say", text=sentence(5))
    await line.until(lambda seen: " spoke in " in seen.content, PATIENCE)
    assert recogniser.hear(spoken.bob.heard(attic).pcm) == words(sentence(5))
    await spoken.bob.leaves()
    await spoken.until(lambda: spoken.bot_name not in attic.present)


async def test_a_bot_that_cannot_come_says_why_and_what_to_do(spoken: Scene) -> None:
    tower = spoken.guild.add_voice_channel("Tower", user_limit=1)
    spoken.guild.deny(spoken.lounge, "speak", to=spoken.guild.bot)
    await spoken.bob.moves(tower)

    told = await refusal(await spoken.alice.slash("join"))
    full = await refusal(await spoken.bob.slash("join"))

    assert told == "I may not speak in #Lounge: give me Connect and Speak there."
    assert full == "#Tower is full: make room for one more, or use another channel."


async def test_a_bot_that_speaks_does_not_go_elsewhere(spoken: Scene) -> None:
    attic = spoken.guild.add_voice_channel("Attic")
    line = await _long_line(spoken)
    await spoken.bob.moves(attic)

    told = await refusal(await spoken.bob.slash("join"))

    assert told == "I am speaking in #Lounge: ask again when I am done, or /stop me there."
    await _ended(spoken, line)


async def test_a_bot_that_was_thrown_out_comes_back_and_goes_on(spoken: Scene) -> None:
    line = await spoken.alice.slash("say", text=f"{sentence(1)} {sentence(5)}")
    await spoken.bob.hears(spoken.lounge, seconds=0.3)
    spoken.guild.kick_from_voice(spoken.guild.bot)
    await line.until(lambda seen: "/join brings me back" in seen.content, PATIENCE)

    answer = await (await spoken.bob.slash("join")).settled(PATIENCE)

    assert answer.content == f"I am in {spoken.lounge.mention}."
    await spoken.spoken(line)


async def test_who_is_in_no_channel_is_told(spoken: Scene) -> None:
    await spoken.alice.leaves()

    assert await refusal(await spoken.alice.slash("join")) == NOT_HERE
    assert await refusal(await spoken.alice.slash("replay")) == NOT_HERE
    assert await spoken.alice.autocomplete("replay", line="") == []


# Saying it again


async def test_the_last_line_is_said_again_for_whoever_asks(spoken: Scene, recogniser: Recogniser) -> None:
    await spoken.spoken(await spoken.alice.slash("say", text=sentence(1)))
    spoken.bob.ears().reset()

    again = await spoken.spoken(await spoken.bob.slash("replay"))

    assert again.ephemeral
    assert again.content.startswith(f"Aki spoke in {spoken.lounge.mention} for ")
    assert recogniser.hear(spoken.bob.heard().pcm) == words(sentence(1))


async def test_a_line_is_chosen_among_the_last_ones_of_this_channel(spoken: Scene, recogniser: Recogniser) -> None:
    attic = spoken.guild.add_voice_channel("Attic")
    await spoken.spoken(await spoken.alice.slash("say", text=sentence(1)))
    await spoken.spoken(await spoken.bob.slash("say", text=sentence(5)))
    await spoken.bob.moves(attic)
    elsewhere = await spoken.bob.slash("say", text=sentence(9))
    await elsewhere.until(lambda seen: " spoke in " in seen.content, PATIENCE)
    await spoken.bob.moves(spoken.lounge)

    offered = await spoken.alice.autocomplete("replay", line="")
    (found,) = await spoken.alice.autocomplete("replay", line="aki")
    spoken.bob.ears().reset()
    again = await spoken.alice.slash("replay", line=str(found[1]))

    assert [name for name, _ in offered] == [f"Bea: {sentence(5)}", f"Aki: {sentence(1)}"]
    await spoken.spoken(again)
    assert recogniser.hear(spoken.bob.heard(spoken.lounge).pcm) == words(sentence(1))


async def test_what_was_never_said_here_cannot_be_said_again(spoken: Scene) -> None:
    nothing = await refusal(await spoken.alice.slash("replay"))
    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))
    wrong = await refusal(await spoken.alice.slash("replay", line="what I said"))

    assert nothing == f"Nothing was said in {spoken.lounge.mention} lately: try /say."
    assert wrong == f"That is none of the last lines of {spoken.lounge.mention}: choose one that is offered."


async def test_a_line_whose_voice_was_deleted_is_not_said_again(spoken: Scene) -> None:
    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))
    asked = await (await spoken.alice.slash("voices delete", voice="Aki")).settled()
    gone = await spoken.alice.click(asked, "Delete it")
    await gone.until(lambda seen: "is deleted" in seen.content)

    answer = await spoken.bob.slash("replay")
    await answer.until(lambda seen: "was deleted" in seen.content, PATIENCE)

    assert answer.content == "Aki was deleted before its turn came."
