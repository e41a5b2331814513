"""What a listener in a channel hears of a client that speaks."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from playground.discord.voice import Announcement, Frame, Listener
from playground.discord.voice.track import Track
from playground.discord.voice.transport import Packet
from tests.unit.playground.voice.client import GCM, LOUNGE, SILENCE, XCHACHA, Client
from tests.unit.playground.voice.house import House
from tests.unit.playground.voice.tone import pitch, tone

ALICE, OTHER_BOT, DEN = 400, 301, 201


@asynccontextmanager
async def speaking(house: House, mode: str = XCHACHA) -> AsyncIterator[tuple[Client, Listener]]:
    """A client that may speak and a listener who can decrypt it."""
    listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
    async with Client(house, mode=mode) as bot:
        await bot.secured()
        yield bot, listener


@pytest.mark.parametrize("mode", [GCM, XCHACHA])
async def test_a_listener_hears_the_very_tone_that_was_sent(house: House, mode: str) -> None:
    listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
    async with Client(house, mode=mode) as bot:
        await bot.secured()
        bot.say(tone(1.0))
        await listener.hears(seconds=0.9)
        await listener.silence()
    heard = listener.heard()
    assert (heard.packets, heard.silence_packets, heard.clear_packets, heard.undecryptable) == (50, 5, 0, 0)
    assert (heard.lost, heard.duplicates, heard.wrong_steps, heard.reused_nonces) == (0, 0, 0, 0)
    assert heard.seconds == pytest.approx(1.0)
    assert pitch(heard.pcm) == pytest.approx(440, abs=2)


async def test_what_comes_unencrypted_is_counted_and_not_heard(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.say(tone(0.2), clear=True, silences=0)
        bot.say(tone(0.4))
        await listener.silence(after=0)
    heard = listener.heard()
    assert (heard.packets, heard.clear_packets, heard.undecryptable) == (20, 10, 0)
    assert heard.seconds == pytest.approx(0.4)


async def test_a_frame_under_a_key_nobody_has_is_undecryptable(house: House) -> None:
    async with speaking(house) as (bot, listener):
        (packet,) = tone(0.02)
        assert bot.session is not None
        sealed = bytearray(bot.session.encrypt_opus(packet))
        sealed[0] ^= 1
        bot.send_frame(bytes(sealed))
        bot.say(tone(0.2))
        await listener.silence(after=0)
    assert (listener.heard().packets, listener.heard().undecryptable) == (10, 1)


async def test_a_packet_not_under_the_sessions_transport_key_is_undecryptable(house: House) -> None:
    async with speaking(house) as (bot, listener):
        key, bot.key = bot.key, bytes(32)
        bot.send_frame(b"x" * 20)
        bot.key = key
        bot.send_datagram(b"\x00\x78" + bot.header()[2:] + bytes(40))
        bot.say(tone(0.2))
        await listener.silence(after=0)
    assert (listener.heard().packets, listener.heard().undecryptable) == (10, 2)


@pytest.mark.parametrize("mode", [GCM, XCHACHA])
async def test_a_nonce_used_twice_is_refused_and_counted(house: House, mode: str) -> None:
    async with speaking(house, mode=mode) as (bot, listener):
        bot.say(tone(0.2), silences=0)
        bot.nonce -= 1
        bot.say(tone(0.2))
        await listener.silence(after=0)
    heard = listener.heard()
    assert (heard.packets, heard.reused_nonces, heard.lost) == (19, 1, 1)


async def test_a_packet_sent_twice_is_heard_once(house: House) -> None:
    async with speaking(house) as (bot, listener):
        first, *rest = tone(0.2)
        assert bot.session is not None
        for _ in range(2):
            bot.send_datagram(bot.seal(bot.header(), bot.session.encrypt_opus(first)))
        bot.sequence, bot.timestamp = bot.sequence + 1, bot.timestamp + 960
        bot.say(rest)
        await listener.silence(after=0)
    heard = listener.heard()
    assert (heard.packets, heard.duplicates, heard.lost, heard.wrong_steps) == (10, 1, 0, 0)


async def test_a_packet_that_comes_behind_a_later_one_is_not_heard(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.sequence = 1000
        bot.say(tone(0.2), silences=0)
        bot.sequence -= 300
        bot.say(tone(0.02), silences=0)
        bot.sequence += 299
        bot.timestamp -= 960
        bot.say(tone(0.2))
        await listener.silence(after=0)
    assert (listener.heard().packets, listener.heard().duplicates) == (20, 1)


async def test_lost_packets_are_a_silence_of_their_length(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.say(tone(0.4), silences=0)
        bot.sequence, bot.timestamp = bot.sequence + 10, bot.timestamp + 10 * 960
        bot.say(tone(0.4))
        await listener.silence(after=0)
    heard = listener.heard()
    assert (heard.packets, heard.lost, heard.wrong_steps) == (40, 10, 0)
    assert heard.pcm.size == (20 + 10 + 20 + 5) * 960
    assert not heard.pcm[20 * 960 : 30 * 960].any()
    assert np.abs(heard.pcm[31 * 960 : 32 * 960]).max() > 0.1


async def test_timestamps_that_do_not_follow_the_packets_are_counted(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.say(tone(0.1), silences=0)
        bot.timestamp += 480
        bot.say(tone(0.1), silences=0)
        bot.timestamp += 3600 * 48_000
        bot.say(tone(0.1))
        await listener.silence(after=0)
    heard = listener.heard()
    assert (heard.packets, heard.wrong_steps) == (15, 2)
    assert heard.pcm.size < 48_000


async def test_a_pause_after_the_end_of_speech_may_move_the_timestamp_on(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.say(tone(0.2))
        bot.timestamp += 48_000
        bot.say(tone(0.2))
        await listener.hears(0.35)
        await listener.silence(after=0)
    heard = listener.heard()
    assert (heard.packets, heard.wrong_steps) == (20, 0)
    assert heard.pcm.size == 48_000 + (10 + 5 + 10 + 5) * 960


async def test_sequence_and_timestamp_may_wrap_around(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.sequence, bot.timestamp = 0xFFFF - 4, 0x100000000 - 5 * 960
        bot.say(tone(0.4))
        await listener.silence(after=0)
    heard = listener.heard()
    assert (heard.packets, heard.lost, heard.wrong_steps, heard.duplicates) == (20, 0, 0, 0)


async def test_rtp_extensions_and_sources_are_no_part_of_the_sound(house: House) -> None:
    async with speaking(house) as (bot, listener):
        assert bot.session is not None
        for packet in tone(0.2):
            fixed = bytearray(bot.header())
            fixed[0] |= 0x11
            header = bytes(fixed) + b"\0\0\0\1" + b"\xbe\xde\0\1"
            bot.send_frame(b"\x10\xff\0\0" + bot.session.encrypt_opus(packet), header=header)
        bot.say([])
        await listener.silence(after=0)
    assert (listener.heard().packets, listener.heard().undecryptable) == (10, 0)


async def test_digital_silence_is_not_hearing(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.say([SILENCE] * 50 + tone(0.1))
        with pytest.raises(TimeoutError, match=r"not 0\.3 s of sound .* user 400 heard 5 frames"):
            await listener.hears(0.3, timeout=0.2)


async def test_frames_that_are_no_opus_are_no_sound(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.say([b"\xff\xff\xff\xff", *tone(0.2)])
        await listener.hears(0.15)
        await listener.silence(after=0)
    assert listener.heard().packets == 11


async def test_speech_ends_with_the_announcement_where_no_silence_frames_come(house: House) -> None:
    async with speaking(house) as (bot, listener):
        await bot.speak(1)
        bot.say(tone(0.1), silences=0)
        await listener.hears(0.08)
        with pytest.raises(TimeoutError, match="no end of speech"):
            await listener.silence(after=0, timeout=0.1)
        await bot.speak(0)
        await listener.silence(after=0.05)


async def test_speech_ends_when_the_speaker_leaves(house: House) -> None:
    async with speaking(house) as (bot, listener):
        await bot.speak(1)
        bot.say(tone(0.1), silences=0)
        await listener.hears(0.08)
        with pytest.raises(TimeoutError, match="no end of speech"):
            await listener.silence(after=0, timeout=0.05)
        await bot.hang_up()
        await listener.silence(after=0)
    assert (listener.heard().packets, listener.heard().silence_packets) == (5, 0)


async def test_silence_is_no_end_where_nobody_spoke(house: House) -> None:
    listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
    with pytest.raises(TimeoutError, match="heard 0 frames"):
        await listener.silence(timeout=0.05)


async def test_after_a_reset_nothing_was_heard_and_hearing_goes_on(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.say(tone(0.2))
        await listener.silence(after=0)
        listener.reset()
        empty = listener.heard()
        bot.say(tone(0.4))
        await listener.silence(after=0)
    assert (empty.packets, empty.pcm.size, empty.first_at, empty.gaps) == (0, 0, None, ())
    assert (listener.heard().packets, listener.heard().lost) == (20, 0)


async def test_arrivals_are_timed(house: House) -> None:
    before = time.monotonic()
    async with speaking(house) as (bot, listener):
        bot.say(tone(0.2))
        await listener.silence(after=0)
    heard = listener.heard()
    assert heard.first_at is not None
    assert before < heard.first_at < time.monotonic()
    assert len(heard.gaps) == 9
    assert heard.late == tuple(gap for gap in heard.gaps if gap > 0.04)


async def test_a_client_that_comes_back_is_heard_after_what_it_said_before(house: House) -> None:
    listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
    for hertz in (440.0, 880.0):
        async with Client(house) as bot:
            await bot.secured()
            bot.say(tone(0.4, hertz))
            await listener.hears(0.35 if hertz == 440 else 0.7)
    heard = listener.heard()
    assert heard.packets == 40
    assert pitch(heard.pcm[: 20 * 960]) == pytest.approx(440, abs=4)
    assert pitch(heard.pcm[-25 * 960 : -5 * 960]) == pytest.approx(880, abs=4)


async def test_two_who_speak_at_once_are_heard_mixed(house: House) -> None:
    async with speaking(house) as (bot, listener), Client(house, user_id=OTHER_BOT) as other:
        await other.secured()
        async with asyncio.timeout(5):
            await house.voice.settled(channel_id=LOUNGE)
        bot.say(tone(0.4, 440))
        other.say(tone(0.4, 1760))
        await listener.hears(0.75)
        await listener.silence(after=0)
    heard = listener.heard()
    assert heard.packets == 40
    assert heard.pcm.size < 40 * 960
    spectrum = np.abs(np.fft.rfft(heard.pcm[: 20 * 960]))
    assert spectrum[440 * 960 * 20 // 48_000] > 100
    assert spectrum[1760 * 960 * 20 // 48_000] > 100


# What else is told of it


async def test_every_frame_is_told_with_its_number_and_its_time(house: House) -> None:
    async with speaking(house) as (bot, listener):
        await bot.speak(1)
        began = time.monotonic()
        bot.say(tone(0.2))
        await listener.silence(after=0)
    frames = listener.heard().frames
    assert [frame.sequence for frame in frames] == list(range(10, 25))
    assert [frame.silence for frame in frames] == [False] * 10 + [True] * 5
    assert [frame.opus for frame in listener.heard().spoken] == tone(0.2)
    assert all(began - 0.01 <= frame.arrived <= time.monotonic() for frame in frames)


async def test_speaking_that_was_announced_and_concluded_is_told(house: House) -> None:
    async with speaking(house) as (bot, listener):
        await bot.speak(1)
        bot.say(tone(0.2))
        await listener.silence(after=0)
        assert not listener.heard().concluded
        await bot.speak(0)
        await listener.announced(0)
    heard = listener.heard()
    assert [each.flags for each in heard.announcements][-2:] == [1, 0]
    assert heard.unannounced == ()
    assert heard.concluded


def test_frames_without_an_announcement_and_breaks_in_speech_are_told() -> None:
    frames = tuple(Frame(3, number, float(number), b"x", silence=False) for number in range(4))
    said = (Announcement(3, 0, 0.5), Announcement(3, 1, 1.05), Announcement(3, 0, 2.5))
    nothing = Listener(channel_id=1, user_id=2, dave_version=0, answer=lambda *_: None).heard()
    heard = replace(nothing, frames=frames, announcements=said, gaps=(0.02, 0.061, 0.06))
    assert [frame.sequence for frame in heard.unannounced] == [0, 3]
    assert heard.holes == (0.061,)
    assert not heard.concluded
    assert nothing.concluded


async def test_a_sentence_said_twice_is_found(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.say(tone(0.8) + tone(0.3, 600))
        bot.say(tone(0.8))
        await listener.hears(1.7)
        await listener.silence(after=0)
    heard = listener.heard()
    assert heard.repeats(least=30)[0].sequence == 10 + 55 + 5
    assert heard.repeats(least=41) == ()


async def test_waiting_for_what_does_not_come_says_what_was_heard(house: House) -> None:
    async with speaking(house) as (_, listener):
        with pytest.raises(TimeoutError, match="0 hushed packets within"):
            await listener.ignores(1, timeout=0.01)
        with pytest.raises(TimeoutError, match="nobody announced 5 within"):
            await listener.announced(5, timeout=0.01)


async def test_channels_do_not_hear_each_other(house: House) -> None:
    async with speaking(house) as (bot, alice), Client(house, user_id=OTHER_BOT, channel_id=DEN) as other:
        bert = house.voice.seat(channel_id=DEN, user_id=ALICE + 1)
        await other.secured()
        bot.say(tone(0.2))
        other.say(tone(0.4))
        await alice.silence(after=0)
        await bert.silence(after=0)
    assert (alice.heard().packets, bert.heard().packets) == (10, 20)


async def test_audio_nobody_announced_or_of_no_session_is_stray(house: House) -> None:
    async with speaking(house) as (bot, listener):
        bot.send_datagram(b"short")
        ssrc, bot.ssrc = bot.ssrc, 77
        bot.send_frame(b"x" * 20)
        bot.send_datagram(b"\0\1\0\x46" + bytes(70))
        bot.ssrc = ssrc
        bot.say(tone(0.2))
        await listener.silence(after=0)
    assert house.voice.strays == 3


async def test_only_the_last_ten_minutes_are_kept() -> None:
    track = Track(1)
    packet = tone(0.02)[0]
    for number in range(100):
        assert track.count(Packet(1, number * 450, number * 9 * 48_000, packet), number * 9.0)
        track.keep(packet, number * 9.0)
    assert track.spoken == 100
    assert 590 * 48_000 < track.render().size <= 600 * 48_000 + 960


async def test_a_listener_remembers_only_so_many_connections() -> None:
    listener = Listener(channel_id=1, user_id=2, dave_version=0, answer=lambda *_: None)
    for ssrc in range(40):
        listener.receive(3, Packet(ssrc, 1, 1, tone(0.02)[0]), float(ssrc))
    assert listener.heard().packets == 32
