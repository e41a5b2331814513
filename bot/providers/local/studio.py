"""What a worker can do: learn a speaker from sound, and speak as them.

Owns espeak-ng, the net and the source voice's average. Works a step at a time, as `Worker` wants it.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache

import numpy as np

from bot.providers.local import language
from bot.providers.local.arrays import Floats
from bot.providers.local.cepstrum import RATE
from bot.providers.local.conversion import convert, convert_simply
from bot.providers.local.espeak import Espeak, EspeakError
from bot.providers.local.exemplars import Exemplars
from bot.providers.local.learning import learn
from bot.providers.local.phrases import split
from bot.providers.local.posterior import PosteriorNet
from bot.providers.local.profile import Profile, ProfileError
from bot.providers.local.recording import prepare, speech_seconds
from bot.providers.local.source import HIGH, SOURCE_VOICES, Source, SourceVoice, read_aloud
from bot.providers.local.vocoder import synthesise
from bot.providers.local.wire import Frame
from bot.providers.local.worker import RefusedError

LEAST_SECONDS = 3.0
READINGS = 32
"""Phrases of which it is remembered how they are read, as several voices say the same: a preview, a greeting."""
_PEAK = 0.9
_EDGE = 0.03
"""Seconds kept around the sound of a phrase."""


class Studio:
    """Owns espeak-ng, the net and the reference."""

    def __init__(self, espeak: Espeak | None = None) -> None:
        self._espeak = espeak or Espeak()
        self._read = lru_cache(READINGS)(self._read_aloud)

    @cached_property
    def _net(self) -> PosteriorNet:
        return PosteriorNet.load()

    def begin(self, frame: Frame) -> Iterator[Frame]:
        """Start the work that a request asks for."""
        match frame.verb:
            case "clone":
                return self._clone(frame)
            case "speak":
                return self._speak(frame)
            case "check":
                return self._check(frame)
            case _:
                raise ValueError(frame.verb)

    def _check(self, frame: Frame) -> Iterator[Frame]:
        if read_aloud(self._espeak, "Hello.", HIGH) is None:
            raise RefusedError("espeak-ng makes no sound here.")
        yield Frame(request=frame.request, verb="busy")

    def _clone(self, frame: Frame) -> Iterator[Frame]:
        if speech_seconds(frame.body) < LEAST_SECONDS:
            raise RefusedError(
                "There is too little speech in this recording. Send 10 to 30 seconds of one person speaking."
            )
        sound = prepare(frame.body)
        yield Frame(request=frame.request, verb="busy")
        profile = learn(sound, self._net)
        yield Frame(request=frame.request, verb="profile", body=profile.to_bytes())

    def _speak(self, frame: Frame) -> Iterator[Frame]:
        try:
            profile = Profile.from_bytes(frame.body)
        except ProfileError as error:
            raise RefusedError("This voice's file is damaged. Delete the voice and clone it again.") from error
        spoken = language.voice_for(frame.language or language.guess(frame.text))
        exemplars = Exemplars(profile) if spoken.startswith(language.ENGLISH) else None
        voice = SOURCE_VOICES[str(profile.source)]
        pause = 0.0
        for phrase in split(frame.text):
            # espeak-ng would read the names of signs and emoji that stand alone
            source = self._read(phrase.text, voice, spoken) if any(map(str.isalnum, phrase.text)) else None
            if source is None:
                continue
            track = convert(source, profile, exemplars) if exemplars else convert_simply(source, profile)
            sound = trim(synthesise(track, edge=float(profile.edge)))
            rest = np.zeros(int(pause * RATE), np.float32)
            yield Frame(request=frame.request, verb="sound", body=to_pcm(np.concatenate([rest, sound])))
            pause = phrase.pause
        if not pause:
            raise RefusedError("There is nothing to say in this text. Write a few words.")

    def _read_aloud(self, text: str, voice: SourceVoice, language: str) -> Source | None:
        try:
            return read_aloud(self._espeak, text, voice, language)
        except EspeakError:
            return read_aloud(self._espeak, text, voice)


def trim(sound: Floats) -> Floats:
    """Cut the silence at both ends to a little, and fade into it."""
    loud = np.flatnonzero(np.abs(sound) > 0.003)
    if not len(loud):
        return sound
    edge = int(_EDGE * RATE)
    kept = sound[max(0, int(loud[0]) - edge) : int(loud[-1]) + edge].copy()
    ramp = np.linspace(0, 1, min(edge // 2, len(kept) // 2), dtype=np.float32)
    kept[: len(ramp)] *= ramp
    kept[len(kept) - len(ramp) :] *= ramp[::-1]
    return kept


def to_pcm(sound: Floats) -> bytes:
    """Write signed 16 bit; a phrase that is too loud is made quieter as a whole, never clipped."""
    peak = float(np.abs(sound).max(initial=0))
    return np.round(sound * (32767 * min(1.0, _PEAK / max(peak, _PEAK)))).astype("<i2").tobytes()
