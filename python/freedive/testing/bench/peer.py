"""A library in a fresh process, told what to do over pipes."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
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


class Peer:
    """A running worker. A context manager: leaving it ends the process."""

    def __init__(self, lib: str, threads: int) -> None:
        self.lib = lib
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
        return float(self._ask(do="time", key=key, times=times))

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
