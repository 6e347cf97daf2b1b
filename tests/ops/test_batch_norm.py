"""batch_norm and layer_norm: values, running statistics, gradients, errors."""

import numpy as np
import pytest

import freedive as fd
from parity import assert_parity, gradcheck

F = fd._core
rng = np.random.default_rng(0)
SHAPES = [(6, 3), (4, 3, 5), (2, 3, 4, 5), (1, 3, 7), (2, 3, 2, 2, 2)]


def arrays(shape, dtype=np.float64):
    c = shape[1]
    return [a.astype(dtype) for a in (rng.normal(size=shape) * 2 + 1, rng.random(c) + 0.5, rng.normal(size=c))]


def statistics(lib, shape, dtype):
    c = np.arange(shape[1])
    return lib.tensor((c * 0.3).astype(dtype)), lib.tensor((c + 0.5).astype(dtype))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 2e-4)])
def test_parity(shape, training, dtype, rtol, torch):
    kept = {}

    def apply(lib, function):
        kept[lib] = statistics(lib, shape, dtype)
        return lambda x, w, b: function(x, *kept[lib], w, b, training, 0.2, 1e-3)

    ours, theirs = apply(fd, F.batch_norm), apply(torch, torch.nn.functional.batch_norm)
    assert_parity(torch, ours, theirs, arrays(shape, dtype), (0, 1, 2), rtol=rtol, atol=rtol / 10)
    for a, b in zip(kept[fd], kept[torch], strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=rtol)


def test_without_affine_or_statistics(torch):
    x = arrays((4, 3, 5))[:1]
    assert_parity(
        torch,
        lambda t: F.batch_norm(t, None, None, training=True),
        lambda t: torch.nn.functional.batch_norm(t, None, None, training=True),
        x,
        rtol=1e-10,
    )


def test_strided_input(torch):
    x, w, b = arrays((5, 4, 3))

    def apply(function):
        return lambda x, w, b: function(x.transpose(1, 2), None, None, w, b, True)

    w, b = w[[0, 1, 2]], b[[0, 1, 2]]
    assert_parity(torch, apply(F.batch_norm), apply(torch.nn.functional.batch_norm), [x, w, b], (0, 1, 2), rtol=1e-9)


@pytest.mark.parametrize("training", [True, False])
def test_gradcheck(training):
    def apply(x, w, b):
        mean, var = statistics(fd, x.shape, np.float64)
        return F.batch_norm(x, mean, var, w, b, training)

    gradcheck(apply, arrays((4, 2, 3)), (0, 1, 2))


def test_large_mean_keeps_precision():
    x = (rng.normal(size=(1000, 2)) + 1e4).astype(np.float32)
    y = F.batch_norm(fd.tensor(x), None, None, training=True).numpy()
    exact = (x - x.mean(0, dtype=np.float64)) / x.std(0, dtype=np.float64)
    np.testing.assert_allclose(y, exact, atol=2e-3)


def test_running_statistics_count_as_written():
    mean, var = statistics(fd, (2, 3), np.float32)
    before = mean._version
    F.batch_norm(fd.rand(4, 3), mean, var, training=True)
    assert mean._version > before
    assert var._version > 0
    at = mean._version
    F.batch_norm(fd.rand(4, 3), mean, var, training=False)
    assert mean._version == at


def test_empty_batch():
    mean, var = statistics(fd, (2, 3), np.float32)
    before = mean.tolist()
    y = F.batch_norm(fd.zeros(0, 3), mean, var, fd.ones(3), fd.zeros(3), True)
    assert tuple(y.shape) == (0, 3)
    assert mean.tolist() == before


def test_half():
    y = F.batch_norm(fd.rand(8, 3).to(fd.float16), None, None, training=True)
    assert y.dtype == fd.float16
    assert abs(y.to(fd.float32).numpy().mean()) < 1e-2


def test_errors():
    x = fd.rand(4, 3)
    with pytest.raises(ValueError, match=r"batch_norm: input has shape \(3,\); expected \(n, c\)"):
        F.batch_norm(fd.rand(3), None, None, training=True)
    with pytest.raises(ValueError, match="one value per channel"):
        F.batch_norm(fd.rand(1, 3), None, None, training=True)
    with pytest.raises(ValueError, match="running_mean and running_var are needed"):
        F.batch_norm(x, None, None)
    with pytest.raises(ValueError, match=r"weight has shape \(2,\); expected \(3,\), one value per channel"):
        F.batch_norm(x, None, None, fd.ones(2), None, True)
    with pytest.raises(TypeError, match="bias is float64 but input is float32"):
        F.batch_norm(x, None, None, None, fd.ones(3, dtype=fd.float64), True)


# ---------------------------------------------------------------------------------------------------- layer norm


@pytest.mark.parametrize(("shape", "last"), [((4, 6), 1), ((2, 3, 5), 2), ((2, 3, 5), 1), ((7,), 1), ((3, 1), 1)])
@pytest.mark.parametrize("affine", [True, False])
def test_layer_norm(shape, last, affine, torch):
    normalized = shape[len(shape) - last :]
    given = [rng.normal(size=shape) + 3, rng.random(normalized), rng.normal(size=normalized)]

    def apply(function):
        return lambda x, w, b: function(x, normalized, w if affine else None, b if affine else None, 1e-3)

    wanted = (0, 1, 2) if affine else (0,)
    theirs = apply(torch.nn.functional.layer_norm)
    assert_parity(torch, apply(F.layer_norm), theirs, given, wanted, rtol=1e-9, atol=1e-11)
    if shape[-1] > 1:
        gradcheck(apply(F.layer_norm), given, wanted)


def test_layer_norm_errors():
    with pytest.raises(ValueError, match=r"layer_norm: input has shape \(2, 3\); expected its last dimensions"):
        F.layer_norm(fd.rand(2, 3), (4,))
    with pytest.raises(ValueError, match=r"weight has shape \(2,\)"):
        F.layer_norm(fd.rand(2, 3), (3,), fd.ones(2))
