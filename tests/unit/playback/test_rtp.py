import ctypes
import errno
import struct

import nacl
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.secret import Aead

from bot.playback import batch
from bot.playback.ciphers import AES, MODES, XCHACHA
from bot.playback.native import send
from bot.playback.rtp import LONGEST, RtpStream

KEY, OTHER = list(range(32)), list(range(1, 33))

each_mode = pytest.mark.parametrize("mode", MODES)


def _open(mode: str, datagram: bytes, key: list[int]) -> bytes:
    header, sealed, count = datagram[:12], datagram[12:-4], datagram[-4:]
    if mode == AES:
        return AESGCM(bytes(key)).decrypt(count + bytes(8), sealed, header)
    return Aead(bytes(key)).decrypt(sealed, header, count + bytes(20))


def _seal_first(mode: str, payload: bytes, header: bytes) -> bytes:
    if mode == AES:
        return AESGCM(bytes(KEY)).encrypt(bytes(12), payload, header)
    return Aead(bytes(KEY)).encrypt(payload, header, bytes(24)).ciphertext


def test_the_modes_are_the_two_that_discord_names() -> None:
    assert set(MODES) == {"aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"}


@each_mode
def test_the_first_datagram_is_byte_for_byte_what_discord_describes(mode: str) -> None:
    stream = RtpStream()
    stream.rekey(mode, KEY, 0x01020304)

    datagram = stream.seal([b"opus"])[0]

    header = bytes.fromhex("80 78 0001 00000000 01020304")
    assert datagram == header + _seal_first(mode, b"opus", header) + bytes(4)


@each_mode
def test_each_datagram_is_20_ms_later_and_opens_with_its_own_nonce(mode: str) -> None:
    stream = RtpStream()
    stream.rekey(mode, KEY, 7)

    datagrams = [*stream.seal([b"\0"]), *stream.seal([b"\1", b"\2"])]

    assert [struct.unpack_from(">HI", each, 2) for each in datagrams] == [(1, 0), (2, 960), (3, 1920)]
    assert [each[-4:] for each in datagrams] == [struct.pack(">I", number) for number in range(3)]
    assert [_open(mode, each, KEY) for each in datagrams] == [b"\0", b"\1", b"\2"]


def test_no_nonce_is_used_twice_whatever_the_key_and_the_mode() -> None:
    stream = RtpStream()
    nonces = []
    for mode, key in ((AES, KEY), (AES, OTHER), (XCHACHA, OTHER), (AES, KEY)):
        stream.rekey(mode, key, 7)
        datagrams = stream.seal([b"opus"] * 5)
        nonces += [each[-4:] for each in datagrams]
        assert {_open(mode, each, key) for each in datagrams} == {b"opus"}

    assert len(set(nonces)) == 20


@each_mode
def test_sequence_and_time_begin_anew_at_their_end(mode: str) -> None:
    stream = RtpStream()
    stream.rekey(mode, KEY, 7)
    stream._packets = (1 << 32) - 1

    last, first = (struct.unpack_from(">HI", each, 2) for each in stream.seal([b"", b""]))

    assert last == (0, -960 & 0xFFFFFFFF)
    assert first == (1, 0)


@each_mode
def test_no_more_is_sealed_than_an_opus_packet_has(mode: str) -> None:
    stream = RtpStream()
    stream.rekey(mode, KEY, 7)

    with pytest.raises(ValueError, match="no Opus packet"):
        stream.seal([b"", bytes(LONGEST + 1)])
    with pytest.raises(ValueError, match="32 bytes"):
        stream.rekey(mode, KEY[1:], 7)
    assert _open(mode, stream.seal([bytes(LONGEST)])[0], KEY) == bytes(LONGEST)


@each_mode
def test_the_longest_payload_makes_a_datagram_for_which_there_is_room(mode: str) -> None:
    stream = RtpStream()
    stream.rekey(mode, KEY, 7)

    assert len(stream.seal([bytes(LONGEST)])[0]) <= batch.LONGEST


def test_pynacl_is_a_release_whose_library_we_know() -> None:
    assert nacl.__version__.startswith("1.5.")


def test_what_the_system_refuses_to_send_is_told_by_its_number() -> None:
    assert send(-1, b"datagram", ctypes.c_size_t(8), 0) == -1
    assert ctypes.get_errno() == errno.EBADF
