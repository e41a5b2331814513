import ctypes
import errno
import struct

import nacl
import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.secret import Aead

from bot.playback.native import send
from bot.playback.rtp import LONGEST, RtpStream

KEY, OTHER = list(range(32)), list(range(1, 33))


def _open(datagram: bytes, key: list[int]) -> bytes:
    nonce = datagram[-4:] + bytes(20)
    return crypto_aead_xchacha20poly1305_ietf_decrypt(datagram[12:-4], datagram[:12], nonce, bytes(key))


def test_the_first_datagram_is_byte_for_byte_what_discord_describes() -> None:
    stream = RtpStream()
    stream.rekey(KEY, 0x01020304)

    datagram = stream.seal([b"opus"])[0]

    header = bytes.fromhex("80 78 0001 00000000 01020304")
    sealed = Aead(bytes(KEY)).encrypt(b"opus", header, bytes(24)).ciphertext
    assert datagram == header + sealed + bytes(4)


def test_each_datagram_is_20_ms_later_and_opens_with_its_own_nonce() -> None:
    stream = RtpStream()
    stream.rekey(KEY, 7)

    datagrams = [*stream.seal([b"\0"]), *stream.seal([b"\1", b"\2"])]

    assert [struct.unpack_from(">HI", each, 2) for each in datagrams] == [(1, 0), (2, 960), (3, 1920)]
    assert [each[-4:] for each in datagrams] == [struct.pack(">I", number) for number in range(3)]
    assert [_open(each, KEY) for each in datagrams] == [b"\0", b"\1", b"\2"]


def test_no_nonce_is_used_twice_whatever_the_key() -> None:
    stream = RtpStream()
    nonces = []
    for key in (KEY, OTHER, KEY):
        stream.rekey(key, 7)
        datagrams = stream.seal([b"opus"] * 5)
        nonces += [each[-4:] for each in datagrams]
        assert {_open(each, key) for each in datagrams} == {b"opus"}

    assert len(set(nonces)) == 15


def test_sequence_and_time_begin_anew_at_their_end() -> None:
    stream = RtpStream()
    stream.rekey(KEY, 7)
    stream._packets = (1 << 32) - 1

    last, first = (struct.unpack_from(">HI", each, 2) for each in stream.seal([b"", b""]))

    assert last == (0, -960 & 0xFFFFFFFF)
    assert first == (1, 0)


def test_no_more_is_sealed_than_there_is_room_for() -> None:
    stream = RtpStream()
    stream.rekey(KEY, 7)

    with pytest.raises(ValueError, match="no Opus packet"):
        stream.seal([b"", bytes(LONGEST + 1)])
    with pytest.raises(ValueError, match="32 bytes"):
        stream.rekey(KEY[1:], 7)
    assert len(stream.seal([bytes(LONGEST)])[0]) == 12 + LONGEST + 16 + 4


def test_pynacl_is_a_release_whose_library_we_know() -> None:
    assert nacl.__version__.startswith("1.5.")


def test_what_the_system_refuses_to_send_is_told_by_its_number() -> None:
    assert send(-1, b"datagram", ctypes.c_size_t(8), 0) == -1
    assert ctypes.get_errno() == errno.EBADF
