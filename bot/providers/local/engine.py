"""The bot's side of a worker process: starts it when it is needed, asks, listens, and ends it.

A worker that dies or falls silent costs the requests under way an error that says so; the next request starts a new
one. Does not know what is asked.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from bot.errors import ProviderError
from bot.providers.local.wire import Frame, WireError, receive_frame

log = logging.getLogger(__name__)

_SLICE = 256 * 1024
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_KEPT = frozenset({"PATH", "HOME", "LANG", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT"})
_KEPT_PREFIXES = ("LC_", "PYTHON")
_ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 60.0
FAREWELL_SECONDS = 3.0


def _stopped() -> ProviderError:
    return ProviderError("The voice engine stopped while it worked. Please try again.", kind="server")


def _environment() -> dict[str, str]:
    """Give a worker what Python and its libraries need, and none of the bot's secrets."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    return {**kept, **_ONE_THREAD}


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


class Engine:
    """Owns one worker process and the requests it works on."""

    def __init__(
        self,
        *,
        nice: int = 0,
        patience: float = PATIENCE_SECONDS,
        farewell: float = FAREWELL_SECONDS,
        command: tuple[str, ...] | None = None,
    ) -> None:
        self._command = command or (sys.executable, "-m", "bot.providers.local", str(nice))
        self._patience = patience
        self._farewell = farewell
        self._starting = asyncio.Lock()
        self._sending = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Queue[Frame | None]] = {}
        self._numbers = itertools.count(1)
        self._heard_at = 0.0
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the worker, while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @contextlib.asynccontextmanager
    async def ask(self, frame: Frame) -> AsyncIterator[AsyncIterator[Frame]]:
        """Send a request and give what comes back, without the frames that only say "busy".

        Its number is set here. Leaving early stops the work. Raises `ProviderError` where the worker dies, hangs or
        refuses.
        """
        process = await self._start()
        number = next(self._numbers)
        replies: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._waiting[number] = replies
        try:
            await self._send(
                process,
                Frame(request=number, verb=frame.verb, text=frame.text, language=frame.language, body=frame.body),
            )
            yield self._answers(process, replies)
        finally:
            if self._waiting.pop(number, None) is not None and process.returncode is None:
                with contextlib.suppress(ProviderError):
                    await self._send(process, Frame(request=number, verb="stop"))

    async def close(self) -> None:
        """End the worker: ask first, then make it. No other is started afterwards."""
        self._closed = True
        async with self._starting:
            process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                async with asyncio.timeout(self._farewell):
                    await process.wait()
            except TimeoutError:
                _kill(process)
                await process.wait()
        if self._listening is not None:
            await asyncio.wait((self._listening,))

    async def _start(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._closed:
                raise ProviderError("The voice engine is shutting down: try again in a minute.", kind="server")
            if self._process is not None and self._process.returncode is None:
                return self._process
            if self._listening is not None:
                # waited for and not awaited: a caller who is cancelled here must not cancel it
                await asyncio.wait((self._listening,))
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    env=_environment(),
                    cwd=_ROOT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ProviderError(
                    "The voice engine does not start. Please tell whoever runs this bot.", kind="server"
                ) from error
            log.info("worker %d started", process.pid)
            self._process = process
            self._listening = asyncio.create_task(self._listen(process))
            return process

    async def _send(self, process: asyncio.subprocess.Process, frame: Frame) -> None:
        """Send a frame whole, even where the caller is cancelled: half a frame would swallow all that follow."""
        writing = asyncio.create_task(self._write(process, frame))
        await asyncio.wait((writing,), timeout=self._patience)
        if not writing.done() or not writing.result():
            await self._drop(process)
            raise _stopped()

    async def _write(self, process: asyncio.subprocess.Process, frame: Frame) -> bool:
        """Write a frame; False where the worker takes no more."""
        pipe = process.stdin
        if pipe is None:
            return False
        async with self._sending:
            try:
                for part in frame.pack():
                    for start in range(0, len(part), _SLICE):
                        pipe.write(part[start : start + _SLICE])
                        await pipe.drain()
            except (ConnectionError, RuntimeError) as error:
                log.info("worker %d takes no more: %r", process.pid, error)
                return False
        return True

    async def _drop(self, process: asyncio.subprocess.Process) -> None:
        """End a worker that is of no more use, and see it gone, so that the next request starts another."""
        if self._process is process:
            self._process = None
        _kill(process)
        await process.wait()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Hand each frame to who waits for it, until the worker is gone."""
        pipe = process.stdout
        try:
            while pipe is not None and (frame := await receive_frame(pipe)) is not None:
                self._heard_at = asyncio.get_running_loop().time()
                if (replies := self._waiting.get(frame.request)) is not None:
                    replies.put_nowait(frame)
        except WireError:
            log.exception("worker %d sent what is not a frame", process.pid)
            _kill(process)
        log.info("worker %d ended with %d", process.pid, await process.wait())
        for replies in self._waiting.values():
            replies.put_nowait(None)

    async def _answers(
        self, process: asyncio.subprocess.Process, replies: asyncio.Queue[Frame | None]
    ) -> AsyncIterator[Frame]:
        while True:
            frame = await self._wait(process, replies)
            if frame is None:
                raise _stopped()
            match frame.verb:
                case "busy":
                    continue
                case "refused":
                    raise ProviderError(frame.text, kind="invalid")
                case "failed":
                    raise ProviderError("The voice engine failed at this one. Please try again.", kind="server")
                case "done":
                    return
                case _:
                    yield frame

    async def _wait(self, process: asyncio.subprocess.Process, replies: asyncio.Queue[Frame | None]) -> Frame | None:
        """Wait for the next reply; a worker that says nothing to anybody for too long is ended."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        while True:
            silent = loop.time() - max(asked_at, self._heard_at)
            try:
                async with asyncio.timeout(self._patience - silent):
                    return await replies.get()
            except TimeoutError:
                if loop.time() - max(asked_at, self._heard_at) >= self._patience:
                    log.warning("worker %d says nothing any more and is ended", process.pid)
                    await self._drop(process)
                    return None
