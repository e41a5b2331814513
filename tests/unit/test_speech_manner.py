"""How a line is said: style, tags, speed, and whose turn it is."""

from dataclasses import replace

import pytest

from bot.errors import SpeechError
from bot.providers.markup import FISH_S1, FISH_S2, PLAIN
from bot.samples import SampleService
from bot.speech import Manner, SpeechService
from bot.store import Store
from tests.fakes import FakeProvider, SlowFake
from tests.unit.voices_house import Clone, speech_from


async def test_style_speed_and_whose_turn_it_is_reach_the_provider(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    provider.tags = FISH_S2

    await speech.render(
        speech.say(await clone(), "Hello (laugh) you", Manner(style="very tired", speed=1.5, party=7)), "ogg"
    )

    request = provider.last("synthesize")
    assert (request.text, request.speed, request.party) == ("[very tired] Hello [laugh] you", 1.5, 7)


@pytest.mark.parametrize("text", ["[happy] Hello [sigh] you", "(happy) Hello (Sigh) you"])
async def test_tags_are_written_for_the_model_that_speaks_and_dropped_where_it_knows_none(
    speech: SpeechService, provider: FakeProvider, clone: Clone, text: str
) -> None:
    voice = await clone()

    spoken = []
    for provider.tags in (FISH_S1, FISH_S2, PLAIN):
        await speech.render(speech.say(voice, text, Manner(style="whispering")), "ogg")
        spoken.append(provider.last("synthesize").text.casefold())

    assert spoken == [
        "(whispering) (happy) hello (sigh) you",
        "[whispering] [happy] hello [sigh] you",
        "hello you",
    ]


async def test_brackets_that_are_no_tags_stay(speech: SpeechService, provider: FakeProvider, clone: Clone) -> None:
    await speech.render(speech.say(await clone(), "Hello (my friend) [you]"), "ogg")

    assert provider.last("synthesize").text == "Hello (my friend) [you]"


@pytest.mark.parametrize("style", ["<|speaker:1|>", "sad] [happy", "(x)|<|"])
async def test_a_style_cannot_give_the_model_orders(
    speech: SpeechService, provider: FakeProvider, clone: Clone, style: str
) -> None:
    provider.tags = FISH_S2

    await speech.render(speech.say(await clone(), "Hello <|phoneme_start|>", Manner(style=style)), "ogg")

    written = provider.last("synthesize").text
    assert "<|" not in written
    assert written.count("[") == written.count("]") == 1


async def test_a_line_of_nothing_but_tags_is_refused_where_they_are_not_known(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    with pytest.raises(SpeechError, match="knows no such tags"):
        speech.say(await clone(), "[laugh]")
    assert provider.count("synthesize") == 0


@pytest.mark.parametrize("speed", [0.4, 2.1])
async def test_a_speed_the_provider_does_not_speak_at_is_refused(
    speech: SpeechService, clone: Clone, speed: float
) -> None:
    with pytest.raises(SpeechError, match=r"from 0\.5 to 2:"):
        speech.say(await clone(), "Hello", Manner(speed=speed))


async def test_a_speed_is_refused_where_the_provider_has_one_only(
    store: Store, elsewhere: SlowFake, samples: SampleService, clone: Clone
) -> None:
    voice = replace(await clone(), provider="slow")

    with pytest.raises(SpeechError, match="leave the speed out"):
        speech_from(elsewhere, store=store, samples=samples).say(voice, "Hello", Manner(speed=1.2))


async def test_a_style_is_known_by_the_model_of_the_voice_or_of_the_recording(
    speech: SpeechService, provider: FakeProvider, clone: Clone
) -> None:
    voice = await clone()

    assert not speech.knows_style(voice, "happy")
    provider.tags = FISH_S1
    assert speech.knows_style(voice, "Happy")
    assert not speech.knows_style(None, "like a pirate")
    assert speech.styles(voice) == FISH_S1.tags
