"""Training on the device follows training on the CPU."""

import numpy as np
import pytest

import freedive as fd
from freedive import nn
from freedive.nn import functional as F

STEPS, BATCH, SIDE, CLASSES = 200, 32, 6, 5


def batches():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLASSES, SIDE * SIDE))
    for _ in range(STEPS):
        y = rng.integers(0, CLASSES, BATCH)
        x = centres[y] + rng.normal(size=(BATCH, SIDE * SIDE))
        yield x.reshape(BATCH, 1, SIDE, SIDE).astype(np.float32), y


def train(device, make_optimizer):
    fd.manual_seed(1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, CLASSES))
    net.to(device)
    optimizer = make_optimizer(net.parameters())
    losses = []
    for x, y in batches():
        loss = F.cross_entropy(net(fd.tensor(x, device=device)), fd.tensor(y, device=device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return np.array([loss.item() for loss in losses])


OPTIMIZERS = {
    "sgd": lambda p: fd.optim.SGD(p, lr=0.05),
    "momentum": lambda p: fd.optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: fd.optim.Adam(p, lr=1e-3),
    "adamw": lambda p: fd.optim.AdamW(p, lr=1e-3, amsgrad=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_mlp_with_dropout_learns_as_on_the_cpu(name):
    ours, theirs = train("cuda", OPTIMIZERS[name]), train("cpu", OPTIMIZERS[name])
    assert theirs[-20:].mean() < 0.5 * theirs[:20].mean()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 1023, 4096, 5001])
@pytest.mark.parametrize("dtype", [fd.float32, fd.float64])
def test_dropout_masks_are_the_cpus_bit_for_bit(n, dtype):
    masks = []
    for device in ("cpu", "cuda"):
        fd.manual_seed(7)
        for p in (0.1, 0.5, 0.999, 1.0):
            masks.append(F.dropout(fd.ones(n, dtype=dtype, device=device), p).cpu() != 0)
    for ours, theirs in zip(masks[:4], masks[4:], strict=True):
        assert ours.equal(theirs)


@pytest.mark.parametrize("draw", [fd.rand, fd.randn, lambda *s, **o: fd.randint(0, 9, s, **o)])
def test_random_tensors_are_the_cpus(draw):
    tensors = []
    for device in ("cpu", "cuda"):
        fd.manual_seed(3)
        tensors.append(draw(50, 3, device=device))
    assert tensors[1].device.type == "cuda"
    assert tensors[0].equal(tensors[1].cpu())


def test_the_trainer_trains_on_the_device():
    from freedive.training import SoftmaxRegression, Trainer
    from freedive.training.recipe import Images

    histories = []
    for device in ("cpu", "cuda"):
        fd.manual_seed(0)
        trainer = Trainer(max_epochs=2, device=device, progress=False)
        model = SoftmaxRegression(num_outputs=10, lr=0.1)
        trainer.fit(model, Images("digits", 256, None))
        assert all(p.device.type == device for p in model.parameters())
        histories.append([(epoch["train_loss"], epoch["val_loss"], epoch["val_acc"]) for epoch in trainer.history])
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 4 * 4, 10),
    )


def test_a_convolutional_network_learns_as_on_the_cpu():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 1, 24, 24)).astype(np.float32), rng.integers(0, 10, 8)
    losses = []
    for device in ("cpu", "cuda"):
        fd.manual_seed(0)
        net = lenet().to(device)
        optimizer = fd.optim.SGD(net.parameters(), lr=0.3)
        inputs, labels = fd.tensor(x, device=device), fd.tensor(y, device=device)
        losses.append([])
        for _ in range(6):
            loss = F.cross_entropy(net(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    assert losses[0][-1] < losses[0][0]
