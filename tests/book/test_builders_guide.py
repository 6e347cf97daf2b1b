"""Chapter 6, builders' guide: modules, parameters, initialisation, lazy and custom layers, files, devices."""

# ruff: noqa: E721 (the book compares types by ==, which must work)

import pytest

import freedive as torch
from freedive import d2l, nn
from freedive.nn import functional as F


def net():
    return nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.LazyLinear(256)
        self.out = nn.LazyLinear(10)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))


class MySequential(nn.Module):
    def __init__(self, *args):
        super().__init__()
        for idx, module in enumerate(args):
            self.add_module(str(idx), module)

    def forward(self, X):
        for module in self.children():
            X = module(X)
        return X


class FixedHidden(nn.Module):
    def __init__(self):
        super().__init__()
        self.rand_weight = torch.rand((20, 20))
        self.linear = nn.LazyLinear(20)

    def forward(self, X):
        X = self.linear(X)
        X = F.relu(X @ self.rand_weight + 1)
        X = self.linear(X)
        while X.abs().sum() > 1:
            X /= 2
        return X.sum()


def test_modules():
    X = torch.rand(2, 20)
    assert tuple(MLP()(X).shape) == (2, 10)
    assert tuple(MySequential(nn.LazyLinear(256), nn.ReLU(), nn.LazyLinear(10))(X).shape) == (2, 10)
    assert FixedHidden()(X).ndim == 0
    chimera = nn.Sequential(nn.Sequential(MLP(), nn.LazyLinear(32), nn.ReLU()), nn.LazyLinear(20), FixedHidden())
    assert chimera(X).ndim == 0
    assert "LazyLinear" not in repr(chimera)


def test_parameters():
    model = net()
    X = torch.rand(size=(2, 4))
    assert tuple(model(X).shape) == (2, 1)
    assert list(model[2].state_dict()) == ["weight", "bias"]
    assert type(model[2].bias).__name__ == "Parameter"
    assert model[2].bias.data.ndim == 1
    assert model[2].weight.grad is None
    names = [(name, tuple(param.shape)) for name, param in model.named_parameters()]
    assert names == [("0.weight", (8, 4)), ("0.bias", (8,)), ("2.weight", (1, 8)), ("2.bias", (1,))]
    shared = nn.LazyLinear(8)
    tied = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.LazyLinear(1))
    tied(X)
    tied[2].weight.data[0, 0] = 100
    assert (tied[2].weight.data[0] == tied[4].weight.data[0]).all()
    assert len(list(tied.parameters())) == 6


def test_initialisation():
    model, X = net(), torch.rand(size=(2, 4))
    model(X)

    def init_normal(module):
        if type(module) == nn.Linear:
            nn.init.normal_(module.weight, mean=0, std=0.01)
            nn.init.zeros_(module.bias)

    model.apply(init_normal)
    assert float(model[0].weight.abs().max()) < 0.1
    assert float(model[0].bias.abs().max()) == 0
    model.apply(lambda m: nn.init.constant_(m.weight, 1) if type(m) == nn.Linear else None)
    assert (model[0].weight == 1).all()
    model[0].apply(lambda m: nn.init.xavier_uniform_(m.weight))
    model[2].apply(lambda m: nn.init.constant_(m.weight, 42))
    assert float(model[0].weight.abs().max()) <= (6 / 12) ** 0.5
    assert float(model[2].weight[0, 0]) == 42

    def mine(module):
        if type(module) == nn.Linear:
            nn.init.uniform_(module.weight, -10, 10)
            module.weight.data *= module.weight.data.abs() >= 5

    model.apply(mine)
    assert all(v == 0 or 5 <= abs(v) <= 10 for v in model[0].weight.reshape(-1).tolist())
    model[0].weight.data[:] += 1
    model[0].weight.data[0, 0] = 42
    assert float(model[0].weight.data[0, 0]) == 42


def test_lazy_layers():
    model = net()
    assert "Uninitialized" in repr(model[0].weight) or "Uninitialized" in type(model[0].weight).__name__
    model[0].weight.data.normal_(0, 0.01)
    model(torch.rand(2, 20))
    assert tuple(model[0].weight.shape) == (8, 20)
    assert type(model[0]) is nn.Linear

    @d2l.add_to_class(d2l.Module)
    def apply_init(self, inputs, init=None):
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)

    mlp = d2l.MLP(3, 4, 0.1)
    mlp.apply_init([torch.rand(2, 5)])
    assert tuple(mlp.net[1].weight.shape) == (4, 5)


def test_custom_layers():
    class Centered(nn.Module):
        def forward(self, X):
            return X - X.mean()

    assert Centered()(torch.tensor([1.0, 2, 3, 4, 5])).tolist() == [-2, -1, 0, 1, 2]
    assert abs(float(nn.Sequential(nn.LazyLinear(128), Centered())(torch.rand(4, 8)).mean())) < 1e-6

    class MyLinear(nn.Module):
        def __init__(self, in_units, units):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(in_units, units))
            self.bias = nn.Parameter(torch.randn(units))

        def forward(self, X):
            return F.relu(torch.matmul(X, self.weight.data) + self.bias.data)

    layer = MyLinear(5, 3)
    assert tuple(layer.weight.shape) == (5, 3)
    assert tuple(layer(torch.rand(2, 5)).shape) == (2, 3)
    assert tuple(nn.Sequential(MyLinear(64, 8), MyLinear(8, 1))(torch.rand(2, 64)).shape) == (2, 1)


def test_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = torch.arange(4), torch.zeros(4)
    torch.save(x, "x-file")
    assert (torch.load("x-file") == x).all()
    torch.save([x, y], "x-files")
    x2, y2 = torch.load("x-files")
    assert (x2 == x).all()
    assert (y2 == y).all()
    torch.save({"x": x, "y": y}, "mydict")
    assert sorted(torch.load("mydict")) == ["x", "y"]
    model, X = MLP(), torch.randn(size=(2, 20))
    Y = model(X)
    torch.save(model.state_dict(), "mlp.params")
    clone = MLP()
    clone.load_state_dict(torch.load("mlp.params"))
    clone.eval()
    assert (clone(X) == Y).all()


def test_devices():
    assert str(d2l.cpu()) == "cpu"
    assert str(d2l.gpu()) == "cuda:0"
    assert str(d2l.gpu(1)) == "cuda:1"
    assert repr(d2l.gpu(1)) == "device(type='cuda', index=1)"
    assert d2l.num_gpus() == torch.cuda.device_count() == len(d2l.try_all_gpus())
    if d2l.num_gpus() == 0:
        assert d2l.try_gpu() == d2l.try_gpu(10) == torch.device("cpu")
    x = torch.tensor([1, 2, 3])
    assert x.device == torch.device("cpu")
    X = torch.ones(2, 3, device=d2l.try_gpu())
    model = nn.Sequential(nn.LazyLinear(1)).to(device=d2l.try_gpu())
    model(X)
    assert model[0].weight.data.device == X.device

    @d2l.add_to_class(d2l.Module)
    def to_probe(self):
        return self.training

    assert d2l.MLP(2, 2, 0.1).to_probe() is True
    del d2l.Module.to_probe


def test_no_gpu_is_said_clearly():
    if torch.cuda.is_available():
        pytest.skip("a GPU is there")
    with pytest.raises(RuntimeError, match=r"(?i)cuda"):
        torch.zeros(1, device="cuda")
