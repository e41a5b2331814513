from bot.playback.buffer import SILENCE, LineBuffer
from bot.playback.source import END, LEAD, LULL, PATIENCE, Lead, OpusSource


async def filled(*packets: bytes, ended: bool = True) -> LineBuffer:
    buffer = LineBuffer(head=1)
    sentence = buffer.begin()
    for packet in packets:
        await buffer.put(sentence, packet)
    if ended:
        buffer.end()
    return buffer


async def test_silence_leads_then_the_line_then_the_end() -> None:
    source = OpusSource(await filled(b"a", b"b"), lambda: 1)
    frames = [source.read() for _ in range(LEAD + 2 + END)]
    assert frames == [*[SILENCE] * LEAD, b"a", b"b", *[SILENCE] * END]
    assert not source.exhausted
    assert source.read() == b""
    assert source.exhausted
    assert source.underruns == 0


async def test_a_listener_who_is_used_to_the_speaker_hears_the_line_at_once() -> None:
    source = OpusSource(await filled(b"a"), lambda: 1, lead=0)
    assert source.read() == b"a"


async def test_a_lagging_maker_is_covered_with_silence_and_counted() -> None:
    buffer = await filled(b"a", ended=False)
    source = OpusSource(buffer, lambda: 1, lead=0)
    heard = [source.read() for _ in range(3)]
    assert heard == [b"a", SILENCE, SILENCE]
    assert source.underruns == 2
    assert buffer.taken == 1
    assert not source.exhausted


async def test_a_maker_that_lags_for_long_is_not_filled_with_silence_for_ever() -> None:
    source = OpusSource(await filled(b"a", ended=False), lambda: 1, lead=0)
    assert [source.read() for _ in range(LULL + 3)] == [b"a", *[SILENCE] * LULL, None, None]
    assert not source.speaking
    assert source.underruns == LULL


async def test_nothing_is_sent_while_the_first_word_is_waited_for() -> None:
    source = OpusSource(await filled(ended=False), lambda: 1)
    assert [source.read() for _ in range(LEAD + 1)] == [SILENCE] * LEAD + [None]
    assert source.underruns == 0


async def test_a_paused_line_ends_in_silence_and_goes_on_with_its_next_word() -> None:
    source = OpusSource(await filled(b"a", b"b"), lambda: 1, lead=0)
    first = source.read()
    source.paused = True
    held = [source.read() for _ in range(LULL + 1)]
    source.paused = False
    assert [first, *held, source.read(), source.read()] == [b"a", *[SILENCE] * LULL, None, b"b", SILENCE]
    assert source.underruns == 0


async def test_a_sentence_that_nobody_could_hear_is_said_again() -> None:
    source = OpusSource(await filled(b"a", b"b", b"c"), lambda: 1, lead=0)
    cut = [source.read(), source.read()]
    source.again = True
    assert [*cut, *(source.read() for _ in range(4))] == [b"a", b"b", b"a", b"b", b"c", SILENCE]


async def test_the_line_is_held_while_nobody_could_hear_it() -> None:
    ready = False
    buffer = await filled(b"a")
    source = OpusSource(buffer, lambda: 1 if ready else None)
    held = [source.read() for _ in range(LEAD + 5)]
    assert held == [SILENCE] * (LEAD + 5)
    assert buffer.taken == 0
    ready = True
    assert source.read() == b"a"


async def test_a_line_held_too_long_is_given_up_unfinished() -> None:
    source = OpusSource(await filled(b"a"), lambda: None)
    frames = [source.read() for _ in range(LEAD + PATIENCE + 1)]
    assert frames[-2:] == [SILENCE, b""]
    assert not source.exhausted


async def test_a_sentence_cut_off_by_the_end_of_a_session_is_said_again_in_the_next() -> None:
    session = 1
    source = OpusSource(await filled(b"a", b"b", b"c"), lambda: session, lead=0)
    cut = [source.read(), source.read()]
    session = 2
    assert [*cut, *(source.read() for _ in range(4))] == [b"a", b"b", b"a", b"b", b"c", SILENCE]


async def test_a_sentence_whose_session_ended_with_it_is_said_again_in_the_next() -> None:
    session: int | None = 1
    source = OpusSource(await filled(b"a", b"b"), lambda: session, lead=0)
    first = [source.read() for _ in range(2 + 5)]
    session = None
    held = [source.read() for _ in range(3)]
    session = 2
    again = [source.read() for _ in range(2 + END + 1)]

    assert first == [b"a", b"b", *[SILENCE] * 5]
    assert held == [SILENCE] * 3
    assert again == [b"a", b"b", *[SILENCE] * END, b""]
    assert source.exhausted


async def test_a_line_held_again_and_again_but_never_for_long_is_said_to_its_end() -> None:
    ready = True
    source = OpusSource(await filled(b"a", b"b", b"c"), lambda: 1 if ready else None, lead=0)
    said = [source.read()]
    for _ in range(2):
        ready = False
        assert [source.read() for _ in range(PATIENCE)] == [SILENCE] * PATIENCE
        ready = True
        said.append(source.read())

    assert [*said, source.read()] == [b"a", b"b", b"c", SILENCE]


def test_the_silence_that_leads_lasts_200_ms() -> None:
    lead = Lead()

    assert [lead.read() for _ in range(11)] == [SILENCE] * 10 + [b""]


async def test_packets_that_follow_are_handed_out_after_a_word_and_never_after_silence() -> None:
    session: int | None = 1
    source = OpusSource(await filled(b"a", b"b", b"c", b"d", b"e"), lambda: session, lead=1)

    led = [source.read(), *source.read_on(1)]
    first = [source.read(), *source.read_on(1)]
    source.paused = True
    paused = [source.read(), *source.read_on(1)]
    source.paused, session = False, None
    held = [source.read(), *source.read_on(1)]
    session = 1
    again = [source.read(), *source.read_on(1)]

    assert (led, paused, held) == ([SILENCE], [SILENCE], [SILENCE])
    assert (first, again) == ([b"a", b"b"], [b"c", b"d"])
