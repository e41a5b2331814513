from bot.playback.buffer import PacketBuffer
from bot.playback.source import LEAD, PATIENCE, SILENCE, OpusSource


async def filled(*packets: bytes, ended: bool = True) -> PacketBuffer:
    buffer = PacketBuffer(head=1)
    for packet in packets:
        await buffer.put(packet)
    if ended:
        buffer.end()
    return buffer


async def test_silence_leads_then_the_line_then_the_end() -> None:
    source = OpusSource(await filled(b"a", b"b"), lambda: True)
    assert [source.read() for _ in range(LEAD + 3)] == [SILENCE] * LEAD + [b"a", b"b", b""]
    assert source.exhausted
    assert source.underruns == 0
    assert source.is_opus()


async def test_a_lagging_maker_is_covered_with_silence_and_counted() -> None:
    buffer = await filled(b"a", ended=False)
    source = OpusSource(buffer, lambda: True)
    heard = [source.read() for _ in range(LEAD + 3)][LEAD:]
    assert heard == [b"a", SILENCE, SILENCE]
    assert source.underruns == 2
    assert buffer.taken == 1
    assert not source.exhausted


async def test_the_line_is_held_while_nobody_could_hear_it() -> None:
    ready = False
    buffer = await filled(b"a")
    source = OpusSource(buffer, lambda: ready)
    held = [source.read() for _ in range(LEAD + 5)]
    assert held == [SILENCE] * (LEAD + 5)
    assert buffer.taken == 0
    ready = True
    assert source.read() == b"a"


async def test_a_line_held_too_long_is_given_up_unfinished() -> None:
    source = OpusSource(await filled(b"a"), lambda: False)
    frames = [source.read() for _ in range(LEAD + PATIENCE + 1)]
    assert frames[-2:] == [SILENCE, b""]
    assert not source.exhausted
