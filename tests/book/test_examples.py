"""The scripts in examples/ run as they are, and end as they promise."""

import ast
import math
import os
import subprocess
import sys

import pytest

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "examples")
HERE = "/usr/share/datasets/fashion-mnist"


def run(name, folder, **environment):
    command = [sys.executable, os.path.abspath(os.path.join(EXAMPLES, name))]
    environment = {**os.environ, "MPLBACKEND": "Agg", **environment}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
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


# What a script's line of ours must end with after one epoch, read from its last words.
CHAPTERS = {
    "preliminaries": lambda line: abs(float(line.split("heads ")[1].split(",")[0]) - 0.5) < 0.02,
    "linear_regression": lambda line: "weights" in line,
    "linear_classification": lambda line: float(line.split("accuracy ")[1].split()[0]) > 0.7,
    "multilayer_perceptrons": lambda line: float(line.split("accuracy ")[1].split()[0]) > 0.6,
    "builders_guide": lambda line: line.endswith("by 0.0"),
    "convolutional_networks": lambda line: float(line.split("found to ")[1].split(";")[0]) < 0.05,
    "batch_normalization": lambda line: float(line.split("accuracy ")[1].split()[0]) > 0.5,
    "optimization": lambda line: max(ast.literal_eval(line[line.index("{") :]).values()) < 0.5,
}
IMAGES = {"linear_classification", "multilayer_perceptrons", "convolutional_networks", "batch_normalization"}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter(chapter, tmp_path):
    if chapter in IMAGES and not os.path.isdir(HERE):
        pytest.skip("Debian's dataset-fashion-mnist is not installed")
    nowhere = "http://127.0.0.1:9"  # no test depends on the network
    out = run(f"book/{chapter}.py", tmp_path, FREEDIVE_EPOCHS="1", http_proxy=nowhere, https_proxy=nowhere)
    *_, ours, claim = out.splitlines()
    assert ours.startswith("freedive: ")
    assert CHAPTERS[chapter](ours), ours
    assert claim.startswith("the book, roughly: ")  # read off its figures, not a printed number


def test_every_chapter_script_is_tested():
    assert {name[:-3] for name in os.listdir(os.path.join(EXAMPLES, "book")) if name.endswith(".py")} == set(CHAPTERS)


def test_kernels_alone_as_the_readme_has_it():
    with open(os.path.join(EXAMPLES, "..", "README.md"), encoding="utf-8") as file:
        code = file.read().partition("## Only the kernels")[2].partition("```python\n")[2].partition("```")[0]
    names = {}
    exec(code, names)
    assert names["loss"] == pytest.approx(math.log(10), rel=1e-5)
    assert names["hidden"].shape == (64, 10)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir(HERE), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist(tmp_path):
    out = run("fashion_mnist.py", tmp_path)
    assert float(out.split()[-1]) > 0.87
    assert sorted(os.listdir(tmp_path / "runs" / "example")) == ["checkpoint.safetensors", "curve.png", "loss.csv"]
