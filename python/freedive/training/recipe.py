"""What `freedive train` runs: a network by name, on a data set by name, and the files it leaves."""

from __future__ import annotations

import os

import freedive as fd
from freedive import nn, optim
from freedive.data.dataset import ImageDataset
from freedive.data.digits import digits_split
from freedive.data.fashion_mnist import load_fashion_mnist, load_mnist
from freedive.data.loader import DataLoader
from freedive.nn import functional as F

from .data_module import DataModule
from .module import Classifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

CLASSES = 10
DATA = ("digits", "fashion-mnist", "mnist")
MODELS = ("linear", "softmax", "mlp")
OPTIMIZERS = ("sgd", "adam", "adamw")
# epochs, batch size, learning rate of SGD, hidden units: the book's for the 28×28 sets (section 5.2).
DEFAULTS: dict[str, dict[str, Any]] = {
    "digits": {"epochs": 30, "batch_size": 32, "lr": 0.1, "hidden": (256,)},
    "fashion-mnist": {"epochs": 10, "batch_size": 256, "lr": 0.1, "hidden": (256,)},
    "mnist": {"epochs": 10, "batch_size": 256, "lr": 0.1, "hidden": (256,)},
}
ADAM_LR = 0.001
LEAST_SQUARES_LR = 0.01


class Images(DataModule):
    """One of the image sets by name, kept as bytes and scaled to 0…1 batch by batch."""

    def __init__(self, name: str, batch_size: int, data_dir: str | None = None) -> None:
        super().__init__()
        self.save_hyperparameters()
        if name == "digits":
            self.train, self.val = digits_split()
            return
        load = load_fashion_mnist if name == "fashion-mnist" else load_mnist
        self.train, self.val = (ImageDataset(*load(train, data_dir), shape=(1, 28, 28)) for train in (True, False))

    def get_dataloader(self, train: bool) -> DataLoader:
        """Minibatches (images, labels), shuffled for training."""
        return DataLoader(self.train if train else self.val, self.batch_size, shuffle=train)


class Network(Classifier):
    """A network and how to optimise it. Weight decay spares biases and the parameters of normalisation layers."""

    def __init__(self, net: nn.Module, optimizer: str, lr: float, momentum: float = 0.0, weight_decay: float = 0.0):
        super().__init__()
        self.save_hyperparameters()

    def configure_optimizers(self) -> Any:
        """The optimiser named in the arguments."""
        named = list(self.named_parameters())
        weights = [p for name, p in named if name.endswith("weight")]
        rest = [p for name, p in named if not name.endswith("weight")]
        groups = [{"params": weights, "weight_decay": self.weight_decay}, {"params": rest, "weight_decay": 0.0}]
        groups = [group for group in groups if group["params"]]
        if self.optimizer == "sgd":
            return optim.SGD(groups, lr=self.lr, momentum=self.momentum)
        return {"adam": optim.Adam, "adamw": optim.AdamW}[self.optimizer](groups, lr=self.lr)


class LeastSquaresNetwork(Network):
    """Trained with the squared distance to the one-hot label instead of cross-entropy."""

    def loss(self, Y_hat: fd.Tensor, Y: fd.Tensor, averaged: bool = True) -> fd.Tensor:
        """Half the squared distance to the one-hot label, per row or averaged."""
        targets = F.one_hot(Y.reshape((-1,)), CLASSES).to(Y_hat.dtype)
        per_sample = ((Y_hat - targets) ** 2).sum(1) / 2
        return per_sample.mean() if averaged else per_sample


def build_net(model: str, hidden: Sequence[int], dropout: float) -> nn.Module:
    """The layers of a model: linear and softmax have one, mlp has `hidden` ones with ReLU and dropout in front."""
    layers: list[nn.Module] = [nn.Flatten()]
    for units in hidden if model == "mlp" else ():
        layers += [nn.LazyLinear(units), nn.ReLU()]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.LazyLinear(CLASSES))


def build_model(args: Any) -> Network:
    """The network, with its optimiser's settings, that the command line asks for."""
    net = build_net(args.model, args.hidden, args.dropout)
    kind = LeastSquaresNetwork if args.model == "linear" else Network
    return kind(net, args.optimizer, args.lr, args.momentum, args.weight_decay)


def fill_defaults(args: Any) -> None:
    """Give every option that was left out the value that suits the data set, model and optimiser."""
    for name, value in DEFAULTS[args.data].items():
        if getattr(args, name) is None:
            if name == "lr" and args.optimizer != "sgd":
                value = ADAM_LR
            elif name == "lr" and args.model == "linear":
                value = LEAST_SQUARES_LR
            setattr(args, name, value)
    if args.out is None:
        args.out = os.path.join("runs", f"{args.data}-{args.model}")
    if args.resume or args.checkpoint_every is not None:
        args.checkpoint = args.checkpoint or ""
    if args.checkpoint == "":
        args.checkpoint = os.path.join(args.out, "checkpoint.safetensors")


def save_model(path: str, model: nn.Module) -> None:
    """The parameters and buffers as a plain safetensors file, written whole or not at all."""
    from safetensors.numpy import save

    from freedive._files import write_atomically

    tensors = {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}
    write_atomically(path, save(tensors))
