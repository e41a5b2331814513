"""Ogg: Opus of 20 ms passes through untouched, other Opus and Vorbis are decoded and encoded again."""

from collections import deque

from av import CodecContext, FFmpegError, Packet

from bot.audio.ogg import OggPacket, OggReader
from bot.audio.opus import FRAME, OpusDecoder, OpusHead, packet_samples
from bot.audio.packer._sound import Voice, cut_off, no_sound
from bot.audio.recording import Samples, chain, silence
from bot.audio.resample import Resampler, to_samples

VORBIS = b"\x01vorbis"
VORBIS_HEADERS = 3
NO_OGG = 65_536
"""Bytes without a page that prove there is none: no page is longer."""
RUN_UP = 4
"""Packets a decoder needs to hear before what it makes is right (RFC 7845 section 4.6: 80 ms)."""


class OggPath:
    """Turns an Ogg stream into packets. Owns the page reader and the stream that is being read now."""

    loudness = None

    def __init__(self) -> None:
        self._reader = OggReader()
        self._serial: int | None = None
        self._stream: OpusStream | VorbisStream | None = None
        self._bytes = 0

    @property
    def copies(self) -> bool:
        """Whether nothing had to be decoded so far."""
        return self._stream is None or self._stream.copies

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and give the packets that are ready."""
        self._bytes += len(chunk)
        packets = [out for packet in self._reader.feed(chunk) for out in self._take(packet)]
        if self._stream is None and self._bytes > NO_OGG:
            raise no_sound()
        return packets

    def finish(self) -> list[bytes]:
        """Give the rest; raises ProviderError where the stream ends in the middle of a page."""
        if self._stream is None:
            raise no_sound()
        if self._reader.cut:
            raise cut_off()
        return self._stream.finish()

    def _take(self, packet: OggPacket) -> list[bytes]:
        rest: list[bytes] = []
        if packet.first and (self._stream is None or self._stream.ended):
            stream = _open(packet.data)
            if stream is not None:
                rest = self._stream.finish() if self._stream else []
                self._stream, self._serial = stream, packet.serial
                return rest
        if self._stream is None or packet.serial != self._serial:
            return rest
        packets = self._stream.feed(packet.data)
        self._stream.ended = packet.last
        return packets


def _open(first: bytes) -> "OpusStream | VorbisStream | None":
    head = OpusHead.parse(first)
    if head is not None:
        return OpusStream(head)
    return VorbisStream(first) if first.startswith(VORBIS) else None


class OpusStream:
    """One Opus stream. Passes packets on until one is not 20 ms long; from there on decodes and encodes."""

    def __init__(self, head: OpusHead) -> None:
        self.ended = False
        self._head = head
        self._comment = True
        self._recent: deque[bytes] = deque(maxlen=RUN_UP)
        self._decoder: OpusDecoder | None = None
        self._voice: Voice | None = None

    @property
    def copies(self) -> bool:
        """Whether nothing had to be decoded so far."""
        return self._voice is None

    def feed(self, packet: bytes) -> list[bytes]:
        """Take one packet of the container and give the packets that are ready."""
        if self._comment:
            self._comment = False
            return []
        samples = packet_samples(packet)
        if not samples:
            return []
        passes = samples == FRAME and self._head.family == 0 and self._head.gain == 0
        if self._voice is None and passes:
            self._recent.append(packet)
            return [packet]
        return self._again(packet)

    def finish(self) -> list[bytes]:
        """Give the rest."""
        return self._voice.finish() if self._voice else []

    def _again(self, packet: bytes) -> list[bytes]:
        if self._decoder is None or self._voice is None:
            self._decoder = OpusDecoder(self._head)
            for earlier in self._recent:
                self._decoder.feed(earlier)
            self._voice = Voice(levelled=not self._recent)
        return self._voice.feed(self._decoder.feed(packet))


class VorbisStream:
    """One Vorbis stream, decoded and encoded again. Owns the decoder, which opens when its three headers are there."""

    copies = False

    def __init__(self, first: bytes) -> None:
        self.ended = False
        self._headers = [first]
        self._codec = CodecContext.create("vorbis", "r")
        self._resampler: Resampler | None = None
        self._voice = Voice()

    def feed(self, packet: bytes) -> list[bytes]:
        """Take one packet of the container and give the packets that are ready."""
        if len(self._headers) < VORBIS_HEADERS:
            self._headers.append(packet)
            if len(self._headers) == VORBIS_HEADERS:
                self._open()
            return []
        return self._voice.feed(self._decode(packet)) if packet else []

    def finish(self) -> list[bytes]:
        """Give the rest."""
        rest = self._resampler.finish() if self._resampler else silence(0)
        return self._voice.feed(rest) + self._voice.finish()

    def _open(self) -> None:
        """Hand the headers to the decoder as the Xiph lacing it expects: count less one, sizes, headers."""
        sizes = b"".join(b"\xff" * (len(head) // 255) + bytes([len(head) % 255]) for head in self._headers[:-1])
        self._codec.extradata = bytes([VORBIS_HEADERS - 1]) + sizes + b"".join(self._headers)
        self._codec.sample_rate = int.from_bytes(self._headers[0][12:16], "little")
        try:
            self._codec.open()
        except (FFmpegError, ValueError) as error:
            raise no_sound() from error

    def _decode(self, packet: bytes) -> Samples:
        try:
            frames = self._codec.decode(Packet(packet))
            if frames and self._resampler is None:
                self._resampler = Resampler(frames[0].sample_rate)
            return chain(self._resampler.feed(to_samples(frame)) for frame in frames if self._resampler)
        except (FFmpegError, ValueError):
            return silence(0)
