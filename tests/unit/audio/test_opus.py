"""What a packet says of itself."""

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.audio import packet_samples
from bot.audio.opus import OpusDecoder, OpusEncoder, OpusHead, decode_packets, encode
from bot.audio.recording import RATE, silence
from tests.unit.audio.sounds import make_file, opus_packets, speak


def _toc(config: int, code: int) -> bytes:
    return bytes([config << 3 | code])


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        (_toc(0, 0), 480),
        (_toc(1, 0), 960),
        (_toc(7, 0), 2880),
        (_toc(12, 0), 480),
        (_toc(15, 0), 960),
        (_toc(16, 0), 120),
        (_toc(31, 0), 960),
        (_toc(30, 1), 960),
        (_toc(31, 2), 1920),
        (_toc(29, 3) + b"\x04", 960),
        (_toc(31, 3) + b"\x06", 5760),
        (_toc(31, 3) + b"\x07", 0),
        (_toc(31, 3) + b"\x00", 0),
        (_toc(31, 3), 0),
        (b"", 0),
    ],
)
def test_the_first_bytes_tell_the_samples(packet: bytes, samples: int) -> None:
    assert packet_samples(packet) == samples


@pytest.mark.parametrize("milliseconds", ["2.5", "5", "10", "20", "40", "60", "120"])
def test_the_samples_told_are_those_libopus_wrote(milliseconds: str) -> None:
    data = make_file(speak(1.0), "ogg", "libopus", options={"frame_duration": milliseconds})

    assert {packet_samples(packet) for packet in opus_packets(data)} == {round(float(milliseconds) * 48)}


@given(st.binary(max_size=4))
def test_no_packet_tells_more_than_120_ms(packet: bytes) -> None:
    assert 0 <= packet_samples(packet) <= 5760


@given(st.binary(max_size=30))
def test_a_header_is_read_or_refused(data: bytes) -> None:
    head = OpusHead.parse(b"OpusHead" + data)

    assert head is None or 1 <= head.channels <= 8


def test_a_header_says_what_was_written() -> None:
    head = OpusHead.parse(OpusHead(channels=2, pre_skip=400, gain=-256).pack())

    assert head is not None
    assert (head.channels, head.pre_skip, head.gain, head.family) == (2, 400, -256, 0)


def test_the_encoder_hands_out_packets_as_soon_as_they_are_full() -> None:
    encoder = OpusEncoder()

    assert encoder.feed(silence(959)) == []
    assert len(encoder.feed(silence(1))) == 1
    assert len(encoder.feed(silence(RATE))) == 50


def test_nothing_of_the_end_is_lost() -> None:
    speech = speak(1.0)

    decoded = decode_packets(encode(speech, bit_rate=96_000))

    assert decoded.size >= speech.size
    kept = decoded[: speech.size]
    assert float(kept @ speech) / float(speech @ speech) > 0.9


def test_a_damaged_packet_is_silence() -> None:
    decoder = OpusDecoder(OpusHead(pre_skip=0))

    assert not decoder.feed(b"").size
    assert not decoder.feed(_toc(31, 3) + b"\x3f\xff").any()


def test_packets_are_read_by_ffmpegs_own_decoder() -> None:
    codec = av.CodecContext.create("opus", "r")
    codec.extradata = OpusHead().pack()

    frames = [frame for packet in encode(speak(0.5)) for frame in codec.decode(av.Packet(packet))]

    assert sum(frame.samples for frame in frames) > 0.45 * RATE
