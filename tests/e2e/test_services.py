"""The main job at every voice service, as a member sees it; new services join by `ProviderName`."""

import json
import re
from typing import Any, get_args

import ormsgpack
import pytest

from bot.settings import ProviderName
from playground.discord import Upload
from playground.services.service import Asked
from tests.e2e import uploads
from tests.e2e.conftest import NewHouse
from tests.e2e.ears import ends
from tests.e2e.stage import PATIENCE, TRANSCRIPT, Cast, House, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERY = pytest.mark.parametrize("name", get_args(ProviderName))
LINE = "Peter bought nine rings."
SPOKEN = len(LINE) * 0.06
"""Seconds, as the stand-ins speak."""
TAGGED: dict[ProviderName, str] = {
    "fish": f"[whispering] {LINE}",
    "acedata": f"[whispering] {LINE}",
    "fish-speech": f"[whispering] {LINE}",
    "highwayapi": f"(whispering) {LINE}",
    "myrouter": f"(whispering) {LINE}",
    "novita": f"(whispering) {LINE}",
}
"""What the models that know tags are given."""


async def _voice(scene: Scene, low: Cast) -> str:
    """Give the name of a voice with which alice may speak."""
    house = scene.house
    if not house.home.capabilities.clones:
        return house.home.ready_made[0].title
    if house.services:
        await scene.clones()
    else:
        await house.give(scene.alice, low, "Aki")
        await scene.alice.slash("voices default", voice="Aki")
    return "Aki"


def _words(asked: Asked) -> Any:
    """Give the text of a line that was asked for, whatever its field is called."""
    content = ormsgpack.unpackb(asked.body) if "msgpack" in asked.media_type else json.loads(asked.body)
    return content.get("text", content.get("input"))


def _lines(house: House) -> list[Asked]:
    """List the lines that the service was asked for."""
    return [asked for asked in house.service.asked if asked.method == "POST" and re.search("tts|speech", asked.path)]


@EVERY
async def test_a_recording_becomes_a_voice_whose_card_names_the_service(
    new_house: NewHouse, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        scene, label = house.enter(), house.home.label
        draft = await scene.drafts(description="My own", tags="calm, low")
        if not house.home.capabilities.clones:
            assert await refusal(draft) == f"{label} speaks with ready-made voices and clones none: choose one in /say."
            assert house.rows()["voices"] == 0
            return
        assert f"A voice model that only you can use ({label})" in draft.text
        assert ("/voices delete removes all of it." in draft.text) == house.home.capabilities.deletes
        assert (f"{label} has no way to delete voices" in draft.text) == (not house.home.capabilities.deletes)
        assert not house.services or not house.service.voices

        made = await scene.alice.click(draft, draft.buttons[0])
        await made.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

        assert made.content == "Aki is ready: try /say."
        shown = await (await scene.alice.slash("voices show")).settled()
        for card in (made.text, shown.text):
            for fact in ("Aki (your default)", "State: ready", f"Made by: {label}", "Visible to: you alone"):
                assert fact in card
        assert "**Aki**: ready, 0 lines spoken" in (await (await scene.alice.slash("voices list")).settled()).text
        (voice,) = await house.voices_of(scene.alice)
        assert (voice.provider, voice.state, voice.visibility) == (name, "trained", "private")
        if house.services:
            assert list(house.service.voices) == [voice.remote_id]


@pytest.mark.parametrize("name", ["fish", "highwayapi", "acedata"])
async def test_what_a_member_writes_of_a_voice_goes_to_the_service_and_nobody_else_sees_it(
    new_house: NewHouse, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        await house.enter().clones(description="My own", tags="calm, low")

        (entity,) = house.service.voices.values()
        assert entity["title"] == "Aki"
        assert entity["visibility"] == "private"
        assert entity["tags"] == ["calm", "low"]
        assert entity["description"].startswith("My own")


@EVERY
async def test_a_line_is_received_as_a_file_and_heard_by_others_in_the_channel(
    new_house: NewHouse, low: Cast, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        scene = house.enter()
        voice = await _voice(scene, low)
        begun = len(_lines(house)) if house.services else 0

        file = await scene.says(LINE, voice=voice)
        await scene.joined(scene.bob, scene.alice)
        answer = await scene.spoken(await scene.alice.slash("say", text=LINE, voice=voice))

        heard = scene.bob.heard(scene.lounge)
        first, last = ends(heard.pcm)
        begin, end = ends(file.sound)
        assert answer.content == f"{voice} spoke in {scene.lounge.mention} for {file.seconds:.1f} s."
        assert last - first == pytest.approx(end - begin, abs=0.2)
        assert (heard.clear_packets, heard.lost, heard.undecryptable, heard.duplicates) == (0, 0, 0, 0)
        if house.services:
            assert file.seconds == pytest.approx(SPOKEN, abs=0.15)
            assert [_words(asked) for asked in _lines(house)[begun:]] == [LINE, LINE]


@EVERY
async def test_styles_and_speeds_are_offered_and_taken_where_they_are_known(
    new_house: NewHouse, low: Cast, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        scene = house.enter()
        voice = await _voice(scene, low)

        offered = [tag for tag, _ in await scene.alice.autocomplete("say", text=LINE, voice=voice, style="whisper")]
        assert ("whispering" in offered) == (name in TAGGED)
        assert bool(offered) == (name in TAGGED)
        assert await scene.alice.autocomplete("say", text=LINE, voice=voice, style="no such tag") == []
        usual = await scene.says(LINE, voice=voice, style="whispering")
        if house.services:
            assert _words(_lines(house)[-1]) == TAGGED.get(name, LINE)
        if house.home.capabilities.speeds is None:
            slow = await scene.alice.slash("say", text=LINE, voice=voice, where="file", speed=0.5)
            assert await refusal(slow) == f"{house.home.label} cannot speak faster or slower: leave the speed out."
        else:
            fast = await scene.says(
                LINE, voice=voice, style="whispering", speed=min(1.5, house.home.capabilities.speeds[1])
            )
            assert fast.seconds == pytest.approx(usual.seconds / 1.5, abs=0.1)


@EVERY
async def test_who_sees_a_voice_and_its_cover_change_where_the_service_has_them(
    new_house: NewHouse, low: Cast, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        scene, can, label = house.enter(), house.home.capabilities, house.home.label
        voice, cover = await _voice(scene, low), Upload("me.png", uploads.picture())
        if not can.clones:
            told = await refusal(await scene.alice.slash("voices edit", voice=voice, visibility="unlist"))
            assert told == f"{voice} is ready-made and everybody's: it cannot be changed."
            return
        if not can.covers:
            told = await refusal(await scene.alice.slash("voices edit", voice=voice, cover=cover))
            assert told == f"{label} shows no pictures with voices: leave the cover out."
            told = await refusal(await scene.alice.slash("voices edit", voice=voice, visibility="unlist"))
            assert told == f"At {label} a voice can be private only: leave the visibility out."
            (kept,) = await house.voices_of(scene.alice)
            assert kept.visibility == "private"
            return

        bare = await refusal(await scene.alice.slash("voices edit", voice=voice, visibility="public"))
        assert bare == "A voice that everybody sees needs a picture: attach a cover too."
        shown = await (await scene.alice.slash("voices edit", voice=voice, visibility="public", cover=cover)).settled(
            PATIENCE
        )

        assert shown.content == "Changed."
        assert "Visible to: everybody" in shown.text
        (entity,) = house.service.voices.values()
        assert entity["visibility"] == "public"
        assert entity["cover_image"]
        hidden = await (await scene.alice.slash("voices edit", voice=voice, visibility="private")).settled(PATIENCE)
        assert "Visible to: you alone" in hidden.text
        assert entity["visibility"] == "private"


@EVERY
async def test_deleting_says_honestly_what_stays_at_the_service(
    new_house: NewHouse, low: Cast, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        scene, label = house.enter(), house.home.label
        voice = await _voice(scene, low)
        if not house.home.capabilities.clones:
            told = await refusal(await scene.alice.slash("voices delete", voice=voice))
            assert told == f"{voice} is ready-made and everybody's: it cannot be changed."
            return

        asked = await (await scene.alice.slash("voices delete", voice=voice)).settled()
        question = asked.content
        gone = await scene.alice.click(asked, "Delete it")
        await gone.until(lambda seen: " with its recording." in seen.content, PATIENCE)

        stays = f"{label} has no way to delete voices: its model stays there, private, and nobody here can use it."
        if house.home.capabilities.deletes:
            assert question.endswith("go for good, and nobody can bring them back.")
            assert gone.content == "Aki is deleted for good, with its recording."
        else:
            assert question == f"Delete Aki? {stays}"
            assert gone.content == f"Aki is forgotten here, with its recording. {stays}"
        assert (house.rows()["voices"], house.rows()["samples"]) == (0, 0)
        if house.services:
            assert len(house.service.voices) == (not house.home.capabilities.deletes)


async def test_a_ready_made_voice_is_listed_shown_and_speaks_for_whoever_has_none(new_house: NewHouse) -> None:
    async with new_house(providers=("openai",)) as house:
        scene = house.enter()

        listed = await (await scene.alice.slash("voices list")).settled()
        shown = await (await scene.alice.slash("voices show", voice="nova")).settled()
        said = await scene.says(LINE)

        assert "Ready-made voices that you can use in /say: alloy, nova." in listed.text
        assert "Made by: OpenAI-style speech" in shown.text
        assert "everybody here may speak with it, nobody may change it" in shown.text
        assert [tag for tag, _ in await scene.alice.autocomplete("say", text=LINE, voice="")] == ["alloy", "nova"]
        assert said.seconds == pytest.approx(SPOKEN, abs=0.15)
        assert json.loads(_lines(house)[-1].body)["voice"] == "alloy"


@pytest.mark.parametrize(
    ("next_one", "label"), [("acedata", "Ace Data Cloud"), ("imitation", "basic offline imitation")]
)
async def test_a_voice_goes_on_speaking_where_it_was_made_when_new_ones_are_made_elsewhere(
    new_house: NewHouse, next_one: ProviderName, label: str
) -> None:
    async with new_house(providers=("fish", "acedata")) as house:
        scene = house.enter()
        await scene.clones("Aki")
        fish, acedata = house.services["fish"], house.services["acedata"]

        house.settings = house.settings.model_copy(update={"provider": next_one})
        await house.restart()
        before = len(fish.asked)
        said = await scene.says(LINE, voice="Aki")
        shown = await (await scene.alice.slash("voices show", voice="Aki")).settled()
        draft = await scene.drafts("Bea")

        assert said.seconds == pytest.approx(SPOKEN, abs=0.15)
        assert [asked.path for asked in fish.asked[before:] if asked.method == "POST"] == ["/v1/tts"]
        assert "Made by: Fish Audio" in shown.text
        assert f"only you can use ({label})" in draft.text
        assert acedata.count("POST", "/fish/tts") == 0


async def test_a_voice_whose_service_is_switched_off_says_so_and_speaks_again_when_it_is_back(
    new_house: NewHouse,
) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        usual = house.settings
        off = usual.fish.model_copy(update={"api_key": None})

        house.settings = usual.model_copy(update={"provider": "imitation", "fish": off})
        await house.restart()
        told = await refusal(await scene.alice.slash("say", text=LINE, where="file"))
        house.settings = usual
        await house.restart()

        assert told == "This voice lives at fish, which is switched off here: ask the operator."
        assert (await scene.says(LINE)).seconds == pytest.approx(SPOKEN, abs=0.15)


async def test_the_words_of_a_recording_go_where_they_are_needed_and_are_asked_for_where_they_are_missing(
    new_house: NewHouse,
) -> None:
    async with new_house(providers=("fish-speech",)) as house:
        scene = house.enter()

        told = await refusal(await scene.drafts(transcript=None))
        await scene.clones()

        assert "write the words into `transcript`" in told
        (reference,) = house.service.voices.values()
        assert reference["text"] == TRANSCRIPT
