import discord
import pytest

from bot.errors import PlaybackError
from bot.playback.rights import admit, check_not_muted, label
from tests.unit.playback.aviary import ALICE, ATTIC, BOB, BOT, GUILD, LOUNGE, ROBOT, STAGE, Aviary


def deny(aviary: Aviary, **permissions: bool) -> None:
    overwrite = {"id": str(GUILD), "type": 0, "allow": "0", "deny": str(discord.Permissions(**permissions).value)}
    aviary.edit_channel(LOUNGE, permission_overwrites=[overwrite])


def allow(aviary: Aviary, channel_id: int, **permissions: bool) -> None:
    overwrite = {"id": str(GUILD), "type": 0, "allow": str(discord.Permissions(**permissions).value), "deny": "0"}
    aviary.edit_channel(channel_id, permission_overwrites=[overwrite])


def test_a_channel_with_a_listener_is_fine(aviary: Aviary) -> None:
    assert admit(aviary.channel(LOUNGE)) is aviary.channel(LOUNGE)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("speak", "I may not speak in #Lounge: give me Connect and Speak there."),
        ("connect", "I may not speak in #Lounge: give me Connect and Speak there."),
        ("view_channel", "I cannot see #Lounge: give me View Channel, Connect and Speak there."),
    ],
)
def test_a_missing_right_is_named(aviary: Aviary, missing: str, sentence: str) -> None:
    deny(aviary, **{missing: True})
    with pytest.raises(PlaybackError) as caught:
        admit(aviary.channel(LOUNGE))
    assert str(caught.value) == sentence


@pytest.mark.parametrize("right", ["request_to_speak", "mute_members"])
def test_a_stage_wants_the_right_to_ask_or_to_lift_oneself(aviary: Aviary, right: str) -> None:
    aviary.move(BOB, STAGE)
    with pytest.raises(PlaybackError, match="I may not speak in #Stage: give me Connect and Request to Speak there"):
        admit(aviary.channel(STAGE))
    allow(aviary, STAGE, **{right: True})
    assert admit(aviary.channel(STAGE)) is aviary.channel(STAGE)


def test_a_channel_that_was_deleted_is_gone(aviary: Aviary) -> None:
    channel = aviary.channel(LOUNGE)
    aviary.delete_channel(LOUNGE)
    with pytest.raises(PlaybackError, match="#Lounge is gone"):
        admit(channel)


def test_an_empty_channel_is_refused(aviary: Aviary) -> None:
    with pytest.raises(PlaybackError, match="Nobody is in #Attic to hear it"):
        admit(aviary.channel(ATTIC))


def test_a_channel_of_bots_is_empty(aviary: Aviary) -> None:
    aviary.move(ROBOT, ATTIC)
    with pytest.raises(PlaybackError, match="Nobody"):
        admit(aviary.channel(ATTIC))


def test_somebody_unknown_counts_as_a_listener(aviary: Aviary) -> None:
    aviary.move(ROBOT, ATTIC)
    aviary.guild._remove_member(aviary.guild.get_member(ROBOT))
    assert admit(aviary.channel(ATTIC))


def test_a_full_channel_is_refused(aviary: Aviary) -> None:
    aviary.edit_channel(LOUNGE, user_limit=1)
    with pytest.raises(PlaybackError, match="#Lounge is full"):
        admit(aviary.channel(LOUNGE))


def test_a_full_channel_takes_a_bot_that_may_move_members(aviary: Aviary) -> None:
    allow = {"id": str(BOT), "type": 1, "allow": str(discord.Permissions(move_members=True).value), "deny": "0"}
    aviary.edit_channel(LOUNGE, user_limit=1, permission_overwrites=[allow])
    assert admit(aviary.channel(LOUNGE))


async def test_a_full_channel_keeps_the_bot_that_is_in_it(aviary: Aviary) -> None:
    aviary.edit_channel(LOUNGE, user_limit=2)
    aviary.move(BOT, LOUNGE)
    assert admit(aviary.channel(LOUNGE))


@pytest.mark.parametrize("flag", ["mute", "suppress"])
def test_a_bot_that_nobody_can_hear_says_so(aviary: Aviary, flag: str) -> None:
    aviary.move(BOT, LOUNGE)
    check_not_muted(aviary.channel(LOUNGE))

    aviary.move(BOT, LOUNGE, **{flag: True})

    with pytest.raises(PlaybackError, match="I am muted in #Lounge"):
        check_not_muted(aviary.channel(LOUNGE))


def test_a_name_pings_nobody(aviary: Aviary) -> None:
    aviary.edit_channel(LOUNGE, name="@everyone")
    assert "@everyone" not in label(aviary.channel(LOUNGE))
    assert ALICE in aviary.channel(LOUNGE).voice_states
