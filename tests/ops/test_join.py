"""cat, stack and their kin, split, chunk, unbind against PyTorch."""

import itertools

import numpy as np
import pytest

import freedive as fd
from peer import DTYPES, assert_same, whole

rng = np.random.default_rng(3)


def test_random_cat(torch):
    for _ in range(150):
        shape = [int(s) for s in rng.integers(0, 4, size=rng.integers(1, 5))]
        dim = int(rng.integers(-len(shape), len(shape)))
        arrays = []
        for _ in range(rng.integers(1, 5)):
            shape[dim] = int(rng.integers(0, 4))
            arrays.append(rng.normal(size=shape))

        def program(lib, *ts, dim=dim):
            strided = [t.transpose(0, -1).contiguous().transpose(0, -1) for t in ts]
            return lib.cat(ts, dim), lib.cat(strided, dim=dim), lib.concat(list(ts), axis=dim)

        assert_same(torch, program, arrays, range(len(arrays)), second=True)


def test_random_stack(torch):
    for _ in range(100):
        shape = tuple(int(s) for s in rng.integers(0, 4, size=rng.integers(0, 4)))
        dim = int(rng.integers(-len(shape) - 1, len(shape) + 1))
        arrays = [rng.normal(size=shape) for _ in range(rng.integers(1, 5))]
        assert_same(torch, lambda lib, *ts, d=dim: lib.stack(ts, d), arrays, range(len(arrays)), second=True)


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(DTYPES, 2)))
def test_cat_promotes(a, b, torch):
    def program(lib, x, y):
        return lib.cat([x.to(getattr(lib, a)), y.to(getattr(lib, b))]), lib.stack([x.to(getattr(lib, b))] * 2, 1)

    assert_same(torch, program, [whole(2, 3), whole(1, 3)])


def test_cat_of_mixed_dtypes_has_gradients(torch):
    arrays = [rng.normal(size=3).astype(np.float32), rng.normal(size=2), np.array([1, 2])]
    assert_same(torch, lambda lib, *ts: lib.cat(ts), arrays, (0, 1))


def test_empty_vectors_join_with_anything(torch):
    empty = np.zeros(0, np.float32)
    assert_same(torch, lambda lib, e, x: (lib.cat([e, x, e], 1), lib.cat([e, e])), [empty, whole(2, 3)], (0, 1))


def test_stacking_like_numpy(torch):
    def program(lib, *ts):
        out = [lib.hstack(ts), lib.vstack(ts), lib.dstack(ts), lib.column_stack(ts), lib.row_stack(ts)]
        return [*out, list(lib.atleast_1d(*ts)), list(lib.atleast_2d(*ts)), list(lib.atleast_3d(list(ts)))]

    for shape in [(), (3,), (2, 3), (2, 3, 4)]:
        assert_same(torch, program, [rng.normal(size=shape) for _ in range(3)], (0, 1, 2))
    assert_same(torch, lambda lib, x: (lib.atleast_2d(x), lib.atleast_3d(x)), [whole(3)])


def test_random_splits(torch):
    for _ in range(150):
        shape = tuple(int(s) for s in rng.integers(1, 7, size=rng.integers(1, 4)))
        dim = int(rng.integers(-len(shape), len(shape)))
        n = shape[dim]
        size, count = int(rng.integers(1, n + 2)), int(rng.integers(1, n + 3))
        cuts = sorted(int(c) for c in rng.integers(-1, n + 2, size=2))

        def program(lib, t, dim=dim, n=n, size=size, count=count, cuts=cuts):
            return (
                lib.split(t, size, dim),
                t.split([1, n - 1], dim=dim),
                t.chunk(count, dim),
                lib.chunk(t, count, dim=dim),
                t.tensor_split(count, dim),
                lib.tensor_split(t, cuts, dim),
                t.unbind(dim),
                lib.unbind(t, dim=dim),
            )

        assert_same(torch, program, [rng.normal(size=shape)], (0,), second=True)


def test_empty_splits(torch):
    def program(lib, t):
        return t.split(0), t.split(2), t.chunk(3), t.split(2, 1), t.unbind(), t.tensor_split(2)

    assert_same(torch, program, [np.zeros((0, 3))])


def test_split_parts_are_views():
    t = fd.zeros(4, 2)
    for part in (*t.split(3), *t.chunk(2, 1), t.unbind(1)[0]):
        part += 1
    assert t.tolist() == [[3.0, 2.0]] * 4
    parts = (fd.ones(4, requires_grad=True) * 1).split(2)
    with pytest.raises(fd.GradError, match="one of several views"):
        parts[0].zero_()


def test_iteration_gives_rows(torch):
    assert_same(torch, lambda lib, t: list(t), [whole(3, 2)], (0,))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda t: fd.cat([]), ValueError, "at least one tensor"),
        (lambda t: fd.stack([]), ValueError, "at least one tensor"),
        (lambda t: fd.cat([t, t[:, :2]]), ValueError, "shapes (2, 3) and (2, 2) may differ only in dimension 0"),
        (lambda t: fd.cat([t, t[0]]), ValueError, "shapes (2, 3) and (3,)"),
        (lambda t: fd.cat([t, t], 2), IndexError, "dim 2"),
        (lambda t: fd.cat([t.sum(), t.sum()]), ValueError, "0-dim"),
        (lambda t: fd.stack([t, t[:1]]), ValueError, "one shape, got (2, 3) and (1, 3)"),
        (lambda t: fd.stack([t], 3), IndexError, "dim 3"),
        (lambda t: fd.cat(t), TypeError, ""),
        (lambda t: fd.cat([t, 1]), TypeError, ""),
        (lambda t: t.split([1, 2]), ValueError, "sum to 3"),
        (lambda t: t.split(0), ValueError, "split_size"),
        (lambda t: t.split(-1), ValueError, "split_size"),
        (lambda t: t.chunk(0), ValueError, "chunks"),
        (lambda t: t.sum().split(1), ValueError, "0-dim"),
        (lambda t: t.sum().unbind(), ValueError, "0-dim"),
        (lambda t: t.split(1, 2), IndexError, "dim 2"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error) as raised:
        call(fd.zeros(2, 3))
    assert text in str(raised.value)
