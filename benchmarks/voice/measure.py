"""One run: so many channels, one driver, so many seconds; every figure that such a run can give.

`connected` is how many channels the driver got into, `failures` counts the attempts that failed (each channel is tried
twice); where not all were joined, it is not made to speak, and there are no other figures. The rest:

    sent, received, lost, doubled    packets of speech, from the first to the last of every channel
    gap_ms_p50, _p99, _max           between two packets of a channel, by the kernel's time of arrival, of all channels
    late                             gaps longer than 40 ms
    late_by_its_own_count            packets that the bot's pacer sent more than 5 ms after they were due
    starting_ms_per_channel          processor time until all play, with some two seconds of playing
    processor_ms_per_channel_second  user and system time of the speaking process and its children
    idle_kb_per_channel              resident memory with all channels joined, without that before the first, shared out
    kb_per_channel                   the same while all speak
    threads, processes               while all speak
    far_end_cores                    how much of this machine the listeners took
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.voice.drivers import DriverName, check_ffmpeg
from benchmarks.voice.far_end import Asked, FarEndError, open_far_end, run_subject
from benchmarks.voice.packets import analyse
from benchmarks.voice.speech import write_speech

HEARD = 4
"""Channels whose sound is decrypted and compared."""
_JOIN_SECONDS, _JOIN_SECONDS_EACH = 30.0, 0.2
_PATIENCE = 90.0
"""Seconds to begin, to end, and for all else that is not joining and speaking."""


async def measure(driver: DriverName, channels: int, seconds: float) -> dict[str, Any]:
    """Open both ends, let the driver speak, and give the figures. Raises FarEndError and MissingError."""
    if driver.startswith("ffmpeg"):
        check_ffmpeg()
    with tempfile.TemporaryDirectory(prefix="mynah-bench-") as folder:
        speech = Path(folder, "speech.ogg")
        write_speech(speech)
        asked = Asked(driver, channels, seconds, speech, _JOIN_SECONDS + _JOIN_SECONDS_EACH * channels)
        async with open_far_end(channels, sample=HEARD) as far_end:
            used, began = time.process_time(), time.monotonic()
            objects, complaints = await run_subject(far_end.discord, asked, asked.join_seconds + seconds + _PATIENCE)
            cores = (time.process_time() - used) / (time.monotonic() - began)
            if not objects:
                raise FarEndError(f"The speaking process ended without a word. {complaints}")
            joined = objects[0]
            figures: dict[str, Any] = {"benchmark": "voice", "driver": driver, "channels": channels, "seconds": seconds}
            figures |= {name: joined[name] for name in ("connected", "failures", "joining_seconds")}
            figures["idle_kb_per_channel"] = joined["idle_kb_per_channel"]
            if len(objects) > 1:
                figures["heard"] = far_end.check(speech)
                figures |= _speaking(far_end.tap.notes(), joined, objects[1], channels)
            elif joined["connected"] == channels:
                raise FarEndError(f"The speaking process did not come to an end. {complaints}")
    return {**figures, "far_end_cores": round(cores, 2), "machine": describe()}


def _speaking(notes: Any, joined: dict[str, Any], spoken: dict[str, Any], channels: int) -> dict[str, Any]:
    begin, end = spoken["begin"], spoken["end"]
    arrivals = analyse(notes, begin=begin["at"], end=end["at"])
    used = (end["processor"] - begin["processor"]) / (end["at"] - begin["at"]) / channels
    return {
        "sent": spoken["handed"],
        "received": arrivals.received,
        "lost": spoken["handed"] - arrivals.received,
        "doubled": arrivals.doubled,
        "holes": arrivals.holes,
        "gap_ms_p50": arrivals.quantile(0.5),
        "gap_ms_p99": arrivals.quantile(0.99),
        "gap_ms_max": arrivals.quantile(1.0),
        "late": arrivals.late,
        "late_by_its_own_count": spoken["late_by_its_own_count"],
        "processor_ms_per_channel_second": round(used * 1000, 3),
        "starting_ms_per_channel": round(spoken["starting_processor_seconds"] / channels * 1000, 2),
        "kb_per_channel": round((spoken["memory_kb"] - joined["before_kb"]) / channels, 1),
        "threads": end["threads"],
        "processes": end["processes"],
    }
