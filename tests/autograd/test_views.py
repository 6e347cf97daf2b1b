"""Views and in-place writes: what is recorded, what is refused, and where freedive differs from PyTorch on purpose."""

import numpy as np
import pytest

import freedive as fd


def leaf(*shape):
    values = np.arange(int(np.prod(shape)), dtype=np.float64).reshape(shape) / 7
    return fd.tensor(values, requires_grad=True)


def test_a_write_through_a_view_of_a_view_is_recorded():
    x = leaf(3, 4)
    y = x * 1
    y[1:][0][2].mul_(5)
    y.sum().backward()
    want = np.ones((3, 4))
    want[1, 2] = 5
    assert np.array_equal(x.grad.numpy(), want)


def test_a_write_to_the_base_changes_the_history_of_its_views():
    x = leaf(4)
    y = x * 1
    v = y[1:]
    y.mul_(3)
    v.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0, 3.0, 3.0]


def test_a_write_through_one_view_is_seen_by_another():
    x = leaf(4)
    y = x * 1
    front, back = y[:2], y[1:]
    front.mul_(3)
    back.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0, 1.0, 1.0]


def test_a_constant_becomes_recorded_when_something_recorded_is_written_to_it():
    x, y = leaf(3), fd.zeros(2, 3, dtype=fd.float64)
    y[1] = x * 2
    assert y.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [2.0] * 3


def test_detach_shares_memory_and_its_writes_are_noticed():
    x = leaf(3)
    y = x.exp()
    y.detach().zero_()
    with pytest.raises(fd.GradError, match="changed in place"):
        y.sum().backward()


def test_a_view_made_under_no_grad_does_not_require_grad():
    x = leaf(3)
    with fd.no_grad():
        v = x[1:]
    assert not v.requires_grad
    assert (v * 2).requires_grad is False


def test_a_view_made_under_no_grad_is_not_written_with_gradients_on():
    y = leaf(3) * 1
    with fd.no_grad():
        v = y[1:]
        v.mul_(2)
    with pytest.raises(fd.GradError, match="no_grad"):
        v.mul_(2)


def test_a_view_made_under_no_grad_is_refused_once_its_base_changed():
    y = leaf(3) * 1
    with fd.no_grad():
        v = y[1:]
    y.mul_(2)
    with pytest.raises(fd.GradError, match="no_grad"):
        v + 1
    assert v.detach().tolist() == y.detach().tolist()[1:]


def test_one_of_several_views_is_refused_once_its_base_changed():
    y = leaf(4) * 1
    a, b = y.split(2)
    y.mul_(2)
    assert a.requires_grad
    with pytest.raises(fd.GradError, match="several views"):
        a + b


def test_views_made_before_the_base_required_grad_stay_constants():
    x = fd.ones(3)
    v = x[1:]
    x.requires_grad_(True)
    assert not v.requires_grad


@pytest.mark.parametrize("write", [lambda t: t.zero_(), lambda t: t.add_(1), lambda t: t.copy_(fd.ones(2, 3))])
def test_an_expanded_tensor_is_not_written_in_place(write):
    with pytest.raises(fd.GradError, match="share one place in memory"):
        write(fd.zeros(3).expand(2, 3))


@pytest.mark.parametrize(
    ("write", "numpy_write"),
    [
        (lambda t: t[1:].add_(t[:-1]), lambda a: np.add(a[1:], a[:-1].copy(), out=a[1:])),
        (lambda t: t[1:].copy_(t[:-1]), lambda a: np.copyto(a[1:], a[:-1].copy())),
        (lambda t: t.mul_(t[2]), lambda a: np.multiply(a, a[2].copy(), out=a)),
        (lambda t: t.sub_(t.flip(0)), lambda a: np.subtract(a, a[::-1].copy(), out=a)),
    ],
)
def test_overlapping_reads_see_what_was_there_before(write, numpy_write):
    t, a = fd.arange(40, dtype=fd.float64), np.arange(40.0)
    write(t)
    numpy_write(a)
    assert np.array_equal(t.numpy(), a)


IN_PLACE = {
    "clamp_": lambda t: t.clamp_(0.2, 1.0),
    "clamp_min": lambda t: t.clamp_(min=0.3),
    "lerp_": lambda t: t.lerp_(t.detach() * 0 + 2, 0.3),
    "sin_": lambda t: t.sin_(),
    "pow_": lambda t: t.pow_(3),
    "div_": lambda t: t.div_(t.detach() + 2),
    "tril_": lambda t: t.tril_(),
    "masked_fill_": lambda t: t.masked_fill_(t.detach() > 0.5, 2.0),
    "index_add_": lambda t: t.index_add_(0, t.new_tensor([0, 0]).long(), t.detach()[:2] * 2),
    "addcmul_": lambda t: t.addcmul_(t.detach() + 1, t.detach() + 2),
    "relu_": lambda t: t.relu_(),
    "sigmoid_": lambda t: t.sigmoid_(),
}


@pytest.mark.parametrize("name", sorted(IN_PLACE))
@pytest.mark.parametrize("through_view", [False, True])
def test_in_place_ops_have_the_gradient_of_pytorch(torch, name, through_view):
    def run(lib):
        x = lib.tensor(np.arange(12.0).reshape(3, 4) / 7, requires_grad=True)
        y = x * x
        IN_PLACE[name](y.transpose(0, 1) if through_view else y)
        (y * y).sum().backward()
        return y.detach().numpy(), x.grad.numpy()

    for ours, theirs in zip(run(fd), run(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("op", ["sin_", "exp_", "mul_", "sigmoid_"])
def test_half_types_in_place(op):
    x = fd.ones(4, dtype=fd.bfloat16, requires_grad=True)
    y = x * 1
    getattr(y, op)(*([y.detach() * 3] if op == "mul_" else []))
    y.sum().backward()
    assert x.grad is not None
