"""The printed form of tensors: PyTorch's text, character for character."""

import random
import re

import pytest

import freedive as fd
from freedive._tensor_str import get_printoptions, printoptions, set_printoptions, tensor_str

DTYPES = ["float32"] * 4 + ["float64", "int64", "int32", "uint8", "bool", "float16", "bfloat16"]
SPECIAL = (float("nan"), float("inf"), -float("inf"), 0.0)


def random_values(rng, torch):
    """A tensor of PyTorch with any shape, type and range."""
    ndim = rng.choice([0, 1, 1, 2, 2, 3, 4])
    shape = [rng.choice([0, 1, 2, 3, 5, 7, 13, 40] if ndim < 3 else [0, 1, 2, 3, 8]) for _ in range(ndim)]
    if ndim and rng.random() < 0.1:
        shape[0] = rng.choice([500, 1001, 2000])
    dtype = getattr(torch, rng.choice(DTYPES))
    if dtype == torch.bool:
        return torch.rand(shape) < 0.5
    if not dtype.is_floating_point:
        low = 0 if dtype == torch.uint8 else -(10 ** rng.randint(1, 8))
        return torch.randint(low, 100, shape).to(dtype)
    values = torch.randn(shape, dtype=torch.float64) * 10 ** rng.uniform(-6, 6)
    kind = rng.random()
    if kind < 0.2:
        values = values.round()
    elif kind < 0.3:
        values = values * 10 ** torch.randn(shape, dtype=torch.float64)
    values = values.to(dtype)
    for special in SPECIAL:
        if rng.random() < 0.15:
            values = torch.where(torch.rand(shape) < 0.2, torch.tensor(special, dtype=dtype), values)
    return values


def ours(values):
    name = str(values.dtype).removeprefix("torch.")
    return fd.tensor(values.tolist(), dtype=getattr(fd, name)).reshape(tuple(values.shape))


def text(values):
    """PyTorch's text, with dtypes named as ours; the longer name may move what follows to the next line."""
    return joined(repr(values).replace("dtype=torch.", f"dtype={str(fd.float32).removesuffix('float32')}"))


def joined(shown):
    """The text with the suffixes behind a dtype on its line."""
    if "dtype=" not in shown:
        return shown
    return re.sub(r",\s+(dtype|requires_grad|grad_fn)=", r", \1=", shown)


@pytest.mark.parametrize("seed", range(20))
def test_random_tensors(seed, torch):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    for _ in range(40):
        values = random_values(rng, torch)
        tensor = ours(values)
        assert joined(tensor_str(tensor)) == text(values)
        if values.is_floating_point():
            assert joined(tensor_str(tensor.requires_grad_())) == text(values.requires_grad_())


def test_repr_is_this_text():
    tensor = fd.tensor([[1.0, 2.5], [3.0, 4.0]])
    assert repr(tensor) == str(tensor) == tensor_str(tensor)
    assert repr(tensor) == "tensor([[1.0000, 2.5000],\n        [3.0000, 4.0000]])"


def test_forms():
    for values, expected in [
        (fd.arange(3), "tensor([0, 1, 2])"),
        (fd.arange(3.0), "tensor([0., 1., 2.])"),
        (fd.tensor(3), "tensor(3)"),
        (fd.tensor(2.5), "tensor(2.5000)"),
        (fd.tensor([]), "tensor([])"),
        (fd.zeros(2, 0), "tensor([], size=(2, 0))"),
        (fd.tensor([True, False]), "tensor([ True, False])"),
        (fd.tensor([1e-8, 1.0]), "tensor([1.0000e-08, 1.0000e+00])"),
        (fd.tensor([float("nan"), 1.0]), "tensor([nan, 1.])"),
        (fd.ones(1, requires_grad=True), "tensor([1.], requires_grad=True)"),
    ]:
        assert tensor_str(values) == expected


def test_gradient_node():
    x = fd.ones(2, requires_grad=True)
    assert tensor_str(x + 1) == "tensor([2., 2.], grad_fn=<AddBackward0>)"


def test_lines_break_at_the_width():
    shown = tensor_str(fd.arange(30))
    assert max(map(len, shown.split("\n"))) <= 80 and shown.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [{"precision": 2}, {"precision": 7, "linewidth": 120}, {"threshold": 5}, {"threshold": 5, "edgeitems": 1},
     {"sci_mode": True}, {"sci_mode": False}, {"profile": "short"}, {"profile": "full"}],
)  # fmt: skip
def test_options(options, torch):
    torch.manual_seed(0)
    before = get_printoptions()
    try:
        torch.set_printoptions(**options)
        with printoptions(**options):
            for values in (torch.randn(7, 6), torch.randn(40, 30), torch.arange(2000), torch.tensor([1e9, 1e-9])):
                assert tensor_str(ours(values)) == text(values)
    finally:
        torch.set_printoptions(profile="default")
    assert get_printoptions() == before


def test_options_stay_but_for_sci_mode():
    before = get_printoptions()
    try:
        set_printoptions(precision=2, sci_mode=True)
        set_printoptions(edgeitems=5)
        options = get_printoptions()
        assert options["precision"] == 2 and options["edgeitems"] == 5 and options["sci_mode"] is None
        with pytest.raises(ValueError, match="profile"):
            set_printoptions(profile="long")
    finally:
        set_printoptions(**before)
