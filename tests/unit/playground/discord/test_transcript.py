"""The transcript: commands and answers as their readers see them."""

import io

import discord
from discord import app_commands, ui

from playground.discord import Discord, Guild, Member, Upload
from tests.unit.playground.discord.bots import running


class Confirm(ui.View):
    @ui.button(label="Yes, make it")
    async def yes(self, interaction: discord.Interaction, button: ui.Button) -> None:
        button.disabled = True
        await interaction.response.edit_message(content="Made.", embed=None, attachments=[], view=self)

    @ui.select(placeholder="Which", options=[discord.SelectOption(label="One"), discord.SelectOption(label="Two")])
    async def pick(self, interaction: discord.Interaction, _: ui.Select) -> None:
        await interaction.response.send_modal(Edit())


class Edit(ui.Modal, title="Edit a voice"):
    intro: ui.TextDisplay = ui.TextDisplay("What shall change?")
    name: ui.TextInput = ui.TextInput(label="Name")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Changed.", ephemeral=True)
        await interaction.delete_original_response()


def teach(tree: app_commands.CommandTree) -> None:
    @tree.command(description="Clones")
    async def clone(interaction: discord.Interaction, name: str, sample: discord.Attachment) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        card = discord.Embed(title=name, description="Good:\n18 s").add_field(name="State", value="ready\nnow")
        card.set_image(url="attachment://card.png").set_footer(text="imitation").set_author(name="you")
        file = discord.File(io.BytesIO(bytes(1234)), "card.png")
        await interaction.edit_original_response(content="Is it yours?", embed=card, attachments=[file], view=Confirm())

    @clone.autocomplete("name")
    async def names(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current}i", value="1")]

    @tree.command(description="Breaks")
    async def silent(interaction: discord.Interaction) -> None:
        pass


async def test_the_transcript_reads_like_a_channel(house: Discord, guild: Guild, alice: Member, bob: Member) -> None:
    lounge, den = guild.add_voice_channel("Lounge"), guild.add_voice_channel("Den")
    async with running(house, teach):
        await bob.joins(lounge)
        await bob.moves(den)
        guild.move(bob, den)
        await bob.leaves()
        bob.writes("hello")
        await alice.autocomplete("clone", name="Ak")
        answer = await (await alice.slash("clone", name="Aki", sample=Upload("aki.wav", b"1"))).settled()
        form = await alice.select(answer, "One")
        await (await alice.submit(form, name="Akira")).until(lambda each: each.gone)
        await alice.click(answer, "Yes, make it")
    assert house.transcript.lines() == [
        "* bob joins Lounge",
        "* bob joins Den",
        "* bob leaves Den",
        "* bob joins Den",
        "* bob leaves Den",
        "bob: hello",
        "alice> /clone name:Ak",
        "    - Aki",
        "alice> /clone name:Aki sample:aki.wav",
        "Mynah (only you can see this): is thinking...",
        "Mynah (only you can see this): Is it yours?",
        "    | you",
        "    | Aki",
        "    | Good:",
        "    | 18 s",
        "    | State: ready",
        "    | now",
        "    | [picture: card.png]",
        "    | imitation",
        "    [Yes, make it]",
        "    [Which: One, Two]",
        "    [file: card.png, 1,234 bytes]",
        "alice> chooses One",
        "Mynah: [form: Edit a voice]",
        "    What shall change?",
        "      Name: ____",
        "alice> sends the form (Name: Akira)",
        "Mynah (only you can see this): Changed.",
        "Mynah (took a message away)",
        "alice> clicks [Yes, make it]",
        "Mynah (only you can see this) (edited): Made.",
        "    (Yes, make it)",
        "    [Which: One, Two]",
    ]


async def test_names_and_times_are_read_as_a_client_shows_them(house: Discord, guild: Guild, alice: Member) -> None:
    lounge = guild.add_voice_channel("Lounge")
    mods = guild.add_role("mods")
    now = int(house.clock.now().timestamp())

    alice.writes(f"<@{alice.id}> <@&{mods.id}> <#{lounge.id}> <#1> <@2> <@&3>")
    alice.writes(f"<t:0:D> <t:86399> <t:{now - 7200}:R> <t:{now + 90_000}:R>")

    assert house.transcript.lines() == [
        "alice: @alice @mods #Lounge #unknown @unknown-user @unknown-role",
        "alice: 01 January 1970 01 January 1970 23:59 2 hours ago in 1 day",
    ]
