import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.markup import FISH_S1, FISH_S2, PLAIN, Markup, fish_markup


@pytest.mark.parametrize(
    ("model", "markup"),
    [
        ("s1", FISH_S1),
        ("s2-pro", FISH_S2),
        ("s2.1-pro", FISH_S2),
        ("s2.1-pro-free", FISH_S2),
        ("speech-1.6", PLAIN),
        ("", PLAIN),
    ],
)
def test_each_model_has_its_markup(model: str, markup: Markup) -> None:
    assert fish_markup(model) is markup


@pytest.mark.parametrize(
    ("written", "s1", "s2", "plain"),
    [
        ("Hello.", "Hello.", "Hello.", "Hello."),
        ("(happy) Hello.", "(happy) Hello.", "[happy] Hello.", "Hello."),
        ("[happy] Hello.", "(happy) Hello.", "[happy] Hello.", "Hello."),
        ("[ Happy ] Hello.", "(Happy) Hello.", "[Happy] Hello.", "Hello."),
        ("Oh [sigh] no.", "Oh (sigh) no.", "Oh [sigh] no.", "Oh no."),
        ("(in a hurry tone) Go!", "(in a hurry tone) Go!", "[in a hurry tone] Go!", "Go!"),
        ("[whisper] Quiet.", "Quiet.", "[whisper] Quiet.", "Quiet."),
        ("[speaking slowly] So.", "[speaking slowly] So.", "[speaking slowly] So.", "[speaking slowly] So."),
        ("Ann (my aunt) came.", "Ann (my aunt) came.", "Ann (my aunt) came.", "Ann (my aunt) came."),
        ("(happy)(sad) Hm.", "(happy)(sad) Hm.", "[happy][sad] Hm.", "Hm."),
        ("a () [] b", "a () [] b", "a () [] b", "a () [] b"),
        ("(happy", "(happy", "(happy", "(happy"),
        ("(happy]", "(happy]", "(happy]", "(happy]"),
    ],
)
def test_tags_are_written_as_the_model_takes_them(written: str, s1: str, s2: str, plain: str) -> None:
    assert [each.write(written) for each in (FISH_S1, FISH_S2, PLAIN)] == [s1, s2, plain]


@pytest.mark.parametrize(
    ("style", "s1", "s2", "plain"),
    [
        ("happy", "(happy) Hi", "[happy] Hi", "Hi"),
        ("[happy]", "(happy) Hi", "[happy] Hi", "Hi"),
        ("whisper", "Hi", "[whisper] Hi", "Hi"),
        ("almost crying", "Hi", "[almost crying] Hi", "Hi"),
        ("", "Hi", "Hi", "Hi"),
        ("  ", "Hi", "Hi", "Hi"),
        ("]<|speaker:1|>[", "Hi", "[speaker:1] Hi", "Hi"),
    ],
)
def test_a_style_goes_before_the_words_where_it_is_known(style: str, s1: str, s2: str, plain: str) -> None:
    assert [each.write("Hi", style) for each in (FISH_S1, FISH_S2, PLAIN)] == [s1, s2, plain]


@pytest.mark.parametrize("markup", [FISH_S1, FISH_S2])
def test_every_tag_that_is_offered_is_taken(markup: Markup) -> None:
    assert len(set(markup.tags)) == len(markup.tags)
    for tag in markup.tags:
        assert markup.takes(tag.upper())
        assert tag in markup.write("Hi", tag)


@given(st.text(alphabet="<|>()[] happy", max_size=40), st.text(alphabet="<|>()[] happy", max_size=40))
@pytest.mark.parametrize("markup", [FISH_S1, FISH_S2, PLAIN])
def test_orders_to_an_engine_come_from_no_style_and_no_dropped_tag(markup: Markup, text: str, style: str) -> None:
    harmless = text.replace("<|", "< |")

    assert "<|" not in markup.write(harmless, style)


@given(st.text())
@pytest.mark.parametrize("markup", [FISH_S1, FISH_S2, PLAIN])
def test_writing_twice_writes_the_same(markup: Markup, text: str) -> None:
    assert markup.write(markup.write(text)) == markup.write(text)


@pytest.mark.parametrize("markup", [FISH_S1, FISH_S2, PLAIN])
def test_people_read_the_words_without_known_tags_and_with_other_brackets(markup: Markup) -> None:
    assert markup.show("[happy] Hello (Sigh) my (old) friend [you]") == "Hello my (old) friend [you]"
