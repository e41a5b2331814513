import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ProviderError, ProviderFault
from bot.providers.patience import Patience, Tries


def error(kind: ProviderFault = "server", *, retry_after: float | None = None) -> ProviderError:
    return ProviderError("Try again.", kind=kind, retry_after=retry_after)


@given(attempt=st.integers(1, 30), base=st.floats(0, 10), cap=st.floats(0, 60))
def test_a_pause_doubles_up_to_its_cap(attempt: int, base: float, cap: float) -> None:
    pause = Patience(base=base, cap=cap, attempts=31).pause(attempt, error())

    assert pause is not None
    assert 0 <= pause <= min(cap, base * 2 ** (attempt - 1))


def test_pauses_are_spread() -> None:
    patience = Patience(base=1.0)
    pauses = [patience.pause(1, error()) or 0.0 for _ in range(200)]

    assert min(pauses) < 0.2
    assert max(pauses) > 0.8


def test_the_last_attempt_is_the_last() -> None:
    patience = Patience(attempts=3)

    assert patience.pause(2, error()) is not None
    assert patience.pause(3, error()) is None


@pytest.mark.parametrize("kind", ["auth", "no_credit", "not_found", "invalid", "too_large", "unknown_outcome"])
def test_what_cannot_get_better_is_not_tried_again(kind: ProviderFault) -> None:
    assert Patience().pause(1, error(kind)) is None


@pytest.mark.parametrize("kind", ["rate_limited", "server", "network"])
def test_what_may_get_better_is_tried_again(kind: ProviderFault) -> None:
    assert Patience().pause(1, error(kind)) is not None


def test_a_service_is_waited_for_as_long_as_it_asks() -> None:
    patience = Patience(longest_wait=20.0, cap=1.0)

    assert patience.pause(1, error(retry_after=0.0)) == 0.0
    assert patience.pause(1, error(retry_after=20.0)) == 20.0
    assert patience.pause(1, error(retry_after=20.1)) is None


async def test_tries_end_with_the_error_that_ended_them() -> None:
    tries = Tries(Patience(attempts=3, base=0.0), "Fish Audio")
    last = error()

    await tries.wait(error())
    await tries.wait(error())
    with pytest.raises(ProviderError) as caught:
        await tries.wait(last)

    assert caught.value is last


async def test_no_attempt_begins_after_all_the_time_is_over() -> None:
    began = time.monotonic()
    tries = Tries(Patience(total=5.0, longest_wait=60.0), "Fish Audio")

    with pytest.raises(ProviderError):
        await tries.wait(error(retry_after=6.0))

    assert time.monotonic() - began < 5.0
