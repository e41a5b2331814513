import asyncio
import os
import signal
import sys

import pytest

from bot.errors import ProviderError
from bot.providers.local.engine import Engine
from bot.providers.local.wire import Frame

SPEAK = Frame(request=0, verb="speak", text="x")
ECHO = """
import sys
from bot.providers.local.wire import *
while (frame := read_frame(sys.stdin.buffer)) is not None:
    if frame.verb != "stop":
        write_frame(sys.stdout.buffer, Frame(request=frame.request, verb="busy"))
        write_frame(sys.stdout.buffer, Frame(request=frame.request, verb="sound", body=frame.body[:4]))
        write_frame(sys.stdout.buffer, Frame(request=frame.request, verb="done"))
"""


def scripted(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def ask(engine: Engine, frame: Frame = SPEAK) -> list[Frame]:
    async with engine.ask(frame) as replies:
        return [reply async for reply in replies]


async def test_requests_at_once_each_get_their_own_answer() -> None:
    engine = Engine(command=scripted(ECHO))
    frames = [Frame(request=0, verb="speak", body=bytes([n]) * 1_000_000) for n in range(5)]

    answers = await asyncio.gather(*(ask(engine, frame) for frame in frames))
    await engine.close()

    assert [[reply.body for reply in replies] for replies in answers] == [[bytes([n]) * 4] for n in range(5)]


async def test_worker_that_dies_costs_a_retryable_error_and_is_replaced() -> None:
    engine = Engine(command=scripted(ECHO))
    await ask(engine)
    first = engine.pid
    assert first is not None

    os.kill(first, signal.SIGSTOP)
    waiting = asyncio.create_task(ask(engine))
    await asyncio.sleep(0)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(ProviderError) as caught:
        await waiting
    answer = await ask(engine)
    second = engine.pid
    await engine.close()

    assert caught.value.kind == "server"
    assert caught.value.retryable
    assert answer
    assert second not in {None, first}


async def test_worker_that_hangs_is_ended_after_the_deadline() -> None:
    engine = Engine(command=scripted("import time; time.sleep(600)"), patience=0.3)

    with pytest.raises(ProviderError, match="try again"):
        await ask(engine)
    await engine.close()

    assert engine.pid is None


async def test_worker_that_talks_nonsense_is_ended() -> None:
    engine = Engine(command=scripted("import sys; print('hello' * 99); sys.stdout.flush(); sys.stdin.read()"))

    with pytest.raises(ProviderError, match="stopped"):
        await ask(engine)
    await engine.close()


async def test_worker_that_does_not_start_is_a_clear_error() -> None:
    engine = Engine(command=("/nowhere/python",))

    with pytest.raises(ProviderError, match="does not start"):
        await ask(engine)
    await engine.close()


async def test_refusal_is_invalid_and_says_why() -> None:
    refuse = ECHO.replace('verb="busy"', 'verb="refused", text="Too short."')
    engine = Engine(command=scripted(refuse))

    with pytest.raises(ProviderError, match=r"Too short\.") as caught:
        await ask(engine)
    await engine.close()

    assert caught.value.kind == "invalid"


async def test_worker_that_does_not_listen_is_ended_on_close() -> None:
    engine = Engine(command=scripted(ECHO + "import time; time.sleep(600)"), farewell=0.1)
    await ask(engine)

    await engine.close()

    assert engine.pid is None


async def test_real_worker_leaves_when_its_parent_hangs_up() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.providers.local", "5"), stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None

    process.stdin.close()

    assert await process.wait() == 0
