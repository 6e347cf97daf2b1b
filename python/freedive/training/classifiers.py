"""Softmax regression, multilayer perceptrons, dropout (Dive into Deep Learning, chapters 4 and 5)."""

from __future__ import annotations

import freedive as fd
from freedive import nn
from freedive.nn import functional as F

from .linear import SGD
from .module import Classifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SoftmaxRegressionScratch(Classifier):
    """Softmax of X W + b written out: W is (num_inputs, num_outputs), drawn from N(0, sigma²); b is zero."""

    def __init__(self, num_inputs: int, num_outputs: int, lr: float, sigma: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.W = fd.normal(0, sigma, size=(num_inputs, num_outputs), requires_grad=True)
        self.b = fd.zeros(num_outputs, requires_grad=True)

    def parameters(self, recurse: bool = True) -> Any:
        """W and b."""
        return iter([self.W, self.b])

    def forward(self, X: fd.Tensor) -> fd.Tensor:
        """Probabilities, one row per sample."""
        logits = fd.matmul(X.reshape((-1, self.W.shape[0])), self.W) + self.b
        exponentials = fd.exp(logits - logits.detach().amax(1, keepdim=True))
        return exponentials / exponentials.sum(1, keepdim=True)

    def loss(self, Y_hat: fd.Tensor, Y: fd.Tensor, averaged: bool = True) -> fd.Tensor:
        """Cross-entropy −log p[label] of the probabilities that forward returns."""
        picked = -fd.log(Y_hat[list(range(len(Y_hat))), Y])
        return picked.mean() if averaged else picked

    def configure_optimizers(self) -> SGD:
        """Plain gradient descent on W and b."""
        return SGD([self.W, self.b], self.lr)


class SoftmaxRegression(Classifier):
    """One linear layer on the flattened input; its outputs are logits."""

    def __init__(self, num_outputs: int, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))


class MLPScratch(Classifier):
    """One hidden layer with ReLU from plain parameters, weights drawn from N(0, sigma²)."""

    def __init__(self, num_inputs: int, num_outputs: int, num_hiddens: int, lr: float, sigma: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.W1 = nn.Parameter(fd.randn(num_inputs, num_hiddens) * sigma)
        self.b1 = nn.Parameter(fd.zeros(num_hiddens))
        self.W2 = nn.Parameter(fd.randn(num_hiddens, num_outputs) * sigma)
        self.b2 = nn.Parameter(fd.zeros(num_outputs))

    def forward(self, X: fd.Tensor) -> fd.Tensor:
        """Logits (n, num_outputs) of images (n, …)."""
        H = F.relu(fd.matmul(X.reshape((-1, self.num_inputs)), self.W1) + self.b1)
        return fd.matmul(H, self.W2) + self.b2


class MLP(Classifier):
    """One hidden layer with ReLU; the number of inputs is found at the first call."""

    def __init__(self, num_outputs: int, num_hiddens: int, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_hiddens), nn.ReLU(), nn.LazyLinear(num_outputs))


def dropout_layer(X: fd.Tensor, dropout: float) -> fd.Tensor:
    """X with each element zeroed with probability `dropout`, the others divided by 1 − dropout.

    ValueError outside 0…1.
    """
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout_layer: dropout must be between 0 and 1, got {dropout}")
    if dropout == 1:
        return fd.zeros_like(X)
    mask = (fd.rand(X.shape) >= dropout).float()
    return mask * X / (1.0 - dropout)


class DropoutMLPScratch(Classifier):
    """Two hidden layers, each followed by `dropout_layer` during training."""

    def __init__(
        self,
        num_outputs: int,
        num_hiddens_1: int,
        num_hiddens_2: int,
        dropout_1: float,
        dropout_2: float,
        lr: float,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.lin1 = nn.LazyLinear(num_hiddens_1)
        self.lin2 = nn.LazyLinear(num_hiddens_2)
        self.lin3 = nn.LazyLinear(num_outputs)
        self.relu = nn.ReLU()

    def forward(self, X: fd.Tensor) -> fd.Tensor:
        """Logits (n, num_outputs) of images (n, …)."""
        H = self.relu(self.lin1(X.reshape((X.shape[0], -1))))
        H = dropout_layer(H, self.dropout_1) if self.training else H
        H = self.relu(self.lin2(H))
        H = dropout_layer(H, self.dropout_2) if self.training else H
        return self.lin3(H)


class DropoutMLP(Classifier):
    """Two hidden layers, each followed by nn.Dropout."""

    def __init__(
        self,
        num_outputs: int,
        num_hiddens_1: int,
        num_hiddens_2: int,
        dropout_1: float,
        dropout_2: float,
        lr: float,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        hidden_1 = [nn.LazyLinear(num_hiddens_1), nn.ReLU(), nn.Dropout(dropout_1)]
        hidden_2 = [nn.LazyLinear(num_hiddens_2), nn.ReLU(), nn.Dropout(dropout_2)]
        self.net = nn.Sequential(nn.Flatten(), *hidden_1, *hidden_2, nn.LazyLinear(num_outputs))


def init_cnn(module: nn.Module) -> None:
    """Xavier-uniform weights for linear and convolutional layers; for `Module.apply` and `apply_init`."""
    if type(module).__name__ in ("Linear", "Conv2d"):
        nn.init.xavier_uniform_(module.weight)
