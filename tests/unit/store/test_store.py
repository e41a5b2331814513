"""Voices and defaults, as the rules use them."""

import asyncio
import contextlib
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bot.errors import StoreError, VoiceError
from bot.models import KeptSample, VoicePage
from bot.store import Store
from tests.unit.store.examples import ALICE, BOB, KEY, MORNING, REPORT, SAMPLES, make_voice


async def test_a_voice_comes_back_as_it_was_added(store: Store) -> None:
    voice = make_voice(
        "Aki ✨",
        remote_id="remote-1",
        state="training",
        title="Aki’s voice",
        description="warm",
        tags=("calm", "日本"),
        visibility="unlist",
        train_mode="full",
        languages=("en", "ja-JP"),
        cover_image="https://example.org/cover.png",
        use_count=3,
        last_used_at=MORNING + timedelta(days=1),
        report=REPORT,
    )

    await store.add(voice)

    assert await store.get(voice.id, owner_id=ALICE) == voice


async def test_a_voice_survives_closing(url: str) -> None:
    voice = make_voice()
    async with Store(url, key=KEY) as store:
        await store.add(voice, SAMPLES)

    async with Store(url, key=KEY) as store:
        assert await store.get(voice.id, owner_id=ALICE) == voice
        assert await store.samples(voice.id, owner_id=ALICE) == SAMPLES


async def test_times_come_back_in_utc_whatever_their_zone_was(store: Store) -> None:
    tokyo = timezone(timedelta(hours=9))
    voice = make_voice(created_at=datetime(2025, 3, 1, 8, 0, tzinfo=tokyo))

    await store.add(voice)

    kept = await store.get(voice.id, owner_id=ALICE)
    assert kept is not None
    assert kept.created_at == voice.created_at
    assert kept.created_at.tzinfo is UTC


async def test_somebody_elses_voice_does_not_exist(store: Store) -> None:
    voice = make_voice()
    await store.add(voice, SAMPLES)

    assert await store.get(voice.id, owner_id=BOB) is None
    assert await store.by_name(voice.name, owner_id=BOB) is None
    assert await store.samples(voice.id, owner_id=BOB) == ()
    assert await store.delete(voice.id, owner_id=BOB) is False
    assert await store.search("", owner_id=BOB) == ()
    assert await store.page(owner_id=BOB, offset=0, limit=10) == VoicePage()
    assert await store.default(BOB) is None
    with pytest.raises(VoiceError):
        await store.set_default(voice.id, owner_id=BOB)
    with pytest.raises(VoiceError):
        await store.save(replace(voice, owner_id=BOB))
    assert await store.get(voice.id, owner_id=ALICE) == voice


@pytest.mark.parametrize("taken", ["Aki", "AKI", "  aki ", "Ａｋｉ"])
async def test_add_refuses_a_name_that_looks_like_one_the_member_has(store: Store, taken: str) -> None:
    await store.add(make_voice("Aki"))

    with pytest.raises(VoiceError) as refusal:
        await store.add(make_voice(taken))

    assert str(refusal.value) == f"You already have a voice called {taken}: choose another name."
    assert await store.count(ALICE) == 1


async def test_two_members_may_use_one_name(store: Store) -> None:
    await store.add(make_voice("Aki", owner_id=ALICE))
    await store.add(make_voice("Aki", owner_id=BOB))

    assert await store.count(ALICE) == await store.count(BOB) == 1


async def test_one_of_many_adds_at_once_gets_the_name(store: Store) -> None:
    outcomes = await asyncio.gather(*(store.add(make_voice("Aki"), SAMPLES) for _ in range(12)), return_exceptions=True)

    assert outcomes.count(None) == 1
    assert all(outcome is None or type(outcome) is VoiceError for outcome in outcomes)
    assert await store.count(ALICE) == 1


async def test_adding_one_id_twice_is_a_bug_and_not_told_as_a_taken_name(store: Store) -> None:
    voice = make_voice("Aki")
    await store.add(voice)

    with pytest.raises(Exception, match=r"voices\.id") as failure:
        await store.add(replace(voice, name="Bea"))

    assert not isinstance(failure.value, VoiceError | StoreError)


async def test_add_keeps_nothing_of_a_voice_whose_samples_fail(store: Store) -> None:
    samples = (KeptSample(opus=b"good"), KeptSample(opus=b"good", transcript="half a pair \ud800"))

    with pytest.raises(StoreError, match="character that cannot be kept"):
        await store.add(make_voice(), samples)

    assert await store.count(ALICE) == 0


async def test_save_keeps_every_value_but_the_counted_ones(store: Store) -> None:
    voice = make_voice()
    await store.add(voice)
    await store.count_use(voice.id, at=MORNING)
    changed = replace(voice, name="Bea", state="failed", tags=("new",), report=REPORT, remote_id="r", use_count=99)

    await store.save(changed)

    assert await store.get(voice.id, owner_id=ALICE) == replace(changed, use_count=1, last_used_at=MORNING)
    assert await store.by_name("aki", owner_id=ALICE) is None
    assert await store.by_name("BEA", owner_id=ALICE) is not None


async def test_save_refuses_a_taken_name_and_changes_nothing(store: Store) -> None:
    aki, bea = make_voice("Aki"), make_voice("Bea")
    await store.add(aki)
    await store.add(bea)

    with pytest.raises(VoiceError, match="already have a voice called AKI"):
        await store.save(replace(bea, name="AKI", title="changed"))

    assert await store.get(bea.id, owner_id=ALICE) == bea


async def test_save_lets_a_voice_change_the_case_of_its_own_name(store: Store) -> None:
    voice = make_voice("aki")
    await store.add(voice)

    await store.save(replace(voice, name="AKI"))

    kept = await store.by_name("aki", owner_id=ALICE)
    assert kept is not None
    assert kept.name == "AKI"


async def test_save_tells_that_a_voice_is_gone(store: Store) -> None:
    with pytest.raises(VoiceError, match="no such voice"):
        await store.save(make_voice())


async def test_delete_tells_whether_there_was_a_voice(store: Store) -> None:
    voice = make_voice()
    await store.add(voice, SAMPLES)

    assert await store.delete(voice.id, owner_id=ALICE) is True
    assert await store.delete(voice.id, owner_id=ALICE) is False
    assert await store.samples(voice.id, owner_id=ALICE) == ()
    assert await store.count(ALICE) == 0


async def test_the_name_of_a_deleted_voice_is_free(store: Store) -> None:
    voice = make_voice("Aki")
    await store.add(voice)
    await store.delete(voice.id, owner_id=ALICE)

    await store.add(make_voice("Aki"))

    assert await store.count(ALICE) == 1


async def test_page_is_by_name_and_tells_the_total_and_the_default(store: Store) -> None:
    by_name = {name: make_voice(name) for name in ("delta", "Alpha", "charlie", "Bravo")}
    for voice in by_name.values():
        await store.add(voice)
    await store.set_default(by_name["delta"].id, owner_id=ALICE)

    page = await store.page(owner_id=ALICE, offset=1, limit=2)

    assert page == VoicePage(voices=(by_name["Bravo"], by_name["charlie"]), total=4, default_id=by_name["delta"].id)
    assert (await store.page(owner_id=ALICE, offset=4, limit=2)).voices == ()


async def test_the_only_voice_is_the_default(store: Store) -> None:
    voice = make_voice()
    await store.add(voice)

    assert await store.default(ALICE) == voice
    assert (await store.page(owner_id=ALICE, offset=0, limit=5)).default_id == voice.id


async def test_two_voices_have_no_default_until_one_is_chosen(store: Store) -> None:
    aki, bea = make_voice("Aki"), make_voice("Bea")
    await store.add(aki)
    await store.add(bea)
    before = await store.default(ALICE)

    await store.set_default(bea.id, owner_id=ALICE)
    first = await store.default(ALICE)
    await store.set_default(aki.id, owner_id=ALICE)

    assert (before, first, await store.default(ALICE)) == (None, bea, aki)


async def test_deleting_the_default_leaves_none_chosen(store: Store) -> None:
    first, second, third = voices = [make_voice(name) for name in "abc"]
    for voice in voices:
        await store.add(voice)
    await store.set_default(first.id, owner_id=ALICE)

    await store.delete(first.id, owner_id=ALICE)
    with_two = await store.default(ALICE)
    await store.delete(second.id, owner_id=ALICE)

    assert with_two is None
    assert await store.default(ALICE) == third


async def test_count_use_counts_every_use_made_at_once(store: Store) -> None:
    voice = make_voice()
    await store.add(voice)

    await asyncio.gather(*(store.count_use(voice.id, at=MORNING) for _ in range(200)))

    kept = await store.get(voice.id, owner_id=ALICE)
    assert kept == replace(voice, use_count=200, last_used_at=MORNING)


async def test_count_use_of_a_voice_that_is_gone_is_no_error(store: Store) -> None:
    await store.count_use("0" * 32, at=MORNING)

    assert await store.count(ALICE) == 0


async def test_unfinished_are_the_voices_still_being_made_oldest_first(store: Store) -> None:
    for day, state in enumerate(("failed", "training", "trained", "created", "unknown")):
        await store.add(make_voice(state, owner_id=day, state=state, created_at=MORNING - timedelta(days=day)))

    assert [voice.state for voice in await store.unfinished()] == ["unknown", "created", "training"]


async def test_check_passes_and_leaves_nothing(store: Store) -> None:
    await asyncio.gather(store.check(), store.check())
    await store.check()

    assert await store.default(-1) is None


async def test_a_call_that_is_cancelled_leaves_the_store_working(store: Store) -> None:
    calls = [asyncio.create_task(store.add(make_voice(f"voice {number}"), SAMPLES)) for number in range(10)]
    await calls[0]
    for call in calls[1:]:
        call.cancel()
    for call in calls[1:]:
        with contextlib.suppress(asyncio.CancelledError):
            await call

    page = await store.page(owner_id=ALICE, offset=0, limit=20)
    for voice in page.voices:
        assert await store.samples(voice.id, owner_id=ALICE) == SAMPLES
    await store.add(make_voice("afterwards"))


async def test_a_store_that_is_not_open_says_so(url: str) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Store(url, key=None).check()


async def test_a_time_without_a_zone_is_a_bug_and_nothing_is_kept(store: Store) -> None:
    naive = datetime(2025, 3, 1)  # noqa: DTZ001 - the very mistake

    with pytest.raises(Exception, match="without a time zone") as failure:
        await store.add(make_voice(created_at=naive))

    assert not isinstance(failure.value, StoreError)
    assert await store.count(ALICE) == 0


async def test_closing_waits_for_what_is_under_way_and_refuses_what_comes_later(tmp_path: Path) -> None:
    file = tmp_path / "mynah.db"
    async with Store(f"sqlite+aiosqlite:///{file}", key=None) as opened:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            asking = asyncio.create_task(opened.check())
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_later(0.2, other.execute, "ROLLBACK")
            await opened.__aexit__(None, None, None)
            assert asking.done()
            await asking

        with pytest.raises(StoreError, match="shutting down"):
            await opened.count(1)


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///file:mynah?mode=memory&uri=true"])
async def test_a_database_without_a_file_answers_what_one_with_a_file_does(url: str) -> None:
    async with Store(url, key=KEY) as store:
        await store.add(voice := make_voice(), SAMPLES)

        assert await store.default(ALICE) == voice
        assert await store.samples(voice.id, owner_id=ALICE) == SAMPLES
        assert (await store.page(owner_id=ALICE, offset=0, limit=5)).total == 1


async def test_questions_change_nothing_whatever_they_say(store: Store) -> None:
    await store.add(voice := make_voice())

    with pytest.raises(StoreError, match="read-only"):
        await store._database.read(lambda connection: connection.exec_driver_sql("DELETE FROM voices").rowcount)

    assert await store.get(voice.id, owner_id=ALICE) == voice


async def test_a_question_that_takes_its_time_holds_no_other_up(store: Store) -> None:
    both = threading.Barrier(2)

    answers = await asyncio.gather(*(store._database.read(lambda _: both.wait(10)) for _ in range(2)))

    assert sorted(answers) == [0, 1]


async def test_a_question_that_is_given_up_does_not_keep_the_store_from_closing(url: str) -> None:
    before = _readers()
    async with Store(url, key=None) as store:
        asking = asyncio.create_task(store.count(ALICE))
        await asyncio.sleep(0)
        asking.cancel()

    assert _readers() <= before
    with pytest.raises(asyncio.CancelledError):
        await asking


def _readers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("store-reader")}
