"""A text cut into phrases that are made and heard one after another, each with the pause that follows it."""

import re
from dataclasses import dataclass

_FIRST = 90
"""Most characters of the first phrase, which the listener waits for."""
_MOST = 180
_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=[。！？])|\n+")
_CLAUSE = re.compile(r"(?<=[,;:–—])\s+|(?<=[、，；：])")
_PAUSES = {".": 0.32, "!": 0.32, "?": 0.32, "…": 0.4, "。": 0.32, "！": 0.32, "？": 0.32}
_CLAUSE_PAUSE = 0.16
_CLAUSE_ENDS = ",;:–—、，；："


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words said in one breath."""

    text: str
    pause: float
    """Seconds of silence after it, where another follows."""


def _pause_after(text: str) -> float:
    end = text.rstrip("\"')]} ")[-1:]
    return _PAUSES.get(end, _CLAUSE_PAUSE if end in _CLAUSE_ENDS else 0.08)


def _cut(text: str, most: int) -> list[str]:
    """Cut what is longer than `most` at clauses, then at spaces, then anywhere."""
    if len(text) <= most:
        return [text]
    window = text[: most + 1]
    places = [match.end() for match in _CLAUSE.finditer(window) if match.end() >= most // 4]
    place = places[-1] if places else window.rfind(" ")
    if place < most // 4:
        place = most
    return [text[:place], *_cut(text[place:].lstrip(), _MOST)]


def split(text: str) -> tuple[Phrase, ...]:
    """Cut a text into phrases; the first is short, so that it is heard soon."""
    parts: list[str] = []
    for sentence in filter(None, (part.strip() for part in _SENTENCE.split(text) if part)):
        parts += _cut(sentence, _MOST if parts else _FIRST)
    return tuple(Phrase(part.strip(), _pause_after(part)) for part in parts if part.strip())
