"""Drafts between hearing and confirmation."""

import pytest

from bot.cloning import Draft
from bot.drafts import Drafts
from bot.errors import VoiceError
from bot.samples import Take
from tests.conftest import ALICE, BOB


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def drafts(clock: Clock) -> Drafts:
    return Drafts(most=3, seconds=60, clock=clock)


def test_a_draft_is_handed_out_once(drafts: Drafts, take: Take) -> None:
    draft = make(take)
    drafts.keep(draft)

    assert drafts.take("a", owner_id=ALICE) is draft
    with pytest.raises(VoiceError, match="run /clone again"):
        drafts.take("a", owner_id=ALICE)


def test_the_draft_of_another_member_is_refused_and_stays(drafts: Drafts, take: Take) -> None:
    drafts.keep(make(take))
    drafts.keep(make(take, "b", owner_id=BOB))

    with pytest.raises(VoiceError):
        drafts.take("a", owner_id=BOB)

    assert drafts.take("a", owner_id=ALICE)
    assert drafts.take("b", owner_id=BOB)


def test_a_member_has_one_draft_the_last(drafts: Drafts, take: Take) -> None:
    drafts.keep(make(take, "old"))
    drafts.keep(make(take, "new"))

    with pytest.raises(VoiceError):
        drafts.take("old", owner_id=ALICE)
    assert drafts.take("new", owner_id=ALICE)


def test_the_oldest_goes_where_there_are_too_many(drafts: Drafts, take: Take) -> None:
    for owner_id in (1, 2, 3):
        drafts.keep(make(take, owner_id=owner_id))
    drafts.keep(make(take, owner_id=1))
    drafts.keep(make(take, owner_id=4))

    with pytest.raises(VoiceError):
        drafts.take("a", owner_id=2)
    for owner_id in (1, 3, 4):
        assert drafts.take("a", owner_id=owner_id)


def test_a_draft_is_forgotten_after_its_time(drafts: Drafts, clock: Clock, take: Take) -> None:
    drafts.keep(make(take))
    clock.now += 59
    drafts.keep(make(take, "b", owner_id=BOB))
    clock.now += 1

    with pytest.raises(VoiceError):
        drafts.take("a", owner_id=ALICE)
    assert drafts.take("b", owner_id=BOB)


def make(take: Take, draft_id: str = "a", *, owner_id: int = ALICE) -> Draft:
    return Draft(id=draft_id, owner_id=owner_id, name="Aki", description="", tags=(), take=take)
