"""The command line: the main job, its files, and one clear line for every mistake."""

import csv
import os
import subprocess
import sys

import pytest

import freedive as fd
from freedive.cli import main

HERE = "/usr/share/datasets/fashion-mnist"
needs_fashion = pytest.mark.skipif(not os.path.isdir(HERE), reason="Debian's dataset-fashion-mnist is not installed")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(capsys, *argv):
    code = main(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


def accuracy(out):
    return float(out.split("validation accuracy ")[1].split()[0])


def test_main_job(capsys, tmp_path):
    code, out, err = run(capsys, "train")
    assert code == 0
    assert err == ""
    assert accuracy(out) >= 0.96
    assert sorted(os.listdir("runs/digits-mlp")) == ["curve.png", "loss.csv", "model.safetensors"]
    with open("runs/digits-mlp/loss.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["train_loss"]) < 0.5 * float(rows[0]["train_loss"])
    assert f"epoch {len(rows)}/{len(rows)}" in out


def test_main_job_as_a_process_leaves_a_loadable_model():
    done = subprocess.run(
        [sys.executable, "-m", "freedive", "train", "--quiet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("validation accuracy 0.9")
    assert len(done.stdout.splitlines()) == 1
    from safetensors.numpy import load_file

    tensors = load_file("runs/digits-mlp/model.safetensors")
    assert sorted(tensors) == ["net.1.bias", "net.1.weight", "net.3.bias", "net.3.weight"]
    assert tensors["net.1.weight"].shape[1] == 64


@pytest.mark.parametrize("seed", range(1, 5))
def test_other_seeds_reach_the_accuracy_too(capsys, seed):
    code, out, _ = run(capsys, "train", "--quiet", "--seed", str(seed))
    assert code == 0
    assert accuracy(out) >= 0.96


@pytest.mark.parametrize(
    "argv",
    [
        ["--model", "linear", "--epochs", "30"],
        ["--model", "softmax", "--optimizer", "adam", "--lr", "0.01"],
        ["--optimizer", "adamw", "--weight-decay", "0.01"],
        ["--hidden", "64,32", "--dropout", "0.1", "--momentum", "0.9", "--batch-size", "64"],
    ],
)
def test_other_models_and_optimisers(capsys, argv):
    code, out, err = run(capsys, "train", "--quiet", *argv)
    assert code == 0, err
    assert accuracy(out) > 0.85


def test_same_seed_same_file(capsys):
    models = []
    for out in ("a", "b"):
        assert run(capsys, "train", "--quiet", "--epochs", "2", "--dropout", "0.5", "--out", out)[0] == 0
        with open(f"{out}/model.safetensors", "rb") as file:
            models.append(file.read())
    assert models[0] == models[1]


def test_checkpoint_and_resume(capsys):
    common = ["train", "--momentum", "0.9"]
    assert run(capsys, *common, "--epochs", "4", "--out", "whole")[0] == 0
    assert run(capsys, *common, "--epochs", "2", "--out", "parts", "--checkpoint")[0] == 0
    code, out, _ = run(capsys, *common, "--epochs", "4", "--out", "parts", "--resume")
    assert code == 0
    assert "resuming from parts/checkpoint.safetensors" in out
    assert "epoch 1/4" not in out
    with open("whole/model.safetensors", "rb") as a, open("parts/model.safetensors", "rb") as b:
        assert a.read() == b.read()
    assert "starting from the beginning" in run(capsys, *common, "--epochs", "1", "--out", "new", "--resume")[1]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "COMMAND"),
        (["fly"], "fly"),
        (["train", "--lr", "-1"], "--lr: must be a number > 0, got '-1'"),
        (["train", "--lr", "nan"], "--lr"),
        (["train", "--lr", "inf"], "--lr"),
        (["train", "--epochs", "0"], "--epochs: must be an integer ≥ 1"),
        (["train", "--batch-size", "1.5"], "--batch-size"),
        (["train", "--momentum", "1.5"], "--momentum"),
        (["train", "--momentum", "0.9", "--optimizer", "adam"], "--momentum"),
        (["train", "--dropout", "-0.1"], "--dropout"),
        (["train", "--weight-decay", "-1"], "--weight-decay"),
        (["train", "--hidden", "12,x"], "--hidden"),
        (["train", "--hidden", ""], "--hidden"),
        (["train", "--threads", "0"], "--threads"),
        (["train", "--model", "gpt"], "gpt"),
        (["train", "--data", "cifar"], "cifar"),
        (["train", "--optimizer", "lbfgs"], "lbfgs"),
        (["train", "--wat"], "--wat"),
        (["info", "extra"], "extra"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(capsys, argv, words):
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert os.listdir() == []


def test_other_errors_are_one_line_and_exit_1(capsys, monkeypatch, tmp_path):
    import urllib.request

    def refuse(*args, **kwargs):
        raise OSError("network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "runs").mkdir()
    (tmp_path / "bad.safetensors").write_bytes(b"rubbish" * 20)
    cases = [
        (["--data", "mnist"], "--data-dir"),
        (["--out", "file/below", "--epochs", "1"], "file"),
        (["--checkpoint", "bad.safetensors", "--resume"], "bad.safetensors"),
        (["--lr", "1e30"], "Linear"),
    ]
    if not fd.cuda.is_available():
        cases.append((["--device", "cuda"], "no CUDA device"))
    for argv, words in cases:
        code, _, err = run(capsys, "train", "--quiet", *argv)
        assert code == 1, argv
        assert words in err, err
        assert err.count("\n") == 1, err


def test_without_matplotlib_a_line_says_so(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, out, _ = run(capsys, "train", "--epochs", "1")
    assert code == 0
    assert "freedive[plot]" in out
    assert sorted(os.listdir("runs/digits-mlp")) == ["loss.csv", "model.safetensors"]


def test_interrupt_exits_130_and_names_the_checkpoint(capsys, monkeypatch):
    from freedive.training import recipe

    class Interrupted(recipe.Network):
        def training_step(self, batch):
            if self.trainer.train_batch_idx == 5:
                import signal

                signal.raise_signal(signal.SIGINT)
            return super().training_step(batch)

    monkeypatch.setattr(recipe, "Network", Interrupted)
    code, _, err = run(capsys, "train", "--quiet", "--checkpoint")
    assert code == 130
    assert "--resume" in err
    assert os.path.exists("runs/digits-mlp/checkpoint.safetensors")


def test_info(capsys):
    code, out, _ = run(capsys, "info")
    assert code == 0
    assert fd.__version__ in out
    assert "thread" in out.lower()


def test_help_and_version(capsys):
    assert run(capsys, "--help")[0] == 0
    code, out, _ = run(capsys, "train", "--help")
    assert code == 0
    assert "--weight-decay" in out
    assert run(capsys, "--version")[1].split() == f"freedive {fd.__version__}".split()


@needs_fashion
def test_fashion_mnist(capsys):
    argv = ["train", "--data", "fashion-mnist", "--epochs", "1", "--data-dir", HERE]
    code, out, err = run(capsys, *argv)
    assert code == 0, err
    assert "60,000 training and 10,000 held-out" in out
    assert accuracy(out) > 0.65
