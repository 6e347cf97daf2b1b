"""How the MLP's training step scales with batch and width: `python -m benchmarks.sweep --picture FILE.png`

784-width-10, forward, loss, backward and SGD as a user writes them, in freedive, NumPy, PyTorch and JAX by turns.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.training import step
from freedive.testing.bench import command, record
from freedive.testing.bench.measure import Plan, Result, as_rows
from freedive.testing.bench.roofline import COLORS

BATCHES = tuple(2**i for i in range(13))
WIDTHS = tuple(2**i for i in range(4, 13))
BATCH, WIDTH = 256, 256  # of the other sweep


def draw(results: Sequence[Result], about: dict[str, Any], path: str | Path) -> None:
    """Above the time of a step, below how many times freedive's time the others take."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2, sharex="col", sharey="row")
    sweeps = (
        ("batch", "hidden", WIDTH, f"batch size (width {WIDTH})"),
        ("hidden", "batch", BATCH, f"width (batch {BATCH})"),
    )
    for column, (moving, fixed, value, label) in enumerate(sweeps):
        rows = sorted((r for r in results if r.row.args[fixed] == value), key=lambda r: r.row.args[moving])
        for lib, color in COLORS.items():
            there = [r for r in rows if r.seconds.get(lib) and r.ours]
            at = [r.row.args[moving] for r in there]
            axes[0][column].loglog(
                at, [median(r.seconds[lib]) * 1e6 for r in there], "o-", ms=3, color=color, label=lib
            )
            ratios = [median(b / a for a, b in zip(r.ours, r.seconds[lib], strict=True)) for r in there]
            axes[1][column].loglog(at, ratios, "o-", ms=3, color=color)
        axes[1][column].set_xscale("log", base=2)
        axes[1][column].set_xlabel(label)
    axes[0][0].set_ylabel("microseconds a step")
    axes[1][0].set_ylabel("time over freedive's\n(below 1: freedive loses)")
    ticks = [t for t in (0.5, 1, 2, 5, 10, 20, 50) if t <= 1.2 * max(axes[1][0].get_ylim())]
    axes[1][0].set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes[1][0].minorticks_off()
    axes[0][0].legend(fontsize=8)
    figure.suptitle(
        f"MLP 784-width-10, one training step; {about['cpu']}, {about['threads']} threads, {about['date'][:10]}",
        fontsize=9,
    )
    figure.savefig(path, dpi=150)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--budget", type=float, default=8.0, metavar="SECONDS", help="for each size, about")
    parser.add_argument("--peers", default="numpy,torch,jax")
    parser.add_argument("--out", metavar="FILE.csv")
    parser.add_argument("--picture", metavar="FILE.png", help="needs matplotlib")
    args = parser.parse_args()
    sizes = dict.fromkeys([*((b, WIDTH) for b in BATCHES), *((BATCH, w) for w in WIDTHS)])
    plan = Plan(rounds=31, fewest=5, budget=args.budget, slice=0.006, threads=args.threads)
    results, about = command.run([step(*size) for size in sizes], args.peers.split(","), plan)
    if args.out:
        record.write(args.out, as_rows(results), about)
    if args.picture:
        draw(results, about, args.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
