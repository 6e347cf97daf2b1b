"""Chapters 7 and 8: convolutions, pooling, batch normalisation."""

import os

import pytest

import freedive as torch
from freedive import d2l, nn

HERE = "/usr/share/datasets/fashion-mnist"
needs_fashion = pytest.mark.skipif(not os.path.isdir(HERE), reason="Debian's dataset-fashion-mnist is not installed")


def test_cross_correlation_by_hand():
    X = torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
    K = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    assert d2l.corr2d(X, K).tolist() == [[19, 25], [37, 43]]

    class Conv2D(nn.Module):
        def __init__(self, kernel_size):
            super().__init__()
            self.weight = nn.Parameter(torch.rand(kernel_size))
            self.bias = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return d2l.corr2d(x, self.weight) + self.bias

    out = Conv2D((2, 2))(X)
    out.sum().backward()
    assert tuple(out.shape) == (2, 2)


def test_learning_an_edge_detector():
    X = torch.ones((6, 8))
    X[:, 2:6] = 0
    K = torch.tensor([[1.0, -1.0]])
    Y = d2l.corr2d(X, K).reshape((1, 1, 6, 7))
    X = X.reshape((1, 1, 6, 8))
    conv2d = nn.LazyConv2d(1, kernel_size=(1, 2), bias=False)
    for _ in range(10):
        Y_hat = conv2d(X)
        loss = (Y_hat - Y) ** 2
        conv2d.zero_grad()
        loss.sum().backward()
        conv2d.weight.data[:] -= 3e-2 * conv2d.weight.grad
    assert float((conv2d.weight.data.reshape((1, 2)) - K).abs().max()) < 0.15


@pytest.mark.parametrize(
    ("kwargs", "shape"),
    [
        ({"kernel_size": 3, "padding": 1}, (8, 8)),
        ({"kernel_size": (5, 3), "padding": (2, 1)}, (8, 8)),
        ({"kernel_size": 3, "padding": 1, "stride": 2}, (4, 4)),
        ({"kernel_size": (3, 5), "padding": (0, 1), "stride": (3, 4)}, (2, 2)),
    ],
)
def test_padding_and_stride(kwargs, shape):
    def comp(conv2d, X):
        X = X.reshape((1, 1, *X.shape))
        Y = conv2d(X)
        return Y.reshape(Y.shape[2:])

    assert tuple(comp(nn.LazyConv2d(1, **kwargs), torch.rand(size=(8, 8))).shape) == shape


def test_channels():
    def multi_in(X, K):
        return sum(d2l.corr2d(x, k) for x, k in zip(X, K, strict=False))

    def multi_in_out(X, K):
        return torch.stack([multi_in(X, k) for k in K], 0)

    X = torch.tensor(
        [[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]
    )
    K = torch.tensor([[[0.0, 1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0, 4.0]]])
    assert multi_in(X, K).tolist() == [[56, 72], [104, 120]]
    K = torch.stack((K, K + 1, K + 2), 0)
    assert tuple(multi_in_out(X, K).shape) == (3, 2, 2)

    def one_by_one(X, K):
        c_i, h, w = X.shape
        c_o = K.shape[0]
        Y = torch.matmul(d2l.reshape(K, (c_o, c_i)), d2l.reshape(X, (c_i, h * w)))
        return d2l.reshape(Y, (c_o, h, w))

    # The book asks for 1e-6 of whatever numbers are drawn; one rounding more in each sum would exceed it at times.
    # The reference kernels sum in double and have that rounding.
    for _ in range(20):
        X, K = torch.normal(0, 1, (3, 3, 3)), torch.normal(0, 1, (2, 3, 1, 1))
        difference = float(d2l.reduce_sum(torch.abs(one_by_one(X, K) - multi_in_out(X, K))))
        assert difference < (1e-5 if torch._core._isa() == "reference" else 1e-6)


def test_pooling():
    X = torch.arange(16, dtype=torch.float32).reshape((1, 1, 4, 4))
    assert nn.MaxPool2d(3)(X).tolist() == [[[[10]]]]
    assert nn.MaxPool2d(3, padding=1, stride=2)(X).tolist() == [[[[5, 7], [13, 15]]]]
    assert nn.MaxPool2d((2, 3), stride=(2, 3), padding=(0, 1))(X).tolist() == [[[[5, 7], [13, 15]]]]
    X = torch.cat((X, X + 1), 1)
    assert tuple(nn.MaxPool2d(3, padding=1, stride=2)(X).shape) == (1, 2, 2, 2)


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    if not torch.is_grad_enabled():
        X_hat = (X - moving_mean) / torch.sqrt(moving_var + eps)
    else:
        axes = 0 if len(X.shape) == 2 else (0, 2, 3)
        mean = X.mean(dim=axes, keepdim=True)
        var = ((X - mean) ** 2).mean(dim=axes, keepdim=True)
        X_hat = (X - mean) / torch.sqrt(var + eps)
        moving_mean = (1.0 - momentum) * moving_mean + momentum * mean
        moving_var = (1.0 - momentum) * moving_var + momentum * var
    return gamma * X_hat + beta, moving_mean.data, moving_var.data


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims):
        super().__init__()
        shape = (1, num_features) if num_dims == 2 else (1, num_features, 1, 1)
        self.gamma, self.beta = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))
        self.moving_mean, self.moving_var = torch.zeros(shape), torch.ones(shape)

    def forward(self, X):
        if self.moving_mean.device != X.device:
            self.moving_mean, self.moving_var = self.moving_mean.to(X.device), self.moving_var.to(X.device)
        Y, self.moving_mean, self.moving_var = batch_norm(
            X, self.gamma, self.beta, self.moving_mean, self.moving_var, eps=1e-5, momentum=0.1
        )
        return Y


def test_batch_norm_by_hand_equals_the_layer():
    X = torch.randn(8, 3, 5, 5) * 2 + 1
    layer = nn.LazyBatchNorm2d()
    assert torch.allclose(BatchNorm(3, 4)(X), layer(X), atol=1e-5)
    assert type(layer) is nn.BatchNorm2d
    assert tuple(layer.running_mean.shape) == (3,)
    rows = torch.randn(16, 7)
    assert torch.allclose(BatchNorm(7, 2)(rows), nn.LazyBatchNorm1d()(rows), atol=1e-5)


class BNLeNet(d2l.Classifier):
    def __init__(self, lr=0.1, num_classes=10, by_hand=False):
        super().__init__()
        self.save_hyperparameters()

        def norm(features, dims):
            if by_hand:
                return BatchNorm(features, dims)
            return nn.LazyBatchNorm2d() if dims == 4 else nn.LazyBatchNorm1d()

        self.net = nn.Sequential(
            *(nn.LazyConv2d(6, kernel_size=5), norm(6, 4), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2)),
            *(nn.LazyConv2d(16, kernel_size=5), norm(16, 4), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2)),
            *(nn.Flatten(), nn.LazyLinear(120), norm(120, 2), nn.Sigmoid()),
            *(nn.LazyLinear(84), norm(84, 2), nn.Sigmoid(), nn.LazyLinear(num_classes)),
        )


class SmallFashion(d2l.FashionMNIST):
    """A tenth of the images, to keep the test short."""

    def __init__(self, batch_size):
        super().__init__(batch_size)
        self.train.data, self.train.targets = self.train.data[:6000], self.train.targets[:6000]
        self.val.data, self.val.targets = self.val.data[:1000], self.val.targets[:1000]


@needs_fashion
@pytest.mark.parametrize("by_hand", [True, False], ids=["by hand", "layers"])
def test_batch_norm_trains_lenet(by_hand):
    data = SmallFashion(batch_size=128)
    model = BNLeNet(lr=0.1, by_hand=by_hand)
    model.apply_init([next(iter(data.train_dataloader()))[0]], d2l.init_cnn)
    trainer = d2l.Trainer(max_epochs=3, num_gpus=1)
    trainer.fit(model, data)
    assert trainer.history[-1]["train_loss"] < 0.6 * trainer.history[0]["train_loss"]
    if not by_hand:
        assert trainer.history[-1]["val_acc"] > 0.6
        gamma, beta = model.net[1].weight.reshape((-1,)), model.net[1].bias.reshape((-1,))
        assert tuple(gamma.shape) == tuple(beta.shape) == (6,)
