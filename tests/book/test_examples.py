"""The scripts in examples/ run as they are, and end as they promise."""

import os
import subprocess
import sys

import pytest

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "examples")
HERE = "/usr/share/datasets/fashion-mnist"


def run(name, folder):
    command = [sys.executable, os.path.abspath(os.path.join(EXAMPLES, name))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_linear_regression(tmp_path):
    words = run("linear_regression.py", tmp_path).split()
    assert float(words[-4].rstrip(",")) < 0.01
    assert float(words[-1]) < 0.01


def test_digits_by_hand(tmp_path):
    out = run("digits_by_hand.py", tmp_path)
    assert float(out.split()[-1]) > 0.96
    assert (tmp_path / "digits.params").exists()


def test_own_data(tmp_path):
    out = run("own_data.py", tmp_path)
    last = next(line for line in out.splitlines() if line.startswith("epoch 60/60"))
    assert float(last.split("val_loss ")[1].split()[0]) < 0.05
    assert "(64, 20)" in out


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir(HERE), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist(tmp_path):
    out = run("fashion_mnist.py", tmp_path)
    assert float(out.split()[-1]) > 0.87
    assert sorted(os.listdir(tmp_path / "runs" / "example")) == ["checkpoint.safetensors", "curve.png", "loss.csv"]
