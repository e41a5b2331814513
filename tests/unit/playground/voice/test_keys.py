"""The key group of a channel: who is in it as people come and go, and what happens when somebody does it wrong."""

import asyncio
import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from playground.discord.voice import Faults, Listener
from playground.discord.voice.mls import ExternalSender, read_key_package
from tests.unit.playground.voice.client import GUILD, LOUNGE, Client
from tests.unit.playground.voice.house import House, complaining
from tests.unit.playground.voice.tone import tone

ALICE, BERT, CLEO, OTHER_BOT = 400, 401, 402, 301
Committer = Literal["listener", "client"]


async def settled(house: House) -> None:
    async with asyncio.timeout(5):
        await house.voice.settled(channel_id=LOUNGE)


async def assert_heard_by(bot: Client, *listeners: Listener) -> None:
    for listener in listeners:
        listener.reset()
    bot.say(tone(0.2))
    for listener in listeners:
        await listener.silence(after=0, timeout=5)
        heard = listener.heard()
        assert (heard.packets, heard.clear_packets, heard.undecryptable) == (10, 0, 0)


def seat(house: House, user_id: int) -> Listener:
    return house.voice.seat(channel_id=LOUNGE, user_id=user_id)


async def test_one_who_is_alone_has_no_group(house: House) -> None:
    async with Client(house) as bot:
        await bot.until(lambda: bot.received(25))
        await settled(house)
        assert bot.session is not None
        assert not bot.session.ready


@pytest.mark.parametrize("committer", ["listener", "client"])
async def test_people_come_and_go_and_those_present_hear(house: House, committer: Committer) -> None:
    house.voice.faults.committer = committer
    async with Client(house) as bot:
        await bot.described()
        alice = seat(house, ALICE)
        await settled(house)
        await assert_heard_by(bot, alice)
        bert, cleo = seat(house, BERT), seat(house, CLEO)
        await settled(house)
        await assert_heard_by(bot, alice, bert, cleo)
        house.voice.unseat(channel_id=LOUNGE, user_id=ALICE)
        await settled(house)
        await assert_heard_by(bot, bert, cleo)
        alice = seat(house, ALICE)
        house.voice.unseat(channel_id=LOUNGE, user_id=BERT)
        await settled(house)
        await assert_heard_by(bot, alice, cleo)


async def test_one_who_left_cannot_decrypt_what_is_said_later(house: House) -> None:
    alice, bert = seat(house, ALICE), seat(house, BERT)
    async with Client(house) as bot:
        await settled(house)
        await bot.secured()
        house.voice.unseat(channel_id=LOUNGE, user_id=BERT)
        await bot.until(lambda: bot.session is not None and set(bot.session.get_user_ids()) == {"300", "400"})
        await assert_heard_by(bot, alice)
        assert alice.session is not None
        assert bert.session is not None
        assert alice.session.epoch == (bert.session.epoch or 0) + 1


async def test_the_last_one_starts_over_and_the_next_one_hears(house: House) -> None:
    alice = seat(house, ALICE)
    async with Client(house) as bot:
        await bot.secured()
        await settled(house)
        house.voice.unseat(channel_id=LOUNGE, user_id=ALICE)
        await bot.until(lambda: bot.received(21))
        assert [data["epoch"] for data in bot.received(24)] == [1]
        assert bot.received(21) == [{"protocol_version": 1, "transition_id": 0}]
        assert bot.session is not None
        assert not bot.session.ready
        alice = seat(house, ALICE)
        await settled(house)
        await bot.secured()
        await assert_heard_by(bot, alice)


@pytest.mark.parametrize("committer", ["listener", "client"])
async def test_a_client_that_comes_back_is_taken_in_again(house: House, committer: Committer) -> None:
    house.voice.faults.committer = committer
    alice, bert = seat(house, ALICE), seat(house, BERT)
    for _ in range(3):
        async with Client(house) as bot:
            await bot.secured()
            await settled(house)
            await assert_heard_by(bot, alice, bert)


async def test_two_clients_make_a_group_of_their_own(house: House) -> None:
    async with Client(house) as bot, Client(house, user_id=OTHER_BOT) as other:
        await bot.secured()
        await other.secured()
        await settled(house)
        assert bot.session is not None
        assert other.session is not None
        assert set(bot.session.get_user_ids()) == set(other.session.get_user_ids()) == {"300", "301"}
        alice = seat(house, ALICE)
        await settled(house)
        await assert_heard_by(bot, alice)


async def test_a_late_key_group_is_a_key_group(house: House) -> None:
    house.voice.faults.group_delay = 0.05
    alice = seat(house, ALICE)
    async with Client(house) as bot:
        await bot.until(lambda: bot.received(25))
        await bot.secured()
        await settled(house)
        await assert_heard_by(bot, alice)


async def test_a_delayed_key_package_of_one_who_left_is_forgotten(house: House) -> None:
    house.voice.faults.group_delay = 0.02
    alice = seat(house, ALICE)
    async with Client(house) as bot:
        await bot.until(lambda: bot.received(25))
    house.voice.faults.group_delay = 0.0
    async with Client(house) as bot:
        await bot.secured()
        await settled(house)
        assert bot.session is not None
        assert sorted(bot.session.get_user_ids()) == ["300", "400"]
        await assert_heard_by(bot, alice)


async def test_a_key_group_may_never_come(house: House) -> None:
    house.voice.faults.group_delay = math.inf
    alice = seat(house, ALICE)
    async with Client(house) as bot:
        await bot.until(lambda: bot.received(25))
        bot.say(tone(0.1), clear=True)
        with pytest.raises(TimeoutError, match="5 clear"):
            await alice.hears(0.05, timeout=0.1)
        with pytest.raises(TimeoutError, match="a key group"):
            await alice.secured(timeout=0.01)


async def test_a_member_that_never_says_ready_does_not_hold_the_others_up(house: House) -> None:
    house.voice.faults.transition_timeout = 0.05
    client = Client(house)
    client.mute.add(23)
    alice = seat(house, ALICE)
    async with client as bot:
        await bot.until(lambda: bot.received(22))
        await settled(house)
        await assert_heard_by(bot, alice)


async def test_ready_for_a_transition_nobody_announced_is_nothing(house: House) -> None:
    alice = seat(house, ALICE)
    async with Client(house) as bot:
        await bot.secured()
        await bot.send(23, {"transition_id": 999})
        await settled(house)
        await assert_heard_by(bot, alice)


@pytest.mark.parametrize("humans", [1, 2])
async def test_a_client_that_cannot_use_a_welcome_is_added_again(house: House, humans: int) -> None:
    client = Client(house)
    spoiled: list[bytes] = []

    def spoil(op: int, data: bytes) -> bytes:
        if op or spoiled:
            return data
        spoiled.append(data)
        return b"nonsense"

    client.garble = spoil
    listeners = [seat(house, ALICE + number) for number in range(humans)]
    async with client as bot:
        await bot.secured()
        await settled(house)
        await assert_heard_by(bot, *listeners)
    assert spoiled


async def test_a_listener_that_cannot_use_a_clients_welcome_is_added_again(house: House) -> None:
    house.voice.faults.committer = "client"
    client = Client(house)
    spoiled: list[bytes] = []

    def spoil(op: int, data: bytes) -> bytes:
        if op != 28 or spoiled:
            return data
        spoiled.append(data)
        return data[:-1] + bytes([data[-1] ^ 1])

    client.garble = spoil
    alice = seat(house, ALICE)
    async with client as bot:
        await bot.secured()
        await alice.secured()
        await settled(house)
        await assert_heard_by(bot, alice)
    assert spoiled


def _other_group(op: int, data: bytes) -> bytes:
    return data[:5] + bytes(8) + data[13:] if op == 28 else data


def _cut(op: int, data: bytes) -> bytes:
    return data[:40] if op == 28 else data


def _somebody_else(op: int, data: bytes) -> bytes:
    return data.replace((300).to_bytes(8, "big"), (999).to_bytes(8, "big")) if op == 26 else data


@pytest.mark.parametrize(
    ("garble", "words"),
    [
        (_other_group, "not over what was proposed"),
        (_cut, "COMMIT_WELCOME is malformed"),
        (_somebody_else, "key package of user 300 belongs to 999"),
    ],
)
async def test_a_wrong_commit_or_key_package_is_named_at_the_end(
    garble: Callable[[int, bytes], bytes], words: str
) -> None:
    async with complaining(words, Faults(committer="client")) as house:
        client = Client(house)
        client.garble = garble
        seat(house, ALICE)
        async with client as bot:
            assert await bot.closed() in (4002, 4020)


async def test_when_the_one_whose_commit_was_awaited_leaves_another_commits(house: House) -> None:
    house.voice.faults.committer = "client"
    client = Client(house)
    client.mute.add(28)
    alice = seat(house, ALICE)
    async with client as bot:
        await bot.until(lambda: bot.received(27))
    async with Client(house) as bot:
        await bot.secured()
        await settled(house)
        await assert_heard_by(bot, alice)


async def test_when_nobody_is_left_who_could_commit_the_group_starts_over(house: House) -> None:
    house.voice.faults.committer = "client"
    client = Client(house)
    alice = seat(house, ALICE)
    async with client as bot:
        await bot.secured()
        await settled(house)
        client.mute.add(28)
        house.voice.unseat(channel_id=LOUNGE, user_id=ALICE)
        bert, cleo = seat(house, BERT), seat(house, CLEO)
        await bot.until(lambda: bot.session is not None and not bot.session.ready)
    async with Client(house) as bot:
        await bot.secured()
        await settled(house)
        await assert_heard_by(bot, bert, cleo)
    assert alice.heard().packets == 0


async def test_two_who_were_to_commit_and_come_back_instead_make_a_group(house: House) -> None:
    bot, other = Client(house), Client(house, user_id=OTHER_BOT)
    bot.mute.add(28)
    other.mute.add(28)
    async with bot, other:
        await bot.until(lambda: bot.received(27))
        await other.until(lambda: other.received(27))
        async with Client(house) as bot_again:
            await bot_again.until(lambda: bot_again.received(25))
            async with Client(house, user_id=OTHER_BOT) as other_again:
                await bot_again.secured()
                await other_again.secured()
                assert bot_again.session is not None
                assert other_again.session is not None
                assert bot_again.session.epoch == other_again.session.epoch
                assert set(bot_again.session.get_user_ids()) == {"300", "301"}
                assert set(other_again.session.get_user_ids()) == {"300", "301"}


async def test_a_client_may_leave_while_it_is_being_welcomed(house: House) -> None:
    alice, bert = seat(house, ALICE), seat(house, BERT)
    async with Client(house) as bot:
        await bot.until(lambda: bot.received(25))
        house.voice.dismiss(guild_id=GUILD, user_id=300)
    async with Client(house) as bot:
        await bot.secured()
        await settled(house)
        await assert_heard_by(bot, alice, bert)


async def test_nobody_sits_twice_in_a_channel(house: House) -> None:
    seat(house, ALICE)
    with pytest.raises(ValueError, match="already listens"):
        seat(house, ALICE)
    house.voice.unseat(channel_id=LOUNGE, user_id=ALICE)
    with pytest.raises(KeyError):
        house.voice.unseat(channel_id=LOUNGE, user_id=ALICE)


@pytest.mark.parametrize("seed", range(8))
async def test_all_who_are_present_agree_however_people_come_and_go(house: House, seed: int) -> None:
    chance = np.random.default_rng(seed)
    present: dict[int, Listener] = {}
    for _ in range(40):
        user = int(chance.integers(500, 506))
        if user in present:
            house.voice.unseat(channel_id=LOUNGE, user_id=user)
            del present[user]
        else:
            present[user] = seat(house, user)
        if len(present) > 1:
            sessions = [listener.session for listener in present.values() if listener.session is not None]
            assert {frozenset(session.get_user_ids()) for session in sessions} == {frozenset(map(str, present))}
            assert len({session.epoch for session in sessions}) == 1
            assert len({session.own_leaf_index for session in sessions}) == len(present)
    await settled(house)


@pytest.mark.parametrize("seed", range(3))
async def test_a_client_stays_in_the_group_however_people_come_and_go(house: House, seed: int) -> None:
    chance = np.random.default_rng(seed)
    house.voice.faults.committer = "client"
    anchor = seat(house, ALICE)
    present: set[int] = set()
    async with Client(house) as bot, Client(house, user_id=OTHER_BOT) as other:
        await other.secured()
        for _ in range(20):
            user = int(chance.integers(500, 504))
            if user in present:
                house.voice.unseat(channel_id=LOUNGE, user_id=user)
            else:
                seat(house, user)
            present ^= {user}
            if chance.random() < 0.5:
                await settled(house)
        await settled(house)
        await assert_heard_by(bot, anchor)
        await assert_heard_by(other, anchor)


def test_key_packages_are_read_bare_or_wrapped() -> None:
    with pytest.raises(ValueError, match="the ciphersuite is 5, not 2"):
        read_key_package(b"\0\1\0\5\0\1\0\5")
    with pytest.raises(ValueError, match="bytes expected"):
        read_key_package(b"\0\1\0\2\x80\0\xff\xff")
    with pytest.raises(ValueError, match="no valid prefix"):
        read_key_package(b"\0\1\0\2\xff")


def test_an_external_sender_signs_anew_each_time() -> None:
    sender = ExternalSender(1)
    assert sender.package() == sender.package() != ExternalSender(1).package()
    assert sender.propose_remove(epoch=1, leaf=1) != sender.propose_remove(epoch=1, leaf=1)
