"""Recordings that cannot be cloned: a sentence that says what to do, nothing kept, and the bot goes on."""

from collections.abc import Callable

import pytest

from playground.discord import ClientRefused, Cut, Refused, Upload
from tests.e2e import uploads
from tests.e2e.stage import Cast, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNREADABLE = "That file is not audio I can read: send wav, mp3, m4a, ogg, flac or webm."

BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "a picture named wav": (uploads.picture, UNREADABLE),
    "a zip named wav": (uploads.archive, UNREADABLE),
    "an empty file": (bytes, "That file is empty: record it again and send it."),
    "noise without a header": (lambda: bytes(range(256)) * 40, UNREADABLE),
    "a header and nothing behind it": (uploads.truncated_header, UNREADABLE),
    "an m4a that broke off": (uploads.truncated_m4a, UNREADABLE),
    "a stream without end that has two seconds": (uploads.endless, "s: record at least 5 s of speech."),
    "nine hours in a small file": (uploads.nine_hours, "longer than 5 minutes: cut it"),
    "three seconds": (lambda: uploads.cut(3.0), "s: record at least 5 s of speech."),
    "silence": (uploads.silent, "Silence: nothing was heard. Check the microphone and record again."),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_recording_is_refused_with_what_to_do(scene: Scene, case: str) -> None:
    build, sentence = BAD[case]
    before = scene.house.traces()

    for options in ({"name": "Aki"}, {"text": "Hello."}):
        command = "clone" if "name" in options else "say"
        told = await refusal(await scene.alice.slash(command, sample=Upload("me.wav", build()), **options))
        assert sentence in told

    assert scene.house.traces() == before
    assert scene.text.messages == []


async def test_nine_hours_are_a_small_file() -> None:
    assert len(uploads.nine_hours()) < 1_000_000


async def test_one_bad_recording_among_good_ones_spoils_the_draft(scene: Scene) -> None:
    told = await refusal(
        await scene.alice.slash(
            "clone", name="Aki", sample=uploads.recording(), sample2=Upload("2.wav", uploads.picture())
        )
    )

    assert told == f"Recording 2: {UNREADABLE}"


async def test_26_megabytes_are_refused_before_they_are_fetched(scene: Scene) -> None:
    rich = scene.guild.add_member("rich", upload_limit=100 << 20)
    large = Upload("large.wav", uploads.heavy())
    downloads = scene.discord.cdn.downloads
    with pytest.raises(ClientRefused, match="too powerful"):
        await scene.alice.slash("clone", name="Aki", sample=large)

    told = await refusal(await rich.slash("clone", name="Aki", sample=large))

    assert told == "That file has 26.1 MB and I take 25 MB: cut it, or send it as mp3 or ogg."
    assert scene.discord.cdn.downloads == downloads


async def test_a_recording_that_was_cut_off_or_streamed_is_taken_as_far_as_it_goes(scene: Scene) -> None:
    cut_off = Upload("cut.wav", uploads.story(whole=True)[: len(uploads.story(whole=True)) * 2 // 3])
    streamed = Upload("stream.wav", uploads.endless(7.0))

    for sent in (cut_off, streamed):
        draft = await (await scene.alice.slash("clone", name="Aki", sample=sent)).settled()
        assert "s of clear speech" in draft.text


@pytest.mark.parametrize("trouble", [Refused(403), Refused(404), Refused(500), Cut(1000)], ids=str)
async def test_a_file_that_cannot_be_fetched_is_told_and_can_be_sent_again(
    scene: Scene, trouble: Refused | Cut
) -> None:
    before = scene.house.traces()
    scene.discord.cdn.trouble = trouble
    try:
        told = await refusal(await scene.alice.slash("clone", name="Aki", sample=uploads.recording()))
    finally:
        scene.discord.cdn.trouble = None

    assert told == "I could not fetch that file from Discord: attach it again."
    assert scene.house.traces() == before
    again = await (await scene.alice.slash("clone", name="Aki", sample=uploads.recording())).settled()
    assert again.buttons


async def test_a_voice_and_a_clip_at_once_are_refused(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    told = await refusal(
        await scene.alice.slash("say", text="Hello.", voice="Aki", sample=uploads.recording(), where="file")
    )

    assert told == "Choose a voice or attach a sample, not both."
