"""The life of an interaction: first answers, deferrals, follow-ups, deadlines."""

import asyncio
import io

import discord
import pytest
from discord import app_commands

from playground.discord import Discord, Guild, Member, PlaygroundError, UnansweredError, Upload, open_discord
from tests.unit.playground.discord.bots import ask, running, until


class Commands:
    """Commands of a bot; `gate` holds back what waits for it."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    def __call__(self, tree: app_commands.CommandTree) -> None:
        @tree.command(description="Says it at once")
        async def say(interaction: discord.Interaction, text: str, quiet: bool = False) -> None:
            await interaction.response.send_message(text, ephemeral=quiet)

        @tree.command(description="Thinks first")
        async def think(interaction: discord.Interaction, quiet: bool = True) -> None:
            await interaction.response.defer(ephemeral=quiet, thinking=True)
            await self.gate.wait()
            await interaction.edit_original_response(
                content="thought", attachments=[discord.File(io.BytesIO(b"text"), "a b.txt")]
            )

        @tree.command(description="Follows up")
        async def follow(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("first")
            second = await interaction.followup.send("second", ephemeral=True, wait=True)
            third = await interaction.followup.send("third", wait=True)
            await second.edit(content="second, changed")
            await self.gate.wait()
            await third.delete()
            await interaction.delete_original_response()

        @tree.command(description="Never answers")
        async def sleep(interaction: discord.Interaction) -> None:
            await self.gate.wait()
            await interaction.response.send_message("too late")

        @tree.command(description="Answers twice")
        async def twice(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("once")
            await self.gate.wait()
            interaction.response._response_type = None
            await interaction.response.send_message("twice")

        @tree.command(description="Reports what it was given")
        async def look(interaction: discord.Interaction) -> None:
            assert isinstance(interaction.channel, discord.TextChannel)
            assert isinstance(interaction.user, discord.Member)
            facts = [
                interaction.user.name,
                interaction.channel.name,
                interaction.guild.name if interaction.guild else None,
                interaction.filesize_limit,
                interaction.app_permissions.attach_files,
                interaction.permissions.manage_guild,
                interaction.locale.value,
                interaction.context.guild,
                interaction.is_guild_integration(),
            ]
            answered = await interaction.response.send_message(repr(facts))
            assert isinstance(answered.resource, discord.InteractionMessage)
            original = await interaction.original_response()
            assert original.id == answered.message_id


@pytest.fixture
def taught() -> Commands:
    return Commands()


async def test_the_answer_is_what_the_member_sees(
    house: Discord, guild: Guild, alice: Member, taught: Commands
) -> None:
    async with running(house, taught):
        answer = await alice.slash("say", text="hello")
        assert (answer.content, answer.author, answer.ephemeral, answer.deferred) == ("hello", "Mynah", False, False)
        assert [seen.content for seen in guild.text_channel.messages] == ["hello"]


async def test_an_ephemeral_answer_is_in_no_channel(
    house: Discord, guild: Guild, alice: Member, taught: Commands
) -> None:
    async with running(house, taught):
        answer = await alice.slash("say", text="psst", quiet=True)
        assert answer.ephemeral
        assert guild.text_channel.messages == []
        path = f"/channels/{guild.text_channel.id}/messages/{answer.id}"
        assert (await ask(house, "GET", path))[0] == 404


async def test_a_deferred_answer_settles_with_its_files(house: Discord, alice: Member, taught: Commands) -> None:
    async with running(house, taught):
        answer = await alice.slash("think")
        assert (answer.deferred, answer.content, answer.text) == (True, "", "is thinking...")
        taught.gate.set()
        await answer.settled()
        assert (answer.content, answer.ephemeral, list(answer.files)) == ("thought", True, ["a_b.txt"])


async def test_settling_says_what_it_waited_for(house: Discord, alice: Member, taught: Commands) -> None:
    async with running(house, taught):
        answer = await alice.slash("think")
        with pytest.raises(TimeoutError, match=r"not given within 0\.01 s; it shows: is thinking"):
            await answer.settled(timeout=0.01)


async def test_followups_keep_their_own_visibility(
    house: Discord, guild: Guild, alice: Member, taught: Commands
) -> None:
    async with running(house, taught):
        answer = await alice.slash("follow")
        second, third = await answer.followed(2)
        await answer.until(lambda _: second.content == "second, changed")
        assert (second.ephemeral, third.ephemeral) == (True, False)
        assert [seen.content for seen in guild.text_channel.messages] == ["first", "third"]
        taught.gate.set()
        await answer.until(lambda answer: answer.gone)
        assert [seen.content for seen in answer.followups] == ["second, changed"]
        with pytest.raises(LookupError):
            _ = answer.content


async def test_the_first_followup_of_a_deferral_is_the_answer(house: Discord, alice: Member) -> None:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Defers and follows up")
        async def wait(interaction: discord.Interaction) -> None:
            await interaction.response.defer(ephemeral=True, thinking=True)
            await interaction.followup.send("here")

    async with running(house, teach):
        answer = await (await alice.slash("wait")).settled()
        assert (answer.content, answer.ephemeral, answer.followups) == ("here", True, [])


async def test_nothing_in_three_seconds_is_no_answer(house: Discord, alice: Member, taught: Commands) -> None:
    async with running(house, taught) as bot:
        asked = asyncio.create_task(alice.slash("sleep"))
        await bot.hears("interaction")
        house.clock.advance(3.1)
        with pytest.raises(UnansweredError, match="did not respond"):
            await asked
        taught.gate.set()
        await until(lambda: bool(bot.errors))
        error = bot.errors[0]
        assert isinstance(error, discord.NotFound)
        assert error.code == 10062


async def test_a_second_acknowledgement_is_refused_and_told(house: Discord, alice: Member, taught: Commands) -> None:
    async with running(house, taught) as bot:
        answer = await alice.slash("twice")
        taught.gate.set()
        with pytest.raises(UnansweredError, match="acknowledged the interaction twice"):
            await answer.until(lambda _: False)
        await until(lambda: bool(bot.errors))
        error = bot.errors[0]
        assert isinstance(error, discord.HTTPException)
        assert (error.status, error.code) == (400, 40060)


async def test_a_second_acknowledgement_nobody_looked_at_is_raised_at_the_end(taught: Commands) -> None:
    async def visit() -> None:
        async with open_discord() as house:
            alice = house.add_guild("Aviary").add_member("alice")
            async with running(house, taught) as bot:
                await alice.slash("twice")
                taught.gate.set()
                await until(lambda: bool(bot.errors))

    with pytest.raises(PlaygroundError, match="acknowledged the interaction twice"):
        await visit()


async def test_the_token_lasts_fifteen_minutes(house: Discord, alice: Member, taught: Commands) -> None:
    async with running(house, taught) as bot:
        await alice.slash("think")
        house.clock.advance(15 * 60 + 1)
        taught.gate.set()
        await until(lambda: bool(bot.errors))
        error = bot.errors[0]
        assert isinstance(error, discord.HTTPException)
        assert (error.status, error.code) == (401, 50027)


async def test_an_interaction_carries_what_discord_says_of_it(house: Discord, alice: Member, taught: Commands) -> None:
    async with running(house, taught) as bot:
        answer = await alice.slash("look")
        expected = ["alice", "general", "Aviary", 10 << 20, True, False, "en-US", True, True]
        assert answer.content == repr(expected)
        assert bot.errors == []


async def test_callbacks_of_the_wrong_kind_are_refused(house: Discord, alice: Member, taught: Commands) -> None:
    async with running(house, taught) as bot:
        asked = asyncio.create_task(alice.slash("sleep"))
        (interaction,) = await bot.hears("interaction")
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        hook = f"/webhooks/{house.bot_user.id}/{interaction.token}"
        for kind in (6, 7, 8, 77):
            status, body = await ask(house, "POST", path, json={"type": kind, "data": {}})
            assert (status, body["code"]) == (400, 50035)
        assert (await ask(house, "PATCH", f"{hook}/messages/@original", json={"content": "x"}))[1]["code"] == 10015
        assert (await ask(house, "POST", path, json={"type": 4, "data": {}}))[1]["code"] == 50006
        assert (await ask(house, "POST", f"/interactions/1/{interaction.token}/callback", json={"type": 5}))[0] == 404
        assert (await ask(house, "POST", path, json={"type": 5}))[0] == 204
        assert (await asked).deferred
        assert (await ask(house, "GET", f"{hook}/messages/1"))[1]["code"] == 10008
        assert (await ask(house, "POST", path, data=b"{"))[0] == 400
        interaction_seen = house.world.interactions.find(interaction.token)
        assert interaction_seen is not None
        assert interaction_seen.broken == []


async def test_a_file_above_the_limit_is_too_large(house: Discord, alice: Member) -> None:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Sends a big file")
        async def big(interaction: discord.Interaction, size: int) -> None:
            await interaction.response.send_message(file=discord.File(io.BytesIO(bytes(size)), "big.ogg"))

    async with running(house, teach) as bot:
        answer = await alice.slash("big", size=10 << 20)
        assert len(answer.files["big.ogg"]) == 10 << 20
        asked = asyncio.create_task(alice.slash("big", size=(10 << 20) + 1))
        await until(lambda: bool(bot.errors))
        error = bot.errors[0]
        assert isinstance(error, discord.HTTPException)
        assert (error.status, error.code) == (413, 40005)
        house.clock.advance(4)
        with pytest.raises(UnansweredError):
            await asked


async def test_an_attachment_arrives_with_its_bytes_and_guessed_type(house: Discord, alice: Member) -> None:
    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Takes a file")
        async def take(interaction: discord.Interaction, sample: discord.Attachment) -> None:
            await interaction.response.defer()
            data = await sample.read()
            await interaction.followup.send(f"{sample.filename} {sample.size} {sample.content_type} {data!r}")

    async with running(house, teach):
        answer = await (await alice.slash("take", sample=Upload("my aki.WAV", b"RIFF"))).settled()
        assert answer.content == "my_aki.WAV 4 audio/x-wav b'RIFF'"
        answer = await (await alice.slash("take", sample=Upload("noending", b""))).settled()
        assert answer.content == "noending 0 None b''"
