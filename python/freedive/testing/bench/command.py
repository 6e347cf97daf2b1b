"""The command line."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import os
import sys
from collections.abc import Collection, Sequence
from statistics import median
from typing import Any

from . import record
from .case_rows import case_rows
from .kernel_rows import KERNEL_ROWS
from .measure import Plan, Result, as_rows, measure, quick_plan
from .peer import Peer, installed
from .row import Row

LIBRARIES = ("freedive", "kernels", "numpy", "torch", "jax")


def parser(prog: str) -> argparse.ArgumentParser:
    """Options of `freedive bench` and `python -m benchmarks`."""
    p = argparse.ArgumentParser(prog=prog, description="Time freedive against this machine's ceilings and its peers.")
    p.add_argument("rows", nargs="*", metavar="ROW", help="names of rows, with * and ?; all if none is given")
    p.add_argument("--quick", action="store_true", help="fewer and shorter rounds: for a first look")
    p.add_argument("--rounds", type=int, metavar="N", help="how often everybody takes a turn (31; quick: 7)")
    p.add_argument("--threads", type=int, metavar="N", help="threads of every library (default: usable CPUs)")
    p.add_argument("--peers", default="numpy,torch,jax", help="libraries to compare with, of those installed")
    p.add_argument("--cases", action="store_true", help="also time every operation the tests know")
    p.add_argument("--list", action="store_true", help="list the rows and stop")
    p.add_argument("--out", metavar="FILE.csv", help="write the results")
    p.add_argument("--roofline", metavar="FILE.png", help="draw them against the ceilings (needs matplotlib)")
    p.add_argument("--compare", nargs=2, metavar=("A.csv", "B.csv"), help="show what moved between two files and stop")
    return p


def main(argv: Sequence[str] | None = None, rows: Sequence[Row] = (), prog: str = "freedive bench") -> int:
    """Runs the benchmark; returns the exit code.

    Args:
        argv: the arguments; by default those of the process.
        rows: rows to add to those of the kernels.
        prog: the name in messages.

    """
    args = parser(prog).parse_args(argv)
    if args.compare:
        print("\n".join(record.compare(*args.compare)))
        return 0
    chosen = [*KERNEL_ROWS, *rows, *(case_rows() if args.cases else ())]
    if args.rows:
        chosen = [r for r in chosen if any(fnmatch.fnmatch(r.name, pattern) for pattern in args.rows)]
        if not chosen:
            raise ValueError(f"no row is named {' or '.join(args.rows)}; --list shows them")
    if args.list:
        print("\n".join(f"{r.name:40} {r.goal.text()}" for r in chosen))
        return 0
    if args.threads is not None and args.threads < 1:
        raise ValueError(f"--threads {args.threads}: expected at least 1")
    plan = quick_plan() if args.quick else Plan()
    plan.threads = args.threads or len(os.sched_getaffinity(0))
    plan.rounds = args.rounds or plan.rounds
    results, about = run(chosen, [lib for lib in args.peers.split(",") if lib], plan)
    if args.out:
        record.write(args.out, as_rows(results), about)
        print(f"wrote {args.out}")
    if args.roofline:
        from .roofline import draw

        draw(results, about, args.roofline)
        print(f"wrote {args.roofline}")
    return 0


def start(stack: contextlib.ExitStack, wanted: Collection[str], plan: Plan) -> dict[str, Peer]:
    """Processes of the wanted libraries that are installed, and of freedive, which end with the stack."""
    return {
        lib: stack.enter_context(Peer(lib, plan.threads, plan.processor))
        for lib in LIBRARIES
        if (lib in wanted or lib == "freedive") and installed(lib)
    }


def run(rows: Sequence[Row], libraries: Sequence[str], plan: Plan) -> tuple[list[Result], dict[str, Any]]:
    """Measures the rows, printing each as it is done; returns the results and what they were measured on."""
    wanted = {lib for row in rows for lib in row.libs if lib in ("freedive", "kernels") or lib in libraries}
    about = {**record.machine(), "threads": plan.threads, "rounds": plan.rounds}
    results = []
    with contextlib.ExitStack() as stack:
        peers = start(stack, wanted, plan)
        about["processes"] = {lib: peer.describe() for lib, peer in peers.items()}
        about["fma_peak"] = peers["freedive"].ceiling("flops", plan.threads, 0.2)
        about["copy_bandwidth"] = peers["freedive"].ceiling("bytes", plan.threads, 0.2)
        shown = [lib for lib in LIBRARIES if lib in peers]
        print(f"{about['cpu']}, {plan.threads} threads, {plan.rounds} rounds")
        print(f"now: {about['fma_peak'] / 1e9:.0f} GFLOP/s float32, {about['copy_bandwidth'] / 1e9:.0f} GB/s copied")
        print(f"\n{'microseconds':34}{''.join(f'{lib:>11}' for lib in shown)}{'x floor':>9}{'x peer':>8}  goal")
        for row in rows:
            results.append(measure(row, peers, plan))
            print(_line(results[-1], shown), flush=True)
            for lib, why in results[-1].failures.items():
                print(f"    {lib} left out: {why}", file=sys.stderr)
    return results, about


def _line(r: Result, shown: Sequence[str]) -> str:
    cells = "".join(f"{median(r.seconds[lib]) * 1e6:11,.1f}" if r.seconds.get(lib) else f"{'':11}" for lib in shown)
    floor, peer = r.over_floor(), r.over(*r.peers())
    ratios = (f"{floor:9.2f}" if floor else f"{'':9}") + (f"{peer:8.2f}" if peer else f"{'':8}")
    verdict = {True: "reached: ", False: "MISSED: ", None: ""}[r.reached()]
    return f"{r.row.name:34}{cells}{ratios}  {verdict}{r.row.goal.text()}"
