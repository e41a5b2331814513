import asyncio
import contextlib
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
GOES_DEAF = """
import os, sys, time
from bot.providers.local.wire import *
frame = read_frame(sys.stdin.buffer)
os.close(0)
write_frame(sys.stdout.buffer, Frame(request=frame.request, verb="sound"))
if frame.verb == "speak":
    time.sleep(600)
write_frame(sys.stdout.buffer, Frame(request=frame.request, verb="done"))
"""


def scripted(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def kill_unnoticed(pid: int) -> None:
    """Return when the process is dead, with no chance for the event loop to hear of it."""
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


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


async def test_worker_found_dead_costs_one_request_and_is_replaced() -> None:
    engine = Engine(command=scripted(ECHO))
    await ask(engine)
    first = engine.pid
    assert first is not None
    kill_unnoticed(first)

    with pytest.raises(ProviderError):
        await ask(engine)
    handed_out = engine.pid
    answer = await ask(engine)
    await engine.close()

    assert handed_out is None
    assert answer


async def test_worker_that_listens_no_more_is_replaced() -> None:
    engine = Engine(command=scripted(GOES_DEAF))
    async with engine.ask(SPEAK) as replies:
        await anext(replies)
        first = engine.pid

    answer = await ask(engine, Frame(request=0, verb="check"))
    second = engine.pid
    await engine.close()

    assert answer
    assert first != second


async def test_request_that_is_left_half_sent_does_not_spoil_the_next() -> None:
    engine = Engine(command=scripted(ECHO), patience=20)
    await ask(engine)
    worker = engine.pid
    assert worker is not None
    os.kill(worker, signal.SIGSTOP)
    leaving = asyncio.create_task(ask(engine, Frame(request=0, verb="clone", body=bytes(8_000_000))))
    for _ in range(10):
        await asyncio.sleep(0)

    leaving.cancel()
    await asyncio.sleep(0)
    os.kill(worker, signal.SIGCONT)
    await asyncio.wait((leaving,))
    answer = await ask(engine)
    after = engine.pid
    await engine.close()

    assert leaving.cancelled()
    assert answer
    assert after == worker


async def test_worker_that_takes_nothing_in_is_ended_after_the_deadline() -> None:
    engine = Engine(command=scripted("import time; time.sleep(600)"), patience=0.3)

    with pytest.raises(ProviderError, match="try again"):
        await ask(engine, Frame(request=0, verb="clone", body=bytes(8_000_000)))

    assert engine.pid is None
    await engine.close()


async def test_worker_that_hangs_is_ended_after_the_deadline() -> None:
    engine = Engine(command=scripted("import time; time.sleep(600)"), patience=0.3)

    async with engine.ask(SPEAK) as replies:
        worker = engine.pid
        assert worker is not None
        with pytest.raises(ProviderError, match="try again"):
            await anext(replies)
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)

    assert engine.pid is None
    await engine.close()


async def test_closed_engine_starts_no_worker() -> None:
    engine = Engine(command=scripted(ECHO))
    await engine.close()

    with pytest.raises(ProviderError, match="shutting down") as caught:
        await ask(engine)

    assert caught.value.kind == "server"
    assert engine.pid is None


async def test_worker_that_starts_while_the_engine_closes_is_ended_too() -> None:
    engine = Engine(command=scripted(ECHO))
    asking = asyncio.create_task(ask(engine))
    await asyncio.sleep(0)

    await engine.close()

    assert engine.pid is None
    await asyncio.wait((asking,))
    assert engine.pid is None
    assert asking.exception() is None or isinstance(asking.exception(), ProviderError)


async def test_worker_is_told_none_of_the_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISCORD_TOKEN", "SAMPLE_KEY", "FISH_AUDIO_API_KEY"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    tell = ECHO.replace("frame.body[:4]", "' '.join(os.environ).encode()")
    engine = Engine(command=scripted("import os" + tell))

    (answer,) = await ask(engine)
    await engine.close()

    told = set(answer.body.decode().split())
    assert {"PATH", "LC_ALL", "OMP_NUM_THREADS"} <= told
    assert not told & {"DISCORD_TOKEN", "SAMPLE_KEY", "FISH_AUDIO_API_KEY"}


async def test_fault_in_the_worker_is_a_retryable_error() -> None:
    engine = Engine(command=scripted(ECHO.replace('verb="busy"', 'verb="failed"')))

    with pytest.raises(ProviderError, match="try again") as caught:
        await ask(engine)
    await engine.close()

    assert caught.value.retryable


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
