"""The voice gateway's websocket: who may come in, what is answered, and what is refused or complained about."""

import asyncio
from collections import deque
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from playground.discord.voice import Faults, VoiceServer
from tests.unit.playground.voice.client import BOT, GUILD, LOUNGE, Client
from tests.unit.playground.voice.house import House, complaining, open_house
from tests.unit.playground.voice.tone import tone

ALICE, OTHER_BOT, DEN = 400, 301, 201


def expect(house: House, session_id: str = "s", channel_id: int = LOUNGE) -> dict[str, Any]:
    token = house.voice.expect(guild_id=GUILD, channel_id=channel_id, user_id=BOT, session_id=session_id)
    return {"session_id": session_id, "token": token}


async def test_a_client_is_told_the_keys_and_then_the_external_sender(house: House) -> None:
    async with Client(house) as bot:
        await bot.until(lambda: bot.received(25))
        ops = [op for op, _ in bot.messages]
    assert ops == [8, 2, 4, 25]
    ready, description = bot.received(2)[0], bot.received(4)[0]
    assert ready["ip"] == "127.0.0.1"
    assert ready["modes"] == ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"]
    assert (len(description["secret_key"]), description["dave_protocol_version"]) == (32, 1)


async def test_binary_messages_and_events_share_one_numbering(house: House) -> None:
    house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
    async with Client(house) as bot:
        await bot.until(lambda: bot.received(22))
        await bot.heartbeat()
        await bot.until(lambda: bot.received(6))
        numbered = [op for op, _ in bot.messages if op not in (8, 2, 4, 6)]
    assert bot.seq_ack == len(numbered)
    assert bot.received(6) == [{"t": 123}]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"session_id": "other"}, 4006),
        ({"server_id": "101"}, 4006),
        ({"user_id": "301"}, 4006),
        ({"token": "other"}, 4004),
        ({"max_dave_protocol_version": 0}, 4017),
    ],
)
async def test_identify_is_checked_against_what_was_expected(house: House, wrong: dict[str, Any], code: int) -> None:
    client = Client(house)
    client.identity |= wrong
    async with client as bot:
        assert await bot.closed() == code


async def test_a_client_that_does_not_mention_dave_is_refused_where_it_is_required(house: House) -> None:
    async with Client(house, dave=None) as bot:
        assert await bot.closed() == 4017


async def test_a_client_without_dave_may_come_to_a_stage(house: House) -> None:
    house.voice.faults.dave_versions[LOUNGE] = 0
    async with Client(house, dave=None) as bot:
        await bot.described()
        assert bot.version == 0


async def test_a_client_must_go_to_the_endpoint_it_was_given(house: House) -> None:
    house.voice.faults.endpoint = "voice-2.discord.media:443"
    async with Client(house, endpoint="voice-1.discord.media:443") as bot:
        assert await bot.closed() == 4006
    async with Client(house) as bot:
        await bot.described()


async def test_identify_is_refused_as_often_as_the_test_says(house: House) -> None:
    house.voice.faults.refuse_identify = deque([4006, 4014])
    for code in (4006, 4014):
        async with Client(house) as bot:
            assert await bot.closed() == code
    async with Client(house) as bot:
        await bot.described()


async def test_only_modes_that_are_offered_can_be_chosen(house: House) -> None:
    house.voice.faults.modes = ("aead_aes256_gcm_rtpsize",)
    async with Client(house, mode="aead_xchacha20_poly1305_rtpsize") as bot:
        assert await bot.closed() == 4016


async def test_a_lost_discovery_is_not_answered_and_the_next_one_is(house: House) -> None:
    house.voice.faults.lose_discovery = 1
    async with Client(house) as bot:
        await bot.until(lambda: bot.udp)
        bot.ask_address()
        await bot.described()
    assert house.voice.faults.lose_discovery == 0


async def test_audio_that_is_taken_elsewhere_is_refused_at_the_earlier_port_by_the_system(house: House) -> None:
    async with Client(house) as bot:
        await bot.described()
        earlier = house.voice.udp_address
        assert bot.udp is not None
        bot.udp.connect(earlier)

        house.voice.move_port()

        assert house.voice.udp_address != earlier
        bot.udp.send(b"nobody is there")
        with pytest.raises(ConnectionRefusedError):
            bot.udp.send(b"and that is told")
    async with Client(house) as again:
        await again.described()


async def test_who_speaks_where_announcements_are_lost_is_heard_by_nobody_and_disconnected(house: House) -> None:
    house.voice.faults.lose_announcements = 1
    listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
    async with Client(house) as bot:
        await bot.secured()
        await bot.speak(1)
        await bot.heartbeat()
        await bot.until(lambda: bot.received(6))
        bot.say(tone(0.2))
        assert await bot.closed() == 4020
    assert listener.heard().packets == 0
    assert house.voice.faults.lose_announcements == 0
    async with Client(house) as again:
        await again.secured()
        await again.speak(1)
        again.say(tone(0.2))
        await listener.hears(0.1)


async def test_a_client_that_stops_its_heartbeats_times_out(house: House) -> None:
    house.voice.faults.heartbeat_interval = 20
    async with Client(house) as bot:
        assert bot.close_code is None
        assert await bot.closed() == 4009


async def test_a_client_that_keeps_its_heartbeats_up_stays(house: House) -> None:
    house.voice.faults.heartbeat_interval = 250
    async with Client(house) as bot:
        for _ in range(7):
            await bot.heartbeat()
            await asyncio.sleep(0.1)
        assert bot.close_code is None
        assert len(bot.received(6)) == 7


async def test_clients_are_told_who_comes_speaks_and_goes(house: House) -> None:
    async with Client(house) as bot:
        await bot.described()
        house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
        async with Client(house, user_id=OTHER_BOT) as other:
            await other.described()
            await other.speak(5)
            await bot.until(lambda: {"user_id": "301", "ssrc": other.ssrc, "speaking": 5} in bot.received(5))
            assert other.received(11)[0] == {"user_ids": [str(BOT), str(ALICE)]}
        house.voice.unseat(channel_id=LOUNGE, user_id=ALICE)
        await bot.until(lambda: len(bot.received(13)) == 2)
    assert bot.received(11) == [{"user_ids": [str(ALICE)]}, {"user_ids": [str(OTHER_BOT)]}]
    assert bot.received(13) == [{"user_id": str(OTHER_BOT)}, {"user_id": str(ALICE)}]


async def test_a_new_identify_of_the_same_user_ends_the_earlier_session(house: House) -> None:
    ticket = expect(house)
    async with Client(house, ticket=ticket) as first:
        await first.described()
        async with Client(house, ticket=ticket) as second:
            await second.described()
            assert await first.closed() == 4006
            assert second.ssrc != first.ssrc


# Being sent away and coming back


async def test_a_dismissed_client_is_closed_and_its_token_is_void(house: House) -> None:
    ticket = expect(house)
    async with Client(house, ticket=ticket) as bot:
        await bot.described()
        house.voice.dismiss(guild_id=GUILD, user_id=BOT)
        assert await bot.closed() == 4014
    async with Client(house, ticket=ticket) as again:
        assert await again.closed() == 4006


async def test_a_client_dismissed_before_it_came_is_not_let_in(house: House) -> None:
    ticket = expect(house)
    house.voice.dismiss(guild_id=GUILD, user_id=BOT)
    async with Client(house, ticket=ticket) as bot:
        assert await bot.closed() == 4006


async def test_after_a_move_the_old_websocket_is_closed_and_the_new_token_is_good(house: House) -> None:
    async with Client(house) as bot:
        await bot.described()
        ticket = expect(house, "t", DEN)
        house.voice.dismiss(guild_id=GUILD, user_id=BOT)
        assert await bot.closed() == 4014
    async with Client(house, channel_id=DEN, ticket=ticket), asyncio.timeout(5):
        await house.voice.connected(guild_id=GUILD, user_id=BOT, channel_id=DEN)


@pytest.mark.parametrize("code", [4015, 1006])
async def test_a_client_resumes_and_gets_what_it_missed(house: House, code: int) -> None:
    house.voice.faults.transition_timeout = 0.05
    listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
    async with Client(house) as bot:
        await bot.secured()
        house.voice.dismiss(guild_id=GUILD, user_id=BOT, code=code)
        assert await bot.closed() == code
        house.voice.seat(channel_id=LOUNGE, user_id=ALICE + 1)
        await bot.open()
        await bot.resume()
        await bot.until(lambda: {"user_ids": [str(ALICE + 1)]} in bot.received(11))
        async with asyncio.timeout(5):
            await house.voice.settled(channel_id=LOUNGE)
        bot.say(tone(0.2))
        await listener.hears(0.15)
        assert bot.sequences == list(range(1, bot.seq_ack + 1))
    assert listener.heard().undecryptable == 0


async def test_a_session_whose_client_does_not_come_back_ends(house: House) -> None:
    house.voice.faults.resume_window = 0.02
    async with Client(house) as bot:
        await bot.described()
        house.voice.dismiss(guild_id=GUILD, user_id=BOT, code=4015)
        async with asyncio.timeout(5):
            await house.voice.disconnected(guild_id=GUILD, user_id=BOT)
        await bot.open()
        await bot.resume()
        assert await bot.closed() == 4006


async def test_a_session_that_has_ended_cannot_be_resumed(house: House) -> None:
    async with Client(house) as bot:
        await bot.described()
        house.voice.dismiss(guild_id=GUILD, user_id=BOT, code=4009)
        assert await bot.closed() == 4009
        await bot.open()
        await bot.resume()
        assert await bot.closed() == 4006


async def test_messages_that_are_not_kept_any_more_make_a_resume_impossible(house: House) -> None:
    async with Client(house) as bot:
        await bot.described()
        house.voice.dismiss(guild_id=GUILD, user_id=BOT, code=4015)
        await bot.closed()
        await bot.open()
        bot.seq_ack = 999
        await bot.resume()
        assert await bot.closed() == 4006


async def test_dismissing_nobody_is_nothing(house: House) -> None:
    async with Client(house, user_id=OTHER_BOT) as other:
        await other.described()
        house.voice.dismiss(guild_id=GUILD, user_id=BOT)
        await other.heartbeat()
        await other.until(lambda: other.received(6))
        assert other.close_code is None
    assert house.voice.complaints == ()


async def test_an_unexpected_protocol_is_refused(house: House) -> None:
    async with Client(house) as bot:
        await bot.described()
        await bot.send(1, {"protocol": "webrtc", "data": {}})
        assert await bot.closed() == 4012


# What fails loudly


@pytest.mark.parametrize(
    ("op", "data", "code", "words"),
    [
        (12, {}, 4001, "opcode 12 is unknown"),
        (99, {}, 4001, "opcode 99 is unknown"),
        (2, {}, 4001, "READY is not for clients"),
        (0, {}, 4005, "identified twice"),
        (7, {}, 4005, "resumed after Identify"),
        (3, 5, 4002, "HEARTBEAT is not an object"),
        (3, {"t": True}, 4002, "'t' is True"),
        (3, {"t": 1, "seq_ack": "x"}, 4002, "'seq_ack' is 'x'"),
        (5, {"speaking": 1, "delay": 0, "ssrc": 1}, 4020, "SSRC 1 speaks"),
        (5, {"speaking": 8, "delay": 0, "ssrc": 0x1001}, 4020, "speaking is 8"),
        (23, {}, 4002, "'transition_id' is None"),
        (1, {"protocol": "udp"}, 4002, "SELECT_PROTOCOL is not an object"),
        (1, {"protocol": "udp", "data": {"address": "x", "port": 1, "mode": "aead_aes256_gcm_rtpsize"}}, 4020, "twice"),
    ],
)
async def test_a_message_nobody_knows_closes_and_is_named_at_the_end(
    op: int, data: object, code: int, words: str
) -> None:
    async with complaining(words) as house, Client(house) as bot:
        await bot.described()
        await bot.send(op, data)
        assert await bot.closed() == code


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "not JSON"), ("[]", "no op"), ('{"op": 3}', "no d")],
)
async def test_text_that_is_no_message_closes_and_is_named_at_the_end(text: str, words: str) -> None:
    async with complaining(words) as house, Client(house) as bot:
        await bot.described()
        assert bot.ws is not None
        await bot.ws.send_str(text)
        assert await bot.closed() == 4002


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [(b"", 4002, "empty"), (b"\x63", 4001, "99"), (b"\x19abc", 4001, "not for clients"), (b"\x1a", 4002, "malformed")],
)
async def test_binary_that_is_no_message_closes_and_is_named_at_the_end(data: bytes, code: int, words: str) -> None:
    async with complaining(words) as house, Client(house) as bot:
        await bot.described()
        assert bot.ws is not None
        await bot.ws.send_bytes(data)
        assert await bot.closed() == code


@pytest.mark.parametrize("op", [1, 5, 23, 31])
async def test_nothing_is_answered_before_identify(op: int) -> None:
    async with complaining("before Identify") as house:
        bot = Client(house)
        await bot.open()
        await bot.send(op, {"transition_id": 1})
        assert await bot.closed() == 4003
        await bot.hang_up()


async def test_an_id_that_is_none_is_named_at_the_end() -> None:
    async with complaining("'server_id' is 'guild', not an id") as house:
        client = Client(house)
        client.identity["server_id"] = "guild"
        async with client as bot:
            assert await bot.closed() == 4002


async def test_a_client_that_lies_about_its_address_is_named_at_the_end() -> None:
    async with complaining("discovery said") as house, Client(house, lies="10.0.0.1") as bot:
        assert await bot.closed() == 4020


async def test_an_old_gateway_version_is_named_at_the_end() -> None:
    async with complaining("version '4'") as house:
        with pytest.raises(WSServerHandshakeError):
            await house.http.ws_connect(f"wss://{house.voice.endpoint}/?v=4")


async def test_what_a_test_raised_itself_is_not_hidden_by_complaints() -> None:
    async def fail() -> None:
        async with open_house(VoiceServer()) as house, Client(house) as bot:
            await bot.described()
            await bot.send(99, {})
            await bot.closed()
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        await fail()
    assert "opcode 99 is unknown" in caught.value.__notes__[0]


async def test_the_end_of_the_server_sends_everybody_away() -> None:
    voice = VoiceServer(Faults())
    async with open_house(voice) as house:
        bot = Client(house)
        await bot.open()
        await bot.send(0, bot.identity)
        await bot.described()
        async with asyncio.timeout(5):
            await voice.__aexit__(None, None, None)
        assert await bot.closed() == 4014
        await bot.hang_up()
        assert bot.udp is not None
        bot.udp.close()
