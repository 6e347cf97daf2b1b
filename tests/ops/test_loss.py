"""Losses: parity with PyTorch in value and gradient, second derivatives, empty input, errors."""

# ruff: noqa: B023  (functions made in a loop are called in the same round)

import warnings

import numpy as np
import pytest

import freedive as fd
from parity import assert_parity, gradcheck

F = fd._core
rng = np.random.default_rng(0)
REDUCTIONS = ["mean", "sum", "none"]


def logits(*shape, dtype=np.float64):
    return (rng.normal(size=shape) * 2).astype(dtype)


def labels(*shape, classes=5):
    return rng.integers(0, classes, size=shape)


def probabilities(*shape):
    p = rng.random(shape) + 0.1
    return p / p.sum(1 if len(shape) > 1 else 0, keepdims=True)


# ------------------------------------------------------------------------------------------------ cross-entropy

TARGETS = [
    ((6, 5), labels(6)),
    ((5,), np.asarray(3)),
    ((3, 5, 2), labels(3, 2)),
    ((2, 5, 2, 3), labels(2, 2, 3)),
    ((6, 5), probabilities(6, 5)),
    ((5,), probabilities(5)),
    ((3, 5, 2), probabilities(3, 5, 2)),
]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", range(len(TARGETS)))
def test_cross_entropy(case, weighted, smoothing, reduction, torch):
    shape, target = TARGETS[case]
    x = logits(*shape)
    weight = rng.random(5) + 0.5
    options = {"reduction": reduction, "label_smoothing": smoothing}

    def ours(t):
        return F.cross_entropy(t, fd.tensor(target), fd.tensor(weight) if weighted else None, **options)

    def theirs(t):
        w = torch.tensor(weight) if weighted else None
        return torch.nn.functional.cross_entropy(t, torch.tensor(target), w, **options)

    assert_parity(torch, ours, theirs, [x], rtol=1e-12, atol=1e-12)
    if len(shape) < 4:
        gradcheck(ours, [x])


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_cross_entropy_ignores(reduction, torch):
    x, y = logits(6, 5, dtype=np.float32), labels(6)
    y[[1, 4]] = 2
    for ignore, smoothing in ((2, 0.0), (2, 0.2), (-7, 0.0)):
        y[0] = ignore
        options = {"ignore_index": ignore, "reduction": reduction, "label_smoothing": smoothing}
        assert_parity(
            torch,
            lambda t: F.cross_entropy(t, fd.tensor(y), **options),
            lambda t: torch.nn.functional.cross_entropy(t, torch.tensor(y), **options),
            [x],
        )


def test_cross_entropy_of_many_shapes(torch):
    for _ in range(40):
        n, c = int(rng.integers(1, 40)), int(rng.integers(1, 70))
        x, y = logits(n, c, dtype=np.float32), labels(n, classes=c)
        assert_parity(
            torch,
            lambda t: F.cross_entropy(t, fd.tensor(y)),
            lambda t: torch.nn.functional.cross_entropy(t, torch.tensor(y)),
            [x],
        )


def test_cross_entropy_of_strided_logits(torch):
    x, y = logits(5, 6, dtype=np.float32), labels(6)
    assert_parity(
        torch,
        lambda t: F.cross_entropy(t.t(), fd.tensor(y)),
        lambda t: torch.nn.functional.cross_entropy(t.t(), torch.tensor(y)),
        [x],
    )


def test_cross_entropy_takes_other_integers():
    x, y = fd.tensor(logits(6, 5)), labels(6)
    expected = F.cross_entropy(x, fd.tensor(y)).item()
    for dtype in (fd.int32, fd.uint8):
        assert F.cross_entropy(x, fd.tensor(y).to(dtype)).item() == expected


def test_cross_entropy_target_gradient():
    gradcheck(lambda x, t: F.cross_entropy(x, t), [logits(3, 4), probabilities(3, 4)], wanted=(0, 1))


def test_cross_entropy_over_nothing():
    x, y = fd.tensor(logits(2, 5), requires_grad=True), fd.tensor([-100, -100])
    loss = F.cross_entropy(x, y)
    loss.backward()
    assert np.isnan(loss.item())
    assert not x.grad.numpy().any()
    empty = fd.tensor(np.zeros((0, 5)))
    none = fd.tensor(np.zeros(0, np.int64))
    assert np.isnan(F.cross_entropy(empty, none).item())
    assert F.cross_entropy(empty, none, reduction="sum").item() == 0
    assert tuple(F.cross_entropy(empty, none, reduction="none").shape) == (0,)


def test_cross_entropy_backward_twice():
    x = fd.tensor(logits(4, 5), requires_grad=True)
    loss = F.cross_entropy(x, fd.tensor(labels(4)))
    loss.backward(retain_graph=True)
    once = x.grad.numpy().copy()
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * once)
    with pytest.raises(RuntimeError, match="retain_graph"):
        loss.backward()


def test_cross_entropy_scaled_upstream():
    x = fd.tensor(logits(4, 5), requires_grad=True)
    y = fd.tensor(labels(4))
    F.cross_entropy(x, y).backward()
    plain = x.grad.numpy().copy()
    x.grad = None
    (F.cross_entropy(x, y) * 3).backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * plain, rtol=1e-14)


def test_cross_entropy_errors():
    x = fd.tensor(logits(4, 5))
    with pytest.raises(IndexError, match="cross_entropy: label 5 in row 2 of target; expected 0 to 4"):
        F.cross_entropy(x, fd.tensor([0, 1, 5, 2]))
    with pytest.raises(IndexError, match="label -1 in row 0"):
        F.cross_entropy(x, fd.tensor([-1, 1, 3, 2]))
    with pytest.raises(IndexError, match=r"label 9 at \(1, 0\)"):
        F.cross_entropy(fd.tensor(logits(2, 5, 2)), fd.tensor([[0, 1], [9, 2]]))
    with pytest.raises(ValueError, match="4 rows of input but 3 labels"):
        F.cross_entropy(x, fd.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match=r"target has shape \(4, 1\)"):
        F.cross_entropy(x, fd.tensor([[0], [1], [2], [3]]))
    with pytest.raises(TypeError, match="expected class numbers"):
        F.cross_entropy(x, fd.tensor([0.0, 1.0, 2.0, 3.0]))
    with pytest.raises(TypeError, match="input is int64"):
        F.cross_entropy(fd.tensor([[1, 2]]), fd.tensor([0]))
    with pytest.raises(ValueError, match=r"weight has shape \(3,\); expected \(5,\), one value per class"):
        F.cross_entropy(x, fd.tensor([0, 1, 2, 3]), fd.tensor(np.ones(3)))
    with pytest.raises(ValueError, match="reduction is 'avg'"):
        F.cross_entropy(x, fd.tensor([0, 1, 2, 3]), reduction="avg")
    with pytest.raises(ValueError, match="label_smoothing"):
        F.cross_entropy(x, fd.tensor([0, 1, 2, 3]), label_smoothing=1.5)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_nll(weighted, reduction, torch):
    for shape, target in TARGETS[:4]:
        x, weight = logits(*shape), rng.random(5) + 0.5
        target = target.copy()
        target.reshape(-1)[0] = -100

        def ours(t):
            w = fd.tensor(weight) if weighted else None
            return F.nll_loss(t, fd.tensor(target), w, reduction=reduction)

        def theirs(t):
            w = torch.tensor(weight) if weighted else None
            return torch.nn.functional.nll_loss(t, torch.tensor(target), w, reduction=reduction)

        assert_parity(torch, ours, theirs, [x], rtol=1e-12)
    with pytest.raises(IndexError, match="nll_loss: label 5 in row 0"):
        F.nll_loss(fd.tensor(logits(1, 5)), fd.tensor([5]))


# --------------------------------------------------------------------------------------------------- elementwise

ELEMENTWISE = [
    ("mse_loss", {}),
    ("l1_loss", {}),
    ("huber_loss", {}),
    ("huber_loss", {"delta": 0.4}),
    ("smooth_l1_loss", {}),
    ("smooth_l1_loss", {"beta": 0.3}),
    ("smooth_l1_loss", {"beta": 0.0}),
    ("kl_div", {}),
    ("kl_div", {"log_target": True}),
    ("binary_cross_entropy", {}),
    ("binary_cross_entropy_with_logits", {}),
]


def pair(name, *shape, dtype=np.float64):
    if name == "binary_cross_entropy":
        return [(rng.random(shape) * 0.9 + 0.05).astype(dtype), rng.random(shape).astype(dtype)]
    if name in ("kl_div", "binary_cross_entropy_with_logits"):
        return [logits(*shape, dtype=dtype), (rng.random(shape) * 0.9 + 0.05).astype(dtype)]
    return [logits(*shape, dtype=dtype), logits(*shape, dtype=dtype)]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # PyTorch's about kl_div
@pytest.mark.parametrize(("name", "options"), ELEMENTWISE)
def test_elementwise(name, options, reduction, torch):
    options = {**options, "reduction": reduction}
    theirs = getattr(torch.nn.functional, name)
    for shape in ((4, 3), (17,), (), (2, 3, 5)):
        for dtype, rtol in ((np.float64, 1e-11), (np.float32, 2e-5)):
            for wanted in ((0,), (0, 1), ()):
                assert_parity(
                    torch,
                    lambda p, t: getattr(F, name)(p, t, **options),
                    lambda p, t: theirs(p, t, **options),
                    pair(name, *shape, dtype=dtype),
                    wanted,
                    rtol=rtol,
                    atol=rtol,
                )


@pytest.mark.parametrize(("name", "options"), ELEMENTWISE)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_elementwise_gradcheck(name, options, reduction):
    arrays = pair(name, 3, 2)
    gradcheck(lambda p, t: getattr(F, name)(p, t, reduction=reduction, **options), arrays)
    gradcheck(lambda p, t: getattr(F, name)(p, t, reduction=reduction, **options), arrays, wanted=(0, 1))


def test_kl_batchmean_and_zeros(torch):
    p, t = np.log(probabilities(4, 5)), probabilities(4, 5)
    t[0, :2] = 0
    theirs = torch.nn.functional.kl_div
    for log_target in (False, True):
        assert_parity(
            torch,
            lambda a, b: F.kl_div(a, b, reduction="batchmean", log_target=log_target),
            lambda a, b: theirs(a, b, reduction="batchmean", log_target=log_target),
            [p, t],
        )


def test_bce_at_the_ends(torch):
    p, t = np.array([0.0, 1.0, 0.0, 1.0, 0.5]), np.array([0.0, 1.0, 1.0, 0.0, 0.5])
    assert_parity(torch, F.binary_cross_entropy, torch.nn.functional.binary_cross_entropy, [p, t])


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_bce_weights(reduction, torch):
    p, t = pair("binary_cross_entropy", 4, 3)
    x, weight, positive = logits(4, 3), rng.random(3), rng.random(3) + 0.5
    functional = torch.nn.functional
    assert_parity(
        torch,
        lambda a, b: F.binary_cross_entropy(a, b, fd.tensor(weight), reduction=reduction),
        lambda a, b: functional.binary_cross_entropy(a, b, torch.tensor(weight), reduction=reduction),
        [p, t],
    )
    for w, pos in ((weight, None), (None, positive), (weight, positive)):

        def options(lib):
            give = lambda a: None if a is None else lib.tensor(a)
            return {"weight": give(w), "pos_weight": give(pos), "reduction": reduction}

        assert_parity(
            torch,
            lambda a, b: F.binary_cross_entropy_with_logits(a, b, **options(fd)),
            lambda a, b: functional.binary_cross_entropy_with_logits(a, b, **options(torch)),
            [x, t],
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_regression(reduction, torch):
    arrays, weight = pair("mse_loss", 4, 3), rng.random((4, 3))
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        theirs = getattr(torch.nn.functional, name)
        assert_parity(
            torch,
            lambda p, t: getattr(F, name)(p, t, reduction=reduction, weight=fd.tensor(weight)),
            lambda p, t: theirs(p, t, reduction=reduction, weight=torch.tensor(weight)),
            arrays,
        )


def test_broadcast_warns(torch):
    p, t = logits(4, 1), logits(4)
    with pytest.warns(UserWarning, match=r"mse_loss: input has shape \(4, 1\) and target \(4,\)"):
        loss = F.mse_loss(fd.tensor(p), fd.tensor(t))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_parity(torch, F.mse_loss, torch.nn.functional.mse_loss, [p, t], (0, 1))
    assert loss.shape == ()


def test_dtypes(torch):
    p = logits(4, dtype=np.float32)
    for t in (logits(4), np.arange(4), np.array([True, False, True, True])):
        assert_parity(torch, F.mse_loss, torch.nn.functional.mse_loss, [p, t])
    with pytest.raises(TypeError, match="mse_loss: input and target are int64 and int64"):
        F.mse_loss(fd.tensor([1]), fd.tensor([2]))
    half = F.mse_loss(fd.tensor([1.0, 2.0]).to(fd.float16), fd.tensor([0.0, 0.0]).to(fd.float16))
    assert half.dtype == fd.float16
    assert half.item() == 2.5


def test_strided(torch):
    arrays = pair("mse_loss", 4, 3)
    assert_parity(
        torch, lambda p, t: F.mse_loss(p.t(), t.t()), lambda p, t: torch.nn.functional.mse_loss(p.t(), t.t()), arrays
    )


def test_mean_over_nothing():
    nothing = fd.tensor(np.zeros((0, 3)), requires_grad=True)
    loss = F.mse_loss(nothing, nothing.detach())
    assert np.isnan(loss.item())
    loss.backward()
    assert tuple(nothing.grad.shape) == (0, 3)
    assert F.l1_loss(nothing, nothing.detach(), reduction="sum").item() == 0


def test_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="do not broadcast"):
            F.mse_loss(fd.tensor(logits(3)), fd.tensor(logits(2)))
    with pytest.raises(ValueError, match="huber_loss: delta is 0"):
        F.huber_loss(fd.tensor([1.0]), fd.tensor([1.0]), delta=0.0)
    with pytest.raises(ValueError, match="smooth_l1_loss: beta is -1"):
        F.smooth_l1_loss(fd.tensor([1.0]), fd.tensor([1.0]), beta=-1.0)
    with pytest.raises(ValueError, match="binary_cross_entropy: input has values outside of 0 to 1"):
        F.binary_cross_entropy(fd.tensor([1.5]), fd.tensor([1.0]))
    with pytest.raises(ValueError, match=r"target has shape \(1,\) but input has shape \(2,\)"):
        F.binary_cross_entropy_with_logits(fd.tensor([1.0, 2.0]), fd.tensor([1.0]))


def test_older_arguments():
    p, t = fd.tensor([1.0, 3.0]), fd.tensor([0.0, 0.0])
    assert F.mse_loss(p, t, size_average=False).item() == 10
    assert F.mse_loss(p, t, reduce=False).tolist() == [1, 9]
    assert F.mse_loss(p, t, size_average=True).item() == 5
