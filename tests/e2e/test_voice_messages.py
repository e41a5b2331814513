"""A line as a native voice message, and as a file where Discord takes none."""

import numpy as np
import pytest

from playground.discord import Answer, Seen
from tests.e2e import uploads
from tests.e2e.ears import RATE, Recogniser, Track, loudness, read_file, sentence, words
from tests.e2e.stage import PATIENCE, Cast, Scene, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

RIGHTS = ("send_voice_messages", "send_messages", "view_channel")


async def _sent(scene: Scene, text: str, **options: str) -> tuple[Answer, Seen, Seen]:
    """Have alice say something as a voice message; return the answer to her, the label and the message."""
    answer = await (await scene.alice.slash("say", text=text, where="voice message", **options)).settled(PATIENCE)
    await scene.until(lambda: len(scene.text.messages) >= 2)
    label, message = scene.text.messages
    return answer, label, message


async def _as_file(answer: Answer, why: str) -> Track:
    """Expect the line as a labelled file, its asker told why; return the sound."""
    await answer.until(lambda seen: "as a file" in seen.content, PATIENCE)
    await answer.until(lambda seen: any(each.files for each in seen.followups), PATIENCE)
    (file,) = answer.followups
    assert answer.content == f"Here is what Aki says, as a file, because {why}."
    assert answer.ephemeral
    assert not file.ephemeral
    assert not file.voice_message
    assert file.content == "AI voice: **Aki**, asked for by alice"
    ((name, data),) = file.files.items()
    assert name == "aki.ogg"
    return read_file(data)


async def test_a_voice_message_has_the_words_the_length_and_the_picture_of_what_is_heard(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    line = sentence(4)

    answer, _, message = await _sent(scene, line)

    assert answer.content == "Here is what Aki says."
    assert answer.ephemeral
    assert message.voice_message
    assert (message.author, message.content, message.ephemeral) == (scene.bot_name, "", False)
    ((_, data),) = message.files.items()
    track = read_file(data)
    assert (track.form, track.codec, track.rate) == ("ogg", "opus", RATE)
    assert recogniser.hear(track.sound) == words(line)
    assert loudness(track.sound) == pytest.approx(-16, abs=1.5)
    assert message.seconds == pytest.approx(track.seconds, abs=0.1)
    assert len(message.waveform) == pytest.approx(track.seconds * 10, abs=2)


async def test_the_picture_is_high_where_somebody_speaks_and_low_where_nobody_does(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    _, _, message = await _sent(scene, f"{sentence(4)} {sentence(5)}")

    sound = read_file(next(iter(message.files.values()))).sound
    drawn = np.frombuffer(message.waveform, dtype=np.uint8).astype(float)
    heard = np.array([np.sqrt(np.mean(np.square(part))) for part in np.array_split(sound, drawn.size)])
    assert drawn.max() > 100
    assert drawn.max() - drawn.min() > 80
    assert np.corrcoef(drawn, heard)[0, 1] > 0.8
    loud = heard > np.median(heard)
    assert drawn[loud].mean() > 1.4 * drawn[~loud].mean()


async def test_a_long_line_is_drawn_in_256_points_and_not_more(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    _, _, message = await _sent(scene, " ".join(sentence(number) for number in range(16)))

    assert message.seconds > 26
    assert len(message.waveform) == 256


async def test_everybody_sees_that_it_is_an_ai_voice_and_who_asked(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "*Aki*")

    answer, label, message = await _sent(scene, f"@everyone {scene.bob.mention} Hello.")

    assert answer.content == "Here is what \\*Aki\\* says."
    assert label.content == "AI voice: **\\*Aki\\***, asked for by alice"
    assert not label.ephemeral
    assert not label.files
    assert message.replies_to == label.id
    assert not label.pings
    assert not message.pings
    shown = "\n".join(scene.discord.transcript.lines()[-3:])
    assert "[voice message: " in shown
    assert "Hello" not in shown


async def test_a_clip_speaks_once_as_a_voice_message(scene: Scene, recogniser: Recogniser) -> None:
    before = scene.house.traces()

    answer = await scene.alice.slash(
        "say", text=sentence(5), sample=uploads.recording(whole=True), where="voice message"
    )
    await answer.settled(PATIENCE)
    await scene.until(lambda: len(scene.text.messages) >= 2)

    label, message = scene.text.messages
    assert label.content == "AI voice: **the recording**, asked for by alice"
    assert recogniser.hear(read_file(next(iter(message.files.values()))).sound) == words(sentence(5))
    assert scene.house.traces() == before


async def test_it_goes_where_it_was_asked_for_while_its_asker_sits_in_a_call(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    await scene.joined(scene.alice)

    _, _, message = await _sent(scene, "Hello.")

    assert message.voice_message
    assert scene.lounge.present == ["alice"]


CURES = {
    "send_voice_messages": "give me Send Voice Messages",
    "send_messages": "give me Send Messages and Send Voice Messages",
    "view_channel": "give me View Channel, Send Messages and Send Voice Messages",
}


@pytest.mark.parametrize("right", RIGHTS)
async def test_where_the_bot_may_not_it_is_a_file_and_the_cure_is_told(
    scene: Scene, low: Cast, recogniser: Recogniser, right: str
) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    scene.guild.deny(scene.text, right, to=scene.guild.bot)

    answer = await scene.alice.slash("say", text=sentence(4), where="voice message")

    track = await _as_file(answer, f"I may not send voice messages here: {CURES[right]}")
    assert recogniser.hear(track.sound) == words(sentence(4))
    assert len(scene.text.messages) == 1


@pytest.mark.parametrize("right", RIGHTS)
async def test_where_the_right_is_taken_away_meanwhile_it_is_a_file_too(
    scene: Scene, low: Cast, recogniser: Recogniser, right: str
) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    answer = await scene.alice.slash("say", text=sentence(4), where="voice message")
    scene.guild.deny(scene.text, right, to=scene.guild.bot)

    track = await _as_file(answer, "I may not send voice messages here: give me Send Messages and Send Voice Messages")
    assert recogniser.hear(track.sound) == words(sentence(4))
    assert [seen.voice_message for seen in scene.text.messages] == [False]


async def test_once_the_right_is_given_it_is_a_voice_message(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    scene.guild.deny(scene.text, "send_voice_messages")
    answer = await scene.alice.slash("say", text="Hello.", where="voice message")
    await answer.followed(timeout=PATIENCE)

    scene.guild.allow(scene.text, "send_voice_messages", to=scene.guild.bot)
    await scene.alice.slash("say", text="Hello.", where="voice message")
    await scene.until(lambda: len(scene.text.messages) == 3)

    assert [seen.voice_message for seen in scene.text.messages] == [False, False, True]


async def test_in_direct_messages_it_is_a_file_for_that_member_alone(
    scene: Scene, low: Cast, recogniser: Recogniser
) -> None:
    alice = scene.alice
    await scene.house.give(alice, low, "Aki")

    answer = await alice.slash("say", text=sentence(4), where="voice message", in_channel=alice.inbox)

    why = "direct messages with me take no voice messages: ask in a server for one"
    track = await _as_file(answer, why)
    assert recogniser.hear(track.sound) == words(sentence(4))
    assert [list(seen.files) for seen in alice.direct_messages] == [["aki.ogg"]]
    assert scene.text.messages == []


async def test_in_direct_messages_a_line_that_is_to_go_nowhere_is_a_file(scene: Scene, low: Cast) -> None:
    alice = scene.alice
    await scene.house.give(alice, low, "Aki")

    answer = await alice.slash("say", text="Hello.", in_channel=alice.inbox)
    await answer.followed(timeout=PATIENCE)

    assert answer.content == "Here is what Aki says."
    assert [list(seen.files) for seen in alice.direct_messages] == [["aki.ogg"]]


@pytest.mark.parametrize("where", ["voice message", "file"])
async def test_a_style_that_the_model_does_not_know_is_told_to_who_asked_alone(
    scene: Scene, low: Cast, where: str
) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    answer = await scene.alice.slash("say", text="Hello.", style="whispering", where=where)
    await scene.until(lambda: any(seen.files for seen in scene.text.messages))

    assert answer.content == "Here is what Aki says. Its model does not know that style, so it is said plainly."
    assert not any("style" in seen.content for seen in scene.text.messages)


@pytest.mark.parametrize(
    ("where", "cure"),
    [
        ("voice message", "The voice message is larger than Discord takes here: say less."),
        ("file", "The file is larger than Discord takes here: choose format ogg, or say less."),
    ],
)
async def test_what_is_too_large_is_told_and_nothing_is_posted(scene: Scene, low: Cast, where: str, cure: str) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    scene.guild.limit_files(5_000)

    told = await refusal(await scene.alice.slash("say", text=sentence(4), where=where))

    assert told == cure
    assert scene.text.messages == []


@pytest.mark.parametrize("form", ["mp3", "wav"])
async def test_a_format_is_refused_with_what_to_do(scene: Scene, low: Cast, form: str) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    told = await refusal(await scene.alice.slash("say", text="Hello.", where="voice message", format=form))

    assert told == "A voice message has no format: leave format out, or choose where: file."
    assert scene.text.messages == []


async def test_a_text_that_cannot_be_said_is_told(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")

    await refusal(await scene.alice.slash("say", text="***", where="voice message"))

    assert scene.text.messages == []


async def test_what_discord_does_not_take_is_told_and_leaves_no_label(scene: Scene, low: Cast) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    scene.discord.rest.hitches.fail(rf"POST .*/channels/{scene.text.id}/messages", status=400)

    answer = await scene.alice.slash("say", text="Hello.", where="voice message")
    await answer.until(lambda seen: "did not take" in seen.content, PATIENCE)

    assert answer.content == "Discord did not take the voice message: try again, or choose where: file."
    assert scene.text.messages == []
