import asyncio
import threading

from bot.playback.buffer import PacketBuffer

PACKETS = [bytes([0x78, index]) for index in range(40)]


async def test_packets_come_out_as_they_went_in_and_then_the_end() -> None:
    buffer = PacketBuffer(head=1)
    for packet in PACKETS:
        await buffer.put(packet)
    buffer.end()
    assert [buffer.take() for _ in range(41)] == [*PACKETS, b""]
    assert buffer.taken == 40


async def test_nothing_is_handed_out_before_enough_is_there() -> None:
    buffer = PacketBuffer(head=3)
    await buffer.put(PACKETS[0])
    await buffer.put(PACKETS[1])
    assert buffer.take() is None
    await buffer.put(PACKETS[2])
    assert buffer.take() == PACKETS[0]


async def test_after_a_gap_enough_is_gathered_again() -> None:
    buffer = PacketBuffer(head=2)
    await buffer.put(PACKETS[0])
    await buffer.put(PACKETS[1])
    taken = [buffer.take() for _ in range(3)]
    await buffer.put(PACKETS[2])
    assert [*taken, buffer.take()] == [PACKETS[0], PACKETS[1], None, None]
    buffer.end()
    assert buffer.take() == PACKETS[2]


async def test_primed_waits_for_enough() -> None:
    buffer = PacketBuffer(head=2)
    primed = asyncio.create_task(buffer.primed())
    await buffer.put(PACKETS[0])
    await asyncio.sleep(0)
    assert not primed.done()
    await buffer.put(PACKETS[1])
    await primed


async def test_primed_is_true_of_a_short_line() -> None:
    buffer = PacketBuffer(head=2)
    await buffer.put(PACKETS[0])
    buffer.end()
    await buffer.primed()
    assert len(buffer) == 1


async def test_an_empty_packet_is_not_the_end() -> None:
    buffer = PacketBuffer(head=1)
    await buffer.put(b"")
    await buffer.put(PACKETS[0])
    assert buffer.take() == PACKETS[0]


async def test_a_full_buffer_holds_its_maker_until_half_is_taken() -> None:
    buffer = PacketBuffer(capacity=4, head=1)
    for packet in PACKETS[:4]:
        await buffer.put(packet)
    fifth = asyncio.create_task(buffer.put(PACKETS[4]))
    await asyncio.sleep(0)
    assert len(buffer) == 4
    assert not fifth.done()
    thread = threading.Thread(target=lambda: [buffer.take() for _ in range(2)])
    thread.start()
    await fifth
    thread.join()
    assert [buffer.take() for _ in range(4)] == [PACKETS[2], PACKETS[3], PACKETS[4], None]


async def test_many_packets_pass_through_a_small_buffer_to_another_thread() -> None:
    buffer = PacketBuffer(capacity=5, head=2)
    many = [bytes([0x78, index % 256, index // 256]) for index in range(2000)]
    taken: list[bytes] = []

    def take_all() -> None:
        while (packet := buffer.take()) != b"":
            if packet is not None:
                taken.append(packet)

    thread = threading.Thread(target=take_all)
    thread.start()
    for packet in many:
        await buffer.put(packet)
    buffer.end()
    await asyncio.to_thread(thread.join)
    assert taken == many
