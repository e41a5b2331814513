"""How models take tags for emotion and style in a text. Knows no service.

Fish Audio's S1 knows a fixed list in (parentheses), its S2 family any words in [square brackets]; most others know
none and would read them out.
"""

import re
from dataclasses import dataclass
from typing import Literal

Brackets = Literal["none", "round", "square"]

_EMOTIONS = (
    "happy", "sad", "angry", "excited", "calm", "nervous", "confident", "surprised", "satisfied", "delighted", "scared",
    "worried", "upset", "frustrated", "depressed", "empathetic", "embarrassed", "disgusted", "moved", "proud",
    "relaxed", "grateful", "curious", "sarcastic", "disdainful", "unhappy", "anxious", "hysterical", "indifferent",
    "uncertain", "doubtful", "confused", "disappointed", "regretful", "guilty", "ashamed", "jealous", "envious",
    "hopeful", "optimistic", "pessimistic", "nostalgic", "lonely", "bored", "contemptuous", "sympathetic",
    "compassionate", "determined", "resigned",
)  # fmt: skip
_TONES = ("in a hurry tone", "shouting", "screaming", "whispering", "soft tone")
_EFFECTS = (
    "laughing", "chuckling", "sobbing", "crying loudly", "sighing", "groaning", "panting", "gasping", "yawning",
    "snoring", "audience laughing", "background laughter", "crowd laughing", "break", "long-break", "breath", "laugh",
    "cough", "lip-smacking", "sigh",
)  # fmt: skip
_S2_ONLY = ("whisper", "emphasis", "clear throat", "gasp", "inhale", "exhale", "pause")
_KNOWN = frozenset(_EMOTIONS + _TONES + _EFFECTS + _S2_ONLY)
_TAG = re.compile(r"\[([^\[\]\n]{1,80})\]|\(([^()\n]{1,80})\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """What one family of models makes of tags."""

    brackets: Brackets
    tags: tuple[str, ...] = ()
    """Offered to members."""
    free: bool = False
    """Takes any words as a tag."""

    def write(self, text: str, style: str = "") -> str:
        """Write a text with a style before it, as these models take it: known tags in their brackets, or dropped.

        Brackets that hold no known tag stay as the member wrote them.
        """
        written = _TAG.sub(self._rewrite, text)
        style = " ".join(re.sub(r"[\[\]()<>|]", " ", style).split())
        if style and self.takes(style):
            written = f"{self._enclose(style)} {written}"
        return " ".join(written.split())

    def show(self, text: str) -> str:
        """Give a text as people read it, without known tags."""
        return " ".join(_TAG.sub(lambda found: " " if _is_known(found) else found[0], text).split())

    def takes(self, tag: str) -> bool:
        """Say whether a tag is known here."""
        return self.free or tag.casefold() in self.tags

    def _rewrite(self, found: re.Match[str]) -> str:
        if not _is_known(found):
            return found[0]
        tag = _tag(found)
        return self._enclose(tag) if self.takes(tag) else " "

    def _enclose(self, tag: str) -> str:
        return f"[{tag}]" if self.brackets == "square" else f"({tag})"


def _tag(found: re.Match[str]) -> str:
    return (found[1] or found[2]).strip()


def _is_known(found: re.Match[str]) -> bool:
    return _tag(found).casefold() in _KNOWN


PLAIN = Markup(brackets="none")
"""Knows no tags."""
FISH_S1 = Markup(brackets="round", tags=_EMOTIONS + _TONES + _EFFECTS)
FISH_S2 = Markup(brackets="square", tags=(*_S2_ONLY, *_EMOTIONS, *_TONES, *_EFFECTS), free=True)


def fish_markup(model: str) -> Markup:
    """Give the markup of one of Fish Audio's models."""
    return FISH_S1 if model == "s1" else FISH_S2 if model.startswith(("s2", "drama")) else PLAIN
