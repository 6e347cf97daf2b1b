"""Keeping results: CSV with where they come from, reading them again, comparing two."""

from __future__ import annotations

import csv
import datetime
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

HEAD = "# "


def machine() -> dict[str, Any]:
    """Which machine, and when."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = ""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": model,
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        "commit": commit,
    }


def write(path: str | Path, rows: list[dict[str, Any]], about: dict[str, Any]) -> None:
    """Writes rows as CSV; what they were measured on comes first, in lines that start with #."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        for key, value in about.items():
            file.write(f"{HEAD}{key}: {json.dumps(value)}\n")
        if rows:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def read(path: str | Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Rows and what they were measured on.

    Raises:
        ValueError: the file is no such CSV.

    """
    about: dict[str, Any] = {}
    with open(path, newline="") as file:
        lines = file.readlines()
    for line in lines:
        if line.startswith(HEAD):
            key, _, value = line[len(HEAD) :].partition(": ")
            try:
                about[key] = json.loads(value)
            except json.JSONDecodeError:
                raise ValueError(f"{path} is no benchmark CSV: it begins with {line.strip()!r}") from None
    rows = list(csv.DictReader(line for line in lines if not line.startswith(HEAD)))
    if rows and "row" not in rows[0]:
        raise ValueError(f"{path} is no benchmark CSV: it has no column 'row'")
    return rows, about


def compare(before: str | Path, after: str | Path) -> list[str]:
    """What moved between two recordings, largest change first.

    Rows with a floor are compared by their distance from it, others by the ratio to the best peer, others by time:
    in this order the less they depend on how fast the machine was that day.
    """
    old = {r["row"]: r for r in read(before)[0] if r["library"] == "freedive"}
    new = {r["row"]: r for r in read(after)[0] if r["library"] == "freedive"}
    moved = []
    for name in old.keys() & new.keys():
        for column, unit in (("over_floor", "x floor"), ("over_best_peer", "x best peer"), ("p50_us", "us")):
            if old[name][column] and new[name][column]:
                a, b = float(old[name][column]), float(new[name][column])
                moved.append((b / a, f"{name:44} {a:10.3f} -> {b:10.3f} {unit:12} {(b / a - 1) * 100:+6.1f}%"))
                break
    lines = [text for _, text in sorted(moved, key=lambda m: -abs(m[0] - 1))]
    lines += [f"{name:44} only in {before}" for name in sorted(old.keys() - new.keys())]
    lines += [f"{name:44} only in {after}" for name in sorted(new.keys() - old.keys())]
    return lines
