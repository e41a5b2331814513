"""Texts cut into sentences: a table of languages, and what holds for every text."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sentences import MOST, split_sentences

PARTS = (
    ". ! ? ... … 。 ！ ？ 、 , ; : – \" ' 「 」 ( ) [ ] 1. 3.14 e.g. Dr. ។ । [happy] (sigh) word Wort слово "
    "言葉 สวัสดี कि a\u0301 👍🏽 👨\u200d👩\u200d👧"
)
LONG = ("x" * 120, "!?" * 80, "語" * 150, "two words ", " ", "  ", "\n")
TEXTS = st.lists(st.one_of(st.sampled_from((*PARTS.split(), *LONG)), st.text(max_size=20)), max_size=40).map("".join)


def _bare(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    "written",
    [
        "Dr. Smith met Mr. Jones at 5 p.m. yesterday.|They talked for 3.14 hours.",
        "The U.S. Army arrived at dawn.|It was still late.",
        "We need some fruit, e.g. apples and pears.|Then go and buy some.",
        "I don't know...|Maybe tomorrow morning.",
        'He said "Stop! Go back." and ran away.|Then it rained.',
        '"Are you sure about it?" she asked.|"Yes, I really am."',
        "Version 2.0.1 is out.|Download it from example.com today.",
        "It costs $3.50 in the shop.|That is really cheap.",
        "this is so nice!!!|and now we go home",
        "The meeting is on Jan. 5 at No. 10 again.|Please come early.",
        "Das ist z. B. Herr Dr. Müller.|Er kommt am 3. Oktober nach Köln.",
        "Sie hat evtl. Zeit für uns heute.|Er wohnt in der Kaiserstr. 5 in Köln.",
        "Wir treffen uns um 10 Uhr.|Bringst du das Buch mit?",
        "Er sagte: „Komm sofort her!“ und ging.|Dann war es still.",
        "M. Dupont est arrivé.|Il était très en retard !|Pourquoi donc était-il là ?",
        "« Bonjour à tous ! » dit-il gaiement.|Elle lui sourit aussi.",
        "¿Cómo estás hoy?|¡Muy bien, gracias!|El Sr. García llegó a las 3.30 de la tarde.",
        "O Dr. Silva chegou cedo.|Ele está na sala.",
        "Dat is bijv. een goed idee.|Ik kom morgen wel.",
        "To jest np. czarny kot.|Pani doktor przyszła.",
        "Это г. Москва.|Здесь живёт А. С. Пушкин.",
        "Он сказал: «Привет!» и ушёл.|Потом стало тихо.",
        "Πού είσαι τώρα;|Είμαι εδώ στο σπίτι.",
        "今日は天気がいいですね。|散歩に行きましょう！",
        "彼は「待って。行かないで！」と言った。|そして泣いていた。",
        "你今天过得怎么样？|我觉得非常好！",
        "他说：“我们一起走吧。”|然后他就走了。",
        "안녕하세요 여러분.|오늘 날씨가 좋네요!",
        "मैं आज बहुत खुश हूँ।|आप कैसे हैं मेरे दोस्त?",
        "مرحبا يا صديقي العزيز.|كيف حالك اليوم يا أخي؟",
        "السلام علیکم دوستو۔|آپ آج کیسے ہیں جناب؟",
        "မင်္ဂလာပါခင်ဗျာ။|နေကောင်းလားခင်ဗျာ။",
        "សួស្តីបងប្អូនទាំងអស់គ្នា។|តើអ្នកសុខសប្បាយទេ?",
        "ສະບາຍດີທຸກຄົນເດີ້.|ເຈົ້າສະບາຍດີບໍມື້ນີ້?",
        "สวัสดีครับทุกคน!|วันนี้อากาศดีมากไปเดินเล่นกันไหม?",
        "שלום לכולם פה.|מה שלומכם היום חברים?",
        "Merhaba arkadaşlar.|Nasılsınız bugün acaba?",
        "How are you doing, my friend?|今日はとても元気です。|散歩に行きましょう！",
    ],
)
def test_sentences_end_where_people_end_them(written: str) -> None:
    sentences = written.split("|")
    dense = unicodedata.name(sentences[0][-1]).startswith(("IDEOGRAPHIC", "FULLWIDTH")) or "”" in written

    assert split_sentences(("" if dense else " ").join(sentences)) == tuple(sentences)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Good morning. This is the news of today.", ("Good morning.", "This is the news of today.")),
        ("Hello! This is the news of today.", ("Hello! This is the news of today.",)),
        ("This is the news of today. Bye.", ("This is the news of today. Bye.",)),
        ("This is the news. Oh. No. It rains again.", ("This is the news.", "Oh. No. It rains again.")),
        ("おはよう。今日は天気がいいですね。", ("おはよう。", "今日は天気がいいですね。")),
        ("1. Open the front door. 2. Go outside.", ("1. Open the front door. 2. Go outside.",)),
    ],
)
def test_what_is_short_joins_its_neighbour_unless_it_is_heard_first(text: str, sentences: tuple[str, ...]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize("rest", ["!!! ???", "😀😀", "[sigh]", "— … —"])
def test_what_has_nothing_to_say_joins_its_neighbour(rest: str) -> None:
    assert split_sentences(f"This is the news of today. {rest}") == (f"This is the news of today. {rest}",)
    assert split_sentences(f"{rest} This is the news of today.") == (f"{rest} This is the news of today.",)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("many words go by, and so on " * 20, ","),
        ("many words go by " * 30, ("many", "words", "go", "by")),
        ("長い文が続いて、" * 60, "、"),
    ],
)
def test_a_long_sentence_is_cut_between_clauses_or_words(text: str, end: str | tuple[str, ...]) -> None:
    sentences = split_sentences(text)

    assert all(20 < len(sentence) <= MOST for sentence in sentences)
    assert all(sentence.endswith(end) for sentence in sentences[:-1])


@pytest.mark.parametrize("sign", ["a\u0301", "👍🏽", "🇩🇪", "คำ", "कि", "👩\u200d🚀"])
def test_signs_without_spaces_are_cut_between_what_is_one_sign(sign: str) -> None:
    text = f"x{sign * 400}" if any(c.isalnum() for c in sign) else f"{sign}a" * 300

    for sentence in split_sentences(text):
        assert not unicodedata.category(sentence[0]).startswith("M")
        assert sentence[0] not in "\u200dำ🏽🚀🇪"


@pytest.mark.parametrize("tag", ["[very. sad. and tired]", "(in a hurry tone)"])
def test_tags_are_not_torn_apart(tag: str) -> None:
    for before in range(260, 310):
        sentences = split_sentences("x" * before + tag + "y" * 200 + f". And {tag} then more words.")
        assert sum(sentence.count(tag) for sentence in sentences) == 2


@pytest.mark.parametrize("tag", ["[very loudly!! and happily so]", "(is that so?! said with a smile)"])
def test_no_sentence_ends_inside_a_tag(tag: str) -> None:
    text = f"We shout {tag} and then go home."

    assert split_sentences(text) == (text,)


def test_nothing_makes_no_sentence() -> None:
    assert split_sentences("") == split_sentences(" \n ") == ()


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_nothing_but_white_space_is_lost_and_the_order_stays(text: str) -> None:
    assert _bare("".join(split_sentences(text))) == _bare(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_each_sentence_can_be_spoken_and_none_is_endless(text: str) -> None:
    sentences = split_sentences(text)

    if any(c.isalnum() for c in text):
        assert all(any(c.isalnum() for c in sentence) for sentence in sentences)
    for sentence in sentences:
        assert sentence == sentence.strip()
        letters = [n for n, c in enumerate(sentence) if c.isalnum()]
        assert len(letters) <= MOST


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd", "Zs", "Mn")), max_size=3000))
def test_words_alone_make_no_sentence_over_300_characters(text: str) -> None:
    assert all(len(sentence) <= MOST for sentence in split_sentences(f"a {text}"))


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_cutting_again_changes_nothing_of_the_words(text: str) -> None:
    again = [part for sentence in split_sentences(text) for part in split_sentences(sentence)]

    assert _bare("".join(again)) == _bare(text)
