"""backward and grad: order, freeing, depth, threads, re-entry, identity, messages."""

import gc
import threading

import numpy as np
import pytest

import freedive as fd


def leaf(*values):
    return fd.tensor(values or (1.0, 2.0, 3.0), dtype=fd.float64, requires_grad=True)


def test_backward_accumulates():
    x = leaf()
    (x * x).sum().backward()
    (x * x).sum().backward()
    assert x.grad.tolist() == [4.0, 8.0, 12.0]


def test_grad_is_one_object():
    x = leaf()
    x.sum().backward()
    assert x.grad is x.grad
    kept = x.grad
    x.sum().backward()
    assert x.grad is kept
    assert kept.tolist() == [2.0] * 3


def test_grad_is_not_shared_between_two_leaves():
    a, b = leaf(), leaf()
    (a + b).sum().backward()
    a.grad.zero_()
    assert b.grad.tolist() == [1.0] * 3


def test_grad_is_not_the_gradient_that_was_given():
    a, given = leaf(), fd.ones(3, dtype=fd.float64)
    (a * 1).backward(given)
    a.grad.zero_()
    assert given.tolist() == [1.0] * 3


def test_grad_can_be_set_and_dropped():
    x = leaf()
    x.grad = fd.ones(3, dtype=fd.float64)
    x.sum().backward()
    assert x.grad.tolist() == [2.0] * 3
    x.grad = None
    assert x.grad is None
    with pytest.raises(fd.ShapeError, match="grad: shape"):
        x.grad = fd.ones(2, dtype=fd.float64)


def test_second_backward_needs_retain_graph():
    x = leaf()
    y = (x.exp() * x).sum()
    y.backward(retain_graph=True)
    first = x.grad.tolist()
    y.backward()
    assert x.grad.tolist() == [2 * g for g in first]
    with pytest.raises(fd.GradError, match="retain_graph=True"):
        y.backward()


def test_a_graph_without_saved_tensors_can_be_gone_through_again():
    x = leaf()
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0] * 3


def test_a_graph_that_read_a_number_cannot():
    y = (leaf() * 2).sum()
    y.backward()
    with pytest.raises(fd.GradError, match="MulBackward0: .* freed"):
        y.backward()


def test_only_the_gradients_asked_for_are_computed():
    """The gradient of the weights needs the input as it was; that of the input does not."""
    x = fd.rand(2, 3, 8, 8, requires_grad=True)
    w = fd.rand(4, 3, 3, 3, requires_grad=True)
    y = fd.conv2d(x, w).sum()
    with fd.no_grad():
        x += 1
    (gx,) = fd.autograd.grad(y, x, retain_graph=True)
    assert gx.shape == x.shape
    with pytest.raises(fd.GradError, match="changed in place"):
        fd.autograd.grad(y, w)


def test_third_derivative():
    x = leaf(0.5, 1.5)
    y = (x**4 * x.sin()).sum()
    (g1,) = fd.autograd.grad(y, x, create_graph=True)
    (g2,) = fd.autograd.grad(g1.sum(), x, create_graph=True)
    (g3,) = fd.autograd.grad(g2.sum(), x)
    v = np.array([0.5, 1.5])
    want = 24 * v * np.sin(v) + 36 * v**2 * np.cos(v) - 12 * v**3 * np.sin(v) - v**4 * np.cos(v)
    np.testing.assert_allclose(g3.numpy(), want, rtol=1e-12)


def test_gradient_penalty():
    w, x = leaf(0.3, -0.2, 0.5), leaf()
    (g,) = fd.autograd.grad((w * x).tanh().sum(), x, create_graph=True)
    (g.norm() ** 2).backward()
    assert w.grad is not None
    wv, xv = w.detach().numpy(), x.detach().numpy()

    def penalty(v):
        return ((v * (1 - np.tanh(v * xv) ** 2)) ** 2).sum()

    for i in range(3):
        step = np.eye(3)[i] * 1e-6
        np.testing.assert_allclose(w.grad.numpy()[i], (penalty(wv + step) - penalty(wv - step)) / 2e-6, rtol=1e-6)


def test_grad_of_an_unused_input():
    x, unused = leaf(), leaf()
    with pytest.raises(fd.GradError, match="allow_unused"):
        fd.autograd.grad((x * 2).sum(), [x, unused])
    gx, gu = fd.autograd.grad((x * 2).sum(), [x, unused], allow_unused=True)
    assert gu is None
    assert gx.tolist() == [2.0] * 3
    assert fd.autograd.grad((x * 2).sum(), [unused], materialize_grads=True)[0].tolist() == [0.0] * 3


def test_grad_of_a_tensor_within_the_graph_runs_nothing_below_it():
    x = leaf()
    y = x.exp()
    z = y * y
    (g,) = fd.autograd.grad(z.sum(), y)
    np.testing.assert_allclose(g.numpy(), 2 * y.detach().numpy())
    y.sum().backward()  # exp's saved output was not freed
    np.testing.assert_allclose(x.grad.numpy(), y.detach().numpy())


def test_grad_with_respect_to_itself():
    x = leaf()
    y = x * 2
    (g,) = fd.autograd.grad(y, y, grad_outputs=fd.ones_like(y))
    assert g.tolist() == [1.0] * 3


def test_several_outputs():
    x = leaf()
    a, b = x * 2, x * x
    fd.autograd.backward([a, b], [fd.ones(3, dtype=fd.float64)] * 2)
    assert x.grad.tolist() == [4.0, 6.0, 8.0]


def test_backward_with_inputs_fills_only_those():
    a, b = leaf(), leaf()
    (a * b).sum().backward(inputs=[a])
    assert a.grad is not None
    assert b.grad is None


DEEP = 100_000


def test_a_deep_graph_runs_and_dies():
    x = leaf(1.0)
    y = x
    for _ in range(DEEP):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    del y
    gc.collect()


def test_a_deep_graph_that_never_ran_dies():
    y = leaf(1.0)
    for _ in range(DEEP):
        y = y * 1.0
    del y
    gc.collect()


def test_a_deep_graph_of_in_place_writes():
    x = leaf(1.0, 1.0)
    y = x * 1
    for _ in range(2000):
        y[0].mul_(1.0)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_backward_within_a_backward():
    class Inner(fd.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            with fd.enable_grad():
                z = x.detach().requires_grad_(True)
                (z**3).sum().backward()
            return grad * z.grad

    x = leaf()
    (Inner.apply(x) * 5).sum().backward()
    assert x.grad.tolist() == [15.0, 60.0, 135.0]


def test_backward_within_a_hook():
    x, inner = leaf(), leaf()
    y = x * 2

    def hook(grad):
        with fd.enable_grad():
            (inner * inner).sum().backward()

    y.register_hook(hook)
    y.sum().backward()
    assert x.grad.tolist() == [2.0] * 3
    assert inner.grad.tolist() == [2.0, 4.0, 6.0]


def test_threads_train_at_the_same_time():
    rng = np.random.default_rng(0)
    data = [(rng.normal(size=(64, 20)), rng.normal(size=(20, 30)), rng.normal(size=(30, 1))) for _ in range(6)]

    def train(arrays):
        x, w, v = (fd.tensor(a) for a in arrays)
        w.requires_grad_(True)
        v.requires_grad_(True)
        for _ in range(20):
            loss = (((x @ w).tanh() @ v) ** 2).mean()
            loss.backward()
            with fd.no_grad():
                for p in (w, v):
                    p -= 0.01 * p.grad
                    p.grad = None
        return w.detach().numpy().copy(), loss.item()

    alone = [train(d) for d in data]
    together = [None] * len(data)

    def work(i):
        together[i] = train(data[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(data))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for (w, loss), (w2, loss2) in zip(alone, together, strict=True):
        assert loss == loss2
        assert np.array_equal(w, w2)


def test_threads_share_a_leaf():
    w = fd.ones(100, dtype=fd.float64, requires_grad=True)

    def work():
        for _ in range(50):
            (w * 2).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert w.grad.tolist() == [400.0] * 100


def test_grad_mode_belongs_to_the_thread():
    seen = []
    with fd.no_grad():
        t = threading.Thread(target=lambda: seen.append(fd.is_grad_enabled()))
        t.start()
        t.join()
        assert not fd.is_grad_enabled()
    assert seen == [True]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda x: fd.ones(3).sum().backward(), "does not require grad"),
        (lambda x: (x * 2).backward(), "only single elements start from 1"),
        (lambda x: (x * 2).backward(fd.ones(2, dtype=fd.float64)), "shape"),
        (lambda x: x.mul_(2), "leaf that requires grad"),
        (lambda x: x[0].mul_(2), "view of a leaf that requires grad"),
        (lambda x: x.numpy(), r"detach\(\)\.numpy\(\)"),
        (lambda x: (x * 2).requires_grad_(False), "history"),
        (lambda x: fd.tensor([1, 2]).requires_grad_(True), "floating"),
        (lambda x: x.expand(2, 3).clone().unbind(0)[0].mul_(2), "several views"),
    ],
)
def test_messages_say_what_to_do(act, message):
    with pytest.raises((fd.GradError, fd.ShapeError, fd.DTypeError), match=message):
        act(leaf())


def test_a_saved_tensor_that_changed_is_named():
    x = leaf()
    y = x.exp()
    z = y * 2
    y.add_(1)
    with pytest.raises(fd.GradError, match=r"ExpBackward0: .* changed in place"):
        z.sum().backward()


def test_errors_are_what_pytorch_raises_too():
    assert issubclass(fd.GradError, RuntimeError)
