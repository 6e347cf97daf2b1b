"""Cross-entropy over many classes: rows that a block holds in registers, at the edges of its sizes, and others."""

import numpy as np
import pytest

import freedive as fd
from freedive.nn import functional as F

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("rows", "classes"), [(30, 1028), (3, 1027), (25, 8192), (2, 8196), (16, 16384), (9, 16388), (8, 32768), (2, 32772)]
)
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_as_on_the_cpu(rows, classes, reduction):
    x = fd.tensor((RNG.normal(size=(rows, classes + 4)) * 3).astype(np.float32))[:, :classes]
    y = fd.tensor(RNG.integers(0, classes, rows))
    y[1] = -100
    weight = fd.rand(classes) if rows % 2 else None
    sides = []
    for device in ("cpu", "cuda"):
        logits = x.to(device).detach().requires_grad_()
        there = None if weight is None else weight.to(device)
        loss = F.cross_entropy(logits, y.to(device), there, reduction=reduction)
        loss.sum().backward()
        sides.append((loss.detach().cpu().numpy(), logits.grad.cpu().numpy()))
    np.testing.assert_allclose(sides[1][0], sides[0][0], rtol=2e-6)
    np.testing.assert_allclose(sides[1][1], sides[0][1], rtol=1e-5, atol=1e-9)
    assert (sides[1][1][1] == 0).all()


@pytest.mark.parametrize("classes", [8, 1500, 1502, 2048])
def test_what_is_not_finite(classes):
    x = np.zeros((5, classes), np.float32)
    x[0, 7], x[1, 7], x[2, :], x[3, 5], x[4, 3] = np.nan, -np.inf, -np.inf, np.inf, -np.inf
    y = [3, 3, 3, 3, 3]
    sides = [F.cross_entropy(fd.tensor(x, device=d), fd.tensor(y, device=d), reduction="none") for d in ("cpu", "cuda")]
    np.testing.assert_array_equal(np.isnan(sides[1].cpu().numpy()), np.isnan(sides[0].numpy()))
    np.testing.assert_allclose(sides[1][1].item(), np.log(classes - 1), rtol=1e-6)


def test_a_wrong_label_is_named():
    logits = fd.zeros(3, 2048, device="cuda")
    F.cross_entropy(logits, fd.tensor([0, 2048, 1], device="cuda"))
    with pytest.raises(IndexError, match="cross_entropy: index 2048 at position 1"):
        fd.cuda.synchronize()
