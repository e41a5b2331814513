"""Ogg as it is written and read, checked against FFmpeg and the reader of discord.py."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.audio import packet_samples, read_ogg, write_ogg
from bot.audio.ogg import OggReader, _checksum
from bot.audio.opus import FRAME, encode
from bot.audio.recording import RATE
from bot.errors import SampleError
from tests.unit.audio.sounds import make_file, ogg_page, open_file, opus_packets, speak, tone

PACKETS = encode(speak(3.0))


def opus_bodies() -> st.SearchStrategy[list[bytes]]:
    """Packets of 20 ms by their first byte, with any body, some of them longer than a lacing value."""
    body = st.one_of(st.binary(max_size=8), st.integers(250, 520).map(bytes), st.integers(1000, 1274).map(bytes))
    return st.lists(body.map(lambda tail: b"\xf8" + tail), min_size=1, max_size=130)


@given(opus_bodies())
@settings(deadline=None)
def test_packets_come_back_as_they_were(packets: list[bytes]) -> None:
    data = write_ogg(packets)

    assert read_ogg(data) == packets
    assert opus_packets(data) == packets


@given(packets=opus_bodies(), cuts=st.lists(st.integers(0, 5000), max_size=30))
@settings(deadline=None)
def test_any_portions_give_the_same_packets(packets: list[bytes], cuts: list[int]) -> None:
    data = write_ogg(packets)
    whole = list(OggReader().feed(data))
    reader = OggReader()
    start = 0

    portions = []
    for size in [*cuts, len(data)]:
        portions += list(reader.feed(data[start : start + size]))
        start += size

    assert portions == whole
    assert not reader.cut


def test_bytes_one_by_one_give_the_same_packets() -> None:
    data = write_ogg(PACKETS[:60])
    reader = OggReader()

    packets = [packet.data for byte in data for packet in reader.feed(bytes([byte]))]

    assert packets[2:] == PACKETS[:60]


def test_ffmpeg_plays_what_is_written_for_as_long() -> None:
    assert open_file(write_ogg(PACKETS)).size == len(PACKETS) * FRAME - 312


@pytest.mark.parametrize("seconds", [0.3, 1.0, 1.007, 2.5])
def test_the_end_is_trimmed_to_the_sample(seconds: float) -> None:
    samples = round(seconds * RATE)

    data = write_ogg(encode(tone(seconds)), samples=samples)

    assert open_file(data).size == samples


def test_no_packets_make_a_file_without_sound() -> None:
    with pytest.raises(SampleError):
        read_ogg(write_ogg([]))


def test_packets_too_long_for_one_page_go_on_the_next() -> None:
    packets = [b"\xf8" + bytes(1300)] * 120

    data = write_ogg(packets)

    assert read_ogg(data) == packets
    assert [granule for _, granule, _ in _pages(data)][-1] == 120 * FRAME
    assert sorted(granule for _, granule, _ in _pages(data)) == [granule for _, granule, _ in _pages(data)]


def test_granule_positions_follow_rfc_7845() -> None:
    pages = _pages(write_ogg(PACKETS))

    assert [flags for flags, _, _ in pages] == [2, 0, *[0] * (len(pages) - 3), 4]
    assert [granule for _, granule, _ in pages[:2]] == [0, 0]
    assert [granule for _, granule, _ in pages[2:]] == [
        min(FRAME * 50 * number, FRAME * len(PACKETS)) for number in range(1, len(pages) - 1)
    ]
    assert [sequence for _, _, sequence in pages] == list(range(len(pages)))


def test_files_of_ffmpeg_are_read() -> None:
    data = make_file(speak(2.0), "ogg", "libopus", options={"frame_duration": "20"})

    assert read_ogg(data) == opus_packets(data)


def test_packets_of_another_duration_are_refused() -> None:
    data = make_file(speak(2.0), "ogg", "libopus", options={"frame_duration": "60"})

    with pytest.raises(SampleError, match="20 ms"):
        read_ogg(data)


@pytest.mark.parametrize("data", [b"", b"OggS", b"RIFF" * 100, make_file(tone(0.2), "mp3", "libmp3lame")])
def test_what_is_no_ogg_opus_is_refused(data: bytes) -> None:
    with pytest.raises(SampleError, match="not Ogg Opus"):
        read_ogg(data)


def test_streams_one_after_the_other_are_read_as_one() -> None:
    assert read_ogg(write_ogg(PACKETS[:70]) + write_ogg(PACKETS[70:])) == PACKETS


def test_a_page_with_a_wrong_checksum_is_passed_over() -> None:
    data = bytearray(write_ogg(PACKETS))
    third = [index for index in range(len(data)) if data.startswith(b"OggS", index)][2]
    data[third + 400] ^= 1

    assert read_ogg(bytes(data)) == PACKETS[50:]


def test_bytes_between_pages_are_passed_over() -> None:
    data = write_ogg(PACKETS)
    reader = OggReader()

    packets = [packet.data for packet in reader.feed(b"ICY 200 OK\r\nOgg" + data)]

    assert packets[2:] == PACKETS
    assert reader.skipped == len(b"ICY 200 OK\r\nOgg")


def test_a_packet_over_two_pages_is_put_together() -> None:
    long = bytes(range(256)) * 3
    pages = [ogg_page(2, 0, b"head"), ogg_page(0, 1, long[:510], whole=False), ogg_page(5, 2, long[510:])]
    reader = OggReader()

    packets = [packet.data for page in pages for packet in reader.feed(page)]

    assert packets == [b"head", long]
    assert not reader.cut


def test_a_packet_whose_middle_is_lost_is_left_out() -> None:
    pages = [
        ogg_page(2, 0, b"head"),
        ogg_page(0, 1, b"x" * 510, whole=False),
        ogg_page(1, 3, b"tail"),
        ogg_page(4, 4, b"next"),
    ]
    reader = OggReader()

    packets = [packet.data for page in pages for packet in reader.feed(page)]

    assert packets == [b"head", b"next"]


@pytest.mark.parametrize("size", [1, 100, 700])
def test_an_end_in_the_middle_of_a_page_is_seen(size: int) -> None:
    data = write_ogg(PACKETS)
    reader = OggReader()

    list(reader.feed(data[:-size]))

    assert reader.cut


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_failing(data: bytes) -> None:
    assert list(OggReader().feed(b"OggS" + data)) is not None


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_damaged_file_gives_some_of_its_packets_or_is_refused(data: st.DataObject) -> None:
    file = bytearray(write_ogg(PACKETS))
    for _ in range(data.draw(st.integers(1, 5))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))

    try:
        packets = read_ogg(bytes(file))
    except SampleError:
        return

    assert set(packets) <= set(PACKETS)
    assert all(packet_samples(packet) == FRAME for packet in packets)


def _pages(data: bytes) -> list[tuple[int, int, int]]:
    pages = []
    start = 0
    while start < len(data):
        _, _, flags, granule, _, sequence, _, count = struct.unpack_from("<4sBBqIIIB", data, start)
        size = 27 + count + sum(data[start + 27 : start + 27 + count])
        assert _checksum(bytearray(data[start : start + size]))
        pages.append((flags, granule, sequence))
        start += size
    return pages
