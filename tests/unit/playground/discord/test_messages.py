"""Messages: what Discord accepts, whom they notify, what the bot may do in a channel."""

import io
import json
from typing import Any

import discord
import pytest
from discord import app_commands

from playground.discord import ClientRefused, Discord, Guild, Member, RoleHandle, Upload
from playground.discord.world.pings import Pings
from tests.unit.playground.discord.bots import ask, running


def row(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"components": [{"type": 1, "components": list(parts)}]}


def button(**changes: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Yes", "custom_id": "yes", **changes}


def menu(**changes: Any) -> dict[str, Any]:
    options = [{"label": "One", "value": "1"}]
    return {"type": 3, "custom_id": "menu", "options": options, **changes}


def embed(**changes: Any) -> dict[str, Any]:
    return {"embeds": [{"title": "Title", **changes}]}


def layout(*parts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"flags": 1 << 15, "components": list(parts), **changes}


def words(count: int) -> dict[str, Any]:
    return {"type": 10, "content": "x" * count}


FIELD = {"name": "n", "value": "v"}
BAD = {
    "content above 2000": ({"content": "x" * 2001}, "content"),
    "11 embeds": ({"embeds": [{"title": "t"}] * 11}, "embeds"),
    "title above 256": (embed(title="x" * 257), "embeds.0.title"),
    "description above 4096": (embed(description="x" * 4097), "embeds.0.description"),
    "footer above 2048": (embed(footer={"text": "x" * 2049}), "embeds.0.footer.text"),
    "author above 256": (embed(author={"name": "x" * 257}), "embeds.0.author.name"),
    "26 fields": (embed(fields=[FIELD] * 26), "embeds.0.fields"),
    "field without a name": (embed(fields=[{"name": "", "value": "v"}]), "embeds.0.fields.0.name"),
    "field with a blank value": (embed(fields=[{"name": "n", "value": " "}]), "embeds.0.fields.0.value"),
    "field value above 1024": (embed(fields=[{"name": "n", "value": "x" * 1025}]), "embeds.0.fields.0.value"),
    "6001 characters in embeds": ({"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]}, "embeds"),
    "empty embed": (embed(title=""), "embeds.0.description"),
    "picture from a file path": (embed(image={"url": "card.png"}), "embeds.0.image.url"),
    "6 rows": ({"components": [{"type": 1, "components": [button(custom_id=str(n))]} for n in range(6)]}, "components"),
    "6 buttons in a row": (row(*(button(custom_id=str(n)) for n in range(6))), "components.0.components"),
    "an empty row": (row(), "components.0.components"),
    "button beside a menu": (row(menu(), button()), "components.0.components"),
    "label above 80": (row(button(label="x" * 81)), "components.0.components.0.label"),
    "button without a label": (row(button(label="")), "components.0.components.0.label"),
    "button without an id": (row(button(custom_id="")), "components.0.components.0.custom_id"),
    "id above 100": (row(button(custom_id="x" * 101)), "components.0.components.0.custom_id"),
    "id twice": (row(button(), button()), "components"),
    "unknown style": (row(button(style=9)), "components.0.components.0.style"),
    "link without an address": (row(button(style=5)), "components.0.components.0.url"),
    "address on a plain button": (row(button(url="https://x")), "components.0.components.0.url"),
    "text input in a message": (row({"type": 4, "custom_id": "x"}), "components.0.components.0.type"),
    "button without a row": ({"components": [button()]}, "components.0.type"),
    "menu without options": (row(menu(options=[])), "components.0.components.0.options"),
    "26 options": (
        row(menu(options=[{"label": str(n), "value": str(n)} for n in range(26)])),
        "components.0.components.0.options",
    ),
    "option value twice": (
        row(menu(options=[{"label": "a", "value": "1"}, {"label": "b", "value": "1"}])),
        "components.0.components.0.options",
    ),
    "option label above 100": (
        row(menu(options=[{"label": "x" * 101, "value": "1"}])),
        "components.0.components.0.options.0.label",
    ),
    "placeholder above 150": (row(menu(placeholder="x" * 151)), "components.0.components.0.placeholder"),
    "more values than options": (row(menu(max_values=2)), "components.0.components.0.max_values"),
    "text display without the flag": ({"components": [words(1)]}, "components.0.type"),
    "layout with content": (layout(words(1), content="x"), "content"),
    "layout above 4000 characters": (layout(words(2500), words(2500)), "components"),
    "41 parts": (layout(*(words(1) for _ in range(41))), "components"),
    "empty section": (layout({"type": 9, "components": [], "accessory": button()}), "components.0.components"),
    "bad accessory": (
        layout({"type": 9, "components": [words(1)], "accessory": button(label="")}),
        "components.0.accessory.label",
    ),
    "container in a container": (
        layout({"type": 17, "components": [{"type": 17, "components": [words(1)]}]}),
        "components.0.components.0.type",
    ),
    "empty gallery": (layout({"type": 12, "items": []}), "components.0.items"),
    "file that was not sent": (layout({"type": 13, "file": {"url": "attachment://a.txt"}}), "components.0.file.url"),
    "mentions both ways": (
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions",
    ),
    "unknown mentions": ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, "allowed_mentions.parse"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_message_is_refused_with(house: Discord, guild: Guild, case: str) -> None:
    body, where = BAD[case]
    status, answer = await ask(house, "POST", f"/channels/{guild.text_channel.id}/messages", json=body)
    assert (status, answer["code"]) == (400, 50035)
    found = answer["errors"]
    for step in where.split("."):
        found = found[step]
    assert found["_errors"]
    assert guild.text_channel.messages == []


GOOD: dict[str, dict[str, Any]] = {
    "content of 2000": {"content": "x" * 2000},
    "emoji button": row(button(label="", emoji={"name": "🐦"})),
    "link": row(button(style=5, custom_id=None, url="https://example.com")),
    "premium": row({"type": 2, "style": 6, "sku_id": "1"}),
    "user menu": row({"type": 5, "custom_id": "u"}),
    "layout": layout(words(4000), {"type": 14}, {"type": 12, "items": [{"media": {"url": "https://x/y.png"}}]}),
    "picture only": embed(title="", image={"url": "https://example.com/a.png"}),
}


@pytest.mark.parametrize("case", GOOD)
async def test_a_message_is_taken_with(house: Discord, guild: Guild, case: str) -> None:
    status, _ = await ask(house, "POST", f"/channels/{guild.text_channel.id}/messages", json=GOOD[case])
    assert status == 200
    assert len(guild.text_channel.messages) == 1


@pytest.mark.parametrize("body", [{}, {"content": " "}, {"content": "", "embeds": []}])
async def test_an_empty_message_is_refused(house: Discord, guild: Guild, body: dict[str, Any]) -> None:
    status, answer = await ask(house, "POST", f"/channels/{guild.text_channel.id}/messages", json=body)
    assert (status, answer["code"]) == (400, 50006)


async def test_what_is_sent_again_under_its_nonce_is_the_same_message(house: Discord, guild: Guild) -> None:
    async with running(house) as bot:
        channel = bot.get_channel(guild.text_channel.id)
        assert isinstance(channel, discord.TextChannel)
        sent, again, other = [await channel.send("hello", nonce=nonce) for nonce in (7, 7, 8)]
    assert (again.id, again.nonce) == (sent.id, "7")
    assert [seen.id for seen in guild.text_channel.messages] == [sent.id, other.id]


async def test_the_bot_posts_reads_changes_and_deletes(house: Discord, guild: Guild, alice: Member) -> None:
    async with running(house) as bot:
        channel = bot.get_channel(guild.text_channel.id)
        assert isinstance(channel, discord.TextChannel)
        async with channel.typing():
            pass
        picture = discord.Embed(title="Card").set_image(url="attachment://card.png")
        files = [discord.File(io.BytesIO(b"png"), "card.png"), discord.File(io.BytesIO(b"x"), "x.txt", description="d")]
        sent = await channel.send("hello", embed=picture, files=files, nonce=7)
        (seen,) = guild.text_channel.messages
        assert (seen.content, list(seen.files), seen.picture()) == ("hello", ["card.png", "x.txt"], b"png")
        assert sent.embeds[0].image.url is not None
        assert sent.embeds[0].image.url.startswith("https://cdn.discordapp.com/")
        kept = await sent.edit(content=None, attachments=[sent.attachments[1]])
        assert (seen.content, list(seen.files)) == ("", ["x.txt"])
        assert kept.edited_at is not None
        with pytest.raises(LookupError, match="no picture"):
            seen.picture()
        reply = await (await channel.fetch_message(sent.id)).reply("re")
        assert reply.reference is not None
        assert [each.id async for each in channel.history(limit=5)] == [reply.id, sent.id]
        assert [each.id async for each in channel.history(after=sent)] == [reply.id]
        assert [each.id async for each in channel.history(before=reply)] == [sent.id]
        await sent.delete()
        assert seen.gone
        with pytest.raises(discord.NotFound):
            await channel.fetch_message(sent.id)
        human = alice.writes("mine", Upload("a.wav", b"1"))
        foreign = await channel.fetch_message(human.id)
        with pytest.raises(discord.Forbidden) as caught:
            await foreign.edit(content="yours")
        assert caught.value.code == 50005
        with pytest.raises(discord.Forbidden) as caught:
            await foreign.delete()
        assert caught.value.code == 50013
        guild.allow(guild.text_channel, "manage_messages", to=house.bot_user)
        await foreign.delete()
        assert human.gone


async def test_the_bot_needs_permissions_in_a_channel(house: Discord, guild: Guild, alice: Member) -> None:
    path = f"/channels/{guild.text_channel.id}/messages"
    plain = {"json": {"content": "x", "embeds": [{"title": "t"}]}}
    guild.deny(guild.text_channel, "embed_links", "attach_files")
    assert (await ask(house, "POST", path, **plain))[1]["embeds"] == []
    parts = {"payload_json": json.dumps({"content": "x"}), "files[0]": io.BytesIO(b"x")}
    assert (await ask(house, "POST", path, data=parts))[1]["code"] == 50013
    guild.deny(guild.text_channel, "send_messages")
    assert (await ask(house, "POST", path, **plain))[1]["code"] == 50013
    with pytest.raises(ClientRefused, match="alice may not write in general"):
        alice.writes("hello")
    guild.deny(guild.text_channel, "view_channel")
    assert (await ask(house, "POST", path, **plain))[1]["code"] == 50001
    assert (await ask(house, "GET", "/channels/5"))[1]["code"] == 10003
    other = house.add_guild("Other").text_channel
    assert (await ask(house, "GET", f"/channels/{other.id}"))[0] == 200


async def test_strange_multipart_is_refused(house: Discord, guild: Guild) -> None:
    path = f"/channels/{guild.text_channel.id}/messages"
    assert (await ask(house, "POST", path, data={"strange": io.BytesIO(b"x")}))[0] == 400


@pytest.fixture
def singers(guild: Guild) -> RoleHandle:
    return guild.add_role("singers", mentionable=True)


async def test_only_allowed_mentions_notify(house: Discord, guild: Guild, alice: Member, singers: RoleHandle) -> None:
    text = f"@everyone {alice.mention} {singers.mention} <@5> `@here {house.bot_user.mention}`"

    async def pings(allowed: object) -> Pings:
        body = {"content": text} if allowed is None else {"content": text, "allowed_mentions": allowed}
        await ask(house, "POST", f"/channels/{guild.text_channel.id}/messages", json=body)
        return guild.text_channel.messages[-1].pings

    someone, role = frozenset({alice.id}), frozenset({singers.id})
    assert await pings(None) == Pings(someone, role, everyone=True)
    assert not await pings({"parse": []})
    assert await pings({"parse": ["users"]}) == Pings(users=someone)
    assert await pings({"parse": ["roles"], "users": [str(alice.id)]}) == Pings(someone, role)
    assert await pings({"parse": ["everyone"]}) == Pings(everyone=True)
    guild.deny(guild.text_channel, "mention_everyone")
    assert await pings({"parse": ["everyone"]}) == Pings()


async def test_text_displays_notify_and_edits_do_not(house: Discord, guild: Guild, alice: Member) -> None:
    path = f"/channels/{guild.text_channel.id}/messages"
    container = {"type": 17, "components": [{"type": 10, "content": alice.mention}]}
    await ask(house, "POST", path, json=layout(container))
    assert guild.text_channel.messages[-1].pings.users == {alice.id}
    _, quiet = await ask(house, "POST", path, json={"content": "x"})
    await ask(house, "PATCH", f"{path}/{quiet['id']}", json={"content": alice.mention})
    assert not guild.text_channel.messages[-1].pings


async def test_content_of_others_is_hidden_without_the_intent(house: Discord, guild: Guild, alice: Member) -> None:
    async with running(house, intents=discord.Intents(guilds=True, guild_messages=True)) as bot:
        alice.writes("secret")
        (message,) = await bot.hears("message")
        assert (message.content, message.author.name) == ("", "alice")
        alice.writes(f"hello {house.bot_user.mention}")
        (message,) = await bot.hears("message")
        assert message.content.startswith("hello")
        seen = alice.writes("again")
        house.world.messages.delete(seen.id)
        await bot.hears("raw_message_delete")


async def test_what_only_one_sees_notifies_nobody_else(house: Discord, alice: Member, bob: Member) -> None:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Mentions")
        async def call(interaction: discord.Interaction, quiet: bool, later: bool) -> None:
            if later:
                await interaction.response.defer(ephemeral=quiet, thinking=True)
                await interaction.edit_original_response(content=f"{alice.mention} {bob.mention} @everyone")
            else:
                await interaction.response.send_message(f"{alice.mention} {bob.mention} @everyone", ephemeral=quiet)

    async with running(house, teach):
        for later in (False, True):
            loud = await (await alice.slash("call", quiet=False, later=later)).settled()
            assert loud.pings == Pings(users=frozenset({alice.id, bob.id}), everyone=True)
            quiet = await (await alice.slash("call", quiet=True, later=later)).settled()
            assert quiet.pings == Pings(users=frozenset({alice.id}))
