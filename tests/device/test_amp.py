"""Mixed precision: which dtypes come out, what they are worth, and losses that are scaled."""

import numpy as np
import pytest

import freedive as fd
from freedive import nn
from freedive.nn import functional as F

HALVES = [fd.float16, fd.bfloat16]
EPSILON = {fd.float16: 2.0**-11, fd.bfloat16: 2.0**-8}


def on_gpu(*shape, seed=0):
    return fd.tensor(np.random.default_rng(seed).normal(size=shape).astype(np.float32), device="cuda")


@pytest.mark.parametrize("dtype", HALVES)
def test_products_take_halves_and_the_rest_stays(dtype):
    x, w, image, kernel = on_gpu(4, 6), on_gpu(5, 6), on_gpu(2, 3, 5, 5), on_gpu(4, 3, 3, 3)
    with fd.autocast("cuda", dtype=dtype):
        low = [F.linear(x, w), x @ w.T, fd.matmul(x, w.T), fd.mm(x, w.T), fd.einsum("ab,cb->ac", x, w)]
        low += [F.conv2d(image, kernel), fd.addmm(on_gpu(4, 5), x, w.T), F.relu(x @ w.T), (x @ w.T).max(1).values]
        y = x @ w.T
        wide = [x + 1, y.exp(), y.softmax(1), F.log_softmax(y, 1), y.sum(), y.mean(0), y.cumsum(0), y.norm()]
        wide += [F.mse_loss(y, y * 2), F.cross_entropy(y, fd.tensor([0, 1, 2, 3], device="cuda"))]
        wide += [F.layer_norm(y, (5,), on_gpu(5), on_gpu(5)), y + on_gpu(4, 5)]
        assert (fd.ones(2, 2) @ fd.ones(2, 2)).dtype == fd.float32  # the CPU is another matter
        assert (x.double() @ w.T.double()).dtype == fd.float64
    assert [t.dtype for t in low] == [dtype] * len(low)
    assert [t.dtype for t in wide] == [fd.float32] * len(wide)
    assert (x @ w.T).dtype == fd.float32


@pytest.mark.parametrize("dtype", HALVES)
def test_a_product_is_rounded_once(dtype):
    a, b = on_gpu(33, 70), on_gpu(70, 18, seed=1)
    rounded = [t.to(dtype).double() for t in (a, b)]
    exact = (rounded[0] @ rounded[1]).cpu().numpy()
    with fd.autocast("cuda", dtype=dtype):
        got = (a @ b).float().cpu().numpy()
    np.testing.assert_allclose(got, exact, rtol=1.01 * EPSILON[dtype], atol=1e-4)


def test_nesting_decorating_and_what_is_refused():
    x = on_gpu(3, 3)
    with fd.autocast("cuda"):
        assert (x @ x).dtype == fd.float16
        with fd.autocast("cuda", enabled=False):
            assert (x @ x).dtype == fd.float32
        with fd.autocast("cuda", dtype=fd.bfloat16):
            assert (x @ x).dtype == fd.bfloat16
        assert (x @ x).dtype == fd.float16
    assert fd.autocast("cpu")(lambda: fd.ones(2, 2) @ fd.ones(2, 2))().dtype == fd.bfloat16
    with pytest.raises(fd.DTypeError, match="expected float16 or bfloat16"):
        fd.autocast("cuda", dtype=fd.float32)
    with pytest.raises(ValueError, match="expected 'cuda' or 'cpu'"):
        fd.autocast("tpu")


def train(dtype, scaler=None, captured=False, steps=40):
    fd.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)).to("cuda")
    optimizer = fd.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    x, y = on_gpu(12, 1, 6, 6), fd.tensor(np.arange(12) % 3, device="cuda")

    def step(x, y):
        optimizer.zero_grad()
        with fd.autocast("cuda", dtype=dtype or fd.float16, enabled=dtype is not None):
            loss = F.cross_entropy(net(x), y)
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        return loss

    run = fd.cuda.graph(step, net) if captured else step
    losses = [run(x, y).item() for _ in range(steps)]
    assert {p.dtype for p in net.parameters()} == {p.grad.dtype for p in net.parameters()} == {fd.float32}
    return losses


@pytest.mark.slow
@pytest.mark.parametrize("dtype", HALVES)
def test_training_follows_full_precision(dtype):
    full = train(None)
    assert full[-1] < 0.3 * full[0]
    scaler = fd.amp.GradScaler() if dtype == fd.float16 else None
    np.testing.assert_allclose(train(dtype, scaler), full, rtol=0.1, atol=0.02)


def test_mixed_precision_is_captured():
    assert train(fd.bfloat16, captured=True, steps=8) == train(fd.bfloat16, steps=8)


def test_overflow_leaves_the_step_out_and_the_scale_recovers():
    p = fd.ones(3, device="cuda", requires_grad=True)
    optimizer = fd.optim.SGD([p], lr=1.0)
    scaler = fd.amp.GradScaler(init_scale=4.0, growth_interval=2)
    for big, scale in ((True, 2.0), (False, 2.0), (False, 4.0)):
        optimizer.zero_grad()
        loss = (p * (float("inf") if big else 0.5)).sum()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        if not big:
            assert p.grad.tolist() == [0.5] * 3
        scaler.step(optimizer)
        scaler.update()
        assert scaler.get_scale() == scale
    assert p.tolist() == [0.0] * 3
    with pytest.raises(RuntimeError, match="needs a step"):
        scaler.update()
    other = fd.amp.GradScaler()
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict()
    off = fd.amp.GradScaler(enabled=False)
    assert off.scale(loss) is loss
    assert off.state_dict() == {}
