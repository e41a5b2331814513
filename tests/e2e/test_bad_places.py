"""Places where a line cannot be heard: a sentence, no line waiting, and another place works."""

from collections.abc import Callable

import pytest

from playground.discord import Room
from tests.e2e.ears import Recogniser, sentence, split, words
from tests.e2e.stage import PATIENCE, Cast, Scene, over, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _forbidden(right: str) -> Callable[[Scene], Room]:
    def build(scene: Scene) -> Room:
        room = scene.guild.add_voice_channel("Tower")
        scene.guild.deny(room, right, to=scene.guild.bot)
        return room

    return build


PLACES: dict[str, tuple[Callable[[Scene], Room], str]] = {
    "no right to connect": (_forbidden("CONNECT"), "I may not speak in #Tower: give me Connect and Speak there."),
    "no right to speak": (_forbidden("SPEAK"), "I may not speak in #Tower: give me Connect and Speak there."),
    "no right to see": (_forbidden("VIEW_CHANNEL"), "I cannot see #Tower: give me View Channel, Connect and Speak"),
    "a full channel": (
        lambda scene: scene.guild.add_voice_channel("Tower", user_limit=1),
        "#Tower is full: make room for one more, or use another channel.",
    ),
}


@pytest.mark.parametrize("case", PLACES)
async def test_a_place_is_refused_with_what_to_do(scene: Scene, low: Cast, case: str) -> None:
    build, told = PLACES[case]
    await scene.house.give(scene.alice, low, "Aki")
    room = build(scene)
    await scene.alice.joins(room)

    assert told in await refusal(await scene.alice.slash("say", text="Hello."))

    assert room.present == ["alice"]
    assert await refusal(await scene.alice.slash("stop")) == "Nothing is being said here."
    file = await scene.alice.slash("say", text="Hello.", where="file")
    assert await file.followed(timeout=PATIENCE)


async def test_nobody_in_a_channel_is_told(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    told = await refusal(await scene.alice.slash("say", text="Hello.", where="voice channel"))

    assert told == "You are not in a voice channel: join one, or choose where: file."


async def test_after_a_refusal_another_channel_works(scene: Scene, low: Cast, recogniser: Recogniser) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    stage = scene.guild.add_stage_channel("Stage")
    await scene.alice.joins(stage)
    await refusal(await scene.alice.slash("say", text="Hello."))

    await scene.alice.moves(scene.lounge)
    await scene.spoken(await scene.alice.slash("say", text=sentence(4)))

    assert recogniser.hear(scene.alice.heard(scene.lounge).pcm) == words(sentence(4))


async def test_a_channel_deleted_under_a_line_ends_it_clearly(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    room = scene.guild.add_voice_channel("Tower")
    await scene.alice.joins(room)
    answer = await scene.alice.slash("say", text=" ".join(sentence(number) for number in range(6)))
    await scene.alice.hears(room, seconds=0.3)

    scene.guild.remove_channel(room)
    await answer.until(over, PATIENCE)

    assert "Tower" in answer.content
    assert "Something broke" not in answer.content


async def test_a_bot_kicked_from_the_call_comes_back_when_it_is_asked_to_and_says_what_it_owes(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)
    answer = await scene.alice.slash("say", text=sentence(5))
    await scene.alice.hears(scene.lounge, seconds=0.3)

    scene.guild.kick_from_voice(scene.guild.bot)
    await scene.quiet()
    scene.alice.ears().reset()
    again = await scene.alice.slash("say", text=sentence(4))
    await scene.spoken(answer)
    await scene.spoken(again)

    said = [recogniser.hear(part) for part in split(scene.alice.heard(scene.lounge).pcm)]
    assert said == [words(sentence(number)) for number in (5, 4)]
