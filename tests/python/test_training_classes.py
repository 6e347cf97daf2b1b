"""HyperParameters, Module, DataModule and the ready-made models."""

import pytest

import freedive as fd
from freedive import d2l, nn
from freedive.training import HyperParameters, Module, add_to_class


def test_save_hyperparameters_takes_arguments_only():
    class A(HyperParameters):
        def __init__(self, a, b=2, *rest, c, _hidden=4, **more):
            local = a + b  # noqa: F841 (must not be saved)
            self.save_hyperparameters(ignore=["b"])

    x = A(1, 5, 6, 7, c=3, d=8)
    assert x.hparams == {"a": 1, "rest": (6, 7), "c": 3, "more": {"d": 8}}
    assert x.a == 1
    assert x.c == 3
    assert x.rest == (6, 7)
    assert x.more == {"d": 8}
    for name in ("b", "local", "_hidden"):
        assert not hasattr(x, name)


def test_save_hyperparameters_with_closures_and_inheritance():
    class Base(HyperParameters):
        def __init__(self, a):
            self.save_hyperparameters()

    class Derived(Base):
        def __init__(self, a, captured=3):
            super().__init__(a)
            self.save_hyperparameters()
            self.read = lambda: captured

    x = Derived(1)
    assert x.hparams == {"a": 1, "captured": 3}
    assert x.captured == x.read() == 3


def test_add_to_class():
    class A:
        def __init__(self):
            self.b = 1

    a = A()

    @add_to_class(A)
    def double(self):
        return self.b * 2

    assert a.double() == 2
    assert A.double.__name__ == "double"


def test_module_says_what_is_missing():
    model = Module()
    assert model.plot_train_per_epoch == 2
    assert model.plot_valid_per_epoch == 1
    with pytest.raises(AttributeError, match=r"self\.net"):
        model(fd.zeros(1))
    with pytest.raises(NotImplementedError, match="loss"):
        model.loss(fd.zeros(1), fd.zeros(1))
    with pytest.raises(RuntimeError, match="trained"):
        model.plot("loss", 1.0, train=True)
    with pytest.raises(NotImplementedError, match="get_dataloader"):
        d2l.DataModule().train_dataloader()


def test_classifier_accuracy():
    model = d2l.Classifier()
    logits = fd.tensor([[0.1, 0.9], [2.0, 1.0], [0.0, 5.0]])
    labels = fd.tensor([1, 1, 1])
    assert float(model.accuracy(logits, labels)) == pytest.approx(2 / 3)
    assert model.accuracy(logits, labels, averaged=False).tolist() == [1.0, 0.0, 1.0]
    assert tuple(model.loss(logits, labels, averaged=False).shape) == (3,)


def test_layer_summary_and_apply_init(capsys):
    model = d2l.MLP(num_outputs=3, num_hiddens=5, lr=0.1)
    model.apply_init([fd.randn(2, 1, 4, 4)], d2l.init_cnn)
    assert tuple(model.net[1].weight.shape) == (5, 16)
    model.layer_summary((2, 1, 4, 4))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Flatten output shape:")
    assert lines[-1].startswith("Linear output shape:")
    assert "[2, 3]" in lines[-1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: d2l.SoftmaxRegression(num_outputs=10, lr=0.1),
        lambda: d2l.SoftmaxRegressionScratch(num_inputs=64, num_outputs=10, lr=0.1),
        lambda: d2l.MLP(10, 32, 0.1),
        lambda: d2l.MLPScratch(64, 10, 32, 0.1, sigma=0.1),
        lambda: d2l.DropoutMLP(10, 32, 32, 0.2, 0.2, 0.1),
        lambda: d2l.DropoutMLPScratch(10, 32, 32, 0.2, 0.2, 0.1),
    ],
    ids=["softmax", "softmax scratch", "mlp", "mlp scratch", "dropout", "dropout scratch"],
)
def test_every_classifier_learns_digits(make):
    from freedive.training import Digits

    fd.manual_seed(0)
    model, trainer = make(), d2l.Trainer(max_epochs=12, progress=False)
    trainer.fit(model, Digits(batch_size=32))
    assert trainer.history[-1]["val_acc"] > 0.85
    assert trainer.history[-1]["val_loss"] < 0.6 * trainer.history[0]["val_loss"]


def test_weight_decay_spares_the_bias():
    model = d2l.WeightDecay(wd=3, lr=0.01)
    model(fd.zeros(1, 4))
    groups = model.configure_optimizers().param_groups
    assert [g["weight_decay"] for g in groups] == [3, 0]
    assert groups[1]["params"][0] is model.net.bias
    w, b = model.get_w_b()
    assert tuple(w.shape) == (1, 4)
    assert tuple(b.shape) == (1,)


def test_dropout_layer():
    X = fd.ones(50, 40)
    assert (d2l.dropout_layer(X, 0) == X).all()
    assert not d2l.dropout_layer(X, 1).any()
    half = d2l.dropout_layer(X, 0.5)
    assert set(half.reshape(-1).tolist()) == {0.0, 2.0}
    assert 0.8 < float(half.mean()) < 1.2
    with pytest.raises(ValueError):
        d2l.dropout_layer(X, 1.1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["scratch", "concise"])
def test_linear_regression_recovers_the_parameters(seed, kind):
    fd.manual_seed(seed)
    w, b = fd.tensor([2, -3.4]), 4.2
    data = d2l.SyntheticRegressionData(w=w, b=b)
    assert tuple(data.X.shape) == (2000, 2)
    assert tuple(data.y.shape) == (2000, 1)
    model = d2l.LinearRegressionScratch(2, lr=0.03) if kind == "scratch" else d2l.LinearRegression(lr=0.03)
    d2l.Trainer(max_epochs=10, progress=False).fit(model, data)
    got_w, got_b = (model.w.detach(), model.b.detach()) if kind == "scratch" else model.get_w_b()
    assert float((got_w.reshape(-1) - w).abs().max()) < 0.01
    assert abs(float(got_b) - b) < 0.01


def test_hyperparameters_of_models_are_attributes():
    model = d2l.MLP(num_outputs=10, num_hiddens=256, lr=0.1)
    assert (model.num_outputs, model.num_hiddens, model.lr) == (10, 256, 0.1)
    assert isinstance(model, nn.Module)
    assert isinstance(model, HyperParameters)
