"""What a notebook shows: the same text here and in PyTorch, character for character, since only imports change."""

import warnings

import pytest

import freedive as fd

SHOWN = """
torch.arange(12, dtype=torch.float32).reshape(3, 4)
torch.zeros(2, 3, 4).shape
torch.Size([2, 3]), torch.Size([]), torch.zeros(2, 3).shape[1:], torch.zeros(2, 3).size() + (1,)
f"{torch.ones(2, 3).shape} {torch.ones(2).dtype}"
torch.float32, torch.float64, torch.int64, torch.bool, torch.long, [torch.uint8], str(torch.bfloat16)
torch.ones(2, dtype=torch.float64), torch.ones(2, dtype=torch.int32), torch.zeros(0, dtype=torch.int64)
torch.ones(2).type(), torch.ones(2).double().type(), torch.arange(2).type(), torch.ones(1).bool().type()
torch.ones(2).half().type(), torch.ones(2).bfloat16().type(), torch.ones(2).byte().type(), torch.ones(2).int().type()
f"{torch.tensor(3)} {torch.tensor(2.5)} {torch.tensor(True)} {torch.tensor([1.5])}"
f"{torch.tensor(3.14159):.3f} {torch.tensor(7):d} {torch.tensor(0.1)} {torch.tensor(7.5):>10.2f}"
f"{torch.tensor(2.0, requires_grad=True) * 2}"
"{:.2f} {}".format(torch.tensor(3.14159), torch.tensor(1e-7))
"%.3f" % torch.tensor(3.14159), str(torch.tensor(2.5)), round(torch.tensor(2.567).item(), 1)
torch.arange(6).reshape(2, 3).numpy(), torch.arange(3, dtype=torch.int32).numpy(), torch.ones(2).double().numpy()
torch.tensor([3, 1, 2]).sort(), torch.tensor([[3.0, 1.0]]).max(dim=1), torch.tensor([1.0, 2.0]).topk(1)
torch.tensor([[]]), torch.zeros(3, 0, 2), torch.tensor(float("nan")), torch.tensor([1e-10, 1.0, 1e10])
torch.tensor([[1.5, -2.25, 1e-5], [0, float("inf"), -float("inf")]])
torch.tensor([0.1, 100000.5]), torch.tensor([1e8, 1]), torch.tensor([99999.0, 0.5]), torch.tensor([123456.789])
torch.arange(10000.0).reshape(100, 100), torch.zeros(10, 20, 30), torch.arange(30.0) / 7
torch.tensor([True, False]), torch.tensor([[True], [False]]), ~torch.tensor(True)
torch.device("cpu"), torch.device("cuda:1"), torch.device("cuda", 0), torch.ones(1).device
nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2), requires_grad=False)
nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Conv2d(1, 6, 5, padding=2), nn.LazyLinear(4))
x = leaf(); x, x * 2, x.sum(), x.reshape(4), x[1:], x[0, 0], x.exp(), -x, x.detach()
x = leaf(); x - 1, 1 - x, x / 2, 2 / x, x**2, 2**x, x**x, x @ x, x.mean(0), x.T, x.clone()
x = leaf(); x.max(), x.min(), x.prod(), x.prod(0), x.max(0), x.norm(), x.softmax(1), x.log_softmax(1)
x = leaf(); F.relu(x), F.hardtanh(x), F.cross_entropy(x, torch.tensor([0, 1])), F.mse_loss(x, x.detach() + 1)
x = leaf(); F.linear(x, x), F.linear(x, x, x[0]), torch.cat([x, x]), torch.stack([x, x]), torch.where(x > 0, x, 0.0)
x = leaf(); y = filled(nn.Linear(2, 2)); y(x), nn.Sequential(y, nn.ReLU())(x), nn.Sequential(y, nn.Sigmoid())(x)
x = leaf()[None, None]; y = filled(nn.Conv2d(1, 1, 1)); y(x), nn.Sequential(y, nn.Tanh())(x), nn.MaxPool2d(2)(x)
x = leaf(); x.sum().backward(); x.grad, x.grad.zero_(), x.grad_fn, x.data
"""


def shown(lib, line):
    def leaf():
        return lib.tensor([[0.5, 0.25], [0.75, -0.5]], requires_grad=True)

    def filled(module):
        for p in module.parameters():
            lib.nn.init.constant_(p, 0.5)
        return module

    names = {"torch": lib, "nn": lib.nn, "F": lib.nn.functional, "leaf": leaf, "filled": filled}
    *before, last = line.split("; ")
    for statement in before:
        exec(statement, names)
    return repr(eval(last, names))


@pytest.mark.parametrize("line", SHOWN.strip().splitlines())
def test_shown(torch, line):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lazy modules
        assert shown(fd, line) == shown(torch, line)


def test_a_dtype_can_be_typed_back():
    for dtype in (fd.float32, fd.int64, fd.bool, fd.bfloat16):
        assert eval(repr(dtype), {"torch": fd}) is dtype
    assert eval(repr(fd.ones(2, 3).shape), {"torch": fd}) == fd.ones(2, 3).shape
