"""A library in a fresh process, told what to do over pipes."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import freedive

# What pins a BLAS to another machine's kernels or thread counts.
FOREIGN = ("OPENBLAS_", "OMP_", "MKL_", "GOTO_", "KMP_")


def clean_environment() -> dict[str, str]:
    """The environment of the process without what slows libraries down, and with freedive importable."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    package = str(Path(freedive.__file__).parent.parent)
    env["PYTHONPATH"] = os.pathsep.join(p for p in (package, os.environ.get("PYTHONPATH", "")) if p)
    return env


def installed(lib: str) -> bool:
    """Whether a peer for this library can be started."""
    return lib in ("freedive", "kernels") or importlib.util.find_spec(lib) is not None


def _runs(tasks: Path) -> bool:
    for task in tasks.iterdir():
        with contextlib.suppress(OSError):  # it ended meanwhile
            if (task / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                return True
    return False


class Peer:
    """A running worker. A context manager: leaving it ends the process."""

    def __init__(self, lib: str, threads: int, processor: bool = False) -> None:
        """Starts it; `processor`: times are those of all its threads on processors, else by the clock on the wall."""
        self.lib = lib
        self.processor = processor
        worker = Path(__file__).with_name("worker.py")
        self._process = subprocess.Popen(
            [sys.executable, str(worker), lib],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment(),
            text=True,
        )
        self._ask(do="threads", threads=threads)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _ask(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"the {self.lib} process ended (exit code {self._process.poll()})")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self.lib}: {answer['error']}")
        return answer["result"]

    def load(self, key: str, file: str, name: str, args: dict[str, Any]) -> bool:
        """Prepares a workload; False if this library has none of that name."""
        return bool(self._ask(do="load", key=key, file=file, name=name, args=args))

    def time(self, key: str, times: int) -> float:
        """Seconds per call over so many calls."""
        return float(self._ask(do="time", key=key, times=times, processor=self.processor))

    def settle(self, most: float) -> None:
        """Waits until no thread of the process runs, at most so many seconds.

        OpenBLAS spins for 2^28 cycles after work, 128 ms at 2.1 GHz, and takes a CPU from whoever comes next.
        """
        tasks = Path(f"/proc/{self._process.pid}/task")
        if not tasks.is_dir():
            time.sleep(most)
            return
        until = time.monotonic() + most
        while _runs(tasks) and time.monotonic() < until:
            time.sleep(0.001)

    def drop(self, key: str) -> None:
        """Forgets a workload."""
        self._ask(do="drop", key=key)

    def ceiling(self, kind: str, threads: int, seconds: float) -> float:
        """Operations ("flops") or bytes ("bytes") per second of this machine just now."""
        return float(self._ask(do="ceiling", kind=kind, threads=threads, seconds=seconds))

    def describe(self) -> dict[str, Any]:
        """Versions, thread pools and environment of the process."""
        about: dict[str, Any] = self._ask(do="describe")
        return about
