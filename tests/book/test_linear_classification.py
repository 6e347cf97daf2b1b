"""Chapter 4, linear neural networks for classification."""

import os
import time

import pytest

import freedive as torch
from freedive import d2l, nn
from freedive import vision as torchvision
from freedive.nn import functional as F
from freedive.vision import transforms

HERE = "/usr/share/datasets/fashion-mnist"
needs_fashion = pytest.mark.skipif(not os.path.isdir(HERE), reason="Debian's dataset-fashion-mnist is not installed")


class Fashion(d2l.DataModule):
    """The data module as the chapter builds it."""

    def __init__(self, batch_size=64, resize=(28, 28)):
        super().__init__()
        self.save_hyperparameters()
        trans = transforms.Compose([transforms.Resize(resize), transforms.ToTensor()])
        self.train = torchvision.datasets.FashionMNIST(root=self.root, train=True, transform=trans, download=True)
        self.val = torchvision.datasets.FashionMNIST(root=self.root, train=False, transform=trans, download=True)

    def get_dataloader(self, train):
        data = self.train if train else self.val
        return torch.utils.data.DataLoader(data, self.batch_size, shuffle=train, num_workers=self.num_workers)


@needs_fashion
def test_image_data():
    d2l.use_svg_display()
    data = Fashion(resize=(32, 32))
    assert (len(data.train), len(data.val)) == (60_000, 10_000)
    assert tuple(data.train[0][0].shape) == (1, 32, 32)
    X, y = next(iter(data.train_dataloader()))
    assert (tuple(X.shape), X.dtype, tuple(y.shape), y.dtype) == ((64, 1, 32, 32), torch.float32, (64,), torch.int64)
    tic = time.time()
    for _X, _y in d2l.FashionMNIST().train_dataloader():
        continue
    assert time.time() - tic < 20


@needs_fashion
def test_visualise():
    pytest.importorskip("matplotlib")
    data = d2l.FashionMNIST(batch_size=8)
    axes = data.visualize(next(iter(data.val_dataloader())))
    assert len(axes) == 8
    assert axes[0].get_title() == "ankle boot"
    assert d2l.show_images(data.train.data[:2], 1, 2, titles=["a", "b"])[1].get_title() == "b"


def test_softmax_by_hand():
    def softmax(X):
        X_exp = torch.exp(X)
        return X_exp / X_exp.sum(1, keepdims=True)

    X = d2l.rand(2, 5)
    X_prob = softmax(X)
    assert torch.allclose(X_prob, F.softmax(X, dim=1))
    assert torch.allclose(d2l.reduce_sum(X_prob, 1), d2l.ones(2))


def test_cross_entropy_by_picking():
    y = d2l.tensor([0, 2])
    y_hat = d2l.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
    assert torch.allclose(y_hat[[0, 1], y], d2l.tensor([0.1, 0.5]))

    def cross_entropy(y_hat, y):
        return -d2l.reduce_mean(d2l.log(y_hat[list(range(len(y_hat))), y]))

    assert float(cross_entropy(y_hat, y)) == pytest.approx(1.4978, abs=1e-4)
    assert float(F.cross_entropy(d2l.log(y_hat), y)) == pytest.approx(1.4978, abs=1e-4)


@needs_fashion
@pytest.mark.parametrize("kind", ["scratch", "concise"])
def test_softmax_regression_learns_fashion(kind):
    data = d2l.FashionMNIST(batch_size=256)
    if kind == "scratch":
        model = d2l.SoftmaxRegressionScratch(num_inputs=784, num_outputs=10, lr=0.1)
    else:
        model = d2l.SoftmaxRegression(num_outputs=10, lr=0.1)
    trainer = d2l.Trainer(max_epochs=3)
    trainer.fit(model, data)
    losses = [row["val_loss"] for row in trainer.history]
    assert losses[-1] < losses[0]
    assert losses[-1] < 0.65
    assert trainer.history[-1]["val_acc"] > 0.76
    X, y = next(iter(data.val_dataloader()))
    preds = d2l.argmax(model(X), axis=1)
    assert tuple(preds.shape) == (256,)
    wrong = d2l.astype(preds, y.dtype) != y
    X, y, preds = X[wrong], y[wrong], preds[wrong]
    labels = [a + "\n" + b for a, b in zip(data.text_labels(y), data.text_labels(preds), strict=False)]
    assert 10 < len(labels) < 100


def test_classifier_built_cell_by_cell():
    class Classifier(d2l.Module):
        def validation_step(self, batch):
            Y_hat = self(*batch[:-1])
            self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
            self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    @d2l.add_to_class(Classifier)
    def accuracy(self, Y_hat, Y, averaged=True):
        Y_hat = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        preds = d2l.astype(d2l.argmax(Y_hat, axis=1), Y.dtype)
        compare = d2l.astype(preds == d2l.reshape(Y, -1), d2l.float32)
        return d2l.reduce_mean(compare) if averaged else compare

    @d2l.add_to_class(Classifier)
    def loss(self, Y_hat, Y, averaged=True):
        Y_hat = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        Y = d2l.reshape(Y, (-1,))
        return F.cross_entropy(Y_hat, Y, reduction="mean" if averaged else "none")

    class Softmax(Classifier):
        def __init__(self, num_outputs, lr):
            super().__init__()
            self.save_hyperparameters()
            self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))

    from freedive.training import Digits

    trainer = d2l.Trainer(max_epochs=5)
    trainer.fit(Softmax(10, 0.1), Digits())
    assert trainer.history[-1]["val_acc"] > 0.8
