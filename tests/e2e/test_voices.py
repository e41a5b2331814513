"""/voices from outside: what a member does with the voices they own, and that nobody else can."""

import io

import pytest
from PIL import Image

from playground.discord import ClientRefused, Member
from playground.discord.limits.components import Part
from playground.discord.world.interactions import Kind
from tests.e2e import uploads
from tests.e2e.ears import read_file
from tests.e2e.stage import PATIENCE, Cast, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOT_YOURS = "You have no voice of that name: /voices list shows those you have."


async def _names(member: Member) -> list[str]:
    """Read the names off every page of /voices list."""
    page = await (await member.slash("voices list")).settled()
    found = []
    while True:
        assert page.ephemeral
        found += [line.split("**")[1] for line in page.text.splitlines() if "**" in line]
        if "Next" not in page.buttons:
            return found
        last = page.text
        page = await (await member.click(page, "Next")).until(lambda seen, last=last: seen.text != last)


async def test_a_member_with_no_voice_is_told_how_to_make_one(scene: Scene) -> None:
    assert "make one with /clone" in await refusal(await scene.alice.slash("voices list"))
    for command in ("voices show", "voices preview"):
        assert "make one with /clone" in await refusal(await scene.alice.slash(command))


async def test_the_list_is_paged_and_goes_back(scene: Scene, low: Cast) -> None:
    names = [f"Voice {number:02}" for number in range(1, 24)]
    await scene.house.give(scene.alice, low, *names)

    first = await (await scene.alice.slash("voices list")).settled()
    assert "Your 23 voices" in first.text
    assert first.buttons == ["Next"]
    second = await scene.alice.click(first, "Next")
    await second.until(lambda seen: seen.buttons == ["Previous", "Next"])
    assert "11. **Voice 11**" in second.text
    back = await scene.alice.click(second, "Previous")

    await back.until(lambda seen: "1. **Voice 01**" in seen.text)
    assert await _names(scene.alice) == names


async def test_the_card_has_the_waveform_the_counts_and_the_dates(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    await (await scene.alice.slash("say", text="Hello there.", where="file")).followed(timeout=PATIENCE)

    card = await (await scene.alice.slash("voices show", voice="Aki")).settled()

    assert card.ephemeral
    assert Image.open(io.BytesIO(card.picture())).width >= 300
    for fact in (
        "Aki (your default)",
        "State: ready",
        "Made by: basic offline imitation",
        "Visible to: you alone",
        "Lines spoken: 1",
        "Last spoken: <t:",
        "Made: <t:",
        "Changed: <t:",
        "You confirmed: “This is my own voice",
    ):
        assert fact in card.text


async def test_a_voice_is_renamed_edited_chosen_heard_and_deleted(scene: Scene, low: Cast) -> None:
    house, alice = scene.house, scene.alice
    before = house.files()
    aki, _ = await house.give(alice, low, "Aki", "Bea")

    renamed = await (await alice.slash("voices rename", voice="aki", name="  Ａkira ")).settled()
    assert renamed.content == "Aki is now called Akira."
    edited = await (
        await alice.slash("voices edit", voice="Akira", description="Mine", tags="calm, calm, low")
    ).settled()
    assert "Mine" in edited.text
    assert "Tags: calm, low" in edited.text
    emptied = await (await alice.slash("voices edit", voice="Akira", description="-", tags="-")).settled()
    assert "Mine" not in emptied.text
    assert "Tags" not in emptied.text
    assert "You have no default voice: name one" in await refusal(await alice.slash("say", text="Hello.", where="file"))
    chosen = await (await alice.slash("voices default", voice="Akira")).settled()
    assert chosen.content == "Akira is now your default voice."
    assert (
        "**Akira**: ready, 0 lines spoken · your default" in (await (await alice.slash("voices list")).settled()).text
    )
    preview = await (await alice.slash("voices preview")).settled(PATIENCE)
    assert preview.ephemeral
    assert read_file(preview.files["akira.ogg"]).seconds > 1.5

    asked = await (await alice.slash("voices delete", voice="Akira")).settled()
    assert "Akira" in asked.content
    assert asked.buttons == ["Delete it", "Keep it"]
    kept = await alice.click(asked, "Keep it")
    await kept.until(lambda seen: seen.content == "It stays." and not seen.buttons)
    assert await _names(alice) == ["Akira", "Bea"]
    gone = await alice.click(await (await alice.slash("voices delete", voice=aki.id)).settled(), "Delete it")
    await gone.until(lambda answer: "is deleted" in answer.content)

    assert not gone.buttons
    assert await _names(alice) == ["Bea"]
    assert not [name for name in house.files() if aki.id in name]
    assert aki.id.encode() not in b"".join(path.read_bytes() for path in house.folder.glob("mynah.db*"))
    (left,) = await house.voices_of(alice)
    assert set(house.files()) - set(before) == {f"imitation/{left.id}.json", f"imitation/{left.id}.npz"}


async def test_nobody_else_can_see_or_use_a_voice_by_name_or_by_id(scene: Scene, low: Cast) -> None:
    (aki,) = await scene.house.give(scene.alice, low, "Aki")
    await scene.house.give(scene.bob, low, "Bea")
    before = scene.house.traces()

    for wanted in ("Aki", aki.id):
        for command, more in {
            "voices show": {},
            "voices preview": {},
            "voices default": {},
            "voices delete": {},
            "voices rename": {"name": "Mine"},
            "voices edit": {"description": "Mine"},
            "say": {"text": "Hello.", "where": "file"},
        }.items():
            assert await refusal(await scene.bob.slash(command, voice=wanted, **more)) == NOT_YOURS

    assert await _names(scene.bob) == ["Bea"]
    assert await scene.bob.autocomplete("say", voice="Ak") == []
    assert scene.house.traces() == before


async def test_somebody_elses_buttons_cannot_be_pressed_nor_forged(scene: Scene, low: Cast) -> None:
    alice, bob, world = scene.alice, scene.bob, scene.discord.world
    (aki,) = await scene.house.give(alice, low, "Aki")
    asked = await (await alice.slash("voices delete", voice="Aki")).settled()
    with pytest.raises(ClientRefused, match="does not see"):
        await bob.click(asked, "Delete it")
    own = await (await bob.slash("voices list")).settled()

    forged = world.ask(
        Kind.COMPONENT,
        {"custom_id": f"delete-yes|{aki.id}", "component_type": int(Part.BUTTON), "id": 1},
        guild_id=scene.guild.id,
        channel_id=scene.text.id,
        user_id=bob.id,
        source_id=own.id,
    )
    await own.until(lambda seen: seen.content == "It is deleted already.")

    assert forged.reply is not None
    assert [voice.id for voice in await scene.house.voices_of(alice)] == [aki.id]


async def test_a_name_with_markdown_in_it_reads_as_it_was_written(scene: Scene, low: Cast) -> None:
    alice, name, shown = scene.alice, "*Aki*", r"\*Aki\*"
    await scene.house.give(alice, low, "Bea")

    renamed = await (await alice.slash("voices rename", voice="Bea", name=name)).settled()
    chosen = await (await alice.slash("voices default", voice=name)).settled()
    heard = await (await alice.slash("voices preview")).settled(PATIENCE)
    spoken = await (await alice.slash("say", text="Hello.", where="file")).settled(PATIENCE)
    asked = await (await alice.slash("voices delete", voice=name)).settled()
    question = asked.content
    await (await alice.click(asked, "Delete it")).until(lambda seen: "for good, with" in seen.content)

    assert renamed.content == f"Bea is now called {shown}."
    assert chosen.content == f"{shown} is now your default voice."
    assert heard.content == f"This is {shown}."
    assert spoken.content == f"Here is what {shown} says."
    assert question.startswith(f"Delete {shown}?")
    assert asked.content == f"{shown} is deleted for good, with its recording."


async def test_notes_that_are_too_long_cannot_be_sent(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    clone = {"name": "Bea", "sample": uploads.recording()}

    for command, options, most in (
        ("clone", {**clone, "transcript": "x"}, 2000),
        ("clone", {**clone, "description": "x"}, 300),
        ("clone", {**clone, "tags": "x"}, 260),
        ("voices edit", {"voice": "Aki", "description": "x"}, 300),
        ("voices edit", {"voice": "Aki", "tags": "x"}, 260),
    ):
        option = list(options)[-1]
        with pytest.raises(ClientRefused, match=option):
            await scene.alice.slash(command, **{**options, option: "x" * (most + 1)})
        assert (await (await scene.alice.slash(command, **{**options, option: "x" * most})).settled(PATIENCE)).embeds


async def test_autocomplete_offers_only_own_voices_the_beginning_first(scene: Scene, low: Cast) -> None:
    given = await scene.house.give(scene.alice, low, "Akira", "Bakery", "Old Aki", "Zoe")
    await scene.house.give(scene.bob, low, "Akane")
    ids = {voice.name: voice.id for voice in given}

    assert await scene.alice.autocomplete("say", text="Hello", voice="AK") == [
        (name, ids[name]) for name in ("Akira", "Old Aki", "Bakery")
    ]
    assert [name for name, _ in await scene.alice.autocomplete("voices show", voice="")] == list(ids)
    assert await scene.alice.autocomplete("voices delete", voice="@everyone") == []
    assert (await scene.alice.slash("voices show", voice=ids["Zoe"])).ephemeral


async def test_at_most_25_voices_are_offered_and_one_too_many_is_refused(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, *(f"Voice {number:02}" for number in range(25)))

    assert len(await scene.alice.autocomplete("say", text="Hello", voice="v")) == 25
    answer = await scene.alice.slash("clone", name="Aki", sample=uploads.recording())
    assert "delete one first" in await refusal(answer)
