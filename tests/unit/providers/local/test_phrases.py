import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.local.phrases import split


def test_sentences_become_phrases_with_pauses_after_them() -> None:
    phrases = split("Hello there! How are you? Fine")

    assert [phrase.text for phrase in phrases] == ["Hello there!", "How are you?", "Fine"]
    assert phrases[0].pause > phrases[2].pause > 0


def test_numbers_are_not_torn_at_their_points() -> None:
    assert [phrase.text for phrase in split("It is 3.14 or 1,000.50 now.")] == ["It is 3.14 or 1,000.50 now."]


def test_first_phrase_of_a_long_sentence_is_short_and_ends_at_a_clause() -> None:
    text = (
        "When the rain had stopped at last, we went out into the garden to look for the cat, " + "and we called " * 20
    )

    phrases = split(text)

    assert phrases[0].text.endswith(",")
    assert len(phrases[0].text) <= 90


def test_chinese_sentences_are_cut_without_spaces() -> None:
    assert [phrase.text for phrase in split("你好。世界!再见")] == ["你好。", "世界!再见"]


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_nothing_makes_no_phrase(text: str) -> None:
    assert split(text) == ()


@given(st.text(max_size=1500))
def test_no_word_is_lost_and_no_phrase_is_long(text: str) -> None:
    phrases = split(text)

    assert "".join("".join(phrase.text for phrase in phrases).split()) == "".join(text.split())
    assert all(0 < len(phrase.text) <= 181 for phrase in phrases)
