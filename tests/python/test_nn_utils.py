"""nn.utils: gradient clipping, parameters as a vector."""

import math

import numpy as np
import pytest

import freedive as fd
from freedive import nn


def parameters_with_gradients():
    a, b, c = (nn.Parameter(fd.zeros(n)) for n in (2, 3, 4))
    a.grad, b.grad = fd.tensor([3.0, 0.0]), fd.tensor([0.0, -4.0, 0.0])
    return [a, b, c]


@pytest.mark.parametrize(("order", "norm"), [(2.0, 5.0), (1.0, 7.0), (math.inf, 4.0)])
def test_clip_norm(order, norm):
    a, b, c = parameters = parameters_with_gradients()
    total = nn.utils.clip_grad_norm_(iter(parameters), norm / 2, order)
    assert float(total) == pytest.approx(norm)
    np.testing.assert_allclose(a.grad.numpy(), [1.5, 0], rtol=1e-5)
    np.testing.assert_allclose(b.grad.numpy(), [0, -2, 0], rtol=1e-5)
    assert c.grad is None


def test_small_gradients_stay():
    a, b, _ = parameters = parameters_with_gradients()
    nn.utils.clip_grad_norm_(parameters, 100)
    np.testing.assert_array_equal(a.grad.numpy(), [3, 0])
    nn.utils.clip_grad_norm_(a, 1.5)
    np.testing.assert_allclose(a.grad.numpy(), [1.5, 0], rtol=1e-5)


def test_nothing_to_clip():
    assert float(nn.utils.clip_grad_norm_([nn.Parameter(fd.zeros(1))], 1.0)) == 0


def test_not_finite():
    a = nn.Parameter(fd.zeros(1))
    a.grad = fd.tensor([math.nan])
    with pytest.raises(RuntimeError, match="nan"):
        nn.utils.clip_grad_norm_([a], 1.0, error_if_nonfinite=True)
    assert math.isnan(float(nn.utils.clip_grad_norm_([a], 1.0)))


def test_clip_value():
    a, b, _ = parameters = parameters_with_gradients()
    nn.utils.clip_grad_value_(parameters, 2)
    np.testing.assert_array_equal(a.grad.numpy(), [2, 0])
    np.testing.assert_array_equal(b.grad.numpy(), [0, -2, 0])


def test_vector_and_back():
    net = nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (9,)
    nn.utils.vector_to_parameters(fd.arange(9).float(), net.parameters())
    np.testing.assert_array_equal(net.weight.detach().numpy(), [[0, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(net.bias.detach().numpy(), [6, 7, 8])
    with pytest.raises(TypeError):
        nn.utils.vector_to_parameters([1.0], net.parameters())
