"""Sorting, medians, quantiles, unique, search in sorted values against PyTorch and NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import freedive as fd
from peer import DTYPES, assert_same, whole

rng = np.random.default_rng(5)


def random_array(kind, shape):
    if kind == "ties":
        return rng.integers(0, 4, size=shape).astype(np.float32)
    a = rng.normal(size=shape)
    if kind == "nan":
        a[rng.random(shape) < 0.2] = np.nan
        a[rng.random(shape) < 0.1] = np.inf
        a[rng.random(shape) < 0.1] = -0.0
    return a


@pytest.mark.parametrize("kind", ["distinct", "ties", "nan"])
@pytest.mark.parametrize("descending", [False, True])
def test_random_sorts(kind, descending, torch):
    for _ in range(60):
        shape = tuple(int(s) for s in rng.integers(0, 40, size=rng.integers(1, 3)))
        dim = int(rng.integers(-len(shape), len(shape)))

        def program(lib, t, dim=dim):
            values, indices = t.sort(dim=dim, descending=descending, stable=True)
            return values, indices, lib.argsort(t, dim=dim, descending=descending, stable=True)

        assert_same(torch, program, [random_array(kind, shape)], (0,), second=kind == "distinct")


@pytest.mark.parametrize("n", [15, 16, 17, 31, 33, 1000, 5001])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.float32, np.float64, bool])
def test_sizes_and_dtypes(n, dtype):
    a = rng.integers(-300, 300, size=(3, n)).astype(dtype)
    for descending in (False, True):
        values, indices = fd.sort(fd.tensor(a), descending=descending)
        key = -a.astype(np.float64) if descending else a
        order = np.argsort(key, axis=1, kind="stable")
        np.testing.assert_array_equal(indices.numpy(), order)
        np.testing.assert_array_equal(values.numpy(), np.take_along_axis(a, order, 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("largest", [False, True])
def test_few_of_many(dtype, largest):
    for n, k in [(40, 1), (100, 5), (1000, 5), (1000, 64), (1000, 65), (3000, 700)]:
        a = rng.integers(0, 5000, size=(4, n)).astype(dtype)
        if a.dtype.kind == "f":
            a[rng.random(a.shape) < 0.01] = np.nan
        values, indices = fd.topk(fd.tensor(a), k, largest=largest)
        whole_values, whole_indices = fd.sort(fd.tensor(a), descending=largest)
        np.testing.assert_array_equal(values.numpy(), whole_values.numpy()[:, :k])
        np.testing.assert_array_equal(indices.numpy(), whole_indices.numpy()[:, :k])


def test_extreme_integers():
    a = np.array([2**63 - 1, -(2**63), 0, -1, 1])
    assert fd.tensor(a).sort().values.tolist() == sorted(a.tolist())
    assert fd.tensor(a).sort(descending=True).values.tolist() == sorted(a.tolist(), reverse=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype, torch):
    def program(lib, t):
        t = t.to(getattr(lib, dtype))
        out = tuple(t.sort(dim=0, stable=True)), t.unique(), t.msort()
        return out if dtype == "bool" else (*out, lib.isin(t, t[:2]), t.topk(2, 0).values)

    assert_same(torch, program, [rng.integers(0, 200, size=20)])


def test_names_and_scalars(torch):
    r = fd.tensor([3.0, 1.0]).sort()
    assert r.values.tolist() == [1, 3]
    assert r.indices.tolist() == [1, 0]
    assert type(r).__name__ == "sort"
    assert_same(
        torch,
        lambda lib, t: (tuple(t.sort()), t.argsort(), tuple(t.topk(1)), tuple(t.median(0))),
        [np.array(2.0)],
        (0,),
    )


def test_random_topk(torch):
    for _ in range(80):
        shape = tuple(int(s) for s in rng.integers(1, 60, size=rng.integers(1, 3)))
        dim = int(rng.integers(-len(shape), len(shape)))
        k, largest = int(rng.integers(0, shape[dim] + 1)), bool(rng.integers(0, 2))

        def program(lib, t, k=k, dim=dim, largest=largest):
            kth = tuple(t.kthvalue(max(k, 1), dim)) + tuple(lib.kthvalue(t, max(k, 1), dim, keepdim=True))
            return tuple(t.topk(k, dim, largest)) + kth

        assert_same(torch, program, [random_array("distinct", shape)], (0,), second=True)


@pytest.mark.parametrize("kind", ["distinct", "ties", "nan"])
def test_medians(kind, torch):
    for _ in range(60):
        shape = tuple(int(s) for s in rng.integers(1, 9, size=rng.integers(1, 4)))
        dim = int(rng.integers(-len(shape), len(shape)))

        def program(lib, t, dim=dim):
            with_dim = t.median(dim, keepdim=True)
            # Among equal medians torch's choice of position is arbitrary.
            return t.median(), with_dim.values, t.median(dim).values if kind == "distinct" else 0

        assert_same(torch, program, [random_array(kind, shape)], (0,) if kind == "distinct" else ())
    assert_same(torch, lambda lib, t: t.median(), [np.array([1.0, 2, 2, 2, 3])], (0,))


@pytest.mark.parametrize("arrangement", ["random", "ties", "sorted", "periodic", "nan", "integers"])
def test_median_of_many(arrangement):
    n = 40_001
    a = rng.normal(size=n).astype(np.float32)
    if arrangement == "ties":
        a = np.round(a)
    if arrangement == "sorted":
        a.sort()
    if arrangement == "periodic":
        a[:: n // 1024] += 100
    if arrangement == "nan":
        a[77] = np.nan
    if arrangement == "integers":
        a = rng.integers(-(2**40), 2**40, size=n)
    for values in (a, a[:-1]):
        middle = np.sort(values)[(values.size - 1) // 2]
        expected = values.dtype.type(np.nan) if np.isnan(values).any() else middle
        np.testing.assert_equal(fd.tensor(values).median().numpy(), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
def test_ranks_of_rows(dtype):
    """Medians and k-th values of short and long rows, with ties, against NumPy's stable order."""
    for rows, n in ((40, 7), (30, 64), (20, 65), (9, 1000), (3, 7000), (2, 140_001)):
        for spread in (3, 1e6):
            a = np.round(rng.normal(size=(rows, n)) * spread).astype(dtype)
            order = np.argsort(a, axis=1, kind="stable")
            for k in (1, (n + 1) // 2, n):
                expected = order[:, k - 1 : k]
                values, places = fd.kthvalue(fd.tensor(a), k, dim=1, keepdim=True)
                np.testing.assert_array_equal(places.numpy(), expected)
                np.testing.assert_array_equal(values.numpy(), np.take_along_axis(a, expected, 1))
            values, places = fd.tensor(np.ascontiguousarray(a.T)).median(0)
            np.testing.assert_array_equal(places.numpy(), order[:, (n - 1) // 2])
            np.testing.assert_array_equal(values.numpy(), np.take_along_axis(a, order[:, (n - 1) // 2, None], 1)[:, 0])


def test_quantiles(torch):
    for _ in range(60):
        shape = tuple(int(s) for s in rng.integers(1, 9, size=rng.integers(1, 4)))
        dim = int(rng.integers(-len(shape), len(shape)))
        q, keepdim = float(rng.random()), bool(rng.integers(0, 2))

        def program(lib, t, qs, dim=dim, q=q, keepdim=keepdim):
            return (
                t.quantile(q, dim, keepdim),
                lib.quantile(t, qs, dim=dim, keepdim=keepdim),
                lib.quantile(t, qs, keepdim=keepdim),
                lib.quantile(t, q),
            )

        assert_same(torch, program, [rng.normal(size=shape), rng.random(3)], (0,), rtol=1e-9)
    assert_same(torch, lambda lib, t: lib.quantile(t, 0.5, 1), [random_array("nan", (6, 5))])


def test_unique(torch):
    for shape in [(0,), (1,), (50,), (7, 9)]:
        a = rng.integers(0, 9, size=shape)

        def program(lib, t):
            return (
                t.unique(),
                lib.unique(t, return_inverse=True, return_counts=True),
                lib.unique(t, return_counts=True),
                lib.unique_consecutive(t, return_inverse=True, return_counts=True),
            )

        assert_same(torch, program, [a])


def test_search(torch):
    for _ in range(50):
        edges = np.sort(rng.integers(0, 20, size=int(rng.integers(0, 8)))).astype(np.float64)
        values = rng.integers(-2, 22, size=(3, 4)) / rng.choice([1, 2])

        def program(lib, e, v):
            rows = lib.stack([e, e * 2, e - 1])
            return (
                lib.searchsorted(e, v),
                lib.searchsorted(e, v, right=True),
                lib.searchsorted(rows, v, side="right"),
                lib.bucketize(v, e, right=True),
                lib.bucketize(v, e, out_int32=True),
                lib.searchsorted(e, 3),
            )

        assert_same(torch, program, [edges, values])


def test_bincount(torch):
    def program(lib, t, w):
        return t.bincount(), lib.bincount(t, minlength=12), lib.bincount(t, w), lib.bincount(t[:0], minlength=3)

    assert_same(torch, program, [rng.integers(0, 9, size=100), rng.normal(size=100)])
    assert_same(torch, program, [rng.integers(0, 9, size=100), rng.normal(size=100).astype(np.float32)], rtol=1e-5)


def test_isin(torch):
    def program(lib, t):
        return lib.isin(t, t[0] * 2), lib.isin(t, t[:0]), lib.isin(t, t[0], invert=True)

    assert_same(torch, program, [rng.integers(0, 9, size=(4, 5))])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(width=32), max_size=70), st.booleans())
def test_any_floats_like_numpy(values, descending):
    a = np.array(values, np.float32)
    got = fd.tensor(a).sort(descending=descending).values.numpy()
    expected = np.sort(a)
    np.testing.assert_array_equal(got, expected[::-1] if descending else expected)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda t: t.sort(2), IndexError, "dim 2"),
        (lambda t: t.topk(4), ValueError, "k is 4 but dim 1 has size 3"),
        (lambda t: t.topk(-1), ValueError, "k is -1"),
        (lambda t: t.kthvalue(0), ValueError, "counts from 1"),
        (lambda t: t.quantile(1.5), ValueError, "between 0 and 1"),
        (lambda t: t.long().quantile(0.5), TypeError, "float32 or float64"),
        (lambda t: t[:0].median(0), ValueError, "empty"),
        (lambda t: t.bincount(), ValueError, "one dimension"),
        (lambda t: t[0].bincount(), TypeError, "expected integers"),
        (lambda t: (t[0].long() - 1).bincount(), ValueError, "non-negative integers, got -1"),
        (lambda t: fd.searchsorted(t, t[0]), ValueError, "agree in all dimensions"),
        (lambda t: fd.searchsorted(t[0], t[0], side="up"), ValueError, "'left' or 'right'"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error) as raised:
        call(fd.zeros(2, 3))
    assert text in str(raised.value)


def test_whole_arrays_sort_along_rows():
    assert fd.tensor(whole(3, 4)[::-1].copy()).sort(0).values.tolist() == whole(3, 4).tolist()


@pytest.mark.parametrize(("shape", "dim"), [((13, 1000), 0), ((40, 50, 60), 1)])
def test_argmax_over_more_columns_than_a_strip(shape, dim):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    np.testing.assert_array_equal(fd.from_numpy(x).argmax(dim).numpy(), x.argmax(dim))
    np.testing.assert_array_equal(fd.from_numpy(x).argmin(dim).numpy(), x.argmin(dim))
