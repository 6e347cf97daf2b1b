"""nn.init: distributions, bounds, errors."""

import math

import numpy as np
import pytest

import freedive as fd
from freedive import nn


def filled(init, *args, shape=(200, 300), **options):
    fd.manual_seed(0)
    tensor = fd.empty(shape)
    assert init(tensor, *args, **options) is tensor
    return tensor.numpy()


@pytest.mark.parametrize(
    ("init", "args", "mean", "std", "bound"),
    [
        (nn.init.normal_, (1.0, 2.0), 1, 2, None),
        (nn.init.uniform_, (-3.0, 1.0), -1, 4 / math.sqrt(12), 3),
        (nn.init.xavier_uniform_, (), 0, math.sqrt(2 / 500), math.sqrt(6 / 500)),
        (nn.init.xavier_normal_, (2.0,), 0, 2 * math.sqrt(2 / 500), None),
        (nn.init.kaiming_uniform_, (), 0, math.sqrt(2 / 300), math.sqrt(6 / 300)),
        (nn.init.kaiming_normal_, (0, "fan_out", "relu"), 0, math.sqrt(2 / 200), None),
        (nn.init.trunc_normal_, (0.0, 1.0, -2.0, 2.0), 0, 0.8796, 2),
    ],
)
def test_distributions(init, args, mean, std, bound):
    values = filled(init, *args)
    assert abs(values.mean() - mean) < 0.02 * max(std, 0.5)
    assert abs(values.std() / std - 1) < 0.01
    if bound:
        assert np.abs(values).max() <= bound * (1 + 1e-6)


def test_constants():
    assert (filled(nn.init.constant_, 3.5) == 3.5).all()
    assert (filled(nn.init.ones_) == 1).all() and (filled(nn.init.zeros_) == 0).all()
    np.testing.assert_array_equal(filled(nn.init.eye_, shape=(2, 3)), np.eye(2, 3))
    weight = filled(nn.init.dirac_, shape=(2, 2, 3))
    np.testing.assert_array_equal(weight[:, :, 1], np.eye(2))
    assert weight.sum() == 2


def test_orthogonal():
    for shape in ((5, 3), (3, 5), (4, 2, 3)):
        q = filled(nn.init.orthogonal_, shape=shape).reshape(shape[0], -1)
        product = q @ q.T if shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


def test_truncated_far_from_the_middle():
    values = filled(nn.init.trunc_normal_, 0.0, 1.0, 1.0, 1.5)
    assert values.min() >= 1 and values.max() <= 1.5


def test_generator_makes_draws_repeatable():
    a, b = (nn.init.normal_(fd.empty(5), generator=fd.Generator().manual_seed(3)) for _ in range(2))
    np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_parameters_stay_leaves():
    linear = nn.Linear(3, 3)
    nn.init.xavier_uniform_(linear.weight)
    assert linear.weight.is_leaf and linear.weight.grad_fn is None


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains(name, torch):
    assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


def test_mistakes():
    with pytest.raises(ValueError, match="2 dimensions"):
        nn.init.xavier_uniform_(fd.empty(3))
    with pytest.raises(ValueError, match="nonlinearity"):
        nn.init.calculate_gain("cube")
    with pytest.raises(ValueError, match="[Mm]ode"):
        nn.init.kaiming_normal_(fd.empty(2, 2), mode="sideways")
    with pytest.raises(ValueError):
        nn.init.eye_(fd.empty(3))
    with pytest.raises(ValueError):
        nn.init.dirac_(fd.empty(3, 3))
