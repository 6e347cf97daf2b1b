"""Fused optimiser steps against PyTorch's optimisers, layouts, dtypes, errors."""

import numpy as np
import pytest

import freedive as fd

core = fd._core
SHAPES = [(3, 4), (17,), (), (2, 3, 5), (0, 3)]


def drawn(dtype, count=1):
    rng = np.random.default_rng(7)
    return [[rng.normal(size=s).astype(dtype) for s in SHAPES] for _ in range(count)]


def theirs(torch, name, options, dtype, steps):
    first, *grads = drawn(dtype, steps + 1)
    params = [torch.tensor(a) for a in first]
    optimizer = getattr(torch.optim, name)(params, **options)
    for step in grads:
        for p, g in zip(params, step, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
    return [p.numpy() for p in params]


def ours(dtype, steps, states, update):
    first, *grads = drawn(dtype, steps + 1)
    params = [fd.tensor(a) for a in first]
    kept = [[fd.zeros_like(p) for p in params] for _ in range(states)]
    for step, given in enumerate(grads, 1):
        update(params, [fd.tensor(g) for g in given], kept, step)
    return [p.numpy() for p in params]


SGD = [
    {"lr": 0.1},
    {"lr": 0.1, "weight_decay": 0.05},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "momentum": 0.5, "maximize": True, "weight_decay": 0.1},
]


def sgd(params, grads, kept, step, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False):
    buffers = kept[0] if momentum else None
    core.sgd_step(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize, step)


@pytest.mark.parametrize("options", SGD)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_sgd(options, dtype, rtol, torch):
    got = ours(dtype, 20, 1, lambda *a: sgd(*a, **options))
    for a, b in zip(got, theirs(torch, "SGD", options, dtype, 20), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


ADAM = [
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "maximize": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True}),
]


@pytest.mark.parametrize(("name", "options"), ADAM)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_adam(name, options, dtype, rtol, torch):
    full = {"betas": (0.9, 0.999), "eps": 1e-8, "amsgrad": False, "maximize": False}
    full |= {"weight_decay": 0.01 if name == "AdamW" else 0.0} | options

    def update(params, grads, kept, step):
        core.adam_step(
            params, grads, kept[0], kept[1], kept[2] if full["amsgrad"] else None, full["lr"], *full["betas"],
            full["eps"], full["weight_decay"], name == "AdamW", full["amsgrad"], full["maximize"], step,
        )  # fmt: skip

    for a, b in zip(ours(dtype, 20, 3, update), theirs(torch, name, options, dtype, 20), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


def step_plainly(params, grads, lr=0.5, buffers=None, **more):
    core.sgd_step(params, grads, buffers, lr, 0.9 if buffers else 0, 0, 0, False, False, 1, **more)


def test_gradients_are_scaled():
    p = fd.ones(3)
    step_plainly([p], [fd.ones(3)], grad_scale=0.5)
    np.testing.assert_array_equal(p.numpy(), 0.75)


def test_odd_layouts_and_mixed_dtypes():
    whole = fd.zeros(6, 4)
    params = [whole.t(), fd.zeros(2, dtype=fd.float64), fd.zeros(3).to(fd.bfloat16), fd.zeros(2, 3)]
    grads = [fd.ones(4, 6), fd.ones(2, dtype=fd.float64), fd.ones(3).to(fd.bfloat16), fd.ones(3, 2).t()]
    buffers = [fd.zeros_like(p) for p in params]
    step_plainly(params, grads, buffers=buffers)
    for p, b in zip(params, buffers, strict=True):
        assert set(p.to(fd.float32).flatten().tolist()) == {-0.5}
        assert set(b.to(fd.float32).flatten().tolist()) == {1.0}
    np.testing.assert_array_equal(whole.numpy(), -0.5)


def test_leaves_that_require_grad_and_versions():
    p = fd.ones(3).requires_grad_(True)
    (p * 2).sum().backward()
    before = p._version
    step_plainly([p], [p.grad])
    assert p._version > before
    assert p.is_leaf
    assert p.requires_grad
    np.testing.assert_array_equal(p.detach().numpy(), 0)


def test_a_step_between_forward_and_backward_is_noticed():
    p = fd.ones(3).requires_grad_(True)
    y = (p * p).sum()
    step_plainly([p], [fd.ones(3)])
    with pytest.raises(RuntimeError, match="sgd_step"):
        y.backward()


def test_errors_leave_everything_as_it_was():
    p, q = fd.ones(3), fd.ones(2)
    with pytest.raises(ValueError, match="sgd_step: 2 params but 1 grads"):
        step_plainly([p, q], [fd.ones(3)])
    with pytest.raises(ValueError, match=r"grads\[1\] has shape \(3,\) but its parameter has \(2,\)"):
        step_plainly([p, q], [fd.ones(3), fd.ones(3)])
    with pytest.raises(TypeError, match=r"grads\[0\] is float64 but its parameter is float32"):
        step_plainly([p], [fd.ones(3, dtype=fd.float64)])
    with pytest.raises(ValueError, match=r"momentum is 0\.9 but momentum_buffers is None"):
        core.sgd_step([p], [fd.ones(3)], None, 0.1, 0.9, 0, 0, False, False, 1)
    with pytest.raises(TypeError, match="int64"):
        step_plainly([fd.ones(3, dtype=fd.int64)], [fd.ones(3, dtype=fd.int64)])
    with pytest.raises(ValueError, match="amsgrad"):
        core.adam_step([p], [p], [p], [p], None, 0.1, 0.9, 0.99, 1e-8, 0, False, True, False, 1)
    np.testing.assert_array_equal(p.numpy(), 1)
    np.testing.assert_array_equal(q.numpy(), 1)
    step_plainly([], [])
