"""A network of 784-256-10 with dropout beside the CPU: minibatches of 256, 200 steps.

Two minutes on an emulated GPU, so only where FREEDIVE_FULL_SIZE=1 asks for it (`.ci/cuda all`).
"""

import os

import numpy as np
import pytest

import freedive as fd
from freedive import nn
from freedive.nn import functional as F

STEPS, BATCH, INPUTS, HIDDEN, CLASSES = 200, 256, 784, 256, 10

pytestmark = pytest.mark.skipif(
    fd._core._cuda_emulated() and os.environ.get("FREEDIVE_FULL_SIZE") != "1",
    reason="minutes on the emulated device; FREEDIVE_FULL_SIZE=1 runs it",
)


class Watched(nn.Dropout):
    """Keeps the masks, drawn once more from where the generator was."""

    def __init__(self, p):
        super().__init__(p)
        self.masks = []

    def forward(self, x):
        before = fd.get_rng_state()
        out = super().forward(x)
        after = fd.get_rng_state()
        fd.set_rng_state(before)
        mask = F.dropout(fd.ones_like(x), self.p) != 0
        fd.set_rng_state(after)
        assert out.detach().equal(x.detach() * mask / (1 - self.p))
        self.masks.append(mask.cpu().numpy())
        return out


def train(device):
    fd.manual_seed(1)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLASSES, INPUTS)) * 0.3
    dropout = Watched(0.5)
    net = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), dropout, nn.Linear(HIDDEN, CLASSES)).to(device)
    optimizer = fd.optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(STEPS):
        y = rng.integers(0, CLASSES, BATCH)
        x = (centres[y] + rng.normal(size=(BATCH, INPUTS))).astype(np.float32)
        loss = F.cross_entropy(net(fd.tensor(x, device=device)), fd.tensor(y, device=device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return np.array([loss.item() for loss in losses]), dropout.masks


def test_the_cpu_and_the_device_learn_the_same():
    (theirs, their_masks), (ours, our_masks) = train("cpu"), train("cuda")
    assert len(our_masks) == STEPS
    assert all((a == b).all() for a, b in zip(our_masks, their_masks, strict=True))
    apart = np.abs(ours - theirs) / theirs
    print(
        f"\n{STEPS} masks of {BATCH} x {HIDDEN} equal bit for bit; loss from {theirs[0]:.4f} to {theirs[-1]:.4f}; "
        f"at most {apart.max():.2e} apart (relative), at step {apart.argmax()}"
    )
    assert theirs[-1] < 0.05 * theirs[0]
    assert apart.max() < 1e-5
