"""A row of the benchmark: what is timed, what bounds it, what it should reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Goal:
    """What freedive should reach; every number that is given counts.

    floor: time over the time the ceiling allows, at most.
    peers: time over that of the best of all peers, at most.
    peer: the same against single libraries.
    microseconds: time, at most; set on one machine (two cores of a Zen 5), so a ratio stands beside it for others.
    """

    floor: float | None = None
    peers: float | None = None
    peer: Mapping[str, float] = field(default_factory=dict)
    microseconds: float | None = None

    def text(self) -> str:
        """As one reads it."""
        parts = [f"<= {self.floor:.3g} floor"] if self.floor else []
        parts += [f"<= {self.peers:.3g} best peer"] if self.peers else []
        parts += [f"<= {ratio:.3g} {lib}" for lib, ratio in self.peer.items()]
        parts += [f"<= {self.microseconds:g} us"] if self.microseconds else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Row:
    """One thing to time.

    name: unique.
    file, function: function(lib, **args) of that file returns what is timed, or None where a library cannot do it.
    libs: which libraries; the first is the one that goals are about.
    bytes, flops: what one call must move and compute at least; 0: unknown.
    group: rows are listed by it.
    """

    name: str
    file: str
    function: str
    args: Mapping[str, Any] = field(default_factory=dict)
    libs: tuple[str, ...] = ("freedive", "numpy", "torch", "jax")
    bytes: float = 0
    flops: float = 0
    goal: Goal = field(default_factory=Goal)
    group: str = "kernels"
