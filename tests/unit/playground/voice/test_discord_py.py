"""The real voice client of discord.py against the voice server."""

import asyncio
from collections import deque
from typing import Literal

import discord
import pytest

from playground.discord.voice import Faults, Listener, VoiceServer
from tests.unit.playground.voice.client import BOT, GUILD, LOUNGE
from tests.unit.playground.voice.mini import DEN, STAGE, open_bot
from tests.unit.playground.voice.tone import Packets, pitch, tone

ALICE, BERT = 400, 401


async def connect(client: discord.Client, channel_id: int = LOUNGE) -> discord.VoiceClient:
    channel = client.get_channel(channel_id)
    assert isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    return await channel.connect(timeout=5.0, self_deaf=True)


async def settled(voice: VoiceServer, channel_id: int = LOUNGE) -> None:
    async with asyncio.timeout(5):
        await voice.settled(channel_id=channel_id)


async def assert_tone(listener: Listener, packets: int) -> None:
    await listener.hears(packets * 0.02 - 0.1)
    await listener.silence(after=0.1)
    heard = listener.heard()
    assert (heard.packets, heard.clear_packets, heard.undecryptable) == (packets, 0, 0)
    assert (heard.lost, heard.duplicates, heard.wrong_steps, heard.reused_nonces) == (0, 0, 0, 0)
    assert pitch(heard.pcm) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("committer", ["listener", "client"])
async def test_a_listener_hears_what_the_bot_plays(committer: Literal["listener", "client"]) -> None:
    async with open_bot(VoiceServer(Faults(committer=committer))) as (house, _, client):
        listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
        bot = await connect(client)
        await settled(house.voice)
        bot.play(Packets(tone(0.6)))
        await assert_tone(listener, 30)


@pytest.mark.parametrize("committer", ["listener", "client"])
async def test_a_human_who_comes_after_the_bot_hears_it(committer: Literal["listener", "client"]) -> None:
    async with open_bot(VoiceServer(Faults(committer=committer))) as (house, _, client):
        bot = await connect(client)
        listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
        await settled(house.voice)
        bot.play(Packets(tone(0.6)))
        await assert_tone(listener, 30)


@pytest.mark.parametrize("committer", ["listener", "client"])
async def test_humans_who_come_and_go_while_the_bot_speaks_cost_the_others_nothing(
    committer: Literal["listener", "client"],
) -> None:
    async with open_bot(VoiceServer(Faults(committer=committer))) as (house, _, client):
        alice = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
        bot = await connect(client)
        await settled(house.voice)
        bot.play(Packets(tone(1.2)))
        await alice.hears(0.2)
        bert = house.voice.seat(channel_id=LOUNGE, user_id=BERT)
        await bert.hears(0.2)
        house.voice.unseat(channel_id=LOUNGE, user_id=BERT)
        await assert_tone(alice, 60)
    assert bert.heard().clear_packets == 0
    assert 10 <= bert.heard().packets < 60


async def test_frames_sent_before_the_key_group_is_there_are_not_heard() -> None:
    async with open_bot(VoiceServer(Faults(group_delay=0.2))) as (house, _, client):
        listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
        bot = await connect(client)
        bot.play(Packets(tone(0.6)))
        await listener.hears(0.1)
        await listener.silence(after=0.1)
    heard = listener.heard()
    assert heard.clear_packets > 0
    assert heard.packets + heard.clear_packets == 30


async def test_on_a_stage_frames_are_heard_as_they_are() -> None:
    async with open_bot(VoiceServer(Faults(dave_versions={STAGE: 0}))) as (house, _, client):
        listener = house.voice.seat(channel_id=STAGE, user_id=ALICE)
        bot = await connect(client, STAGE)
        bot.play(Packets(tone(0.6)))
        await assert_tone(listener, 30)


async def test_a_bot_that_is_moved_goes_on_speaking_in_the_other_channel() -> None:
    async with open_bot(VoiceServer()) as (house, mini, client):
        alice = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
        bert = house.voice.seat(channel_id=DEN, user_id=BERT)
        bot = await connect(client)
        await settled(house.voice)
        bot.play(Packets(tone(2.0)))
        await alice.hears(0.2)
        await mini.move(DEN)
        await bert.hears(0.2)
        await bert.silence(after=0.1)
    assert alice.heard().packets + bert.heard().packets + bert.heard().clear_packets <= 100
    assert bert.heard().undecryptable == 0


async def test_a_bot_that_is_kicked_is_heard_no_more() -> None:
    async with open_bot(VoiceServer()) as (house, mini, client):
        listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
        bot = await connect(client)
        await settled(house.voice)
        bot.play(Packets(tone(5.0)))
        await listener.hears(0.2)
        await mini.move(None)
        await listener.silence(after=0.1)
        async with asyncio.timeout(5):
            await house.voice.disconnected(guild_id=GUILD, user_id=BOT)
    assert listener.heard().packets < 250


async def test_a_bot_that_is_refused_once_comes_again() -> None:
    async with open_bot(VoiceServer(Faults(refuse_identify=deque([4006])))) as (house, _, client):
        listener = house.voice.seat(channel_id=LOUNGE, user_id=ALICE)
        bot = await connect(client)
        await settled(house.voice)
        bot.play(Packets(tone(0.6)))
        await assert_tone(listener, 30)
