"""Matrix products on tensor cores: halves and TF32, forward and backward, beside float64."""

import numpy as np
import pytest

import freedive as fd
import freedive.nn.functional as F

HALVES = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
SHAPES = [(1, 1, 1), (33, 17, 65), (64, 48, 40), (5, 300, 7), (16, 16, 1100), (70, 72, 64)]


@pytest.fixture
def tf32():
    fd.set_float32_matmul_precision("high")
    yield
    fd.set_float32_matmul_precision("highest")


def operand(rows, cols, dtype, transposed, seed):
    """A matrix on the device, and the same numbers in float64."""
    values = np.random.default_rng(seed).uniform(-1, 1, (cols, rows) if transposed else (rows, cols))
    t = fd.tensor(values, dtype=fd.float32).to(getattr(fd, dtype)).to("cuda")
    t = t.t() if transposed else t
    return t, t.cpu().to(fd.float64).numpy()


def near(got, want, step, terms):
    """Rounded once when stored, and a sum of float32 terms before."""
    got = got.cpu().to(fd.float64).numpy()
    allowed = step * np.abs(want) + 2.0**-22 * (terms + 4)
    assert got.shape == want.shape and (np.abs(got - want) <= allowed).all()


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
def test_halves_are_multiplied_exactly_and_rounded_once(dtype, m, n, k):
    for transposed in range(4):
        a, a64 = operand(m, k, dtype, transposed & 1, 1)
        b, b64 = operand(k, n, dtype, transposed & 2, 2)
        c = a @ b
        assert c.dtype == a.dtype and c.device.type == "cuda"
        near(c, a64 @ b64, HALVES[dtype], k)


@pytest.mark.parametrize("dtype", HALVES)
def test_batches(dtype):
    x = np.random.default_rng(3).uniform(-1, 1, (3, 4, 10, 24))
    a = fd.tensor(x, dtype=fd.float32).to(getattr(fd, dtype)).to("cuda")
    a64 = a.cpu().to(fd.float64).numpy()
    near(a @ a.transpose(-1, -2), a64 @ a64.swapaxes(-1, -2), HALVES[dtype], 24)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("activation", ["none", "relu", "sigmoid", "tanh"])
def test_linear_and_its_gradients(dtype, activation):
    rng = np.random.default_rng(4)
    arrays = [rng.uniform(-1, 1, shape) / 4 for shape in [(24, 40), (36, 40), (36,)]]

    def run(device, compute):
        inputs = [fd.tensor(a, dtype=fd.float32).to(getattr(fd, dtype)).to(compute).to(device) for a in arrays]
        for t in inputs:
            t.requires_grad_(True)
        y = fd.linear(*inputs, activation=activation)
        y.sum().backward()
        return [y.detach()] + [t.grad for t in inputs]

    for got, want in zip(run("cuda", getattr(fd, dtype)), run("cpu", fd.float64), strict=True):
        want = want.numpy()
        got = got.cpu().to(fd.float64).numpy()
        assert np.abs(got - want).max() <= 4 * HALVES[dtype] * max(np.abs(want).max(), 1)


def test_float32_is_exact_unless_allowed_otherwise(tf32):
    assert fd.get_float32_matmul_precision() == "high"
    a, a64 = operand(40, 64, "float32", False, 5)
    b, b64 = operand(64, 24, "float32", True, 6)
    rounded = (a @ b).cpu().to(fd.float64).numpy()
    fd.set_float32_matmul_precision("highest")
    near(a @ b, a64 @ b64, 2.0**-22, 64)
    off = np.abs(rounded - a64 @ b64).max()
    assert 2.0**-18 < off < 2.0**-11 * 64
    with pytest.raises(ValueError, match="expected 'highest', 'high' or 'medium'"):
        fd.set_float32_matmul_precision("low")


def test_tf32_trains(tf32):
    x, y = fd.randn(32, 20, device="cuda"), fd.randn(32, 8, device="cuda")
    w = fd.zeros(8, 20, device="cuda", requires_grad=True)
    losses = []
    for _ in range(20):
        loss = F.mse_loss(F.linear(x, w), y)
        w.grad = None
        loss.backward()
        with fd.no_grad():
            w -= 0.5 * w.grad
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
