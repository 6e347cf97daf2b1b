"""Random tensors: the streams' definition, distributions, generators, minibatches, errors."""

import pickle

import numpy as np
import pytest

import freedive as fd

M = (1 << 32) - 1


def philox(seed, offset, block):
    """Philox4x32-10 (Salmon et al., SC'11), written again from the paper."""
    counter = [block & M, block >> 32, offset & M, offset >> 32]
    key = [seed & M, seed >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [p1 >> 32 ^ counter[1] ^ key[0], p1 & M, p0 >> 32 ^ counter[3] ^ key[1], p0 & M]
        key = [(key[0] + 0x9E3779B9) & M, (key[1] + 0xBB67AE85) & M]
    return counter


def words(seed, offset, n):
    return [w for block in range((n + 3) // 4) for w in philox(seed, offset, block)][:n]


def test_uniform_follows_its_definition():
    fd.manual_seed(2**40 + 5)
    fd.rand(1)
    expected = [(w >> 8) * 2.0**-24 for w in words(2**40 + 5, 1, 9)]
    assert fd.rand(9).tolist() == expected
    pairs = words(2**40 + 5, 2, 6)
    expected = [((b << 32 | a) >> 11) * 2.0**-53 for a, b in zip(pairs[::2], pairs[1::2], strict=True)]
    assert fd.rand(3, dtype=fd.float64).tolist() == expected


def test_randperm_follows_its_definition():
    fd.manual_seed(11)
    stream, n = words(11, 0, 20), 10
    expected = list(range(n))
    for i in range(n):
        j = i + ((stream[2 * i + 1] << 32 | stream[2 * i]) * (n - i) >> 64)
        expected[i], expected[j] = expected[j], expected[i]
    assert fd.randperm(n).tolist() == expected


def test_bernoulli_follows_its_definition():
    fd.manual_seed(11)
    assert fd.zeros(9).bernoulli_(0.3).tolist() == [float(w < int(0.3 * 2**32)) for w in words(11, 0, 9)]


def test_each_operation_takes_one_offset():
    def count():
        return int(np.frombuffer(fd.get_rng_state().numpy().tobytes(), np.uint64)[1])

    fd.manual_seed(0)
    operations = [
        lambda: fd.rand(3), lambda: fd.randn(5), lambda: fd.normal(0, 1, (2,)), lambda: fd.randint(0, 5, (3,)),
        lambda: fd.randperm(4), lambda: fd.bernoulli(fd.full((3,), 0.5)), lambda: fd.zeros(3).uniform_(),
        lambda: fd.zeros(2).normal_(), lambda: fd.zeros(2).exponential_(), lambda: fd.zeros(3).bernoulli_(0.5),
        lambda: fd.multinomial(fd.ones(4), 2), lambda: fd.multinomial(fd.ones(4), 2, replacement=True),
        lambda: fd._core.dropout(fd.ones(3)), lambda: fd.normal(fd.zeros(2), fd.ones(2)),
        lambda: fd.zeros(3, 4).t().normal_(), lambda: fd.rand(3, dtype=fd.bfloat16),
    ]  # fmt: skip
    for i, operation in enumerate(operations):
        assert count() == i
        operation()
    assert count() == len(operations)


def close(values, mean, std):
    n = values.size
    assert abs(values.mean() - mean) < 5 * std / np.sqrt(n)
    assert abs(values.std() - std) < 5 * std / np.sqrt(n)


def test_distributions():
    fd.manual_seed(0)
    n = 200_000
    close(fd.rand(n).numpy(), 0.5, 1 / np.sqrt(12))
    close(fd.randn(n).numpy(), 0, 1)
    close(fd.normal(3.0, 2.0, (n,)).numpy(), 3, 2)
    close(fd.zeros(n).uniform_(-2, 4).numpy(), 1, 6 / np.sqrt(12))
    close(fd.zeros(n, dtype=fd.float64).normal_(-1, 0.5).numpy(), -1, 0.5)
    close(fd.zeros(n).bernoulli_(0.2).numpy(), 0.2, 0.4)
    close(fd.bernoulli(fd.full((n,), 0.2)).numpy(), 0.2, 0.4)
    exponential = fd.zeros(n).exponential_(2.0).numpy()
    assert exponential.min() >= 0
    assert abs(exponential.mean() - 0.5) < 0.01
    integers = fd.randint(-3, 5, (n,)).numpy()
    assert integers.dtype == np.int64
    assert set(integers) == set(range(-3, 5))
    close(integers.astype(float), 0.5, np.sqrt((64 - 1) / 12))
    tensors = fd.normal(fd.full((n,), 2.0), fd.full((n,), 3.0)).numpy()
    close(tensors, 2, 3)


def test_normal_words_are_whole_pairs():
    """An odd length is a prefix of the next even one."""
    fd.manual_seed(5)
    odd = fd.randn(7).tolist()
    fd.manual_seed(5)
    assert fd.randn(8).tolist()[:7] == odd


def test_first_draws():
    """What a seed gives is a promise to every run, device and version."""
    fd.manual_seed(42)
    assert fd.rand(3).tolist() == [(w >> 8) * 2.0**-24 for w in words(42, 0, 3)]
    draws = fd.randn(1000, dtype=fd.float64).numpy()
    u = (np.array(words(42, 1, 1000), np.float64) + np.arange(1000) % 2 * -1 + 1) * 2.0**-32
    u[1::2] = np.array(words(42, 1, 1000), np.float64)[1::2] * 2.0**-32
    radius = np.sqrt(-2 * np.log(u[::2]))
    np.testing.assert_allclose(draws[::2], radius * np.cos(2 * np.pi * u[1::2]), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(draws[1::2], radius * np.sin(2 * np.pi * u[1::2]), rtol=1e-11, atol=1e-13)


def test_shapes_dtypes_and_gradients():
    assert tuple(fd.rand(2, 3).shape) == tuple(fd.rand((2, 3)).shape) == tuple(fd.rand(size=(2, 3)).shape) == (2, 3)
    assert fd.rand(()).shape == fd.rand(size=()).shape == ()
    assert fd.randn(2, requires_grad=True).requires_grad
    assert fd.randn(2, requires_grad=True).is_leaf
    assert fd.normal(0, 0.01, size=(3, 1), requires_grad=True).requires_grad
    for dtype in (fd.float16, fd.bfloat16, fd.float32, fd.float64):
        assert fd.rand(3, dtype=dtype).dtype == dtype
        assert fd.randn(3, dtype=dtype).dtype == dtype
    assert fd.rand(3, device="cpu").device == fd.device("cpu")
    assert fd.randint(5, (3,)).dtype == fd.int64
    assert fd.randint(0, 5, (3,), dtype=fd.uint8).dtype == fd.uint8
    assert fd.randint(high=5, size=(2, 2)).shape == (2, 2)
    assert fd.randperm(5, dtype=fd.int32).dtype == fd.int32
    assert fd.randperm(0).shape == (0,)
    like = fd.zeros(2, 3, dtype=fd.float64)
    assert fd.rand_like(like).dtype == fd.float64
    assert fd.randn_like(like).shape == (2, 3)
    assert fd.randint_like(like, 3, 7).dtype == fd.float64
    assert fd.rand(0, 3).shape == (0, 3)


def test_filling_in_place_keeps_the_graph_right():
    leaf = fd.ones(3).requires_grad_(True)
    mid = leaf * 2
    mid.uniform_()
    (mid * 3).sum().backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), 0)
    with pytest.raises(RuntimeError, match="in-place write to a leaf"):
        leaf.normal_()
    with fd.no_grad():
        assert leaf.normal_() is leaf


def test_views_are_filled():
    base = fd.zeros(4, 6)
    base.t().uniform_(1, 2)
    assert (base.numpy() >= 1).all()


def test_generators():
    ours, again = fd.Generator(), fd.Generator()
    assert ours.manual_seed(9) is ours
    assert ours.initial_seed() == 9
    again.manual_seed(9)
    state = fd.get_rng_state().tolist()
    first = fd.rand(4, generator=ours)
    assert fd.get_rng_state().tolist() == state
    assert fd.rand(4, generator=again).tolist() == first.tolist()
    saved = ours.get_state()
    draw = fd.randperm(10, generator=ours).tolist()
    ours.set_state(saved)
    assert fd.randperm(10, generator=ours).tolist() == draw
    copy = pickle.loads(pickle.dumps(again))
    assert fd.randn(3, generator=copy).tolist() == fd.randn(3, generator=again).tolist()
    assert isinstance(ours.seed(), int)


def test_default_generator():
    assert fd.manual_seed(-1) is fd.default_generator
    assert fd.initial_seed() == 2**64 - 1
    fd.manual_seed(2**64 - 1)
    state = fd.get_rng_state()
    first = fd.rand(3).tolist()
    fd.set_rng_state(state)
    assert fd.rand(3).tolist() == first
    seed = fd.seed()
    assert fd.initial_seed() == seed


def test_multinomial():
    fd.manual_seed(0)
    weights = fd.tensor([1.0, 0.0, 3.0, 4.0])
    with_replacement = fd.multinomial(weights, 80_000, replacement=True).numpy()
    np.testing.assert_allclose(np.bincount(with_replacement, minlength=4) / 80_000, [1 / 8, 0, 3 / 8, 1 / 2], atol=0.01)
    first = np.bincount([weights.multinomial(3).tolist()[0] for _ in range(4000)], minlength=4) / 4000
    np.testing.assert_allclose(first, [1 / 8, 0, 3 / 8, 1 / 2], atol=0.04)
    rows = fd.multinomial(fd.ones(50, 6), 6).numpy()
    np.testing.assert_array_equal(np.sort(rows, 1), np.tile(np.arange(6), (50, 1)))


def test_errors():
    with pytest.raises(TypeError, match="rand: dtype is int64; expected a floating dtype"):
        fd.rand(3, dtype=fd.int64)
    with pytest.raises(ValueError, match="negative size"):
        fd.rand(-1)
    with pytest.raises(ValueError, match="randint: low is 5 and high is 5; expected low < high"):
        fd.randint(5, 5, (1,))
    with pytest.raises(ValueError, match="normal_: std is -1"):
        fd.zeros(2).normal_(0, -1)
    with pytest.raises(ValueError, match="normal: std has negative"):
        fd.normal(fd.zeros(2), fd.tensor([1.0, -1.0]))
    with pytest.raises(ValueError, match="size is needed"):
        fd.normal(0.0, 1.0)
    with pytest.raises(ValueError, match="uniform_: from is 2 and to is 1"):
        fd.zeros(2).uniform_(2, 1)
    with pytest.raises(ValueError, match="bernoulli: input has values outside"):
        fd.bernoulli(fd.tensor([1.5]))
    with pytest.raises(ValueError, match="bernoulli_: p is 2"):
        fd.zeros(2).bernoulli_(2.0)
    with pytest.raises(ValueError, match="exponential_: lambd is 0"):
        fd.zeros(2).exponential_(0.0)
    with pytest.raises(ValueError, match="multinomial: input holds -1 in row 0, column 1"):
        fd.multinomial(fd.tensor([1.0, -1.0]), 1)
    with pytest.raises(ValueError, match="num_samples is 3 of 2 categories"):
        fd.multinomial(fd.ones(2), 3)
    with pytest.raises(ValueError, match="2 positive weights but num_samples is 3"):
        fd.multinomial(fd.tensor([1.0, 0.0, 1.0]), 3)
    with pytest.raises(ValueError, match="sum to 0"):
        fd.multinomial(fd.zeros(3), 1)
    with pytest.raises(ValueError, match="seed must be between"):
        fd.manual_seed(2**64)
    with pytest.raises(ValueError, match=r"state has shape \(3,\)"):
        fd.set_rng_state(fd.zeros(3, dtype=fd.uint8))
    with pytest.raises(ValueError, match="randperm: n is -1"):
        fd.randperm(-1)


# ----------------------------------------------------------------------------------------------------- minibatch


@pytest.mark.parametrize("dtype", [fd.float32, fd.float64, fd.bfloat16])
def test_minibatch(dtype):
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 5)).astype(np.uint8)
    rows = np.array([3, 3, 19, 0])
    batch = fd._core.minibatch(fd.tensor(images), fd.tensor(rows), 1 / 255, -0.5, dtype)
    assert batch.dtype == dtype
    assert tuple(batch.shape) == (4, 3, 5)
    atol = 4e-3 if dtype == fd.bfloat16 else 1e-6
    np.testing.assert_allclose(batch.to(fd.float64).numpy(), images[rows] / 255 - 0.5, atol=atol)


def test_minibatch_errors():
    images = fd.zeros(4, 2, dtype=fd.uint8)
    with pytest.raises(IndexError, match="minibatch: index 4 at position 1"):
        fd._core.minibatch(images, fd.tensor([0, 4]), 1.0, 0.0, fd.float32)
    with pytest.raises(TypeError, match="images are float32; expected uint8"):
        fd._core.minibatch(fd.zeros(4, 2), fd.tensor([0]), 1.0, 0.0, fd.float32)
    with pytest.raises(TypeError, match="rows is float32"):
        fd._core.minibatch(images, fd.zeros(1), 1.0, 0.0, fd.float32)
