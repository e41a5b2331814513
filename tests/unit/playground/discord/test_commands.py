"""Commands: what Discord registers, what its client lets a member type."""

from typing import Any, Literal

import discord
import pytest
from discord import app_commands

from playground.discord import ClientRefused, Discord, Guild, Member, Upload
from tests.unit.playground.discord.bots import ask, running


def command(**changes: Any) -> dict[str, Any]:
    return {"name": "say", "type": 1, "description": "Speaks", **changes}


def option(**changes: Any) -> dict[str, Any]:
    return {"name": "text", "type": 3, "description": "What", **changes}


def with_options(*options: dict[str, Any]) -> dict[str, Any]:
    return command(options=list(options))


MANY = "x" * 101
BAD_COMMANDS = {
    "name with capitals": (command(name="Say"), "0.name"),
    "name with spaces": (command(name="say it"), "0.name"),
    "name too long": (command(name="x" * 33), "0.name"),
    "no description": (command(description=""), "0.description"),
    "long description": (command(description=MANY), "0.description"),
    "option without description": (with_options(option(description="")), "0.options.0.description"),
    "option with a bad name": (with_options(option(name="")), "0.options.0.name"),
    "option of no type": (with_options(option(type=12)), "0.options.0.type"),
    "required after optional": (with_options(option(name="a"), option(required=True)), "0.options.1"),
    "option twice": (with_options(option(), option()), "0.options.0.name"),
    "26 options": (with_options(*(option(name=f"o{n}") for n in range(26))), "0.options"),
    "26 choices": (
        with_options(option(choices=[{"name": str(n), "value": str(n)} for n in range(26)])),
        "0.options.0.choices",
    ),
    "choices and autocomplete": (
        with_options(option(choices=[{"name": "a", "value": "a"}], autocomplete=True)),
        "0.options.0.choices",
    ),
    "autocomplete of a user": (with_options(option(type=6, autocomplete=True)), "0.options.0.autocomplete"),
    "choice of the wrong type": (
        with_options(option(choices=[{"name": "a", "value": 1}])),
        "0.options.0.choices.0.value",
    ),
    "long choice": (
        with_options(option(choices=[{"name": MANY, "value": "a"}])),
        "0.options.0.choices.0.name",
    ),
    "max length above 6000": (with_options(option(max_length=6001)), "0.options.0.max_length"),
    "negative min length": (with_options(option(min_length=-1)), "0.options.0.min_length"),
    "an empty range": (with_options(option(type=4, min_value=5, max_value=1)), "0.options.0.min_value"),
    "groups within groups": (
        with_options(option(type=2, options=[option(type=2, options=[])])),
        "0.options.0.options.0.type",
    ),
    "subcommand beside option": (with_options(option(name="a", type=1), option()), "0.options"),
    "too many characters": (
        with_options(
            *(
                option(name=f"o{n}", choices=[{"name": str(c) * 40, "value": str(c) * 40} for c in range(10)])
                for n in range(12)
            )
        ),
        "0._errors",
    ),
    "menu with a description": (command(type=3), "0.description"),
}


@pytest.mark.parametrize("case", BAD_COMMANDS)
async def test_sync_refuses(house: Discord, case: str) -> None:
    body, where = BAD_COMMANDS[case]
    status, answer = await ask(house, "PUT", f"/applications/{house.bot_user.id}/commands", json=[body])
    assert (status, answer["code"]) == (400, 50035)
    found = answer["errors"]
    for step in where.split("."):
        found = found[step]


async def test_sync_refuses_too_many_commands_and_a_name_twice(house: Discord) -> None:
    path = f"/applications/{house.bot_user.id}/commands"
    status, answer = await ask(house, "PUT", path, json=[command(name=f"c{n}") for n in range(101)])
    assert (status, list(answer["errors"])) == (400, ["commands"])
    status, answer = await ask(house, "PUT", path, json=[command(), command()])
    assert (status, list(answer["errors"])) == (400, ["0", "1"])
    assert (await ask(house, "PUT", path, json={}))[0] == 400
    assert (await ask(house, "PUT", "/applications/5/commands", json=[]))[0] == 403
    assert (await ask(house, "PUT", "/applications/x/commands", json=[]))[0] == 400


async def test_a_command_keeps_its_id_over_syncs_and_a_servers_own_comes_first(house: Discord, guild: Guild) -> None:
    path = f"/applications/{house.bot_user.id}/commands"
    own = f"/applications/{house.bot_user.id}/guilds/{guild.id}/commands"
    _, first = await ask(house, "PUT", path, json=[command(), command(name="old")])
    _, second = await ask(house, "PUT", path, json=[command(description="Changed")])
    assert (first[0]["id"], second[0]["description"]) == (second[0]["id"], "Changed")
    assert (await ask(house, "GET", path))[1] == second
    _, mine = await ask(house, "PUT", own, json=[command(description="Ours")])
    assert mine[0]["guild_id"] == str(guild.id)
    assert (await ask(house, "GET", own))[1] == mine
    assert [each.name for each in house.commands] == ["say"]


class Everything:
    """A command with an option of every type, and groups of commands."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def __call__(self, tree: app_commands.CommandTree) -> None:
        @tree.command(description="Takes everything")
        @app_commands.rename(file="sample")
        async def take(
            interaction: discord.Interaction,
            text: app_commands.Range[str, 2, 5],
            whole: app_commands.Range[int, 1, 3] = 1,
            real: float = 0.5,
            yes: bool = False,
            kind: Literal["ogg", "mp3"] = "ogg",
            who: discord.Member | None = None,
            where: discord.VoiceChannel | None = None,
            role: discord.Role | None = None,
            file: discord.Attachment | None = None,
        ) -> None:
            self.seen = [text, whole, real, yes, kind, who, where, role, file]
            await interaction.response.send_message("taken")

        @take.autocomplete("text")
        async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
            number = getattr(interaction.namespace, "whole", 0)
            return [app_commands.Choice(name=f"{current} {number}", value=current)]

        voices = app_commands.Group(name="voices", description="Your voices")
        inner = app_commands.Group(name="of", description="Of", parent=voices)

        @voices.command(name="list", description="Lists them")
        async def list_voices(interaction: discord.Interaction, page: int = 1) -> None:
            await interaction.response.send_message(f"page {page}")

        @inner.command(description="Deep")
        async def deep(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("deep")

        @tree.command(description="For moderators")
        @app_commands.default_permissions(manage_guild=True)
        async def admin(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("done")

        @tree.context_menu(name="Clone this voice")
        async def menu(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message("menu")

        tree.add_command(voices)


@pytest.fixture
def taught() -> Everything:
    return Everything()


async def test_every_type_of_option_arrives(house: Discord, guild: Guild, alice: Member, taught: Everything) -> None:
    lounge, role = guild.add_voice_channel("Lounge"), guild.add_role("singer")
    async with running(house, taught):
        await alice.slash(
            "take",
            text="hello",
            whole=3,
            real=2,
            yes=True,
            kind="mp3",
            who=alice,
            where=lounge,
            role=role,
            sample=Upload("a.wav", b"1"),
        )
        text, whole, real, yes, kind, who, where, given, file = taught.seen
        assert (text, whole, real, yes, kind) == ("hello", 3, 2, True, "mp3")
        assert isinstance(who, discord.Member)
        assert (who.id, who.name) == (alice.id, "alice")
        assert isinstance(where, discord.VoiceChannel)
        assert where.id == lounge.id
        assert isinstance(given, discord.Role)
        assert given.id == role.id
        assert isinstance(file, discord.Attachment)
        assert file.ephemeral


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a stranger": ({"text": "abc", "speed": 1}, "there is no option speed"),
    "nothing": ({}, "text is required"),
    "too short": ({"text": "a"}, "2 to 5 characters"),
    "too long": ({"text": "abcdef"}, "2 to 5 characters"),
    "too much": ({"text": "abc", "whole": 4}, "between 1.0 and 3.0"),
    "no whole number": ({"text": "abc", "whole": 1.5}, "no integer"),
    "a truth for a number": ({"text": "abc", "whole": True}, "no integer"),
    "a number for a truth": ({"text": "abc", "yes": 1}, "no boolean"),
    "no choice": ({"text": "abc", "kind": "wav"}, "none of ogg, mp3"),
    "a text for a file": ({"text": "abc", "sample": "a.wav"}, "no attachment"),
    "a file for a text": ({"text": Upload("a", b"")}, "no string"),
    "too big a file": ({"text": "abc", "sample": Upload("a.wav", bytes((10 << 20) + 1))}, "too powerful"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_the_client_refuses(house: Discord, alice: Member, taught: Everything, case: str) -> None:
    options, why = REFUSED[case]
    async with running(house, taught):
        with pytest.raises(ClientRefused, match=why):
            await alice.slash("take", **options)


async def test_the_client_refuses_the_wrong_kind_of_thing(
    house: Discord, guild: Guild, alice: Member, taught: Everything
) -> None:
    async with running(house, taught):
        with pytest.raises(ClientRefused, match="general is not a channel of the right kind"):
            await alice.slash("take", text="abc", where=guild.text_channel)
        with pytest.raises(ClientRefused, match="general is no user"):
            await alice.slash("take", text="abc", who=guild.text_channel)
        with pytest.raises(
            ClientRefused, match="there is no command /sing; there are: take, admin, voices of deep, voices list"
        ):
            await alice.slash("sing")


async def test_nitro_lets_a_member_upload_more(house: Discord, guild: Guild, taught: Everything) -> None:
    rich = guild.add_member("rich", upload_limit=500 << 20)
    async with running(house, taught):
        await rich.slash("take", text="abc", sample=Upload("a.wav", bytes((10 << 20) + 1)))
        assert isinstance(taught.seen[-1], discord.Attachment)


async def test_commands_in_groups_are_found_by_their_path(house: Discord, alice: Member, taught: Everything) -> None:
    async with running(house, taught):
        assert (await alice.slash("voices list", page=2)).content == "page 2"
        assert (await alice.slash("voices of deep")).content == "deep"


async def test_commands_are_hidden_from_those_who_may_not_use_them(
    house: Discord, guild: Guild, alice: Member, taught: Everything
) -> None:
    admin = guild.add_member("admin", guild.add_role("admins", "administrator"))
    silent = guild.add_text_channel("silent")
    guild.deny(silent, "use_application_commands")
    async with running(house, taught):
        with pytest.raises(ClientRefused, match="hidden from this member"):
            await alice.slash("admin")
        assert (await admin.slash("admin")).content == "done"
        with pytest.raises(ClientRefused, match="may not use commands in silent"):
            await alice.slash("voices list", in_channel=silent)
        guild.allow(silent, "use_application_commands", to=alice)
        assert (await alice.slash("voices list", in_channel=silent)).content == "page 1"
        assert [seen.content for seen in silent.messages] == ["page 1"]


async def test_autocomplete_offers_choices(house: Discord, alice: Member, taught: Everything) -> None:
    async with running(house, taught):
        assert await alice.autocomplete("take", text="a") == [("a None", "a")]
        assert await alice.autocomplete("take", whole=2, text="ak") == [("ak 2", "ak")]
        with pytest.raises(ClientRefused, match="does not autocomplete"):
            await alice.autocomplete("take", kind="ogg")


@pytest.mark.parametrize(
    "choices",
    [
        [{"name": str(n), "value": str(n)} for n in range(26)],
        [{"name": "", "value": "a"}],
        [{"name": MANY, "value": "a"}],
        [{"name": "a", "value": MANY}],
        [{"name": "a", "value": None}],
    ],
)
async def test_bad_choices_are_refused(house: Discord, alice: Member, taught: Everything, choices: list[Any]) -> None:
    async with running(house, taught) as bot:
        await alice.slash("voices list")
        (interaction,) = await bot.hears("interaction")
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        status, body = await ask(house, "POST", path, json={"type": 8, "data": {"choices": choices}})
        assert (status, body["code"]) == (400, 50035)
