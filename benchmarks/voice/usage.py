"""What a process and the processes it started have used: processor time, memory, threads (Linux)."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.machine import children, processor_seconds, proportional_mb, resident_mb, threads


@dataclass(frozen=True, slots=True)
class Usage:
    """This process and its children at one moment."""

    at: float
    """Seconds of the real-time clock, which is the one that the kernel stamps packets with."""
    processor: float
    """Seconds of processor time, user and system."""
    memory_kb: float
    """Resident memory; a child's counts what it shares with other processes in part, so that it is counted once."""
    threads: int
    processes: int


def look(*, memory: bool = True) -> Usage:
    """Look at this process; memory takes some milliseconds for each child."""
    own, started = os.getpid(), children(os.getpid())
    used = processor_seconds(own) + sum(_or_nothing(processor_seconds, pid) for pid in started)
    at = time.time()
    held = resident_mb(own) + sum(_or_nothing(proportional_mb, pid) for pid in started) if memory else 0.0
    return Usage(at, used, held * 1000, threads(own), 1 + len(started))


def _or_nothing(read: Callable[[int], float], pid: int) -> float:
    """Read a child that may end meanwhile."""
    try:
        return read(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
