"""Does training here end where PyTorch's ends? `python -m benchmarks.accuracy [--model lenet-bn --seeds 3]`

For each seed a network is trained on Fashion-MNIST with SGD at 0.1 while a PyTorch twin with the same initial weights
takes the same minibatches: the book's MLP (784-256-10, ReLU, batch 256) as `freedive train` does it, or LeNet with
batch normalisation (the book's section 8.5, batch 128). Then the run is repeated with every thread count, and its
parameters compared bit for bit. Needs PyTorch; exits with 1 if a bound is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys

import numpy as np
import torch

import freedive as fd
from freedive import nn
from freedive.training import init_cnn, recipe
from freedive.training.trainer import Trainer

MOST_APART = 0.02
LR = 0.1
BATCH_SIZE = {"mlp": 256, "lenet-bn": 128}
MEAN_AT_LEAST = {"mlp": 0.835, "lenet-bn": 0.0}  # LeNet's accuracy jumps from epoch to epoch: PyTorch's is the measure
# what to give a PyTorch layer so that it is like ours
ARGUMENTS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Linear: ("in_features", "out_features"),
    nn.Conv2d: ("in_channels", "out_channels", "kernel_size"),
    nn.BatchNorm1d: ("num_features",),
    nn.BatchNorm2d: ("num_features",),
    nn.AvgPool2d: ("kernel_size", "stride"),
}


def lenet_bn() -> nn.Sequential:
    """LeNet with a batch normalisation before every sigmoid, for 28×28 images of one channel."""
    layers: list[nn.Module] = []
    for before, after in ((1, 6), (6, 16)):
        layers += [nn.Conv2d(before, after, kernel_size=5), nn.BatchNorm2d(after), nn.Sigmoid(), nn.AvgPool2d(2, 2)]
    layers.append(nn.Flatten())
    for before, after in ((256, 120), (120, 84)):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.Sigmoid()]
    net = nn.Sequential(*layers, nn.Linear(84, recipe.CLASSES))
    net.apply(init_cnn)
    return net


def build(model: str) -> nn.Module:
    return lenet_bn() if model == "lenet-bn" else recipe.build_net(model, (256,), 0.0)


def twin_of(layer: nn.Module) -> torch.nn.Module:
    """The same layer in PyTorch, with the same parameters."""
    arguments = [getattr(layer, name) for name in ARGUMENTS.get(type(layer), ())]
    twin = getattr(torch.nn, type(layer).__name__)(*arguments)
    twin.load_state_dict({name: as_torch(value).clone() for name, value in layer.state_dict().items()})
    return twin


class Twin:
    """The same model in PyTorch, trained on the minibatches that the other one sees."""

    def __init__(self, net: nn.Sequential, lr: float) -> None:
        self.net = torch.nn.Sequential(*map(twin_of, net))
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=lr)

    def step(self, images: fd.Tensor, labels: fd.Tensor) -> None:
        self.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(self.net(as_torch(images)), as_torch(labels)).backward()
        self.optimizer.step()

    @torch.no_grad()
    def accuracy(self, loader: fd.data.DataLoader) -> float:
        self.net.eval()
        right = sum(int((self.net(as_torch(x)).argmax(1) == as_torch(y)).sum()) for x, y in loader)
        return right / len(loader.dataset)


class Watched(recipe.Network):
    """Has a twin once its lazy layers know their shapes."""

    twin: Twin | None = None

    def training_step(self, batch):
        if self.twin is None:
            self.eval()(batch[0][:1])
            self.train()
            self.twin = Twin(self.net, self.lr)
        self.twin.step(*batch)
        return super().training_step(batch)


def as_torch(t: fd.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.asarray(t.detach()))


def train(kind: type[recipe.Network], seed: int, args: argparse.Namespace) -> tuple[Trainer, recipe.Images]:
    """For the MLP, what `freedive train --data fashion-mnist --model mlp --seed SEED` does."""
    fd.manual_seed(seed)
    data = recipe.Images("fashion-mnist", BATCH_SIZE[args.model], args.data_dir)
    trainer = Trainer(args.epochs, progress=False)
    trainer.fit(kind(build(args.model), "sgd", LR), data)
    return trainer, data


def digest(model: fd.nn.Module) -> str:
    h = hashlib.sha256()
    for p in model.parameters():
        h.update(np.asarray(p.detach()).tobytes())
    return h.hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--model", choices=list(BATCH_SIZE), default="mlp")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2], help="thread counts to repeat each run with")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    torch.set_num_threads(1)
    ours, theirs, all_same = [], [], True
    print("seed  freedive  PyTorch  apart    parameters")
    for seed in range(args.seeds):
        trainer, data = train(Watched, seed, args)
        ours.append(trainer.history[-1]["val_acc"])
        theirs.append(trainer.model.twin.accuracy(data.val_dataloader()))
        digests = {digest(trainer.model)}
        for threads in args.threads:
            fd.set_num_threads(threads)
            digests.add(digest(train(recipe.Network, seed, args)[0].model))
        same = len(digests) == 1
        all_same &= same
        told = f"{min(digests)}, the same {1 + len(args.threads)} times" if same else f"DIFFER: {', '.join(digests)}"
        print(f"{seed:4}  {ours[-1]:.4f}    {theirs[-1]:.4f}   {abs(ours[-1] - theirs[-1]):.4f}   {told}", flush=True)
    mean, peer = sum(ours) / args.seeds, sum(theirs) / args.seeds
    least = MEAN_AT_LEAST[args.model]
    bounds = f"at most {MOST_APART} apart" + (f", freedive at least {least}" if least else "")
    print(f"mean of freedive {mean:.4f}, of PyTorch {peer:.4f} ({bounds})")
    return int(not all_same or abs(mean - peer) > MOST_APART or mean < least)


if __name__ == "__main__":
    sys.exit(main())
