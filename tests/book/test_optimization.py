"""Chapter 12, optimisation algorithms."""

import math

import numpy as np
import pytest

import freedive as torch
from freedive import d2l, nn
from freedive.nn import functional as F
from freedive.optim import lr_scheduler
from freedive.training import Digits


def test_surfaces_and_annotations():
    def f(x):
        return x * torch.cos(np.pi * x)

    x = torch.arange(0.5, 1.5, 0.01)
    d2l.set_figsize((4.5, 2.5))
    d2l.plot(x, [f(x), f(x) + 0.2 * torch.cos(5 * np.pi * x)], "x", "risk")
    d2l.annotate("min of\nrisk", (1.1, -1.05), (0.95, -0.5))
    assert [text.get_text() for text in d2l.plt.gca().texts] == ["min of\nrisk"]
    x, y = torch.meshgrid(torch.linspace(-1.0, 1.0, 101), torch.linspace(-1.0, 1.0, 101), indexing="ij")
    ax = d2l.plt.figure().add_subplot(111, projection="3d")
    ax.plot_wireframe(x, y, x**2 - y**2, rstride=10, cstride=10)
    x = torch.arange(-2.0, 5.0, 0.01)
    d2l.plot(x, [torch.tanh(x)], "x", "f(x)")


def test_convexity_plots():
    _, axes = d2l.plt.subplots(1, 3, figsize=(9, 3))
    x = torch.arange(-2, 2, 0.01)
    segment = torch.tensor([-1.5, 1])
    for ax, g in zip(
        axes, [lambda x: 0.5 * x**2, lambda x: torch.cos(np.pi * x), lambda x: torch.exp(0.5 * x)], strict=False
    ):
        d2l.plot([x, segment], [g(x), g(segment)], axes=ax)
        assert len(ax.get_lines()) == 2


def test_gradient_descent_in_one_and_two_dimensions(capsys):
    def gd(eta):
        x, results = 10.0, [10.0]
        for _ in range(10):
            x -= eta * 2 * x
            results.append(float(x))
        return results

    results = gd(0.2)
    n = max(abs(min(results)), abs(max(results)))
    f_line = torch.arange(-n, n, 0.01)
    d2l.set_figsize()
    d2l.plot([f_line, results], [[x**2 for x in f_line], [x**2 for x in results]], "x", "f(x)", fmts=["-", "-o"])
    c = torch.tensor(0.5)
    assert float(torch.cosh(c * 2) + c * torch.sinh(c * 2)) > 1

    def f_2d(x1, x2):
        return x1**2 + 2 * x2**2

    def gd_2d(x1, x2, s1, s2, f_grad):
        g1, g2 = f_grad(x1, x2)
        return x1 - 0.1 * g1, x2 - 0.1 * g2, 0, 0

    path = d2l.train_2d(gd_2d, f_grad=lambda x1, x2: (2 * x1, 4 * x2))
    assert len(path) == 21
    assert path[0] == (-5, -2)
    assert capsys.readouterr().out.startswith("epoch 20, x1: -0.057")
    d2l.show_trace_2d(f_2d, path)


def test_stochastic_gradients_as_tensors(capsys):
    def sgd(x1, x2, s1, s2, f_grad):
        g1, g2 = f_grad(x1, x2)
        g1 += torch.normal(0.0, 1, (1,)).item()
        g2 += torch.normal(0.0, 1, (1,)).item()
        return x1 - 0.1 * g1, x2 - 0.1 * g2, 0, 0

    d2l.show_trace_2d(lambda a, b: a**2 + 2 * b**2, d2l.train_2d(sgd, steps=50, f_grad=lambda a, b: (2 * a, 4 * b)))
    assert "epoch 50, x1:" in capsys.readouterr().out

    def momentum_2d(x1, x2, v1, v2):
        v1, v2 = 0.5 * v1 + 0.2 * x1, 0.5 * v2 + 4 * x2
        return x1 - 0.6 * v1, x2 - 0.6 * v2, v1, v2

    assert len(d2l.train_2d(momentum_2d)) == 21


@pytest.fixture
def airfoil(tmp_path, monkeypatch):
    """A stand-in for the noise data, with its shape: six tab-separated columns, the last to be predicted."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1503, 5))
    y = X @ [1.0, -2.0, 0.5, 0.0, 1.0] + 2.0 * rng.normal(size=1503)
    folder = tmp_path / "data"
    folder.mkdir()
    np.savetxt(folder / "airfoil_self_noise.dat", np.column_stack([X, y]), delimiter="\t")
    import hashlib

    digest = hashlib.sha1((folder / "airfoil_self_noise.dat").read_bytes()).hexdigest()
    monkeypatch.setitem(d2l.DATA_HUB, "airfoil", (d2l.DATA_URL + "airfoil_self_noise.dat", digest))
    monkeypatch.setenv("FREEDIVE_DATA", str(folder))
    monkeypatch.chdir(tmp_path)


def test_minibatch_timing():
    timer = d2l.Timer()
    A, B, C = torch.zeros(64, 64), torch.randn(64, 64), torch.randn(64, 64)
    timer.start()
    for i in range(8):
        for j in range(8):
            A[i, j] = torch.dot(B[i, :], C[:, j])
    timer.stop()
    timer.start()
    for j in range(64):
        A[:, j] = torch.mv(B, C[:, j])
    timer.stop()
    timer.start()
    A = torch.mm(B, C)
    timer.stop()
    for j in range(0, 64, 16):
        A[:, j : j + 16] = torch.mm(B, C[:, j : j + 16])
    assert len(timer.times) == 3
    assert timer.avg() > 0
    assert timer.cumsum()[-1] == pytest.approx(timer.sum())
    assert [0.03 / i for i in timer.times]


def test_from_scratch_optimisers(airfoil, capsys):
    data_iter, feature_dim = d2l.get_data_ch11(batch_size=10)
    assert feature_dim == 5
    assert len(data_iter) == 150

    def sgd(params, states, hyperparams):
        for p in params:
            p.data.sub_(hyperparams["lr"] * p.grad)
            p.grad.data.zero_()

    def momentum(params, states, hyperparams):
        for p, v in zip(params, states, strict=False):
            with torch.no_grad():
                v[:] = hyperparams["momentum"] * v + p.grad
                p[:] -= hyperparams["lr"] * v
            p.grad.data.zero_()

    def adagrad(params, states, hyperparams):
        for p, s in zip(params, states, strict=False):
            with torch.no_grad():
                s[:] += torch.square(p.grad)
                p[:] -= hyperparams["lr"] * p.grad / torch.sqrt(s + 1e-6)
            p.grad.data.zero_()

    def adam(params, states, hyperparams):
        for p, (v, s) in zip(params, states, strict=False):
            with torch.no_grad():
                v[:] = 0.9 * v + 0.1 * p.grad
                s[:] = 0.999 * s + 0.001 * torch.square(p.grad)
                corrected = v / (1 - 0.9 ** hyperparams["t"]), s / (1 - 0.999 ** hyperparams["t"])
                p[:] -= hyperparams["lr"] * corrected[0] / (torch.sqrt(corrected[1]) + 1e-6)
            p.grad.data.zero_()
        hyperparams["t"] += 1

    def zeros():
        return d2l.zeros((feature_dim, 1)), d2l.zeros(1)

    runs = [
        (sgd, None, {"lr": 0.05}),
        (momentum, zeros(), {"lr": 0.02, "momentum": 0.5}),
        (adagrad, zeros(), {"lr": 0.1}),
        (adam, list(zip(zeros(), zeros(), strict=False)), {"lr": 0.01, "t": 1}),
    ]
    for trainer_fn, states, hyperparams in runs:
        times, losses = d2l.train_ch11(trainer_fn, states, hyperparams, data_iter, feature_dim)
        assert len(times) == len(losses) == 15
        assert losses[-1] < losses[0]
        assert losses[-1] < 0.35
        assert times == sorted(times)
        printed = capsys.readouterr().out
        assert printed.startswith(f"loss: {losses[-1]:.3f}, ")
        assert "sec/epoch" in printed
    d2l.set_figsize([6, 3])
    d2l.plot([times], [losses], "time (sec)", "loss", xlim=[1e-2, 10], legend=["adam"])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.05}),
        ("SGD", {"lr": 0.005, "momentum": 0.9}),
        ("Adagrad", {"lr": 0.1}),
        ("RMSprop", {"lr": 0.01, "alpha": 0.9}),
        ("Adadelta", {"rho": 0.9}),
        ("Adam", {"lr": 0.01}),
    ],
)
def test_concise_optimisers(airfoil, capsys, name, options):
    data_iter, _ = d2l.get_data_ch11(10)
    d2l.train_concise_ch11(getattr(torch.optim, name), options, data_iter)
    loss = float(capsys.readouterr().out.split("loss: ")[1].split(",")[0])
    assert loss < (0.5 if name == "Adadelta" else 0.3)


def test_schedules():
    class SquareRoot:
        def __init__(self, lr=0.1):
            self.lr = lr

        def __call__(self, num_update):
            return self.lr * pow(num_update + 1.0, -0.5)

    class Cosine:
        def __init__(self, steps, base, final, warmup):
            self.steps, self.base, self.final, self.warmup = steps, base, final, warmup

        def __call__(self, t):
            if t < self.warmup:
                return self.base * t / self.warmup
            if t <= self.steps:
                share = math.cos(math.pi * (t - self.warmup) / (self.steps - self.warmup))
                return self.final + (self.base - self.final) * (1 + share) / 2
            return self.final

    d2l.plot(d2l.arange(30), [SquareRoot()(t) for t in range(30)])
    d2l.plot(torch.arange(30), [Cosine(20, 0.3, 0.01, 5)(t) for t in range(30)])

    def train(scheduler):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        loss = nn.CrossEntropyLoss()
        trainer = torch.optim.SGD(net.parameters(), lr=0.3)
        scheduler = scheduler(trainer) if isinstance(scheduler, type) or scheduler is multi_step else scheduler
        data = Digits(64)
        animator = d2l.Animator(xlabel="epoch", xlim=[0, 5], legend=["train loss", "train acc", "test acc"])
        for epoch in range(8):
            metric = d2l.Accumulator(3)
            for X, y in data.train_dataloader():
                net.train()
                trainer.zero_grad()
                y_hat = net(X)
                value = loss(y_hat, y)
                value.backward()
                trainer.step()
                with torch.no_grad():
                    metric.add(value * X.shape[0], d2l.accuracy(y_hat, y), X.shape[0])
            test_acc = d2l.evaluate_accuracy_gpu(net, data.val_dataloader())
            animator.add(epoch + 1, (metric[0] / metric[2], metric[1] / metric[2], test_acc))
            if scheduler is None:
                continue
            if scheduler.__module__ == lr_scheduler.__name__:
                scheduler.step()
            else:
                for param_group in trainer.param_groups:
                    param_group["lr"] = scheduler(epoch)
        assert len(animator.Y[0]) == 8
        return trainer.param_groups[0]["lr"], test_acc

    def multi_step(trainer):
        return lr_scheduler.MultiStepLR(trainer, milestones=[3, 6], gamma=0.5)

    assert train(None)[1] > 0.9
    rate, accuracy = train(multi_step)
    assert rate == pytest.approx(0.075)
    assert accuracy > 0.85
    rate, accuracy = train(SquareRoot(0.3))
    assert rate == pytest.approx(0.3 / 8**0.5)
    assert accuracy > 0.85


def test_step_count_and_last_lr():
    net = nn.Linear(2, 1)
    trainer = torch.optim.SGD(net.parameters(), lr=0.5)
    scheduler = lr_scheduler.MultiStepLR(trainer, milestones=[15, 30], gamma=0.5)

    def get_lr(trainer, scheduler):
        lr = scheduler.get_last_lr()[0]
        trainer.step()
        scheduler.step()
        return lr

    rates = [get_lr(trainer, scheduler) for _ in range(40)]
    assert rates[14] == 0.5
    assert rates[15] == 0.25
    assert rates[39] == 0.125
    d2l.plot(torch.arange(40), rates)


def test_older_helpers():
    true_w, true_b = torch.tensor([2, -3.4]), 4.2
    features, labels = d2l.synthetic_data(true_w, true_b, 1000)
    assert tuple(labels.shape) == (1000, 1)
    data_iter = d2l.load_array((features, labels), 10)
    w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for _ in range(3):
        for X, y in data_iter:
            d2l.squared_loss(d2l.linreg(X, w, b), y).sum().backward()
            d2l.sgd([w, b], 0.03, 10)
    assert d2l.evaluate_loss(lambda X: d2l.linreg(X, w, b), data_iter, d2l.squared_loss) < 1e-4
    assert float(F.mse_loss(d2l.linreg(features, w, b), labels)) < 2e-4
