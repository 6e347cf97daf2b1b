"""Fifty steps of every optimiser on each chapter's net: the losses are PyTorch's, from equal weights and batches."""

import numpy as np
import pytest

import freedive as fd

EPOCHS, BATCHES, BATCH = 10, 5, 16

OPTIMISERS = {
    "SGD": ("SGD", {"lr": 0.05}),
    "momentum": ("SGD", {"lr": 0.02, "momentum": 0.9}),
    "Nesterov and weight decay": ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "Adagrad": ("Adagrad", {"lr": 0.02}),
    "RMSprop": ("RMSprop", {"lr": 0.002, "alpha": 0.9}),
    "Adadelta": ("Adadelta", {"lr": 1.0, "rho": 0.9}),
    "Adam": ("Adam", {"lr": 0.002}),
    "AdamW": ("AdamW", {"lr": 0.002, "weight_decay": 0.1}),
}


def linear_regression(nn):
    return nn.Linear(5, 1)


def softmax_regression(nn):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def mlp(nn):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


def lenet(nn):
    def block(ins, outs, padding):
        return nn.Conv2d(ins, outs, 5, padding=padding), nn.Sigmoid(), nn.AvgPool2d(2, stride=2)

    head = (nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10))
    return nn.Sequential(*block(1, 6, 2), *block(6, 16, 0), *head)


def lenet_with_batch_norm(nn):
    def block(ins, outs, padding):
        return nn.Conv2d(ins, outs, 5, padding=padding), nn.BatchNorm2d(outs), nn.Sigmoid(), nn.AvgPool2d(2, stride=2)

    head = (nn.Flatten(), nn.Linear(400, 120), nn.BatchNorm1d(120), nn.Sigmoid())
    return nn.Sequential(*block(1, 6, 2), *block(6, 16, 0), *head, nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10))


NETS = {f.__name__: f for f in (linear_regression, softmax_regression, mlp, lenet, lenet_with_batch_norm)}


def batches(name):
    """Inputs and targets of an epoch: noisy lines, or images that are one of ten patterns plus noise."""
    rng = np.random.default_rng(0)
    if name == "linear_regression":
        w = rng.normal(size=(5, 1))
        for _ in range(BATCHES):
            X = rng.normal(size=(BATCH, 5)).astype(np.float32)
            yield X, (X @ w + 4.2 + 0.01 * rng.normal(size=(BATCH, 1))).astype(np.float32)
        return
    patterns = rng.random((10, 1, 28, 28))
    for _ in range(BATCHES):
        y = rng.integers(0, 10, BATCH)
        yield (0.5 * patterns[y] + 0.5 * rng.random((BATCH, 1, 28, 28))).astype(np.float32), y


def start(net, lib):
    """The same weights in both libraries: drawn by NumPy in the manner of Xavier, biases 0, scales of a norm 1."""
    rng = np.random.default_rng(1)
    for name, parameter in net.named_parameters():
        shape = tuple(parameter.shape)
        if len(shape) > 1:
            scale = (6 / (shape[0] + shape[1])) ** 0.5 / int(np.prod(shape[2:])) ** 0.5
            parameter.data = lib.tensor(rng.uniform(-scale, scale, shape).astype(np.float32))
        elif name.endswith("bias"):
            parameter.data.zero_()


def losses(lib, name, optimiser):
    net = NETS[name](lib.nn)
    start(net, lib)
    kind, options = OPTIMISERS[optimiser]
    optimizer = getattr(lib.optim, kind)(net.parameters(), **options)
    loss_of = lib.nn.MSELoss() if name == "linear_regression" else lib.nn.CrossEntropyLoss()
    seen = []
    for X, y in list(batches(name)) * EPOCHS:
        loss = loss_of(net(lib.tensor(X)), lib.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    return seen


@pytest.fixture
def one_thread(torch):
    """Both libraries on one thread: the nets are small, and two pools on few cores wait for each other."""
    before = torch.get_num_threads(), fd.get_num_threads()
    torch.set_num_threads(1)
    fd.set_num_threads(1)
    yield
    torch.set_num_threads(before[0])
    fd.set_num_threads(before[1])


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("name", NETS)
def test_losses(torch, name, optimiser):
    ours, theirs = losses(fd, name, optimiser), losses(torch, name, optimiser)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert sum(ours[-BATCHES:]) < sum(ours[:BATCHES])
