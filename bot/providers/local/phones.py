"""The sounds of English as the engine tells them apart, and how espeak-ng's mnemonics fall onto them."""

import re
from collections.abc import Sequence

import numpy as np

from bot.providers.local.arrays import Integers
from bot.providers.local.espeak import Phoneme

SILENCE = 0
PHONES: tuple[str, ...] = (
    *(
        "SIL",
        "n",
        "m",
        "N",
        "l",
        "r",
        "s",
        "z",
        "t",
        "d",
        "k",
        "g",
        "b",
        "p",
        "f",
        "v",
        "T",
        "D",
        "S",
        "Z",
        "h",
        "w",
        "j",
    ),
    *("I", "i", "E", "a", "@", "V", "A", "O", "U", "u", "3"),
)
_INDEX = {name: index for index, name in enumerate(PHONES)}
# mnemonics that are not a phone of the same name; several phones share the time of one mnemonic evenly
_SPELLED = {
    "": "SIL",
    ";": "SIL",
    "tS": "t S",
    "dZ": "d Z",
    "@L": "@ l",
    "t2": "t",
    "?": "t",
    "x": "k",
    "I2": "I",
    "aa": "a",
    "@2": "@",
    "@5": "@",
    "0": "A",
    "O2": "O",
    "A@": "A r",
    "o@": "O r",
    "O@": "O r",
    "U@": "U r",
    "e@": "E r",
    "i@": "i r",
    "i@3": "i 3",
    "eI": "E I",
    "aI": "A I",
    "aI3": "A I 3",
    "aI@": "A I @",
    "aU": "a U",
    "oU": "O U",
    "OI": "O I",
}
_MARKS = re.compile(r"[',%=_:|#*!-]")


def phones_of(mnemonic: str) -> tuple[int, ...]:
    """Spell one espeak-ng mnemonic in phone numbers; an unknown one is silence."""
    name = _MARKS.sub("", mnemonic)
    return tuple(_INDEX.get(part, SILENCE) for part in _SPELLED.get(name, name).split()) or (SILENCE,)


def label_frames(phonemes: Sequence[Phoneme], rate: int, *, frames: int, frame_rate: float) -> Integers:
    """Give each of `frames` frames the phone that sounds in it. `rate` is that of `Phoneme.start`."""
    labels = np.full(frames, SILENCE, dtype=np.intp)
    starts = [round(phoneme.start / rate * frame_rate) for phoneme in phonemes]
    ends = [*starts[1:], (starts[-1] if starts else 0) + round(frame_rate / 10)]
    for phoneme, start, end in zip(phonemes, starts, ends, strict=True):
        spelled = phones_of(phoneme.name)
        for place, phone in enumerate(spelled):
            first = start + (end - start) * place // len(spelled)
            last = start + (end - start) * (place + 1) // len(spelled)
            labels[min(frames, first) : min(frames, last)] = phone
    return labels
