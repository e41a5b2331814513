"""What is written, made fit to be spoken. Knows Discord's markup by its shape only."""

import re
import unicodedata

from bot.errors import SpeechError

_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"```(?:\w*\n)?(.*?)```", re.DOTALL), r" \1 "),
    (re.compile(r"<a?:(\w+):\d+>"), r" \1 "),
    (re.compile(r"<@&\d+>"), " a role "),
    (re.compile(r"<@!?\d+>"), " someone "),
    (re.compile(r"<#\d+>"), " a channel "),
    (re.compile(r"</([^:>]{1,100}):\d+>"), r" \1 "),
    (re.compile(r"<t:-?\d+(?::\w)?>"), " a time "),
    (re.compile(r"\[([^\]]{1,500})\]\(<?https?://[^)\s]{1,2000}\)", re.IGNORECASE), r"\1"),
    (re.compile(r"<?https?://[^\s>]+>?", re.IGNORECASE), " link "),
    (re.compile(r"[*_~|`]{2,}|(?<!\w)[*_`](?=\S)|(?<=\S)[*_`](?!\w)"), ""),
    (re.compile(r"(\D)\1{7,}"), r"\1\1\1\1"),
    # engines read <|...|> as orders; last, for taking markup out can leave one behind
    (re.compile(r"<\|"), "< |"),
)
_JOINERS = {"\u200c", "\u200d"}
_UNSPEAKABLE = {"Cc", "Cf", "Co", "Cs"}
_FILLERS = "\u115f\u1160"
"""Letters by their category, and nothing to look at."""


def clean_text(text: str, *, limit: int) -> str:
    """Return the words to speak: markup read as words, invisible signs gone, white space joined.

    Raises `SpeechError` where the text is empty, longer than `limit` characters, or has nothing to say in it.
    """
    if not text.strip():
        raise SpeechError("There is no text: write what I should say.")
    if len(text) > limit:
        raise SpeechError(f"That is {len(text):,} characters and I can say {limit:,} at once: cut it into parts.")
    text = unicodedata.normalize("NFC", text)
    text = _drop_invisible(text)
    for pattern, words in _MARKUP:
        text = pattern.sub(words, text)
    text = " ".join(text.split())
    if not any(c.isalnum() for c in text):
        raise SpeechError("There is nothing to say in that: write some words.")
    return text


def clean_name(name: str) -> str:
    """Return a voice's name as it is kept: NFKC, white space joined, 1 to 32 characters with a letter or digit.

    Raises `ValueError` with a sentence for the member.
    """
    name = " ".join(unicodedata.normalize("NFKC", name).split())
    if not name:
        raise ValueError("That name is empty: give the voice a name of 1 to 32 characters.")
    if len(name) > 32:
        raise ValueError(f"That name has {len(name)} characters: choose one of at most 32.")
    if any(c in "@#<>`:/\\" + _FILLERS or unicodedata.category(c) in _UNSPEAKABLE for c in name):
        raise ValueError("A name may not contain @ # < > : / \\ ` or invisible signs: use letters, digits and spaces.")
    if not any(c.isalnum() for c in name):
        raise ValueError("A name needs at least one letter or digit, so that it can be typed.")
    return name


def clean_note(note: str, *, most: int = 300) -> str:
    """Return a note as it is kept: one line of at most so many characters, without invisible signs."""
    return " ".join(_drop_invisible(note).split())[:most].rstrip()


def clean_tags(tags: str) -> tuple[str, ...]:
    """Split tags at commas: at most 10 of at most 24 characters, each once, in the order written."""
    visible = _drop_invisible(unicodedata.normalize("NFKC", tags))
    found = (" ".join(tag.split())[:24].rstrip() for tag in visible.split(","))
    return tuple(dict.fromkeys(tag for tag in found if tag))[:10]


def _drop_invisible(text: str) -> str:
    return "".join(c for c in text if c in _JOINERS or c.isspace() or unicodedata.category(c) not in _UNSPEAKABLE)
