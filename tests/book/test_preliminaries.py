"""Chapter 2, preliminaries: tensors, linear algebra, calculus, automatic differentiation, probability."""

import random

import numpy as np
import pytest

import freedive as torch
from freedive import d2l
from freedive.distributions.multinomial import Multinomial


def test_making_and_reshaping():
    x = torch.arange(12, dtype=torch.float32)
    assert x.numel() == 12
    assert tuple(x.shape) == (12,)
    X = x.reshape(3, 4)
    assert tuple(X.shape) == (3, 4)
    assert X[-1].tolist() == [8, 9, 10, 11]
    assert X[1:3].tolist() == [[4, 5, 6, 7], [8, 9, 10, 11]]
    assert tuple(x.reshape(-1, 4).shape) == (3, 4)
    assert tuple(torch.zeros((2, 3, 4)).shape) == (2, 3, 4)
    assert float(torch.ones((2, 3, 4)).sum()) == 24
    assert tuple(torch.randn(3, 4).shape) == (3, 4)
    assert torch.tensor([[2, 1, 4, 3], [1, 2, 3, 4]]).dtype == torch.int64
    X[1, 2] = 17
    assert float(x[6]) == 17
    X[:2, :] = 12
    assert X[:2].tolist() == [[12] * 4] * 2


def test_arithmetic_joining_and_broadcasting():
    x, y = torch.tensor([1.0, 2, 4, 8]), torch.tensor([2, 2, 2, 2])
    assert (x + y).tolist() == [3, 4, 6, 10]
    assert (x - y).tolist() == [-1, 0, 2, 6]
    assert (x * y).tolist() == [2, 4, 8, 16]
    assert (x / y).tolist() == [0.5, 1, 2, 4]
    assert (x**y).tolist() == [1, 4, 16, 64]
    assert float(torch.exp(torch.zeros(1))) == 1
    X = torch.arange(12, dtype=torch.float32).reshape((3, 4))
    Y = torch.tensor([[2.0, 1, 4, 3], [1, 2, 3, 4], [4, 3, 2, 1]])
    assert tuple(torch.cat((X, Y), dim=0).shape) == (6, 4)
    assert tuple(torch.cat((X, Y), dim=1).shape) == (3, 8)
    assert (X == Y).tolist() == [[False, True, False, True], [False] * 4, [False] * 4]
    a, b = torch.arange(3).reshape((3, 1)), torch.arange(2).reshape((1, 2))
    assert (a + b).tolist() == [[0, 1], [1, 2], [2, 3]]


def test_memory_and_conversion():
    X, Y = torch.ones(2, 2), torch.ones(2, 2)
    before = id(Y)
    Y = Y + X
    assert id(Y) != before
    Z = torch.zeros_like(Y)
    before = id(Z)
    Z[:] = X + Y
    assert id(Z) == before
    before = id(X)
    X += Y
    assert id(X) == before
    A = X.numpy()
    B = torch.from_numpy(A)
    assert type(A) is np.ndarray
    assert isinstance(B, torch.Tensor)
    A[0, 0] = 99
    assert float(B[0, 0]) == 99
    a = torch.tensor([3.5])
    assert (a.item(), float(a), int(a)) == (3.5, 3.5, 3)
    assert repr(a) == "tensor([3.5000])"


def test_data_from_a_table():
    rows = np.array([[3.0, 1, 0], [2.0, 0, 1], [4.0, 0, 1]])
    X = torch.tensor(rows)
    assert X.dtype == torch.float64
    assert tuple(X.shape) == (3, 3)


def test_linear_algebra():
    A = torch.arange(6).reshape(3, 2)
    assert A.T.tolist() == [[0, 2, 4], [1, 3, 5]]
    S = torch.tensor([[1, 2, 3], [2, 0, 4], [3, 4, 5]])
    assert (S == S.T).all()
    A = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    B = A.clone()
    assert (A + B)[1, 2] == 10
    assert (A * B)[1, 2] == 25
    assert A.sum(axis=0).tolist() == [3, 5, 7]
    assert A.sum(axis=[0, 1]) == A.sum()
    assert A.mean() == A.sum() / A.numel()
    assert A.mean(axis=0).tolist() == [1.5, 2.5, 3.5]
    sum_A = A.sum(axis=1, keepdims=True)
    assert tuple(sum_A.shape) == (2, 1)
    assert torch.allclose((A / sum_A).sum(axis=1), torch.ones(2))
    assert A.cumsum(axis=0).tolist() == [[0, 1, 2], [3, 5, 7]]
    x, y = torch.arange(3, dtype=torch.float32), torch.ones(3, dtype=torch.float32)
    assert torch.dot(x, y) == torch.sum(x * y) == 3
    assert torch.mv(A, x).tolist() == (A @ x).tolist() == [5, 14]
    assert torch.mm(A, torch.ones(3, 4)).tolist() == (A @ torch.ones(3, 4)).tolist() == [[3] * 4, [12] * 4]
    u = torch.tensor([3.0, -4.0])
    assert torch.norm(u) == 5
    assert torch.abs(u).sum() == 7
    assert torch.norm(torch.ones((4, 9))) == 6
    assert len(A) == 2


def test_calculus_plot():
    def f(x):
        return 3 * x**2 - 4 * x

    for h in 10.0 ** np.arange(-1, -6, -1):
        assert abs((f(1 + h) - f(1)) / h - 2) < 3.01 * h + 1e-9
    x = np.arange(0, 3, 0.1)
    d2l.plot(x, [f(x), 2 * x - 3], "x", "f(x)", legend=["f(x)", "Tangent line (x=1)"])
    lines = d2l.plt.gca().get_lines()
    assert len(lines) == 2
    assert lines[1].get_linestyle() == "--"
    d2l.set_figsize((3.5, 2.5))
    assert list(d2l.plt.rcParams["figure.figsize"]) == [3.5, 2.5]


def test_automatic_differentiation():
    x = torch.arange(4.0)
    x.requires_grad_(True)
    assert x.grad is None
    y = 2 * torch.dot(x, x)
    y.backward()
    assert (x.grad == 4 * x).all()
    x.grad.zero_()
    x.sum().backward()
    assert x.grad.tolist() == [1] * 4
    x.grad.zero_()
    y = x * x
    y.backward(gradient=torch.ones(len(y)))
    assert (x.grad == 2 * x).all()
    x.grad.zero_()
    y = x * x
    u = y.detach()
    z = u * x
    z.sum().backward()
    assert (x.grad == u).all()
    x.grad.zero_()
    y.sum().backward()
    assert (x.grad == 2 * x).all()


def test_gradient_of_control_flow():
    def f(a):
        b = a * 2
        while b.norm() < 1000:
            b = b * 2
        return b if b.sum() > 0 else 100 * b

    a = torch.randn(size=(), requires_grad=True)
    d = f(a)
    d.backward()
    assert a.grad == d / a


def test_second_backward_is_refused():
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"(?i)second time|freed|retain_graph"):
        y.backward()


def test_tossing_coins():
    heads = sum(random.random() > 0.5 for _ in range(100))
    assert 20 < heads < 80
    fair_probs = torch.tensor([0.5, 0.5])
    counts = Multinomial(100, fair_probs).sample()
    assert float(counts.sum()) == 100
    assert tuple((counts / 100).shape) == (2,)
    counts = Multinomial(10000, fair_probs).sample()
    assert abs(float(counts[0]) / 10000 - 0.5) < 0.03
    counts = Multinomial(1, fair_probs).sample((10000,))
    cum_counts = counts.cumsum(dim=0)
    estimates = (cum_counts / cum_counts.sum(dim=1, keepdims=True)).numpy()
    assert estimates.shape == (10000, 2)
    assert abs(estimates[-1, 0] - 0.5) < 0.03
    d2l.set_figsize((4.5, 3.5))
    d2l.plt.plot(estimates[:, 0], label="P(coin=heads)")
    d2l.plt.axhline(y=0.5, color="black", linestyle="dashed")
    d2l.plt.legend()


def test_multinomial_properties():
    m = Multinomial(6, torch.tensor([1.0, 2.0, 3.0]))
    assert m.mean.tolist() == pytest.approx([1, 2, 3])
    assert m.variance.tolist() == pytest.approx([6 * p * (1 - p) for p in (1 / 6, 2 / 6, 3 / 6)])
    probability = float(torch.exp(m.log_prob(torch.tensor([1.0, 2.0, 3.0]))))
    assert probability == pytest.approx(60 * (1 / 6) * (2 / 6) ** 2 * (3 / 6) ** 3, rel=1e-4)
    draws = m.sample((2000,))
    assert (draws.sum(1) == 6).all()
    assert draws.mean(0).tolist() == pytest.approx([1, 2, 3], abs=0.15)
    batch = Multinomial(3, torch.tensor([[0.0, 1.0], [1.0, 0.0]])).sample((4,))
    assert tuple(batch.shape) == (4, 2, 2)
    assert batch[2].tolist() == [[0, 3], [3, 0]]
    for bad in ({"probs": torch.tensor([-1.0, 2.0])}, {"probs": torch.zeros(2)}, {}):
        with pytest.raises(ValueError):
            Multinomial(2, **bad)
    with pytest.raises(ValueError):
        Multinomial(-1, torch.ones(2))


def test_documentation_is_there():
    assert torch.ones.__doc__
    assert "ones" in dir(torch)
    assert "Multinomial" in dir(torch.distributions.multinomial)
