"""/voicetest: a chime that everybody in the channel hears, and each step told to who asked."""

import math
import re

import numpy as np
import pytest

from playground.discord import Room
from tests.e2e.conftest import NewHouse
from tests.e2e.ears import RATE, Sound, sentence
from tests.e2e.stage import PATIENCE, Cast, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = " ".join(sentence(number) for number in range(20, 28))
NOTES = (523, 659, 784)
"""Hz of the chime."""
MAY = "✅ I may see #Lounge, connect and speak there."
WELL = "All of that is well. If you heard no chime: turn my volume up (click on me), and check your output device."


async def _tested(scene: Scene) -> list[str]:
    """Have alice test the channel, and return what she reads in the end, a line each."""
    answer = await scene.alice.slash("voicetest")
    await answer.until(lambda seen: "❌" in seen.content or "All of that is well" in seen.content, PATIENCE)
    assert answer.ephemeral
    assert not answer.pings
    return answer.content.splitlines()


def _sounds(sound: Sound, note: int) -> bool:
    """Whether a pitch in Hz stands out: within 8 Hz of it something is a fifth as loud as the loudest pitch of all."""
    spectrum, pitches = np.abs(np.fft.rfft(sound)), np.fft.rfftfreq(sound.size, 1 / RATE)
    return bool(spectrum[np.abs(pitches - note) < 8].max() > spectrum.max() / 5)


async def test_the_channel_hears_a_chime_and_each_step_is_told(scene: Scene) -> None:
    await scene.joined(scene.alice, scene.bob)

    may, joined, ready, muted, told, left, well = await _tested(scene)

    assert may == MAY
    assert re.fullmatch(r"✅ I joined in \d+ ms\.", joined)
    assert re.fullmatch(r"✅ The encryption was ready in \d+ ms\.", ready)
    assert muted == "✅ Nobody has muted me."
    assert told == "✅ Discord was told that I speak."
    count = re.fullmatch(r"✅ (\d+) of \1 packets left; the network refused none\.", left)
    assert count is not None
    assert int(count[1]) >= 50
    assert well == WELL
    heard = scene.bob.heard(scene.lounge)
    assert 0.9 < heard.seconds < 1.3
    assert all(_sounds(heard.pcm, note) for note in NOTES)
    assert (heard.clear_packets, heard.lost) == (0, 0)
    assert scene.text.messages == []


async def test_a_bot_that_is_there_already_says_so_and_the_chime_cannot_be_replayed(scene: Scene) -> None:
    await scene.joined(scene.alice)
    await _tested(scene)

    steps = await _tested(scene)

    assert steps[1] == "✅ I was there already."
    assert "Nothing was said in" in await refusal(await scene.alice.slash("replay"))


async def test_a_call_without_encryption_needs_none(scene: Scene) -> None:
    room = scene.guild.add_voice_channel("Open")
    scene.discord.voice.faults.dave_versions[room.id] = 0
    await scene.alice.joins(room)

    steps = await _tested(scene)

    assert "✅ The call needs no end-to-end encryption." in steps
    assert steps[-1] == WELL
    await scene.alice.leaves()
    await scene.until(lambda: scene.bot_name not in room.present)


async def test_the_chime_waits_for_its_turn(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)
    await scene.alice.slash("say", text=LONG)
    await scene.alice.hears(scene.lounge, seconds=0.2)

    answer = await scene.alice.slash("voicetest")

    await answer.until(lambda seen: seen.content == f"{MAY}\n… my turn comes after 1 other")
    assert "**A chime** for" in (await scene.alice.slash("queue")).text
    await scene.alice.slash("skip")
    await answer.until(lambda seen: WELL in seen.content, PATIENCE)


def _room_without(right: str, scene: Scene) -> Room:
    room = scene.guild.add_voice_channel("Tower")
    scene.guild.deny(room, right, to=scene.guild.bot)
    return room


@pytest.mark.parametrize(
    ("right", "cure"),
    [
        ("view_channel", "I cannot see #Tower: give me View Channel, Connect and Speak there."),
        ("connect", "I may not speak in #Tower: give me Connect and Speak there."),
        ("speak", "I may not speak in #Tower: give me Connect and Speak there."),
    ],
)
async def test_a_right_that_is_missing_is_named(scene: Scene, right: str, cure: str) -> None:
    await scene.alice.joins(_room_without(right, scene))

    assert await _tested(scene) == [f"❌ {cure}"]


async def test_a_full_channel_is_told(scene: Scene) -> None:
    await scene.alice.joins(scene.guild.add_voice_channel("Tower", user_limit=1))

    assert await _tested(scene) == ["❌ #Tower is full: make room for one more, or use another channel."]


async def test_a_muted_bot_says_who_can_change_that(scene: Scene) -> None:
    await scene.joined(scene.alice)
    await (await scene.alice.slash("join")).settled(PATIENCE)
    scene.guild.mute(scene.guild.bot)

    *steps, failed = await _tested(scene)

    assert failed == "❌ I am muted in #Lounge: a moderator must unmute me first."
    assert "✅ Nobody has muted me." not in steps
    scene.guild.unmute(scene.guild.bot)
    assert (await _tested(scene))[-1] == WELL


async def test_an_encryption_that_never_comes_is_told_after_the_steps_before_it(new_house: NewHouse) -> None:
    async with new_house() as house:
        scene = house.enter()
        house.discord.voice.faults.group_delay = math.inf
        await scene.joined(scene.alice)

        may, joined, failed = await _tested(scene)

        assert may == MAY
        assert joined.startswith("✅ I joined in ")
        assert failed == (
            "❌ The encryption of #Lounge was not ready in time: ask again,"
            " or change the channel's region if it stays so."
        )
        assert scene.alice.heard().packets == 0


async def test_a_chime_that_is_stopped_is_told(scene: Scene) -> None:
    await scene.joined(scene.alice)
    answer = await scene.alice.slash("voicetest")
    await scene.alice.hears(scene.lounge, seconds=0.1)

    stopped = await scene.alice.slash("stop")

    await answer.until(lambda seen: "❌" in seen.content, PATIENCE)
    assert stopped.content == "Stopped 1 line."
    may, *_, failed = answer.content.splitlines()
    assert (may, failed) == (MAY, "❌ Somebody stopped the chime: try again.")
    assert scene.alice.heard(scene.lounge).seconds < 1


async def test_who_is_in_no_channel_is_told(scene: Scene) -> None:
    told = await refusal(await scene.alice.slash("voicetest"))

    assert told == "You are not in a voice channel: join one and ask again."
