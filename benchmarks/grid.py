"""Products of many shapes against the best of NumPy, PyTorch and JAX: `python -m benchmarks.grid`

Sizes from 1 to 4096, odd ones, every transpose, thin ones. Libraries take turns; a shape's verdict is, for each peer,
the median of the ratios of those turns, and the least of them: how many times as fast as the best peer freedive is.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any

from freedive.testing.bench import command, kernel_rows, record
from freedive.testing.bench.measure import Plan, Result, measure
from freedive.testing.bench.row import Row

Shape = tuple[int, int, int, str]  # m, k, n, and which operands lie transposed: nn, nt, tn or tt
TRANSPOSES = ("nn", "nt", "tn", "tt")
SLOWER = 1 / 1.05  # below it, freedive counts as slower
PEERS = ("numpy", "torch", "jax")


def cubes() -> Iterator[Shape]:
    small = (1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 24, 31, 32, 33, 40, 48, 63, 64, 65, 80, 96, 100, 127, 128, 129)
    large = (160, 192, 200, 255, 256, 257, 300, 384, 500, 511, 512, 513, 640, 768, 900, 1000, 1023, 1024, 1025)
    for size in (*small, *large, 1280, 1536, 1777, 2000, 2048, 3000, 4096):
        yield size, size, size, "nn"


def transposed() -> Iterator[Shape]:
    for size in (8, 16, 33, 64, 100, 128, 200, 256, 257, 512, 777, 1024):
        for way in TRANSPOSES[1:]:
            yield size, size, size, way
    for way in TRANSPOSES:
        yield 1536, 511, 300, way


def thin() -> Iterator[Shape]:
    """One size or two of three are small."""
    for way in ("nn", "nt", "tn"):
        for few in (1, 2, 3, 4, 8, 10, 16):
            yield few, 1024, 1024, way
            yield 1024, few, 1024, way
            yield 1024, 1024, few, way
    for few in (1, 5, 10, 30):
        yield few, 4096, few, "nn"
        yield 4096, few, few, "nn"
        yield few, few, 4096, "nn"
        yield few, 4096, 256, "nn"
        yield 256, few, 4096, "nn"
        yield 4096, 256, few, "nn"


def layers() -> Iterator[Shape]:
    """Forward, gradient of the weights and gradient of the input of linear layers."""
    for batch in (1, 2, 7, 16, 32, 64, 100, 256, 1000, 4096):
        for inputs, outputs in ((784, 256), (256, 10), (120, 84)):
            yield batch, inputs, outputs, "nt"
            yield outputs, batch, inputs, "tn"
            yield batch, outputs, inputs, "nn"


def shapes() -> list[Shape]:
    """Every shape once."""
    return list(dict.fromkeys([*cubes(), *transposed(), *thin(), *layers()]))


def row_of(shape: Shape) -> Row:
    m, k, n, way = shape
    args: dict[str, Any] = {"m": m, "k": k, "n": n, "ta": way[0] == "t", "tb": way[1] == "t"}
    return Row(f"{m}x{k}x{n} {way}", kernel_rows.FILE, "gemm", args, flops=2.0 * m * k * n, group="grid")


def line_of(result: Result) -> dict[str, Any]:
    """What the CSV holds of a shape."""
    peer, ratio = result.best_peer() or ("", math.nan)
    seconds = median(result.ours) if result.ours else math.nan
    times = {f"{lib}_us": median(s) * 1e6 if s else "" for lib, s in result.seconds.items() if lib != "freedive"}
    return {
        "row": result.row.name,
        "library": "freedive",
        "rounds": len(result.ours),
        "p50_us": seconds * 1e6,
        "gflops": result.row.flops / seconds / 1e9,
        **{f"{lib}_us": "" for lib in PEERS},
        **times,
        "best_peer": peer,
        "times_as_fast": ratio,
        "over_floor": "",
        "over_best_peer": 1 / ratio,
    }


def summary(lines: list[dict[str, Any]], worst: int) -> str:
    judged = sorted((line for line in lines if line["best_peer"]), key=lambda line: line["times_as_fast"])
    mean = math.exp(sum(math.log(line["times_as_fast"]) for line in judged) / max(len(judged), 1))
    slower = sum(line["times_as_fast"] < SLOWER for line in judged)
    text = [
        f"{len(judged)} shapes: geometric mean of best peer's time over freedive's {mean:.2f}",
        f"more than 5 % slower than the best peer: {slower}",
        f"the worst (m x k x n): {'':12} freedive us  best peer        us  times as fast",
    ]
    text += [
        f"  {line['row']:32} {line['p50_us']:11,.1f}  {line['best_peer']:9}"
        f" {line[line['best_peer'] + '_us']:9,.1f}  {line['times_as_fast']:13.2f}"
        for line in judged[:worst]
    ]
    return "\n".join(text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grid", description=__doc__)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--budget", type=float, default=1.0, metavar="SECONDS", help="for each shape, about")
    parser.add_argument("--busy", action="store_true", help="one thread, processor time: for a machine in use")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th shape")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--out", metavar="FILE.csv")
    parser.add_argument("--worst", type=int, default=20, help="how many to list")
    args = parser.parse_args()
    plan = Plan(rounds=15, fewest=3, budget=args.budget, slice=0.003, ceiling=0, threads=args.threads)
    if args.busy:
        plan.threads, plan.processor = 1, True
    about = {**record.machine(), "threads": plan.threads, "processor_time": plan.processor}
    lines: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        processes = command.start(stack, args.peers.split(","), plan)
        about["processes"] = {lib: peer.describe() for lib, peer in processes.items()}
        for shape in shapes()[:: args.every]:
            result = measure(row_of(shape), processes, plan)
            lines.append(line_of(result))
            print("{row:24} {p50_us:11,.1f} us {gflops:8.1f} GFLOP/s {best_peer:>9} x{times_as_fast:6.2f}".format(
                **lines[-1]), flush=True)  # fmt: skip
    if args.out:
        record.write(args.out, lines, about)
    print(f"\n{summary(lines, args.worst)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
