"""softmax, log_softmax, softmin: values, gradients of first and second order, extremes, errors."""

# ruff: noqa: B023  (functions made in a loop are called in the same round)

import numpy as np
import pytest

import freedive as fd
from parity import assert_parity, gradcheck

rng = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize(
    ("shape", "dim"), [((7,), 0), ((5, 9), 1), ((5, 9), 0), ((2, 3, 4), -2), ((3, 1), -1), ((), 0)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parity(name, shape, dim, dtype, torch):
    x = np.asarray(rng.normal(size=shape) * 3, dtype)
    theirs = getattr(torch.nn.functional, name)
    assert_parity(torch, lambda t: getattr(fd, name)(t, dim), lambda t: theirs(t, dim), [x], atol=2e-6)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dim", [0, 1])
def test_gradcheck(name, dim):
    gradcheck(lambda t: getattr(fd, name)(t, dim), [rng.normal(size=(3, 4))])


def test_many_shapes(torch):
    for _ in range(30):
        shape = tuple(rng.integers(0, 7, size=rng.integers(1, 5)))
        dim = int(rng.integers(-len(shape), len(shape)))
        x = rng.normal(size=shape).astype(np.float32)
        for name in ("softmax", "log_softmax"):
            theirs = getattr(torch, name)
            assert_parity(torch, lambda t: getattr(fd, name)(t, dim), lambda t: theirs(t, dim), [x], atol=2e-6)


def test_strided_input(torch):
    x = rng.normal(size=(4, 6)).astype(np.float32)
    assert_parity(torch, lambda t: fd.softmax(t.t(), 1), lambda t: torch.softmax(t.t(), 1), [x])


def test_extremes():
    y = fd.softmax(fd.tensor([1e30, -1e30, 1e30]), 0).numpy()
    np.testing.assert_array_equal(y, [0.5, 0, 0.5])
    np.testing.assert_array_equal(fd.softmax(fd.tensor([0.0, -float("inf")]), 0).numpy(), [1, 0])
    assert np.isnan(fd.softmax(fd.tensor([0.0, float("nan")]), 0).numpy()).all()


def test_the_gradient_given_is_left_alone():
    x, g = fd.tensor(rng.normal(size=(3, 4)), requires_grad=True), fd.tensor(rng.normal(size=(3, 4)))
    before = g.numpy().copy()
    fd.softmax(x, 1).backward(g)
    np.testing.assert_array_equal(g.numpy(), before)


def test_dtype_and_method():
    x = fd.tensor([1, 2, 3])
    assert fd.softmax(x, 0, dtype=fd.float64).dtype == fd.float64
    assert x.softmax(0, fd.float32).dtype == fd.float32
    half = fd.tensor([1.0, 2.0]).to(fd.bfloat16)
    assert half.log_softmax(-1).dtype == fd.bfloat16


def test_errors():
    with pytest.raises(TypeError, match="softmax: input is int64; expected a floating dtype"):
        fd.softmax(fd.tensor([1, 2]), 0)
    with pytest.raises(IndexError, match="log_softmax: dim 2 is out of range"):
        fd.log_softmax(fd.tensor([[1.0]]), 2)
