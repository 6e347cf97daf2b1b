"""Lazy layers: unknown shapes before the first call, the plain class after it."""

import copy
import pickle

import numpy as np
import pytest

import freedive as fd
from freedive import nn, optim


def test_before_the_first_call():
    lazy = nn.LazyLinear(3)
    assert isinstance(lazy.weight, nn.UninitializedParameter)
    assert repr(lazy.weight) == "<UninitializedParameter>"
    assert type(lazy.weight.data) is fd.Tensor and lazy.weight.data.numel() == 0
    lazy.weight.data.normal_(0, 1)
    lazy.weight.data.fill_(3)
    assert repr(lazy) == "LazyLinear(in_features=0, out_features=3, bias=True)"
    with pytest.raises(RuntimeError, match="shape"):
        lazy.weight.shape
    assert lazy.has_uninitialized_params()


def test_the_first_call_keeps_the_objects():
    lazy = nn.LazyLinear(3)
    weight, bias = lazy.weight, lazy.bias
    optimizer = optim.SGD(lazy.parameters(), lr=0.1)
    out = lazy(fd.ones(2, 5))
    assert type(lazy) is nn.Linear
    assert lazy.weight is weight and lazy.bias is bias
    assert type(weight) is nn.Parameter and weight.shape == (3, 5) and bias.shape == (3,)
    assert lazy.in_features == 5
    before = weight.detach().clone()
    out.sum().backward()
    optimizer.step()
    np.testing.assert_allclose(weight.detach().numpy(), before.numpy() - 0.2, rtol=1e-5, atol=1e-6)


def test_initial_values_are_in_the_bounds_of_linear():
    lazy = nn.LazyLinear(50)
    lazy(fd.ones(1, 100))
    weight = lazy.weight.detach().numpy()
    assert np.abs(weight).max() <= 0.1 and weight.std() > 0.04


def test_lazy_layers_in_the_book_way():
    net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(2))

    def init(module):
        if type(module) is nn.Linear:
            nn.init.constant_(module.weight, 1)

    net.apply(init)
    net(fd.ones(2, 4))
    net.apply(init)
    assert float(net[0].weight[0, 0]) == 1
    assert [p.shape for p in net.parameters()] == [(8, 4), (8,), (2, 8), (2,)]


@pytest.mark.parametrize(
    ("lazy", "plain", "shape"),
    [(nn.LazyBatchNorm1d, nn.BatchNorm1d, (4, 3)), (nn.LazyBatchNorm2d, nn.BatchNorm2d, (4, 3, 2, 2))],
)
def test_lazy_batch_norm(lazy, plain, shape):
    norm = lazy()
    assert repr(norm.running_mean) == "<UninitializedBuffer>"
    norm(fd.randn(*shape))
    assert type(norm) is plain and norm.num_features == 3
    assert norm.running_mean.shape == (3,) and repr(norm) == repr(plain(3))
    with pytest.raises(ValueError, match="expected"):
        lazy()(fd.ones(3))


def test_state_dict_gives_the_shapes():
    plain, lazy = nn.Linear(5, 3), nn.LazyLinear(3)
    lazy.load_state_dict(plain.state_dict())
    x = fd.ones(2, 5)
    np.testing.assert_array_equal(lazy(x).detach().numpy(), plain(x).detach().numpy())
    assert type(lazy) is nn.Linear
    with pytest.raises(RuntimeError, match="uninitialized"):
        plain.load_state_dict(nn.LazyLinear(3).state_dict())
    lazy.load_state_dict(plain.state_dict())


def test_bias_false():
    lazy = nn.LazyLinear(3, bias=False)
    lazy(fd.ones(2, 5))
    assert lazy.bias is None and repr(lazy) == "Linear(in_features=5, out_features=3, bias=False)"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_stay_lazy(duplicate):
    lazy = duplicate(nn.LazyLinear(3))
    assert isinstance(lazy.weight, nn.UninitializedParameter)
    assert lazy(fd.ones(2, 5)).shape == (2, 3)


def test_conversion_before_the_first_call():
    lazy = nn.LazyLinear(3).double()
    assert lazy(fd.ones(2, 5, dtype=fd.float64)).dtype == fd.float64
