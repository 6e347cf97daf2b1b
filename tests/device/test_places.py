"""Counting, searching, drawing and writing by index: the CPU's bits, without waiting for the device."""

import numpy as np
import pytest

import freedive as fd
from freedive.nn import functional as F

RNG = np.random.default_rng(0)


def same(ours, theirs):
    assert ours.device.type == "cuda"
    assert ours.dtype == theirs.dtype
    assert ours.cpu().equal(theirs)


@pytest.mark.parametrize("n", [0, 1, 300, 5000])
def test_bincount(n):
    t = fd.tensor(RNG.integers(0, 7, n))
    for weights in (None, fd.rand(n), fd.rand(n, dtype=fd.float64), fd.arange(n)):
        for least in (0, 12):
            there = None if weights is None else weights.cuda()
            same(t.cuda().bincount(there, least), t.bincount(weights, least))
    with pytest.raises(ValueError, match="bincount: expected non-negative integers, got -3"):
        fd.tensor([1, -3], device="cuda").bincount()


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("dtype", [fd.int32, fd.int64, fd.float32, fd.float64])
def test_searchsorted(dtype, right):
    edges = fd.tensor(np.sort(RNG.integers(-9, 9, 40))).to(dtype)
    values = fd.tensor(RNG.integers(-12, 12, (5, 7))).to(dtype)
    same(fd.searchsorted(edges.cuda(), values.cuda(), right=right), fd.searchsorted(edges, values, right=right))
    rows = fd.tensor(np.sort(RNG.integers(-9, 9, (5, 13)))).to(dtype)
    same(fd.searchsorted(rows.cuda(), values.cuda(), right=right), fd.searchsorted(rows, values, right=right))
    if dtype == fd.float64:
        values[0, :3] = fd.tensor([np.nan, np.inf, -np.inf], dtype=dtype)
        edges[-3:] = np.nan
        same(fd.searchsorted(edges.cuda(), values.cuda(), right=right), fd.searchsorted(edges, values, right=right))
    empty = fd.searchsorted(edges[:0].cuda(), values.cuda(), out_int32=True)
    same(empty, fd.zeros(5, 7, dtype=fd.int32))
    same(fd.isin(values.cuda(), edges.cuda()), fd.isin(values, edges))


def test_repeat_interleave_by_tensor():
    for counts in ([2, 0, 3], [0, 0, 0], [1], [700, 1, 0, 300], []):
        times = fd.tensor(counts, dtype=fd.int64)
        t = fd.arange(float(2 * len(counts))).reshape(len(counts), 2)
        same(t.cuda().repeat_interleave(times.cuda(), 0), t.repeat_interleave(times, 0))
        same(fd.repeat_interleave(times.cuda()), fd.repeat_interleave(times))
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        fd.repeat_interleave(fd.tensor([1, -1], device="cuda"))


@pytest.mark.parametrize("dtype", [fd.float32, fd.float64])
@pytest.mark.parametrize("rows", [None, 1, 3])
@pytest.mark.parametrize("n", [1, 40, 700])
def test_multinomial_draws_what_the_cpu_draws(rows, n, dtype):
    weights = fd.tensor(RNG.random((n,) if rows is None else (rows, n))).to(dtype)
    if n > 1:
        weights[..., ::3] = 0
    some = max(1, n // 2)
    for samples, replacement in ((1, True), (300, True), (1, False), (some, False)):
        fd.manual_seed(5)
        theirs = weights.multinomial(samples, replacement)
        fd.manual_seed(5)
        same(weights.cuda().multinomial(samples, replacement), theirs)


def test_what_multinomial_refuses_is_named_at_the_next_wait():
    fd.tensor([0.5, -1.0], device="cuda").multinomial(1)
    with pytest.raises(ValueError, match="multinomial: -1 at position 1 is not a value it takes"):
        fd.cuda.synchronize()
    fd.tensor([0.5, np.nan], device="cuda").multinomial(1, True)
    with pytest.raises(ValueError, match="multinomial: nan at position 1"):
        fd.cuda.synchronize()
    fd.tensor([[1.0, 1.0], [0.0, 1.0]], device="cuda").multinomial(2)
    with pytest.raises(ValueError, match="positive weights in a row: 1 at position 1"):
        fd.cuda.synchronize()
    with pytest.raises(ValueError, match="without replacement"):
        fd.ones(2, device="cuda").multinomial(3)
    assert fd.ones(2, device="cuda").multinomial(2).sum().item() == 1


REFUSED = {
    "floor_divide: 0 at position 1": lambda x: fd.floor_divide(x.long(), fd.tensor([1, 0], device="cuda")),
    "remainder: 0 at position 0": lambda x: x.long() % fd.tensor([0, 3], device="cuda"),
    "pow: -1 at position 1": lambda x: x.int() ** fd.tensor([2, -1], device="cuda", dtype=fd.int32),
    "binary_cross_entropy: 2 at position 1": lambda x: F.binary_cross_entropy(x, fd.ones(2, device="cuda")),
    "bernoulli: 2 at position 1": lambda x: fd.bernoulli(x),
    "normal: -2 at position 1": lambda x: fd.normal(0.0, -x),
    "quantile: 2 at position 1": lambda x: x.quantile(x),
}


@pytest.mark.parametrize("message", REFUSED)
def test_values_that_are_not_taken_are_named_at_the_next_wait(message):
    REFUSED[message](fd.tensor([0.0, 2.0], device="cuda"))
    with pytest.raises(ValueError, match=message):
        fd.cuda.synchronize()


def test_indices_are_checked_without_waiting():
    table = fd.arange(12.0, device="cuda").reshape(4, 3)
    for op, call in {
        "embedding": lambda i: F.embedding(i, table),
        "index_select": lambda i: table.index_select(1, i),
        "index_add_": lambda i: table.clone().index_add_(0, i, table[:2]),
    }.items():
        call(fd.tensor([0, -1], device="cuda"))
        with pytest.raises(IndexError, match=f"{op}: index -1 at position 1"):
            fd.cuda.synchronize()


def test_what_can_be_captured():
    """No wait and no copy from the host in any of these."""
    table, x = fd.randn(6, 4).cuda(), fd.rand(8).cuda()

    def work(i, p):
        rows = F.embedding(i, table).index_select(1, fd.arange(3, device="cuda"))
        return rows, F.binary_cross_entropy(p, x), fd.linspace(0, 1, 7, device="cuda"), i // (i + 1), p.median()

    step, i = fd.cuda.graph(work), fd.tensor([0, 5, 2], device="cuda")
    eager = work(i, x)
    for _ in range(3):
        for ours, theirs in zip(step(i, x), eager, strict=True):
            assert ours.equal(theirs)


@pytest.mark.parametrize("dtype", [fd.int32, fd.int64, fd.float16, fd.float32, fd.float64])
def test_ramps_have_the_cpus_bits(dtype):
    for arguments in ((7,), (3, 900), (5, -4, -3), (0, 0)):
        same(fd.arange(*arguments, dtype=dtype, device="cuda"), fd.arange(*arguments, dtype=dtype))
    if dtype.is_floating_point:
        same(fd.arange(-1.5, 1.5, 0.1, dtype=dtype, device="cuda"), fd.arange(-1.5, 1.5, 0.1, dtype=dtype))
        for steps in (0, 1, 2, 5, 333):
            same(fd.linspace(-0.3, 1.7, steps, dtype=dtype, device="cuda"), fd.linspace(-0.3, 1.7, steps, dtype=dtype))


@pytest.mark.parametrize("dtype", [fd.bool, fd.uint8, fd.int64, fd.bfloat16, fd.float32])
@pytest.mark.parametrize("inner", [(), (3,)])
def test_many_indices_are_written_in_their_order(dtype, inner):
    n, targets = 4500, 37
    which = fd.tensor(RNG.integers(0, targets, n))
    values = fd.tensor(RNG.normal(size=(n, *inner)) * 3).to(dtype)
    for accumulate in (False, True):
        results = []
        for device in ("cpu", "cuda"):
            into = fd.ones(targets + 3, *inner, dtype=dtype, device=device)
            into.index_put_((which.to(device),), values.to(device), accumulate)
            results.append(into)
        same(results[1], results[0])


@pytest.mark.parametrize("reduce", ["sum", "prod", "amax", "amin"])
def test_many_indices_are_scattered_in_their_order(reduce):
    which = fd.tensor(RNG.integers(0, 50, (2, 3000)))
    values = fd.tensor(RNG.normal(size=(2, 3000)).astype(np.float32))
    results = [fd.ones(2, 50, device=d).scatter_reduce(1, which.to(d), values.to(d), reduce) for d in ("cpu", "cuda")]
    same(results[1], results[0])
    last = [fd.zeros(2, 50, device=d).scatter_(1, which.to(d), values.to(d)) for d in ("cpu", "cuda")]
    same(last[1], last[0])
    which[1, 7] = 50
    fd.zeros(2, 50, device="cuda").scatter_add_(1, which.cuda(), values.cuda())
    with pytest.raises(IndexError, match="index 50 at position 3007"):
        fd.cuda.synchronize()


def test_a_large_nonzero():
    t = fd.tensor(RNG.random(40_000) < 0.3)
    same(fd.nonzero(t.cuda()), fd.nonzero(t))
