"""What breaks in the middle: the engine, the database, the bot itself, a voice that goes while it speaks."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.errors import BotError
from playground.discord import Answer
from tests.e2e import uploads
from tests.e2e.conftest import NewHouse
from tests.e2e.ears import Recogniser, read_file, sentence, split, words
from tests.e2e.stage import PATIENCE, Cast, House, Scene, deadly, eventually, kill, refusal, workers

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = " ".join(sentence(number) for number in range(20, 48))
STOPPED = "The voice engine stopped while it worked. Please try again."
BUSY = "The voice store is busy: try again in a minute."


async def _confirmed(scene: Scene, name: str = "Aki") -> Answer:
    """Clone, confirm, and return while the voice is being made."""
    draft = await (await scene.alice.slash("clone", name=name, sample=uploads.recording())).settled(PATIENCE)
    answer = await scene.alice.click(draft, draft.buttons[0])
    assert answer.content == f"Making {name} …"
    return answer


async def _speaks(scene: Scene, recogniser: Recogniser, number: int, **options: str) -> None:
    """Prove that the bot still speaks."""
    answer = await scene.alice.slash("say", text=sentence(number), where="file", **options)
    (file,) = await answer.followed(timeout=PATIENCE)
    ((_, data),) = file.files.items()
    assert recogniser.hear(read_file(data).sound) == words(sentence(number))


@contextmanager
def _held_database(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "mynah.db", isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield


def _impatient(folder: Path) -> SecretStr:
    return SecretStr(f"sqlite+aiosqlite:///{folder / 'data' / 'mynah.db'}?timeout=0.2")


# The engine


async def test_the_engine_killed_while_it_clones_leaves_nothing_and_the_next_clone_works(
    scene: Scene, recogniser: Recogniser
) -> None:
    before = scene.house.traces()

    async with deadly(cloning=True):
        answer = await _confirmed(scene)
        await answer.until(lambda seen: not seen.content.startswith("Making"), PATIENCE)

    assert answer.content == STOPPED
    assert not answer.buttons
    assert scene.house.traces() == before
    again = await _confirmed(scene)
    await again.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)
    await _speaks(scene, recogniser, 1)


async def test_the_engine_killed_before_it_makes_a_sound_ends_the_line_clearly_and_the_next_is_said(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)

    async with deadly(cloning=False):
        answer = await scene.alice.slash("say", text=LONG)
        await answer.until(lambda seen: bool(seen.content) and " speaks " not in seen.content, PATIENCE)

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

    kill(*workers(cloning=False))
    await answer.until(lambda seen: " speaks " not in seen.content, PATIENCE)

    assert answer.content == STOPPED
    heard = scene.alice.heard(scene.lounge)
    assert (heard.clear_packets, heard.lost) == (0, 0)
    await _speaks(scene, recogniser, 1)


# The voice


async def test_a_voice_deleted_while_it_speaks_says_its_line_and_is_gone_everywhere(scene: Scene, low: Cast) -> None:
    (aki,) = await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)
    answer = await scene.alice.slash("say", text=" ".join(sentence(number) for number in (1, 5)))
    await scene.alice.hears(scene.lounge, seconds=0.2)

    asked = await scene.alice.slash("voices delete", voice="Aki")
    gone = await scene.alice.click(asked, "Delete it")
    await gone.until(lambda seen: seen.content == "Aki is deleted, here and where it lived.")
    await answer.until(lambda seen: " speaks " not in seen.content, PATIENCE)

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
        for text, voice in ((sentence(1), "Aki"), (sentence(5), "Aki"), (sentence(9), "Bea"), (sentence(4), "Aki"))
    ]

    asked = await scene.alice.slash("voices delete", voice="Bea")
    await (await scene.alice.click(asked, "Delete it")).until(lambda seen: "is deleted" in seen.content)
    for line in lines:
        await line.until(lambda seen: " speaks " not in seen.content, PATIENCE)

    assert lines[2].content == "Bea was deleted before its turn came."
    said = [recogniser.hear(part) for part in split(scene.alice.heard(scene.lounge).pcm)]
    assert said == [words(sentence(number)) for number in (1, 5, 4)]


# The database


async def test_a_locked_database_is_told_in_time_and_nothing_is_half_made(
    new_house: NewHouse, tmp_path: Path, low: Cast
) -> None:
    async with new_house(database_url=_impatient(tmp_path)) as house:
        scene = house.enter()
        await house.give(scene.alice, low, "Aki", "Bea")
        draft = await (await scene.alice.slash("clone", name="Cleo", sample=uploads.recording())).settled(PATIENCE)
        asked = await scene.alice.slash("voices delete", voice="Bea")
        before = house.traces()

        with _held_database(house.folder):
            for command, options in {
                "voices rename": {"voice": "Aki", "name": "Akira"},
                "voices edit": {"voice": "Aki", "description": "Mine"},
                "voices default": {"voice": "Aki"},
            }.items():
                answer = await scene.alice.slash(command, **options)
                assert answer.deferred, command
                assert await refusal(answer) == BUSY
            made = await scene.alice.click(draft, draft.buttons[0])
            await made.until(lambda seen: not seen.content.startswith("Making"), PATIENCE)
            assert made.content == BUSY
            assert "Your 2 voices" in (await scene.alice.slash("voices list")).text
            said = await scene.alice.slash("say", text="Hello.", voice="Aki", where="file")
            assert await said.followed(timeout=PATIENCE)
            gone = await scene.alice.click(asked, "Delete it")
            await gone.until(lambda seen: not seen.content.startswith("Deleting"), PATIENCE)
            assert gone.content == BUSY

        files, rows = house.traces()
        assert rows == before[1]
        # the engine gives a voice up before the database does; the rest is as it was
        assert {name for name in before[0] if name not in files} <= {name for name in before[0] if "imitation" in name}
        assert (await (await scene.alice.slash("voices default", voice="Aki")).settled()).content.startswith(
            "Aki is now"
        )
        gone = await scene.alice.click(await scene.alice.slash("voices delete", voice="Bea"), "Delete it")
        await gone.until(lambda seen: "is deleted" in seen.content, PATIENCE)


async def test_a_read_only_database_is_told_and_voices_still_speak(
    new_house: NewHouse, low: Cast, recogniser: Recogniser
) -> None:
    async with new_house() as house:
        scene = house.enter()
        await house.give(scene.alice, low, "Aki", "Bea")
        await house.stop()
        database = SecretStr(f"sqlite+aiosqlite:///file:{house.folder / 'mynah.db'}?mode=ro&uri=true")
        house.settings = house.settings.model_copy(update={"database_url": database})
        await house.start()
        before = house.rows()

        told = await refusal(await scene.alice.slash("voices rename", voice="Aki", name="Akira"))
        assert "read-only" in told
        assert "whoever runs this bot must make the database file and its folder writable" in told
        draft = await (await scene.alice.slash("clone", name="Cleo", sample=uploads.recording())).settled(PATIENCE)
        made = await scene.alice.click(draft, draft.buttons[0])
        await made.until(lambda seen: "read-only" in seen.content, PATIENCE)

        assert house.rows() == before
        await _speaks(scene, recogniser, 1, voice="Aki")


async def test_a_database_that_is_locked_at_the_start_is_told_to_the_operator(
    new_house: NewHouse, tmp_path: Path
) -> None:
    house: House
    async with new_house(database_url=_impatient(tmp_path)) as house:
        await house.stop()
        with _held_database(house.folder), pytest.raises(BotError, match="busy: try again"):
            await house.start()
        await house.start()
        assert (await house.enter().alice.slash("voices list")).ephemeral


# The bot


async def test_a_bot_stopped_while_a_voice_is_made_has_it_whole_or_not_at_all_afterwards(new_house: NewHouse) -> None:
    async with new_house() as house:
        scene = house.enter()
        scene.discord.breaches.forgive()
        await _confirmed(scene)
        await eventually(lambda: house.rows()["voices"] == 1)

        await house.restart()

        voices = await house.voices_of(scene.alice)
        files = {Path(name).name for name in house.files() if name.startswith("imitation")}
        assert [voice.state for voice in voices] in ([], ["trained"])
        assert files == {f"{voice.id}.{kind}" for voice in voices for kind in ("json", "npz")}
        assert house.rows()["samples"] == len(voices)
        if not voices:
            again = await _confirmed(scene)
            await again.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)
        assert "Your voice" in (await scene.alice.slash("voices list")).text


async def test_a_voice_whose_answer_was_lost_is_adopted_and_one_never_made_is_forgotten(
    new_house: NewHouse, low: Cast, recogniser: Recogniser
) -> None:
    async with new_house() as house:
        scene = house.enter()
        await house.stop()
        made = replace(low.voice, id="1" * 32, owner_id=scene.alice.id, name="Aki", state="unknown", remote_id=None)
        lost = replace(made, id="2" * 32, name="Bea")
        async with house.store() as store:
            await store.add(made, low.samples)
            await store.add(lost, low.samples)
        house.shelve(made, low)

        await house.start()

        (voice,) = await house.voices_of(scene.alice)
        assert (voice.name, voice.state, voice.remote_id) == ("Aki", "trained", made.id)
        assert house.rows()["samples"] == len(low.samples)
        await _speaks(scene, recogniser, 1)
        draft = await (await scene.alice.slash("clone", name="Bea", sample=uploads.recording())).settled(PATIENCE)
        assert draft.buttons


async def test_after_a_restart_a_draft_is_gone_and_the_buttons_of_deletion_still_work(
    new_house: NewHouse, low: Cast
) -> None:
    async with new_house() as house:
        scene = house.enter()
        await house.give(scene.alice, low, "Aki", "Bea")
        draft = await (await scene.alice.slash("clone", name="Cleo", sample=uploads.recording())).settled(PATIENCE)
        asked = [await scene.alice.slash("voices delete", voice=name) for name in ("Aki", "Bea")]

        await house.restart()

        pressed = await scene.alice.click(draft, draft.buttons[0])
        assert (
            await refusal(pressed)
            == "That recording is used already or no longer here: look at /voices list, or run /clone again."
        )
        gone = await scene.alice.click(asked[0], "Delete it")
        await gone.until(lambda seen: seen.content == "Aki is deleted, here and where it lived.")
        kept = await scene.alice.click(asked[1], "Keep it")
        assert kept.content == "It stays."
        assert [voice.name for voice in await house.voices_of(scene.alice)] == ["Bea"]


async def test_a_bot_stopped_while_it_speaks_leaves_the_channel(new_house: NewHouse, low: Cast) -> None:
    async with new_house() as house:
        scene = house.enter()
        await house.give(scene.alice, low, "Aki")
        await scene.joined(scene.alice)
        answer = await scene.alice.slash("say", text=LONG)
        await scene.alice.hears(scene.lounge, seconds=0.2)

        await house.restart()

        assert scene.lounge.present == ["alice"]
        assert "I am shutting down: ask again in a minute." in answer.content
        scene.alice.ears().reset()
        await scene.spoken(await scene.alice.slash("say", text=sentence(4)))


async def test_where_samples_are_not_kept_the_member_is_told_so_and_no_recording_stays(
    new_house: NewHouse, recogniser: Recogniser
) -> None:
    async with new_house(keep_samples=False) as house:
        scene = house.enter()
        draft = await (await scene.alice.slash("clone", name="Aki", sample=uploads.recording())).settled(PATIENCE)
        assert "no recording, the name and notes" in draft.text

        made = await scene.alice.click(draft, draft.buttons[0])
        await made.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

        assert (house.rows()["voices"], house.rows()["samples"]) == (1, 0)
        await _speaks(scene, recogniser, 1)


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


async def test_a_later_draft_takes_the_place_of_an_earlier_one(scene: Scene) -> None:
    first = await (await scene.alice.slash("clone", name="Aki", sample=uploads.recording())).settled(PATIENCE)
    second = await (await scene.alice.slash("clone", name="Bea", sample=uploads.recording())).settled(PATIENCE)
    before = scene.house.traces()

    assert "run /clone again" in await refusal(await scene.alice.click(first, first.buttons[0]))
    await scene.alice.click(second, "Cancel")

    assert scene.house.traces() == before


async def test_a_deletion_confirmed_twice_is_told_once_as_done_and_once_as_gone(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    asked = await scene.alice.slash("voices delete", voice="Aki")
    again = await scene.alice.slash("voices delete", voice="Aki")

    gone = await scene.alice.click(asked, "Delete it")
    await gone.until(lambda seen: "is deleted" in seen.content)
    told = await scene.alice.click(again, "Delete it")

    assert "You have no voice of that name" in await refusal(told)


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
