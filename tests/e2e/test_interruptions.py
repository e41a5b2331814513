"""What breaks in the middle: the engine, a voice that goes while it speaks, an answer that is given twice."""

import asyncio

import pytest

from tests.e2e import uploads
from tests.e2e.acts import confirmed, speaks
from tests.e2e.ears import Recogniser, sentence, split, words
from tests.e2e.stage import PATIENCE, Cast, Scene, deadly, over, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = " ".join(sentence(number) for number in range(20, 48))
STOPPED = "The voice engine stopped while it worked. Please try again."


# The engine


async def test_the_engine_killed_while_it_clones_leaves_nothing_and_the_next_clone_works(
    scene: Scene, recogniser: Recogniser
) -> None:
    before = scene.house.traces()

    async with deadly(cloning=True):
        answer = await confirmed(scene)
        await answer.until(lambda seen: not seen.content.startswith("Making"), PATIENCE)

    assert answer.content == STOPPED
    assert not answer.buttons
    assert scene.house.traces() == before
    again = await confirmed(scene)
    await again.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)
    await speaks(scene, recogniser, 1)


async def test_the_engine_killed_before_it_makes_a_sound_ends_the_line_clearly_and_the_next_is_said(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)

    async with deadly(cloning=False):
        answer = await scene.alice.slash("say", text=LONG)
        await answer.until(over, PATIENCE)

    assert answer.content == STOPPED
    await scene.spoken(await scene.alice.slash("say", text=sentence(4)))
    assert recogniser.hear(scene.alice.heard().pcm) == words(sentence(4))


async def test_the_engine_killed_in_the_middle_of_a_line_plays_what_was_made_and_says_so(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)
    answer = await scene.alice.slash("say", text=LONG)
    await scene.alice.hears(scene.lounge, seconds=0.02)

    async with deadly(cloning=False):
        await answer.until(over, PATIENCE)

    assert answer.content == STOPPED
    heard = scene.alice.heard(scene.lounge)
    assert (heard.clear_packets, heard.lost) == (0, 0)
    await speaks(scene, recogniser, 1)


# The voice


async def test_a_voice_deleted_while_it_speaks_says_its_line_and_is_gone_everywhere(scene: Scene, low: Cast) -> None:
    (aki,) = await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)
    answer = await scene.alice.slash("say", text=" ".join(sentence(number) for number in (1, 5)))
    await scene.alice.hears(scene.lounge, seconds=0.2)

    asked = await (await scene.alice.slash("voices delete", voice="Aki")).settled()
    gone = await scene.alice.click(asked, "Delete it")
    await gone.until(lambda seen: seen.content == "Aki is deleted for good, with its recording.")
    await answer.until(over, PATIENCE)

    assert f"Aki spoke in {scene.lounge.mention}" in answer.content
    assert await scene.house.voices_of(scene.alice) == ()
    assert not [name for name in scene.house.files() if aki.id in name]
    assert "make one with /clone" in await refusal(await scene.alice.slash("say", text="Hello."))
    assert await scene.alice.autocomplete("say", text="Hello.", voice="") == []


async def test_a_voice_deleted_while_its_line_waits_is_told_and_the_others_are_said(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki", "Bea")
    await scene.joined(scene.alice)
    lines = [
        await scene.waits(await scene.alice.slash("say", text=text, voice=voice))
        for text, voice in ((sentence(1), "Aki"), (sentence(5), "Aki"), (sentence(9), "Bea"), (sentence(2), "Aki"))
    ]

    asked = await (await scene.alice.slash("voices delete", voice="Bea")).settled()
    await (await scene.alice.click(asked, "Delete it")).until(lambda seen: "is deleted" in seen.content)
    for line in lines:
        await line.until(over, PATIENCE)

    assert lines[2].content == "Bea was deleted before its turn came."
    said = [recogniser.hear(part) for part in split(scene.alice.heard(scene.lounge).pcm)]
    assert said == [words(sentence(number)) for number in (1, 5, 2)]


# The member


async def test_a_draft_confirmed_twice_makes_one_voice(scene: Scene) -> None:
    draft = await (await scene.alice.slash("clone", name="Aki", sample=uploads.recording())).settled(PATIENCE)

    pressed = await asyncio.gather(*(scene.alice.click(draft, draft.buttons[0]) for _ in range(2)))
    second = next(answer for answer in pressed if answer is not draft)
    await draft.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

    assert (
        await refusal(second)
        == "That recording is used already or no longer here: look at /voices list, or run /clone again."
    )
    assert [voice.name for voice in await scene.house.voices_of(scene.alice)] == ["Aki"]


async def test_a_draft_cancelled_after_it_was_confirmed_does_not_say_that_nothing_was_made(scene: Scene) -> None:
    draft = await (await scene.alice.slash("clone", name="Aki", sample=uploads.recording())).settled(PATIENCE)

    _, cancelled = await asyncio.gather(scene.alice.click(draft, draft.buttons[0]), scene.alice.click(draft, "Cancel"))
    await draft.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

    assert "used already or no longer here: look at /voices list" in await refusal(cancelled)


async def test_a_later_draft_takes_the_place_of_an_earlier_one(scene: Scene) -> None:
    first = await (await scene.alice.slash("clone", name="Aki", sample=uploads.recording())).settled(PATIENCE)
    second = await (await scene.alice.slash("clone", name="Bea", sample=uploads.recording())).settled(PATIENCE)
    before = scene.house.traces()

    assert "run /clone again" in await refusal(await scene.alice.click(first, first.buttons[0]))
    await scene.alice.click(second, "Cancel")

    assert scene.house.traces() == before


async def test_a_deletion_confirmed_twice_is_told_once_as_done_and_once_as_gone(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    asked, again, third = [await (await scene.alice.slash("voices delete", voice="Aki")).settled() for _ in range(3)]

    gone = await scene.alice.click(asked, "Delete it")
    await gone.until(lambda seen: "is deleted" in seen.content)
    for dialogue, label in ((again, "Delete it"), (third, "Keep it")):
        told = await scene.alice.click(dialogue, label)
        await told.until(lambda seen: not seen.buttons)
        assert told is dialogue
        assert told.content == "It is deleted already."


async def test_one_dialogue_confirmed_twice_at_once_deletes_once(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    asked = await (await scene.alice.slash("voices delete", voice="Aki")).settled()

    await asyncio.gather(*(scene.alice.click(asked, "Delete it") for _ in range(2)))
    await asked.until(lambda seen: "is deleted" in seen.content)

    assert not asked.buttons
    assert await scene.house.voices_of(scene.alice) == ()


# Discord


@pytest.mark.parametrize("where", ["callback", "PATCH .*@original", "POST .*/webhooks/"])
async def test_a_rate_limit_delays_an_answer_and_loses_none(scene: Scene, low: Cast, where: str) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    met = scene.discord.rest.hitches.met
    scene.discord.rest.hitches.throttle(where, retry_after=0.05)

    answer = await scene.alice.slash("say", text="Hello.", where="file")
    await answer.followed(timeout=PATIENCE)

    assert scene.discord.rest.hitches.met == met + 1
    assert answer.content == "Here is what Aki says."
    assert len(scene.text.messages) == 1


async def test_a_gateway_that_drops_in_the_middle_is_taken_up_again(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    resumed = scene.discord.gateway.resumed
    scene.discord.gateway.drop()
    await scene.until(lambda: scene.discord.gateway.resumed > resumed)

    await scene.joined(scene.alice)
    await scene.spoken(await scene.alice.slash("say", text=sentence(4)))

    assert recogniser.hear(scene.alice.heard(scene.lounge).pcm) == words(sentence(4))
