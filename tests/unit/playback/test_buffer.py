import asyncio
import threading

import pytest

from bot.playback.buffer import DOUBTFUL, LEAST_HEAD, MOST_HEAD, PAUSE, SILENCE, Head, LineBuffer

PACKETS = [bytes([0x78, index]) for index in range(40)]


async def put(buffer: LineBuffer, *packets: bytes, whole: bool = True) -> None:
    sentence = buffer.begin()
    for packet in packets:
        await buffer.put(sentence, packet)
    if whole:
        buffer.complete(sentence)


async def test_packets_come_out_as_they_went_in_and_then_the_end() -> None:
    buffer = LineBuffer(head=1)
    await put(buffer, *PACKETS)
    buffer.end()
    assert [buffer.take() for _ in range(41)] == [*PACKETS, b""]
    assert buffer.taken == 40


async def test_nothing_is_handed_out_before_enough_is_there() -> None:
    buffer = LineBuffer(head=3)
    sentence = buffer.begin()
    await buffer.put(sentence, PACKETS[0])
    await buffer.put(sentence, PACKETS[1])
    assert buffer.take() is None
    await buffer.put(sentence, PACKETS[2])
    assert buffer.take() == PACKETS[0]


async def test_after_a_gap_enough_is_gathered_again() -> None:
    buffer = LineBuffer(head=2)
    sentence = buffer.begin()
    await buffer.put(sentence, PACKETS[0])
    await buffer.put(sentence, PACKETS[1])
    taken = [buffer.take() for _ in range(3)]
    await buffer.put(sentence, PACKETS[2])
    assert [*taken, buffer.take()] == [PACKETS[0], PACKETS[1], None, None]
    buffer.end()
    assert buffer.take() == PACKETS[2]


async def test_whoever_waits_is_told_when_there_is_enough_and_again_after_a_gap() -> None:
    told: list[int] = []
    buffer = LineBuffer(head=2, primed=lambda: told.append(buffer.taken))
    sentence = buffer.begin()
    await buffer.put(sentence, PACKETS[0])
    assert told == []
    await buffer.put(sentence, PACKETS[1])
    await buffer.primed()
    assert told == [0]
    assert [buffer.take() for _ in range(3)] == [*PACKETS[:2], None]
    await buffer.put(sentence, PACKETS[2])
    await buffer.put(sentence, PACKETS[3])
    assert told == [0, 2]


async def test_a_short_sentence_is_played_without_waiting_for_the_next() -> None:
    buffer = LineBuffer(head=8)
    await put(buffer, PACKETS[0])
    await buffer.primed()
    assert buffer.take() == PACKETS[0]


async def test_an_empty_packet_is_not_the_end() -> None:
    buffer = LineBuffer(head=1)
    sentence = buffer.begin()
    await buffer.put(sentence, b"")
    await buffer.put(sentence, PACKETS[0])
    assert buffer.take() == PACKETS[0]


async def test_sentences_follow_each_other_and_are_told_when_they_were_said() -> None:
    said: list[int] = []
    buffer = LineBuffer(start=2, head=1, reached=said.append)
    await put(buffer, *PACKETS[:2])
    await put(buffer, *PACKETS[2:4])
    buffer.end()
    assert [buffer.take() for _ in range(5 + PAUSE)] == [*PACKETS[:2], *[SILENCE] * PAUSE, *PACKETS[2:4], b""]
    assert buffer.taken == 4
    await asyncio.sleep(0)
    assert said == [3, 4]
    assert buffer.number == 4


async def test_the_present_sentence_can_be_said_again_and_no_other() -> None:
    buffer = LineBuffer(head=1)
    await put(buffer, *PACKETS[:2])
    long = PACKETS[2:] * 2
    await put(buffer, *long)
    buffer.end()
    for _ in range(2 + DOUBTFUL):
        buffer.take()
    buffer.rewind()
    assert buffer.taken == 2
    assert [buffer.take() for _ in range(len(long) + 1)] == [*long, b""]
    assert buffer.taken == 2 + len(long)


async def test_a_sentence_whose_end_may_not_have_been_heard_is_said_again_with_the_one_after_it() -> None:
    said: list[int] = []
    buffer = LineBuffer(head=1, reached=said.append)
    await put(buffer, *PACKETS[:2])
    await put(buffer, *PACKETS[2:5])
    buffer.end()
    first = [buffer.take() for _ in range(2 + PAUSE)]
    buffer.rewind()
    assert (buffer.taken, buffer.number) == (0, 0)
    whole = [*PACKETS[:2], *[SILENCE] * PAUSE, *PACKETS[2:5], b""]
    again = [buffer.take() for _ in range(len(whole))]
    assert [*first, *again] == [*PACKETS[:2], *[SILENCE] * PAUSE, *whole]
    assert buffer.taken == 5
    await asyncio.sleep(0)
    assert said == [1, 1, 2]


async def test_a_line_whose_end_may_not_have_been_heard_says_its_last_sentence_again() -> None:
    buffer = LineBuffer(head=1)
    await put(buffer, *PACKETS[:2])
    buffer.end()
    first = [buffer.take() for _ in range(DOUBTFUL)]
    buffer.rewind()
    again = [buffer.take() for _ in range(3)]
    buffer.rewind()
    for _ in range(2 + DOUBTFUL):
        buffer.take()
    buffer.rewind()
    assert first == [*PACKETS[:2], *[b""] * (DOUBTFUL - 2)]
    assert again == [*PACKETS[:2], b""]
    assert buffer.take() == b""


async def test_every_sentence_that_is_not_known_to_have_been_heard_can_be_said_again() -> None:
    buffer = LineBuffer(head=1)
    parts = PACKETS[:2], PACKETS[2:4], PACKETS[4:40]
    for part in parts:
        await put(buffer, *part)
    buffer.end()
    for _ in range(2 + PAUSE + 1):
        buffer.take()
    heard = buffer.trust()
    for _ in range(1 + PAUSE + 35):
        buffer.take()

    buffer.recall()

    assert heard == 1
    assert buffer.doubts is False
    assert (buffer.taken, buffer.number) == (2, 1)
    whole = [*parts[1], *[SILENCE] * PAUSE, *parts[2], b""]
    assert [buffer.take() for _ in range(len(whole))] == whole
    assert (buffer.taken, buffer.number, buffer.doubts) == (40, 3, True)


async def test_a_sentence_that_was_heard_is_doubted_no_more_once_its_end_is_a_while_ago() -> None:
    buffer = LineBuffer(head=1)
    await put(buffer, *PACKETS[:2])
    buffer.end()
    for _ in range(3):
        buffer.take()
    heard, at_once = buffer.trust(), buffer.doubts
    for _ in range(DOUBTFUL):
        buffer.take()

    assert (heard, at_once, buffer.doubts) == (1, True, False)
    buffer.recall()
    assert buffer.take() == b""


async def test_a_line_ended_after_its_sentence_hands_out_no_other() -> None:
    buffer = LineBuffer(head=1)
    await put(buffer, *PACKETS[:2])
    await put(buffer, *PACKETS[2:4])
    assert buffer.take() == PACKETS[0]
    buffer.stop_after_sentence()
    assert [buffer.take() for _ in range(2)] == [PACKETS[1], b""]
    assert buffer.number == 1


async def test_a_line_ended_between_sentences_begins_no_other() -> None:
    buffer = LineBuffer(head=1)
    sentence = buffer.begin()
    buffer.stop_after_sentence()
    await buffer.put(sentence, PACKETS[0])
    assert buffer.take() == b""
    assert buffer.number == 0


async def test_whoever_waits_between_sentences_is_told_that_no_other_comes() -> None:
    told: list[int] = []
    buffer = LineBuffer(head=2, primed=lambda: told.append(buffer.taken))
    buffer.begin()

    buffer.stop_after_sentence()

    await buffer.primed()
    assert told == [0]
    assert buffer.take() == b""


async def test_a_sentence_that_broke_off_is_played_as_far_as_it_came() -> None:
    buffer = LineBuffer(head=8)
    await put(buffer, *PACKETS[:3], whole=False)
    assert buffer.take() is None
    buffer.end()
    assert [buffer.take() for _ in range(4)] == [*PACKETS[:3], b""]


async def test_a_full_buffer_holds_its_maker_until_half_is_taken() -> None:
    buffer = LineBuffer(capacity=4, head=1)
    sentence = buffer.begin()
    for packet in PACKETS[:4]:
        await buffer.put(sentence, packet)
    fifth = asyncio.create_task(buffer.put(sentence, PACKETS[4]))
    await asyncio.sleep(0)
    assert buffer.ahead == 4
    assert not fifth.done()
    thread = threading.Thread(target=lambda: [buffer.take() for _ in range(2)])
    thread.start()
    await fifth
    thread.join()
    assert [buffer.take() for _ in range(4)] == [PACKETS[2], PACKETS[3], PACKETS[4], None]


async def test_many_packets_pass_through_a_small_buffer_to_another_thread() -> None:
    buffer = LineBuffer(capacity=5, head=2)
    many = [bytes([0x78, index % 256, index // 256]) for index in range(2000)]
    taken: list[bytes] = []

    def take_all() -> None:
        while (packet := buffer.take()) != b"":
            if packet not in {None, SILENCE}:
                taken.append(packet)

    thread = threading.Thread(target=take_all)
    thread.start()
    for start in range(0, 2000, 100):
        await put(buffer, *many[start : start + 100])
    buffer.end()
    await asyncio.to_thread(thread.join)
    assert taken == many


@pytest.mark.parametrize(
    ("underruns", "packets"),
    [((), LEAST_HEAD), ((1,), 16), ((1, 1, 5), MOST_HEAD), ((1, 0), 14), ((1, 0, 0, 0, 0, 0), LEAST_HEAD)],
)
def test_more_is_gathered_where_makers_lagged_and_less_again_where_they_do_not(
    underruns: tuple[int, ...], packets: int
) -> None:
    head = Head()
    for count in underruns:
        head.learn(count)
    assert head.packets == packets


async def test_packets_that_follow_in_a_sentence_are_taken_together() -> None:
    buffer = LineBuffer(head=1)
    await put(buffer, *PACKETS[:5], whole=False)
    await put(buffer, *PACKETS[5:7])
    buffer.end()

    assert buffer.take_on(3) == ()
    assert [buffer.take(), *buffer.take_on(3)] == list(PACKETS[:4])
    assert [buffer.take(), *buffer.take_on(3)] == [PACKETS[4]]
    assert (buffer.taken, buffer.number) == (5, 0)


async def test_nothing_follows_where_the_maker_lags_or_between_two_sentences() -> None:
    buffer = LineBuffer(head=1)
    await put(buffer, *PACKETS[:2], whole=True)
    await put(buffer, *PACKETS[2:4], whole=False)
    taken = [[buffer.take(), *buffer.take_on(7)] for _ in range(1 + PAUSE + 2)]

    assert taken == [list(PACKETS[:2]), *[[SILENCE]] * PAUSE, list(PACKETS[2:4]), [None]]


async def test_who_waits_for_packets_to_be_taken_is_told_also_where_they_are_taken_together() -> None:
    buffer = LineBuffer(head=1)
    await put(buffer, *[b"x"] * 60, whole=False)
    drained = asyncio.create_task(buffer.drained(20))

    while (packet := buffer.take()) is not None:
        assert packet == b"x"
        buffer.take_on(7)

    async with asyncio.timeout(1):
        await drained


async def test_packets_that_come_together_and_find_no_room_are_all_handed_out_in_order() -> None:
    buffer = LineBuffer(capacity=4, head=1)
    sentence = buffer.begin()
    putting = asyncio.create_task(buffer.put(sentence, *PACKETS[:10]))
    taken: list[bytes] = []

    async with asyncio.timeout(2):
        while len(taken) < 10:
            packet = buffer.take()
            assert buffer.ahead <= 4
            if packet:
                taken.append(packet)
            await asyncio.sleep(0)
        await putting

    assert taken == PACKETS[:10]
