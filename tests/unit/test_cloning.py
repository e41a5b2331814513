"""From recordings to a voice: nothing is half made, and nothing is made twice."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.arrivals import Arrival, Arrivals
from bot.cloning import CONSENT, CloneService, Draft
from bot.errors import QuotaError, SampleError, StoreError, VoiceError
from bot.homes import Homes
from bot.samples import SampleService, Take
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE, build_clones, build_draft
from tests.fakes import FakeProvider, HouseFake, ScribeFake, SlowFake, WordyFake
from tests.sounds import clip, quiet, to_wav
from tests.unit.voices_house import Clone


async def names(voices: VoiceService, owner_id: int = ALICE) -> list[str]:
    page = await voices.page(owner_id=owner_id, offset=0, limit=50)
    return [voice.name for voice in page.voices]


def read_database(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("mynah.db*"))


async def test_a_draft_says_what_was_heard_and_stores_and_spends_nothing(
    voices: VoiceService, provider: FakeProvider, recording: bytes, clones: CloneService
) -> None:
    draft = await clones.draft(
        [recording], owner_id=ALICE, name="  Aki ", description=" my\n voice ", tags="warm, calm,,warm"
    )

    assert (draft.name, draft.description, draft.tags) == ("Aki", "my voice", ("warm", "calm"))
    assert draft.take.report.speech_seconds > 5
    assert provider.asked == []
    assert await names(voices) == []


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "x" * 200, "🦜🦜", "@everyone", "<@1>", "A\u202eki", "\u3164"])
async def test_a_draft_refuses_a_name_that_cannot_be_used(recording: bytes, name: str, clones: CloneService) -> None:
    with pytest.raises(VoiceError, match=r"[Nn]ame.*:|so that it can be typed"):
        await clones.draft([recording], owner_id=ALICE, name=name)


@pytest.mark.parametrize("name", ["aki", "AKI", "  Aki", "Ａｋｉ"])
async def test_a_draft_refuses_a_name_that_only_looks_different(
    clone: Clone, provider: FakeProvider, name: str, clones: CloneService
) -> None:
    await clone("Aki")

    with pytest.raises(VoiceError, match="already have a voice called Aki"):
        await clones.draft([b"never listened to"], owner_id=ALICE, name=name)
    assert provider.count("create") == 1


async def test_one_voice_too_many_is_refused_before_anything_is_listened_to(
    voices: VoiceService, clone: Clone, provider: FakeProvider, clones: CloneService
) -> None:
    for name in ("One", "Two", "Three", "Four"):
        await clone(name)

    with pytest.raises(QuotaError, match="You have 4 voices"):
        await clones.draft([b"never listened to"], owner_id=ALICE, name="Five")
    assert provider.count("create") == 4


async def test_too_little_speech_is_refused_with_what_was_heard(provider: FakeProvider, clones: CloneService) -> None:
    with pytest.raises(SampleError, match="at least 5 s"):
        await clones.draft([clip(3)], owner_id=ALICE, name="Aki")
    with pytest.raises(SampleError, match="nothing was heard"):
        await clones.draft([to_wav(quiet(8))], owner_id=ALICE, name="Aki")
    assert provider.asked == []


async def test_several_short_recordings_are_judged_as_one(clones: CloneService) -> None:
    draft = await clones.draft([clip(3), clip(3, seed=2), clip(3, seed=3)], owner_id=ALICE, name="Aki")

    assert draft.take.report.speech_seconds > 7
    assert len(draft.take.kept) == 3


async def test_clone_makes_a_private_voice_of_its_owner_and_remembers_the_consent(
    voices: VoiceService, provider: FakeProvider, recording: bytes, clones: CloneService
) -> None:
    before = datetime.now(UTC)
    draft = await clones.draft([recording], owner_id=ALICE, name="Aki", description="mine", tags="warm")

    voice = (await clones.clone(draft)).voice

    request = provider.last("create")
    assert (request.voice_id, request.title, request.description, request.tags) == (voice.id, "Aki", "mine", ("warm",))
    assert request.visibility == "private"
    assert request.samples[0].wav.startswith(b"RIFF")
    assert voice == await voices.resolve("aki", owner_id=ALICE)
    assert (voice.state, voice.visibility, voice.owner_id, voice.provider) == ("trained", "private", ALICE, "fake")
    assert voice.consent == CONSENT
    assert before <= voice.consented_at <= datetime.now(UTC)
    assert voice.report == draft.take.report
    assert voices.label_of(voice) == clones.label == provider.label


async def test_clone_spends_nothing_when_the_name_was_taken_meanwhile(
    provider: FakeProvider, clone: Clone, recording: bytes, clones: CloneService
) -> None:
    draft = await clones.draft([recording], owner_id=ALICE, name="Aki")
    await clone("AKI")

    with pytest.raises(VoiceError, match="already have"):
        await clones.clone(draft)
    assert provider.count("create") == 1


async def test_of_two_clones_of_one_name_at_once_one_is_made(
    provider: FakeProvider, recording: bytes, clones: CloneService
) -> None:
    drafts = [await clones.draft([recording], owner_id=ALICE, name=name) for name in ("Aki", "aki")]

    results = await asyncio.gather(*(clones.clone(draft) for draft in drafts), return_exceptions=True)

    assert {type(result) for result in results} == {Arrival, VoiceError}
    assert provider.count("create") == 1


async def test_of_many_clones_at_once_no_more_are_made_than_a_member_may_own(
    provider: FakeProvider, take: Take, clones: CloneService
) -> None:
    drafts = [
        Draft(id=f"{number:032x}", owner_id=ALICE, name=f"Voice {number}", description="", tags=(), take=take)
        for number in range(6)
    ]

    results = await asyncio.gather(*(clones.clone(draft) for draft in drafts), return_exceptions=True)

    assert [type(result) for result in results].count(Arrival) == 4
    assert [type(result) for result in results].count(QuotaError) == 2
    assert provider.count("create") == 4


async def test_clone_spends_nothing_when_the_last_place_was_taken_meanwhile(
    provider: FakeProvider, clone: Clone, recording: bytes, clones: CloneService
) -> None:
    draft = await clones.draft([recording], owner_id=ALICE, name="Late")
    for name in ("One", "Two", "Three", "Four"):
        await clone(name)

    with pytest.raises(QuotaError):
        await clones.clone(draft)
    assert provider.count("create") == 4


async def test_clone_spends_nothing_when_the_database_is_locked(
    provider: FakeProvider, samples: SampleService, store: Store, take: Take, tmp_path: Path
) -> None:
    file = tmp_path / "mynah.db"
    draft = Draft(id="d" * 32, owner_id=ALICE, name="Aki", description="", tags=(), take=take)
    async with Store(f"sqlite+aiosqlite:///{file}?timeout=0.05", key=None) as impatient:
        clones = build_clones(impatient, Homes(impatient, {"fake": provider}, default="fake"), samples)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="busy"):
                await clones.clone(draft)

    assert provider.asked == []
    assert await store.count(ALICE) == 0


async def test_a_voice_deleted_while_it_is_made_is_left_there_where_nothing_can_be_deleted(
    store: Store, elsewhere: SlowFake, samples: SampleService, take: Take
) -> None:
    homes = Homes(store, {"slow": elsewhere}, default="slow")
    clones = build_clones(store, homes, samples)
    voices = VoiceService(store, homes, Arrivals(store, homes))

    async def delete() -> None:
        await voices.delete(await voices.resolve("Aki", owner_id=ALICE))

    elsewhere.script.while_creating = delete

    with pytest.raises(VoiceError):
        await clones.clone(Draft(id="d" * 32, owner_id=ALICE, name="Aki", description="", tags=(), take=take))
    assert await names(voices) == []
    assert elsewhere.count("delete") == 0


async def test_samples_are_kept_with_the_voice_and_cannot_be_read_in_the_file(
    store: Store, recording: bytes, tmp_path: Path, clones: CloneService
) -> None:
    words = "Peck the seven yellow seeds."
    voice = (await clones.clone(await clones.draft([recording], owner_id=ALICE, name="Aki", transcript=words))).voice

    kept = await store.samples(voice.id, owner_id=ALICE)

    assert [sample.transcript for sample in kept] == [words]
    assert kept[0].opus.startswith(b"OggS")
    files = read_database(tmp_path)
    assert voice.id.encode() in files
    for secret in (b"OpusHead", b"OggS", b"yellow seeds"):
        assert secret not in files


async def test_no_sample_is_kept_where_the_setting_says_so(
    store: Store, provider: FakeProvider, samples: SampleService, recording: bytes, tmp_path: Path
) -> None:
    homes = Homes(store, {"fake": provider}, default="fake")
    clones = build_clones(store, homes, samples, keep_samples=False)

    voice = (await clones.clone(await clones.draft([recording], owner_id=ALICE, name="Aki"))).voice

    assert await store.samples(voice.id, owner_id=ALICE) == ()
    with closing(sqlite3.connect(tmp_path / "mynah.db")) as database:
        assert database.execute("SELECT count(*) FROM samples").fetchone() == (0,)


# what services ask for


async def test_a_provider_that_clones_nothing_says_so_before_anything_is_listened_to(
    store: Store, samples: SampleService
) -> None:
    clones = build_clones(store, Homes(store, {"house": HouseFake()}, default="house"), samples)

    with pytest.raises(VoiceError, match="speaks with ready-made voices and clones none: choose one in /say"):
        await clones.draft([b"never listened to"], owner_id=ALICE, name="Aki")


async def test_words_that_must_be_known_are_asked_for_where_nobody_can_write_them_down(
    store: Store, samples: SampleService, recording: bytes
) -> None:
    wordy = WordyFake()
    clones = build_clones(store, Homes(store, {"wordy": wordy}, default="wordy"), samples)

    with pytest.raises(SampleError, match="write the words into `transcript`"):
        await clones.draft([recording], owner_id=ALICE, name="Aki", transcript=" ")
    await clones.clone(await clones.draft([recording], owner_id=ALICE, name="Aki", transcript="Good day."))

    assert [sample.transcript for sample in wordy.last("create").samples] == ["Good day."]


async def test_words_that_must_be_known_are_written_down_where_a_provider_can(
    store: Store, samples: SampleService, recording: bytes
) -> None:
    scribe = ScribeFake()
    clones = build_clones(store, Homes(store, {"scribe": scribe}, default="scribe"), samples)

    draft = await clones.draft([recording, recording], owner_id=ALICE, name="Aki", transcript="Good day.")
    assert scribe.asked == []
    await clones.clone(draft)

    assert [sample.transcript for sample in scribe.last("create").samples] == ["Good day.", "what was said"]


async def test_more_recordings_than_the_provider_takes_are_refused(
    store: Store, samples: SampleService, recording: bytes
) -> None:
    clones = build_clones(store, Homes(store, {"scribe": ScribeFake()}, default="scribe"), samples)

    with pytest.raises(SampleError, match="takes 2 recordings at most"):
        await clones.draft([recording] * 3, owner_id=ALICE, name="Aki")


async def test_where_the_recordings_are_goes_to_the_provider_and_into_no_text(
    provider: FakeProvider, clones: CloneService, recording: bytes
) -> None:
    link = "https://cdn.discordapp.com/attachments/1/2/me.wav?ex=1&hm=signed"
    draft = await clones.draft([recording], owner_id=ALICE, name="Aki", links=[link])

    await clones.clone(draft, party=7)

    request = provider.last("create")
    assert (request.links, request.party, request.visibility) == ((link,), 7, "private")
    assert "signed" not in repr(draft) + repr(request)


async def test_who_writes_the_words_down_is_named_before_anything_is_confirmed(
    store: Store, samples: SampleService, take: Take, clones: CloneService
) -> None:
    scribe = ScribeFake()
    needy = build_clones(store, Homes(store, {"scribe": scribe}, default="scribe"), samples)
    known = replace(take, kept=tuple(replace(sample, transcript="said") for sample in take.kept))

    assert needy.listener(build_draft(take)) == scribe.label
    assert needy.listener(build_draft(known)) == ""
    assert clones.listener(build_draft(take)) == ""


async def test_the_voice_that_speaks_for_want_of_another_stays_the_default_when_there_is_another(
    clone: Clone, voices: VoiceService
) -> None:
    first = await clone("One")
    await clone("Two")
    await voices.delete(first)
    two = await voices.resolve(None, owner_id=ALICE)

    await clone("Three")

    assert two.name == "Two"
    assert (await voices.resolve(None, owner_id=ALICE)).name == "Two"


async def test_links_are_not_cleaned_and_that_is_said(
    store: Store, samples: SampleService, recording: bytes, provider: FakeProvider
) -> None:
    provider.capabilities = replace(provider.capabilities, needs_links=True)
    clones = build_clones(store, Homes(store, {"fake": provider}, default="fake"), samples)

    with pytest.raises(SampleError, match="leave clean_up out"):
        await clones.draft([recording], owner_id=ALICE, name="Aki", clean_up=True)
