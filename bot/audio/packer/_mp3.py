"""MPEG audio as it comes, frame by frame."""

from av import AudioFrame, CodecContext, FFmpegError, Packet
from av.stream import Stream

from bot.audio.packer._sound import is_text, no_sound
from bot.audio.recording import Samples, chain, silence
from bot.audio.resample import Resampler, to_samples

ID3_HEAD = 10
BAD_FRAMES = 4
"""So many more damaged frames than good ones are no MPEG audio."""
SURE_FRAMES = 2
"""Good frames that are no accident."""


class Mp3Sound:
    """Reads one stream. Owns parser, decoder and the tag before the first frame."""

    def __init__(self) -> None:
        self._codec = CodecContext.create("mp3", "r")
        self._resampler: Resampler | None = None
        self._rate = 0
        self._start = b""
        self._begun = False
        self._tag_left = 0
        self._good = 0
        self._bad = 0
        self._frames = 0
        self._held = silence(0)
        """Sound of a first frame that may be none."""

    def feed(self, chunk: bytes) -> Samples:
        """Take the next bytes and give the sound in them."""
        data = chunk if self._begun else self._pass_tag(chunk)
        if not data:
            return silence(0)
        sound = chain([self._held, *(self._decode(packet) for packet in self._codec.parse(data))])
        sure = self._good >= SURE_FRAMES and self._good > self._bad
        self._held = silence(0) if sure else sound
        return sound if sure else silence(0)

    def finish(self) -> Samples:
        """Give the rest; raises ProviderError where no frame was found."""
        parts = []
        if not self._begun and self._start:
            parts += [self._decode(packet) for packet in self._codec.parse(self._start)]
        parts += [self._decode(packet) for packet in self._codec.parse(None)]
        if self._resampler is None or not self._good or self._bad > self._good:
            raise no_sound()
        return chain([self._held, *parts, self._resampler.finish()])

    def _pass_tag(self, chunk: bytes) -> bytes:
        """Leave out an ID3v2 tag, whose picture could look like sound."""
        if self._tag_left:
            passed = min(self._tag_left, len(chunk))
            self._tag_left -= passed
            self._begun = not self._tag_left
            return chunk[passed:]
        self._start += chunk
        if is_text(self._start) and not self._start.startswith(b"ID3"):
            raise no_sound()
        if len(self._start) < 16:
            return b""
        data, self._start = self._start, b""
        if not data.startswith(b"ID3"):
            self._begun = True
            return data
        size = 0
        for byte in data[6:ID3_HEAD]:
            size = size << 7 | byte & 0x7F
        self._tag_left = ID3_HEAD + size + (ID3_HEAD if data[5] & 0x10 else 0)
        return self._pass_tag(data)

    def _decode(self, packet: "Packet[Stream]") -> Samples:
        self._frames += 1
        if self._frames == 1 and _is_index(bytes(packet)):
            return silence(0)
        try:
            frames = self._codec.decode(packet)
        except (FFmpegError, ValueError) as error:
            self._bad += 1
            if self._bad > self._good + BAD_FRAMES:
                raise no_sound() from error
            return silence(0)
        self._good += len(frames)
        return chain(self._convert(frame) for frame in frames)

    def _convert(self, frame: AudioFrame) -> Samples:
        before = silence(0)
        if self._resampler is None or frame.sample_rate != self._rate:
            before = self._resampler.finish() if self._resampler else before
            self._rate = frame.sample_rate
            self._resampler = Resampler(self._rate)
        return chain([before, self._resampler.feed(to_samples(frame))])


def _is_index(packet: bytes) -> bool:
    """Recognise the first frame that holds a table of contents instead of sound."""
    return any(mark in packet[:64] for mark in (b"Xing", b"Info", b"VBRI"))
