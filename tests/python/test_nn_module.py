"""nn.Module: registration, traversal, modes, hooks, state_dict, copies, printing."""

import copy
import gc
import pickle
import subprocess
import sys
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import freedive as fd
from freedive import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 3)
        self.out = nn.Linear(3, 2)
        self.scale = nn.Parameter(fd.ones(2))
        self.register_buffer("count", fd.zeros(1))

    def forward(self, x):
        return self.out(self.hidden(x).relu()) * self.scale


def array(tensor):
    return tensor.detach().numpy()


# ------------------------------------------------------------------------------------------------- registration


def test_parameters_live_in_the_instance_dict():
    net = Net()
    assert net.__dict__["scale"] is net.scale
    assert net.__dict__["hidden"] is net.hidden
    assert "__getattr__" not in vars(nn.Module)


def test_names_in_order():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "scale", "hidden.weight", "hidden.bias", "out.weight", "out.bias",
    ]  # fmt: skip
    assert [n for n, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert [n for n, _ in net.named_buffers()] == ["count"]
    assert [n for n, _ in net.named_modules()] == ["", "hidden", "out"]
    assert [n for n, _ in net.named_children()] == ["hidden", "out"]
    assert list(net.children()) == [net.hidden, net.out]
    assert len(list(net.modules())) == 3


def test_reassignment_and_deletion():
    net = Net()
    new = nn.Parameter(fd.zeros(2))
    net.scale = new
    assert list(net.parameters(recurse=False)) == [new]
    net.scale = None
    assert list(net.parameters(recurse=False)) == [] and net.scale is None
    net.scale = new
    del net.scale
    assert not hasattr(net, "scale")
    net.scale = 3.0
    assert net.scale == 3.0 and "scale" not in net._parameters
    del net.hidden
    assert [n for n, _ in net.named_children()] == ["out"]


def test_an_attribute_that_becomes_another_kind():
    net = nn.Module()
    net.part = nn.Parameter(fd.zeros(2))
    net.part = nn.Linear(1, 1)
    assert "part" not in net._parameters and "part" in net._modules
    net.plain = fd.zeros(2)
    assert list(net.buffers()) == []
    net.plain = nn.Buffer(fd.zeros(2), persistent=False)
    assert [n for n, _ in net.named_buffers()] == ["plain"]
    assert "plain" not in net.state_dict()


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (lambda m: setattr(m, "weight", fd.zeros(2)), TypeError),
        (lambda m: setattr(m, "weight", 3), TypeError),
        (lambda m: m.register_parameter("a.b", nn.Parameter(fd.zeros(1))), KeyError),
        (lambda m: m.register_parameter("", None), KeyError),
        (lambda m: m.register_parameter("more", fd.zeros(1)), TypeError),
        (lambda m: m.register_parameter("forward", None), KeyError),
        (lambda m: m.register_parameter("more", m.weight), None),
        (lambda m: m.register_buffer("weight", fd.zeros(1)), KeyError),
        (lambda m: m.register_buffer("more", 3), TypeError),
        (lambda m: m.add_module("more", 3), TypeError),
        (lambda m: m.add_module("weight", nn.ReLU()), KeyError),
        (lambda m: m.get_submodule("nothing"), AttributeError),
        (lambda m: m.get_parameter("in_features"), AttributeError),
        (lambda m: m.missing, AttributeError),
        (lambda m: m.train(1), ValueError),
        (lambda m: m.to(fd.int64), TypeError),
        (lambda m: nn.Parameter([1.0]), TypeError),
    ],
)
def test_mistakes(action, error):
    linear = nn.Linear(2, 2)
    if error is None:
        action(linear)
        return
    with pytest.raises(error) as caught:
        action(linear)
    assert "\n" not in str(caught.value)


def test_assigning_before_init():
    class Forgetful(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match="super"):
        Forgetful()


def test_missing_attribute_names_class_and_name():
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'missing'"):
        nn.Linear(1, 1).missing


def test_forward_is_required():
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Module()(1)


def test_module_views_can_be_written():
    class Book(nn.Module):
        def __init__(self, *parts):
            super().__init__()
            for i, part in enumerate(parts):
                self._modules[str(i)] = part

        def forward(self, x):
            for part in self._modules.values():
                x = part(x)
            return x

    net = Book(nn.Linear(2, 3), nn.ReLU())
    assert net(fd.ones(1, 2)).shape == (1, 3)
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    net._parameters["extra"] = nn.Parameter(fd.zeros(1))
    assert net.extra is net._parameters["extra"]


def test_shared_parameters_count_once():
    shared = nn.Linear(3, 3)
    net = nn.Sequential(shared, nn.ReLU(), shared)
    assert len(list(net.parameters())) == 2
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert len(list(net.modules())) == 3
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_add_module_and_apply():
    net = nn.Module()
    net.add_module("first", nn.Linear(1, 1))
    net.register_module("second", nn.Sequential(nn.ReLU()))
    seen = []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Sequential", "Module"]
    assert net.get_submodule("second.0") is net.second[0]


def test_dir_shows_names_but_not_numbers():
    names = dir(nn.Sequential(nn.Linear(1, 1)))
    assert "forward" in names and "0" not in names
    assert "weight" in dir(nn.Linear(1, 1))


# ------------------------------------------------------------------------------------------- modes and gradients


def test_train_and_eval_reach_every_module():
    net = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.BatchNorm1d(2)))
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())


def test_gradients():
    net = Net()
    net(fd.ones(3, 4)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(float(p.grad.abs().sum()) == 0 for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())


def test_conversion_keeps_the_parameter_objects():
    net = Net()
    before = list(net.parameters())
    net(fd.ones(3, 4)).sum().backward()
    assert net.double() is net
    assert all(a is b for a, b in zip(before, net.parameters()))
    assert all(p.dtype == fd.float64 and p.grad.dtype == fd.float64 for p in net.parameters())
    assert net.count.dtype == fd.float64
    net.to(fd.float32)
    assert net.scale.dtype == fd.float32
    net.to("cpu", fd.float64)
    assert net.scale.dtype == fd.float64 and net.scale.device.type == "cpu"
    assert net.float().scale.dtype == fd.float32
    assert net.cpu() is net
    norm = nn.BatchNorm1d(2).double()
    assert norm.num_batches_tracked.dtype == fd.int64 and norm.running_mean.dtype == fd.float64


# ---------------------------------------------------------------------------------------------------------- hooks


def test_forward_hooks():
    net = Net()
    x = fd.ones(1, 4)
    plain = array(net(x))
    calls = []
    first = net.register_forward_pre_hook(lambda m, args: calls.append(("pre", len(args))))
    second = net.register_forward_hook(lambda m, args, out: out + 1)
    np.testing.assert_allclose(array(net(x)), plain + 1, rtol=1e-6)
    assert calls == [("pre", 1)]
    second.remove()
    first.remove()
    np.testing.assert_array_equal(array(net(x)), plain)
    assert net._hooks is None
    with net.register_forward_pre_hook(lambda m, args: (args[0] * 0,)):
        assert not np.array_equal(array(net(x)), plain)
    np.testing.assert_array_equal(array(net(x)), plain)


def test_hook_order_and_kwargs():
    class Add(nn.Module):
        def forward(self, a, b=1):
            return a + b

    add, calls = Add(), []
    add.register_forward_hook(lambda m, args, out: calls.append("a"))
    add.register_forward_hook(lambda m, args, out: calls.append("b"), prepend=True)
    add.register_forward_pre_hook(lambda m, args, kwargs: (args, {"b": 5}), with_kwargs=True)
    add.register_forward_hook(lambda m, args, kwargs, out: calls.append(kwargs["b"]), with_kwargs=True)
    assert add(1, b=2) == 6
    assert calls == ["b", "a", 5]


def test_always_called_hook():
    class Fails(nn.Module):
        def forward(self, x):
            raise ZeroDivisionError

    net, calls = Fails(), []
    net.register_forward_hook(lambda m, args, out: calls.append(out), always_call=True)
    net.register_forward_hook(lambda m, args, out: calls.append("never"))
    with pytest.raises(ZeroDivisionError):
        net(1)
    assert calls == [None]


def test_full_backward_hook():
    linear = nn.Linear(3, 2, bias=False)
    seen = {}

    def hook(module, grad_input, grad_output):
        seen["in"], seen["out"] = grad_input[0].clone(), grad_output[0].clone()

    handle = linear.register_full_backward_hook(hook)
    x = fd.ones(4, 3, requires_grad=True)
    linear(x).sum().backward()
    np.testing.assert_array_equal(array(seen["out"]), np.ones((4, 2), np.float32))
    np.testing.assert_allclose(array(seen["in"]), np.ones((4, 2)) @ array(linear.weight), rtol=1e-6)
    np.testing.assert_array_equal(array(seen["in"]), array(x.grad))
    handle.remove()
    x.grad = None
    doubling = linear.register_full_backward_hook(lambda m, gi, go: (gi[0] * 2,))
    linear(x).sum().backward()
    np.testing.assert_allclose(array(x.grad), 2 * array(seen["in"]), rtol=1e-6)
    doubling.remove()
    halving = linear.register_full_backward_pre_hook(lambda m, go: (go[0] / 2,))
    x.grad = None
    linear(x).sum().backward()
    np.testing.assert_allclose(array(x.grad), array(seen["in"]) / 2, rtol=1e-6)
    halving.remove()


def test_backward_hook_without_input_gradient():
    linear, seen = nn.Linear(3, 2), []
    linear.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].shape)))
    linear(fd.ones(4, 3)).sum().backward()
    assert seen == [((None,), (4, 2))]


# ----------------------------------------------------------------------------------------------------- state_dict


def test_state_dict_shares_memory_and_is_detached():
    net = Net()
    state = net.state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == ["scale", "count", "hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    assert not state["scale"].requires_grad
    state["scale"].fill_(7)
    assert float(net.scale[0]) == 7
    assert net.state_dict(keep_vars=True)["scale"] is net.scale


def test_load_copies_in_place():
    a, b = Net(), Net()
    before = b.scale
    result = b.load_state_dict(a.state_dict())
    assert str(result) == "<All keys matched successfully>" and b.scale is before
    x = fd.ones(2, 4)
    np.testing.assert_array_equal(array(a(x)), array(b(x)))


def test_load_names_every_problem_and_changes_nothing():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    state = net.state_dict()
    before = array(net[1].weight).copy()
    bad = OrderedDict(state)
    del bad["0.bias"]
    bad["foo"] = fd.zeros(1)
    bad["0.weight"] = fd.zeros(5, 5)
    bad["1.weight"] = fd.zeros(1, 3)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(bad)
    text = str(caught.value)
    for part in ('Missing key(s) in state_dict: "0.bias"', 'Unexpected key(s) in state_dict: "foo"',
                 "size mismatch for 0.weight", "(5, 5)", "(3, 2)"):  # fmt: skip
        assert part in text
    np.testing.assert_array_equal(array(net[1].weight), before)
    with pytest.raises(TypeError):
        net.load_state_dict([1])


def test_load_not_strict():
    net = nn.Linear(2, 3)
    missing, unexpected = net.load_state_dict({"weight": fd.ones(3, 2), "foo": fd.zeros(1)}, strict=False)
    assert missing == ["bias"] and unexpected == ["foo"]
    assert float(net.weight[0, 0]) == 1
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict({"weight": fd.ones(2, 2)}, strict=False)


def test_load_assign():
    net = nn.Linear(2, 3)
    weight = fd.ones(3, 2)
    net.load_state_dict({"weight": weight, "bias": net.bias}, assign=True)
    weight.fill_(5)
    assert float(net.weight[0, 0]) == 5 and isinstance(net.weight, nn.Parameter) and net.weight.requires_grad


def test_extra_state():
    class Counting(nn.Module):
        calls = 3

        def get_extra_state(self):
            return {"calls": self.calls}

        def set_extra_state(self, state):
            self.calls = state["calls"]

    a, b = Counting(), Counting()
    a.calls = 9
    assert list(a.state_dict()) == ["_extra_state"]
    b.load_state_dict(a.state_dict())
    assert b.calls == 9


def test_state_dict_hooks():
    net = nn.Linear(2, 2)

    def without_bias(module, state, prefix, metadata):
        del state[prefix + "bias"]

    net.register_state_dict_post_hook(without_bias)
    assert list(net.state_dict()) == ["weight"]
    net.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    missing, _ = net.load_state_dict({"weight": fd.ones(2, 2)}, strict=False)
    assert missing == []


# ------------------------------------------------------------------------------------------- copies and printing


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies(duplicate):
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.LazyLinear(2))
    net(fd.randn(4, 2))
    net.eval()
    twin = duplicate(net)
    x = fd.randn(4, 2)
    np.testing.assert_array_equal(array(net(x)), array(twin(x)))
    assert type(twin[0].weight) is nn.Parameter and twin[0].weight is not net[0].weight
    with fd.no_grad():
        twin[0].weight.fill_(0)
    assert not np.array_equal(array(net(x)), array(twin(x)))


def test_deepcopy_keeps_sharing():
    shared = nn.Linear(2, 2)
    twin = copy.deepcopy(nn.Sequential(shared, shared))
    assert twin[0] is twin[1] and twin[0].weight is not shared.weight


def test_printing():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
            self.act = nn.Tanh()

    assert repr(Outer()) == (
        "Outer(\n  (net): Sequential(\n    (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "    (1): ReLU()\n  )\n  (act): Tanh()\n)"
    )
    assert repr(nn.Module()) == "Module()"
    parameter = nn.Parameter(fd.zeros(2))
    assert repr(parameter) == "Parameter containing:\ntensor([0., 0.], requires_grad=True)"


def test_every_form_of_call():
    class Count(nn.Module):
        def forward(self, *args, **kwargs):
            return args, kwargs

    count = Count()
    calls = [((), {}), ((1,), {}), ((1, 2), {}), ((1, 2, 3), {}), ((None,), {}), ((None, None), {}), ((1,), {"a": 2})]
    for args, kwargs in calls:
        assert count(*args, **kwargs) == (args, kwargs)
    with count.register_forward_hook(lambda m, args, out: None):
        for args, kwargs in calls:
            assert count(*args, **kwargs) == (args, kwargs)


def test_a_module_dies_with_its_last_reference():
    net = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.Linear(3, 1))
    net.register_forward_hook(lambda m, args, out: None).remove()
    net(fd.ones(2, 2)).sum().backward()
    watched = [weakref.ref(net), weakref.ref(net[0]), weakref.ref(net[0].weight)]
    gc.disable()
    try:
        del net
        assert [ref() for ref in watched] == [None] * 3
    finally:
        gc.enable()


def test_import_is_light():
    """nn and optim load nothing slow (in a fresh interpreter without site packages' own start-up files)."""
    slow = "inspect typing dataclasses numpy tqdm safetensors matplotlib json re pickle zipfile"
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; from freedive import nn, optim; "
        f"print([name for name in {slow.split()!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
