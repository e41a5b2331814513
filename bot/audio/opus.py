"""Opus packets: what their first bytes say, making them, and decoding them. Knows no container.

Source: RFC 6716 section 3 for the packet, RFC 7845 section 5.1 for the identification header.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from av import AudioCodecContext, CodecContext, FFmpegError, Packet

from bot.audio.recording import Samples, chain, silence
from bot.audio.resample import to_frame, to_samples

FRAME = 960
"""Samples at 48 kHz in the 20 ms that every packet above the providers holds."""
PRE_SKIP = 312
"""Samples of delay that libopus has at 48 kHz."""
LONGEST = 5760
BIT_RATE = 64_000

Application = Literal["voip", "audio"]

_HEAD = struct.Struct("<8sBBHIhB")


def packet_samples(packet: bytes) -> int:
    """Count the samples at 48 kHz a packet holds, from its TOC (RFC 6716 section 3.1); 0 where it is malformed."""
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        frame = (480, 960)[config & 1]
    else:
        frame = (120, 240, 480, 960)[config & 3]
    if code < 3:
        return frame * (1 if code == 0 else 2)
    count = packet[1] & 0x3F if len(packet) > 1 else 0
    return frame * count if frame * count <= LONGEST else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpusHead:
    """The identification header of an Opus stream."""

    channels: int = 1
    pre_skip: int = PRE_SKIP
    gain: int = 0
    """In 1/256 dB, to be applied by whoever decodes."""
    family: int = 0
    raw: bytes = b""
    """As it was read, with the channel mapping."""

    @classmethod
    def parse(cls, packet: bytes) -> Self | None:
        """Read the header; None where it is none that can be decoded."""
        if len(packet) < _HEAD.size or not packet.startswith(b"OpusHead"):
            return None
        _, version, channels, pre_skip, _, gain, family = _HEAD.unpack_from(packet)
        if version > 15 or not 1 <= channels <= 8 or (family == 0 and channels > 2):
            return None
        return cls(channels=channels, pre_skip=pre_skip, gain=gain, family=family, raw=packet)

    def pack(self) -> bytes:
        """Write the header with mapping family 0."""
        return _HEAD.pack(b"OpusHead", 1, self.channels, self.pre_skip, 48_000, self.gain, 0)


class OpusEncoder:
    """Makes 48 kHz mono packets of exactly 20 ms. Owns the encoder and the samples short of a packet."""

    def __init__(self, *, bit_rate: int = BIT_RATE, application: Application = "voip") -> None:
        codec = CodecContext.create("libopus", "w")
        codec.sample_rate, codec.layout, codec.format, codec.bit_rate = 48_000, "mono", "flt", bit_rate
        codec.options = {"application": application, "frame_duration": "20", "vbr": "constrained"}
        self._codec = codec
        self._pending = silence(0)

    def feed(self, samples: Samples) -> list[bytes]:
        """Take the next samples and give the packets that are full."""
        pending = chain([self._pending, samples])
        whole = pending.size // FRAME * FRAME
        self._pending = pending[whole:]
        return [packet for start in range(0, whole, FRAME) for packet in self._encode(pending[start : start + FRAME])]

    def finish(self) -> list[bytes]:
        """Give the rest, filled up with silence so that the encoder's delay loses nothing of the end."""
        left = self._pending.size + PRE_SKIP
        return self.feed(silence(PRE_SKIP + -left % FRAME))

    def _encode(self, samples: Samples) -> list[bytes]:
        return [bytes(packet) for packet in self._codec.encode(to_frame(samples))]


class OpusDecoder:
    """Turns packets of any duration into mono samples at 48 kHz. Owns the decoder, which leaves out the pre-skip."""

    def __init__(self, head: OpusHead) -> None:
        codec = CodecContext.create("libopus", "r")
        codec.extradata = head.raw or head.pack()
        codec.sample_rate = 48_000
        codec.thread_count = 1
        self._codec: AudioCodecContext = codec

    def feed(self, packet: bytes) -> Samples:
        """Decode one packet; a damaged one is silence of its length."""
        try:
            samples = chain(to_samples(frame) for frame in self._codec.decode(Packet(packet))) if packet else silence(0)
        except (FFmpegError, ValueError):
            samples = silence(packet_samples(packet))
        return samples


def encode(samples: Samples, *, bit_rate: int = BIT_RATE, application: Application = "voip") -> list[bytes]:
    """Encode a whole piece of sound to 20 ms packets."""
    encoder = OpusEncoder(bit_rate=bit_rate, application=application)
    return encoder.feed(samples) + encoder.finish()


def decode_packets(packets: Sequence[bytes]) -> Samples:
    """Decode mono or stereo packets to mono samples at 48 kHz, the encoder's delay taken off."""
    decoder = OpusDecoder(OpusHead())
    return np.clip(chain(decoder.feed(packet) for packet in packets), -1.0, 1.0)
