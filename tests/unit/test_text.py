"""What is read aloud of what was written, and which names a voice may have."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import SpeechError
from bot.text import clean_name, clean_tags, clean_text

LIMIT = 5_000
HOSTILE = "<@#&:!t/a>|*_~`[](){}.\\\n\t 1xé\u200b\u200d\u202e\u0301\ud800https://`"


def spoken(text: str) -> str:
    return clean_text(text, limit=LIMIT)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Hello there.", "Hello there."),
        ("  two\n\nlines\t here ", "two lines here"),
        ("ask <@123> and <@!456>", "ask someone and someone"),
        ("<@&789> come to <#42>", "a role come to a channel"),
        ("</voices list:1234> shows them", "voices list shows them"),
        ("at <t:1700000000:R> or <t:-5>", "at a time or a time"),
        ("well <:done_1:123456> <a:party:42>", "well done_1 party"),
        ("see https://example.com/a?b=c#d now", "see link now"),
        ("see <HTTPS://EXAMPLE.COM>, now", "see link , now"),
        ("read [the manual](https://example.com/x) first", "read the manual first"),
        ("read [the manual](<https://example.com/x>) first", "read the manual first"),
        ("**bold** and __under__ and ~~gone~~ and ||secret||", "bold and under and gone and secret"),
        ("*leaning* _too_ and `code`", "leaning too and code"),
        ("```py\nprint(1)\n``` then", "print(1) then"),
        ("```just this```", "just this"),
        ("2*3 is six, snake_case stays", "2*3 is six, snake_case stays"),
        ("nooooooooooooo", "noooo"),
        ("!!!!!!!!!!!!!!! stop", "!!!! stop"),
        ("it costs 1000000000", "it costs 1000000000"),
        ("caf\u0065\u0301", "café"),
        ("\u200fshalom\u200e \u2067you\u2069", "shalom you"),
        ("in\u00advis\u200bi\ufeffble", "invisible"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("half \ud83d a pair", "half a pair"),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("@everyone look", "@everyone look"),
    ],
)
def test_text_is_read_as_words(written: str, words: str) -> None:
    assert spoken(written) == words


@pytest.mark.parametrize("written", ["<|endoftext|>", "<**|endoftext|>", "<__|x|>", "<\u200b|x|>"])
def test_orders_to_engines_are_taken_apart(written: str) -> None:
    assert "<|" not in spoken(written)


@pytest.mark.parametrize("text", ["", "   ", "\n\t\u3000"])
def test_no_text_is_refused(text: str) -> None:
    with pytest.raises(SpeechError, match="no text"):
        spoken(text)


@pytest.mark.parametrize("text", ["...", "🦜🦜", "\u200b\u202e", "****", "| |", "``````"])
def test_text_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(SpeechError, match="nothing to say"):
        spoken(text)


def test_text_over_the_limit_is_refused_with_both_figures() -> None:
    assert clean_text("x." * 500, limit=1_000)
    with pytest.raises(SpeechError, match=r"5,000 characters and I can say 1,000"):
        clean_text("x" * 5_000, limit=1_000)


@settings(deadline=None)
@given(st.text(max_size=LIMIT) | st.text(HOSTILE, max_size=LIMIT))
def test_whatever_is_written_is_read_clean_or_refused(text: str) -> None:
    try:
        words = spoken(text)
    except SpeechError:
        return
    assert words == " ".join(words.split())
    assert any(c.isalnum() for c in words)
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Co"} for c in words)
    assert "<|" not in words
    words.encode()


@settings(deadline=None)
@given(st.text(HOSTILE, min_size=1, max_size=12), st.text(HOSTILE, max_size=3))
def test_hostile_repetition_of_the_greatest_length_is_read_in_time(piece: str, end: str) -> None:
    text = (piece * LIMIT)[: LIMIT - len(end)] + end
    try:
        assert spoken(text)
    except SpeechError:
        return


@pytest.mark.parametrize(
    "piece",
    ["[", "[a](http://", "[" + "a" * 400, "```", "``` ```a", "<:a", "</a", "<a:" + "b" * 50, "a*", "*_", "<t:1"],
)
def test_markup_that_never_closes_is_read_in_time(piece: str) -> None:
    assert spoken(("x" + piece * LIMIT)[:LIMIT])


# names


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Aki", "Aki"),
        ("  Aki \n the  parrot ", "Aki the parrot"),
        ("Ａｋｉ", "Aki"),
        ("Übermütig", "Übermütig"),
        ("\u0645\u0631\u062d\u0628\u0627", "\u0645\u0631\u062d\u0628\u0627"),
        ("九官鳥", "九官鳥"),
        ("7", "7"),
        ("Aki 🦜", "Aki 🦜"),
        ("x" * 32, "x" * 32),
        ("O'Neil (deep)", "O'Neil (deep)"),
    ],
)
def test_a_name_is_kept_tidied(written: str, kept: str) -> None:
    assert clean_name(written) == kept


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        (" \t\n\u3000", "empty"),
        ("x" * 200, "200 characters"),
        ("x" * 33, "33 characters"),
        ("\ufdfa" * 2, "36 characters"),
        ("🦜", "letter or digit"),
        ("!!!", "letter or digit"),
        ("\u0301", "letter or digit"),
        ("\u2800", "letter or digit"),
        ("@everyone", "may not contain"),
        ("＠here", "may not contain"),
        ("<@123>", "may not contain"),
        ("`code`", "may not contain"),
        ("https://x.y", "may not contain"),
        ("a/b", "may not contain"),
        ("a\\b", "may not contain"),
        ("A\u200bki", "invisible"),
        ("\u200eAki\u200f", "invisible"),
        ("\u202eikA", "invisible"),
        ("\u2066Aki\u2069", "invisible"),
        ("\u00adAki", "invisible"),
        ("\u3164", "invisible"),
        ("\u115fAki", "invisible"),
        ("Aki\x00", "invisible"),
        ("Aki\ud800", "invisible"),
        ("Aki\ue000", "invisible"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        clean_name(name)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_name_that_is_taken_stays_as_it_is_when_it_is_taken_again(name: str) -> None:
    try:
        kept = clean_name(name)
    except ValueError:
        return
    assert clean_name(kept) == kept
    assert 1 <= len(kept) <= 32


# tags


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", ()),
        (" , ,,", ()),
        ("warm", ("warm",)),
        (" warm ,deep  voice, warm", ("warm", "deep voice")),
        ("Ｗarm", ("Warm",)),
        ("x" * 40, ("x" * 24,)),
        ("a" * 23 + " b", ("a" * 23,)),
        (",".join(f"tag {n}" for n in range(15)), tuple(f"tag {n}" for n in range(10))),
        ("ca\u202elm\u200b, \u200b, \ud800", ("calm",)),
    ],
)
def test_tags_are_split_tidied_and_bounded(written: str, kept: tuple[str, ...]) -> None:
    assert clean_tags(written) == kept
