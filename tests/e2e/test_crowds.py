"""Many at once, and far too much: turns, what is asked of the service, how often the bot joins."""

import asyncio

import numpy as np
import pytest

from playground.discord.world.events import Event
from tests.e2e.booth import CLEAR, asked, clean, hold, note, said, says, text, understood
from tests.e2e.ears import RATE, Recogniser, Sound, read_file, sentence, split
from tests.e2e.stage import PATIENCE, House, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEMBERS = range(10)


def _number(sound: Sound) -> int:
    """Tell which tone it is."""
    loudest = np.argmax(np.abs(np.fft.rfft(sound * np.hanning(sound.size)))) * RATE / sound.size
    return min(MEMBERS, key=lambda number: abs(note(number) - loudest))


async def test_ten_members_who_ask_at_once_are_each_heard_whole_in_order_after_one_join(
    booth: House, stall: Scene
) -> None:
    joins: list[Event] = []
    booth.discord.world.events.subscribe(joins.append)
    members = [stall.guild.add_member(f"member {number}") for number in MEMBERS]
    await stall.joined(*members)

    asking = (member.slash("say", text=f"Note {number}.", voice="alloy") for number, member in enumerate(members))
    answers = await asyncio.gather(*asking)
    for answer in answers:
        await stall.spoken(answer)

    heard = await stall.alice.silence(stall.lounge)
    order = [int(each.removeprefix("Note ").removesuffix(".")) for each in asked(booth)]
    assert sorted(order) == list(MEMBERS)
    assert [_number(part) for part in split(heard.pcm, pause=0.2)] == order
    assert (heard.holes, heard.lost, heard.repeats()) == ((), 0, ())
    clean(heard)
    served = [event for event in joins if event.name == "VOICE_SERVER_UPDATE" and event.guild_id == stall.guild.id]
    assert len(served) == 1
    for member in members:
        await member.leaves()


async def test_ten_members_who_ask_at_once_for_files_and_voice_messages_each_receive_their_own(stall: Scene) -> None:
    members = [stall.guild.add_member(f"member {number}") for number in MEMBERS]

    asking = (
        member.slash("say", text=f"Note {number}.", voice="alloy", where="voice message" if number % 2 else "file")
        for number, member in enumerate(members)
    )
    await asyncio.gather(*asking)
    await stall.until(lambda: sum(len(seen.files) for seen in stall.text.messages) == len(members))

    labels = {seen.id: seen.content for seen in stall.text.messages}
    received = {
        labels[seen.replies_to or seen.id]: _number(read_file(data).sound)
        for seen in stall.text.messages
        for data in seen.files.values()
    }
    assert received == {f"AI voice: **alloy**, asked for by member {number}": number for number in MEMBERS}


async def test_a_wall_of_text_is_heard_before_it_is_all_asked_for_and_stop_saves_the_rest(
    booth: House, stall: Scene, recogniser: Recogniser
) -> None:
    answer = await says(stall.alice, *CLEAR)
    await stall.alice.hears(stall.lounge, seconds=0.3)
    begun = len(asked(booth))
    await stall.alice.hears(stall.lounge, seconds=1.6)

    stopped = await stall.alice.slash("stop")
    await answer.until(lambda seen: seen.content.startswith("Stopped after "), PATIENCE)
    paid = asked(booth)
    await stall.spoken(await says(stall.alice, 3))

    assert stopped.content == "Stopped 1 line."
    assert begun <= 5
    assert paid == [sentence(number) for number in CLEAR[: len(paid)]]
    assert len(paid) <= 6
    assert asked(booth) == [*paid, sentence(3)]
    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard)[0] == said(CLEAR)[0]
    assert understood(recogniser, heard)[-1] == said([3])[0]


async def test_a_stopped_line_that_was_never_begun_costs_nothing(booth: House, stall: Scene) -> None:
    gate = hold(booth)
    await says(stall.alice, 2)
    await gate.reached(PATIENCE)
    waiting = await stall.waits(await says(stall.alice, 4))

    await stall.alice.slash("stop")
    gate.open()
    await waiting.until(lambda seen: seen.content == "Your line was stopped before its first word.")

    assert asked(booth) == [sentence(2)]


async def test_a_queue_is_full_at_its_limit_and_who_comes_too_late_is_told(booth: House, stall: Scene) -> None:
    gate = hold(booth)
    await says(stall.alice, 2)
    await gate.reached(PATIENCE)
    most = booth.settings.max_queue
    waiting = await asyncio.gather(*(says(stall.alice, 4) for _ in range(most)))
    for each in waiting:
        await stall.waits(each)

    told = await refusal(await says(stall.alice, 4))

    assert told == f"{most} lines are waiting here already: try again when some have been said."
    assert (await stall.alice.slash("stop")).content == f"Stopped {most + 1} lines."
    gate.open()


async def test_two_lines_in_two_channels_of_a_server_are_said_one_after_the_other_each_where_it_belongs(
    stall: Scene, recogniser: Recogniser
) -> None:
    attic = stall.guild.add_voice_channel("Attic")
    await stall.joined(stall.bob, room=attic)

    here, there = await asyncio.gather(says(stall.alice, 2), says(stall.bob, 4))
    for each in (here, there):
        await stall.spoken(each)

    assert understood(recogniser, stall.alice.heard(stall.lounge)) == said([2])
    assert understood(recogniser, await stall.bob.silence(attic)) == said([4])
    await stall.bob.leaves()
    await stall.until(lambda: "Mynah" not in attic.present)


async def test_text_is_not_said_without_end(stall: Scene) -> None:
    told = await refusal(await stall.alice.slash("say", text=text(*CLEAR * 4), voice="alloy"))

    assert "I can say 1,000 at once: cut it into parts." in told
