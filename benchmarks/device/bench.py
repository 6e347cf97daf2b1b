"""freedive against PyTorch on one GPU, with the ceilings of the same run: bench.py OUT.csv [SECONDS].

Each row of rows.py is timed in turns with its peer, so that clocks and temperature are shared; times are medians of
rounds, ratios medians of the rounds' ratios. Values are random: on zeros a GPU is faster than it is. Every row is
written as soon as it is measured, and none is begun after SECONDS. Rows are measured in a process of their own: one
that spoils the device, or never ends, costs that row, and a new process goes on with the next. On the emulated device
everything is tiny: a check that the program runs, whose times mean nothing.
"""

import argparse
import csv
import gc
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from rows import EMULATED, OURS, PEER, ROWS, torch

import freedive as fd

ROUNDS, SECONDS = (1, 0.0) if EMULATED else (7, 0.03)
STALL = 75  # seconds without a new row after which a process is given up
SPOILT = 3  # its exit code where the device answers no more
GB, TERA = 1e9, 1e12
MEASURED = ["name", "us", "peer_us", "times_peer", "gb_per_s", "of_copy", "tflop_per_s", "goal", "met", "error"]


def measure(make):
    """Medians of seconds of both sides, and of their ratio."""
    sides = [OURS] if PEER is None else [OURS, PEER]
    calls = [make(side) for side in sides]
    rounds = [[side.seconds(call, SECONDS) for side, call in zip(sides, calls)] for _ in range(ROUNDS)]
    seconds = [median(column) for column in zip(*rounds)]
    return seconds, median(r[1] / r[0] for r in rounds) if len(sides) == 2 else None


def result(row, copy_rate):
    """One line of the table; what went wrong stands in it too."""
    make, moved, work = row.build(*(row.tiny if EMULATED else row.sizes))
    line = dict.fromkeys(MEASURED, "") | {"name": row.name}
    try:
        seconds, ratio = measure(make)
    except Exception as error:  # the next row may well work
        return line | {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
    line["us"] = seconds[0] * 1e6
    if ratio is not None:
        line["peer_us"], line["times_peer"] = seconds[1] * 1e6, ratio
    if moved:
        line["gb_per_s"] = moved / seconds[0] / GB
        line["of_copy"] = line["gb_per_s"] / copy_rate if copy_rate else 1.0
    if work:
        line["tflop_per_s"] = work / seconds[0] / TERA
    goals = [(row.of_copy, line["of_copy"], ">= {} of copy"), (row.of_peer, ratio, ">= {} x peer")]
    goals += [(-row.under if row.under else None, -seconds[0], "under {} s")]
    goals = [(wanted, got, text) for wanted, got, text in goals if wanted is not None and not EMULATED]
    line["goal"] = " and ".join(text.format(abs(wanted)) for wanted, _, text in goals)
    if goals and all(got not in (None, "") for _, got, _ in goals):
        line["met"] = "yes" if all(got >= wanted for wanted, got, _ in goals) else "no"
    return line


def show(line):
    parts = [f"{line['us']:11.1f} us" if line["us"] != "" else "", line["error"]]
    for key, text in (("peer_us", "peer {:11.1f} us"), ("times_peer", "{:6.2f} x"), ("gb_per_s", "{:7.1f} GB/s")):
        parts.append(text.format(line[key]) if line[key] != "" else "")
    parts += [f"{line['of_copy']:.2f} of copy" if line["of_copy"] != "" else ""]
    parts += [f"{line['tflop_per_s']:.2f} TFLOP/s" if line["tflop_per_s"] != "" else ""]
    parts += [f"goal {line['goal']}: {line['met'] or '?'}" if line["goal"] else ""]
    print(f"{line['name']:58}", "  ".join(p for p in parts if p), flush=True)


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.split("\n")[0]
    except OSError:
        return ""


def about():
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "device": fd.cuda.get_device_name(),
        "driver": output_of("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"),
        "torch": torch.__version__ if PEER else "",
        "commit": os.environ.get("COMMIT") or output_of("git", "rev-parse", "HEAD"),
    }


def lines_of(path):
    try:
        with open(path, newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return []


def append(path, line, extra):
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[*MEASURED, *extra])
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(line | extra)


def ceiling(lines):
    """Copy bandwidth: of the first row, the better of the two libraries."""
    if not lines or not lines[0]["gb_per_s"]:
        return None
    us = float(lines[0]["us"])
    return float(lines[0]["gb_per_s"]) * max(1.0, us / float(lines[0]["peer_us"] or us))


def spoilt():
    try:
        for side in (OURS, PEER):
            if side:
                side.wait()
    except Exception:
        return True
    return False


def measure_rows(path, limit, first):
    """Rows from the first-th on, in this process."""
    if PEER:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    extra, end = about(), time.monotonic() + limit
    if first == 0:
        note = "; tiny sizes in place of those named" if EMULATED else ""
        print(", ".join(f"{k} {v}" for k, v in extra.items()) + note, flush=True)
    for row in ROWS[first:]:
        if time.monotonic() > end:
            line = dict.fromkeys(MEASURED, "") | {"name": row.name, "error": "out of time"}
        else:
            line = result(row, ceiling(lines_of(path)))
        append(path, line, extra)
        show(line)
        if line["error"] and spoilt():
            return SPOILT
        gc.collect()
        fd.cuda.empty_cache()
        if PEER:
            torch.cuda.empty_cache()
    return 0


def watch(process, path):
    """Waits until it ends, or stops it where no row comes; says why it ended, if early."""
    rows, since = -1, time.monotonic()
    while process.poll() is None:
        time.sleep(0.1)
        if len(lines_of(path)) != rows:
            rows, since = len(lines_of(path)), time.monotonic()
        elif time.monotonic() - since > STALL:
            process.kill()
            process.wait()
            return f"no answer in {STALL} s"
    return "" if process.returncode in (0, SPOILT) else f"its process ended with {process.returncode}"


def main(path, limit):
    end = time.monotonic() + limit
    if os.path.exists(path):
        os.remove(path)
    while (first := len(lines_of(path))) < len(ROWS):
        command = [sys.executable, __file__, path, str(end - time.monotonic()), "--first", str(first)]
        why = watch(subprocess.Popen(command), path)
        if why and len(lines_of(path)) < len(ROWS):
            line = dict.fromkeys(MEASURED, "") | {"name": ROWS[len(lines_of(path))].name, "error": why}
            append(path, line, dict.fromkeys(("date", "device", "driver", "torch", "commit"), ""))
            show(line)
    lines = lines_of(path)
    met = [line["met"] for line in lines if line["goal"]]
    print(
        f"goals met: {met.count('yes')} of {len(met)}; rows that failed: {sum(line['error'] != '' for line in lines)}"
    )
    return int(any(line["error"] for line in lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("csv")
    parser.add_argument("seconds", nargs="?", type=float, default=float("inf"))
    parser.add_argument("--first", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.first is None:
        sys.exit(main(given.csv, given.seconds))
    sys.exit(measure_rows(given.csv, given.seconds, given.first))
