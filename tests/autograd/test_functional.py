"""Jacobians and Hessians against PyTorch's, in every form of inputs and outputs."""

import numpy as np
import pytest

import freedive as fd

X, Y = np.array([0.5, -1.0, 2.0]), np.array([[1.0, 2.0, -0.5], [0.3, 0.1, 4.0]])

JACOBIANS = {
    "one to one": (lambda lib: lambda x: x**3, 1),
    "to a number": (lambda lib: lambda x: x.sum() ** 2, 1),
    "independent of the input": (lambda lib: lambda x: lib.ones(2, dtype=lib.float64), 1),
    "two inputs": (lambda lib: lambda x, y: y @ x, 2),
    "two outputs": (lambda lib: lambda x: (x.exp(), x.sum()), 1),
    "two and two": (lambda lib: lambda x, y: (y @ x, x * 2), 2),
}
HESSIANS = {
    "one input": (lambda lib: lambda x: (x**3).sum(), 1),
    "linear": (lambda lib: lambda x: x.sum(), 1),
    "two inputs": (lambda lib: lambda x, y: ((y @ x) ** 2).sum(), 2),
}


def flat(found):
    if isinstance(found, (tuple, list)):
        return [array for part in found for array in flat(part)]
    return [found.detach().numpy()]


def compare(torch, kind, program, count):
    def run(lib):
        inputs = tuple(lib.tensor(a) for a in (X, Y)[:count])
        return getattr(lib.autograd.functional, kind)(program(lib), inputs if count > 1 else inputs[0])

    ours, theirs = run(fd), run(torch)
    assert type(ours) is fd.Tensor or type(ours) is type(theirs)
    for a, b in zip(flat(ours), flat(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobian(torch, name):
    compare(torch, "jacobian", *JACOBIANS[name])


@pytest.mark.parametrize("name", HESSIANS)
def test_hessian(torch, name):
    compare(torch, "hessian", *HESSIANS[name])


def test_what_depends_on_the_inputs_can_be_differentiated():
    x = fd.tensor(X, requires_grad=True)
    fd.autograd.functional.jacobian(lambda v: v**3, x, create_graph=True).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 6 * X)


def test_a_hessian_is_of_one_number():
    with pytest.raises(fd.ShapeError, match="one element"):
        fd.autograd.functional.hessian(lambda x: x, fd.ones(3))
