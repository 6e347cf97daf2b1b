"""flip, roll, repeat, pad, triangles, diagonals, grids against PyTorch."""

import numpy as np
import pytest

import freedive as fd
from peer import DTYPES, assert_same, whole

rng = np.random.default_rng(4)


def random_shape(low=1, high=5, least=0):
    return tuple(int(s) for s in rng.integers(least, 5, size=rng.integers(low, high)))


def test_turns(torch):
    for _ in range(100):
        shape = random_shape(2)
        dims = [int(d) for d in rng.choice(len(shape), size=rng.integers(1, len(shape) + 1), replace=False)]
        shifts = [int(s) for s in rng.integers(-6, 7, size=len(dims))]
        pair = tuple(int(d) for d in rng.choice(len(shape), size=2, replace=False))

        def program(lib, t, dims=dims, shifts=shifts, pair=pair):
            return (
                t.flip(dims),
                t.flip(*dims),
                lib.flip(t, dims),
                t.transpose(0, 1).flip(0),
                t.fliplr(),
                lib.flipud(t),
                t.roll(shifts, dims),
                lib.roll(t, shifts[0]),
                lib.roll(t, shifts=shifts[0], dims=dims[0]),
                lib.rot90(t, shifts[0], pair),
                t.rot90(dims=pair),
                t.movedim(pair[0], pair[1]),
                lib.moveaxis(t, pair, (1, 0)),
                t.swapaxes(*pair),
            )

        assert_same(torch, program, [rng.normal(size=shape)], (0,), second=True)


def test_repeats(torch):
    for _ in range(80):
        shape = random_shape(1, 4)
        times = [int(n) for n in rng.integers(0, 4, size=len(shape) + int(rng.integers(0, 2)))]
        dim = int(rng.integers(-len(shape), len(shape)))
        counts = rng.integers(0, 3, size=shape[dim])

        def program(lib, t, counts, times=times, dim=dim):
            return (
                t.repeat(times),
                t.repeat(*times),
                lib.tile(t, times),
                t.tile(times[0]),
                t.repeat_interleave(2, dim),
                lib.repeat_interleave(t, 3),
                t.repeat_interleave(counts, dim=dim),
                lib.repeat_interleave(t, repeats=counts, dim=dim, output_size=int(counts.sum())),
                lib.repeat_interleave(counts),
            )

        assert_same(torch, program, [rng.normal(size=shape), counts], (0,), second=True)


def test_triangles_and_diagonals(torch):
    for _ in range(80):
        shape = random_shape(2, 5, 1)
        k = int(rng.integers(-4, 5))
        a, b = (int(d) for d in rng.choice(len(shape), size=2, replace=False))

        def program(lib, t, k=k, a=a, b=b):
            flat = t.flatten()[:4]
            return (
                t.tril(),
                t.triu(k),
                lib.tril(t, diagonal=k),
                (t * 1).triu_(k),
                t.diagonal(k, a, b),
                lib.diagonal(t, offset=k, dim1=a, dim2=b),
                flat.diag(k),
                lib.diag(t.flatten(1), k),
                lib.diag_embed(t, k),
                lib.diag_embed(t, k, 0, -1),
                lib.diagflat(flat, k),
                lib.trace(t.flatten(1)),
            )

        assert_same(torch, program, [rng.normal(size=shape)], (0,), second=True)


def test_not_a_number_stays_out_of_triangles(torch):
    t = np.full((3, 3), np.nan)
    assert_same(torch, lambda lib, t: (t.tril(-1), t.triu(1)), [t])


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype, torch):
    def program(lib, t):
        t = t.to(getattr(lib, dtype))
        return (
            t.flip(1),
            t.roll(1, 0),
            t.rot90(),
            t.repeat(2, 1),
            t.repeat_interleave(2, 1),
            t.tril(),
            t[0].diag(),
            lib.nn.functional.pad(t, (1, 2)),
            lib.meshgrid(t[0], t[:, 1], indexing="ij"),
            t.unfold(1, 2, 1),
        )

    assert_same(torch, program, [whole(3, 4)])


def test_shapes(torch):
    def program(lib, t, v):
        return (
            t.unflatten(1, (2, -1)),
            lib.unflatten(t, -1, (3, 1)),
            t.ravel(),
            t.permute(2, 0, 1).ravel(),
            t.flatten(1),
            v.expand_as(t),
            t.reshape_as(t.reshape(3, 8)),
            t.view_as(t.reshape(8, 3)),
            lib.broadcast_to(v, (2, 4, 3)),
            lib.broadcast_tensors(t, v),
            lib.broadcast_shapes((3, 1), (2,), (1, 1, 1)) == (1, 3, 2),
            t.T.shape == (3, 4, 2),
            t.mT,
            lib.meshgrid(v, t[0, 0], v, indexing="xy"),
            lib.meshgrid([v, t[:, 0, 0]], indexing="ij"),
            t.unfold(1, 2, 1),
            t.unfold(2, 3, 2),
            t.unfold(0, 1, 1),
        )

    assert_same(torch, program, [rng.normal(size=(2, 4, 3)), rng.normal(size=3)], (0, 1), second=False)


def test_unfold_gradient(torch):
    for _ in range(20):
        size, step = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        assert_same(torch, lambda lib, t, s=size, p=step: t.unfold(0, s, p), [rng.normal(size=(6, 2))], (0,))


def test_random_pad(torch):
    for _ in range(120):
        shape = random_shape(2, 5, 2)
        dims = int(rng.integers(1, len(shape) + 1))
        widths = [int(w) for w in rng.integers(-1, 4, size=2 * dims)]
        dims = min(dims, 3, len(shape) - 1)
        borders = [int(w) for w in rng.integers(-1, 3, size=2 * dims)]

        def program(lib, t, widths=widths):
            return lib.nn.functional.pad(t, widths, value=1.5), lib.nn.functional.pad(t, tuple(widths))

        assert_same(torch, program, [rng.normal(size=shape)], (0,), second=True)
        for mode in ("reflect", "replicate", "circular"):
            if mode == "circular":  # torch reads memory it never wrote where one side is cropped
                borders = [abs(b) for b in borders]
            assert_same(
                torch,
                lambda lib, t, mode=mode, b=borders: (lib.pad if lib is fd else lib.nn.functional.pad)(t, b, mode),
                [rng.normal(size=shape)],
                (0,),
                second=True,
            )


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda t: t.flip(0, 0), ValueError, "given twice"),
        (lambda t: t.flip(2), IndexError, "dim 2"),
        (lambda t: t[0].fliplr(), ValueError, "at least 2 dimensions"),
        (lambda t: t.roll((1, 2), 0), ValueError, "2 shifts but 1 dims"),
        (lambda t: t.repeat(2), ValueError, "1 repeats for a tensor of 2"),
        (lambda t: t.repeat(-1, 2), ValueError, "negative"),
        (lambda t: t.repeat_interleave(fd.tensor([1, 2, 3]), 0), ValueError, "3 repeats for size 2"),
        (lambda t: t.repeat_interleave(-1), ValueError, "negative"),
        (lambda t: t[0].tril(), ValueError, "two dimensions"),
        (lambda t: t[None].diag(), ValueError, "vector or a matrix"),
        (lambda t: t.diagonal(0, 1, 1), ValueError, "two different dims"),
        (lambda t: t[0].trace(), ValueError, "matrix"),
        (lambda t: t.unflatten(1, (2, 2)), ValueError, "do not multiply to size 3"),
        (lambda t: fd.meshgrid(t, t), ValueError, "at most one dimension"),
        (lambda t: fd.meshgrid(t[0], t[0], indexing="yx"), ValueError, "'ij' or 'xy'"),
        (lambda t: fd.broadcast_tensors(t, t[:, :2]), ValueError, "do not broadcast"),
        (lambda t: fd.pad(t, (1,)), ValueError, "expected two for each"),
        (lambda t: fd.pad(t, (1,) * 6), ValueError, "6 widths but 2 dimensions"),
        (lambda t: fd.pad(t, (-2, -2)), ValueError, "crop more"),
        (lambda t: fd.pad(t, (3, 0), "reflect"), ValueError, "must be less than size 3"),
        (lambda t: fd.pad(t, (4, 0), "circular"), ValueError, "at most size 3"),
        (lambda t: fd.pad(t, (1, 0), "mirror"), ValueError, "got 'mirror'"),
        (lambda t: t.unfold(1, 4, 1), ValueError, "do not fit"),
        (lambda t: t.movedim((0, 1), (0,)), ValueError, "different lengths"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error) as raised:
        call(fd.zeros(2, 3))
    assert text in str(raised.value)
