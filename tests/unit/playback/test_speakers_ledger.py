"""What is written down of lines, what is told where they were announced, and how the end of the process finds them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.errors import PlaybackError
from bot.models import SavedLine
from bot.playback import Speakers
from bot.playback.ledger import NoLedger
from tests.unit.playback.aviary import ALICE, BOT, GUILD, LOUNGE, Aviary, Script, sentences
from tests.unit.playback.conftest import LIMITS
from tests.unit.store.examples import make_line

GOES_ON = "I am being restarted: your line goes on when I am back."
PATIENT = replace(LIMITS, finish_seconds=20.0)


class Book(NoLedger):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.notes: list[tuple[object, ...]] = []

    def keep(self, line: SavedLine) -> None:
        self.notes.append(("keep", line.id, line.panel_channel_id, line.panel_message_id))

    def reach(self, line_id: str, sentence: int) -> None:
        self.notes.append(("reach", line_id, sentence))

    def drop(self, line_id: str) -> None:
        self.notes.append(("drop", line_id))


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
async def speakers(aviary: Aviary, book: Book) -> AsyncIterator[Speakers]:
    async with Speakers(PATIENT, connect=aviary.connect, ledger=book) as speakers:
        aviary.listeners.append(speakers.notice)
        yield speakers


async def test_a_line_is_written_down_with_each_sentence_that_was_said_and_struck_out_at_its_end(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved = make_line()

    await speakers.enqueue(sentences(aviary.channel(LOUNGE), 3, 3, saved=saved)).done

    assert book.notes == [
        ("keep", saved.id, None, None),
        ("reach", saved.id, 1),
        ("reach", saved.id, 2),
        ("drop", saved.id),
    ]


async def test_a_line_that_is_stopped_before_its_turn_is_struck_out_and_made_no_further(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved, waiting = make_line(), Script()
    waiting.hold_at = 5
    speakers.enqueue(Script(100).line(aviary.channel(LOUNGE)))
    speakers.enqueue(replace(waiting.line(aviary.channel(LOUNGE)), saved=saved))
    await waiting.opened.wait()

    speakers.stop(GUILD, asker_id=ALICE, may_mute=False)

    assert book.notes == [("keep", saved.id, None, None), ("drop", saved.id)]
    assert speakers.queue(GUILD) == ()
    await speakers.close()
    assert waiting.closed.is_set()


async def test_at_the_end_of_the_process_a_sentence_is_said_to_its_end_and_the_rest_stays_written_down(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved = [make_line(), make_line()]
    tickets = [speakers.enqueue(sentences(aviary.channel(LOUNGE), 30, 200, saved=each)) for each in saved]
    await aviary.hears(3)

    await speakers.close()

    for ticket in tickets:
        with pytest.raises(PlaybackError) as told:
            await ticket.done
        assert str(told.value) == GOES_ON
    assert [packet for _, packet in aviary.heard] == [bytes([0x78, 0, number]) for number in range(30)]
    assert ("reach", saved[0].id, 1) in book.notes
    assert "drop" not in [note[0] for note in book.notes]


async def test_a_line_that_was_in_its_last_sentence_at_the_end_of_the_process_is_said_and_struck_out(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved = make_line()
    ticket = speakers.enqueue(sentences(aviary.channel(LOUNGE), 5, 30, saved=saved))
    await aviary.hears(8)

    await speakers.close()

    assert (await ticket.done).packets == 35
    assert book.notes[-1] == ("drop", saved.id)


async def test_a_line_that_somebody_stops_while_the_process_ends_does_not_come_back(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved = make_line()
    ticket = speakers.enqueue(sentences(aviary.channel(LOUNGE), 200, 30, saved=saved))
    await aviary.hears(3)
    closing = asyncio.create_task(speakers.close())
    await aviary.hears(5)

    assert speakers.stop(GUILD, asker_id=ALICE, may_mute=False) == 1

    await closing
    assert (await ticket.done).stopped
    assert book.notes == [("keep", saved.id, None, None), ("drop", saved.id)]


async def test_the_end_of_the_process_waits_for_no_line_that_is_held(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved = make_line()
    ticket = speakers.enqueue(sentences(aviary.channel(LOUNGE), 200, saved=saved))
    await aviary.hears(3)
    speakers.pause(GUILD, paused=True, asker_id=ALICE, may_mute=False)

    async with asyncio.timeout(PATIENT.finish_seconds / 2):
        await speakers.close()

    with pytest.raises(PlaybackError, match=GOES_ON):
        await ticket.done
    assert book.notes == [("keep", saved.id, None, None)]


async def test_where_a_line_was_announced_is_written_down_and_told_that_it_goes_on_after_a_loss(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved, told = make_line(), []

    async def tell(sentence: str) -> None:
        told.append(sentence)

    line = sentences(aviary.channel(LOUNGE), 50, saved=saved)
    ticket = speakers.enqueue(line)
    speakers.announced(line, panel=(7, 8), tell=tell)
    assert book.notes[-1] == ("keep", saved.id, 7, 8)
    await aviary.hears(3)
    news = ticket.news()

    aviary.move(BOT, None)
    await anext(news)
    speakers.join(aviary.channel(LOUNGE))
    await ticket.done

    back = "I lost the connection to #Lounge for a moment and go on with the sentence."
    assert told == [back]
    assert [sentence async for sentence in news] == [back]


async def test_a_line_that_is_over_takes_no_note_of_where_it_was_announced(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved, told = make_line(), []

    async def tell(sentence: str) -> None:
        told.append(sentence)

    line = sentences(aviary.channel(LOUNGE), 3, saved=saved)
    await speakers.enqueue(line).done

    speakers.announced(line, panel=(7, 8), tell=tell)

    assert book.notes[-1] == ("drop", saved.id)


async def test_who_wants_to_know_is_told_that_the_channel_was_left_and_not_at_the_end_of_the_process(
    aviary: Aviary, speakers: Speakers
) -> None:
    left: list[int] = []

    async def note(guild_id: int) -> None:
        left.append(guild_id)

    speakers.on_left(note)
    await speakers.enqueue(Script().line(aviary.channel(LOUNGE))).done
    await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)
    await speakers.enqueue(Script().line(aviary.channel(LOUNGE))).done
    assert left == [GUILD]

    await speakers.close()

    assert left == [GUILD]


async def test_who_was_thrown_out_does_not_come_back_by_a_restart(
    aviary: Aviary, speakers: Speakers, book: Book
) -> None:
    saved = make_line()
    ticket = speakers.enqueue(sentences(aviary.channel(LOUNGE), 500, saved=saved))
    await aviary.hears(5)
    aviary.move(BOT, None)
    assert "/join brings me back" in await anext(ticket.news())

    await speakers.close()

    with pytest.raises(PlaybackError, match="disconnected from #Lounge and not invited back: ask again"):
        await ticket.done
    assert book.notes[-1] == ("drop", saved.id)
