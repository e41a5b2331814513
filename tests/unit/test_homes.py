"""Which provider a voice is at, and what the log is told of the providers at the start."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.homes import Homes
from bot.models import Voice
from bot.store import Store
from tests.fakes import FakeProvider, HouseFake, ScribeFake, SlowFake


async def test_a_key_that_is_refused_is_told_to_the_log_at_the_start_and_the_others_are_asked_too(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = FakeProvider(), SlowFake()
    broken.fail("check", "auth")
    caplog.set_level(logging.INFO, logger="bot")

    await Homes(store, {"fake": broken, "slow": sound}, default="slow").greet()

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"{broken.label} does not work: The fake said no (auth): try something else."),
        ("INFO", f"{sound.label}: as well as a fake can be"),
    ]


async def test_whoever_writes_down_what_is_said_is_found_among_the_providers(store: Store) -> None:
    scribe = ScribeFake()

    assert Homes(store, {"fake": FakeProvider()}, default="fake").scribe is None
    assert Homes(store, {"fake": FakeProvider(), "scribe": scribe}, default="fake").scribe is scribe


async def test_the_ready_made_voices_of_all_providers_are_the_house(store: Store) -> None:
    homes = Homes(store, {"fake": FakeProvider(), "house": HouseFake()}, default="fake")

    assert [(voice.id, voice.name, voice.state) for voice in homes.house] == [
        ("house:alloy", "Alloy", "trained"),
        ("house:nova", "Nova", "trained"),
    ]


async def test_what_a_service_notes_of_a_failure_is_told_as_a_plain_sentence(
    store: Store, clone: Callable[..., Awaitable[Voice]], homes: Homes, provider: FakeProvider
) -> None:
    voice = await clone()
    (remote,) = provider.voices.values()

    failed = await homes.adopt(voice, replace(remote, state="failed", fault="too **noisy**, see [here](https://x.y)"))

    assert failed.fault == "Too noisy, see herehttps:x.y."
