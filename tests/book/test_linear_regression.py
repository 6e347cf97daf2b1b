"""Chapter 3, linear neural networks for regression."""

import time

import numpy as np
import pytest

import freedive as torch
from freedive import d2l, nn


def test_vectorised_addition_and_timer():
    n = 10_000
    a, b = torch.ones(n), torch.ones(n)
    c = torch.zeros(n)
    start = time.time()
    for i in range(100):
        c[i] = a[i] + b[i]
    assert time.time() > start
    d = a + b
    assert float(d.sum()) == 2 * n
    assert float(c.sum()) == 200


def test_normal_density_plot():
    x = np.arange(-7, 7, 0.01)

    def normal(x, mu, sigma):
        return 1 / (2 * np.pi * sigma**2) ** 0.5 * np.exp(-0.5 / sigma**2 * (x - mu) ** 2)

    params = [(0, 1), (0, 2), (3, 1)]
    curves = [normal(x, mu, sigma) for mu, sigma in params]
    d2l.plot(x, curves, xlabel="x", ylabel="p(x)", figsize=(4.5, 2.5), legend=[f"mean {m}" for m, _ in params])
    assert len(d2l.plt.gca().get_lines()) == 3


def test_growing_classes_over_cells():
    class A:
        def __init__(self):
            self.b = 1

    a = A()

    @d2l.add_to_class(A)
    def do(self):
        return self.b

    assert a.do() == 1

    class B(d2l.HyperParameters):
        def __init__(self, a, b, c):
            self.save_hyperparameters(ignore=["c"])

    b = B(a=1, b=2, c=3)
    assert (b.a, b.b, hasattr(b, "c")) == (1, 2, False)


def test_board_in_a_loop():
    board = d2l.ProgressBoard("x")
    for x in np.arange(0, 10, 0.1):
        board.draw(x, np.sin(x), "sin", every_n=2)
        board.draw(x, np.cos(x), "cos", every_n=10)
    assert len(board.data["sin"]) == 50
    assert len(board.data["cos"]) == 10


def test_synthetic_data_and_loaders():
    data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
    assert tuple(data.X[0].shape) == (2,)
    assert tuple(data.y[0].shape) == (1,)
    X, y = next(iter(data.train_dataloader()))
    assert tuple(X.shape) == (32, 2)
    assert tuple(y.shape) == (32, 1)
    assert len(data.train_dataloader()) == 32
    residual = data.y - (torch.matmul(data.X, torch.tensor([[2], [-3.4]])) + 4.2)
    assert 0.008 < float(residual.std()) < 0.012

    class ByHand(d2l.SyntheticRegressionData):
        def get_dataloader(self, train):
            indices = torch.arange(0, self.num_train)
            for i in range(0, len(indices), self.batch_size):
                chosen = indices[i : i + self.batch_size]
                yield self.X[chosen], self.y[chosen]

    X, y = next(iter(ByHand(w=torch.tensor([2, -3.4]), b=4.2).train_dataloader()))
    assert tuple(X.shape) == (32, 2)


def test_from_scratch():
    model = d2l.LinearRegressionScratch(2, lr=0.03)
    data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
    trainer = d2l.Trainer(max_epochs=3)
    trainer.fit(model, data)
    with torch.no_grad():
        w_error = data.w - d2l.reshape(model.w, data.w.shape)
        b_error = data.b - model.b
    assert float(w_error.abs().max()) < 0.3
    assert float(b_error.abs()) < 0.3
    losses = [row["train_loss"] for row in trainer.history]
    assert losses[2] < losses[1] < losses[0]


def test_defining_the_model_cell_by_cell():
    class Scratch(d2l.Module):
        def __init__(self, num_inputs, lr, sigma=0.01):
            super().__init__()
            self.save_hyperparameters()
            self.w = d2l.normal(0, sigma, (num_inputs, 1), requires_grad=True)
            self.b = d2l.zeros(1, requires_grad=True)

    @d2l.add_to_class(Scratch)
    def forward(self, X):
        return d2l.matmul(X, self.w) + self.b

    @d2l.add_to_class(Scratch)
    def loss(self, y_hat, y):
        return d2l.reduce_mean((y_hat - y) ** 2 / 2)

    class SGD(d2l.HyperParameters):
        def __init__(self, params, lr):
            self.save_hyperparameters()

        def step(self):
            for param in self.params:
                param -= self.lr * param.grad

        def zero_grad(self):
            for param in self.params:
                if param.grad is not None:
                    param.grad.zero_()

    @d2l.add_to_class(Scratch)
    def configure_optimizers(self):
        return SGD([self.w, self.b], self.lr)

    model = Scratch(2, lr=0.03)
    data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
    d2l.Trainer(max_epochs=10).fit(model, data)
    assert float((model.w.detach().reshape(-1) - data.w).abs().max()) < 0.01


def test_concise():
    model = d2l.LinearRegression(lr=0.03)
    assert isinstance(model.net, nn.LazyLinear)
    data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
    d2l.Trainer(max_epochs=3).fit(model, data)
    assert type(model.net) is nn.Linear
    w, b = model.get_w_b()
    assert float((data.w - d2l.reshape(w, data.w.shape)).abs().max()) < 0.05
    assert float((data.b - b).abs()) < 0.05


class Sparse(d2l.DataModule):
    """Many inputs, few examples: the setting in which weight decay helps."""

    def __init__(self, num_train, num_val, num_inputs, batch_size):
        super().__init__()
        self.save_hyperparameters()
        n = num_train + num_val
        self.X = d2l.randn(n, num_inputs)
        w, b = d2l.ones(num_inputs, 1) * 0.01, 0.05
        self.y = d2l.matmul(self.X, w) + b + d2l.randn(n, 1) * 0.01

    def get_dataloader(self, train):
        i = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader([self.X, self.y], train, i)


@pytest.mark.parametrize("kind", ["scratch", "concise"])
def test_weight_decay(kind):
    data = Sparse(num_train=20, num_val=100, num_inputs=200, batch_size=5)

    class Decayed(d2l.LinearRegressionScratch):
        def __init__(self, num_inputs, lambd, lr, sigma=0.01):
            super().__init__(num_inputs, lr, sigma)
            self.save_hyperparameters()

        def loss(self, y_hat, y):
            return super().loss(y_hat, y) + self.lambd * (self.w**2).sum() / 2

    def norm(strength):
        model = Decayed(200, strength, 0.01) if kind == "scratch" else d2l.WeightDecay(wd=strength, lr=0.01)
        model.board.yscale = "log"
        trainer = d2l.Trainer(max_epochs=10)
        trainer.fit(model, data)
        w = model.w.detach() if kind == "scratch" else model.get_w_b()[0]
        return float((w**2).sum()), trainer.history[-1]["val_loss"]

    plain, decayed = norm(0), norm(3)
    assert decayed[0] < 0.3 * plain[0]


def test_mse_loss_object():
    loss = nn.MSELoss()
    assert float(loss(torch.ones(3, 1), torch.zeros(3, 1))) == 1.0
    assert tuple(nn.MSELoss(reduction="none")(torch.ones(3, 1), torch.zeros(3, 1)).shape) == (3, 1)
