"""The announcement that everybody sees while the bot speaks, and its buttons."""

import pytest
import pytest_asyncio

from playground.discord import Answer, Room, Seen
from tests.e2e.conftest import NewHouse
from tests.e2e.ears import Recogniser, sentence, words
from tests.e2e.stage import PATIENCE, Cast, House, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = " ".join(sentence(number) for number in range(20, 28))
BACK = "I was restarted, and go on where I stopped."
GOES_ON = "I am being restarted: what was not said goes on when I am back."
BUTTONS = ["Pause", "Skip", "Stop", "Queue", "Replay"]


def _headline(room: Room) -> str:
    return f"I am in {room.mention} and speak in voices made by a machine: /say adds a line."


@pytest_asyncio.fixture(loop_scope="session")
async def spoken(scene: Scene, low: Cast, high: Cast) -> Scene:
    """Two members with a voice each, both in the lounge."""
    await scene.house.give(scene.alice, low, "Aki")
    await scene.house.give(scene.bob, high, "Bea")
    await scene.joined(scene.alice, scene.bob)
    return scene


async def _seated(house: House, low: Cast) -> Scene:
    """Have alice, who has a voice, and bob sit in a new server's lounge."""
    scene = house.enter()
    await house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice, scene.bob)
    return scene


async def _announced(scene: Scene, text: str = LONG) -> tuple[Answer, Seen]:
    """Have alice say something, and return it with what everybody sees of it while it is being said."""
    answer = await scene.alice.slash("say", text=text)
    await scene.until(lambda: bool(scene.text.messages))
    await scene.bob.hears(scene.lounge, seconds=0.2)
    return answer, scene.text.messages[-1]


async def _stopped(answer: Answer) -> None:
    await answer.until(lambda seen: seen.content.startswith("Stopped after "))


async def test_everybody_sees_that_the_bot_speaks_and_not_what(spoken: Scene) -> None:
    answer, panel = await _announced(spoken)

    assert panel.content == _headline(spoken.lounge)
    assert panel.buttons == BUTTONS
    assert not panel.ephemeral
    assert not panel.pings
    assert not panel.embeds
    await spoken.alice.click(panel, "Stop")
    await _stopped(answer)


async def test_later_lines_are_announced_by_the_same_message(spoken: Scene) -> None:
    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))
    for asker in (spoken.bob, spoken.alice):
        await spoken.spoken(await asker.slash("say", text="Hello."))

    assert [seen.content for seen in spoken.text.messages] == [_headline(spoken.lounge)]


async def test_the_announcement_says_when_the_bot_has_left_and_the_next_spell_has_one_of_its_own(
    spoken: Scene,
) -> None:
    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))
    await (await spoken.alice.slash("leave")).settled()
    (panel,) = spoken.text.messages

    await spoken.until(lambda: panel.content == f"I have left {spoken.lounge.mention}.")
    assert panel.buttons == ["Replay"]
    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))
    assert [seen.content for seen in spoken.text.messages] == [panel.content, _headline(spoken.lounge)]


async def test_an_announcement_in_another_text_channel_takes_the_place_of_the_first(spoken: Scene) -> None:
    other = spoken.guild.add_text_channel("other")
    answer, panel = await _announced(spoken)

    waiting = await spoken.bob.slash("say", text="Hello.", in_channel=other)
    await spoken.until(lambda: bool(other.messages) and panel.buttons == ["Replay"])

    assert other.messages[0].buttons == BUTTONS
    assert panel.content == f"I speak in {spoken.lounge.mention} now."
    await spoken.alice.click(other.messages[0], "Skip")
    await _stopped(answer)
    await spoken.spoken(waiting)


async def test_a_line_for_another_voice_channel_is_announced_when_the_bot_is_there(spoken: Scene) -> None:
    tower = spoken.guild.add_voice_channel("Tower")
    answer, panel = await _announced(spoken)
    await spoken.bob.moves(tower)

    waiting = await spoken.waits(await spoken.bob.slash("say", text=LONG))
    shown = [seen.content for seen in spoken.text.messages]
    await spoken.alice.slash("stop")
    await _stopped(answer)
    await spoken.until(lambda: len(spoken.text.messages) == 2 and panel.buttons == ["Replay"])

    assert shown == [_headline(spoken.lounge)]
    assert spoken.bot_name in tower.present
    assert [seen.content for seen in spoken.text.messages] == [f"I speak in {tower.mention} now.", _headline(tower)]
    await spoken.bob.slash("stop")
    await waiting.until(lambda seen: "topped" in seen.content)
    await spoken.bob.leaves()


async def test_a_line_for_another_voice_channel_that_is_stopped_before_its_turn_is_never_announced(
    spoken: Scene,
) -> None:
    tower = spoken.guild.add_voice_channel("Tower")
    answer, panel = await _announced(spoken)
    await spoken.bob.moves(tower)
    waiting = await spoken.waits(await spoken.bob.slash("say", text="Hello."))

    await spoken.bob.slash("stop")
    await waiting.until(lambda seen: "stopped" in seen.content)
    await spoken.alice.slash("stop")
    await _stopped(answer)
    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))

    assert [seen.content for seen in spoken.text.messages] == [_headline(spoken.lounge)]
    assert panel.buttons == BUTTONS


async def test_the_announcement_comes_back_with_the_bot_for_a_line_that_waited(spoken: Scene) -> None:
    tower = spoken.guild.add_voice_channel("Tower")
    answer, _ = await _announced(spoken)
    await spoken.bob.moves(tower)
    between = await spoken.waits(await spoken.bob.slash("say", text="Hello."))
    last = await spoken.waits(await spoken.alice.slash("say", text="Hello."))

    await spoken.alice.slash("skip")
    await _stopped(answer)
    for each in (between, last):
        await spoken.spoken(each)

    await spoken.until(lambda: len(spoken.text.messages) == 3)
    await spoken.until(lambda: spoken.text.messages[1].buttons == ["Replay"])
    assert spoken.text.messages[-1].content == _headline(spoken.lounge)
    assert spoken.text.messages[-1].buttons == BUTTONS


async def test_pause_becomes_resume_and_the_line_goes_on(spoken: Scene) -> None:
    answer, panel = await _announced(spoken, f"{sentence(1)} {sentence(5)}")

    pressed = await spoken.alice.click(panel, "Pause")
    (told,) = await pressed.followed()
    assert (told.ephemeral, told.content) == (True, "Paused: /resume lets it go on.")
    assert panel.buttons == ["Resume", *BUTTONS[1:]]
    await spoken.bob.silence(spoken.lounge)

    pressed = await spoken.alice.click(panel, "Resume")
    (told,) = await pressed.followed()
    assert (told.ephemeral, told.content) == (True, "It goes on.")
    assert panel.buttons == BUTTONS
    await spoken.spoken(answer)


async def test_the_button_shows_what_was_paused_by_command(spoken: Scene) -> None:
    answer, panel = await _announced(spoken)

    for command, told, label in (
        ("pause", "Paused: /resume lets it go on.", "Resume"),
        ("resume", "It goes on.", "Pause"),
        ("pause", "Paused: /resume lets it go on.", "Resume"),
    ):
        assert (await spoken.alice.slash(command)).content == told
        await spoken.until(lambda label=label: panel.buttons[0] == label)
        assert panel.buttons == [label, *BUTTONS[1:]]
    await spoken.alice.click(panel, "Stop")

    await _stopped(answer)
    await spoken.until(lambda: panel.buttons[0] == "Pause")
    assert panel.buttons == BUTTONS
    assert panel.content == _headline(spoken.lounge)


async def test_while_the_bot_is_muted_the_button_shows_what_was_paused_by_those_who_may(spoken: Scene) -> None:
    answer, panel = await _announced(spoken)
    spoken.guild.mute(spoken.guild.bot)
    await answer.until(lambda seen: "waits until a moderator unmutes me" in seen.content)

    refused = await refusal(await spoken.bob.click(panel, "Pause"))
    await spoken.waits(await spoken.bob.slash("say", text="Hello."))  # which shows what can be done now
    muted = panel.buttons
    await (await spoken.alice.click(panel, "Pause")).followed()
    paused = panel.buttons
    (told,) = await (await spoken.alice.click(panel, "Resume")).followed()

    assert refused == "That line is not yours: ask alice or a member with Mute Members."
    assert (muted, paused, panel.buttons) == (BUTTONS, ["Resume", *BUTTONS[1:]], BUTTONS)
    assert told.content == "It goes on as soon as a moderator unmutes me."
    for asker in (spoken.bob, spoken.alice):
        await asker.slash("stop")
    await _stopped(answer)


async def test_nothing_is_left_to_resume_on_the_announcement_when_a_paused_line_ends(spoken: Scene) -> None:
    answer, panel = await _announced(spoken)
    await spoken.alice.slash("pause")
    await spoken.until(lambda: panel.buttons[0] == "Resume")

    spoken.guild.deny(spoken.lounge, "SPEAK", to=spoken.guild.bot)
    await answer.until(lambda seen: seen.content.startswith("I may not speak in #Lounge"))

    await spoken.until(lambda: panel.buttons == BUTTONS)
    assert panel.content == _headline(spoken.lounge)


async def test_stop_and_skip_and_queue_answer_to_who_pressed_alone(spoken: Scene) -> None:
    first, panel = await _announced(spoken)
    second = await spoken.waits(await spoken.alice.slash("say", text=LONG))

    queue = await spoken.bob.click(panel, "Queue")
    skipped = await spoken.alice.click(panel, "Skip")
    await _stopped(first)
    stopped = await spoken.alice.click(panel, "Stop")

    assert [seen.ephemeral for seen in (queue, skipped, stopped)] == [True] * 3
    assert "2 lines" in queue.text
    assert (skipped.content, stopped.content) == ("Skipped.", "Stopped 1 line.")
    await second.until(lambda seen: "topped" in seen.content)


@pytest.mark.parametrize("label", ["Pause", "Skip", "Stop"])
async def test_a_button_does_nothing_to_lines_of_others(spoken: Scene, label: str) -> None:
    answer, panel = await _announced(spoken)

    told = await refusal(await spoken.bob.click(panel, label))

    assert told == "That line is not yours: ask alice or a member with Mute Members."
    assert panel.buttons == BUTTONS
    await spoken.alice.click(panel, "Stop")
    await _stopped(answer)


async def test_buttons_say_so_where_nothing_is_said(spoken: Scene) -> None:
    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))
    (panel,) = spoken.text.messages

    for label in BUTTONS[:4]:
        assert await refusal(await spoken.alice.click(panel, label)) == "Nothing is being said here."
    assert panel.buttons == BUTTONS


async def test_an_announcement_left_by_a_bot_that_was_killed_ends_when_one_of_its_buttons_is_pressed(
    new_house: NewHouse, low: Cast
) -> None:
    async with new_house() as house:
        scene = await _seated(house, low)
        await scene.spoken(await scene.alice.slash("say", text="Hello."))
        (panel,) = scene.text.messages
        house.bot.announcements._spells.clear()  # so that it is left as by a kill
        await house.restart()
        await house.settled()
        assert panel.buttons == BUTTONS

        told = await refusal(await scene.alice.click(panel, "Pause"))

        assert told == "Nothing is being said here."
        assert panel.content == "Nothing is being said here any more."
        assert panel.buttons == ["Replay"]


async def test_the_last_line_is_said_again_by_a_button(spoken: Scene, recogniser: Recogniser) -> None:
    await spoken.spoken(await spoken.alice.slash("say", text=sentence(1)))
    (panel,) = spoken.text.messages
    spoken.bob.ears().reset()

    again = await spoken.bob.click(panel, "Replay")

    await spoken.spoken(again)
    assert again.ephemeral
    assert recogniser.hear(spoken.bob.heard().pcm) == words(sentence(1))
    assert len(spoken.text.messages) == 1
    await spoken.bob.leaves()
    told = await refusal(await spoken.bob.click(panel, "Replay"))
    assert told == "You are not in a voice channel: join one and ask again."


async def test_a_lost_connection_is_told_where_the_line_was_announced_and_to_its_asker(spoken: Scene) -> None:
    answer, panel = await _announced(spoken, f"{sentence(1)} {sentence(5)}")
    back = "I lost the connection to #Lounge for a moment and go on with the sentence."

    spoken.guild.kick_from_voice(spoken.guild.bot)
    await answer.until(lambda seen: "/join brings me back" in seen.content, PATIENCE)
    assert panel.buttons == BUTTONS
    await spoken.bob.slash("join")

    await answer.until(lambda seen: seen.content.endswith(f"\n{back}"), PATIENCE)
    await spoken.until(lambda: panel.content == back)
    assert panel.buttons == BUTTONS
    await spoken.spoken(answer)
    await spoken.until(lambda: panel.content != back)
    assert [seen.content for seen in spoken.text.messages] == [_headline(spoken.lounge)]


@pytest.mark.parametrize("right", ["send_messages", "view_channel"])
async def test_an_announcement_needs_no_rights_in_the_text_channel(spoken: Scene, right: str) -> None:
    spoken.guild.deny(spoken.text, right, to=spoken.guild.bot)
    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))
    (panel,) = spoken.text.messages

    await (await spoken.alice.slash("leave")).settled()

    await spoken.until(lambda: panel.content == f"I have left {spoken.lounge.mention}.")
    assert panel.buttons == ["Replay"]
    assert len(spoken.text.messages) == 1


async def test_where_discord_takes_no_announcement_the_line_is_said_all_the_same(spoken: Scene) -> None:
    spoken.discord.rest.hitches.fail("POST .*/webhooks/", status=400)

    await spoken.spoken(await spoken.alice.slash("say", text="Hello."))

    assert spoken.text.messages == []


async def test_a_bot_that_is_stopped_says_that_it_left_or_comes_back_with_what_was_not_said(
    new_house: NewHouse, low: Cast
) -> None:
    async with new_house() as house:
        idle, busy = house.enter(), house.enter("Rookery")
        for scene in (idle, busy):
            await house.give(scene.alice, low, f"Aki of {scene.guild.name}")
            await scene.joined(scene.alice, scene.bob)
        await idle.spoken(await idle.alice.slash("say", text="Hello."))
        (left,) = idle.text.messages
        _, back = await _announced(busy)

        await house.stop()
        shown = [(panel.content, panel.buttons) for panel in (left, back)]
        busy.bob.ears().reset()
        await house.start()
        await busy.until(lambda: back.content == BACK)
        buttons = back.buttons
        await busy.bob.hears(busy.lounge, seconds=0.2)
        await busy.alice.slash("stop")
        await busy.until(lambda: back.content == _headline(busy.lounge))

        assert shown == [(f"I have left {idle.lounge.mention}.", ["Replay"]), (GOES_ON, ["Replay"])]
        assert (buttons, back.buttons) == (BUTTONS, BUTTONS)
        assert left.content == f"I have left {idle.lounge.mention}."


async def test_an_announcement_whose_lines_cannot_be_said_after_a_restart_says_so(
    new_house: NewHouse, low: Cast
) -> None:
    async with new_house() as house:
        scene = await _seated(house, low)
        _, panel = await _announced(scene)

        await house.stop()
        for member in (scene.alice, scene.bob):
            await member.leaves()
        await house.start()

        await scene.until(lambda: panel.content == "I was restarted, and nothing is left that I could say here.")
        assert panel.buttons == ["Replay"]


async def test_after_a_restart_the_buttons_of_an_announcement_work(new_house: NewHouse, low: Cast) -> None:
    async with new_house() as house:
        scene = await _seated(house, low)
        _, panel = await _announced(scene)

        await house.restart()
        scene.bob.ears().reset()
        await scene.until(lambda: panel.content == BACK)
        await scene.bob.hears(scene.lounge, seconds=0.2)

        assert panel.buttons == BUTTONS
        assert "1 line" in (await scene.bob.click(panel, "Queue")).text
        assert (await scene.alice.click(panel, "Stop")).content == "Stopped 1 line."
        assert await refusal(await scene.alice.click(panel, "Skip")) == "Nothing is being said here."
        lately = await scene.spoken(await scene.alice.slash("say", text="Hello."))
        assert lately.content.startswith("Aki spoke in ")
        assert [seen.content for seen in scene.text.messages] == [_headline(scene.lounge)]
