"""Chapter 5, multilayer perceptrons."""

import os

import pytest

import freedive as torch
from freedive import d2l, nn
from freedive.nn import functional as F
from freedive.training import Digits

HERE = "/usr/share/datasets/fashion-mnist"
needs_fashion = pytest.mark.skipif(not os.path.isdir(HERE), reason="Debian's dataset-fashion-mnist is not installed")


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (torch.relu, lambda x, y: (x > 0).float()),
        (torch.sigmoid, lambda x, y: y * (1 - y)),
        (torch.tanh, lambda x, y: 1 - y**2),
    ],
    ids=["relu", "sigmoid", "tanh"],
)
def test_activation_curves_and_their_gradients(function, derivative):
    x = torch.arange(-8.0, 8.0, 0.1, requires_grad=True)
    y = function(x)
    d2l.plot(x.detach(), y.detach(), "x", "f(x)", figsize=(5, 2.5))
    y.backward(torch.ones_like(x), retain_graph=True)
    first = x.grad.clone()
    d2l.plot(x.detach(), x.grad, "x", "grad", figsize=(5, 2.5))
    assert torch.allclose(first, derivative(x.detach(), y.detach()), atol=1e-6)
    x.grad.data.zero_()
    y.backward(torch.ones_like(x), retain_graph=True)
    assert torch.allclose(x.grad, first)


def test_hand_written_layers_learn():
    class Scratch(d2l.Classifier):
        def __init__(self, num_inputs, num_outputs, num_hiddens, lr, sigma=0.01):
            super().__init__()
            self.save_hyperparameters()
            self.W1 = nn.Parameter(torch.randn(num_inputs, num_hiddens) * sigma)
            self.b1 = nn.Parameter(torch.zeros(num_hiddens))
            self.W2 = nn.Parameter(torch.randn(num_hiddens, num_outputs) * sigma)
            self.b2 = nn.Parameter(torch.zeros(num_outputs))

    def relu(X):
        a = torch.zeros_like(X)
        return torch.max(X, a)

    @d2l.add_to_class(Scratch)
    def forward(self, X):
        X = d2l.reshape(X, (-1, self.num_inputs))
        H = relu(d2l.matmul(X, self.W1) + self.b1)
        return d2l.matmul(H, self.W2) + self.b2

    trainer = d2l.Trainer(max_epochs=20)
    trainer.fit(Scratch(64, 10, 64, 0.2, 0.1), Digits())
    assert trainer.history[-1]["val_acc"] > 0.9


@needs_fashion
def test_mlp_on_fashion():
    data = d2l.FashionMNIST(batch_size=256)
    model = d2l.MLP(num_outputs=10, num_hiddens=256, lr=0.1)
    trainer = d2l.Trainer(max_epochs=3)
    trainer.fit(model, data)
    assert trainer.history[-1]["val_acc"] > 0.78
    assert trainer.history[-1]["train_loss"] < 0.62 * trainer.history[0]["train_loss"]


def test_vanishing_and_exploding_gradients():
    x = torch.arange(-8.0, 8.0, 0.1, requires_grad=True)
    y = torch.sigmoid(x)
    y.backward(torch.ones_like(x))
    d2l.plot(
        x.detach().numpy(), [y.detach().numpy(), x.grad.numpy()], legend=["sigmoid", "gradient"], figsize=(4.5, 2.5)
    )
    assert float(x.grad[0]) < 1e-3 < float(x.grad.max())
    M = torch.normal(0, 1, size=(4, 4))
    for _ in range(100):
        M = M @ torch.normal(0, 1, size=(4, 4))
    assert float(M.abs().max()) > 1e6
    assert "tensor" in repr(M)


def test_dropout_layer_and_model():
    def dropout_layer(X, dropout):
        assert 0 <= dropout <= 1
        if dropout == 1:
            return torch.zeros_like(X)
        mask = (torch.rand(X.shape) > dropout).float()
        return mask * X / (1.0 - dropout)

    X = torch.arange(16, dtype=torch.float32).reshape((2, 8))
    assert (dropout_layer(X, 0) == X).all()
    assert (dropout_layer(X, 1) == 0).all()
    half = dropout_layer(X, 0.5)
    assert ((half == 0) | (half == 2 * X)).all()
    trainer = d2l.Trainer(max_epochs=12)
    net = d2l.DropoutMLP(num_outputs=10, num_hiddens_1=64, num_hiddens_2=64, dropout_1=0.2, dropout_2=0.2, lr=0.1)
    trainer.fit(net, Digits())
    assert trainer.history[-1]["val_acc"] > 0.9


def test_k_fold_with_clones_of_a_model():
    """The way the house-price section trains: several folds, one model each, their predictions averaged."""
    X = torch.randn(60, 5)
    y = (X[:, :2].sum(1, keepdim=True)).abs() + 1

    class Fold(d2l.DataModule):
        def __init__(self, held_out, batch_size=10):
            super().__init__()
            self.save_hyperparameters()
            train = [i for i in range(60) if i % 3 != held_out]
            val = [i for i in range(60) if i % 3 == held_out]
            self.train, self.val = (X[train], y[train]), (X[val], y[val])

        def get_dataloader(self, train):
            return self.get_tensorloader(self.train if train else self.val, train)

    losses, models = [], []
    for fold in range(3):
        model = d2l.LinearRegression(lr=0.05)
        model.board.yscale = "log"
        model.board.display = fold == 0
        trainer = d2l.Trainer(max_epochs=10)
        trainer.fit(model, Fold(fold))
        losses.append(trainer.history[-1]["val_loss"])
        models.append(model)
    average = sum(losses) / len(losses)
    prediction = d2l.reduce_mean(d2l.concat([m(X[:7]) for m in models], 1), 1)
    assert tuple(prediction.shape) == (7,)
    assert average < 5


def test_log_rmse_style_loss():
    loss = F.mse_loss(torch.log(torch.tensor([2.0, 4.0])), torch.log(torch.tensor([1.0, 4.0])))
    assert float(torch.sqrt(loss)) == pytest.approx(0.4901, abs=1e-4)
