"""Where the time of the MLP's training step goes: `python -m benchmarks.profile_step`

Builds the library with its functions' names kept (a release has none), runs the step of benchmarks/workloads.py, lets
`perf` sample it and adds the samples up: gemm, other kernels, the rest of the library, Python, the system.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Functions of a kernel's instruction set, and those of them that gemm is made of.
KERNEL = re.compile(r"\bfd::(avx512|avx2|neon|reference)::")
GEMM = re.compile(
    r"tile_row|BlockWalk|BlockPlan|multiply_|run_piece|[dD]ot_?[tT]ile|few_rows|transpose_panel|gemm|Gemm<"
)
WAITING = re.compile(r"\bfd::.*(Pool|pool|worker|spin)")
RUN = """
import sys
sys.path.insert(0, {root!r})
import freedive
from benchmarks.workloads import mlp_step
freedive.set_num_threads({threads})
step = mlp_step("freedive", {batch}, {hidden})
for _ in range(50):
    step()
print("ready", flush=True)
while True:
    step()
"""


def kind_of(library: str, function: str) -> str:
    """Which part of the table a sample belongs to."""
    if KERNEL.search(function):
        return "gemm" if GEMM.search(function) else "other kernels"
    if WAITING.search(function):
        return "threads that wait"
    if library.startswith("_core"):
        return "rest of the library"
    if "kernel" in library:
        return "system"
    return "Python" if "python" in library else "C library"


def build(folder: Path) -> Path:
    """The package with names, as something to put on PYTHONPATH."""

    def cmake_dir(package: str, option: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", package, option], check=True, capture_output=True, text=True
        ).stdout.strip()

    version = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
    options = {
        "Python_EXECUTABLE": sys.executable,
        "nanobind_DIR": cmake_dir("nanobind", "--cmake_dir"),
        "pybind11_DIR": cmake_dir("pybind11", "--cmakedir"),
        "SKBUILD_PROJECT_VERSION": version,
        "FREEDIVE_SYMBOLS": "ON",
        "FREEDIVE_CUDA": "OFF",
    }
    if shutil.which("ccache"):
        options["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
    defined = [f"-D{key}={value}" for key, value in options.items()]
    subprocess.run(["cmake", "-G", "Ninja", "-S", ROOT, "-B", folder, *defined], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder], check=True, stdout=subprocess.DEVNULL)
    package = folder / "package" / "freedive"
    shutil.copytree(ROOT / "python" / "freedive", package, dirs_exist_ok=True)
    for module in folder.glob("_core*.so"):
        shutil.copy(module, package)
    return package.parent


def sample(package: Path, program: str, seconds: float) -> list[tuple[float, str, str]]:
    """Share, library and function, as perf has them."""
    env = {**os.environ, "PYTHONPATH": str(package)}
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "perf.data")
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=env)
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the training step did not start")
            watch = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-o", data, "-p", str(process.pid)]
            subprocess.run([*watch, "--", "sleep", str(seconds)], check=True)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        report = ["perf", "report", "-q", "-i", data, "--stdio", "-t", "|", "-F", "overhead,dso,sym", "--no-children"]
        text = subprocess.run(report, check=True, capture_output=True, text=True).stdout
    lines = (line.split("|", 2) for line in text.splitlines() if line.count("|") >= 2)
    return [(float(share.strip().rstrip("%")), dso.strip(), function.strip()) for share, dso, function in lines]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_step", description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "profile", help="folder to build in")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--functions", type=int, default=12, help="how many to list")
    args = parser.parse_args()
    if not shutil.which("perf"):
        print("profile_step: needs perf", file=sys.stderr)
        return 1
    program = RUN.format(root=str(ROOT), threads=args.threads, batch=args.batch, hidden=args.hidden)
    samples = sample(build(args.build.resolve()), program, args.seconds)
    total = Counter[str]()
    for share, library, function in samples:
        total[kind_of(library, function)] += share
    print(f"MLP step 784-{args.hidden}-10, batch {args.batch}, {args.threads} threads, {args.seconds:g} s")
    for kind, share in total.most_common():
        print(f"  {share:5.1f} %  {kind}")
    print(f"  {total['gemm'] + total['other kernels']:5.1f} %  in kernels altogether")
    for share, library, function in samples[: args.functions]:
        print(f"  {share:5.1f} %  {library:20.20} {function[:110]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
