"""Sound of providers, in any portions, to packets of 20 ms."""

import contextlib
import struct
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.audio import Packer, packet_samples, write_ogg
from bot.audio.loudness import loudness
from bot.audio.opus import OpusHead, decode_packets, encode
from bot.audio.packer import Encoding
from bot.audio.packer._pcm import PcmSound
from bot.audio.recording import RATE, Samples, silence
from bot.audio.resample import resample
from bot.errors import ProviderError
from bot.providers.base import Encoding as ProviderEncoding
from tests.unit.audio.sounds import make_file, measure, noise, ogg_page, opus_packets, pcm, speak, tone

SPEECH = speak(3.0)
NO_SOUND = "The voice service sent no sound: try again in a minute."


def _pack(encoding: Encoding, data: bytes, *, size: int = 4096, rate: int = RATE, phrases: bool = False) -> list[bytes]:
    packer = Packer(encoding, rate, phrases=phrases)
    packets = [packet for start in range(0, len(data), size) for packet in packer.feed(data[start : start + size])]
    return packets + packer.finish()


def _file(encoding: Encoding, sound: Samples) -> bytes:
    match encoding:
        case "mp3":
            return make_file(sound, "mp3", "libmp3lame", rate=44_100, bit_rate=128_000)
        case "wav":
            return make_file(sound, "wav", "pcm_s16le", rate=24_000)
        case "ogg":
            return make_file(sound, "ogg", "libopus", options={"frame_duration": "60"})
        case _:
            return pcm(sound)


def test_every_encoding_of_the_providers_is_known() -> None:
    assert get_args(Encoding) == get_args(ProviderEncoding)


@pytest.mark.parametrize("encoding", get_args(Encoding))
@pytest.mark.parametrize("size", [313, 4096, 10**7])
def test_sound_in_any_portions_becomes_packets_of_20_ms(encoding: Encoding, size: int) -> None:
    packets = _pack(encoding, _file(encoding, SPEECH), size=size)

    assert {packet_samples(packet) for packet in packets} == {960}
    assert len(packets) * 0.02 == pytest.approx(3.0, abs=0.09)


@pytest.mark.parametrize("encoding", get_args(Encoding))
def test_packed_speech_is_at_minus_16_lufs_and_sounds_like_what_came(encoding: Encoding) -> None:
    heard = decode_packets(_pack(encoding, _file(encoding, SPEECH)))

    assert measure(heard) == pytest.approx(-16, abs=1)
    assert _likeness(heard, SPEECH) > 0.9


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_bare_samples_of_any_rate_are_packed(rate: int) -> None:
    data = pcm(resample(SPEECH, rate=RATE, to=rate))

    packets = _pack("pcm", data, rate=rate)

    assert len(packets) * 0.02 == pytest.approx(3.0, abs=0.05)
    assert measure(decode_packets(packets)) == pytest.approx(-16, abs=1)


@pytest.mark.parametrize("gain", [-20.0, 0.0, 25.0])
def test_half_a_second_is_packed_at_minus_16_lufs(gain: float) -> None:
    word = np.clip(speak(0.5) * 10 ** (gain / 20), -1, 1).astype(np.float32)

    heard = decode_packets(_pack("pcm", pcm(word), size=10**6, phrases=True))

    assert measure(heard) == pytest.approx(-16, abs=1)


def test_portions_of_odd_size_lose_no_half_sample() -> None:
    data, sound = pcm(SPEECH), PcmSound(RATE)

    parts = [sound.feed(data[start : start + 333]) for start in range(0, len(data), 333)]

    assert np.array_equal(np.concatenate(parts), PcmSound(RATE).feed(data))


def test_the_first_phrase_is_handed_out_at_once() -> None:
    packer = Packer("pcm", phrases=True)

    packets = [packet for portion in packer.portions(pcm(speak(1.5))) for packet in packer.feed(portion)]

    assert len(packets) * 0.02 > 1.4


@pytest.mark.parametrize(("encoding", "size"), [("pcm", 3840), ("wav", 2000), ("mp3", 1350)])
def test_the_first_packet_of_a_stream_needs_40_ms_of_sound(encoding: Encoding, size: int) -> None:
    """Of MP3 two frames, 52 ms, after the one that holds the index."""
    data = _file(encoding, SPEECH)

    assert Packer(encoding).feed(data[:size])


@pytest.mark.parametrize("encoding", get_args(Encoding))
@pytest.mark.parametrize("size", [100, 5000, 10**7])
def test_portions_are_what_was_sent(encoding: Encoding, size: int) -> None:
    data = _file(encoding, SPEECH)
    packer = Packer(encoding)
    packets: list[bytes] = []
    fed = b""
    for start in range(0, len(data), size):
        for portion in packer.portions(data[start : start + size]):
            fed += portion
            packets += packer.feed(portion)
    packets += packer.finish()

    assert data.startswith(fed)
    assert len(packets) == len(_pack(encoding, data))


def test_a_long_chunk_is_fed_in_portions_and_short_ones_together() -> None:
    packer = Packer("mp3")
    data = _file("mp3", SPEECH)
    long, short = data[:40_000], data[40_000:40_900]

    lengths = []
    for portion in packer.portions(long):
        packer.feed(portion)
        lengths.append(len(portion))
    kept = list(packer.portions(short))

    assert max(lengths) <= 8192
    assert kept == []
    assert b"".join(packer.portions(short)) == short * 2


def test_a_packer_copies_until_something_has_to_be_decoded() -> None:
    first = make_file(SPEECH[:RATE], "ogg", "libopus", options={"frame_duration": "20"})
    second = make_file(SPEECH, "ogg", "libopus", options={"frame_duration": "40"})
    packer = Packer("ogg")

    before = packer.copies
    packer.feed(first)
    between = packer.copies
    packer.feed(second)

    assert before
    assert between
    assert not packer.copies
    assert not Packer("mp3").copies


@pytest.mark.parametrize(("encoding", "seconds"), [("mp3", 1.3), ("wav", 1.4), ("ogg", 0.9)])
def test_packets_come_before_the_stream_has_ended(encoding: Encoding, seconds: float) -> None:
    """Ogg comes in pages of a second, whose checksum needs all of a page."""
    data = _file(encoding, SPEECH)

    packets = Packer(encoding).feed(data[: len(data) // 2])

    assert len(packets) * 0.02 > seconds


def test_packets_keep_coming_while_the_stream_goes_on() -> None:
    data = _file("mp3", SPEECH)
    packer = Packer("mp3")
    counts = [len(packer.feed(data[start : start + 1024])) for start in range(0, len(data), 1024)]

    assert all(count > 0 for count in counts[20:-1])


def test_the_last_packet_is_filled_up() -> None:
    packets = _pack("pcm", pcm(tone(0.501)))

    assert len(packets) == 26
    assert packet_samples(packets[-1]) == 960


def test_silence_is_packed_as_silence() -> None:
    heard = decode_packets(_pack("pcm", pcm(silence(RATE))))

    assert float(np.abs(heard).max()) < 1e-3


def test_faint_noise_is_not_raised_without_bound() -> None:
    heard = decode_packets(_pack("pcm", pcm(noise(2.0, -66))))

    assert measure(heard) < -30


def test_ogg_opus_of_20_ms_passes_through_byte_by_byte() -> None:
    data = make_file(SPEECH, "ogg", "libopus", options={"frame_duration": "20"})

    assert _pack("ogg", data, size=777) == opus_packets(data)


def test_stereo_packets_of_20_ms_pass_through() -> None:
    data = make_file(SPEECH, "ogg", "libopus", layout="stereo", options={"frame_duration": "20"})

    assert _pack("ogg", data) == opus_packets(data)


def test_streams_one_after_the_other_pass_through() -> None:
    packets = encode(SPEECH)

    assert _pack("ogg", write_ogg(packets[:60]) + write_ogg(packets[60:])) == packets


def test_another_stream_in_between_is_left_out() -> None:
    packets = encode(SPEECH)
    data = write_ogg(packets)
    second = data.index(b"OggS", 4)
    other = ogg_page(2, 0, b"fishead") + ogg_page(0, 1, b"nothing to hear")

    assert _pack("ogg", data[:second] + other + data[second:]) == packets


def test_ogg_that_turns_to_other_durations_goes_on_in_packets_of_20_ms() -> None:
    first = make_file(SPEECH[:RATE], "ogg", "libopus", options={"frame_duration": "20"})
    second = make_file(SPEECH[RATE:], "ogg", "libopus", options={"frame_duration": "40"})
    pages = [ogg_page(2, 0, OpusHead().pack()), ogg_page(0, 1, b"OpusTags")]
    bodies = opus_packets(first) + opus_packets(second)
    pages += [ogg_page(0, number, body) for number, body in enumerate(bodies, 2)]

    packets = _pack("ogg", b"".join(pages))

    assert packets[: len(opus_packets(first))] == opus_packets(first)
    assert {packet_samples(packet) for packet in packets} == {960}
    assert len(packets) * 0.02 == pytest.approx(3.0, abs=0.1)


def test_opus_with_a_gain_in_its_header_is_decoded() -> None:
    data = bytearray(write_ogg(encode(SPEECH)))
    body = b"".join(ogg_page(0, number, packet) for number, packet in enumerate(encode(SPEECH), 2))
    data = bytearray(ogg_page(2, 0, OpusHead(gain=-512).pack()) + ogg_page(0, 1, b"OpusTags") + body)

    packets = _pack("ogg", bytes(data))

    assert packets != encode(SPEECH)
    assert measure(decode_packets(packets)) == pytest.approx(-16, abs=1)


@pytest.mark.parametrize("size", [500, 10**6])
def test_ogg_vorbis_is_decoded_and_packed(size: int) -> None:
    data = make_file(SPEECH, "ogg", "vorbis", layout="stereo", rate=44_100, options={"strict": "experimental"})

    packets = _pack("ogg", data, size=size)

    assert len(packets) * 0.02 == pytest.approx(3.0, abs=0.1)
    assert measure(decode_packets(packets)) == pytest.approx(-16, abs=1)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_wav_with_a_placeholder_for_its_size_is_read_to_the_end(size: int) -> None:
    packets = _pack("wav", _wav(pcm(SPEECH), size=size))

    assert len(packets) * 0.02 == pytest.approx(3.0, abs=0.03)


@pytest.mark.parametrize(
    ("kind", "bits", "body"),
    [
        (1, 8, np.rint(SPEECH * 127 + 128).astype(np.uint8).tobytes()),
        (1, 16, pcm(SPEECH)),
        (1, 24, np.rint(SPEECH * 8388607).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()),
        (1, 32, np.rint(SPEECH * 2e9).astype("<i4").tobytes()),
        (3, 32, SPEECH.astype("<f4").tobytes()),
        (3, 64, SPEECH.astype("<f8").tobytes()),
    ],
)
def test_wav_of_any_width_is_read(kind: int, bits: int, body: bytes) -> None:
    heard = decode_packets(_pack("wav", _wav(body, kind=kind, bits=bits), size=1001))

    assert _likeness(heard, SPEECH) > 0.9


def test_wav_in_the_extensible_shape_with_other_chunks_is_read() -> None:
    packets = _pack("wav", _wav(pcm(SPEECH), kind=0xFFFE, extra=struct.pack("<HHIH", 22, 16, 4, 1) + b"\0" * 14))

    assert len(packets) * 0.02 == pytest.approx(3.0, abs=0.03)


def test_wav_is_read_no_further_than_its_sound() -> None:
    data = _wav(pcm(SPEECH)) + b"LIST" + struct.pack("<I", 40_000) + b"\xff\x7f" * 20_000

    assert len(_pack("wav", data)) == len(_pack("wav", _wav(pcm(SPEECH))))


def test_the_picture_in_an_mp3_is_passed_over() -> None:
    plain = _file("mp3", SPEECH)
    size = 30_000
    tag = b"ID3\x03\0\0" + bytes([0, size >> 14, size >> 7 & 127, size & 127]) + plain[1000 : 1000 + size].ljust(size)

    assert len(_pack("mp3", tag + plain, size=999)) == len(_pack("mp3", plain))


def test_an_mp3_that_changes_its_rate_goes_on() -> None:
    data = _file("mp3", SPEECH) + make_file(SPEECH, "mp3", "libmp3lame", rate=24_000)

    assert len(_pack("mp3", data)) * 0.02 == pytest.approx(6.0, abs=0.3)


@pytest.mark.parametrize("encoding", get_args(Encoding))
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"<!doctype html><html><body>502 Bad Gateway</body></html>",
        b'{"detail": "quota exceeded"}' * 4000,
    ],
    ids=["nothing", "one byte", "html", "json"],
)
def test_what_is_no_sound_is_said_so(encoding: Encoding, data: bytes) -> None:
    with pytest.raises(ProviderError) as raised:
        _pack(encoding, data)

    assert str(raised.value) == NO_SOUND
    assert raised.value.kind == "server"


@pytest.mark.parametrize("encoding", ["mp3", "wav", "ogg"])
@pytest.mark.parametrize("seed", range(3))
def test_garbage_is_never_played(encoding: Encoding, seed: int) -> None:
    packer = Packer(encoding)
    garbage = np.random.default_rng(seed).bytes(100_000)

    with pytest.raises(ProviderError, match="no sound"):
        _feed_all(packer, garbage)


@pytest.mark.parametrize("encoding", ["wav", "ogg"])
def test_sound_whose_end_is_missing_is_said_so(encoding: Encoding) -> None:
    data = _wav(pcm(SPEECH)) if encoding == "wav" else write_ogg(encode(SPEECH))

    with pytest.raises(ProviderError, match="stopped in the middle") as raised:
        _pack(encoding, data[: len(data) * 2 // 3])

    assert raised.value.retryable


@pytest.mark.parametrize("encoding", ["mp3", "wav"])
def test_a_header_alone_is_no_sound(encoding: Encoding) -> None:
    data = _wav(b"") if encoding == "wav" else b"ID3\x03\0\0\0\0\0\x20" + b"\0" * 32

    with pytest.raises(ProviderError, match="no sound"):
        _pack(encoding, data)


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\0\0\0\0AVI LIST",
        b"RIFF\0\0\0\0WAVEdata\0\0\0\0",
        b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\0\0\0\0data\0\0\0\0",
        b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\x7f",
    ],
)
def test_a_wav_without_a_shape_is_no_sound(data: bytes) -> None:
    with pytest.raises(ProviderError, match="no sound"):
        _pack("wav", data)


@pytest.mark.parametrize("headers", [1, 2, 3])
def test_vorbis_with_broken_headers_is_no_sound(headers: int) -> None:
    pages = [ogg_page(2 if not number else 0, number, b"\x01vorbis" + bytes(40)) for number in range(headers)]

    with pytest.raises(ProviderError, match="no sound"):
        _pack("ogg", b"".join(pages) + ogg_page(4, headers, b"sound?"))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), encoding=st.sampled_from(["mp3", "wav", "ogg"]))
def test_damaged_streams_give_packets_or_a_provider_error(data: st.DataObject, encoding: Encoding) -> None:
    stream = bytearray(_DAMAGED[encoding])
    for _ in range(data.draw(st.integers(0, 10))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(stream)))

    packets = []
    with contextlib.suppress(ProviderError):
        packets = _pack(encoding, bytes(stream[:cut]), size=data.draw(st.integers(200, 5000)))

    assert all(packet_samples(packet) == 960 for packet in packets)


_DAMAGED = {encoding: _file(encoding, speak(0.6)) for encoding in ("mp3", "wav", "ogg")}


def _feed_all(packer: Packer, data: bytes) -> None:
    for start in range(0, len(data), 4096):
        assert packer.feed(data[start : start + 4096]) == []
    packer.finish()


def _wav(body: bytes, *, kind: int = 1, bits: int = 16, size: int | None = None, extra: bytes = b"") -> bytes:
    width = bits // 8
    fmt = struct.pack("<HHIIHH", kind, 1, RATE, RATE * width, width, bits) + extra
    head = b"WAVE" + b"JUNK" + struct.pack("<I", 3) + b"abc\0" + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    length = len(body) if size is None else size
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + head + b"data" + struct.pack("<I", length) + body


def _likeness(heard: Samples, meant: Samples) -> float:
    """Correlate the levels over time, which survive a codec where the samples themselves do not.

    Codecs delay sound by up to 60 ms.
    """
    shapes = []
    for delay in range(0, 2880, 120):
        late = heard[delay:]
        size = min(late.size, meant.size) // 480 * 480
        shapes.append([np.sqrt(np.mean(sound[:size].reshape(-1, 480) ** 2, axis=1)) for sound in (late, meant)])
    return max(float(np.corrcoef(*pair)[0, 1]) for pair in shapes)


# pieces that follow one another


def _begun(sound: Samples) -> Samples:
    """Cut off what is quiet at both ends, so that sound begins and ends in the middle of a wave."""
    loud = np.flatnonzero(np.abs(sound) > 0.05)
    return sound[loud[0] : loud[-1] + 1]


@pytest.mark.parametrize("encoding", ["pcm", "wav", "mp3"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (_begun(speak(1.5)), _begun(speak(1.5, seed=3))),
        (tone(1.0)[30:-27], tone(1.0, frequency=330)[40:-13]),
    ],
    ids=["speech", "tone"],
)
@pytest.mark.parametrize("size", [400, 4096])
def test_no_click_is_heard_where_pieces_are_joined(
    encoding: Encoding, first: Samples, second: Samples, size: int
) -> None:
    before, after = (_pack(encoding, _file(encoding, sound), size=size) for sound in (first, second))

    heard = decode_packets(before + after)

    join = len(before) * 960 - 312
    own = max(_jump(decode_packets(piece)[4800:-4800]) for piece in (before, after))
    assert _jump(heard[join - 960 : join + 960]) <= own * 1.05


def _jump(sound: Samples) -> float:
    return float(np.abs(np.diff(sound)).max())


def test_fading_takes_nothing_from_the_middle_of_a_wave() -> None:
    sound = speak(1.0)

    faded, kept = (decode_packets(_pack("pcm", pcm(piece))) for piece in (sound, np.pad(sound, (480, 480))))

    assert faded.size == pytest.approx(kept.size - 960, abs=960)
    assert measure(faded) == pytest.approx(measure(kept), abs=0.5)


@pytest.mark.parametrize("lufs", [-30.0, -26.0, -20.0, -14.0])
@pytest.mark.parametrize("seconds", [0.6, 1.0, 1.5])
def test_a_short_piece_is_as_loud_as_a_long_one_where_it_is_known_how_loud_they_come(
    lufs: float, seconds: float
) -> None:
    def pack(sound: Samples, usual: float | None) -> tuple[Samples, float | None]:
        packer = Packer("pcm", usual=usual)
        data = pcm(np.clip(sound * 10 ** ((lufs - loudness(sound)) / 20), -1, 1).astype(np.float32))
        packets = [packet for start in range(0, len(data), 4096) for packet in packer.feed(data[start : start + 4096])]
        return decode_packets(packets + packer.finish()), packer.loudness

    long, usual = pack(speak(4.0), None)
    short, _ = pack(speak(seconds, seed=2), usual)

    assert usual == pytest.approx(lufs, abs=1)
    assert abs(loudness(short) - loudness(long)) < 2


def test_what_passes_untouched_was_not_measured() -> None:
    packer = Packer("ogg", usual=-20.0)

    packer.feed(write_ogg(encode(SPEECH)))

    assert packer.loudness is None
