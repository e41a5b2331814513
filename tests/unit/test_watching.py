"""Voices whose making has not ended: found, followed, told of, and never made twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.arrivals import Arrivals
from bot.cloning import CloneService
from bot.errors import StoreError, VoiceError
from bot.homes import Homes
from bot.models import Voice
from bot.samples import SampleService, Take
from bot.speech import SpeechService
from bot.store import Store
from bot.voices import VoiceService
from bot.watching import News, VoiceWatch
from tests.conftest import ALICE, QUICK, build_clones, build_draft
from tests.fakes import BrokenFake, FakeProvider, HauntedFake, SlowFake, StuckFake, Verb
from tests.unit.voices_house import Clone

PATIENCE = 10.0


class Letters:
    """Owns what was told when nobody waited."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[News] = asyncio.Queue()

    async def tell(self, news: News) -> None:
        self._told.put_nowait(news)

    async def next(self) -> News:
        async with asyncio.timeout(PATIENCE):
            return await self._told.get()

    @property
    def none(self) -> bool:
        return self._told.empty()


@pytest.fixture
def letters() -> Letters:
    return Letters()


@asynccontextmanager
async def running(watch: VoiceWatch, letters: Letters) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run(letters.tell))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_lost_answer_leaves_a_voice_that_is_looked_for_and_not_made_again(
    voices: VoiceService, provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.script.loses_answers = True
    waiting = await clone("Aki", description="mine")
    assert (waiting.state, waiting.remote_id) == ("unknown", None)

    async with running(watch, letters):
        news = await letters.next()

    found = await voices.resolve("Aki", owner_id=ALICE)
    assert news == News(voice=found)
    assert (found.state, found.id, found.description) == ("trained", waiting.id, "mine")
    assert found.remote_id in provider.voices
    assert await voices.is_default(found)
    assert provider.count("create") == 1


async def test_a_voice_the_provider_never_made_is_forgotten_with_its_sample_and_its_owner_told(
    voices: VoiceService, store: Store, provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.fail("create", "unknown_outcome")
    voice = await clone("Aki")
    assert await voices.try_refresh(voice) == voice

    async with running(watch, letters):
        news = await letters.next()

    assert news == News(voice=voice, gone=True)
    assert await store.get(voice.id, owner_id=ALICE) is None
    assert await store.samples(voice.id, owner_id=ALICE) == ()


async def test_a_voice_that_is_not_there_yet_is_looked_for_until_it_is(
    store: Store, homes: Homes, samples: SampleService, provider: FakeProvider, take: Take, letters: Letters
) -> None:
    watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=replace(QUICK, lost=60.0))
    clones = build_clones(store, homes, samples, watch=watch)
    provider.fail("create", "unknown_outcome")
    voice = (await clones.clone(build_draft(take))).voice

    async with running(watch, letters):
        await provider.until_asked("find", times=3)
        assert letters.none
        provider.recover("create")
        await provider.create(provider.last("create"))
        news = await letters.next()

    assert (news.voice.id, news.voice.state, news.gone) == (voice.id, "trained", False)


async def test_a_clone_that_was_cut_off_is_found_at_the_next_start(
    voices: VoiceService, store: Store, homes: Homes, provider: FakeProvider, take: Take, clones: CloneService,
    letters: Letters,
) -> None:  # fmt: skip
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    provider.script.while_creating = hang
    task = asyncio.create_task(clones.clone(build_draft(take)))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with running(VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK), letters):
        await letters.next()

    assert (await voices.resolve("Aki", owner_id=ALICE)).state == "trained"


async def test_training_is_followed_to_its_end_by_the_id_the_voice_has(
    provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.script.trained_after = 3
    provider.fail("find", "server")
    voice = await clone("Aki")
    assert voice.state == "created"

    async with running(watch, letters):
        news = await letters.next()

    assert news.voice == replace(voice, state="trained", updated_at=news.voice.updated_at)
    assert provider.count("get") == 3


async def test_whoever_waits_for_a_voice_is_told_and_nobody_else(
    provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.script.trained_after = 2
    voice = await clone("Aki")
    waiting = asyncio.create_task(watch.settled(voice, patience=PATIENCE))
    await asyncio.sleep(0)

    async with running(watch, letters):
        news = await waiting

    assert news is not None
    assert news.voice.state == "trained"
    assert letters.none
    assert await watch.settled(voice, patience=PATIENCE) is None


async def test_one_who_waits_too_long_is_let_go_and_told_by_letter(
    provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.script.trained_after = 2
    voice = await clone("Aki")

    assert await watch.settled(voice, patience=0.0) is None
    async with running(watch, letters):
        assert (await letters.next()).voice.state == "trained"


async def test_a_training_that_does_not_end_is_left_to_its_owner_who_is_told_once(
    store: Store, homes: Homes, samples: SampleService, provider: FakeProvider, take: Take, letters: Letters
) -> None:
    watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=replace(QUICK, until=0.0))
    clones = build_clones(store, homes, samples, watch=watch)
    provider.script.trained_after = 1000
    voice = (await clones.clone(build_draft(take))).voice

    async with running(watch, letters):
        assert (await letters.next()).voice.state == "created"
    async with running(VoiceWatch(store, homes, Arrivals(store, homes), pace=replace(QUICK, until=0.0)), letters):
        await provider.until_asked("get", times=2)

    assert letters.none
    kept = await store.get(voice.id, owner_id=ALICE)
    assert kept is not None
    assert kept.state == "created"


async def test_what_does_not_answer_is_passed_over_and_kept(
    voices: VoiceService, store: Store, provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.fail("create", "unknown_outcome")
    lost = await clone("Aki")
    await store.add(replace(lost, id="f" * 32, name="Other", provider="gone"))
    provider.fail("find", "network")

    async with running(watch, letters):
        await provider.until_asked("find", times=3)

    page = await voices.page(owner_id=ALICE, offset=0, limit=9)
    assert [voice.name for voice in page.voices] == ["Aki", "Other"]
    assert letters.none


async def test_a_lost_answer_of_a_service_that_cannot_be_asked_ends_as_a_failure_that_says_so(
    store: Store, elsewhere: SlowFake, samples: SampleService, take: Take, letters: Letters
) -> None:
    homes = Homes(store, {"slow": elsewhere}, default="slow")
    watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK)
    elsewhere.script.loses_answers = True
    await build_clones(store, homes, samples, watch=watch).clone(build_draft(take))

    async with running(watch, letters):
        news = await letters.next()

    assert news.voice.state == "failed"
    assert "cannot be asked" in news.voice.fault
    assert elsewhere.count("find") == 0


async def test_a_voice_deleted_while_it_trains_is_not_followed_any_more(
    voices: VoiceService, provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.script.trained_after = 1000
    voice = await clone("Aki")
    waiting = asyncio.create_task(watch.settled(voice, patience=PATIENCE))
    await asyncio.sleep(0)
    await voices.delete(voice)

    async with running(watch, letters):
        assert await waiting is None

    assert letters.none


async def test_a_voice_that_vanishes_while_it_trains_has_failed(
    provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.script.trained_after = 1000
    voice = await clone("Aki")
    assert voice.remote_id is not None
    await provider.delete(voice.remote_id)

    async with running(watch, letters):
        news = await letters.next()

    assert (news.voice.state, news.voice.fault) == ("failed", "Its service has it no more.")


async def test_closing_lets_those_go_who_wait(provider: FakeProvider, clone: Clone, watch: VoiceWatch) -> None:
    provider.script.trained_after = 1000
    voice = await clone("Aki")
    waiting = asyncio.create_task(watch.settled(voice, patience=PATIENCE))
    letters = Letters()

    async with running(watch, letters):
        await provider.until_asked("get", times=1)

    assert await waiting is None


async def test_a_voice_that_came_back_public_is_hidden_and_its_owner_told(
    provider: FakeProvider, clones: CloneService, take: Take
) -> None:
    provider.script.comes_back = "public"

    arrival = await clones.clone(build_draft(take))

    assert (arrival.voice.state, arrival.voice.visibility) == ("trained", "private")
    assert "made it visible to others: I hid it at once" in arrival.note
    assert [voice.visibility for voice in provider.voices.values()] == ["private"]


async def test_a_voice_that_stays_public_is_removed_and_never_spoken_with(
    provider: FakeProvider, clones: CloneService, take: Take
) -> None:
    provider.script.comes_back = "public"
    provider.script.stubborn = True

    arrival = await clones.clone(build_draft(take))

    assert provider.voices == {}
    assert arrival.voice.state == "failed"
    assert "I removed it there" in arrival.voice.fault


@pytest.mark.parametrize("verb", ["update", "delete"])
async def test_a_public_voice_that_can_be_neither_hidden_nor_removed_is_told_with_its_id(
    provider: FakeProvider, clones: CloneService, speech: SpeechService, take: Take, verb: Verb
) -> None:
    provider.script.comes_back = "public"
    provider.script.stubborn = True
    provider.fail(verb, "server")
    provider.fail("delete", "server")

    arrival = await clones.clone(build_draft(take))

    assert arrival.voice.state == "failed"
    assert arrival.voice.visibility == "public"
    assert arrival.voice.remote_id is not None
    assert arrival.voice.remote_id in arrival.voice.fault
    with pytest.raises(VoiceError, match="cannot speak"):
        speech.expect_ready(arrival.voice)


async def test_a_public_voice_is_told_of_where_a_service_can_do_neither(
    store: Store, elsewhere: SlowFake, samples: SampleService, take: Take
) -> None:
    homes = Homes(store, {"slow": elsewhere}, default="slow")
    elsewhere.script.comes_back = "unlist"

    arrival = await build_clones(store, homes, samples).clone(build_draft(take))

    assert (arrival.voice.state, elsewhere.asked[1:]) == ("failed", [])
    assert "will not take it back" in arrival.voice.fault


async def test_a_voice_found_public_after_a_lost_answer_is_hidden_too(
    provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.script.comes_back = "public"
    provider.script.loses_answers = True
    voice = await clone("Aki")

    async with running(watch, letters):
        news = await letters.next()

    assert (news.voice.id, news.voice.visibility) == (voice.id, "private")
    assert "I hid it" in news.note


async def test_a_voice_that_was_read_by_somebody_else_meanwhile_is_still_told(
    voices: VoiceService, provider: FakeProvider, clone: Clone, watch: VoiceWatch, letters: Letters
) -> None:
    provider.script.trained_after = 1
    voice = await clone("Aki")
    await voices.refresh(voice)

    async with running(watch, letters):
        news = await letters.next()

    assert (news.voice.id, news.voice.state) == (voice.id, "trained")


async def test_a_voice_that_a_service_without_a_list_says_it_trains_is_taken_as_made(
    store: Store, elsewhere: SlowFake, samples: SampleService, take: Take, letters: Letters
) -> None:
    homes = Homes(store, {"slow": elsewhere}, default="slow")
    watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK)
    elsewhere.script.trained_after = 5
    arrival = await build_clones(store, homes, samples, watch=watch).clone(build_draft(take))
    assert arrival.voice.state == "created"

    async with running(watch, letters):
        news = await letters.next()

    assert (news.voice.state, news.voice.remote_id) == ("trained", arrival.voice.remote_id)
    assert elsewhere.count("get") == 0


class Forgetful(Store):
    """Refuses the first so many writes to a voice, and the first so many questions for unfinished ones."""

    refusals = 1

    async def save(self, voice: Voice) -> None:
        self._refuse()
        await super().save(voice)

    async def unfinished(self) -> tuple[Voice, ...]:
        self._refuse()
        return await super().unfinished()

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("The database is busy: try again.")


@pytest.mark.parametrize("kind", [FakeProvider, SlowFake])
async def test_a_made_voice_that_could_not_be_remembered_is_remembered_later(
    tmp_path: Path, samples: SampleService, take: Take, letters: Letters, kind: type[FakeProvider]
) -> None:
    provider = kind()
    async with Forgetful(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}", key=None) as store:
        homes = Homes(store, {provider.name: provider}, default=provider.name)
        watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK)
        with pytest.raises(StoreError):
            await build_clones(store, homes, samples, watch=watch).clone(build_draft(take))

        async with running(watch, letters):
            news = await letters.next()

    assert (news.voice.state, news.voice.remote_id) == ("trained", "remote-1")
    assert provider.count("create") == 1


async def test_a_busy_database_at_the_start_does_not_end_the_watch(
    tmp_path: Path, provider: FakeProvider, samples: SampleService, take: Take, letters: Letters
) -> None:
    async with Forgetful(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}", key=None) as store:
        homes = Homes(store, {"fake": provider}, default="fake")
        provider.script.loses_answers = True
        store.refusals = 0
        await build_clones(store, homes, samples).clone(build_draft(take))
        store.refusals = 2

        async with running(VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK), letters):
            assert (await letters.next()).voice.state == "trained"


async def test_a_service_that_hangs_holds_no_voice_of_another_up(
    store: Store, provider: FakeProvider, samples: SampleService, take: Take, letters: Letters
) -> None:
    stuck = StuckFake()
    homes = Homes(store, {"fake": provider, "stuck": stuck}, default="stuck")
    watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK)
    await build_clones(store, homes, samples, watch=watch).clone(build_draft(take, "Stuck"))
    homes.default = provider
    provider.script.trained_after = 1
    await build_clones(store, homes, samples, watch=watch).clone(build_draft(take))

    async with running(watch, letters):
        assert (await letters.next()).voice.name == "Aki"


async def test_what_may_be_there_or_not_is_looked_for_until_it_is_known_and_its_owner_told_both_times(
    store: Store, homes: Homes, samples: SampleService, provider: FakeProvider, take: Take, letters: Letters
) -> None:
    watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=replace(QUICK, until=0.0))
    provider.script.loses_answers = True
    provider.fail("find", "network")
    voice = (await build_clones(store, homes, samples, watch=watch).clone(build_draft(take))).voice

    async with running(watch, letters):
        assert (await letters.next()).voice == voice
        provider.recover("find")
        assert (await letters.next()).voice.state == "trained"


async def test_a_bug_while_one_voice_is_followed_is_logged_and_the_others_go_on(
    store: Store, provider: FakeProvider, samples: SampleService, take: Take, letters: Letters,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    broken = BrokenFake()
    homes = Homes(store, {"fake": provider, "broken": broken}, default="broken")
    watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK)
    first = (await build_clones(store, homes, samples, watch=watch).clone(build_draft(take, "Broken"))).voice
    waiting = asyncio.create_task(watch.settled(first, patience=PATIENCE))
    await asyncio.sleep(0)

    async with running(watch, letters):
        assert await waiting is None
        homes.default = provider
        provider.script.trained_after = 1
        await build_clones(store, homes, samples, watch=watch).clone(build_draft(take))
        assert (await letters.next()).voice.name == "Aki"

    assert "KeyError" in caplog.text


async def test_a_voice_deleted_just_while_it_is_looked_at_ends_its_pursuit_quietly(
    store: Store, samples: SampleService, take: Take, letters: Letters, caplog: pytest.LogCaptureFixture
) -> None:
    provider = HauntedFake()
    homes = Homes(store, {"haunted": provider}, default="haunted")
    watch = VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK)
    voices = VoiceService(store, homes, Arrivals(store, homes))
    voice = (await build_clones(store, homes, samples, watch=watch).clone(build_draft(take))).voice
    provider.before_getting = lambda: voices.delete(voice)
    waiting = asyncio.create_task(watch.settled(voice, patience=PATIENCE))
    await asyncio.sleep(0)

    async with running(watch, letters):
        assert await waiting is None

    assert letters.none
    assert "bug" not in caplog.text
