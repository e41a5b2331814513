"""Gates in the middle of an answer: a test holds one sentence, lets it go on or die, and leaves the others alone."""

import asyncio

import aiohttp
import pytest

from playground.services.fish import FishService
from playground.services.gate import Gate
from playground.services.service import Fault
from tests.unit.playground.services.fishing import Angler, bearer
from tests.unit.playground.services.test_fish_live import START, STOP, connected, sound, text

LINE = "Hello there, this is a line that takes a moment."
ROUTE = "POST /v1/tts"


async def test_sound_stops_at_the_very_byte_and_goes_on_when_the_gate_is_opened(
    fish: FishService, angler: Angler
) -> None:
    whole = (await angler.say(text=LINE, format="wav")).body
    gate = Gate(after=5000)
    fish.fail(ROUTE, Fault(gate=gate))
    asked = {"text": LINE, "format": "wav"}
    async with angler.session.post(angler.url + "/v1/tts", json=asked, headers=bearer("good-key")) as response:
        first = await response.content.readexactly(5000)
        await gate.reached()
        late = asyncio.create_task(response.content.readany())
        assert (await angler.say(text=LINE, format="wav")).body == whole
        assert not late.done()
        gate.open()
        rest = await late + await response.read()

    assert first + rest == whole


async def test_nothing_comes_before_a_gate_at_the_beginning_is_opened(fish: FishService, angler: Angler) -> None:
    gate = Gate()
    fish.fail(ROUTE, None, Fault(gate=gate))

    assert (await angler.say(text=LINE)).status == 200
    slow = asyncio.create_task(angler.say(text=LINE))
    await gate.reached()
    assert not slow.done()
    gate.open()

    assert (await slow).status == 200


async def test_what_was_sent_before_the_cut_arrives_and_then_the_connection_breaks(
    fish: FishService, angler: Angler
) -> None:
    gate = Gate(after=5000)
    fish.fail(ROUTE, Fault(gate=gate))
    asked = {"text": LINE, "format": "opus"}
    async with angler.session.post(angler.url + "/v1/tts", json=asked, headers=bearer("good-key")) as response:
        await response.content.readexactly(5000)
        gate.cut()
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()

    assert fish.under_way("good-key") == 0
    assert len(fish.spoken) == 1


async def test_a_gate_cut_beforehand_lets_the_answer_die_without_waiting(fish: FishService, angler: Angler) -> None:
    gate = Gate()
    gate.cut()
    fish.fail(ROUTE, Fault(gate=gate))

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await angler.say(text=LINE)


async def test_a_gate_beyond_the_sound_is_never_reached(fish: FishService, angler: Angler) -> None:
    gate = Gate(after=1 << 30)
    fish.fail(ROUTE, Fault(gate=gate))

    assert (await angler.say(text=LINE)).status == 200
    with pytest.raises(TimeoutError):
        await gate.reached(timeout=0.01)


async def test_a_gate_holds_the_sound_of_a_websocket_too(fish: FishService, angler: Angler) -> None:
    gate = Gate(after=2000)
    fish.fail("GET /v1/tts/live", Fault(gate=gate))
    async with connected(angler) as line:
        await line.send(START, text(LINE), STOP)
        await line.next()
        first = await line.next()
        await gate.reached()
        gate.open()
        events = await line.rest()

    assert len(first["audio"]) == 2000
    assert events[-1] == {"event": "finish", "reason": "stop"}
    assert sound(events)


async def test_a_websocket_dies_at_a_gate_that_is_cut(fish: FishService, angler: Angler) -> None:
    gate = Gate(after=2000)
    fish.fail("GET /v1/tts/live", Fault(gate=gate))
    async with connected(angler) as line:
        await line.send(START, text(LINE), STOP)
        await line.next()
        first = await line.next()
        gate.cut()
        last = await line.socket.receive()

    assert len(first["audio"]) == 2000
    assert last.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
