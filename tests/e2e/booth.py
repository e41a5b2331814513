"""Where voice is broken on purpose: a service's stand-in that speaks words which can be recognised, and what is asked.

The lines are short, nothing comes from a cache, and every request can be counted and held at a gate.
"""

import threading
from collections.abc import Sequence
from functools import cache

import numpy as np

from bot.providers.local.espeak import Espeak
from playground.discord import Answer, Heard, Member
from playground.services.gate import Gate
from playground.services.service import Fault
from playground.services.sound import RATE, Samples
from tests.e2e.ears import Recogniser, sentence, split, words
from tests.e2e.stage import House, Scene

ROUTE = "POST /v1/audio/speech"
CLEAR = (2, 3, 4, 11, 12, 15, 16, 21, 31, 32)
"""Sentences that the recogniser tells apart in this voice."""
_WORDS_A_MINUTE = 230
_ENGINE = threading.Lock()


@cache
def speak(text: str, _speed: float = 1.0) -> Samples:
    """Speak as espeak-ng does, 1.5 s for a sentence; "Note 3." is a tone of 0.4 s."""
    if text.startswith("Note "):
        time = np.arange(round(0.4 * RATE)) / RATE
        return (0.3 * np.sin(2 * np.pi * note(int(text[5:-1])) * time)).astype(np.float32)
    with _ENGINE:
        spoken = Espeak().say(text, "en-us+m3", speed=_WORDS_A_MINUTE, pitch=42)
    samples = np.asarray(spoken.samples, dtype=np.float32)
    count = round(samples.size * RATE / spoken.rate)
    return np.interp(np.linspace(0, samples.size - 1, count), np.arange(samples.size), samples).astype(np.float32)


def note(number: int) -> float:
    """Give the frequency of a tone in Hz."""
    return 200.0 + 70.0 * number


def text(*numbers: int) -> str:
    """Give sentences of the matrix as one text."""
    return " ".join(map(sentence, numbers))


async def says(member: Member, *numbers: int) -> Answer:
    """Have a member ask for sentences in the channel they are in."""
    return await member.slash("say", text=text(*numbers), voice="alloy")


def asked(house: House) -> list[str]:
    """Give the words the service was asked to speak, in order."""
    return [each.content()["input"] for each in house.service.asked if f"{each.method} {each.path}" == ROUTE]


def hold(house: House, *, after: int = 0, spared: int = 0) -> Gate:
    """Hold the next answer but `spared` at a gate, `after` so many bytes of its sound."""
    gate = Gate(after)
    house.service.fail(ROUTE, *[None] * spared, Fault(gate=gate))
    return gate


def understood(recogniser: Recogniser, heard: Heard, *, pause: float = 0.15) -> list[list[str]]:
    """Give the words of each sentence that was heard."""
    return [recogniser.hear(part) for part in split(heard.pcm, pause=pause)]


def said(numbers: Sequence[int]) -> list[list[str]]:
    """Give the words of sentences, to be compared."""
    return [words(sentence(number)) for number in numbers]


def clean(heard: Heard) -> None:
    """Check that everything that came could be decrypted, and that nobody was muted while they spoke."""
    flaws = (heard.clear_packets, heard.undecryptable, heard.reused_nonces, heard.duplicates, heard.wrong_steps)
    assert not any(flaws), flaws


async def speaking(scene: Scene, *numbers: int, seconds: float = 0.4) -> Answer:
    """Have alice, who listens, ask for sentences, and return in the middle of the first."""
    answer = await says(scene.alice, *numbers)
    await scene.alice.hears(scene.lounge, seconds=seconds)
    return answer
