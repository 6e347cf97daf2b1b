"""The kernels on NumPy arrays: values, out=, layouts, refusals."""

import numpy as np
import pytest

import freedive as fd
from freedive import kernels
from freedive.testing import isas, use_isa

RNG = np.random.default_rng(1)


PRODUCTS = [(1, 1, 1), (3, 5, 7), (17, 33, 65), (64, 10, 256), (5, 0, 3), (0, 4, 2), (130, 1, 129)]


def normal(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (3, 5, 7), (17, 33, 65), (64, 10, 256), (5, 0, 3), (0, 4, 2), (130, 1, 129)]
)
@pytest.mark.parametrize(("trans_a", "trans_b"), [(False, False), (False, True), (True, False), (True, True)])
def test_gemm(isa, dtype, shape, trans_a, trans_b):
    m, k, n = shape
    a = normal(*((k, m) if trans_a else (m, k)), dtype=dtype)
    b = normal(*((n, k) if trans_b else (k, n)), dtype=dtype)
    bias = normal(n, dtype=dtype)
    exact = (a.T if trans_a else a).astype(np.float64) @ (b.T if trans_b else b).astype(np.float64)
    eps = np.finfo(dtype).eps
    with use_isa(isa):
        options = {"trans_a": trans_a, "trans_b": trans_b}
        np.testing.assert_allclose(kernels.gemm(a, b, **options), exact, atol=(k + 4) * 4 * eps, rtol=0)
        out = kernels.gemm(a, b, bias=bias, activation="relu", **options)
        np.testing.assert_allclose(out, np.maximum(exact + bias, 0), atol=(k + 4) * 4 * eps, rtol=0)
        out = np.ones((m, n), dtype)
        assert kernels.gemm(a, b, accumulate=True, out=out, **options) is out
        np.testing.assert_allclose(out, exact + 1, atol=(k + 4) * 4 * eps, rtol=0)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("batch", [1, 3])
def test_gemm_of_batches_and_thin_results(batch, n):
    a, b = normal(batch, 2, 1), normal(batch, 1, n)
    for isa in isas():
        with use_isa(isa):
            np.testing.assert_allclose(kernels.gemm(a, b), a @ b, rtol=1e-6)


def test_out_may_be_the_input():
    x = normal(100)
    want = np.exp(x)
    assert kernels.exp(x, out=x) is x
    np.testing.assert_allclose(x, want, rtol=1e-6)


def test_large_results_use_recycled_memory():
    x = normal(512, 256)
    first, second = kernels.exp(x), kernels.exp(-x)
    kept = first.copy()
    address = second.ctypes.data
    view = first[3:]
    assert first.flags.writeable and address % 64 == 0
    del first, second
    third = kernels.add(x, x)
    np.testing.assert_array_equal(view, kept[3:])  # a view keeps its array's memory
    assert third.ctypes.data == address
    np.testing.assert_array_equal(third, x + x)


def test_any_layout():
    x = normal(20, 30)
    for view in (x.T, x[::2, ::3], x[::-1], np.broadcast_to(x[0], (4, 30)), np.asfortranarray(x)):
        np.testing.assert_allclose(kernels.tanh(view), np.tanh(view), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(kernels.sum(view, 0), view.sum(0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: kernels.gemm(normal(2, 3), normal(4, 5)), fd.ShapeError, "columns"),
        (lambda: kernels.exp(np.arange(3)), fd.DTypeError, "int64"),
        (lambda: kernels.add(normal(3), normal(3, dtype=np.float64)), fd.DTypeError, "expected the same"),
        (lambda: kernels.exp(normal(3), out=np.empty(4, np.float32)), fd.ShapeError, "out has shape"),
        (lambda: kernels.exp(normal(3), out=np.empty(3)), fd.DTypeError, "out is"),
        (lambda: kernels.softmax_cross_entropy(normal(2, 3), np.array([0, 3])), IndexError, "3"),
        (lambda: kernels.softmax_cross_entropy(normal(2, 3), np.zeros(2)), fd.ShapeError, "class numbers are integers"),
        (lambda: kernels.dropout(normal(3), 1.5, seed=0), ValueError, "p"),
        (lambda: kernels.gemm(normal(2, 2), normal(2, 2), activation="swish"), ValueError, "swish"),
    ],
)
def test_refusals(act, error, message):
    with pytest.raises(error, match=message):
        act()


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_dropout_keeps_the_share_it_says(p):
    n = 200_000
    y = kernels.dropout(np.ones(n, np.float32), p, seed=5, offset=7)
    kept = (y != 0).mean()
    assert abs(kept - (1 - p)) <= 5 * np.sqrt(max(p * (1 - p), 1e-12) / n)
    if p < 1:
        np.testing.assert_allclose(y[y != 0], 1 / (1 - p), rtol=1e-6)
    assert np.array_equal(kernels.dropout_mask(n, p, seed=5, offset=7), y != 0)
    assert p in (0.0, 1.0) or not np.array_equal(kernels.dropout_mask(n, p, seed=5, offset=8), y != 0)


def test_dropout_masks_are_the_same_on_every_isa():
    masks = []
    for isa in isas():
        with use_isa(isa):
            masks.append(kernels.dropout_mask((37, 41), 0.3, seed=2))
    assert all(np.array_equal(m, masks[0]) for m in masks)


def test_dropout_decisions_are_not_correlated():
    kept = kernels.dropout_mask(1 << 16, 0.5, seed=11).astype(np.float64) - 0.5
    for lag in (1, 2, 4, 8, 16, 64):
        assert abs((kept[:-lag] * kept[lag:]).mean() * 4) < 5 / np.sqrt(len(kept))


# ------------------------------------------------------------------------------------------------ conv, pool


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"padding": 1}, {"stride": (2, 1), "dilation": 2, "padding": (2, 0)}])
def test_conv2d_is_the_tensors_own(isa, dtype, options):
    x, w, b = normal(3, 4, 9, 8, dtype=dtype), normal(6, 4, 3, 2, dtype=dtype), normal(6, dtype=dtype)
    with use_isa(isa):
        y = kernels.conv2d_forward(x, w, b, **options)
        tensors = [fd.tensor(a).requires_grad_(True) for a in (x, w, b)]
        out = fd.nn.functional.conv2d(*tensors, **options)
        g = normal(*y.shape, dtype=dtype)
        out.backward(fd.tensor(g))
        np.testing.assert_array_equal(y, out.detach().numpy())
        for grad, t in zip(kernels.conv2d_backward(g, x, w, **options), tensors, strict=True):
            np.testing.assert_array_equal(grad, t.grad.numpy())
        assert kernels.conv2d_forward(x, w, b, out=np.empty_like(kernels.conv2d_forward(x, w, b))).shape[1] == 6


@pytest.mark.parametrize("isa", isas())
def test_pooling_is_the_tensors_own(isa):
    x = normal(2, 3, 9, 8)
    with use_isa(isa):
        y, indices = kernels.max_pool2d_forward(x, 3, 2, 1)
        t = fd.tensor(x).requires_grad_(True)
        out, at = fd.nn.functional.max_pool2d(t, 3, 2, 1, return_indices=True)
        np.testing.assert_array_equal(y, out.detach().numpy())
        np.testing.assert_array_equal(indices, at.numpy())
        g = normal(*y.shape)
        out.backward(fd.tensor(g))
        np.testing.assert_array_equal(kernels.max_pool2d_backward(g, indices, (9, 8)), t.grad.numpy())
        t.grad = None
        out = fd.nn.functional.avg_pool2d(t, (3, 2))
        np.testing.assert_array_equal(kernels.avg_pool2d_forward(x, (3, 2)), out.detach().numpy())
        g = normal(*out.shape)
        out.backward(fd.tensor(g))
        np.testing.assert_array_equal(kernels.avg_pool2d_backward(g, x, (3, 2)), t.grad.numpy())


def test_windows_are_refused_clearly():
    x = normal(1, 2, 4, 4)
    with pytest.raises(fd.ShapeError, match="the kernel covers 5 elements but the padded input has 4"):
        kernels.conv2d_forward(x, normal(3, 2, 5, 5))
    with pytest.raises(fd.ShapeError, match=r"grad has shape \(1, 3, 4, 4\); expected \(1, 3, 2, 2\)"):
        kernels.conv2d_backward(normal(1, 3, 4, 4), x, normal(3, 2, 3, 3))
    with pytest.raises(IndexError, match="index 16 lies outside of a plane of 16 elements"):
        kernels.max_pool2d_backward(normal(1, 1, 1, 1), np.full((1, 1, 1, 1), 16), 4)
