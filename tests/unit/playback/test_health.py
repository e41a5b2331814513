"""What is taken for a sign that nobody hears the bot, and what is not."""

from dataclasses import replace
from typing import Any

import pytest

from bot.playback.health import LOOKS, Health, Watchdog, describe

WELL = Health(sent=100, refused=0, bounced=0, session=1, announced=True, encrypted=True, settled=True)


class FarLink:
    """A connection as it is described."""

    def __init__(self) -> None:
        self.sent = self.refused = self.bounced = 0
        self.session: int | None = 1
        self.announced = self.encrypted = self.connected = True

    def live_session(self) -> int | None:
        return self.session

    def is_connected(self) -> bool:
        return self.connected

    def send(self, packets: int = 50) -> None:
        self.sent += packets


@pytest.mark.parametrize(
    ("changes", "symptom"),
    [
        ({"sent": 150}, None),
        ({"sent": 145, "refused": 5}, None),
        ({"sent": 144, "refused": 6}, "packets"),
        ({"sent": 101, "refused": 2}, "packets"),
        ({"sent": 100}, "packets"),
        ({"refused": 50}, "packets"),
        ({"sent": 149, "refused": 1, "bounced": 1}, "packets"),
        ({"sent": 150, "announced": False}, "announcement"),
        ({"sent": 150, "encrypted": False, "session": None}, "encryption"),
        ({"sent": 150, "encrypted": False, "announced": False, "session": None}, "encryption"),
    ],
)
def test_what_was_due_left_was_announced_and_can_be_decrypted_or_it_is_said_what_is_wrong(
    changes: dict[str, Any], symptom: str | None
) -> None:
    assert replace(WELL, **changes).symptom(WELL, due=1) == symptom


@pytest.mark.parametrize("changes", [{"settled": False, "announced": False}, {"session": 2, "announced": False}])
def test_a_connection_that_is_being_renewed_or_just_was_is_not_judged(changes: dict[str, Any]) -> None:
    assert replace(WELL, **changes).symptom(WELL, due=1) is None


def test_nothing_has_to_leave_where_nothing_is_due() -> None:
    assert WELL.symptom(WELL, due=0) is None


@pytest.mark.parametrize(
    ("changes", "settled"),
    [
        ({}, True),
        ({"session": None, "encrypted": False}, True),
        ({"session": None}, False),
        ({"connected": False}, False),
    ],
)
def test_a_connection_whose_websocket_broke_counts_as_being_renewed(changes: dict[str, Any], settled: bool) -> None:
    link = FarLink()
    for name, value in changes.items():
        setattr(link, name, value)

    assert Health.of(link).settled is settled


def test_one_sign_is_believed_after_some_looks_in_a_row_and_forgotten_where_it_passes() -> None:
    link, heard = FarLink(), []
    watchdog = Watchdog(link, heard=lambda: heard.append(link.sent))

    link.announced = False
    signs = []
    for _ in range(LOOKS - 1):
        link.send()
        signs.append(watchdog.look())
    link.announced = True
    link.send()
    signs.append(watchdog.look())
    link.announced = False
    for _ in range(LOOKS):
        link.send()
        signs.append(watchdog.look())

    assert signs == [None] * (2 * LOOKS - 1) + ["announcement"]
    assert heard == [50 * LOOKS]


def test_what_was_said_since_the_last_look_is_trusted_until_something_speaks_against_it() -> None:
    link = FarLink()
    watchdog = Watchdog(link, heard=lambda: None)
    link.send()
    trusted = [watchdog.trusts]
    link.refused += 60
    trusted.append(watchdog.trusts)

    assert trusted == [True, False]
    assert watchdog.conclude() == "packets"


@pytest.mark.parametrize("symptom", ["packets", "announcement", "encryption", None])
def test_every_sign_is_told_in_one_sentence_with_the_cure(symptom: Any) -> None:
    told = describe(symptom, "#Lounge")

    assert "#Lounge" in told
    assert told.endswith(": ask again, or change the channel's region.")
    assert told.count(".") == 1
