"""How voices and recordings look to a member."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import discord
import pytest

from bot.cloning import CONSENT
from bot.models import SampleReport, Voice, VoicePage, VoiceState
from cogs.cards import audio_file, heard_card, list_card, picture_file, voice_card

MORNING = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
REPORT = SampleReport(
    seconds=20.25,
    speech_seconds=18.04,
    loudness=-19.3,
    noise=-61.2,
    clipped=0.0,
    grade="good",
    sentence="Good: 18 s of clear speech.",
    waveform=bytes(256),
)
VOICE = Voice(
    id="a" * 32,
    owner_id=1,
    name="Aki",
    provider="fake",
    remote_id="r",
    state="trained",
    title="Aki",
    created_at=MORNING,
    updated_at=MORNING,
    consent=CONSENT,
    consented_at=MORNING,
    report=REPORT,
)


def fields(card: discord.Embed) -> dict[str | None, Any]:
    return {field.name: field.value for field in card.fields}


def test_what_was_heard_is_shown_in_figures_and_words() -> None:
    card = heard_card("My *own* voice", REPORT)

    assert card.title == r"My \*own\* voice"
    assert card.description == "Good: 18 s of clear speech."
    assert fields(card) == {
        "Speech": "18.0 s of 20.2 s",
        "Level": "-19 LUFS",
        "Noise": "-61 dBFS",
        "Clipping": "none",
    }
    assert card.image.url == "attachment://waveform.png"


def test_a_poor_recording_that_may_be_used_says_what_comes_of_it() -> None:
    clipped = "Clipped: turn the microphone down and record again."

    card = heard_card("Aki", replace(REPORT, grade="poor", sentence=clipped))

    assert card.description == f"{clipped} You can go on, but the voice will sound rough."


@pytest.mark.parametrize(("share", "words"), [(0.0004, "none"), (0.004, "0.4% of it"), (0.5, "50.0% of it")])
def test_clipping_is_told_where_there_is_any(share: float, words: str) -> None:
    assert fields(heard_card("Aki", replace(REPORT, clipped=share)))["Clipping"] == words


def test_a_voice_is_shown_with_all_that_is_known_of_it() -> None:
    voice = replace(
        VOICE,
        description="for _stories_",
        tags=("warm", "deep"),
        languages=("en", "de"),
        use_count=3,
        last_used_at=MORNING,
    )

    card = voice_card(voice, label="a fake", is_default=True)

    assert card.title == "Aki (your default)"
    assert card.description == r"for \_stories\_"
    assert fields(card) == {
        "State": "ready",
        "Made by": "a fake",
        "Visible to": "you alone",
        "Sample": "18.0 s of speech",
        "Lines spoken": "3",
        "Last spoken": "<t:1772353800:R>",
        "Tags": "warm, deep",
        "Languages": "en, de",
        "Made": "<t:1772353800:D>",
        "Changed": "<t:1772353800:R>",
        "You confirmed": f"“{CONSENT}” <t:1772353800:f>",
    }
    assert card.image.url == "attachment://waveform.png"


def test_a_voice_of_which_little_is_known_is_shown_without_empty_fields() -> None:
    card = voice_card(replace(VOICE, report=None, visibility="public"), label="a fake", is_default=False)

    assert card.title == "Aki"
    assert card.image.url is None
    assert all(fields(card).values())
    assert fields(card)["Last spoken"] == "never"
    assert fields(card)["Visible to"] == "everybody"
    assert not {"Sample", "Tags", "Languages"} & set(fields(card))


def test_without_a_description_the_sample_is_described() -> None:
    assert voice_card(VOICE, label="a fake", is_default=False).description == REPORT.sentence


def test_the_longest_card_is_one_that_discord_takes() -> None:
    longest = replace(
        VOICE, name="*" * 31 + "x", description="_" * 300, tags=tuple(f"{n}" + "*" * 23 for n in range(10))
    )

    card = voice_card(longest, label="a fake", is_default=True)

    assert len(card) <= 6000
    assert len(card.title or "") <= 256
    assert all(len(field.value or "") <= 1024 for field in card.fields)
    page = VoicePage(voices=(longest,) * 10, total=1000, default_id=longest.id)
    assert len(list_card(page, offset=990).description or "") <= 4096


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("unknown", "being made"),
        ("created", "waiting"),
        ("training", "being made"),
        ("trained", "ready"),
        ("failed", "clone again"),
    ],
)
def test_every_state_is_said_in_words(state: VoiceState, words: str) -> None:
    voice = replace(VOICE, state=state)

    assert words in fields(voice_card(voice, label="a fake", is_default=False))["State"]
    assert words in str(list_card(VoicePage(voices=(voice,), total=1), offset=0).description)


def test_a_list_numbers_its_lines_and_marks_the_default() -> None:
    voices = (VOICE, replace(VOICE, id="b" * 32, name="B_o", use_count=1))

    card = list_card(VoicePage(voices=voices, total=12, default_id="b" * 32), offset=10)

    assert card.title == "Your 12 voices"
    assert str(card.description).splitlines() == [
        "11. **Aki**: ready, 0 lines spoken",
        r"12. **B\_o**: ready, 1 line spoken · your default",
    ]


def test_a_list_of_one_says_so() -> None:
    assert list_card(VoicePage(voices=(VOICE,), total=1), offset=0).title == "Your voice"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Aki", "aki.ogg"),
        ("Aki the Great", "aki-the-great.ogg"),
        ("../../etc", "etc.ogg"),
        ("九官鳥", "voice.ogg"),
        ("Ünder 2", "nder-2.ogg"),
    ],
)
def test_a_file_is_named_after_its_voice_in_plain_letters(name: str, file: str) -> None:
    with audio_file(b"sound", name, "ogg").fp as content:
        assert content.read() == b"sound"
    assert audio_file(b"", name, "ogg").filename == file


def test_a_picture_is_attached_under_the_name_the_cards_show() -> None:
    picture = picture_file(b"png")

    assert f"attachment://{picture.filename}" == heard_card("Aki", REPORT).image.url
    assert picture.description
