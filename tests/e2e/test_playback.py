"""A bot on the real discord.py speaks in the playground's voice channels, and members hear it."""

import asyncio
import warnings
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

# discord.py imports audioop, which Python 3.11 and 3.12 announce to remove: not ours to fix, and an error here
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord

from bot.errors import PlaybackError
from bot.models import Packets
from bot.playback import Limits, Line, Played, Speakers
from playground.discord import Discord, Guild, Member, Room, open_discord

RATE = 48_000
PITCH = 440


@pytest.fixture(scope="module")
def tone() -> list[bytes]:
    """Five seconds of a tone in 20 ms packets."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.options = RATE, "mono", "flt", {"frame_duration": "20"}
    wave = 0.3 * np.sin(2 * np.pi * PITCH * np.arange(250 * 960) / RATE).astype(np.float32)
    packets: list[bytes] = []
    for part in wave.reshape(-1, 1, 960):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="flt", layout="mono")
        frame.sample_rate = RATE
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


@dataclass
class Stage:
    """A bot that is logged in, its speakers, and the people who hear it."""

    house: Discord
    guild: Guild
    lounge: Room
    attic: Room
    alice: Member
    bob: Member
    client: "Bot"
    speakers: Speakers
    tone: list[bytes]

    def line(self, room: Room, packets: int, asker: Member | None = None) -> Line:
        @asynccontextmanager
        async def open_line() -> AsyncIterator[Packets]:
            async def each() -> Packets:
                yield self.tone[:packets]

            yield each()

        channel = self.client.get_channel(room.id)
        return Line(asker_id=(asker or self.alice).id, channel=channel, open=lambda _: open_line())

    async def bot_sees(self, room: Room, present: int) -> None:
        """Wait until the bot knows how many are in a channel."""
        async with asyncio.timeout(5), self.client.changed:
            await self.client.changed.wait_for(lambda: self.client.present(room) == present)


class Bot(discord.AutoShardedClient):
    """A bot that does nothing but tell its speakers of voice states."""

    speakers: Speakers
    changed: asyncio.Condition

    async def on_voice_state_update(self, member: object, before: object, after: object) -> None:
        self.speakers.notice(member, before, after)
        async with self.changed:
            self.changed.notify_all()

    async def on_guild_channel_create(self, _channel: object) -> None:
        async with self.changed:
            self.changed.notify_all()

    def present(self, room: Room) -> int | None:
        channel = self.get_channel(room.id)
        return None if channel is None else len(channel.voice_states)


@pytest.fixture
async def stage(tone: list[bytes]) -> AsyncIterator[Stage]:
    async with open_discord() as house:
        guild = house.add_guild("Aviary")
        lounge, attic = guild.add_voice_channel("Lounge"), guild.add_voice_channel("Attic")
        alice, bob = guild.add_member("alice"), guild.add_member("bob")
        intents = discord.Intents(guilds=True, voice_states=True)
        client = Bot(intents=intents, connector=house.connector(), guild_ready_timeout=0.01, max_messages=None)
        client.changed = asyncio.Condition()
        async with client, Speakers(Limits(max_queue=5, idle_seconds=60.0, finish_seconds=0.05)) as client.speakers:
            running = asyncio.create_task(client.start(house.token))
            await house.bot_ready(synced=False)
            async with asyncio.timeout(10):
                await client.wait_until_ready()
            yield Stage(house, guild, lounge, attic, alice, bob, client, client.speakers, tone)
            await client.speakers.close()
            await client.close()
            await asyncio.wait([running])


def pitch(sound: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.argmax(spectrum) * RATE / sound.size)


async def test_a_member_hears_every_packet_of_a_line_encrypted(stage: Stage) -> None:
    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    played = await stage.speakers.enqueue(stage.line(stage.lounge, 50)).done
    await ears.silence(after=0.1)
    heard = ears.heard()
    assert played == Played(packets=50, stopped=False)
    assert (heard.packets, heard.clear_packets, heard.undecryptable, heard.lost) == (50, 0, 0, 0)
    assert (heard.wrong_steps, heard.reused_nonces) == (0, 0)
    assert pitch(heard.pcm) == pytest.approx(PITCH, abs=3)


async def test_nothing_is_lost_where_the_key_group_comes_late(stage: Stage) -> None:
    stage.house.voice.faults.group_delay = 0.4
    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    await stage.speakers.enqueue(stage.line(stage.lounge, 25)).done
    await ears.silence(after=0.1)
    heard = ears.heard()
    assert (heard.packets, heard.clear_packets, heard.undecryptable) == (25, 0, 0)


async def test_two_lines_follow_each_other_and_two_members_hear_both(stage: Stage) -> None:
    alice, bob = await stage.alice.joins(stage.lounge), await stage.bob.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 2)
    stage.speakers.enqueue(stage.line(stage.lounge, 20))
    await stage.speakers.enqueue(stage.line(stage.lounge, 20, stage.bob)).done
    await alice.silence(after=0.1)
    await bob.silence(after=0.1)
    assert [(ears.heard().packets, ears.heard().clear_packets) for ears in (alice, bob)] == [(40, 0)] * 2


async def test_a_member_who_comes_in_the_middle_costs_the_others_nothing(stage: Stage) -> None:
    alice = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    ticket = stage.speakers.enqueue(stage.line(stage.lounge, 75))
    await alice.hears(0.2)
    bob = await stage.bob.joins(stage.lounge)
    assert (await ticket.done).packets == 75
    await alice.silence(after=0.1)
    assert (alice.heard().packets, alice.heard().clear_packets) == (75, 0)
    assert bob.heard().clear_packets == 0
    assert bob.heard().packets > 0


async def test_the_bot_goes_where_the_next_line_belongs(stage: Stage) -> None:
    alice, bob = await stage.alice.joins(stage.lounge), await stage.bob.joins(stage.attic)
    await stage.bot_sees(stage.lounge, 1)
    await stage.bot_sees(stage.attic, 1)
    stage.speakers.enqueue(stage.line(stage.lounge, 20))
    await stage.speakers.enqueue(stage.line(stage.attic, 30, stage.bob)).done
    await bob.silence(after=0.1)
    assert [(ears.heard().packets, ears.heard().clear_packets) for ears in (alice, bob)] == [(20, 0), (30, 0)]
    assert stage.attic.present == ["bob", "Mynah"]


async def test_a_sentence_is_said_again_where_a_moderator_moves_the_bot(stage: Stage) -> None:
    alice, bob = await stage.alice.joins(stage.lounge), await stage.bob.joins(stage.attic)
    await stage.bot_sees(stage.attic, 1)
    ticket = stage.speakers.enqueue(stage.line(stage.lounge, 100))
    await alice.hears(0.2)
    stage.guild.move(stage.guild.bot, stage.attic)
    played = await ticket.done
    await bob.silence(after=0.1)
    assert played == Played(packets=100, stopped=False)
    assert alice.heard().clear_packets == bob.heard().clear_packets == 0
    assert alice.heard().packets > 0
    assert [frame.opus for frame in bob.heard().spoken] == stage.tone[:100]


async def test_a_kick_in_the_middle_is_told_and_an_invitation_brings_the_whole_sentence(stage: Stage) -> None:
    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    ticket = stage.speakers.enqueue(stage.line(stage.lounge, 100))
    waiting = stage.speakers.enqueue(stage.line(stage.lounge, 20))
    await ears.hears(0.2)
    stage.guild.kick_from_voice(stage.guild.bot)
    assert "/join brings me back" in await anext(ticket.news())
    ears.reset()
    stage.speakers.join(stage.client.get_channel(stage.lounge.id))
    assert [(await each.done).packets for each in (ticket, waiting)] == [100, 20]
    await ears.silence(after=0.1)
    assert (ears.heard().packets, ears.heard().clear_packets) == (120, 0)


async def test_a_connection_that_breaks_is_renewed_and_the_sentence_said_again(stage: Stage) -> None:
    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    ticket = stage.speakers.enqueue(stage.line(stage.lounge, 100))
    await ears.hears(0.2)
    stage.house.voice.dismiss(guild_id=stage.guild.id, user_id=stage.guild.bot.id, code=4009)
    assert await ticket.done == Played(packets=100, stopped=False)
    await ears.silence(after=0.1)
    assert ears.heard().clear_packets == 0
    spoken = [frame.opus for frame in ears.heard().spoken]
    assert spoken[-100:] == stage.tone[:100]


async def test_a_channel_deleted_in_the_middle_is_told_and_others_stay_open(stage: Stage) -> None:
    ears = await stage.alice.joins(stage.lounge)
    bob = await stage.bob.joins(stage.attic)
    await stage.bot_sees(stage.attic, 1)
    ticket = stage.speakers.enqueue(stage.line(stage.lounge, 250))
    await ears.hears(0.2)
    stage.guild.remove_channel(stage.lounge)
    with pytest.raises(PlaybackError, match="#Lounge"):
        await ticket.done
    assert (await stage.speakers.enqueue(stage.line(stage.attic, 20, stage.bob)).done).packets == 20
    await bob.silence(after=0.1)
    assert bob.heard().packets == 20


async def test_the_last_listener_leaves_and_so_does_the_bot(stage: Stage) -> None:
    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    ticket = stage.speakers.enqueue(stage.line(stage.lounge, 250))
    await ears.hears(0.2)
    await stage.alice.leaves()
    with pytest.raises(PlaybackError, match="Nobody is in #Lounge, so I left"):
        await ticket.done
    await stage.bot_sees(stage.lounge, 0)


async def test_a_channel_that_emptied_and_filled_again_hears_the_next_line_whole(stage: Stage) -> None:
    await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    await stage.speakers.enqueue(stage.line(stage.lounge, 20)).done
    await stage.alice.leaves()
    await stage.bot_sees(stage.lounge, 0)

    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    await stage.speakers.enqueue(stage.line(stage.lounge, 50)).done

    await ears.silence(after=0.1)
    heard = ears.heard()
    assert (heard.packets, heard.clear_packets, heard.undecryptable, heard.lost) == (50, 0, 0, 0)


async def test_stop_is_heard_at_once_and_the_bot_stays(stage: Stage) -> None:
    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    ticket = stage.speakers.enqueue(stage.line(stage.lounge, 250))
    await ears.hears(0.2)
    assert stage.speakers.stop(stage.guild.id, asker_id=stage.alice.id, may_mute=False) == 1
    played = await ticket.done
    await ears.silence(after=0.1)
    assert played.stopped
    assert ears.heard().packets == played.packets < 250
    assert await stage.speakers.leave(stage.guild.id, asker_id=stage.alice.id, may_mute=False)
    await stage.bot_sees(stage.lounge, 1)


async def test_a_refused_attempt_is_repeated(stage: Stage) -> None:
    stage.house.voice.faults.refuse_identify = deque([4006])
    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    assert (await stage.speakers.enqueue(stage.line(stage.lounge, 20)).done).packets == 20
    await ears.silence(after=0.1)
    assert (ears.heard().packets, ears.heard().clear_packets) == (20, 0)


async def test_a_call_that_never_gets_its_keys_is_left(stage: Stage) -> None:
    stage.house.voice.faults.group_delay = float("inf")
    ears = await stage.alice.joins(stage.lounge)
    await stage.bot_sees(stage.lounge, 1)
    with pytest.raises(PlaybackError, match="encryption of #Lounge was not ready"):
        await stage.speakers.enqueue(stage.line(stage.lounge, 20)).done
    await stage.bot_sees(stage.lounge, 1)
    assert ears.heard().clear_packets == 0


async def test_what_can_be_known_is_refused_before_joining(stage: Stage) -> None:
    full, closed = stage.guild.add_voice_channel("Full", user_limit=1), stage.guild.add_voice_channel("Closed")
    stage.guild.deny(closed, "speak")
    await stage.bob.joins(full)
    await stage.alice.joins(closed)
    await stage.bot_sees(full, 1)
    await stage.bot_sees(closed, 1)
    for room, sentence in (
        (stage.lounge, "Nobody is in #Lounge"),
        (full, "#Full is full"),
        (closed, "I may not speak in #Closed"),
    ):
        with pytest.raises(PlaybackError, match=sentence):
            stage.speakers.enqueue(stage.line(room, 20))
    assert "Mynah" not in full.present + closed.present
