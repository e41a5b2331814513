"""Permissions add up as Discord adds them."""

import discord
import pytest
from discord import app_commands

from playground.discord import Discord, Guild, Member
from playground.discord.permissions import EVERYTHING, NOBODY, Permission
from tests.unit.playground.discord.bots import running


def may(house: Discord, member: Member, channel_id: int | None = None) -> Permission:
    return house.world.guilds.may(guild_id=member.guild_id, user_id=member.id, channel_id=channel_id)


def test_every_permission_has_the_bit_discord_py_knows() -> None:
    for permission in Permission:
        name = {"MANAGE_GUILD": "manage_guild", "VIEW_CHANNEL": "view_channel", "USE_VAD": "use_voice_activation"}.get(
            str(permission.name), str(permission.name).lower()
        )
        assert discord.Permissions(**{name: True}).value == int(permission), permission


async def test_overwrites_apply_in_order_everyone_roles_member(house: Discord, guild: Guild, alice: Member) -> None:
    one, two = guild.add_role("one"), guild.add_role("two")
    bob = guild.add_member("bob", one, two)
    lounge = guild.add_voice_channel("Lounge")
    guild.deny(lounge, "connect", "speak")
    assert not may(house, alice, lounge.id) & Permission.CONNECT
    guild.deny(lounge, "connect", to=one)
    guild.allow(lounge, "connect", to=two)
    assert may(house, bob, lounge.id) & Permission.CONNECT
    guild.deny(lounge, "connect", to=bob)
    assert not may(house, bob, lounge.id) & Permission.CONNECT
    guild.allow(lounge, "connect", to=bob)
    assert may(house, bob, lounge.id) & Permission.CONNECT
    assert not may(house, bob, lounge.id) & Permission.SPEAK


async def test_nobody_has_a_role_that_was_deleted(house: Discord, guild: Guild, alice: Member) -> None:
    singers = guild.add_role("singers", "mute_members")
    bob = guild.add_member("bob", singers)
    guild.grant(singers, guild.bot)
    async with running(house) as bot:
        (known,) = bot.guilds
        assert known.me.guild_permissions.mute_members
        guild.remove_role(singers)
        (role,) = await bot.hears("guild_role_delete")
        assert (role.id, known.me.guild_permissions.mute_members) == (singers.id, False)
    assert may(house, bob) == may(house, alice)


async def test_who_does_not_see_a_channel_may_nothing_there(house: Discord, guild: Guild, alice: Member) -> None:
    guild.deny(guild.text_channel, "view_channel")
    assert may(house, alice, guild.text_channel.id) == NOBODY
    assert may(house, alice) & Permission.SEND_MESSAGES
    elsewhere = house.add_guild("Other").text_channel
    assert may(house, alice, elsewhere.id) == NOBODY


async def test_who_may_not_write_may_not_attach(house: Discord, guild: Guild, alice: Member) -> None:
    guild.deny(guild.text_channel, "send_messages")
    assert not may(house, alice, guild.text_channel.id) & (Permission.ATTACH_FILES | Permission.EMBED_LINKS)


async def test_administrators_and_the_owner_may_everything(house: Discord, guild: Guild) -> None:
    admin = guild.add_member("admin", guild.add_role("admins", "administrator"))
    guild.deny(guild.text_channel, "view_channel")
    assert may(house, admin, guild.text_channel.id) == EVERYTHING
    owner = house.world.owner.id
    assert house.world.guilds.may(guild_id=guild.id, user_id=owner) == EVERYTHING


@pytest.mark.parametrize("name", ["connect", "speak", "move_members", "mute_members"])
async def test_an_interaction_tells_what_member_and_bot_may_in_a_voice_channel(
    house: Discord, guild: Guild, alice: Member, name: str
) -> None:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Tells")
        async def tell(interaction: discord.Interaction) -> None:
            mine, its = getattr(interaction.permissions, name), getattr(interaction.app_permissions, name)
            await interaction.response.send_message(f"{mine} {its}")

    lounge, stage = guild.add_voice_channel("Lounge"), guild.add_stage_channel("Stage")
    async with running(house, teach):
        for room in (lounge, stage):
            guild.allow(room, name, to=alice)
            guild.deny(room, name, to=guild.bot)
            assert (await alice.slash("tell", in_channel=room)).content == "True False"
            guild.deny(room, name, to=alice)
            guild.allow(room, name, to=guild.bot)
            assert (await alice.slash("tell", in_channel=room)).content == "False True"


async def test_a_member_of_one_server_can_be_let_into_another(house: Discord, guild: Guild, alice: Member) -> None:
    other = house.add_guild("Other", tier=2)
    there = other.add_member(alice)
    assert (there.id, there.name, there.guild_id) == (alice.id, "alice", other.id)
    assert (other.name, guild.name) == ("Other", "Aviary")
    assert other.text_channel.mention == f"<#{other.text_channel.id}>"
