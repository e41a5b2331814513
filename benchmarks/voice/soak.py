"""Packets lost or doubled by the bot's playback, in as many lines and mishaps as a busy bot has in some hours.

    python -m benchmarks.voice.soak [--hours 24] [--channels 20]

A simulated hour is not an hour: it is what happens in one. 120 lines of three short sentences are said (1.5 s each);
4 % of them are moved to another channel by a moderator while they are said, 2 % thrown out and invited back, 4 % have
their voice websocket closed (1006, 4006, 4009, 4015); after 5 % the bot leaves, so that the next line joins anew; and
once an hour the main gateway connection is lost and resumed. All of it is done by the bot in real time, in many servers
at once. The same mishaps come in the same order each time.

A line's packets say which they are, and a listener decrypts and reads them. Prints one JSON line:

    lost       packets of lines, that no listener ever heard; of a line the asker was told is cut off, up to the cut
    doubled    packets heard twice, except those of a sentence that was said anew after a mishap: these are `repeated`
    hung       lines of which nobody was told anything within a minute; what was not heard of them is lost
    told       lines that were not said to their end, and whose asker was told so
    by_mishap  lost and doubled, by what happened during the line
"""

import argparse
import asyncio
import json
import random
from collections import Counter
from typing import Any, Literal

from benchmarks.machine import describe
from benchmarks.voice.amounts import count, length
from benchmarks.voice.limits import raise_file_limit
from benchmarks.voice.numbered import Verdict, judge, read
from benchmarks.voice.soak_stage import Server, Stage, open_stage
from playground.discord.refusal import RefusalError

Mishap = Literal["none", "move", "kick", "drop"]

_LINES_AN_HOUR = 120
_SENTENCES, _PACKETS = 3, 25
_SHARES: dict[Mishap, float] = {"move": 0.04, "kick": 0.02, "drop": 0.04}
_LEAVES = 0.05
_CODES = (1006, 4006, 4009, 4015)
_INVITED_AFTER = 0.3
_EARLIEST, _LATEST = 0.3, 1.6
"""When within a line something happens, in seconds after it was asked for."""
_PATIENCE = 60.0
_QUIET = 0.15


class Soak:
    """Owns what was counted so far."""

    def __init__(self, stage: Stage, hours: float) -> None:
        self._stage = stage
        self._chance = random.Random(4)  # noqa: S311 - the same mishaps each time
        self._left = round(hours * _LINES_AN_HOUR)
        self._said = 0
        self._cuts = 0
        self.mishaps: Counter[str] = Counter()
        self.totals: Counter[str] = Counter()
        self.by_mishap: Counter[str] = Counter()
        self.told: Counter[str] = Counter()

    async def speak(self, server: Server) -> None:
        """Say lines in one server until all have been said."""
        while self._left:
            self._left -= 1
            self._said += 1
            if self._said % _LINES_AN_HOUR == 0:
                self._cuts += 1
                self.mishaps["gateway"] += 1
                self._stage.discord.gateway.drop()
            await self._say(server, self._said, self._draw())
            if self._chance.random() < _LEAVES:
                self.mishaps["leave"] += 1
                await self._stage.order("leave", server.room)

    def _draw(self) -> Mishap:
        kinds: tuple[Mishap, ...] = ("none", *_SHARES)
        return self._chance.choices(kinds, (1 - sum(_SHARES.values()), *_SHARES.values()))[0]

    async def _say(self, server: Server, line: int, mishap: Mishap) -> None:
        cuts = self._cuts
        server.listen_anew()
        over = self._stage.expect(line)
        await self._stage.order("say", server.room, line=line, sentences=_SENTENCES, packets=_PACKETS)
        if mishap != "none":
            await asyncio.sleep(self._chance.uniform(_EARLIEST, _LATEST))
            try:
                await self._strike(server, mishap)
            except RefusalError:  # the bot was in no channel just then: nothing happened to it
                self.mishaps[f"{mishap} in vain"] += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                told = await over
        except TimeoutError:
            told = ""  # and so what was not heard is lost
            self.by_mishap[f"{mishap} hung"] += 1
            self.totals["hung"] += 1
        await asyncio.sleep(_QUIET)
        heard = [place for place in read(server.frames()) if place.line == line]
        disturbed = mishap != "none" or cuts != self._cuts
        verdict = judge(heard, sentences=_SENTENCES, packets=_PACKETS, whole=not told, disturbed=disturbed)
        self._count(verdict, mishap, told, len(heard))

    async def _strike(self, server: Server, mishap: Mishap) -> None:
        """Have something happen to the bot. Raises RefusalError where it is in no channel."""
        match mishap:
            case "move":
                server.move()
            case "kick":
                server.kick()
                await asyncio.sleep(_INVITED_AFTER)
                await self._stage.order("join", server.room)
            case _:
                self._stage.drop(server, self._chance.choice(_CODES))
        self.mishaps[mishap] += 1

    def _count(self, verdict: Verdict, mishap: Mishap, told: str, heard: int) -> None:
        self.totals.update(
            lines=1, packets=heard, lost=verdict.lost, doubled=verdict.doubled, repeated=verdict.repeated
        )
        wrong = {f"{mishap} lost": verdict.lost, f"{mishap} doubled": verdict.doubled}
        self.by_mishap.update({what: count for what, count in wrong.items() if count})
        if told:
            self.told[f"{mishap}: {told}"] += 1


async def measure(hours: float, channels: int) -> dict[str, Any]:
    """Drive it all through, and count."""
    async with open_stage(channels) as stage:
        soak = Soak(stage, hours)
        async with asyncio.TaskGroup() as group:
            for server in stage.servers:
                group.create_task(soak.speak(server))
        unheard = stage.unheard()
    return {
        "benchmark": "voice", "figure": "soak", "driver": "mynah", "hours": hours, "channels": channels,
        **{name: soak.totals[name] for name in ("lines", "packets", "lost", "doubled", "repeated", "hung")},
        "told": soak.told.total(), "told_what": dict(soak.told), "by_mishap": dict(soak.by_mishap),
        "mishaps": dict(soak.mishaps), **unheard, "machine": describe(),
    }  # fmt: skip


def main() -> None:
    """Read what is asked, and print what was counted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice.soak", description="Lines, moves, kicks, drops")
    parser.add_argument("--hours", type=length, default=24.0, help="simulated hours")
    parser.add_argument("--channels", type=count, default=20)
    asked = parser.parse_args()
    raise_file_limit()
    print(json.dumps(asyncio.run(measure(asked.hours, asked.channels))))


if __name__ == "__main__":
    main()
