"""Sentences kept in memory: bounded, the least recently spoken goes first, nothing of a voice that is gone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cache import SentenceKey, SpeechCache

KEY = SentenceKey(voice_id="a", remote_id="r", provider="fake", words="Hello there.", speed=1.0)
PACKETS = (b"x" * 100,) * 10


def _key(words: str, voice_id: str = "a") -> SentenceKey:
    return replace(KEY, words=words, voice_id=voice_id)


def test_a_kept_sentence_is_given_back() -> None:
    cache = SpeechCache(100_000)

    cache.put(KEY, list(PACKETS), era=cache.era)

    assert cache.get(KEY) == PACKETS


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, voice_id="b"),
        replace(KEY, remote_id=None),
        replace(KEY, provider="x"),
        replace(KEY, words="Hello"),
        replace(KEY, speed=1.5),
    ],
)
def test_what_sounds_different_is_another_sentence(other: SentenceKey) -> None:
    cache = SpeechCache(100_000)
    cache.put(KEY, PACKETS, era=cache.era)

    assert cache.get(other) is None


def test_the_least_recently_spoken_goes_first() -> None:
    cache = SpeechCache(20_000)
    cache.put(_key("first"), PACKETS, era=0)
    one = cache.size
    for number in range(20_000 // one - 1):
        cache.put(_key(f"n{number:03}x"), PACKETS, era=0)
    assert cache.get(_key("first")) == PACKETS

    cache.put(_key("more."), PACKETS, era=0)

    assert cache.get(_key("n000x")) is None
    assert cache.get(_key("first")) == PACKETS


def test_a_sentence_larger_than_an_eighth_is_not_kept() -> None:
    cache = SpeechCache(8_000)

    cache.put(KEY, (b"x" * 1_000,), era=0)

    assert cache.get(KEY) is None
    assert cache.size == 0


def test_a_long_sentence_drives_out_as_many_short_ones_as_it_needs_room_for() -> None:
    cache = SpeechCache(40_000)
    for number in range(100):
        cache.put(_key(f"n{number:03}"), (b"x",), era=0)

    cache.put(_key("long"), (b"x" * 4_000,), era=0)

    assert cache.get(_key("long")) is not None
    assert cache.size <= 40_000


def test_the_words_count_as_well_as_the_sound() -> None:
    cache, other = SpeechCache(100_000), SpeechCache(100_000)

    cache.put(_key("x" * 1_000), PACKETS, era=0)
    other.put(_key("x"), PACKETS, era=0)

    assert cache.size == other.size + 999


def test_no_room_keeps_nothing() -> None:
    cache = SpeechCache(0)

    cache.put(KEY, PACKETS, era=0)

    assert cache.get(KEY) is None


def test_a_forgotten_voice_leaves_nothing_and_others_stay() -> None:
    cache = SpeechCache(100_000)
    cache.put(_key("one"), PACKETS, era=0)
    cache.put(_key("one", "b"), PACKETS, era=0)
    both = cache.size

    cache.forget("a")

    assert cache.get(_key("one")) is None
    assert cache.get(_key("one", "b")) == PACKETS
    assert cache.size == both / 2


def test_what_was_in_the_making_when_a_voice_was_forgotten_is_not_kept() -> None:
    cache = SpeechCache(100_000)
    era = cache.era
    cache.forget("a")

    cache.put(KEY, PACKETS, era=era)

    assert cache.get(KEY) is None


@given(
    st.lists(
        st.tuples(st.sampled_from("pgf"), st.sampled_from("abc"), st.integers(0, 9), st.integers(1, 30)), max_size=80
    )
)
def test_the_size_stays_within_bounds_and_is_what_is_kept(acts: list[tuple[str, str, int, int]]) -> None:
    cache = SpeechCache(40_000)
    for act, voice_id, number, count in acts:
        match act:
            case "p":
                cache.put(_key(str(number), voice_id), (b"x" * 80,) * count, era=cache.era)
            case "g":
                cache.get(_key(str(number), voice_id))
            case _:
                cache.forget(voice_id)
        assert 0 <= cache.size <= 40_000
    for voice_id in "abc":
        cache.forget(voice_id)

    assert cache.size == 0
