"""Module and Classifier: what a model does in one training step (Dive into Deep Learning, sections 3.2 and 4.3)."""

from __future__ import annotations

import freedive as fd
from freedive import nn, optim
from freedive.nn import functional as F

from .board import ProgressBoard
from .hyperparameters import HyperParameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Module(nn.Module, HyperParameters):
    """Base class of models. Subclasses set `self.net` (or define `forward`), `self.lr`, and define `loss`.

    plot_train_per_epoch, plot_valid_per_epoch: points drawn per epoch, each the mean of the values in between.
    """

    # Class-level defaults: readers replace __init__ cell by cell.
    plot_train_per_epoch: float = 2
    plot_valid_per_epoch: float = 1

    def __init__(self, plot_train_per_epoch: float = 2, plot_valid_per_epoch: float = 1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.board = ProgressBoard()

    def __getstate__(self) -> dict[str, Any]:
        """A copy or pickle leaves the trainer out, and with it the data."""
        return {name: value for name, value in self.__dict__.items() if name != "trainer"}

    def loss(self, y_hat: fd.Tensor, y: fd.Tensor) -> fd.Tensor:
        """Scalar tensor for a minibatch's predictions and labels."""
        raise NotImplementedError(f"{type(self).__name__} needs a loss(self, y_hat, y)")

    def forward(self, X: fd.Tensor) -> fd.Tensor:
        """self.net(X)."""
        if not hasattr(self, "net"):
            raise AttributeError(f"{type(self).__name__} has no network: set self.net, or define forward(self, X)")
        return self.net(X)

    def plot(self, key: str, value: Any, train: bool) -> None:
        """Record `value` for the progress display, the history and the board, under train_key or val_key."""
        trainer = getattr(self, "trainer", None)
        if trainer is None:
            raise RuntimeError("plot: this module is not being trained; Trainer.fit sets module.trainer")
        if trainer.captured_plots is not None:
            trainer.captured_plots.append((key, value, train))  # drawn after each replay of the step
            return
        value = value.detach() if isinstance(value, fd.Tensor) else value
        label = ("train_" if train else "val_") + key
        if train:
            batches = trainer.num_train_batches
            x = trainer.train_batch_idx / batches
            every_n = batches / self.plot_train_per_epoch
        else:
            x = trainer.epoch + 1
            every_n = trainer.num_val_batches / self.plot_valid_per_epoch
        self.board.xlabel = "epoch"
        self.board.draw(x, value, label, every_n=int(every_n))
        record = getattr(trainer, "record", None)
        if record is not None:
            record(label, value)

    def training_step(self, batch: Sequence[fd.Tensor]) -> fd.Tensor:
        """Loss of a minibatch (inputs…, labels), recorded as train_loss."""
        loss = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", loss, train=True)
        return loss

    def validation_step(self, batch: Sequence[fd.Tensor]) -> None:
        """Record val_loss of a minibatch."""
        self.plot("loss", self.loss(self(*batch[:-1]), batch[-1]), train=False)

    def configure_optimizers(self) -> Any:
        """SGD with learning rate self.lr."""
        return optim.SGD(self.parameters(), lr=self.lr)

    def apply_init(self, inputs: Sequence[fd.Tensor], init: Callable[[nn.Module], None] | None = None) -> None:
        """Run forward once, so that lazy layers get their shapes, then apply `init` to every layer of self.net."""
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)


class Classifier(Module):
    """A model whose output is one row of logits per sample, trained with cross-entropy on class indices."""

    def validation_step(self, batch: Sequence[fd.Tensor]) -> None:
        """Record val_loss and val_acc of a minibatch."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    def accuracy(self, Y_hat: fd.Tensor, Y: fd.Tensor, averaged: bool = True) -> fd.Tensor:
        """Share of rows whose largest logit is at the label; with averaged=False, 1.0 or 0.0 per row."""
        Y_hat = Y_hat.reshape((-1, Y_hat.shape[-1]))
        preds = Y_hat.argmax(dim=1).type(Y.dtype)
        compare = (preds == Y.reshape(-1)).type(fd.float32)
        return compare.mean() if averaged else compare

    def loss(self, Y_hat: fd.Tensor, Y: fd.Tensor, averaged: bool = True) -> fd.Tensor:
        """Mean cross-entropy of logits (…, classes) and labels (…); with averaged=False one loss per row."""
        Y_hat = Y_hat.reshape((-1, Y_hat.shape[-1]))
        return F.cross_entropy(Y_hat, Y.reshape((-1,)), reduction="mean" if averaged else "none")

    def layer_summary(self, X_shape: Sequence[int]) -> None:
        """Print each layer's output shape for an input of shape X_shape."""
        X = fd.randn(*X_shape)
        for layer in self.net:
            X = layer(X)
            print(layer.__class__.__name__, "output shape:\t", X.shape)
