"""Direct messages: what the real discord.py writes to one member, and what that member and nobody else reads."""

import io

import discord
import pytest
from discord import app_commands

from playground.discord import ClientRefused, Discord, Guild, Member
from playground.discord.world.drafts import Draft
from tests.unit.playground.discord.bots import ask, running

WITH_DIRECTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


async def test_the_bot_writes_to_a_member_and_nobody_else_reads_it(
    house: Discord, guild: Guild, alice: Member, bob: Member
) -> None:
    async with running(house) as bot:
        user = await bot.fetch_user(alice.id)
        card = discord.Embed(title="Ready").set_image(url="attachment://card.png")
        sent = await user.send("Your voice is ready.", embed=card, file=discord.File(io.BytesIO(b"png"), "card.png"))
        (seen,) = await alice.told()
        assert (seen.content, seen.author, seen.picture()) == ("Your voice is ready.", "Mynah", b"png")
        assert isinstance(sent.channel, discord.DMChannel)
        assert sent.channel.recipient == user
        assert bob.direct_messages == []
        assert guild.text_channel.messages == []


async def test_a_member_is_told_as_often_as_is_waited_for(house: Discord, alice: Member) -> None:
    async with running(house) as bot:
        user = await bot.fetch_user(alice.id)
        for text in ("one", "two"):
            await user.send(text)
        assert [seen.content for seen in await alice.told(2)] == ["one", "two"]
    with pytest.raises(TimeoutError, match=r"alice was not told 3 times within 0 s, only: \['one', 'two'\]"):
        await alice.told(3, timeout=0)


async def test_there_is_one_channel_with_a_user_on_every_server(house: Discord, alice: Member) -> None:
    again = house.add_guild("Other").add_member(alice)
    bodies = [
        (await ask(house, "POST", "/users/@me/channels", json={"recipient_id": str(alice.id)}))[1] for _ in range(2)
    ]
    assert bodies[0] == bodies[1]
    assert (bodies[0]["type"], bodies[0]["recipients"][0]["id"]) == (1, str(alice.id))
    await ask(house, "POST", f"/channels/{bodies[0]['id']}/messages", json={"content": "hello"})
    assert [seen.content for seen in again.direct_messages] == ["hello"]
    status, body = await ask(house, "POST", "/users/@me/channels", json={"recipient_id": "5"})
    assert (status, body["code"]) == (400, 50033)


async def test_closed_direct_messages_are_refused_until_they_are_open_again(house: Discord, alice: Member) -> None:
    async with running(house) as bot:
        user = await bot.fetch_user(alice.id)
        alice.closes_dms()
        with pytest.raises(discord.Forbidden) as caught:
            await user.send("hello")
        assert (caught.value.code, caught.value.text) == (50007, "Cannot send messages to this user")
        assert alice.direct_messages == []
        alice.opens_dms()
        await user.send("hello")
        assert len(alice.direct_messages) == 1


async def test_a_bot_cannot_write_to_itself(house: Discord) -> None:
    _, channel = await ask(house, "POST", "/users/@me/channels", json={"recipient_id": str(house.bot_user.id)})
    _, body = await ask(house, "POST", f"/channels/{channel['id']}/messages", json={"content": "hello"})
    assert body["code"] == 50007


async def test_a_command_can_be_answered_with_a_direct_message(house: Discord, alice: Member) -> None:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Tells")
        async def tell(interaction: discord.Interaction) -> None:
            await interaction.response.defer(ephemeral=True)
            await interaction.user.send("between us")
            await interaction.followup.send("told")

    async with running(house, teach):
        answer = await (await alice.slash("tell")).settled()
        assert answer.content == "told"
        assert [seen.content for seen in alice.direct_messages] == ["between us"]
        assert "Mynah (directly to alice): between us" in house.transcript.lines()


async def test_a_direct_message_is_read_changed_and_deleted(house: Discord, alice: Member) -> None:
    async with running(house) as bot:
        user = await bot.fetch_user(alice.id)
        channel = await user.create_dm()
        async with channel.typing():
            sent = await channel.send("one")
        await (await channel.fetch_message(sent.id)).edit(content="two")
        assert [each.content async for each in channel.history()] == ["two"]
        reply = await sent.reply("three")
        assert reply.reference is not None
        assert [seen.content for seen in alice.direct_messages] == ["two", "three"]
        await sent.delete()
        assert [seen.content for seen in alice.direct_messages] == ["three"]


async def test_only_the_one_written_to_is_notified(house: Discord, alice: Member, bob: Member) -> None:
    _, channel = await ask(house, "POST", "/users/@me/channels", json={"recipient_id": str(alice.id)})
    told = {"content": f"@everyone {alice.mention} {bob.mention}"}
    await ask(house, "POST", f"/channels/{channel['id']}/messages", json=told)
    (seen,) = alice.direct_messages
    assert (seen.pings.users, seen.pings.everyone) == ({alice.id}, False)


async def test_files_above_the_limit_are_refused(house: Discord, alice: Member) -> None:
    _, channel = await ask(house, "POST", "/users/@me/channels", json={"recipient_id": str(alice.id)})
    parts = {"payload_json": "{}", "files[0]": io.BytesIO(bytes((10 << 20) + 1))}
    status, body = await ask(house, "POST", f"/channels/{channel['id']}/messages", data=parts)
    assert (status, body["code"]) == (413, 40005)


async def test_the_gateway_tells_of_direct_messages_to_those_who_want_to_know(house: Discord, alice: Member) -> None:
    async with running(house, intents=WITH_DIRECTS) as bot:
        user = await bot.fetch_user(alice.id)
        sent = await user.send("hello")
        (heard,) = await bot.hears("message")
        assert (heard.id, heard.guild, heard.content) == (sent.id, None, "hello")
        await sent.delete()
        (gone,) = await bot.hears("raw_message_delete")
        assert (gone.message_id, gone.guild_id) == (sent.id, None)


async def test_what_a_user_writes_to_the_application_is_not_hidden_from_it(house: Discord, alice: Member) -> None:
    direct = house.world.directs.open(alice.membership.user)
    async with running(house, intents=WITH_DIRECTS) as bot:
        house.world.messages.create(Draft(content="psst"), author_id=alice.id, channel_id=direct.id)
        (heard,) = await bot.hears("message")
        assert (heard.author.id, heard.content) == (alice.id, "psst")


async def test_the_gateway_keeps_direct_messages_from_those_who_do_not(house: Discord, alice: Member) -> None:
    async with running(house, intents=discord.Intents(guilds=True, guild_messages=True)) as bot:
        await (await bot.fetch_user(alice.id)).send("between us")
        alice.writes("to all")
        (heard,) = await bot.hears("message")
        assert heard.author.id == alice.id


async def test_the_buttons_of_a_direct_message_are_out_of_reach(house: Discord, alice: Member) -> None:
    async with running(house) as bot:
        view = discord.ui.View()
        view.add_item(discord.ui.Button(label="Open"))
        await (await bot.fetch_user(alice.id)).send("look", view=view)
        (seen,) = alice.direct_messages
        with pytest.raises(ClientRefused, match="direct message"):
            await alice.click(seen, "Open")


async def test_a_command_used_in_direct_messages_is_answered_there(house: Discord, guild: Guild, alice: Member) -> None:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Looks around")
        async def look(interaction: discord.Interaction) -> None:
            granted = interaction.app_permissions
            facts = [
                interaction.guild_id,
                interaction.user.name,
                type(interaction.channel).__name__,
                interaction.context.dm_channel,
                granted.attach_files,
                granted.send_voice_messages,
                interaction.filesize_limit,
            ]
            await interaction.response.defer(ephemeral=True)
            await interaction.edit_original_response(content=repr(facts))
            await interaction.followup.send("here", file=discord.File(io.BytesIO(b"x"), "x.txt"))

        @tree.command(description="Only in servers")
        @app_commands.guild_only()
        async def rule(_: discord.Interaction) -> None:
            pass

        @tree.command(description="Only here")
        @app_commands.dm_only()
        async def whisper(_: discord.Interaction) -> None:
            pass

    async with running(house, teach):
        answer = await (await alice.slash("look", in_channel=alice.inbox)).settled()
        await answer.followed()
        assert answer.content == repr([None, "alice", "DMChannel", True, True, False, 10 << 20])
        assert answer.ephemeral
        assert [list(seen.files) for seen in alice.direct_messages] == [["x.txt"]]
        assert guild.text_channel.messages == []
        with pytest.raises(ClientRefused, match="hidden"):
            await alice.slash("rule", in_channel=alice.inbox)
        with pytest.raises(ClientRefused, match="hidden"):
            await alice.slash("whisper")
