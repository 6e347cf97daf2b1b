"""einsum and the other products over named dimensions against PyTorch and NumPy."""

import numpy as np
import pytest

import freedive as fd
from peer import DTYPES, assert_same

rng = np.random.default_rng(6)

EQUATIONS = [
    "ij,jk->ik", "ij,jk", "ij,kj->ik", "i,i->", "i,j->ij", "ij->ji", "ij->", "ij->j", "ii->i", "ii", "iij->j",
    "iiij->ji", "bij,bjk->bik", "bij,bkj->bik", "abc,cd->abd", "abcd,abce->abde", "abc,abc->", "abc,abc->b",
    "abc,bd,d->ac", "ab,bc,cd->ad", "ij,ij->ij", "ij,j->ij", "i,ij->ij", "ij,kl->ijkl", "ab,ab,ab->a",
    "...ij,...jk->...ik", "...i,i->...", "b...d,d->b...", "...,...->...", "i...,i...->...", "...a->a...",
    "a...b->...", "...ii->...i", "xA,Ay->yx", " i j , j k -> i k ", "ij,jk->ki", "bhqd,bhkd->bhqk",
    "nchw,oc->nohw", "a,b,c->cab",
]  # fmt: skip


def operands(equation):
    sizes = {c: int(rng.integers(1, 4)) for c in "abcdefghijklmnopqrstuvwxyzAB"}
    rest = [int(s) for s in rng.integers(1, 4, size=2)]
    arrays = []
    for term in equation.replace(" ", "").split("->")[0].split(","):
        shape = []
        left, dots, right = term.partition("...")
        shape = [sizes[c] for c in left] + (rest if dots else []) + [sizes[c] for c in right]
        arrays.append(rng.normal(size=shape))
    return arrays


@pytest.mark.parametrize("equation", EQUATIONS)
def test_equations(equation, torch):
    for _ in range(3):
        arrays = operands(equation)
        assert_same(
            torch, lambda lib, *ts: lib.einsum(equation, *ts), arrays, range(len(arrays)), second=True, rtol=1e-8
        )


def test_random_equations(torch):
    for _ in range(200):
        letters = "abcdef"[: int(rng.integers(2, 6))]
        terms = ["".join(rng.choice(list(letters), size=rng.integers(0, 4))) for _ in range(rng.integers(1, 4))]
        used = sorted(set("".join(terms)))
        out = "".join(rng.permutation([c for c in used if rng.random() < 0.5]))
        equation = ",".join(terms) + ("->" + out if rng.random() < 0.8 else "")
        arrays = operands(equation)
        assert_same(torch, lambda lib, *ts, e=equation: lib.einsum(e, ts), arrays, range(len(arrays)), rtol=1e-8)


def test_broadcasting_and_empty_dims(torch):
    a, b = rng.normal(size=(1, 3)), rng.normal(size=(4, 3))
    assert_same(torch, lambda lib, a, b: lib.einsum("ij,ij->i", a, b), [a, b], (0, 1), second=True)
    assert_same(torch, lambda lib, a, b: lib.einsum("...j,...j->...", a, b), [a[None], b], (0, 1))
    assert_same(torch, lambda lib, a, b: lib.einsum("ij,jk->ik", a, b), [np.zeros((2, 0)), np.zeros((0, 3))])
    assert_same(torch, lambda lib, a, b: lib.einsum("ij,jk->ik", a, b), [np.zeros((0, 2)), np.zeros((2, 3))])


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d not in ("bool", "uint8")])
def test_dtypes(dtype, torch):
    def program(lib, a, b):
        return lib.einsum("ij,jk->ik", a.to(getattr(lib, dtype)), b.to(getattr(lib, dtype)))

    arrays = [rng.integers(-4, 5, size=(3, 4)), rng.integers(-4, 5, size=(4, 2))]
    assert_same(torch, program, arrays, rtol=1e-2 if dtype == "bfloat16" else 1e-6)


def test_other_products(torch):
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 3, 5))

    def program(lib, a, b):
        u, v = a[0, :, 0], b[0, :, 0]
        return (
            lib.tensordot(a, b.transpose(0, 1), 2),
            lib.tensordot(a, b, dims=([1, 2], [1, 0])),
            lib.tensordot(a, b, ([2], [0])),
            lib.outer(u, v),
            u.outer(v),
            lib.cross(u, v, dim=0),
            lib.cross(a[:, :, 0], b[:2, :, 0], dim=1),
            lib.kron(a[0], b[0]),
            lib.kron(u, b[0]),
            lib.cov(a[0]),
            lib.cov(u),
            lib.cov(a[0], correction=0),
            lib.corrcoef(a[0]),
        )

    assert_same(torch, program, [a, b], (0, 1), second=True, rtol=1e-7)


@pytest.mark.parametrize("p", [0.0, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_cdist(p, torch):
    arrays = [rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4))]
    assert_same(torch, lambda lib, a, b: lib.cdist(a, b, p), arrays, (0, 1) if p else (), rtol=1e-7)


@pytest.mark.parametrize(
    ("equation", "shapes", "error", "text"),
    [
        ("ij,jk->ik", [(2, 3)], ValueError, "2 operands but 1 tensors"),
        ("ij->i", [(2, 3, 4)], ValueError, "does not name the 3 dimensions"),
        ("ij,jk->ik", [(2, 3), (4, 2)], ValueError, "sizes 3 and 4"),
        ("ii->i", [(2, 3)], ValueError, "repeated label has sizes 2 and 3"),
        ("ij->k", [(2, 3)], ValueError, "no operand has"),
        ("ij->ii", [(2, 3)], ValueError, "twice"),
        ("i1->i", [(2, 3)], ValueError, "unexpected '1'"),
        ("i......->i", [(2, 3)], ValueError, "more than one ellipsis"),
    ],
)
def test_refusals(equation, shapes, error, text):
    with pytest.raises(error) as raised:
        fd.einsum(equation, *[fd.zeros(s) for s in shapes])
    assert text in str(raised.value)


def test_product_refusals():
    t = fd.zeros(2, 4)
    with pytest.raises(fd.ShapeError, match="size 4 against dim 0 of size 2"):
        fd.tensordot(t, t, 1)
    with pytest.raises(fd.ShapeError, match="two vectors"):
        fd.outer(t, t)
    with pytest.raises(fd.ShapeError, match="size 3"):
        fd.cross(t, t)
    with pytest.raises(fd.ShapeError, match="cdist"):
        fd.cdist(t, t[:, :2])
