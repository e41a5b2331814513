"""Names that cannot be used and texts that cannot be said."""

import pytest

from playground.discord import ClientRefused
from tests.e2e import uploads
from tests.e2e.ears import Recogniser, read_file, sentence, words
from tests.e2e.stage import PATIENCE, Cast, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = {
    "only spaces": ("   ", "That name is empty: give the voice a name of 1 to 32 characters."),
    "200 characters": ("x" * 200, "That name has 200 characters: choose one of at most 32."),
    "only emoji": ("😀🎤", "A name needs at least one letter or digit"),
    "everyone": ("@everyone", "A name may not contain @"),
    "a mention": ("<@123>", "A name may not contain @"),
    "invisible signs": ("a\u202eb\u200f", "invisible signs"),
    "the same name": ("Aki", "You already have a voice called Aki: choose another name."),
    "the same name in capitals and other spaces": ("  AKI ", "You already have a voice called Aki"),
    "the same name in full width": ("Ａｋｉ", "You already have a voice called Aki"),
}

TEXTS = {
    "only spaces": ("   ", "There is no text: write what I should say."),
    "5,000 characters": ("word " * 1000, "That is 5,000 characters and I can say 1,000 at once: cut it into parts."),
    "only right-to-left marks": ("\u200f\u202e\u200f", "There is nothing to say in that: write some words."),
    "only signs": ("?!… ---", "There is nothing to say in that: write some words."),
    "only emoji": ("😀😀", "There is nothing to say in that: write some words."),
}


@pytest.mark.parametrize("case", NAMES)
async def test_a_name_is_refused_with_what_to_do(scene: Scene, low: Cast, case: str) -> None:
    name, told = NAMES[case]
    await scene.house.give(scene.alice, low, "Aki", "Bea")
    before, downloads = scene.house.traces(), scene.discord.cdn.downloads

    assert told in await refusal(await scene.alice.slash("clone", name=name, sample=uploads.recording()))
    assert told in await refusal(await scene.alice.slash("voices rename", voice="Bea", name=name))

    assert scene.discord.cdn.downloads == downloads
    assert scene.house.traces() == before


async def test_no_name_and_no_text_are_not_even_sent(scene: Scene) -> None:
    with pytest.raises(ClientRefused):
        await scene.alice.slash("clone", name="", sample=uploads.recording())
    with pytest.raises(ClientRefused):
        await scene.alice.slash("say", text="")


async def test_another_member_may_use_the_same_name(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    draft = await (await scene.bob.slash("clone", name="aki", sample=uploads.recording())).settled()

    assert draft.buttons


async def test_a_name_taken_between_the_draft_and_its_confirmation_is_told(scene: Scene, low: Cast) -> None:
    draft = await (await scene.alice.slash("clone", name="Aki", sample=uploads.recording())).settled()
    await scene.house.give(scene.alice, low, "AKI")
    before = scene.house.traces()

    answer = await scene.alice.click(draft, draft.buttons[0])
    await answer.until(lambda seen: "already" in seen.content)

    assert "You already have a voice called AKI: choose another name." in answer.content
    assert not answer.buttons
    assert scene.house.traces() == before


@pytest.mark.parametrize("case", TEXTS)
async def test_a_text_is_refused_with_what_to_do(scene: Scene, low: Cast, case: str) -> None:
    text, told = TEXTS[case]
    await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)

    for where in ("file", "voice channel"):
        assert await refusal(await scene.alice.slash("say", text=text, where=where)) == told

    assert scene.text.messages == []
    assert scene.lounge.present == ["alice"]


async def test_marks_and_markup_are_not_heard(scene: Scene, low: Cast, recogniser: Recogniser) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    who, did, many, like, what = sentence(1).rstrip(".").split()
    text = f"\u202e**{who}** \u200f__{did}__ ||{many}|| `{like}` ~~{what}~~\u202c."

    answer = await scene.alice.slash("say", text=text, where="file")
    (file,) = await answer.followed(timeout=PATIENCE)

    assert recogniser.hear(read_file(file.files["aki.ogg"]).sound) == words(sentence(1))


async def test_a_mention_is_spoken_and_pings_nobody(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    answer = await scene.alice.slash("say", text=f"@everyone {scene.bob.mention}", where="file")
    (file,) = await answer.followed(timeout=PATIENCE)

    assert read_file(file.files["aki.ogg"]).seconds > 0.5
    assert not file.pings
