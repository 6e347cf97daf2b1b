"""dropout: the mask's rate, its repetition in backward, channels, errors."""

import numpy as np
import pytest

import freedive as fd

F = fd._core


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_rate_and_scale(p):
    fd.manual_seed(1)
    y = F.dropout(fd.ones(200, 500), p).numpy()
    assert abs((y == 0).mean() - p) < 0.01
    np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)


@pytest.mark.parametrize("dtype", [fd.float32, fd.float64])
def test_backward_uses_the_same_mask(dtype):
    x = fd.rand(37, 11, dtype=dtype).requires_grad_(True)
    y = F.dropout(x, 0.3)
    y.backward(fd.full((37, 11), 2.0, dtype=dtype))
    ratio = np.where(y.detach().numpy() != 0, 2 / 0.7, 0)
    np.testing.assert_allclose(x.grad.numpy(), ratio, rtol=1e-6)


def test_backward_twice_and_second_derivative():
    x = fd.rand(50, dtype=fd.float64).requires_grad_(True)
    y = (F.dropout(x, 0.4) ** 2).sum()
    (g,) = fd.autograd.grad(y, x, create_graph=True)
    (h,) = fd.autograd.grad(g.sum(), x)
    kept = g.detach().numpy() != 0
    np.testing.assert_allclose(h.numpy(), np.where(kept, 2 / 0.6**2, 0))


def test_of_a_transposed_tensor():
    x = fd.rand(8, 6).requires_grad_(True)
    y = F.dropout(x.t(), 0.5)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy() != 0, y.detach().numpy().T != 0)


def test_seed_decides():
    def draw():
        return F.dropout(fd.ones(1000), 0.5).numpy()

    fd.manual_seed(3)
    first, second = draw(), draw()
    fd.manual_seed(3)
    np.testing.assert_array_equal(draw(), first)
    assert (first != second).any()


def test_ends_and_evaluation():
    x = fd.rand(5)
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 0.0) is x
    assert not F.dropout(x, 1.0).numpy().any()
    state = fd.get_rng_state().tolist()
    F.dropout(x, 0.5, False)
    assert fd.get_rng_state().tolist() == state


def test_in_place():
    x = fd.ones(1000)
    assert F.dropout(x, 0.5, True, True) is x
    assert set(np.unique(x.numpy())) == {0, 2}
    leaf = fd.ones(1000).requires_grad_(True)
    mid = leaf * 1
    F.dropout(mid, 0.5, inplace=True)
    mid.sum().backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), mid.detach().numpy())


@pytest.mark.parametrize(("function", "shape"), [("dropout1d", (40, 30, 5)), ("dropout2d", (40, 30, 3, 4))])
def test_channels(function, shape):
    for sizes in (shape, shape[1:]):
        x = fd.ones(*sizes).requires_grad_(True)
        y = getattr(F, function)(x, 0.5)
        flat = y.detach().numpy().reshape(int(np.prod(sizes[: len(sizes) - len(shape) + 2])), -1)
        assert ((flat == 0).all(1) | (flat == 2).all(1)).all()
        assert 0.2 < (flat == 0).mean() < 0.8
        y.sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_other_dtypes():
    assert F.dropout(fd.ones(4).to(fd.bfloat16), 0.5).dtype == fd.bfloat16
    with pytest.raises(TypeError, match="dropout: input is int64"):
        F.dropout(fd.ones(4, dtype=fd.int64), 0.5)


def test_errors():
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"dropout: p is .*; expected a probability between 0 and 1"):
            F.dropout(fd.ones(2), p)
    with pytest.raises(ValueError, match="dropout2d: input has shape"):
        F.dropout2d(fd.ones(2, 2))
