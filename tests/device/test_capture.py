"""The Trainer's captured steps train as eager ones and as the CPU."""

import warnings

import numpy as np
import pytest

import freedive as fd
from freedive import nn
from freedive.training import MLP, SGD, Classifier, DataModule, DropoutMLP, Trainer
from freedive.training.capture import CapturedSteps

CLASSES, WIDTH, EXAMPLES, BATCH = 4, 6, 90, 32  # batches of 32, 32 and 26


class Clouds(DataModule):
    """Clouds of points around a centre per class."""

    def __init__(self, examples=EXAMPLES):
        super().__init__()
        rng = np.random.default_rng(0)
        labels = rng.integers(0, CLASSES, examples)
        points = rng.normal(size=(CLASSES, WIDTH))[labels] + 0.3 * rng.normal(size=(examples, WIDTH))
        self.tensors = fd.tensor(points.astype(np.float32)), fd.tensor(labels)

    def get_dataloader(self, train):
        return self.get_tensorloader(self.tensors, train)

    batch_size = BATCH


def fit(device, model, monkeypatch, **options):
    """Losses and parameters, and what captured the steps."""
    kept = []
    made = CapturedSteps.__init__
    monkeypatch.setattr(CapturedSteps, "__init__", lambda self, trainer: (made(self, trainer), kept.append(self))[0])
    data = options.pop("data", None) or Clouds()
    fd.manual_seed(3)
    trainer = Trainer(device=device, progress=False, **{"max_epochs": 4, **options})
    trainer.fit(model(), data)
    monkeypatch.undo()
    losses = [epoch["train_loss"] for epoch in trainer.history]
    return losses, [p.tolist() for p in trainer.model.parameters()], kept[0] if kept else None


def dropout_mlp():
    return DropoutMLP(CLASSES, 16, 8, 0.5, 0.2, lr=0.3)


class Momentum(Classifier):
    make = staticmethod(lambda p: fd.optim.SGD(p, lr=0.1, momentum=0.9))

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.LazyLinear(12), nn.BatchNorm1d(12), nn.ReLU(), nn.LazyLinear(CLASSES))

    @fd.cuda.capturable
    def forward(self, X):
        return self.net(X * 2)

    def configure_optimizers(self):
        return self.make(self.parameters())


class Adam(Momentum):
    make = staticmethod(lambda p: fd.optim.AdamW(p, lr=0.01))


@pytest.mark.parametrize("model", [dropout_mlp, Momentum, Adam], ids=["dropout", "momentum", "adam"])
def test_captured_eager_and_cpu_agree(model, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses, state, steps = fit("cuda", model, monkeypatch)
    assert steps.captured == 2  # full batches and the last one
    assert steps.why_not is None
    eager_losses, eager_state, none = fit("cuda", model, monkeypatch, capture=False)
    assert none is None
    assert (losses, state) == (eager_losses, eager_state)
    np.testing.assert_allclose(losses, fit("cpu", model, monkeypatch)[0], rtol=1e-5)


@pytest.mark.slow
def test_clipping_is_captured(monkeypatch):
    losses, state, steps = fit("cuda", dropout_mlp, monkeypatch, gradient_clip_val=0.1)
    assert steps.captured == 2
    assert (losses, state) == fit("cuda", dropout_mlp, monkeypatch, gradient_clip_val=0.1, capture=False)[:2]
    np.testing.assert_allclose(losses, fit("cpu", dropout_mlp, monkeypatch, gradient_clip_val=0.1)[0], rtol=1e-5)


@pytest.mark.slow
def test_200_steps_of_dropout(monkeypatch):
    """Losses of 200 steps: within 1e-5 of the CPU's, and captured ones the eager ones bit for bit."""
    options = {"max_epochs": 200, "data": Clouds(BATCH)}
    losses, _, steps = fit("cuda", dropout_mlp, monkeypatch, **options)
    assert steps.captured == 1
    assert losses == fit("cuda", dropout_mlp, monkeypatch, capture=False, **options)[0]
    ours = fit("cpu", dropout_mlp, monkeypatch, **options)[0]
    assert np.mean(ours[-20:]) < 0.7 * np.mean(ours[:20])
    np.testing.assert_allclose(losses, ours, rtol=1e-5)


class Unmarked(Momentum):
    def forward(self, X):
        return self.net(X)


class Hooked(Momentum):
    def __init__(self):
        super().__init__()
        self.net.register_forward_hook(lambda module, args, out: None)


class Listening(Momentum):
    """Reads a value while it is captured."""

    @fd.cuda.capturable
    def forward(self, X):
        return self.net(X / X.abs().max().item())


class OwnOptimizer(Momentum):
    make = staticmethod(lambda p: SGD(p, lr=0.1))


class Counting(Momentum):
    """Marked, but what it does depends on more than it may."""

    calls = 0

    @fd.cuda.capturable
    def forward(self, X):
        if self.training:
            self.calls += 1
        return self.net(X * self.calls)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Unmarked, "Unmarked.forward is not freedive's; mark it"),
        (Hooked, "a Sequential has hooks"),
        (Listening, "cannot wait for cuda:0"),
        (OwnOptimizer, "linear.SGD is no freedive.optim.Optimizer"),
        (Counting, "other numbers than running it"),
    ],
    ids=["unmarked", "hooked", "listening", "optimizer", "counting"],
)
def test_what_is_not_captured_runs_and_says_why(model, why, monkeypatch):
    with pytest.warns(UserWarning, match=why) as said:
        losses, state, steps = fit("cuda", model, monkeypatch)
    assert len(said) == 1
    assert steps.captured == 0
    if model is not Counting:
        assert (losses, state) == fit("cuda", model, monkeypatch, capture=False)[:2]
        np.testing.assert_allclose(losses, fit("cpu", model, monkeypatch)[0], rtol=1e-5)


def test_a_loss_that_is_not_finite_is_found(monkeypatch):
    class Diverging(MLP):
        def configure_optimizers(self):
            return fd.optim.SGD(self.parameters(), lr=1e30)

    with pytest.raises(FloatingPointError, match="training stopped"):
        fit("cuda", lambda: Diverging(CLASSES, 8, 0.1), monkeypatch)
    assert fd.ones(2, device="cuda").sum().item() == 2


@pytest.mark.slow
def test_a_resumed_run_goes_on_bit_for_bit(tmp_path, monkeypatch):
    path = str(tmp_path / "run.safetensors")
    whole = fit("cuda", Adam, monkeypatch)
    fit("cuda", Adam, monkeypatch, checkpoint=path, max_epochs=2)
    resumed = fit("cuda", Adam, monkeypatch, checkpoint=path, resume=True)
    assert resumed[:2] == whole[:2]
