"""Result types of every pair of dtypes, 0-dim tensors and numbers, against PyTorch."""

import itertools

import pytest

import freedive as fd

DTYPES = ("bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64")
OPS = ("add", "mul", "sub", "div", "maximum", "pow", "eq")
NUMBERS = (True, 2, 2.5)


def outcome(lib, op, left, right):
    """The dtype of the result, or "refused"."""
    try:
        return str(getattr(lib, op)(left(lib), right(lib)).dtype).split(".")[1]
    except (RuntimeError, TypeError):
        return "refused"


def tensor(dtype, *shape):
    return lambda lib: lib.ones(shape, dtype=getattr(lib, dtype))


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(("a", "b"), list(itertools.product(DTYPES, DTYPES)))
def test_tensors(torch, op, a, b):
    for left, right in itertools.product([(), (3,)], repeat=2):
        makers = tensor(a, *left), tensor(b, *right)
        assert outcome(fd, op, *makers) == outcome(torch, op, *makers), (left, right)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", NUMBERS)
def test_numbers(torch, op, dtype, number):
    if op == "maximum":
        pytest.skip("torch's maximum takes tensors only")
    for shape in [(), (3,)]:
        makers = tensor(dtype, *shape), lambda lib: number
        assert outcome(fd, op, *makers) == outcome(torch, op, *makers), shape


@pytest.mark.parametrize(("a", "b"), list(itertools.product(DTYPES, DTYPES)))
def test_promote_types(torch, a, b):
    ours = fd.promote_types(getattr(fd, a), getattr(fd, b))
    theirs = torch.promote_types(getattr(torch, a), getattr(torch, b))
    assert str(ours).split(".")[1] == str(theirs).split(".")[1]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(DTYPES, DTYPES)))
def test_in_place_keeps_the_dtype_or_is_refused(torch, a, b):
    def result(lib):
        try:
            t = lib.ones(3, dtype=getattr(lib, a))
            t += lib.ones(3, dtype=getattr(lib, b))
            return str(t.dtype).split(".")[1]
        except (RuntimeError, TypeError):
            return "refused"

    assert result(fd) == result(torch)


@pytest.mark.parametrize("op", ["sum", "mean", "prod", "cumsum", "max", "argmax", "any"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions(torch, op, dtype):
    if (op, dtype) in {("argmax", "bool"), ("any", "uint8")}:
        pytest.skip("torch refuses the one and gives uint8 for the other")

    def result(lib):
        t = lib.ones(2, 3, dtype=getattr(lib, dtype))
        try:
            return str((t.cumsum(0) if op == "cumsum" else getattr(t, op)()).dtype).split(".")[1]
        except (RuntimeError, TypeError):
            return "refused"

    assert result(fd) == result(torch)
