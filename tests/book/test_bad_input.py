"""What a reader's slip says: every message names the operation, what came and what was expected."""

import numpy as np
import pytest

import freedive as torch
from freedive import d2l, nn, optim
from freedive.nn import functional as F


def t(*shape):
    return torch.zeros(shape)


def backward_twice():
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    y.backward()


def overwritten_before_backward():
    x = torch.ones(2, requires_grad=True)
    y = x.exp()
    y.mul_(2)
    y.sum().backward()


def write_to_a_leaf():
    x = torch.ones(2, requires_grad=True)
    x[0] = 1


SLIPS = [
    # sizes
    (lambda: torch.zeros(-1), ValueError, r"negative size in shape \(-1,\)"),
    (lambda: torch.zeros(), TypeError, r"zeros: the size is missing"),
    (lambda: t(2, 3).reshape(4, 2), ValueError, r"reshape: shape \(4, 2\) holds 8 elements, the tensor has 6"),
    (lambda: t(2, 3) + t(4), ValueError, r"add: shapes \(2, 3\) and \(4,\) do not broadcast"),
    (lambda: t(2, 3) @ t(2, 3), ValueError, r"matmul: shapes \(2, 3\) and \(2, 3\) do not multiply"),
    (lambda: torch.cat([t(2, 3), t(2, 4)]), ValueError, r"cat: shapes \(2, 3\) and \(2, 4\)"),
    (lambda: F.mse_loss(t(3), t(4)), ValueError, r"mse_loss: shapes \(3,\) and \(4,\) do not broadcast"),
    (lambda: torch.hsplit(t(4, 6), 4), ValueError, r"hsplit: 6 cannot be split into 4 equal parts"),
    (lambda: t(3).item(), ValueError, r"item: only tensors with one element .* this one has 3"),
    (lambda: bool(t(3)), ValueError, r"bool: .* 3 elements is ambiguous"),
    # layers
    (lambda: nn.Linear(2, 3)(t(2, 5)), ValueError, r"linear: input of shape \(2, 5\) .* expected 2 input features"),
    (lambda: nn.Linear(2, 3)(t(2, 2).double()), TypeError, r"linear: dtypes differ: float64 and float32; convert"),
    (lambda: nn.BatchNorm1d(3)(t(2, 4)), ValueError, r"batch_norm: running_mean has shape \(3,\); expected \(4,\)"),
    (lambda: nn.BatchNorm1d(3)(t(1, 3)), ValueError, r"batch_norm: .*expected more than 1 when training"),
    (lambda: nn.Dropout(1.5), ValueError, r"between 0 and 1, but got 1.5"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, r"expected multiples of groups = 2"),
    (lambda: F.conv2d(t(1, 1, 3, 3), t(1, 1, 5, 5)), ValueError, r"conv2d: the kernel covers 5 .* has 3"),
    (lambda: F.conv2d(t(1, 3, 8, 8), t(4, 2, 3, 3)), ValueError, r"conv2d: .* has 3 channels; .* expects 2"),
    (lambda: F.max_pool2d(t(1, 1, 2, 2), 3), ValueError, r"max_pool2d: the kernel covers 3 .* has 2"),
    # positions
    (lambda: t(3, 4)[0, 9], IndexError, r"index 9 is out of bounds for dimension 1 with size 4"),
    (lambda: t(3, 4)[torch.tensor([7])], IndexError, r"index 7 is out of bounds for dimension 0 with size 3"),
    (lambda: t(3, 4)[::-1], ValueError, r"(?i)step"),
    (lambda: t(3, 4).sum(5), IndexError, r"sum: dim 5 is out of range .* expected -2 to 1"),
    (lambda: F.embedding(torch.tensor([9]), t(4, 3)), IndexError, r"embedding: index 9"),
    (lambda: F.cross_entropy(t(2, 3), torch.tensor([0, 5])), IndexError, r"label 5 in row 1 .* expected 0 to 2"),
    (lambda: F.cross_entropy(t(2, 3), torch.tensor([0, 1, 2])), ValueError, r"cross_entropy: .*"),
    # gradients
    (lambda: torch.tensor([1, 2], requires_grad=True), TypeError, r"only floating tensors .* int64"),
    (backward_twice, RuntimeError, r"retain_graph=True"),
    (overwritten_before_backward, RuntimeError, r"(?i)exp.*mul"),
    (write_to_a_leaf, RuntimeError, r"leaf"),
    (lambda: (torch.ones(2, requires_grad=True) * 2).backward(), RuntimeError, r"backward: a gradient must be given"),
    (lambda: t(2).sum().backward(), RuntimeError, r"backward: this tensor does not require grad"),
    (lambda: torch.ones(2, requires_grad=True).numpy(), RuntimeError, r"detach\(\)\.numpy\(\)"),
    (lambda: torch.ones(2) - True, TypeError, r"sub: bool cannot be subtracted"),
    # optimisers and devices
    (lambda: optim.SGD([], lr=0.1), ValueError, r"empty parameter list"),
    (lambda: optim.SGD([nn.Parameter(t(1))], lr=-1), ValueError, r"learning rate: -1"),
    (lambda: torch.ones(2, device="gpu"), RuntimeError, r'"gpu" is not a device; expected "cpu", "cuda"'),
    # the book's classes
    (lambda: d2l.Trainer(1).fit(nn.Linear(2, 2), None), TypeError, r"model must be .*, got Linear"),
    (lambda: d2l.Trainer(1).fit(d2l.LinearRegression(0.1), t(2)), TypeError, r"data must be .*, got Tensor"),
    (lambda: d2l.LinearRegressionScratch(2, lr=-1.0).configure_optimizers(), ValueError, r"lr must be .*, got -1"),
    (lambda: d2l.SyntheticRegressionData([1.0], 0.0, num_train=-1), ValueError, r"-1 training"),
]


@pytest.mark.parametrize(("slip", "error", "words"), SLIPS)
def test_message(slip, error, words):
    with pytest.raises(error, match=words):
        slip()


def test_a_state_dict_that_does_not_fit_names_everything_at_once():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    before = net[0].weight.detach().clone()
    wrong = {"0.weight": t(4, 2), "0.bias": t(3), "surplus": t(1)}
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(wrong)
    text = str(caught.value)
    assert all(name in text for name in ("1.weight", "1.bias", "surplus", "0.weight", "(4, 2)", "(3, 2)"))
    np.testing.assert_array_equal(net[0].weight.detach().numpy(), before.numpy())
