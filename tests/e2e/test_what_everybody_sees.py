"""What everybody sees of what members do with the bot: the audio, and nothing else; and what the bot tells Discord."""

from typing import Any

import pytest

from playground.discord import Seen
from playground.discord.wire import JsonObject, objects
from tests.e2e import uploads
from tests.e2e.stage import PATIENCE, Cast, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOUD = "@everyone @here"


async def test_every_answer_is_for_its_asker_alone_and_nothing_pings(scene: Scene, low: Cast) -> None:
    alice, bob = scene.alice, scene.bob
    await scene.house.give(alice, low, "Aki", "Bea")
    role = scene.guild.add_role("singers", mentionable=True)
    nuisance = f"{LOUD} {bob.mention} {role.mention} Hello."
    draft = await (await alice.slash("clone", name="Cleo", description=nuisance, sample=uploads.recording())).settled()

    answers = [await alice.click(draft, "Cancel")]
    uses: list[tuple[str, dict[str, Any]]] = [
        ("clone", {"name": bob.mention, "sample": uploads.recording()}),
        ("clone", {"name": "@everyone", "sample": uploads.recording()}),
        ("voices list", {}),
        ("voices edit", {"voice": "Aki", "description": nuisance, "tags": nuisance}),
        ("voices show", {"voice": "Aki"}),
        ("voices show", {"voice": nuisance}),
        ("voices rename", {"voice": "Aki", "name": nuisance}),
        ("voices default", {"voice": "Aki"}),
        ("voices delete", {"voice": "Aki"}),
        ("voices preview", {}),
        ("stop", {}),
        ("leave", {}),
        *((command, {}) for command in ("queue", "skip", "pause", "resume", "join", "replay", "voicetest")),
        ("say", {"text": LOUD, "voice": nuisance}),
        ("say", {"text": nuisance, "where": "file"}),
    ]
    for command, options in uses:
        answers.append(await (await alice.slash(command, **options)).settled(PATIENCE))

    for answer in answers:
        assert answer.ephemeral, answer.text
        assert not answer.pings, answer.text
        assert "Something broke" not in answer.text
    (audio,) = await answers[-1].followed(timeout=PATIENCE)
    (seen,) = scene.text.messages
    assert seen.id == audio.id
    assert list(seen.files) == ["aki.ogg"]
    assert not seen.pings
    assert "Hello" not in seen.text


async def test_a_member_whose_name_is_a_mention_pings_nobody_with_a_file(scene: Scene, low: Cast) -> None:
    nuisance = scene.guild.add_member(f"@everyone {scene.bob.mention}")
    await scene.house.give(nuisance, low, "Aki")

    answer = await nuisance.slash("say", text="Hello.", where="file")

    (seen,) = await answer.followed(timeout=PATIENCE)
    assert "asked for by" in seen.content
    assert not seen.pings


async def test_a_file_says_whose_voice_it_is_and_that_it_is_made_by_a_machine(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "*Aki*_")

    answer = await scene.alice.slash("say", text="Hello.", where="file")

    seen: list[Seen] = await answer.followed(timeout=PATIENCE)
    assert seen[0].content.startswith("AI voice:")
    assert "asked for by alice" in seen[0].content
    assert "\\*Aki\\*" in seen[0].content


async def test_a_member_whose_name_is_markup_is_named_in_plain_letters(scene: Scene, low: Cast) -> None:
    carol = scene.guild.add_member("**carol**")
    await scene.house.give(carol, low, "Aki")

    answer = await carol.slash("say", text="Hello.", where="file")

    (seen,) = await answer.followed(timeout=PATIENCE)
    assert seen.content == "AI voice: **Aki**, asked for by \\*\\*carol\\*\\*"


async def test_every_command_and_every_option_says_what_it_is(scene: Scene) -> None:
    described: dict[str, str] = {}

    def walk(part: JsonObject, path: str) -> None:
        described[path] = str(part.get("description", ""))
        for inner in objects(part, "options"):
            walk(inner, f"{path} {inner['name']}")

    for command in scene.discord.commands:
        walk(command.body, command.name)

    assert {"clone", "say", "voices list", "voices show", "stop", "leave"} <= set(described)
    assert {"clone sample5", "say format", "say where", "voices rename name"} <= set(described)
    for path, text in described.items():
        assert len(text) > 5, path
        assert text != "…", path
        assert "no description" not in text.lower(), path


async def test_what_a_command_needs_is_what_the_issue_says(scene: Scene) -> None:
    found = {
        command.name: [str(option["name"]) for option in objects(command.body, "options")]
        for command in scene.discord.commands
    }

    assert found["clone"] == [
        "name",
        "sample",
        "sample2",
        "sample3",
        "sample4",
        "sample5",
        "transcript",
        "description",
        "tags",
        "clean_up",
    ]
    assert sorted(found["say"]) == ["format", "sample", "speed", "style", "text", "voice", "where"]
    assert sorted(found["voices"]) == ["default", "delete", "edit", "list", "preview", "rename", "show"]
    plain = ("stop", "leave", "queue", "skip", "pause", "resume", "join", "voicetest")
    assert [found[command] for command in plain] == [[]] * len(plain)
    assert found["replay"] == ["line"]


async def test_nothing_needs_a_privileged_intent(scene: Scene) -> None:
    intents = scene.house.bot.intents

    assert (intents.members, intents.presences, intents.message_content) == (False, False, False)
    assert scene.discord.gateway.faults.allowed_intents == 0
