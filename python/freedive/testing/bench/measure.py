"""Taking turns: ceiling, freedive, peers, and again."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from .peer import Peer
from .row import Row


@dataclass
class Plan:
    """How long and how often.

    rounds: turns; the ratios of each are taken within it.
    fewest, budget: rows that would take longer than so many seconds take fewer turns, but at least the fewest.
    slice: seconds that one library's turn should last.
    ceiling: seconds for the ceiling's turn; 0: no floors.
    pause: seconds at most between turns, in which the threads of the last one fall asleep.
    processor: time spent on processors instead of on the clock: where others use the machine, for one thread.
    """

    rounds: int = 31
    fewest: int = 31
    budget: float = math.inf
    slice: float = 0.012
    ceiling: float = 0.008
    pause: float = 0.5
    threads: int = 1
    processor: bool = False


def quick_plan() -> Plan:
    """Enough for a first look."""
    return Plan(rounds=7, fewest=7, slice=0.004, ceiling=0.004)


@dataclass
class Result:
    """What one row gave: seconds per call by library, and the seconds its ceiling allows, round by round."""

    row: Row
    seconds: dict[str, list[float]] = field(default_factory=dict)
    floor: list[float] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> list[float]:
        """Seconds of the library that the goal is about."""
        return self.seconds.get(self.row.libs[0], [])

    def peers(self) -> list[str]:
        """The libraries that are not freedive."""
        return [lib for lib in self.seconds if lib not in ("freedive", "kernels")]

    def over_floor(self) -> float | None:
        """The median of time over floor."""
        return median(a / b for a, b in zip(self.ours, self.floor, strict=True)) if self.floor and self.ours else None

    def over(self, *libs: str) -> float | None:
        """The median of time over the best of these libraries in the same round."""
        there = [self.seconds[lib] for lib in libs if lib in self.seconds]
        if not there or not self.ours:
            return None
        return median(a / min(others) for a, *others in zip(self.ours, *there, strict=True))

    def best_peer(self) -> tuple[str, float] | None:
        """The peer that is fastest beside freedive, and the median of its time over freedive's."""
        ratios = [
            (median(b / a for a, b in zip(self.ours, self.seconds[lib], strict=True)), lib)
            for lib in self.peers()
            if self.ours and self.seconds[lib]
        ]
        return (min(ratios)[1], min(ratios)[0]) if ratios else None

    def reached(self) -> bool | None:
        """Whether the goal is; None without one."""
        goal = self.row.goal
        pairs: list[tuple[float | None, float | None]] = [
            (goal.floor, self.over_floor()),
            (goal.peers, self.over(*self.peers())),
            (goal.microseconds, median(self.ours) * 1e6 if self.ours else None),
            *((ratio, self.over(lib)) for lib, ratio in goal.peer.items()),
        ]
        judged = [got <= limit for limit, got in pairs if limit is not None and got is not None]
        return all(judged) if judged else None

    def percentile(self, lib: str, share: float) -> float:
        """A percentile of the seconds of one library."""
        ordered = sorted(self.seconds[lib])
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def measure(row: Row, peers: Mapping[str, Peer], plan: Plan) -> Result:
    """Times one row in every library that has it.

    A library that fails is left out and named in the result.
    """
    result = Result(row)
    times: dict[str, int] = {}
    for lib in row.libs:
        if lib in peers:
            try:
                if peers[lib].load(row.name, row.file, row.function, dict(row.args)):
                    times[lib] = _calls(peers[lib], row.name, plan.slice)
                    result.seconds[lib] = []
            except RuntimeError as error:
                result.failures[lib] = str(error)
    begin = time.monotonic()
    for done in range(plan.rounds):
        if done >= plan.fewest and (time.monotonic() - begin) * (done + 1) > plan.budget * done:
            break
        floor = _floor(row, peers["freedive"], plan)
        if floor:
            result.floor.append(floor)
        for lib, calls in times.items():
            if calls > 1:
                peers[lib].time(row.name, max(calls // 8, 1))  # wakes threads and fills caches
            result.seconds[lib].append(peers[lib].time(row.name, calls))
            peers[lib].settle(plan.pause)
    for lib in times:
        peers[lib].drop(row.name)
    return result


def _calls(peer: Peer, key: str, slice: float) -> int:
    """How many calls fill a slice, after warming up."""
    peer.time(key, 1)
    each, calls = peer.time(key, 1), 1
    while each * calls < slice / 4 and calls < 100_000:
        calls *= 4
        each = peer.time(key, calls)
    return max(1, int(slice / each))


def _floor(row: Row, probe: Peer, plan: Plan) -> float:
    """Seconds that the ceilings allow at this moment."""
    if not plan.ceiling:
        return 0.0
    bounds = [
        amount / probe.ceiling(kind, plan.threads, plan.ceiling)
        for kind, amount in (("bytes", row.bytes), ("flops", row.flops))
        if amount
    ]
    return max(bounds, default=0.0)


def as_rows(results: list[Result]) -> list[dict[str, Any]]:
    """One dictionary per row and library, as the CSV holds them."""
    out = []
    for r in results:
        for lib in r.seconds:
            out.append(
                {
                    "group": r.row.group,
                    "row": r.row.name,
                    "library": lib,
                    "rounds": len(r.seconds[lib]),
                    "p10_us": r.percentile(lib, 0.1) * 1e6,
                    "p50_us": r.percentile(lib, 0.5) * 1e6,
                    "p90_us": r.percentile(lib, 0.9) * 1e6,
                    "floor_us": median(r.floor) * 1e6 if r.floor else "",
                    "bytes": r.row.bytes or "",
                    "flops": r.row.flops or "",
                    "over_floor": r.over_floor() if lib == r.row.libs[0] and r.floor else "",
                    "over_best_peer": (r.over(*r.peers()) or "") if lib == r.row.libs[0] else "",
                    "goal": r.row.goal.text() if lib == r.row.libs[0] else "",
                    "reached": {True: "yes", False: "no", None: ""}[r.reached()] if lib == r.row.libs[0] else "",
                }
            )
    return out
