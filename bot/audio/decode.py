"""What a member sent, turned into samples under limits. Trusts neither name, type nor header; judges nothing."""

import io
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av import AudioFrame, AudioStream, FFmpegError, Packet
from av.container import InputContainer

from bot.audio.recording import Recording, Samples, chain, pieces
from bot.audio.resample import Resampler, to_samples
from bot.audio.riff import is_wav, strip_wav
from bot.errors import SampleError

log = logging.getLogger(__name__)

DEMUXERS = "aac,flac,mov,mp4,m4a,matroska,webm,mp3,ogg"
"""Formats that hold their own sound. None of them opens another file, as playlists do. WAVE comes stripped."""
DECODERS = (
    "aac,aac_fixed,alac,flac,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,"
    "adpcm_ima_wav,adpcm_ms,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,"
    "pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be"
)
OPTIONS = {"protocol_whitelist": "", "codec_whitelist": DECODERS, "max_streams": "64"}
LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000
SLACK_SECONDS = 0.5
"""Sound past the limit that is forgiven: codecs add a little at the ends."""
BLOCK_SECONDS = 1.0
MOST_BAD = 64

UNREADABLE = "That file is not audio I can read: send wav, mp3, m4a, ogg, flac or webm."
SLOW = "That file takes too long to read: save it again as wav, mp3 or ogg and send that."


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still taken."""

    max_bytes: int
    max_seconds: float
    max_channels: int = 8
    max_decode_seconds: float = 20.0
    """Wall-clock time."""


def decode(data: bytes, limits: Limits) -> Recording:
    """Decode the first audio stream of a file to 48 kHz mono; a cut file to what is there.

    Raises SampleError. Blocks for up to `limits.max_decode_seconds`: call it in a thread.
    """
    if not data:
        raise SampleError("That file is empty: record it again and send it.")
    if len(data) > limits.max_bytes:
        size = limits.max_bytes / 1_000_000
        raise SampleError(f"That file is larger than {size:.4g} MB: send a shorter piece, or save it as mp3 or ogg.")
    wav = is_wav(data)
    source = _Source(strip_wav(data) if wav else data, time.monotonic() + limits.max_decode_seconds)
    options = OPTIONS | {"format_whitelist": "wav" if wav else DEMUXERS}
    try:
        with av.open(source, "r", options=options, metadata_errors="replace") as container:
            parts = _Decoding(container, limits, source).run()
    except (FFmpegError, ValueError, OverflowError) as error:
        log.debug("a file was refused by the decoder: %s", type(error).__name__)
        raise SampleError(SLOW if source.late else UNREADABLE) from error
    samples = np.clip(parts, -1.0, 1.0)
    if not samples.size:
        raise SampleError(UNREADABLE)
    samples.flags.writeable = False
    return Recording(samples)


class _Source(io.BytesIO):
    """The bytes of a file, which end when the time allowed is over, so that no demuxer reads in circles."""

    def __init__(self, data: bytes, deadline: float) -> None:
        super().__init__(data)
        self._deadline = deadline

    def read(self, size: int | None = -1, /) -> bytes:
        return b"" if self.late else super().read(size)

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._deadline

    def check(self) -> None:
        """Raise where the time is over."""
        if self.late:
            raise SampleError(SLOW)


class _Decoding:
    """One run over one file. Owns the blocks between decoder and resampler, and the count of what failed."""

    def __init__(self, container: InputContainer, limits: Limits, source: _Source) -> None:
        self._container = container
        self._limits = limits
        self._source = source
        self._rate = 0
        self._resampler: Resampler | None = None
        self._block: list[Samples] = []
        self._block_size = 0
        self._seconds = 0.0
        self._good = 0
        self._bad = 0

    def run(self) -> Samples:
        """Decode until the end of the file or of the limits."""
        stream = self._choose()
        self._check_channels(stream.codec_context.channels)
        parts: list[Samples] = []
        for frame in self._frames(stream):
            self._source.check()
            parts += self._take(frame)
        self._source.check()
        parts += self._flush()
        if self._resampler is not None:
            parts.append(self._resampler.finish())
        if self._bad > self._good:
            raise SampleError(UNREADABLE)
        return chain(parts)

    def _choose(self) -> AudioStream:
        streams = [stream for stream in self._container.streams.audio if _decodable(stream)]
        if streams:
            return streams[0]
        if self._container.streams.video:
            raise SampleError("There is no sound I can read in that file: send one in which the voice is heard.")
        raise SampleError(UNREADABLE)

    def _frames(self, stream: AudioStream) -> Iterator[AudioFrame]:
        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except FFmpegError as error:
                if not self._good:
                    raise
                log.debug("a file ends in the middle: %s", type(error).__name__)
                yield from self._decode(stream, None)
                return
            yield from self._decode(stream, packet)

    def _decode(self, stream: AudioStream, packet: "Packet[AudioStream] | None") -> Iterator[AudioFrame]:
        self._source.check()
        try:
            frames = stream.codec_context.decode(packet)
        except (FFmpegError, ValueError):
            self._bad += 1
            if self._bad > self._good + MOST_BAD:
                raise
            return
        self._good += len(frames)
        yield from frames

    def _take(self, frame: AudioFrame) -> list[Samples]:
        self._check_channels(frame.layout.nb_channels)
        if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE:
            raise SampleError(UNREADABLE)
        before: list[Samples] = []
        if frame.sample_rate != self._rate:
            before = self._flush()
            before += [self._resampler.finish()] if self._resampler else []
            self._rate = frame.sample_rate
            self._resampler = Resampler(self._rate)
        self._seconds += frame.samples / self._rate
        if self._seconds > self._limits.max_seconds + SLACK_SECONDS:
            raise SampleError(_too_long(self._limits.max_seconds))
        samples = to_samples(frame)
        self._block.append(samples)
        self._block_size += samples.size
        return before + (self._flush() if self._block_size >= self._rate * BLOCK_SECONDS else [])

    def _flush(self) -> list[Samples]:
        block, self._block, self._block_size = self._block, [], 0
        return [self._resampler.feed(piece) for piece in pieces(chain(block), 1)] if self._resampler else []

    def _check_channels(self, channels: int) -> None:
        if channels > self._limits.max_channels:
            raise SampleError(f"That recording has {channels} channels: mix it down to stereo or mono and send that.")


def _decodable(stream: AudioStream) -> bool:
    context = stream.codec_context
    return context is not None and context.name in DECODERS.split(",")


def _too_long(seconds: float) -> str:
    limit = f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
    return f"That recording is longer than {limit}: cut it and send the part where the voice speaks alone."
