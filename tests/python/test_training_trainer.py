"""Trainer: the loop, its records, its errors, and readers' own versions of its methods."""

import copy
import csv
import pickle

import pytest

import freedive as fd
from freedive import d2l, nn, optim
from freedive.data import DataLoader, TensorDataset
from freedive.training import Callback, Digits, EarlyStopping, Trainer


class Line(d2l.LinearRegression):
    pass


def line_data(n=96, batch_size=32):
    fd.manual_seed(1)
    return d2l.SyntheticRegressionData(fd.tensor([1.0, 2.0]), 0.5, num_train=n, num_val=40, batch_size=batch_size)


def fit(model=None, data=None, epochs=3, **kwargs):
    fd.manual_seed(0)
    trainer = Trainer(epochs, progress=kwargs.pop("progress", False), **kwargs)
    trainer.fit(model or Line(lr=0.03), data or line_data())
    return trainer


def test_history_holds_means_over_samples():
    trainer = fit(epochs=2)
    assert [row["epoch"] for row in trainer.history] == [1, 2]
    X, y = trainer.val_dataloader.dataset.tensors
    exact = float(((trainer.model(X) - y) ** 2).mean().detach())  # batches of 32 and 8 weigh by their size
    assert trainer.history[-1]["val_loss"] == pytest.approx(exact, rel=1e-4)
    assert set(trainer.history[0]) == {"epoch", "train_loss", "val_loss", "seconds", "examples_per_second"}
    assert trainer.train_batch_idx == 6
    assert trainer.val_batch_idx == 4


def test_same_seed_same_parameters():
    def run(seed):
        fd.manual_seed(3)
        model = d2l.DropoutMLP(10, 16, 16, 0.3, 0.3, 0.1)
        Trainer(2, seed=seed, progress=False).fit(model, Digits())
        return model.net[1].weight.detach()

    assert (run(5) == run(5)).all()
    assert not (run(5) == run(6)).all()


def test_gradient_clipping_bounds_the_common_norm():
    norms = []

    class Watching(Trainer):
        def clip_gradients(self, grad_clip_val, model):
            super().clip_gradients(grad_clip_val, model)
            norms.append(sum(float((p.grad**2).sum()) for p in model.parameters()) ** 0.5)

    fd.manual_seed(0)
    Watching(2, gradient_clip_val=0.5, progress=False).fit(Line(lr=0.1), line_data())
    assert max(norms) <= 0.5 * (1 + 1e-5)
    assert max(norms) > 0.49


def test_epoch_lines_and_quiet(capsys):
    fit(progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1/3  train_loss ")
    assert lines[0].endswith("examples/s")
    assert "val_loss" in lines[0]
    assert " s  " in lines[0]
    fit(progress=False)
    assert capsys.readouterr().out == ""


def test_csv_log_and_picture(tmp_path):
    pytest.importorskip("matplotlib")
    trainer = fit(log=str(tmp_path / "a" / "loss.csv"), picture=str(tmp_path / "curve.png"))
    with open(tmp_path / "a" / "loss.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(r["epoch"]) for r in rows] == [1, 2, 3]
    assert float(rows[2]["val_loss"]) == trainer.history[2]["val_loss"]
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_callbacks_and_early_stopping():
    calls = []

    class Listen(Callback):
        def on_fit_start(self, trainer):
            calls.append("start")

        def on_epoch_end(self, trainer, row):
            calls.append(row["epoch"])

        def on_fit_end(self, trainer):
            calls.append("end")

    fit(callbacks=[Listen()])
    assert calls == ["start", 1, 2, 3, "end"]
    trainer = fit(Line(lr=1e-9), epochs=50, callbacks=[EarlyStopping(patience=2, min_delta=1e-3)])
    assert len(trainer.history) == 3
    with pytest.raises(KeyError, match="val_f1"):
        fit(callbacks=[EarlyStopping("val_f1")])
    with pytest.raises(ValueError, match="mode"):
        EarlyStopping(mode="up")


def test_copies_of_a_trained_model_leave_the_trainer_behind():
    model = fit(data=line_data()).model
    twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for twin in twins:
        assert not hasattr(twin, "trainer")
        assert (twin.net.weight == model.net.weight).all()
        assert twin.board.data == model.board.data
        fit(twin)
    assert not (twins[0].net.weight == model.net.weight).all()


# -- numbers that stop being finite -----------------------------------------------------------------------------------


def test_diverging_training_names_a_layer():
    with pytest.raises(FloatingPointError) as caught:
        fit(Line(lr=1e30), epochs=9)
    message = str(caught.value)
    assert "net (Linear)" in message or "net.weight (Linear)" in message or "net.bias (Linear)" in message
    assert "epoch" in message
    assert "step" in message
    assert "\n" not in message


class Poison(nn.Module):
    def forward(self, X):
        return X * float("nan")


class BackwardPoison(nn.Module):
    """Passes values on and makes their gradient infinite."""

    def forward(self, X):
        if X.requires_grad:
            X.register_hook(lambda gradient: gradient * float("inf"))
        return X * 1


def test_bad_output_names_the_first_layer():
    class Net(d2l.MLP):
        def __init__(self):
            super().__init__(10, 8, 0.1)
            self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(8), Poison(), nn.LazyLinear(10))

    with pytest.raises(FloatingPointError, match=r"layer net\.2 \(Poison\)"):
        fit(Net(), Digits())


def test_bad_gradient_names_the_layer_it_came_from():
    class Net(d2l.MLP):
        def __init__(self):
            super().__init__(10, 8, 0.1)
            layers = [nn.Flatten(), nn.LazyLinear(8), nn.ReLU(), BackwardPoison(), nn.LazyLinear(10)]
            self.net = nn.Sequential(*layers)

    for clip in (0, 1):
        with pytest.raises(FloatingPointError, match=r"net\.1\.\w+ \(Linear\) is not finite"):
            fit(Net(), Digits(), gradient_clip_val=clip)


def test_bad_data_is_named():
    X = fd.zeros(8, 2)
    X[3, 1] = float("nan")

    class Data(d2l.DataModule):
        def get_dataloader(self, train):
            return DataLoader(TensorDataset(X, fd.zeros(8, 1)), 4)

    with pytest.raises(FloatingPointError, match="minibatch itself has NaN or infinite input 0"):
        fit(data=Data())


def test_infinity_in_the_very_last_step_is_noticed():
    class Data(d2l.DataModule):
        def get_dataloader(self, train):
            return DataLoader(TensorDataset(fd.ones(4, 1), fd.zeros(4, 1)), 4)

    class Last(Line):
        def configure_optimizers(self):
            return optim.SGD(self.parameters(), lr=3e38)

    model = Last(lr=1)
    model(fd.zeros(1, 1))
    with fd.no_grad():
        model.net.weight.fill_(1e3)
    with pytest.raises(FloatingPointError, match=r"net\.\w+ \(Linear\)"):
        fit(model, Data(), epochs=1)


# -- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"max_epochs": -1}, "max_epochs"),
        ({"max_epochs": 2.5}, "max_epochs"),
        ({"max_epochs": 1, "gradient_clip_val": -1}, "gradient_clip_val"),
        ({"max_epochs": 1, "gradient_clip_val": float("nan")}, "gradient_clip_val"),
        ({"max_epochs": 1, "checkpoint": "x", "checkpoint_every": 0}, "checkpoint_every"),
        ({"max_epochs": 1, "resume": True}, "checkpoint"),
    ],
)
def test_arguments_are_checked(kwargs, words):
    with pytest.raises(ValueError, match=words):
        Trainer(**kwargs)


def test_empty_loader_and_loader_without_length():
    class Empty(d2l.DataModule):
        def get_dataloader(self, train):
            return DataLoader(TensorDataset(fd.zeros(3, 2), fd.zeros(3, 1)), 4, drop_last=True)

    class Generator(d2l.DataModule):
        def get_dataloader(self, train):
            yield fd.zeros(3, 2), fd.zeros(3, 1)

    with pytest.raises(ValueError, match="no batches"):
        fit(data=Empty())
    with pytest.raises(TypeError, match="generator without len"):
        fit(data=Generator())


def test_absent_device_is_an_error():
    if fd.cuda.is_available():
        pytest.skip("a GPU is there")
    with pytest.raises(fd.DeviceError, match="cuda"):
        Trainer(1, device="cuda")
    assert Trainer(1, num_gpus=1).gpus == []
    assert Trainer(1, device="cpu").gpus == []


def test_no_validation_data():
    class Data(d2l.DataModule):
        def train_dataloader(self):
            return DataLoader(TensorDataset(fd.ones(8, 2), fd.ones(8, 1)), 4)

        def val_dataloader(self):
            return None

    assert set(fit(data=Data()).history[0]) == {"epoch", "train_loss", "seconds", "examples_per_second"}


# -- readers' own versions --------------------------------------------------------------------------------------------


def test_a_readers_init_and_loop(monkeypatch):
    """The book rebuilds the Trainer over several cells; ours must work with any of its methods replaced."""
    seen = []

    class Mine(Trainer):
        def __init__(self, max_epochs, num_gpus=0, gradient_clip_val=0):
            self.save_hyperparameters()
            assert num_gpus == 0
            self.gpus = [d2l.gpu(i) for i in range(min(num_gpus, d2l.num_gpus()))]
            self.progress = False

        def prepare_batch(self, batch):
            seen.append(len(batch))
            return batch

        def fit_epoch(self):
            self.model.train()
            for batch in self.train_dataloader:
                loss = self.model.training_step(self.prepare_batch(batch))
                self.optim.zero_grad()
                with fd.no_grad():
                    loss.backward()
                    self.optim.step()
                self.train_batch_idx += 1
            self.model.eval()
            for batch in self.val_dataloader:
                with fd.no_grad():
                    self.model.validation_step(self.prepare_batch(batch))
                self.val_batch_idx += 1

    fd.manual_seed(0)
    trainer = Mine(max_epochs=2)
    trainer.fit(Line(lr=0.03), line_data())
    assert len(seen) == 10
    assert len(trainer.history) == 2
    assert trainer.history[1]["train_loss"] < trainer.history[0]["train_loss"]


def test_plain_tensors_and_a_scratch_optimiser():
    model = d2l.LinearRegressionScratch(2, lr=0.03)
    trainer = fit(model, gradient_clip_val=1)
    assert trainer.history[-1]["train_loss"] < trainer.history[0]["train_loss"]
    assert list(model.parameters()) == []
