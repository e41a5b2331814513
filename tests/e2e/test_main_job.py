"""The main job from outside: a recording becomes a voice, and the voice is heard as a file and in a channel."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bot.cloning import CONSENT
from playground.discord import Answer, Member, Upload
from playground.discord.wire import objects
from tests.e2e import uploads
from tests.e2e.ears import Recogniser, ends, loudness, match, pitch, read_file, sentence, words
from tests.e2e.stage import PATIENCE, Cast, Scene
from tests.sounds import to_wav

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORMATS = {"ogg": ("ogg", "opus"), "mp3": ("mp3", "mp3float"), "wav": ("wav", "pcm_s16le")}


async def _drafted(member: Member, **options: Any) -> Answer:
    """Use /clone and return the draft that asks for a confirmation."""
    draft = await (await member.slash("clone", **options)).settled(PATIENCE)
    assert len(draft.buttons) == 2, draft.text
    return draft


def _field(answer: Answer, name: str) -> str:
    return next(str(field["value"]) for field in objects(answer.embeds[0], "fields") if field["name"] == name)


async def _file_of(member: Member, text: str, **options: str) -> tuple[str, bytes]:
    answer = await (await member.slash("say", text=text, where="file", **options)).settled(PATIENCE)
    assert answer.content.startswith("Here is what"), answer.content
    (message,) = await answer.followed(timeout=PATIENCE)
    assert not message.ephemeral
    ((name, data),) = message.files.items()
    return name, data


async def test_a_recording_becomes_a_private_voice_once_its_owner_has_confirmed(scene: Scene) -> None:
    house, alice = scene.house, scene.alice
    before = house.traces()

    draft = await _drafted(
        alice,
        name="Aki",
        sample=uploads.recording(),
        transcript="This is a recording of my voice.",
        description="My own",
        tags="calm, low",
    )

    assert draft.deferred
    assert draft.ephemeral
    assert "s of clear speech" in draft.text
    assert CONSENT in draft.text
    assert "your recording, encrypted" in draft.text
    assert "/voices delete removes all of it" in draft.text
    for name in ("Speech", "Level", "Noise", "Clipping"):
        assert _field(draft, name)
    assert draft.buttons == ["I confirm: make the voice", "Cancel"]
    assert Image.open(io.BytesIO(draft.picture())).width >= 300
    assert house.traces() == before

    made = await alice.click(draft, draft.buttons[0])
    assert made.content == "Making Aki …"
    assert _field(made, "Speech")
    assert "please confirm" not in made.text
    assert "What will be stored" not in made.text
    assert Image.open(io.BytesIO(made.picture())).width >= 300
    await made.until(lambda answer: "aki.ogg" in answer.files, PATIENCE)

    assert made.content == "Aki is ready: try /say."
    assert not made.buttons
    assert "State: ready" in made.text
    assert "basic offline imitation" in made.text
    assert CONSENT in made.text
    assert Image.open(io.BytesIO(made.picture())).width >= 300
    preview = read_file(made.files["aki.ogg"])
    assert preview.seconds > 1.5
    assert loudness(preview.sound) == pytest.approx(-16, abs=1.5)
    assert scene.text.messages == []

    (voice,) = await house.voices_of(alice)
    assert (voice.name, voice.state, voice.description, voice.tags) == ("Aki", "trained", "My own", ("calm", "low"))
    assert voice.consent == CONSENT
    assert voice.consented_at >= voice.created_at
    async with house.store() as store:
        (kept,) = await store.samples(voice.id, owner_id=alice.id)
    assert kept.transcript == "This is a recording of my voice."
    assert read_file(kept.opus).seconds == pytest.approx(read_file(uploads.story()).seconds, abs=0.1)
    database = b"".join(path.read_bytes() for path in house.folder.glob("mynah.db*"))
    assert kept.opus[200:232] not in database
    assert b"This is a recording" not in database


@pytest.mark.parametrize("form", ["wav", "mp3", "m4a", "ogg", "flac", "webm"])
async def test_every_format_is_heard_for_what_it_is_whatever_it_is_called(scene: Scene, form: str) -> None:
    sent = Upload("recording.txt", uploads.encoded(form))

    draft = await _drafted(scene.alice, name="Aki", sample=sent)

    assert "s of clear speech" in draft.text
    assert float(_field(draft, "Speech").split()[3]) == pytest.approx(read_file(uploads.story()).seconds, abs=0.2)


async def test_five_recordings_become_one_voice_and_a_cancelled_draft_leaves_nothing(scene: Scene) -> None:
    before = scene.house.traces()
    several = {f"sample{n}" if n > 1 else "sample": Upload(f"{n}.wav", uploads.cut(3.0)) for n in range(1, 6)}

    draft = await _drafted(scene.alice, name="Aki", **several)
    assert float(_field(draft, "Speech").split()[0]) > 11
    gone = await scene.alice.click(draft, "Cancel")

    assert "Nothing was made, and nothing was kept." in gone.text
    assert (gone.embeds, gone.files, gone.buttons) == ([], {}, [])
    assert scene.house.traces() == before


async def test_cleaning_up_takes_noise_out_of_what_is_heard(scene: Scene) -> None:
    speech = read_file(uploads.story()).sound
    hiss = np.random.default_rng(3).normal(scale=0.006, size=speech.size).astype(np.float32)
    noisy = Upload("noisy.wav", to_wav(speech + hiss))

    plain = await _drafted(scene.alice, name="Aki", sample=noisy)
    cleaned = await _drafted(scene.alice, name="Aki", sample=noisy, clean_up=True)

    assert float(_field(cleaned, "Noise").split()[0]) < float(_field(plain, "Noise").split()[0]) - 3


@pytest.mark.parametrize("form", FORMATS)
async def test_a_line_as_a_file_has_the_words_the_format_and_the_loudness(
    scene: Scene, low: Cast, recogniser: Recogniser, form: str
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    line = sentence(3)

    name, data = await _file_of(scene.alice, line, format=form)

    track = read_file(data)
    assert name == f"aki.{form}"
    assert (track.form, track.codec) == FORMATS[form]
    assert 1.2 < track.seconds < 4
    assert loudness(track.sound) == pytest.approx(-16, abs=1.5)
    assert recogniser.hear(track.sound) == words(line)


async def test_ogg_is_the_format_where_none_is_asked_for(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    name, data = await _file_of(scene.alice, sentence(2))

    assert (name, read_file(data).codec) == ("aki.ogg", "opus")


async def test_a_line_is_heard_in_the_channel_from_its_first_word_to_its_last(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    line = sentence(1)
    _, data = await _file_of(scene.alice, line)
    await scene.joined(scene.bob, scene.alice)

    answer = await scene.spoken(await scene.alice.slash("say", text=line, voice="Aki"))

    heard, said = scene.bob.heard(scene.lounge), read_file(data)
    assert recogniser.hear(heard.pcm) == words(line)
    assert (heard.clear_packets, heard.lost, heard.undecryptable) == (0, 0, 0)
    assert (heard.duplicates, heard.wrong_steps, heard.reused_nonces) == (0, 0, 0)
    assert f"Aki spoke in {scene.lounge.mention} for {heard.seconds:.1f} s." == answer.content
    first, last = ends(heard.pcm)
    begin, end = ends(said.sound)
    assert first >= 0.2
    assert last - first == pytest.approx(end - begin, abs=0.2)
    likeness, later = match(heard.pcm, said.sound)
    assert likeness > 0.6
    assert later == pytest.approx(0.2, abs=0.06)
    assert loudness(heard.pcm) == pytest.approx(-16, abs=1.5)
    assert [seen.content for seen in scene.text.messages[1:]] == [
        f"I am in {scene.lounge.mention} and speak in voices made by a machine: /say adds a line."
    ]


async def test_the_recogniser_picks_other_words_for_another_line_and_none_for_noise(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    wanted, other = sentence(1), sentence(9)

    _, data = await _file_of(scene.alice, other)
    sound = read_file(data).sound

    assert recogniser.hear(sound) == words(other) != words(wanted)
    assert recogniser.hear(sound[::-1].copy()) != words(other)
    assert recogniser.hear(np.zeros(96_000, dtype=np.float32)) == []


async def test_each_voice_sounds_like_the_recording_it_was_made_from(scene: Scene, low: Cast, high: Cast) -> None:
    await scene.house.give(scene.alice, low, "Low")
    await scene.house.give(scene.alice, high, "High")
    line = sentence(3)

    deep = read_file((await _file_of(scene.alice, line, voice="Low"))[1]).sound
    shrill = read_file((await _file_of(scene.alice, line, voice="High"))[1]).sound

    asked_low = pitch(read_file(uploads.story("en-us+m3", 20, whole=True)).sound)
    asked_high = pitch(read_file(uploads.story("en-us+f2", 80, whole=True)).sound)
    assert asked_high / asked_low > 1.5
    assert pitch(deep) == pytest.approx(asked_low, rel=0.15)
    assert pitch(shrill) == pytest.approx(asked_high, rel=0.15)


async def test_a_clip_of_which_discord_knows_no_type_speaks_once_and_nothing_of_it_is_kept(
    scene: Scene, recogniser: Recogniser
) -> None:
    before = scene.house.traces()
    line = sentence(5)

    answer = await scene.alice.slash("say", text=line, sample=uploads.recording("me", whole=True), where="file")
    await answer.settled(PATIENCE)
    (message,) = await answer.followed(timeout=PATIENCE)

    assert recogniser.hear(read_file(message.files["the-recording.ogg"]).sound) == words(line)
    assert scene.house.traces() == before
    assert await scene.house.voices_of(scene.alice) == ()
