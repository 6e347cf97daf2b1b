"""Calls that no overload takes: a TypeError of one line that names the function and the argument."""

import pytest

import freedive as fd
from freedive import _core
from freedive.nn import functional as F

x = fd.ones(2, 3)

SLIPS = {
    "a string for a tensor": (lambda: fd.relu("a"), "relu: argument 'input' is str; expected Tensor"),
    "an operand": (lambda: fd.add(x, "a"), "add: argument 'other' is str; expected Tensor or number"),
    "a keyword's type": (lambda: x.sum(dim="a"), "sum: argument 'dim' is str; expected int, a sequence of ints or"),
    "a list for labels": (lambda: F.cross_entropy(x, [0, 1]), "cross_entropy: argument 'target' is list; expect"),
    "two overloads": (lambda: fd.split(x, "a"), "split: argument 'split_size_or_sections' is str; expected int or a "),
    "one tensor for many": (lambda: fd.cat(x), "cat: argument 'tensors' is Tensor; expected a sequence of Tensors"),
    "a number among tensors": (lambda: fd.cat([x, 1]), "cat: argument 'tensors' is list with other things in it"),
    "a large dim": (lambda: x.unsqueeze(10**30), "unsqueeze: argument 'dim' is int out of range; expected int"),
    "something missing": (lambda: x.transpose(0), "transpose: argument 'dim1' is missing; it takes dim0, dim1"),
    "too many": (lambda: fd.mm(x, x, x), "mm: got 3 positional arguments; it takes input, mat2, out"),
    "too many for a method": (lambda: x.item(1), "item: got 1 positional argument; it takes no arguments"),
    "an unknown name": (lambda: fd.sqrt(x=x), "sqrt: has no argument 'x'; it takes input, out"),
    "a class": (lambda: fd.device(3.5), "device: argument 'device' is float; expected device or str"),
    "a parameter is a tensor": (
        lambda: fd.dot(fd.nn.Parameter(x), [1]),
        "dot: argument 'tensor' is list; expected Tensor",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_message(slip):
    call, words = SLIPS[slip]
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value).startswith(words)


def compiled(owner):
    return [name for name in dir(owner) if type(getattr(owner, name)).__name__ in ("nb_func", "nb_method")]


def test_every_compiled_function_refuses_in_one_line():
    nothing_fits = [object()] * 12
    refused = 0
    for owner, names in ((_core, compiled(_core)), (x, compiled(fd.Tensor))):
        for name in names:
            try:
                getattr(owner, name)(*nothing_fits)
            except TypeError as error:
                assert "\n" not in str(error), name
                refused += 1
    assert refused > 300


def test_shapes_and_dtypes_are_told_twice():
    """By what is wrong, and as PyTorch has it, so that what catches its RuntimeError goes on working."""
    for error in (ValueError, RuntimeError, fd.ShapeError):
        with pytest.raises(error, match="do not multiply"):
            x @ x
    for error in (TypeError, RuntimeError, fd.DTypeError):
        with pytest.raises(error, match="expected a floating tensor"):
            fd.arange(3).mean()
