"""Helpers of the book's chapter on optimisation (chapter 12; names that end in ch11 come from its first edition)."""

from __future__ import annotations

import freedive as fd
from freedive import nn
from freedive.data import DataLoader, TensorDataset

from .helpers import DATA_HUB, DATA_URL, Accumulator, Timer, download
from .plotting import Animator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

DATA_HUB["airfoil"] = (DATA_URL + "airfoil_self_noise.dat", "76e5be1548fd8222e5074cf0faae75edff8cf93f")
EXAMPLES_BETWEEN_EVALUATIONS = 200


def linreg(X: fd.Tensor, w: fd.Tensor, b: fd.Tensor) -> fd.Tensor:
    """X w + b."""
    return fd.matmul(X, w) + b


def squared_loss(y_hat: fd.Tensor, y: fd.Tensor) -> fd.Tensor:
    """Half the squared error, element by element; y is given y_hat's shape."""
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params: Iterable[fd.Tensor], lr: float, batch_size: int) -> None:
    """One step p ← p − lr · gradient / batch_size, for losses that are sums; clears the gradients."""
    with fd.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size  # type: ignore[operator]
            param.grad.zero_()  # type: ignore[union-attr]


def synthetic_data(w: fd.Tensor, b: float, num_examples: int) -> tuple[fd.Tensor, fd.Tensor]:
    """X ~ N(0, 1) of shape (num_examples, len(w)) and y = X w + b + N(0, 0.01²) of shape (num_examples, 1)."""
    X = fd.normal(0, 1, (num_examples, len(w)))
    y = fd.matmul(X, w) + b
    return X, (y + fd.normal(0, 0.01, tuple(y.shape))).reshape((-1, 1))


def load_array(data_arrays: Iterable[fd.Tensor], batch_size: int, is_train: bool = True) -> DataLoader:
    """Minibatches of tensors of equal length, shuffled for training."""
    return DataLoader(TensorDataset(*data_arrays), batch_size, shuffle=is_train)


def evaluate_loss(net: Callable, data_iter: Iterable, loss: Callable) -> float:
    """Mean of loss(net(X), y) over all elements of all minibatches."""
    metric = Accumulator(2)
    for X, y in data_iter:
        out = net(X)
        values = loss(out, y.reshape(out.shape))
        metric.add(values.sum(), values.numel())
    return metric[0] / metric[1]


def train_2d(trainer: Callable, steps: int = 20, f_grad: Callable | None = None) -> list[tuple[Any, Any]]:
    """Run an optimiser of two variables from (−5, −2) and return its path, start included.

    trainer(x1, x2, s1, s2[, f_grad]) returns the four new values; s1 and s2 are its state, 0 at first.
    """
    x1, x2, s1, s2 = -5, -2, 0, 0
    results = [(x1, x2)]
    extra = (f_grad,) if f_grad else ()
    for _ in range(steps):
        x1, x2, s1, s2 = trainer(x1, x2, s1, s2, *extra)
        results.append((x1, x2))
    print(f"epoch {steps}, x1: {float(x1):f}, x2: {float(x2):f}")
    return results


def get_data_ch11(batch_size: int = 10, n: int = 1500) -> tuple[DataLoader, int]:
    """(loader over the first n rows of NASA's airfoil noise data, number of features); columns are standardised."""
    import numpy as np

    table = np.genfromtxt(download("airfoil"), dtype=np.float32, delimiter="\t")
    standard = fd.from_numpy((table - table.mean(axis=0)) / table.std(axis=0))
    return load_array((standard[:n, :-1], standard[:n, -1]), batch_size, is_train=True), table.shape[1] - 1


def train_ch11(
    trainer_fn: Callable, states: Any, hyperparams: dict, data_iter: Any, feature_dim: int, num_epochs: int = 2
) -> tuple[list[float], list[float]]:
    """Linear regression with an optimiser written as a function trainer_fn(params, states, hyperparams).

    Returns (seconds since the start, loss) at every 200 examples, and prints the last loss and the time per epoch.
    """
    w = fd.normal(mean=0.0, std=0.01, size=(feature_dim, 1), requires_grad=True)
    b = fd.zeros(1, requires_grad=True)

    def net(X: fd.Tensor) -> fd.Tensor:
        return linreg(X, w, b)

    def step(X: fd.Tensor, y: fd.Tensor) -> None:
        squared_loss(net(X), y).mean().backward()
        trainer_fn([w, b], states, hyperparams)

    return _train(step, lambda: evaluate_loss(net, data_iter, squared_loss), data_iter, num_epochs)


def train_concise_ch11(trainer_fn: Callable, hyperparams: dict, data_iter: Any, num_epochs: int = 4) -> None:
    """The same with an optimiser class: trainer_fn(net.parameters(), **hyperparams). Prints loss and time per epoch."""
    net = nn.Sequential(nn.Linear(5, 1))
    nn.init.normal_(net[0].weight, std=0.01)
    optimizer = trainer_fn(net.parameters(), **hyperparams)
    loss = nn.MSELoss(reduction="none")

    def step(X: fd.Tensor, y: fd.Tensor) -> None:
        optimizer.zero_grad()
        out = net(X)
        loss(out, y.reshape(out.shape)).mean().backward()
        optimizer.step()

    # MSELoss lacks the factor 1/2 of squared_loss.
    _train(step, lambda: evaluate_loss(net, data_iter, loss) / 2, data_iter, num_epochs)


def _train(
    step: Callable, evaluate: Callable[[], float], data_iter: Any, num_epochs: int
) -> tuple[list[float], list[float]]:
    animator = Animator(xlabel="epoch", ylabel="loss", xlim=[0, num_epochs], ylim=[0.22, 0.35])
    seen, timer = 0, Timer()
    for _ in range(num_epochs):
        for X, y in data_iter:
            step(X, y)
            seen += X.shape[0]
            if seen % EXAMPLES_BETWEEN_EVALUATIONS == 0:
                timer.stop()
                animator.add(seen / X.shape[0] / len(data_iter), evaluate())
                timer.start()
    if animator.Y:
        print(f"loss: {animator.Y[0][-1]:.3f}, {timer.sum() / num_epochs:.3f} sec/epoch")
    return timer.cumsum(), animator.Y[0] if animator.Y else []
