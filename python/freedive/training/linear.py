"""Linear regression, from scratch and concise, and weight decay (Dive into Deep Learning, sections 3.4, 3.5, 3.7)."""

from __future__ import annotations

import freedive as fd
from freedive import nn, optim

from .hyperparameters import HyperParameters
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class SGD(HyperParameters):
    """Minibatch gradient descent in three lines: p ← p − lr · gradient. For learning; `optim.SGD` is the fast one."""

    def __init__(self, params: Iterable[fd.Tensor], lr: float) -> None:
        if not lr >= 0:
            raise ValueError(f"SGD: lr must be a number ≥ 0, got {lr}")
        self.params = list(params)
        self.lr = lr

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        with fd.no_grad():
            for param in self.params:
                if param.grad is not None:
                    param -= self.lr * param.grad

    def zero_grad(self) -> None:
        """Set gradients to zero."""
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()


class LinearRegressionScratch(Module):
    """y = X w + b with plain tensors: w is (num_inputs, 1), drawn from N(0, sigma²); b is (1,), zero."""

    def __init__(self, num_inputs: int, lr: float, sigma: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.w = fd.normal(0, sigma, (num_inputs, 1), requires_grad=True)
        self.b = fd.zeros(1, requires_grad=True)

    def forward(self, X: fd.Tensor) -> fd.Tensor:
        """(n, num_inputs) to (n, 1)."""
        return fd.matmul(X, self.w) + self.b

    def loss(self, y_hat: fd.Tensor, y: fd.Tensor) -> fd.Tensor:
        """Mean of half the squared error."""
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self) -> SGD:
        """Plain gradient descent on w and b."""
        return SGD([self.w, self.b], self.lr)


class LinearRegression(Module):
    """y = X w + b as one layer with one output; the number of inputs is found at the first call."""

    def __init__(self, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.LazyLinear(1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.fill_(0)

    def forward(self, X: fd.Tensor) -> fd.Tensor:
        """(n, inputs) to (n, 1)."""
        return self.net(X)

    def loss(self, y_hat: fd.Tensor, y: fd.Tensor) -> fd.Tensor:
        """Mean squared error, without the half."""
        return nn.functional.mse_loss(y_hat, y)

    def configure_optimizers(self) -> Any:
        """SGD with learning rate lr."""
        return optim.SGD(self.parameters(), self.lr)

    def get_w_b(self) -> tuple[fd.Tensor, fd.Tensor]:
        """(weight of shape (1, inputs), bias of shape (1,)) without gradient history."""
        return self.net.weight.data, self.net.bias.data


class WeightDecay(LinearRegression):
    """Linear regression with an L2 penalty wd/2 · |w|² on the weight; the bias is spared."""

    def __init__(self, wd: float, lr: float) -> None:
        super().__init__(lr)
        self.save_hyperparameters()

    def configure_optimizers(self) -> Any:
        """SGD with weight decay wd on the weight alone."""
        groups = [{"params": self.net.weight, "weight_decay": self.wd}, {"params": self.net.bias}]
        return optim.SGD(groups, lr=self.lr)
