"""A text cut into sentences, each to be spoken by itself. Knows no voice and no model.

Where sentences end is told by `sentencex` (Wikimedia), which has to know the language; that is told from the letters.
What it gives is then made fit to be spoken: nothing too short to sound well, nothing too long to be waited for.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from sentencex import segment

MOST = 300
"""Characters in a sentence, but for signs at its end that nobody speaks."""
SHORT = 12
"""Letters below which a sentence joins its neighbour."""
_FIRST_WORDS = 2
"""Words with which the first sentence may be short: it is what is heard first."""
_FIRST_LETTERS = 4
"""The same where words are not told apart by spaces."""
_HEAD = 60
_TAIL = 24
"""Least characters before and behind a cut in what is too long."""

_LATIN = ("en", "es", "fr", "nl", "pl", "pt")
"""Latin letters do not tell the language: a sentence ends where all of these agree that no abbreviation does."""
_GERMAN = frozenset("äöüßÄÖÜ")
_LANGUAGES = {
    "CJK": "zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "ETHIOPIC": "am",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "TIBETAN": "bo",
}
_KANA = ("HIRAGANA", "KATAKANA")
_DENSE = frozenset(_LANGUAGES) - {"CYRILLIC", "GREEK", "ARMENIAN", "GEORGIAN", "ARABIC", "HEBREW", "THAI", "LAO"}
"""One letter is a syllable or more, whatever is written around it."""
_SPACELESS = frozenset(("CJK", *_KANA, "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"))

_TAG = re.compile(r"\[[^\[\]\n]{1,80}\]|\([^()\n]{1,80}\)")
# ends the library does not know: of Khmer, and of what is shouted in small letters
_ENDS = re.compile(r"[។៕]+\s*|[!?]{2,}\s+")
_NUMBER = re.compile(r"(?:^|\s)\d{1,2}\.$")
_GOES_ON = re.compile(r"(?<=[」』])(?=[とっ])")
"""Behind what was said in Japanese comes who said it."""
_CLAUSE = re.compile(r"[;:,–—،؛]\s+|[、，；：]\s*")
_SPACE = re.compile(r"\s+")


def split_sentences(text: str) -> tuple[str, ...]:
    """Cut a text into sentences that can be spoken one by one; none where nothing but white space is in it.

    Joined they are the text but for white space between them. Each has a letter or digit outside of tags, where any
    is; none has more than 300 characters, but for signs at its end that nobody speaks; tags stay whole.
    """
    pieces = _lengthen(text, [0, *_ends(text)])
    parts = _gather(text, [cut for start, end in pairwise(pieces) for cut in _shorten(text, start, end)])
    sentences = (text[start:end].strip() for start, end in pairwise(parts))
    return tuple(sentence for sentence in sentences if sentence)


def _ends(text: str) -> list[int]:
    """Find where sentences end, in the language of the whole and then in that of each piece; the last is the end."""
    languages = _languages(text)
    ends = _agreed(text, languages)
    for start, end in pairwise([0, *sorted(ends)]):
        own = _languages(text[start:end])
        if own != languages:
            ends |= {start + each for each in _agreed(text[start:end], own)}
    ends |= {found.end() for found in _ENDS.finditer(text)}
    ends -= _inside_tags(text) | {found.start() for found in _GOES_ON.finditer(text)}
    return sorted(ends | {len(text)})


def _agreed(text: str, languages: Sequence[str]) -> set[int]:
    """Find where the library ends sentences in each of these languages."""
    return set.intersection(*(_marks(text, language) for language in languages))


def _marks(text: str, language: str) -> set[int]:
    marks, place = set[int](), 0
    for piece in segment(language, text):
        place += len(piece)
        # languages differ in which sentence the white space belongs to
        space = _SPACE.match(text, place)
        marks.add(space.end() if space else place)
    return marks | {len(text)}


def _languages(text: str) -> tuple[str, ...]:
    scripts = Counter(_script(c) for c in text if c.isalpha())
    if not scripts:
        return ("en",)
    script = scripts.most_common(1)[0][0]
    if script == "CJK" and any(scripts[kana] for kana in _KANA):
        return ("ja",)
    if script in _LANGUAGES:
        return (_LANGUAGES[script],)
    return (*_LATIN, "de") if _GERMAN & set(text) else _LATIN


@lru_cache(maxsize=4096)
def _script(sign: str) -> str:
    return unicodedata.name(sign, "").partition(" ")[0]


def _inside_tags(text: str) -> set[int]:
    return {place for tag in _TAG.finditer(text) for place in range(tag.start() + 1, tag.end())}


def _lengthen(text: str, cuts: Sequence[int]) -> list[int]:
    """Leave out the cuts after what is short; the last of it joins what came before."""
    kept = [0]
    for start, end in pairwise(cuts):
        piece = text[kept[-1] : end].strip()
        if len(kept) > 1 and kept[-1] == start and not _weight(piece):
            kept[-1] = end
        elif not _NUMBER.search(piece) and (_weight(piece) >= SHORT or (len(kept) == 1 and _may_begin(piece))):
            kept.append(end)
    return [*kept[: max(1, len(kept) - 1)], len(text)] if kept[-1] != len(text) else kept


def _weight(piece: str) -> int:
    """Count the letters and digits outside of tags; those that are syllables count twice."""
    return sum(2 if _script(c) in _DENSE else 1 for c in _TAG.sub("", piece) if c.isalnum())


def _may_begin(piece: str) -> bool:
    """Say whether a short sentence may be the first."""
    words = [word for word in _TAG.sub(" ", piece).split() if any(c.isalnum() for c in word)]
    signs = sum(_script(c) in _SPACELESS for word in words for c in word)
    return len(words) >= _FIRST_WORDS or signs >= _FIRST_LETTERS


def _shorten(text: str, start: int, end: int) -> Iterator[int]:
    """Cut what is too long between clauses, else words, else signs; give the cuts and the start."""
    yield start
    while len(text[start:end].strip()) > MOST:
        space = _SPACE.match(text, start)
        start = space.end() if space else start
        start += _cut(text[start:end].rstrip())
        yield start


def _cut(piece: str) -> int:
    most = min(MOST, len(piece) - _TAIL)
    tags = _inside_tags(piece[: MOST + 100])
    for pattern in (_CLAUSE, _SPACE):
        # white space behind a cut does not count
        places = (found.start() + len(found[0].rstrip()) for found in pattern.finditer(piece, 0, most + 1))
        fit = [place for place in places if _HEAD <= place <= most and place not in tags]
        if fit:
            return fit[-1]
    return next((n for n in range(most, _HEAD, -1) if n not in tags and not _is_one(piece[n - 1], piece[n])), most)


def _is_one(before: str, after: str) -> bool:
    """Say whether two characters may be parts of one sign."""
    return (
        unicodedata.category(after).startswith("M")
        or after in "\u200c\u200dำຳ"
        or before in "\u200dเแโใไເແໂໃໄ"
        or unicodedata.combining(before) == 9
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
        or ("\u1100" <= before <= "\u11ff" and "\u1160" <= after <= "\u11ff")
    )


def _gather(text: str, starts: Sequence[int]) -> list[int]:
    """Leave out the cuts on one side of which there is nothing to say."""
    kept = [0]
    for start, end in pairwise([*starts[1:], len(text)]):
        if _weight(text[kept[-1] : start]) and _weight(text[start:end]):
            kept.append(start)
    return [*kept, len(text)]
