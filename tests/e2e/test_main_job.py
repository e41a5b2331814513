"""The main job from outside: clone a recording, hear the voice as a file and in a channel."""

import pytest

from playground.discord import Upload
from tests.e2e import uploads
from tests.e2e.ears import Recogniser, ends, loudness, match, pitch, read_file, sentence, words
from tests.e2e.stage import Cast, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a(scene: Scene, low: Cast, recogniser: Recogniser) -> None:
    await scene.house.give(scene.alice, low, "Aki")
    line = sentence(0)
    said = await (await scene.alice.slash("say", text=line, where="file")).settled()
    (file,) = await said.followed()
    track = read_file(next(iter(file.files.values())))
    assert recogniser.hear(track.sound) == words(line)
    await scene.joined(scene.bob, scene.alice)
    await scene.spoken(await scene.alice.slash("say", text=line))
    heard = scene.bob.heard(scene.lounge)
    assert recogniser.hear(heard.pcm) == words(line)
    print(heard.pcm.size / 48000, track.seconds, ends(heard.pcm), ends(track.sound), match(heard.pcm, track.sound), loudness(track.sound), loudness(heard.pcm), pitch(heard.pcm))
    print(heard)
