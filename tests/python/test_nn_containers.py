"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict; the fused plan of Sequential."""

from collections import OrderedDict

import numpy as np
import pytest

import freedive as fd
from freedive import nn


def array(tensor):
    return tensor.detach().numpy()


def one_by_one(net, x):
    for module in net:
        x = module(x)
    return x


def test_indexing_and_slicing():
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3))
    assert len(net) == 3 and net[0].out_features == 2 and net[-1].out_features == 3
    assert list(net) == [net[0], net[1], net[2]]
    tail = net[1:]
    assert type(tail) is nn.Sequential and tail[0] is net[1] and list(tail._modules) == ["1", "2"]
    with pytest.raises(IndexError):
        net[3]
    net[1] = nn.Tanh()
    assert isinstance(net[1], nn.Tanh)
    del net[0]
    assert len(net) == 2 and list(net._modules) == ["0", "1"]
    with pytest.raises(IndexError):
        del net[7]


def test_growing():
    net = nn.Sequential(nn.Linear(1, 2))
    assert net.append(nn.ReLU()) is net
    net.insert(1, nn.Tanh())
    net.extend([nn.Linear(2, 1)])
    assert [type(m).__name__ for m in net] == ["Linear", "Tanh", "ReLU", "Linear"]
    assert isinstance(net.pop(1), nn.Tanh) and len(net) == 3
    both = net + nn.Sequential(nn.Sigmoid())
    assert len(both) == 4 and len(net) == 3
    net += nn.Sequential(nn.Sigmoid())
    assert len(net) == 4
    assert len(nn.Sequential(nn.ReLU()) * 3) == 3
    with pytest.raises(TypeError):
        net.append(3)
    with pytest.raises(TypeError):
        net.insert(0, 3)
    with pytest.raises(IndexError):
        net.insert(9, nn.ReLU())


def test_named_modules():
    net = nn.Sequential(OrderedDict([("first", nn.Linear(1, 2)), ("act", nn.ReLU())]))
    net.add_module("last", nn.Linear(2, 1))
    assert net.first is net[0] and [n for n, _ in net.named_children()] == ["first", "act", "last"]
    assert net(fd.ones(1, 1)).shape == (1, 1)


@pytest.mark.parametrize("act", [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.Identity])
@pytest.mark.parametrize("bias", [True, False])
def test_fused_plan_gives_the_same_numbers(act, bias):
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 5, bias=bias), act(), nn.Linear(5, 2), act())
    x = fd.randn(3, 2, 3, requires_grad=True)
    fused = net(x)
    np.testing.assert_array_equal(array(fused), array(one_by_one(net, x)))
    fused.square().sum().backward()
    grads = [array(p.grad).copy() for p in (x, *net.parameters())]
    x.grad = None
    net.zero_grad()
    one_by_one(net, x).square().sum().backward()
    for a, b in zip(grads, (x, *net.parameters())):
        np.testing.assert_allclose(a, array(b.grad), rtol=1e-6, atol=1e-7)


CONVOLUTIONS = {
    "few outputs": (nn.Conv2d(2, 2, 3, padding=1), (2, 2, 9, 9)),
    "many outputs": (nn.Conv2d(3, 40, 3), (2, 3, 10, 10)),
    "groups": (nn.Conv2d(4, 8, 3, groups=4, stride=2, bias=False), (2, 4, 9, 9)),
    "circular": (nn.Conv2d(2, 5, 3, padding=1, padding_mode="circular"), (2, 2, 9, 9)),
    "one dimension": (nn.Conv1d(2, 3, 3), (2, 2, 12)),
    "three dimensions": (nn.Conv3d(2, 3, 2), (2, 2, 4, 4, 4)),
    "no batch": (nn.Conv2d(1, 6, 5), (1, 12, 12)),
    "float64": (nn.Conv2d(2, 3, 3, dtype=fd.float64), (2, 2, 9, 9)),
    "halves": (nn.Conv2d(2, 3, 3).half(), (2, 2, 9, 9)),
}


@pytest.mark.parametrize("act", [nn.ReLU, nn.Sigmoid, nn.Tanh])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_fuse_bit_for_bit(name, act):
    conv, shape = CONVOLUTIONS[name]
    net = nn.Sequential(conv, act())
    x = fd.randn(shape).to(conv.weight.dtype).requires_grad_()
    results = []
    for run in (net, lambda x: one_by_one(net, x)):
        x.grad = None
        net.zero_grad()
        out = run(x)
        out.square().sum().backward()
        results.append([out.grad_fn.name(), array(out), *(array(p.grad).copy() for p in (x, *net.parameters()))])
    for ours, right in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, right)


def test_second_derivative_through_a_fused_convolution():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, dtype=fd.float64), nn.Tanh())
    x = fd.randn(1, 1, 5, 5, dtype=fd.float64)

    def twice(run):
        leaf = x.clone().requires_grad_()
        (g,) = fd.autograd.grad(run(leaf).sum(), leaf, create_graph=True)
        return array(fd.autograd.grad(g.square().sum(), leaf)[0])

    np.testing.assert_array_equal(twice(net), twice(lambda x: one_by_one(net, x)))


def test_plan_follows_every_change():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    x = fd.randn(2, 3)
    net(x)

    def check():
        np.testing.assert_array_equal(array(net(x)), array(one_by_one(net, x)))

    net[1] = nn.Tanh()
    check()
    net._modules["1"] = nn.Sigmoid()
    check()
    calls = []
    handle = net[1].register_forward_hook(lambda m, args, out: calls.append(1))
    net(x)
    assert calls == [1]
    handle.remove()
    check()
    handle = net[0].register_forward_pre_hook(lambda m, args: (args[0] * 0,))
    check()
    handle.remove()
    check()
    net[0].forward = lambda x: x * 3
    check()
    del net[0].forward
    check()
    net[0].weight = nn.Parameter(fd.zeros(3, 3))
    check()

    class Loud(nn.Linear):
        def forward(self, x):
            return super().forward(x) + 1

    net[0].__class__ = Loud
    check()
    del net[2]
    check()


def test_subclassed_activation_is_not_fused():
    class Half(nn.ReLU):
        def forward(self, x):
            return super().forward(x) / 2

    net = nn.Sequential(nn.Linear(3, 3), Half())
    x = fd.randn(2, 3)
    np.testing.assert_array_equal(array(net(x)), array(one_by_one(net, x)))


def test_empty_sequential_is_the_identity():
    x = fd.ones(2)
    assert nn.Sequential()(x) is x


def test_module_list():
    parts = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    assert len(parts) == 3 and len(list(parts.parameters())) == 6
    assert isinstance(parts[1:], nn.ModuleList) and len(parts[1:]) == 2 and parts[-1] is parts[2]
    parts.append(nn.ReLU())
    parts.extend([nn.ReLU(), nn.Tanh()])
    parts.insert(0, nn.Tanh())
    parts += [nn.ReLU()]
    assert [type(m).__name__ for m in parts] == ["Tanh"] + ["Linear"] * 3 + ["ReLU", "ReLU", "Tanh", "ReLU"]
    parts[0] = nn.Sigmoid()
    del parts[1:4]
    assert len(parts) == 5 and list(parts._modules) == list("01234")
    with pytest.raises(TypeError):
        parts.extend(3)
    with pytest.raises(NotImplementedError):
        parts(fd.ones(1))


def test_module_dict():
    table = nn.ModuleDict({"linear": nn.Linear(1, 1), "act": nn.ReLU()})
    table["more"] = nn.Tanh()
    table.update([("last", nn.Sigmoid())])
    assert list(table) == ["linear", "act", "more", "last"] and "act" in table and len(table) == 4
    assert [k for k, _ in table.items()] == list(table.keys())
    assert isinstance(table.pop("act"), nn.ReLU) and "act" not in table
    del table["more"]
    assert [n for n, _ in table.named_parameters()] == ["linear.weight", "linear.bias"]
    table.clear()
    assert len(table) == 0
    with pytest.raises(KeyError):
        table["nothing"]


def test_parameter_containers():
    many = nn.ParameterList([nn.Parameter(fd.zeros(2)), fd.ones(3)])
    many.append(fd.zeros(1))
    assert len(many) == 3 and all(isinstance(p, nn.Parameter) for p in many)
    assert [n for n, _ in many.named_parameters()] == ["0", "1", "2"]
    assert list(many[1:])[0] is many[1] and many[-1] is many[2]
    many[0] = fd.ones(5)
    assert many[0].shape == (5,)
    named = nn.ParameterDict({"a": nn.Parameter(fd.zeros(2))})
    named["b"] = fd.ones(1)
    assert list(named.keys()) == ["a", "b"] and len(list(named.parameters())) == 2
    assert named.pop("a").shape == (2,) and "a" not in named and named.get("zzz") is None
    with pytest.raises(KeyError):
        named["a"]


def test_printed_forms(torch):
    def build(n):
        return [
            n.Sequential(),
            n.ModuleList(),
            n.ModuleList([n.Linear(2, 2), n.Linear(2, 2), n.ReLU(), n.Linear(2, 2)]),
            n.ModuleDict({"a": n.Sequential(n.Linear(2, 3), n.ReLU())}),
        ]

    for ours, theirs in zip(build(nn), build(torch.nn)):
        assert repr(ours) == repr(theirs)
