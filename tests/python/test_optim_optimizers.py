"""Optimisers: PyTorch's arithmetic over 100 steps, groups, state, mistakes."""

import copy
import pickle

import numpy as np
import pytest

import freedive as fd
from freedive import nn, optim

CASES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.001, "maximize": True, "momentum": 0.5}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "amsgrad": True}),
    ("Adam", {"lr": 0.01, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.3, "amsgrad": True}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "centered": True, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
]


def start(lib, parameter, dtype=np.float64):
    rng = np.random.default_rng(0)
    return [parameter(lib.tensor(rng.standard_normal(shape).astype(dtype))) for shape in ((3, 4), (4,), ())]


def run(lib, parameter, name, options, steps, dtype=np.float64):
    params = start(lib, parameter, dtype)
    optimizer = getattr(lib.optim, name)(params, **options)
    rng = np.random.default_rng(1)
    for _ in range(steps):
        optimizer.zero_grad()
        sum(((p - rng.random()) ** 2).sum() * rng.random() for p in params).backward()
        optimizer.step()
    return params, optimizer


@pytest.mark.parametrize(("name", "options"), CASES)
def test_arithmetic(name, options, torch):
    ours, optimizer = run(fd, nn.Parameter, name, options, 100)
    theirs, expected = run(torch, torch.nn.Parameter, name, options, 100)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)
    compare_states(optimizer.state_dict(), expected.state_dict())


def compare_states(ours, theirs):
    assert ours["param_groups"] == theirs["param_groups"]
    assert list(ours["state"]) == list(theirs["state"])
    for number, entry in theirs["state"].items():
        assert set(ours["state"][number]) == set(entry)
        for key, value in entry.items():
            if value is not None:
                np.testing.assert_allclose(
                    ours["state"][number][key].numpy(), value.numpy(), rtol=1e-9, atol=1e-12, err_msg=key
                )


@pytest.mark.parametrize(("name", "options"), CASES)
def test_float32(name, options, torch):
    ours, _ = run(fd, nn.Parameter, name, options, 100, np.float32)
    theirs, _ = run(torch, torch.nn.Parameter, name, options, 100, np.float32)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_resuming_changes_nothing(name, options):
    whole, _ = run(fd, nn.Parameter, name, options, 10)
    params = start(fd, nn.Parameter)
    optimizer = getattr(optim, name)(params, **options)
    rng = np.random.default_rng(1)
    for i in range(10):
        if i in (3, 7):
            state = copy.deepcopy(optimizer.state_dict())
            params = [nn.Parameter(p.detach().clone()) for p in params]
            optimizer = getattr(optim, name)(params, lr=123.0)
            optimizer.load_state_dict(state)
        optimizer.zero_grad()
        sum(((p - rng.random()) ** 2).sum() * rng.random() for p in params).backward()
        optimizer.step()
    for a, b in zip(whole, params):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize(("name", "options"), [("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adam", {}), ("Adagrad", {})])
def test_parameters_that_join_late(name, options, torch):
    """A parameter without a gradient is skipped; it starts counting its own steps when it gets one."""

    def train(lib, parameter):
        params = start(lib, parameter)
        optimizer = getattr(lib.optim, name)(params, **options)
        for i in range(12):
            optimizer.zero_grad()
            used = params if i % 3 == 2 else params[: 1 + i // 6]
            sum((p**2).sum() for p in used).backward()
            optimizer.step()
        return params, optimizer.state_dict()

    (ours, state), (theirs, expected) = train(fd, nn.Parameter), train(torch, torch.nn.Parameter)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9)
    compare_states(state, expected)


def test_groups_with_their_own_options():
    w, b = nn.Parameter(fd.ones(2)), nn.Parameter(fd.ones(2))
    optimizer = optim.SGD([{"params": [w], "weight_decay": 0.5}, {"params": b, "lr": 0.01}], lr=0.1, momentum=0.9)
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.01]
    for _ in range(2):
        w.grad, b.grad = fd.zeros(2), fd.ones(2)
        optimizer.step()
    assert float(w[0]) == pytest.approx((1 - 0.05) - 0.1 * (0.9 * 0.5 + 0.5 * 0.95))
    assert float(b[0]) == pytest.approx(1 - 0.01 - 0.01 * 1.9)
    more = nn.Parameter(fd.ones(1))
    optimizer.add_param_group({"params": more})
    more.grad = fd.ones(1)
    optimizer.step()
    assert float(more[0]) == pytest.approx(0.9)


def test_options_may_change_between_steps():
    w = nn.Parameter(fd.ones(1))
    optimizer = optim.SGD([w], lr=0.1)
    optimizer.param_groups[0]["lr"] = 0.5
    w.grad = fd.ones(1)
    optimizer.step()
    assert float(w[0]) == 0.5


def test_state_can_be_read_and_written_between_steps():
    w = nn.Parameter(fd.ones(1))
    optimizer = optim.SGD([w], lr=1.0, momentum=0.5)
    w.grad = fd.ones(1)
    optimizer.step()
    assert float(optimizer.state[w]["momentum_buffer"][0]) == 1
    optimizer.state[w]["momentum_buffer"] = fd.zeros(1)
    optimizer.step()
    assert float(w[0]) == -1
    adam = optim.Adam([w])
    adam.step()
    adam.step()
    assert float(adam.state[w]["step"]) == 2


def test_named_parameters_and_generators():
    net = nn.Linear(2, 2)
    optimizer = optim.SGD(net.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert len(optim.Adam(net.parameters()).param_groups[0]["params"]) == 2


def test_closure():
    w = nn.Parameter(fd.ones(1))
    optimizer = optim.SGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return loss

    with fd.no_grad():
        assert float(optimizer.step(closure)) == 1
    assert float(w[0]) == pytest.approx(0.8)


def test_zero_grad():
    w = nn.Parameter(fd.ones(2))
    optimizer = optim.SGD([w], lr=0.1)
    w.grad = fd.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert float(w.grad.sum()) == 0
    optimizer.zero_grad()
    assert w.grad is None
    optimizer.step()


def test_copies():
    w = nn.Parameter(fd.ones(2))
    optimizer = optim.Adam([w])
    w.grad = fd.ones(2)
    optimizer.step()
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        param = twin.param_groups[0]["params"][0]
        assert param is not w and float(twin.state[param]["step"]) == 1
        param.grad = fd.ones(2)
        twin.step()
        assert float(twin.state[param]["step"]) == 2
    assert float(optimizer.state[w]["step"]) == 1


def test_printed_form(torch):
    for name in ("SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Adadelta"):
        ours = getattr(optim, name)([nn.Parameter(fd.ones(1))], lr=0.1)
        theirs = getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        assert repr(ours) == repr(theirs)


def one():
    return [nn.Parameter(fd.ones(1))]


@pytest.mark.parametrize(
    ("action", "error", "text"),
    [
        (lambda: optim.SGD([], lr=0.1), ValueError, "empty parameter list"),
        (lambda: optim.SGD(one(), lr=-1), ValueError, "learning rate: -1"),
        (lambda: optim.SGD(one(), lr=float("nan")), ValueError, "learning rate: nan"),
        (lambda: optim.SGD(nn.Linear(2, 2), lr=0.1), TypeError, r"module's parameters\(\)"),
        (lambda: optim.SGD(one(), lr="fast"), ValueError, "learning rate: fast"),
        (lambda: optim.SGD(one(), lr=0.1, momentum=-0.5), ValueError, "momentum"),
        (lambda: optim.SGD(one(), lr=0.1, nesterov=True), ValueError, "Nesterov"),
        (lambda: optim.SGD(one() * 2, lr=0.1), ValueError, "duplicate"),
        (lambda: optim.SGD(fd.ones(1), lr=0.1), TypeError, "iterable"),
        (lambda: optim.SGD([3], lr=0.1), TypeError, "int"),
        (lambda: optim.SGD([one()[0] * 2], lr=0.1), ValueError, "leaf"),
        (lambda: optim.SGD([{"params": set(one())}], lr=0.1), TypeError, "set"),
        (lambda: optim.SGD([{"params": one(), "lr": -3}], lr=0.1), ValueError, "-3"),
        (lambda: optim.Adam(one(), betas=(1.0, 0.9)), ValueError, "index 0"),
        (lambda: optim.Adam(one(), eps=-1.0), ValueError, "epsilon"),
        (lambda: optim.AdamW(one(), weight_decay=-1.0), ValueError, "weight_decay"),
        (lambda: optim.Adadelta(one(), rho=2.0), ValueError, "rho"),
        (lambda: optim.RMSprop(one(), alpha=float("nan")), ValueError, "alpha"),
        (lambda: optim.SGD(one(), lr=0.1).load_state_dict(optim.SGD(one() + one(), lr=1).state_dict()), ValueError,
         "2 parameters"),
    ],
)  # fmt: skip
def test_mistakes(action, error, text):
    with pytest.raises(error, match=text) as caught:
        action()
    assert "\n" not in str(caught.value)


def test_the_same_parameter_in_two_groups():
    w = one()
    with pytest.raises(ValueError, match="more than one"):
        optim.SGD([{"params": w}, {"params": w}], lr=0.1)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_rate_that_becomes_nan_changes_nothing(name):
    (param,) = one()
    optimizer = getattr(optim, name)([param], lr=0.1)
    optimizer.param_groups[0]["lr"] = float("nan")
    param.sum().backward()
    with pytest.raises(ValueError, match="lr is nan"):
        optimizer.step()
    assert param.tolist() == [1.0]
