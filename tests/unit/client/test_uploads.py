"""Files that members attach."""

import pytest

from playground.discord import Cut, Discord, Member, Refused, Slow, Upload

pytestmark = pytest.mark.usefixtures("bot")


async def test_a_file_is_read_whole(alice: Member) -> None:
    answer = await alice.slash("read", file=Upload("clip.wav", b"x" * 1000))

    assert (await answer.settled()).content == "1000 bytes"


async def test_a_file_that_comes_slowly_is_read_whole(house: Discord, alice: Member) -> None:
    house.cdn.trouble = Slow(piece=300, pause=0.01)

    answer = await alice.slash("read", file=Upload("clip.wav", b"x" * 1000))

    assert (await answer.settled()).content == "1000 bytes"


@pytest.mark.parametrize(
    ("size", "most", "words"),
    [
        (1_000_001, 1_000_000, "That file has 1.1 MB and I take 1 MB: cut it, or send it as mp3 or ogg."),
        (3_000_000, 2_500_000, "That file has 3 MB and I take 2.5 MB: cut it, or send it as mp3 or ogg."),
    ],
)
async def test_a_file_that_is_too_large_is_refused_before_it_is_fetched(
    house: Discord, alice: Member, size: int, most: int, words: str
) -> None:
    answer = await alice.slash("read", file=Upload("clip.wav", b"x" * size), most=most)

    assert (await answer.settled()).content == words
    assert house.cdn.downloads == 0


@pytest.mark.parametrize("trouble", [Refused(403), Refused(404), Refused(500), Cut(after=100)])
async def test_a_file_that_cannot_be_fetched_is_asked_for_again(
    house: Discord, alice: Member, trouble: Refused | Cut
) -> None:
    house.cdn.trouble = trouble

    answer = await alice.slash("read", file=Upload("clip.wav", b"x" * 1000))

    assert (await answer.settled()).content == "I could not fetch that file from Discord: attach it again."
