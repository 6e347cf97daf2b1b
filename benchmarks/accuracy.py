"""Does training here end where PyTorch's ends? `python -m benchmarks.accuracy`

For each seed the book's MLP (784-256-10, ReLU, SGD 0.1, batch 256) is trained on Fashion-MNIST as `freedive train`
does it, while a PyTorch twin with the same initial weights takes the same minibatches. Then the run is repeated with
every thread count, and its parameters compared bit for bit. Needs PyTorch; exits with 1 if a bound is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys

import numpy as np
import torch

import freedive as fd
from freedive.training import recipe
from freedive.training.trainer import Trainer

MEAN_AT_LEAST, MOST_APART = 0.835, 0.02


class Twin:
    """The same model in PyTorch, trained on the minibatches that the other one sees."""

    def __init__(self, net: fd.nn.Sequential, lr: float) -> None:
        layers: list[torch.nn.Module] = []
        for layer in net:
            if isinstance(layer, fd.nn.Linear):
                mine = torch.nn.Linear(layer.in_features, layer.out_features)
                with torch.no_grad():
                    mine.weight.copy_(as_torch(layer.weight))
                    mine.bias.copy_(as_torch(layer.bias))
                layers.append(mine)
            else:
                layers.append(getattr(torch.nn, type(layer).__name__)())
        self.net = torch.nn.Sequential(*layers)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=lr)

    def step(self, images: fd.Tensor, labels: fd.Tensor) -> None:
        self.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(self.net(as_torch(images)), as_torch(labels)).backward()
        self.optimizer.step()

    @torch.no_grad()
    def accuracy(self, loader: fd.data.DataLoader) -> float:
        right = sum(int((self.net(as_torch(x)).argmax(1) == as_torch(y)).sum()) for x, y in loader)
        return right / len(loader.dataset)


class Watched(recipe.Network):
    """Has a twin once its lazy layers know their shapes."""

    twin: Twin | None = None

    def training_step(self, batch):
        loss = super().training_step(batch)
        if self.twin is None:
            self.twin = Twin(self.net, self.lr)
        self.twin.step(*batch)
        return loss


def as_torch(t: fd.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.asarray(t.detach()))


def train(kind: type[recipe.Network], seed: int, epochs: int, data_dir: str | None) -> tuple[Trainer, recipe.Images]:
    """What `freedive train --data fashion-mnist --model mlp --seed SEED` does."""
    fd.manual_seed(seed)
    data = recipe.Images("fashion-mnist", 256, data_dir)
    trainer = Trainer(epochs, progress=False)
    trainer.fit(kind(recipe.build_net("mlp", (256,), 0.0), "sgd", 0.1), data)
    return trainer, data


def digest(model: fd.nn.Module) -> str:
    h = hashlib.sha256()
    for p in model.parameters():
        h.update(np.asarray(p.detach()).tobytes())
    return h.hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2], help="thread counts to repeat each run with")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    torch.set_num_threads(1)
    ours, failed = [], False
    print("seed  freedive  PyTorch  apart    parameters")
    for seed in range(args.seeds):
        trainer, data = train(Watched, seed, args.epochs, args.data_dir)
        ours.append(trainer.history[-1]["val_acc"])
        theirs = trainer.model.twin.accuracy(data.val_dataloader())
        digests = {digest(trainer.model)}
        for threads in args.threads:
            fd.set_num_threads(threads)
            digests.add(digest(train(recipe.Network, seed, args.epochs, args.data_dir)[0].model))
        same = len(digests) == 1
        failed |= not same or abs(ours[-1] - theirs) > MOST_APART
        told = f"{min(digests)}, the same {1 + len(args.threads)} times" if same else f"DIFFER: {', '.join(digests)}"
        print(f"{seed:4}  {ours[-1]:.4f}    {theirs:.4f}   {abs(ours[-1] - theirs):.4f}   {told}", flush=True)
    mean = sum(ours) / len(ours)
    print(f"mean of freedive {mean:.4f} (at least {MEAN_AT_LEAST})")
    return int(failed or mean < MEAN_AT_LEAST)


if __name__ == "__main__":
    sys.exit(main())
