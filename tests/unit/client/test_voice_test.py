"""What a test of a channel says of what was seen."""

import pytest

from bot.client.voice_test import describe, find_fault
from bot.playback import Played, VoiceReport

WHOLE = Played(packets=51, stopped=False)


def test_nothing_is_said_of_what_was_not_seen_yet() -> None:
    assert describe(VoiceReport()) == []


def test_each_step_that_went_well_is_a_sentence() -> None:
    report = VoiceReport(join_seconds=0.1234, protected=True, key_seconds=0.05, muted=False, announced=True, sent=61)

    assert describe(report) == [
        "I joined in 123 ms.",
        "The encryption was ready in 50 ms.",
        "Nobody has muted me.",
        "Discord was told that I speak.",
        "61 of 61 packets left; the network refused none.",
    ]
    assert find_fault(report, WHOLE) == ""


@pytest.mark.parametrize(
    ("report", "played", "fault"),
    [
        (VoiceReport(announced=False, sent=61), WHOLE, "Discord was not told that I speak: send me out with /leave"),
        (
            VoiceReport(announced=True, sent=11, refused=50),
            WHOLE,
            "11 of 61 packets left, and the network refused 50: whoever runs me must let UDP out of the machine.",
        ),
        (
            VoiceReport(announced=True, sent=9),
            Played(packets=9, stopped=True),
            "Somebody stopped the chime: try again.",
        ),
    ],
)
def test_the_first_step_that_fails_has_a_cure(report: VoiceReport, played: Played, fault: str) -> None:
    assert find_fault(report, played).startswith(fault)
    assert not any("refused none" in step for step in describe(report)) or not report.refused
