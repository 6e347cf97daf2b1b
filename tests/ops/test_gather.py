"""gather, scatter, take and masks against PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import freedive as fd
from peer import DTYPES, assert_same, whole

rng = np.random.default_rng(2)


def random_case():
    """Shapes of tensor and index, dim, and an index whose places along dim are distinct."""
    shape = tuple(int(s) for s in rng.integers(1, 5, size=rng.integers(1, 4)))
    dim = int(rng.integers(0, len(shape)))
    index_shape = tuple(int(rng.integers(1, s + 1)) for s in shape)
    order = np.argsort(rng.random((*index_shape[:dim], shape[dim], *index_shape[dim + 1 :])), axis=dim)
    distinct = np.take(order, np.arange(index_shape[dim]), axis=dim)
    return shape, index_shape, dim, distinct


def test_random_gather(torch):
    for _ in range(200):
        shape, index_shape, dim, _ = random_case()
        index = rng.integers(0, shape[dim], size=index_shape)
        x = rng.normal(size=shape)
        assert_same(torch, lambda lib, x, i, d=dim: lib.gather(x, d, i), [x, index], (0,), second=True)
        assert_same(torch, lambda lib, x, i, d=dim: x.t().gather(d, i) if x.dim() == 2 else x, [x, index.T], (0,))


def test_random_scatter(torch):
    for _ in range(200):
        shape, index_shape, dim, index = random_case()
        source = rng.normal(size=index_shape)

        def program(lib, x, s, i, dim=dim):
            return (
                x.scatter(dim, i, s),
                lib.scatter(x, dim, i, 2.5),
                (x * 1).scatter_(dim, i, s),
                (x * 1)[..., :].scatter_(dim, index=i, value=1.0),
                lib.scatter_add(x, dim, i, s),
                lib.scatter(x, dim, i, lib.cat([s, s], dim).detach()),
            )

        assert_same(torch, program, [rng.normal(size=shape), source, index], (0, 1), second=True)


def test_random_scatter_add(torch):
    for _ in range(100):
        shape, index_shape, dim, _ = random_case()
        index = rng.integers(0, shape[dim], size=index_shape)
        arrays = [rng.normal(size=shape), rng.normal(size=index_shape), index]
        assert_same(torch, lambda lib, x, s, i, d=dim: (x * 1).scatter_add_(d, i, s), arrays, (0, 1), second=True)


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce(reduce, include_self, torch):
    for _ in range(60):
        shape, index_shape, dim, _ = random_case()
        index = rng.integers(0, shape[dim], size=index_shape)
        # Where self does not take part, torch counts it among those who share the gradient all the same.
        offset = 0.5 if reduce.startswith("am") and not include_self else 0.0
        arrays = [rng.integers(-2, 3, size=shape) + offset, rng.integers(-2, 3, size=index_shape) * 1.0, index]

        def program(lib, x, s, i, dim=dim):
            return x.scatter_reduce(dim, i, s, reduce, include_self=include_self)

        assert_same(torch, program, arrays, (0, 1))
        arrays = [a.astype(np.int64) for a in arrays]
        assert_same(torch, program, arrays)


def test_scatter_reduce_modes(torch):
    def program(lib, x, s, i):
        return (
            x.scatter(1, i, s, reduce="add"),
            x.scatter(1, i, 3.0, reduce="multiply"),
            x.scatter(1, i, 2, reduce="add"),
        )

    assert_same(torch, program, [whole(2, 5), whole(2, 3), np.array([[0, 1, 1], [4, 0, 4]])])


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype, torch):
    def program(lib, x, i, mask):
        x = x.to(getattr(lib, dtype))
        return (
            x.gather(1, i),
            x.scatter(1, i, x[:, :2].contiguous()),
            x.scatter_add(1, i, x),
            x.masked_fill(mask, 1),
            x.masked_select(mask),
            x.take(i),
            lib.take_along_dim(x, i, 1),
            x.masked_scatter(mask, x.flip(0)),
        )

    arrays = [whole(3, 4), np.array([[0, 1], [2, 3], [3, 1]]), rng.random((3, 4)) < 0.5]
    assert_same(torch, program, arrays)


def test_int32_index(torch):
    i = np.array([[0], [2]], np.int32)
    assert_same(torch, lambda lib, x, i: (x.gather(1, i),), [whole(2, 3), i])


def test_take(torch):
    def program(lib, x, i):
        return (
            x.take(i),
            lib.take_along_dim(x, i.argsort(0), 0),
            lib.take_along_dim(x, i[:, :1] * 0 - 1, 1),
            lib.take_along_dim(x, i.abs()),
        )

    assert_same(torch, program, [rng.normal(size=(3, 4)), rng.integers(-3, 3, size=(3, 4))], (0,), second=True)


def test_masks(torch):
    def program(lib, x, v, mask):
        y = x * 2
        y.masked_fill_(mask[0], 3.0)
        return (
            y,
            x.masked_fill(mask, v),
            x.masked_fill(mask[:, :1], -1),
            lib.masked_select(x, mask),
            x[0].masked_select(mask),
            x.masked_scatter(mask, x * 10),
            (x * 1).masked_scatter_(mask[0], x * 10),
        )

    arrays = [rng.normal(size=(3, 4)), np.array(0.5), rng.random((3, 4)) < 0.5]
    assert_same(torch, program, arrays, (0, 1), second=True)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_gather_undoes_scatter(rows, columns, data):
    x = fd.tensor(whole(rows, columns))
    index = fd.tensor([data.draw(st.permutations(range(columns))) for _ in range(rows)])
    spread = fd.zeros(rows, columns).scatter(1, index, x)
    assert spread.gather(1, index).equal(x)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda t, i: t.gather(1, i + 4), IndexError, "gather: index 4 is out of bounds for dimension 1 with size 4"),
        (lambda t, i: t.gather(1, i - 1), IndexError, "index -1"),
        (lambda t, i: t.gather(0, i[0]), ValueError, "the index has 1 dimensions but the tensor has 2"),
        (lambda t, i: t[:1].gather(1, i), ValueError, "reaches beyond the tensor"),
        (lambda t, i: t.scatter(1, i, t[:1]), ValueError, "reaches beyond source"),
        (lambda t, i: t.scatter(1, i, t.double()), TypeError, "source is float64 but the tensor is float32"),
        (lambda t, i: t.scatter(1, i, t, reduce="max"), ValueError, "'add' or 'multiply', got 'max'"),
        (lambda t, i: t.scatter_(1, i + 4, t), IndexError, "index 4"),
        (lambda t, i: t.gather(1, t), TypeError, "int64 or int32"),
        (lambda t, i: t.gather(2, i), IndexError, "dim 2"),
        (lambda t, i: t.masked_fill(t, 1), TypeError, "mask must be bool"),
        (lambda t, i: t.masked_fill_(fd.ones(5, dtype=fd.bool), 1), ValueError, "broadcast"),
        (lambda t, i: t.masked_fill(t > 0, t), ValueError, "0-dim"),
        (lambda t, i: t.masked_scatter(t == 0, t[0]), ValueError, "source has 4 elements but the mask chooses 8"),
        (lambda t, i: t.take(i + 8), IndexError, "index 8 is out of bounds"),
    ],
)
def test_refusals(call, error, text):
    t, i = fd.zeros(2, 4), fd.zeros(2, 4, dtype=fd.int64)
    with pytest.raises(error) as raised:
        call(t, i)
    assert text in str(raised.value)
    assert t.sum().item() == 0


def test_no_gradient_is_refused():
    x = fd.ones(2, requires_grad=True) * 1
    with pytest.raises(fd.GradError, match="scatter_reduce"):
        x.scatter(0, fd.tensor([0]), fd.ones(1), reduce="multiply")
