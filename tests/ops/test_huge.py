"""More than 2^31 elements: no index, size or offset is an int on the way.

Two minutes and up to 18 GiB, so only where FREEDIVE_FULL_SIZE=1 asks for it (`.ci/nightly`) and memory is free.
"""

import os

import numpy as np
import pytest

import freedive as fd

N = 2**31 + 4099
GIB = 1 << 30
pytestmark = pytest.mark.skipif(os.environ.get("FREEDIVE_FULL_SIZE") != "1", reason="FREEDIVE_FULL_SIZE=1 runs it")


def needs(gib):
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return pytest.mark.skipif(free < gib * GIB, reason=f"needs {gib} GiB of free memory")


@pytest.fixture(autouse=True)
def give_memory_back():
    yield
    fd.empty_cache()


@pytest.fixture(scope="module")
def far():
    """Zeros with a 3 at the start, a 7 beyond 2^31 and a 5 at the end; not to be written to."""
    x = fd.zeros(N, dtype=fd.uint8)
    x[0], x[2**31 + 17], x[-1] = 3, 7, 5
    return x


@needs(8)
class TestBytes:
    def test_reductions(self, far):
        assert far.sum().item() == 15
        assert far.max().item() == 7
        assert far.argmax().item() == 2**31 + 17
        assert fd.count_nonzero(far).item() == 3
        assert far.view(N, 1).sum(0).item() == 15
        assert (far == 5).any().item()
        assert not far.all().item()

    def test_elementwise(self, far):
        y = far + 1
        assert [y[i].item() for i in (0, 1, 2**31 + 17, -2, -1)] == [4, 1, 8, 1, 6]
        y.mul_(2)
        assert [y[i].item() for i in (0, 2**31 + 17, -1)] == [8, 16, 12]

    def test_strides_and_copies(self, far):
        assert far[::2].sum().item() == 3 + 5  # 0 and the last are even, the 7 is not
        assert far[2**31 :].sum().item() == 12
        half = far[:-1].view(2, -1)
        copy = half.T.contiguous()
        assert copy.shape == ((N - 1) // 2, 2)
        at = 2**31 + 17 - (N - 1) // 2
        assert copy[at].tolist() == [0, 7]
        assert copy.sum().item() == 10

    def test_indices(self, far):
        rows = fd.tensor([2**31 + 17, 0, N - 1])
        assert far[rows].tolist() == [7, 3, 5]
        assert fd.index_select(far, 0, rows).tolist() == [7, 3, 5]
        assert fd.gather(far, 0, rows).tolist() == [7, 3, 5]
        assert fd.take(far, rows).tolist() == [7, 3, 5]
        assert fd.nonzero(far).flatten().tolist() == [0, 2**31 + 17, N - 1]
        assert far[far > 4].tolist() == [7, 5]
        y = far.clone()
        y[rows] = fd.tensor([1, 2, 4], dtype=fd.uint8)
        y.index_add_(0, rows[:1], fd.tensor([10], dtype=fd.uint8))
        assert y[rows].tolist() == [11, 2, 4]

    def test_cat_and_numpy(self, far):
        both = fd.cat([far[: 2**30], far[2**30 :]])
        assert both[2**31 + 17].item() == 7
        assert np.shares_memory(both.numpy(), fd.from_numpy(both.numpy()).numpy())
        assert both.numpy()[2**31 + 17] == 7

    def test_random(self):
        x = fd.randint(0, 2, (N,), dtype=fd.uint8, generator=fd.Generator().manual_seed(1))
        ends = [x[i * (N // 4) :][: N // 4] for i in range(4)]
        for part in ends:
            assert abs(part.sum().item() / part.numel() - 0.5) < 1e-4
        assert not fd.equal(x[: N - 2**31], x[2**31 :])


@needs(12)
class TestFloats:
    def test_elementwise_and_reductions(self):
        x = fd.zeros(N)
        x[-1], x[2**31 + 1] = 2.0, -3.0
        x.relu_().exp_()
        assert x[2**31 + 1].item() == 1.0
        assert x[-1].item() == pytest.approx(np.exp(2.0), rel=1e-6)
        assert x.mean().item() == pytest.approx(1.0, abs=1e-6)
        assert x.argmax().item() == N - 1
        fd.nn.functional.dropout(x, 0.5, inplace=True)
        tail = x[2**31 :]
        assert 0.3 < (tail == 0).sum().item() / tail.numel() < 0.7

    def test_products(self):
        a = fd.zeros(2**16 + 1, 2**15)
        a[-1] = fd.arange(2.0**15)
        b = fd.ones(2**15, 2)
        product = a @ b
        assert product[-1].tolist() == [2**14 * (2**15 - 1.0)] * 2
        assert product[:-1].abs().sum().item() == 0
        assert (a[-1:] @ a.T)[0, -1].item() == pytest.approx((fd.arange(2.0**15).double() ** 2).sum().item(), rel=1e-6)

    def test_softmax_and_loss(self):
        logits = fd.zeros(2**16 + 1, 2**15)
        labels = fd.zeros(2**16 + 1, dtype=fd.int64)
        loss = fd.nn.functional.cross_entropy(logits, labels)
        assert loss.item() == pytest.approx(15 * np.log(2), rel=1e-6)

    @needs(19)
    def test_an_optimizer_step(self):
        p = fd.nn.Parameter(fd.zeros(N))
        p.grad = fd.ones(N)
        fd.optim.SGD([p], lr=0.5).step()
        assert p.detach().min().item() == p.detach().max().item() == -0.5
