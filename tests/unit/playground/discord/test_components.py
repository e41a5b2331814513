"""Buttons, menus and forms: who may use them, and what comes of it."""

import asyncio
import io

import discord
import pytest
from discord import app_commands, ui

from playground.discord import ClientRefused, Discord, Guild, Member, UnansweredError, Upload
from tests.unit.playground.discord.bots import ask, running


class Choice(ui.View):
    """Buttons and a menu that answer in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.add_item(ui.Button(label="Read more", url="https://example.com"))

    @ui.button(label="Update", custom_id="update")
    async def update(self, interaction: discord.Interaction, button: ui.Button) -> None:
        button.disabled = True
        await interaction.response.edit_message(content="updated", view=self)

    @ui.button(label="Later")
    async def later(self, interaction: discord.Interaction, _: ui.Button) -> None:
        await interaction.response.defer()
        await self.gate.wait()
        await interaction.edit_original_response(content="later", view=None)

    @ui.button(label="New", emoji="🐦")
    async def new(self, interaction: discord.Interaction, _: ui.Button) -> None:
        await interaction.response.send_message("a new one", ephemeral=True)

    @ui.button(label="Form")
    async def form(self, interaction: discord.Interaction, _: ui.Button) -> None:
        await interaction.response.send_modal(Short())

    @ui.button(label="Ignored")
    async def ignored(self, interaction: discord.Interaction, _: ui.Button) -> None:
        pass

    @ui.select(
        placeholder="Pick",
        options=[discord.SelectOption(label=name, value=name.lower()) for name in ("One", "Two", "Three")],
        max_values=2,
    )
    async def pick(self, interaction: discord.Interaction, select: ui.Select) -> None:
        await interaction.response.edit_message(content=f"picked {select.values}")


class Short(ui.Modal, title="A form"):
    name: ui.TextInput = ui.TextInput(label="Your name", min_length=2, max_length=5)
    note: ui.TextInput = ui.TextInput(label="Note", required=False, default="nothing")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content=f"{self.name.value}: {self.note.value}", view=None)


class Long(ui.Modal, title="Samples"):
    files: ui.Label = ui.Label(text="Recordings", component=ui.FileUpload(custom_id="f", min_values=1, max_values=2))
    mine: ui.Label = ui.Label(text="It is my voice", component=ui.Checkbox(custom_id="mine"))
    kind: ui.Label = ui.Label(
        text="Kind",
        component=ui.Select(custom_id="kind", options=[discord.SelectOption(label="Voice", value="v")], required=False),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.files.component, ui.FileUpload)
        assert isinstance(self.mine.component, ui.Checkbox)
        assert isinstance(self.kind.component, ui.Select)
        sizes = [len(await each.read()) for each in self.files.component.values]
        await interaction.response.send_message(f"{sizes} {self.mine.component.value} {self.kind.component.values}")


class Teach:
    """Commands that show the view and the form."""

    def __init__(self) -> None:
        self.view: Choice | None = None

    def __call__(self, tree: app_commands.CommandTree) -> None:
        @tree.command(description="Shows the view")
        async def choose(interaction: discord.Interaction, quiet: bool = False) -> None:
            self.view = Choice()
            await interaction.response.send_message("choose", view=self.view, ephemeral=quiet)

        @tree.command(description="Shows the form")
        async def clone(interaction: discord.Interaction) -> None:
            await interaction.response.send_modal(Long())


@pytest.fixture
def taught() -> Teach:
    return Teach()


async def test_a_click_updates_the_same_answer(house: Discord, alice: Member, taught: Teach) -> None:
    async with running(house, taught):
        answer = await alice.slash("choose")
        assert answer.buttons == ["Update", "Later", "New", "Form", "Ignored", "Read more"]
        assert answer.menus == [["One", "Two", "Three"]]
        assert await alice.click(answer, "Update") is answer
        assert (answer.content, answer.disabled) == ("updated", ["Update"])
        with pytest.raises(ClientRefused, match="disabled"):
            await alice.click(answer, "update")


async def test_a_click_that_defers_settles_later(house: Discord, alice: Member, taught: Teach) -> None:
    async with running(house, taught):
        answer = await alice.click(await alice.slash("choose"), "Later")
        assert (answer.content, answer.deferred) == ("choose", True)
        assert taught.view is not None
        taught.view.gate.set()
        await answer.settled()
        assert (answer.content, answer.buttons) == ("later", [])
        with pytest.raises(ClientRefused, match="there are: none"):
            await alice.click(answer, "New")


async def test_a_click_can_make_a_new_answer(house: Discord, alice: Member, bob: Member, taught: Teach) -> None:
    async with running(house, taught):
        answer = await alice.slash("choose")
        new = await bob.click(answer, "New")
        assert new is not answer
        assert (new.content, new.ephemeral, answer.content) == ("a new one", True, "choose")
        with pytest.raises(ClientRefused, match="does not see"):
            await alice.click(new, "anything")


async def test_nobody_clicks_what_they_do_not_see(
    house: Discord, guild: Guild, alice: Member, bob: Member, taught: Teach
) -> None:
    async with running(house, taught):
        hidden = await alice.slash("choose", quiet=True)
        with pytest.raises(ClientRefused, match="bob does not see"):
            await bob.click(hidden, "Update")
        shown = await alice.slash("choose")
        guild.deny(guild.text_channel, "view_channel", to=bob)
        with pytest.raises(ClientRefused, match="bob does not see"):
            await bob.click(shown, "Update")
        await ask(house, "DELETE", f"/channels/{guild.text_channel.id}/messages/{shown.id}")
        with pytest.raises(ClientRefused, match="was deleted"):
            await alice.click(shown, "Update")


async def test_buttons_that_are_not_there_or_lead_elsewhere_are_refused(
    house: Discord, alice: Member, taught: Teach
) -> None:
    async with running(house, taught):
        answer = await alice.slash("choose")
        with pytest.raises(ClientRefused, match="there are: Update, Later"):
            await alice.click(answer, "Missing")
        with pytest.raises(ClientRefused, match="opens a link"):
            await alice.click(answer, "Read more")


async def test_an_ignored_click_is_no_answer(house: Discord, alice: Member, taught: Teach) -> None:
    async with running(house, taught) as bot:
        answer = await alice.slash("choose")
        clicking = asyncio.create_task(alice.click(answer, "Ignored"))
        await bot.hears("interaction")
        await bot.hears("interaction")
        house.clock.advance(3)
        with pytest.raises(UnansweredError):
            await clicking


async def test_a_menu_takes_labels_or_values_within_its_limits(house: Discord, alice: Member, taught: Teach) -> None:
    async with running(house, taught):
        answer = await alice.slash("choose")
        assert await alice.select(answer, "One", "three") is answer
        assert answer.content == "picked ['one', 'three']"
        with pytest.raises(ClientRefused, match="1 to 2"):
            await alice.select(answer, "One", "Two", "Three")
        with pytest.raises(ClientRefused, match="does not offer 'Four'"):
            await alice.select(answer, "Four")
        with pytest.raises(ClientRefused, match="no such menu"):
            await alice.select(answer, "One", menu=1)


async def test_a_form_is_filled_in_and_sent(house: Discord, alice: Member, bob: Member, taught: Teach) -> None:
    async with running(house, taught):
        answer = await alice.slash("choose")
        form = await alice.click(answer, "Form")
        assert (form.title, form.fields) == ("A form", ["Your name", "Note"])
        with pytest.raises(ClientRefused, match="no form to fill in"):
            await bob.submit(form, your_name="Bob")
        with pytest.raises(ClientRefused, match="2 to 5 characters"):
            await alice.submit(form, your_name="A")
        with pytest.raises(ClientRefused, match="wants text"):
            await alice.submit(form, your_name=True)
        with pytest.raises(ClientRefused, match="no field 'age'"):
            await alice.submit(form, age="5")
        await alice.submit(form, **{"Your name": "Alice", "note": ""})
        assert answer.content == "Alice: "
        with pytest.raises(LookupError, match="no form"):
            _ = answer.title
        with pytest.raises(ClientRefused, match="no form to fill in"):
            await alice.submit(answer, note="")


async def test_a_form_takes_files_and_ticks(house: Discord, alice: Member, taught: Teach) -> None:
    async with running(house, taught):
        form = await alice.slash("clone")
        files = [Upload("a.wav", b"12"), Upload("b.wav", b"123")]
        with pytest.raises(ClientRefused, match="Recordings: wants 1 to 2, not 0"):
            await alice.submit(form, it_is_my_voice=True)
        with pytest.raises(ClientRefused, match="not offered"):
            await alice.submit(form, recordings=files[0], kind="Song")
        with pytest.raises(ClientRefused, match="too powerful"):
            await alice.submit(form, recordings=Upload("a.wav", bytes((10 << 20) + 1)))
        answer = await alice.submit(form, recordings=files, it_is_my_voice=True, kind="Voice")
        assert answer.content == "[2, 3] True ['v']"
        answer = await alice.submit(await alice.slash("clone"), recordings=files[0])
        assert answer.content == "[2] False []"


async def test_a_layout_is_read_and_clicked(house: Discord, alice: Member) -> None:
    class Play(ui.Button):
        async def callback(self, interaction: discord.Interaction) -> None:
            await interaction.response.send_message("playing", ephemeral=True)

    class Card(ui.LayoutView):
        def __init__(self) -> None:
            super().__init__()
            section = ui.Section(ui.TextDisplay("**Aki**\nsecond line"), accessory=Play(label="Play"))
            file: ui.File[Card] = ui.File("attachment://a.txt")
            gallery: ui.MediaGallery[Card] = ui.MediaGallery(discord.MediaGalleryItem("attachment://a.txt"))
            self.add_item(ui.Container(section, ui.Separator(), gallery, file))

    def teach(tree: app_commands.CommandTree) -> None:
        @tree.command(description="Shows a card")
        async def card(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(view=Card(), file=discord.File(io.BytesIO(b"text"), "a.txt"))

    async with running(house, teach):
        answer = await alice.slash("card")
        assert answer.text.splitlines()[:4] == ["| | **Aki**", "| | second line", "| | [Play]", "| [picture: a.txt]"]
        assert (await alice.click(answer, "Play")).content == "playing"
