"""Checkpoints: whole or not there, and a resumed run ends in the very same bits."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

import freedive as fd
from freedive import d2l
from freedive.training import CheckpointError, Digits, Trainer, checkpoint

SCRIPT = """
import hashlib, sys
import freedive as fd
from freedive import d2l, nn, optim
from freedive.training import Digits, Trainer

class Net(d2l.Classifier):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.3),
                                 nn.LazyLinear(10))

    def configure_optimizers(self):
        return optim.Adam(self.parameters(), lr=0.01) if KIND == "adam" else optim.SGD(self.parameters(), 0.05, 0.9)

KIND, path, every = sys.argv[1], sys.argv[2], int(sys.argv[3])
fd.manual_seed(7)
model = Net()
print("ready", flush=True)
trainer = Trainer(4, checkpoint=path, checkpoint_every=every, resume=True, progress=False)
trainer.fit(model, Digits(64))
digest = hashlib.sha256()
for name, value in sorted(model.state_dict().items()):
    digest.update(name.encode() + value.detach().numpy().tobytes())
history = [{k: v for k, v in row.items() if k not in ("seconds", "examples_per_second")} for row in trainer.history]
print(digest.hexdigest(), hashlib.sha256(repr((history, model.board.data)).encode()).hexdigest(), flush=True)
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "run.py").write_text(SCRIPT)

    def start(kind, name, every=3):
        command = [sys.executable, str(tmp_path / "run.py"), kind, str(tmp_path / name), str(every)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.split()[-2:]


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_killed_and_resumed_run_ends_in_the_same_bits(script, kind, tmp_path):
    started = time.monotonic()
    process = script(kind, "whole")
    assert process.stdout.readline() == "ready\n"
    begun = time.monotonic()
    expected = finish(process)
    length = time.monotonic() - begun
    rng, kills = random.Random(1), 0
    while kills < 12 and time.monotonic() - started < 90:
        process = script(kind, "killed")
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, length * 0.6))
        process.send_signal(signal.SIGKILL)
        out, _ = process.communicate()
        kills += 1
        if out:  # it was done before the kill: start over
            assert out.split() == expected
            os.remove(tmp_path / "killed")
    assert finish(script(kind, "killed")) == expected
    assert finish(script(kind, "killed")) == expected  # nothing left to do
    assert kills >= 3


def test_interrupt_leaves_a_usable_checkpoint(script, tmp_path):
    expected = finish(script("sgd", "whole", 1000))
    process = script("sgd", "broken", 1000)
    process.stdout.readline()
    time.sleep(0.05)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue
    out, err = process.communicate()
    if not out:
        assert "KeyboardInterrupt" in err
        assert process.returncode != 0
    assert finish(script("sgd", "broken", 1000)) == expected


class StopAt(d2l.SoftmaxRegression):
    """Raises `error` when training step or validation step number `at` begins."""

    stop_at: tuple = ()

    def training_step(self, batch):
        self._act("train", self.trainer.train_batch_idx)
        return super().training_step(batch)

    def validation_step(self, batch):
        self._act("val", self.trainer.val_batch_idx)
        super().validation_step(batch)

    def _act(self, phase, index):
        if self.stop_at == (phase, index):
            signal.raise_signal(signal.SIGINT)


def result(model):
    return [p.detach().tolist() for p in model.parameters()]


def run(path, resume=False, stop_at=(), epochs=3, **kwargs):
    fd.manual_seed(0)
    model = StopAt(10, lr=0.1)
    model.stop_at = stop_at
    trainer = Trainer(epochs, checkpoint=str(path), resume=resume, progress=False, **kwargs)
    trainer.fit(model, Digits(128))
    return model, trainer


@pytest.mark.parametrize("stop_at", [("train", 0), ("train", 11), ("train", 13), ("val", 0), ("val", 4), ("val", 2)])
def test_ctrl_c_anywhere_resumes_exactly(tmp_path, stop_at):
    model, trainer = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "c", stop_at=stop_at)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again, resumed = run(tmp_path / "c", resume=True)
    assert result(again) == result(model)
    for name in ("train_loss", "val_loss", "val_acc"):
        assert [r[name] for r in resumed.history] == [r[name] for r in trainer.history]
    assert again.board.data == model.board.data


@pytest.mark.parametrize("kind", ["linear", "softmax"])
def test_scratch_models_and_optimiser_resume(tmp_path, kind):
    def train(epochs, resume):
        fd.manual_seed(3)
        if kind == "linear":
            data = d2l.SyntheticRegressionData(fd.tensor([2.0, -1.0]), 1.0, num_train=100)
            model = d2l.LinearRegressionScratch(2, lr=0.03)
        else:
            data, model = Digits(128), d2l.SoftmaxRegressionScratch(64, 10, lr=0.1)
        path = str(tmp_path / f"s{resume}")
        Trainer(epochs, gradient_clip_val=1, checkpoint=path, resume=resume, progress=False).fit(model, data)
        return [p.tolist() for p in model.configure_optimizers().params]

    expected = train(4, False)
    train(2, True)
    assert train(4, True) == expected


def test_longer_training_continues(tmp_path):
    expected, _ = run(tmp_path / "whole", epochs=3)
    run(tmp_path / "c", epochs=1)
    again, trainer = run(tmp_path / "c", resume=True, epochs=3)
    assert result(again) == result(expected)
    assert [r["epoch"] for r in trainer.history] == [1, 2, 3]


def test_resume_without_a_file_starts_from_the_beginning(tmp_path):
    assert result(run(tmp_path / "a", resume=True)[0]) == result(run(tmp_path / "b")[0])


def test_wrong_checkpoints_are_named(tmp_path):
    path = tmp_path / "c"
    run(path, epochs=1)
    whole = path.read_bytes()
    with pytest.raises(CheckpointError, match=r"StopAt.*MLP"):
        Trainer(1, checkpoint=str(path), resume=True, progress=False).fit(d2l.MLP(10, 8, 0.1), Digits())
    for broken in (b"", b"rubbish" * 100, whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(broken)
        with pytest.raises(CheckpointError) as caught:
            run(path, resume=True)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    checkpoint.save(str(path), {"other": 1})
    assert checkpoint.load(str(path)) == {"other": 1}
    with pytest.raises(CheckpointError):
        run(path, resume=True)


def test_other_batch_size_is_refused(tmp_path):
    run(tmp_path / "c", epochs=1)
    with pytest.raises(ValueError, match="batch_size 128 then, 64 now"):
        Trainer(2, checkpoint=str(tmp_path / "c"), resume=True, progress=False).fit(StopAt(10, lr=0.1), Digits(64))


def test_full_disk_keeps_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "c"
    run(path, epochs=1)
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*older one is kept"):
        run(path, epochs=2)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["c"]


def test_values_round_trip(tmp_path):
    state = {
        "t": fd.tensor([1.0, float("nan")]),
        "zero": fd.tensor(3),
        "tuple": (1, "a", None, [True, 2.5]),
        "ints": {0: {"step": 3, "buffer": fd.zeros(2, 2)}, 1: {}},
        "inf": float("inf"),
    }
    checkpoint.save(str(tmp_path / "x"), state)
    back = checkpoint.load(str(tmp_path / "x"))
    assert back["tuple"] == state["tuple"]
    assert back["inf"] == float("inf")
    assert back["zero"].shape == state["zero"].shape
    assert int(back["zero"]) == 3
    assert back["zero"].dtype == fd.int64
    assert list(back["ints"]) == [0, 1]
    assert tuple(back["ints"][0]["buffer"].shape) == (2, 2)
    with pytest.raises(TypeError, match="object"):
        checkpoint.save(str(tmp_path / "y"), {"a": {"b": object()}})
    with pytest.raises(FileNotFoundError, match="nowhere"):
        checkpoint.load(str(tmp_path / "nowhere"))
