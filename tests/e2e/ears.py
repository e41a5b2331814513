"""How a test listens: the words, the pitch, the loudness and the length of a sound. Knows neither the bot nor Discord.

The words are those of a matrix sentence test (Hagerman 1982, used in audiometry since): five places, five or six words
each, so that a sentence is one of 4,500 and nothing but the sound tells which.
"""

import io
import itertools
import random
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray
from pocketsphinx import Decoder, get_model_path

Sound: TypeAlias = NDArray[np.float32]

RATE = 48_000
PLACES = (
    ("peter", "susan", "thomas", "lucy", "william", "rachel"),
    ("bought", "sold", "wants", "likes", "has"),
    ("three", "seven", "nine", "forty", "sixteen"),
    ("green", "small", "yellow", "pretty", "dark"),
    ("chairs", "windows", "rings", "flowers", "spoons", "tables"),
)
_BLOCK = 2048
_F0_RATE = 16_000
_STEP = RATE // 100


def sentence(number: int) -> str:
    """Give one of the sentences of the matrix, always the same for a number."""
    chosen = random.Random(number)  # noqa: S311 - words, not secrets
    return " ".join(chosen.choice(words) for words in PLACES).capitalize() + "."


def words(text: str) -> list[str]:
    """Split a sentence of the matrix into its words."""
    return text.lower().rstrip(".").split()


@dataclass(frozen=True)
class Track:
    """A file as an independent decoder reads it."""

    form: str
    codec: str
    rate: int
    sound: Sound
    """Mono at 48 kHz."""

    @property
    def seconds(self) -> float:
        return self.sound.size / RATE


def read_file(data: bytes) -> Track:
    """Decode a file with FFmpeg, whatever it is called."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        form, codec, rate = container.format.name, stream.codec_context.name, stream.codec_context.sample_rate
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        frames = itertools.chain(container.decode(stream), [None])
        parts = [out.to_ndarray()[0] for frame in frames for out in resampler.resample(frame)]
    return Track(form=form, codec=codec, rate=rate, sound=np.concatenate(parts).astype(np.float32))


def loudness(sound: Sound) -> float:
    """Measure the integrated loudness in LUFS with FFmpeg's ebur128 (EBU R 128, ITU-R BS.1770)."""
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=RATE, layout="mono")
    meter = graph.add("ebur128", "metadata=1:peak=none:framelog=quiet")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    source.push(_frame(np.append(sound, np.zeros(RATE // 2, dtype=np.float32))))
    source.push(None)
    measured = "-inf"
    while True:
        try:
            measured = sink.pull().metadata.get("lavfi.r128.I", measured)
        except (av.EOFError, av.BlockingIOError):
            return float(measured)


def pitch(sound: Sound) -> float:
    """Estimate the median pitch in Hz of what is voiced, by autocorrelation."""
    samples = np.frombuffer(_resample(sound, _F0_RATE), dtype="<i2").astype(np.float64) / 32768
    lows, highs = _F0_RATE // 400, _F0_RATE // 60
    found = []
    for start in range(0, samples.size - _BLOCK, _BLOCK // 4):
        block = samples[start : start + _BLOCK] * np.hanning(_BLOCK)
        if np.abs(block).max() < 0.02:
            continue
        spectrum = np.abs(np.fft.rfft(block, 2 * _BLOCK)) ** 2
        likeness = np.fft.irfft(spectrum)[:highs]
        likeness = likeness / likeness[0]
        lag = int(likeness[lows:].argmax()) + lows
        if likeness[lag] > 0.45:
            found.append(_F0_RATE / lag)
    return float(np.median(found)) if found else 0.0


def match(heard: Sound, said: Sound) -> tuple[float, float]:
    """Say how like the rise and fall of two sounds is (1.0: the same), and by how many seconds the first is later."""
    one, other = _outline(heard), _outline(said)
    size = 1 << (one.size + other.size).bit_length()
    product = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)), size)
    lag = int(product.argmax())
    scale = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    return float(product[lag]) / max(scale, 1e-9), (lag if lag < size // 2 else lag - size) * _STEP / RATE


def ends(sound: Sound) -> tuple[float, float]:
    """Say from which second to which there is something to hear."""
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return (float(loud[0]) / RATE, float(loud[-1]) / RATE) if loud.size else (0.0, 0.0)


def split(sound: Sound, pause: float = 0.24) -> list[Sound]:
    """Cut a sound into what lies between its pauses, each part with a little around it."""
    loud = np.flatnonzero(np.abs(sound) > 0.005)
    breaks = np.flatnonzero(np.diff(loud) > pause * RATE)
    starts, stops = loud[np.append(0, breaks + 1)], loud[np.append(breaks, loud.size - 1)]
    edge = RATE // 10
    return [sound[max(0, start - edge) : stop + edge] for start, stop in zip(starts, stops, strict=True)]


class Recogniser:
    """Owns a weak speech recogniser that knows the sentences of the matrix, and nothing of what will be said."""

    def hear(self, sound: Sound) -> list[str]:
        """Return the words heard, none where nothing of the kind was said."""
        decoder = self._decoder
        decoder.reinit_feat(None)  # else it has got used to what it heard before, in other tests
        decoder.start_utt()
        decoder.process_raw(_resample(sound, 16_000), full_utt=True)
        decoder.end_utt()
        guess = decoder.hyp()
        return guess.hypstr.split() if guess else []

    @cached_property
    def _decoder(self) -> Decoder:
        decoder = Decoder(
            hmm=get_model_path("en-us/en-us"),
            dict=get_model_path("en-us/cmudict-en-us.dict"),
            lm=None,
            loglevel="FATAL",
        )
        places = "\n".join(f"<p{number}> = {' | '.join(each)};" for number, each in enumerate(PLACES))
        line = " ".join(f"<p{number}>" for number in range(len(PLACES)))
        decoder.add_jsgf_string("matrix", f"#JSGF V1.0;\ngrammar matrix;\npublic <line> = {line};\n{places}\n")
        decoder.activate_search("matrix")
        return decoder


def _outline(sound: Sound) -> NDArray[np.float64]:
    """Draw the level every 10 ms, around its mean."""
    whole = sound[: sound.size // _STEP * _STEP].reshape(-1, _STEP)
    level = np.sqrt(np.square(whole, dtype=np.float64).mean(axis=1))
    return np.asarray(level - level.mean())


def _frame(sound: Sound, rate: int = RATE) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None, :], dtype=np.float32), "flt", "mono")
    frame.sample_rate = rate
    return frame


def _resample(sound: Sound, rate: int) -> bytes:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    return b"".join(
        out.to_ndarray().astype("<i2").tobytes() for frame in (_frame(sound), None) for out in resampler.resample(frame)
    )
