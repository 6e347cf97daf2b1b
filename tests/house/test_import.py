"""Importing freedive is cheap and touches nothing."""

import subprocess
import sys


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_loads_nothing_heavy():
    heavy = "numpy tqdm safetensors matplotlib inspect typing dataclasses argparse torch pandas IPython"
    loaded = run(f"import sys, freedive, freedive.nn; print([m for m in '{heavy}'.split() if m in sys.modules])")
    assert loaded == "[]"


def test_import_stays_in_its_budget():
    """Under 20 ms of processor time over a bare interpreter, which a busy machine does not lengthen much."""
    code = "import time; t = time.process_time(); import freedive; print(time.process_time() - t)"
    assert min(float(run(code)) for _ in range(7)) < 0.020


def test_import_starts_no_thread():
    assert run("import os, freedive; print(len(os.listdir('/proc/self/task')))") == "1"


def test_importing_after_torch(torch):
    """PyTorch uses up the room for static thread-local storage, so we must not need any."""
    assert run("import torch, freedive; print((freedive.ones(2) + 1).tolist())") == "[2.0, 2.0]"
