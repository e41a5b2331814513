"""How names are compared, and that the nouns cannot be changed."""

import dataclasses
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import models
from bot.models import VoicePage, name_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Aki", "aki"),
        ("Aki", "ＡＫＩ"),
        ("Straße", "STRASSE"),
        ("Élodie", "E\u0301LODIE"),
        ("ﬁn", "FIN"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("  two \t words ", "two words"),
        ("two\u00a0words", "Two\u3000Words"),
    ],
)
def test_names_that_look_alike_compare_equal(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("Aki", "Aki2"), ("Elodie", "Élodie"), ("twowords", "two words")])
def test_names_that_differ_compare_unequal(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


# without the Turkish dotless i, whose capital is the capital of another letter
@given(st.text(st.characters(max_codepoint=0x24F, exclude_characters="ı")))
def test_the_case_of_a_name_does_not_matter(name: str) -> None:
    assert name_key(name.upper()) == name_key(name.casefold()) == name_key(name)


@given(st.text())
def test_the_way_accents_are_typed_does_not_matter(name: str) -> None:
    assert name_key(unicodedata.normalize("NFD", name)) == name_key(unicodedata.normalize("NFC", name))


@given(st.text())
def test_white_space_around_a_name_does_not_matter(name: str) -> None:
    assert name_key(f" \t{name}\u2003\n") == name_key(name)


@given(st.text())
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


def test_no_key_holds_an_ascii_capital() -> None:
    """LIKE of SQLite folds these itself, and would find what other databases do not."""
    for code in range(0x110000):
        assert not set(name_key(chr(code))) & set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.mark.parametrize("noun", [noun for noun in vars(models).values() if dataclasses.is_dataclass(noun)])
def test_every_noun_is_frozen_slotted_and_named_by_keyword(noun: type) -> None:
    assert vars(noun)["__dataclass_params__"].frozen
    assert all(field.kw_only for field in dataclasses.fields(noun))
    assert "__slots__" in vars(noun)


def test_an_empty_page_says_so() -> None:
    assert VoicePage() == VoicePage(voices=(), total=0, default_id=None)
