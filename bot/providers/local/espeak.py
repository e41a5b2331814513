"""espeak-ng: text in, robot speech out, with the time of every sound in it.

Knows the C library that the wheel `espeakng-loader` carries, and nothing about voices that were cloned. The library
keeps one global state, so a process has one `Espeak` and uses it from one thread.
"""

import ctypes
import os
from dataclasses import dataclass, field

import espeakng_loader
import numpy as np

from bot.providers.local.arrays import Floats

# speak_lib.h of espeak-ng 1.52
_SYNCHRONOUS = 2
_PHONEME_EVENTS = 0x0001
_DONT_EXIT = 0x8000
_UTF8 = 0x0001
_END_PAUSE = 0x1000
_POSITION_CHARACTER = 1
_EVENT_END = 0
_EVENT_PHONEME = 7
_RATE, _PITCH, _RANGE = 1, 3, 4


class EspeakError(Exception):
    """espeak-ng would not start, or does not have the voice."""


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One sound of an utterance."""

    start: int
    """Sample at which it begins."""
    name: str
    """espeak-ng's mnemonic; empty for a pause."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What espeak-ng said."""

    samples: Floats
    rate: int
    phonemes: tuple[Phoneme, ...]


@dataclass
class _Take:
    """What the callback collects while one text is spoken."""

    sound: list[Floats] = field(default_factory=list)
    phonemes: list[Phoneme] = field(default_factory=list)


class Espeak:
    """Owns the loaded library."""

    def __init__(self) -> None:
        self._take = _Take()
        self._callback = _Callback(self._collect)
        self._library: ctypes.CDLL | None = None
        self._rate = 0

    def say(self, text: str, voice: str, *, speed: int = 165, pitch: int = 50, spread: int = 50) -> Utterance:
        """Speak `text` in one go.

        `voice` is espeak-ng's name with an optional variant (`en-us+f2`), `speed` words a minute, `pitch` and `spread`
        (how much the pitch moves) 0 to 99. Raises `EspeakError` where the voice is not installed.
        """
        library = self._load()
        library.espeak_SetSynthCallback(self._callback)
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EspeakError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((_RATE, speed), (_PITCH, pitch), (_RANGE, spread)):
            library.espeak_SetParameter(parameter, value, 0)
        # breath is noise, by default from the clock: seeded, one process says what another with the same past says
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._take = take = _Take()
        data = text.replace("\0", " ").encode("utf-8", "ignore") + b"\0"
        flags = _UTF8 | _END_PAUSE
        library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, _POSITION_CHARACTER, 0, flags, None, None)
        library.espeak_Synchronize()
        samples = np.concatenate(take.sound) if take.sound else np.zeros(0, np.float32)
        return Utterance(samples, self._rate, tuple(take.phonemes))

    def _load(self) -> ctypes.CDLL:
        if self._library is None:
            library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = os.fsencode(espeakng_loader.get_data_path())
            self._rate = library.espeak_Initialize(_SYNCHRONOUS, 200, data, _PHONEME_EVENTS | _DONT_EXIT)
            if self._rate <= 0:
                raise EspeakError("espeak-ng did not find its data files")
            self._library = library
        return self._library

    def _collect(self, wave: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
        place = 0
        while (event := events[place]).type != _EVENT_END:
            if event.type == _EVENT_PHONEME:
                self._take.phonemes.append(Phoneme(event.sample, event.id.string.decode("utf-8", "replace")))
            place += 1
        if count > 0 and wave:
            self._take.sound.append(np.ctypeslib.as_array(wave, (count,)) * np.float32(1 / 32768))
        return 0
