"""A database that is locked or read-only, and a bot that is stopped and started again on what it left."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.errors import BotError
from tests.e2e import uploads
from tests.e2e.acts import confirmed, speaks
from tests.e2e.conftest import NewHouse
from tests.e2e.ears import Recogniser, sentence, split, words
from tests.e2e.stage import PATIENCE, Cast, House, eventually, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = " ".join(sentence(number) for number in range(20, 48))
BUSY = "The voice store is busy: try again in a minute."


@contextmanager
def _held_database(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "mynah.db", isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield


def _impatient(folder: Path) -> SecretStr:
    return SecretStr(f"sqlite+aiosqlite:///{folder / 'data' / 'mynah.db'}?timeout=0.2")


# The database


async def test_a_locked_database_is_told_in_time_and_nothing_is_half_made(
    new_house: NewHouse, tmp_path: Path, low: Cast
) -> None:
    async with new_house(database_url=_impatient(tmp_path)) as house:
        scene = house.enter()
        await house.give(scene.alice, low, "Aki", "Bea")
        draft = await (await scene.alice.slash("clone", name="Cleo", sample=uploads.recording())).settled(PATIENCE)
        asked = await (await scene.alice.slash("voices delete", voice="Bea")).settled()
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
            assert "Your 2 voices" in (await (await scene.alice.slash("voices list")).settled()).text
            said = await scene.alice.slash("say", text="Hello.", voice="Aki", where="file")
            assert await said.followed(timeout=PATIENCE)
            gone = await scene.alice.click(asked, "Delete it")
            await gone.until(lambda seen: seen.content == BUSY, PATIENCE)

        files, rows = house.traces()
        assert rows == before[1]
        assert files == before[0]
        assert (await (await scene.alice.slash("voices default", voice="Aki")).settled()).content.startswith(
            "Aki is now"
        )
        asked = await (await scene.alice.slash("voices delete", voice="Bea")).settled()
        gone = await scene.alice.click(asked, "Delete it")
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
        await speaks(scene, recogniser, 1, voice="Aki")


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
        await confirmed(scene)
        await eventually(lambda: house.rows()["voices"] == 1)

        await house.restart()

        voices = await house.voices_of(scene.alice)
        files = {Path(name).name for name in house.files() if name.startswith("imitation")}
        assert [voice.state for voice in voices] in ([], ["trained"])
        assert files == {f"{voice.id}.{kind}" for voice in voices for kind in ("json", "npz")}
        assert house.rows()["samples"] == len(voices)
        if not voices:
            again = await confirmed(scene)
            await again.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)
        assert "Your voice" in (await (await scene.alice.slash("voices list")).settled()).text


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
        told = await scene.alice.told(2)

        assert {message.content for message in told} == {
            "Aki is ready: try /say.",
            "Bea was never made, and nothing was kept: try /clone again.",
        }
        (voice,) = await house.voices_of(scene.alice)
        assert (voice.name, voice.state, voice.remote_id) == ("Aki", "trained", made.id)
        assert house.rows()["samples"] == len(low.samples)
        await speaks(scene, recogniser, 1)
        draft = await (await scene.alice.slash("clone", name="Bea", sample=uploads.recording())).settled(PATIENCE)
        assert draft.buttons


async def test_after_a_restart_a_draft_is_gone_and_the_buttons_of_deletion_still_work(
    new_house: NewHouse, low: Cast
) -> None:
    async with new_house() as house:
        scene = house.enter()
        await house.give(scene.alice, low, "Aki", "Bea")
        draft = await (await scene.alice.slash("clone", name="Cleo", sample=uploads.recording())).settled(PATIENCE)
        asked = [await (await scene.alice.slash("voices delete", voice=name)).settled() for name in ("Aki", "Bea")]

        await house.restart()

        pressed = await scene.alice.click(draft, draft.buttons[0])
        assert (
            await refusal(pressed)
            == "That recording is used already or no longer here: look at /voices list, or run /clone again."
        )
        gone = await scene.alice.click(asked[0], "Delete it")
        await gone.until(lambda seen: seen.content == "Aki is deleted for good, with its recording.")
        kept = await scene.alice.click(asked[1], "Keep it")
        await kept.until(lambda seen: seen.content == "It stays.")
        assert [voice.name for voice in await house.voices_of(scene.alice)] == ["Bea"]


async def test_a_bot_stopped_while_it_speaks_ends_its_sentence_and_goes_on_after_the_restart(
    new_house: NewHouse, low: Cast, recogniser: Recogniser
) -> None:
    numbers = (4, 5, 9, 2)
    async with new_house() as house:
        scene = house.enter()
        await house.give(scene.alice, low, "Aki")
        await scene.joined(scene.alice)
        answer = await scene.alice.slash("say", text=" ".join(map(sentence, numbers)))
        await scene.alice.hears(scene.lounge, seconds=0.2)

        await house.stop()

        assert scene.lounge.present == ["alice"]
        assert answer.content == "I am being restarted: your line goes on when I am back."
        first = recogniser.hear(scene.alice.heard(scene.lounge).pcm)
        scene.alice.ears().reset()
        await house.start()
        await eventually(lambda: house.rows()["lines"] == 0)
        await scene.alice.silence(scene.lounge)

        parts = [first, *map(recogniser.hear, split(scene.alice.heard(scene.lounge).pcm, pause=0.15))]
        assert parts == [words(sentence(number)) for number in numbers]


async def test_until_lines_that_were_left_are_back_nobody_is_told_that_nothing_is_said(
    new_house: NewHouse, low: Cast
) -> None:
    coming = "I have just been restarted: lines that were left come back in a moment."
    async with new_house(ready_seconds=2.0) as house:
        scene = house.enter()
        await house.give(scene.alice, low, "Aki")
        await scene.joined(scene.alice)
        await scene.alice.slash("say", text=LONG)
        await scene.alice.hears(scene.lounge, seconds=0.2)
        await house.stop()
        scene.alice.ears().reset()
        await house.start()

        # discord.py takes itself for ready so long after the last server came, and lines come back then
        told = [await refusal(await scene.alice.slash(command)) for command in ("queue", "stop", "skip", "pause")]
        await scene.alice.hears(scene.lounge, seconds=0.2, timeout=PATIENCE)

        assert told == [coming] * 4
        assert (await scene.alice.slash("stop")).content == "Stopped 1 line."
        assert await refusal(await scene.alice.slash("queue")) == "Nothing is being said here."


async def test_where_samples_are_not_kept_the_member_is_told_so_and_no_recording_stays(
    new_house: NewHouse, recogniser: Recogniser
) -> None:
    async with new_house(keep_samples=False) as house:
        scene = house.enter()
        draft = await (await scene.alice.slash("clone", name="Aki", sample=uploads.recording(whole=True))).settled(
            PATIENCE
        )
        assert "no recording, the name and notes" in draft.text

        made = await scene.alice.click(draft, draft.buttons[0])
        await made.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

        assert (house.rows()["voices"], house.rows()["samples"]) == (1, 0)
        await speaks(scene, recogniser, 1)
