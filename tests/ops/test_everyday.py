"""Programs of one line, as readers type them: each gives the same here and in PyTorch, or is refused by both.

`t(2, 3)` is a float32 tensor of fixed values, `i(2, 3)` one of int64, `b(2, 3)` one of bool. Statements before the last
";" prepare; the last one is compared: values, dtype, shape, requires_grad, and the text of strings.
"""

import warnings

import numpy as np
import pytest

import freedive as fd

EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 6.0, -3.0, 2.0, -2.0)

CREATION = """
torch.empty((2, 0)).shape
torch.full((2, 3), 7)
torch.full((2, 3), 7.0)
torch.full((2, 3), True)
torch.full(size=(2,), fill_value=3, dtype=torch.float32)
torch.eye(2, 4)
torch.eye(n=2, m=3, dtype=torch.int64)
torch.linspace(start=0, end=10, steps=1)
torch.linspace(0, 10, 0)
torch.linspace(0, 10, 4, dtype=torch.int64)
torch.logspace(0, 2, 3, base=2)
torch.arange(3, 0, -1)
torch.arange(0, 5, -1)
torch.arange(0, 5, 0)
torch.zeros()
torch.zeros(())
torch.zeros(-1)
torch.zeros(2.5)
torch.ones(2, -3)
torch.tensor([[1, 2], [3]])
torch.tensor([1], requires_grad=True)
torch.tensor("a")
torch.full_like(i(2, 3), 3)
t(3).new_full((2,), 3, requires_grad=True)
t(3).new_tensor([1, 2], dtype=torch.float64, requires_grad=True)
torch.logspace(0, 1, 3, requires_grad=True)
torch.scalar_tensor(3)
torch.FloatTensor([1, 2])
torch.LongTensor([1.0, 2.0])
torch.tril_indices(3, 4)
torch.tril_indices(3, 3, -1)
torch.triu_indices(row=3, col=3, offset=1)
torch.triu_indices(0, 3)
torch.cartesian_prod(t(2), t(3))
torch.cartesian_prod(t(2))
torch.combinations(t(4), r=2)
torch.combinations(t(3), r=2, with_replacement=True)
torch.combinations(t(2), r=3)
torch.vander(t(3))
torch.vander(t(3), N=2, increasing=True)
torch.block_diag(t(2, 2), t(1, 3), t(2))
torch.finfo(torch.float32).eps
torch.finfo(torch.float32).max
torch.finfo(torch.bfloat16).max
torch.finfo(torch.float16).tiny
torch.finfo(torch.float64).min
torch.iinfo(torch.int32).max
torch.iinfo(torch.uint8).min
torch.finfo(torch.int32)
torch.iinfo(torch.float32)
torch.can_cast(torch.float32, torch.int32)
torch.can_cast(torch.int32, torch.float32)
torch.is_nonzero(torch.tensor(0.0))
"""

MOVEMENT = """
F.max_pool2d(i(1, 2, 4, 4), 2, return_indices=True)
F.avg_pool2d(i(2, 4, 4), 2)
F.conv2d(i(1, 2, 4, 4), i(3, 2, 3, 3), padding=1)
F.conv_transpose2d(i(1, 2, 4, 4), i(2, 3, 3, 3), stride=2)
torch.hsplit(t(4, 6), 2)
torch.hsplit(t(6), 2)
torch.hsplit(t(4, 6), 4)
torch.vsplit(t(4, 6), [1, 3])
torch.vsplit(t(4), 2)
torch.dsplit(t(2, 3, 4), 2)
torch.dsplit(t(2, 3), 2)
t(4, 6).hsplit(3)
t(4, 6).vsplit(2)
t(2, 3, 4).dsplit([1])
t(2, 3, 4).permute(dims=(0, 2, 1))
t(2, 3, 4).permute((0, 2, 1))
t(2, 3, 4).permute(0, 0, 1)
torch.adjoint(t(2, 3))
torch.swapaxes(t(2, 3, 4), axis0=0, axis1=-1)
F.unfold(t(0, 2, 4, 4), 2)
F.pixel_shuffle(t(3, 2, 2), 2)
F.fold(t(1, 4, 5), 4, 2)
F.group_norm(t(2, 3, 4), 2)
F.instance_norm(t(2, 3, 1))
t(3, 3).fill_diagonal_(0)
torch.zeros(7, 3).fill_diagonal_(1, wrap=True)
torch.zeros(7, 3).fill_diagonal_(1)
torch.row_stack((t(3), t(3)))
torch.dstack((t(2, 3), t(2, 3)))
torch.unique(i(4, 5))
torch.unique(i(4, 5) % 3, dim=0)
torch.unique(torch.tensor([[1, 2], [1, 2], [0, 1]]), dim=0, return_inverse=True, return_counts=True)
torch.unique(torch.tensor([[1, 1, 0], [2, 2, 0]]), dim=1, return_counts=True)
torch.unique(torch.tensor([[[1, 1], [0, 0]], [[1, 1], [0, 0]]]), dim=-1, return_inverse=True)
torch.unique(torch.tensor(3))
torch.unique_consecutive(torch.tensor([[1, 1], [1, 1], [2, 1]]), dim=0)
torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1]), return_inverse=True, return_counts=True)
"""

ELEMENTWISE = """
b(4) - b(4)
b(4) - 1
2.5 - b(4)
t(4) - True
t(4) - b(4)
x = t(4); x -= True
b(4) ** 2
b(4) ** i(4).abs()
b(4) ** b(4)
b(4) ** True
b(4) ** False
x = b(4); x **= True; x
torch.square(b(4))
torch.sign(b(4))
torch.pow(2.0, 2)
torch.eq(1, 2)
torch.heaviside(t(4), torch.tensor(0.5))
torch.heaviside(torch.tensor([0.0, float("nan")]), torch.tensor(0.5))
torch.heaviside(t(4), torch.tensor(1))
torch.fmax(torch.tensor([1.0, float("nan")]), torch.tensor([float("nan"), float("nan")]))
torch.fmin(torch.tensor([1.0, float("nan")]), torch.tensor([2.0, 3.0]))
x = torch.zeros(2, requires_grad=True); torch.fmax(x, -x).sum().backward(); x.grad
x = torch.zeros(2, requires_grad=True); torch.atan2(x, x * 2).sum().backward(); x.grad
torch.logaddexp(t(5), t(5).flip(0) * 100)
torch.logaddexp2(t(5), t(5).flip(0))
torch.xlogy(torch.tensor([0.0, 0.0, 2.0]), torch.tensor([0.0, float("nan"), 3.0]))
torch.xlogy(i(4), 3)
torch.float_power(i(4), 2)
torch.float_power(2, t(4))
torch.ldexp(t(4), i(4))
torch.frac(t(4))
torch.logit(torch.tensor([0.1, 0.9, 1.5]))
torch.logit(torch.tensor([0.0, 0.9]), eps=1e-3)
torch.deg2rad(t(4) * 90)
torch.rad2deg(i(4))
torch.erfc(t(4))
torch.sinc(torch.tensor([0.0, 0.5, 2.0]))
torch.nan_to_num(torch.tensor([float("nan"), float("inf"), -float("inf"), 1.0]))
torch.nan_to_num(torch.tensor([float("nan"), float("inf")]), nan=2.0, posinf=3.0)
torch.signbit(torch.tensor([-0.0, 0.0, -1.0]))
torch.signbit(i(4))
torch.isposinf(torch.tensor([float("inf"), -float("inf"), 1.0]))
torch.isneginf(torch.tensor([float("inf"), -float("inf"), 1.0]))
torch.positive(t(3))
torch.positive(b(3))
torch.rsub(t(4), t(4), alpha=2)
torch.add(t(4), 2, alpha=0.5)
torch.add(i(4), i(4), alpha=0.5)
torch.add(i(4), 2, alpha=3)
torch.isclose(b(4), b(4))
torch.allclose(b(4), ~b(4))
torch.logaddexp(t(4), torch.tensor(1.0, dtype=torch.float64))
torch.logit(torch.tensor([0, 1], dtype=torch.uint8))
torch.zeros(0, 4, dtype=torch.int64) // torch.zeros(4, dtype=torch.int64)
F.prelu(torch.tensor(-2.0), torch.tensor([0.25]))
torch.threshold(t(4), 0.1, 2.0)
torch.prelu(t(3, 4), torch.tensor([0.1]))
x = t(4).abs(); y = torch.sqrt_(x); (y is x), x
x = t(4); torch.zero_(x); x
x = t(4); x.round_(decimals=1)
t(4).clamp_min(0)
t(4).clamp_max(torch.tensor(0.5))
torch.add(t(4), 1, out=torch.zeros(4))
torch.sub(t(4), t(4), alpha=2, out=torch.zeros(4))
torch.div(t(4), 2, rounding_mode="floor", out=torch.zeros(4))
torch.mul(t(4), i(4), out=torch.zeros(4, dtype=torch.float64))
torch.mul(t(4), i(4), out=torch.zeros(4, dtype=torch.int64))
torch.exp(t(4), out=torch.zeros(4))
torch.mul(torch.ones(2, requires_grad=True), 2, out=torch.zeros(2))
x = t(4); torch.mul(x, x, out=x); x
x = torch.zeros(2); (torch.add(x, 1, out=x) is x)
torch.matmul(t(2, 3), t(3, 4), out=torch.zeros(2, 4))
torch.mm(t(2, 3), t(3, 4), out=torch.zeros(2, 4))
torch.mv(t(2, 3), t(3), out=torch.zeros(2))
torch.cat([t(2), t(3)], out=torch.zeros(5))
torch.stack([t(2), t(2)], dim=1, out=torch.zeros(2, 2))
"""

IN_PLACE = """
x = t(4); x.gt_(0)
x = i(4); x.le_(0)
x = b(4); x.ne_(True)
x = t(2, 3); x.eq_(x)
x = t(4); x.lt_(t(2, 4))
x = t(2, 4); x.greater_equal_(t(4))
x = t(4); x.logical_and_(b(4))
x = i(4); x.logical_xor_(i(4) * 0 + 1)
x = t(4); x.logical_not_()
x = t(4).half(); x.not_equal_(0)
torch.ones(2, requires_grad=True).ge_(0)
x = torch.ones(2, requires_grad=True); (x * 1).ge_(0)
x = t(4); x.div_(0.3, rounding_mode="floor")
x = i(4); x.div_(2, rounding_mode="trunc")
x = i(4); x.div_(2)
x = t(4); y = x.erfc_(); (y is x), x
x = t(4); x.xlogy_(2.0)
x = t(3, 4); x.cumsum_(1)
x = i(3, 4); x.cumprod_(0)
x = i(4); x.logit_()
x = t(4).requires_grad_(); (x * 1).rad2deg_().sum().backward(); x.grad
x = t(4).requires_grad_(); (x * 2).lgamma_().sum().backward(); x.grad
x = torch.ones(2, requires_grad=True); y = x * 3; y.ge_(0); y.sum().backward(); x.grad
"""

SPECIAL = """
torch.lgamma(t(9) * 5)
torch.lgamma(torch.tensor([0.0, 1.0, 2.0, -1.0, -0.5, 1e-8, 40.0, 1e30, float("inf"), float("nan")]))
torch.lgamma(i(4) + 5)
torch.digamma(t(9) * 5)
torch.digamma(torch.tensor([0.0, -0.0, -2.0, -0.5, 1e-8, 40.0, 1e30], dtype=torch.float64))
torch.erfinv(torch.tensor([0.0, -0.0, 0.5, -0.9, 0.9999999, 1.0, -1.0, 1.5, float("nan")]))
torch.erfc(torch.tensor([0.0, -3.0, 2.5, 6.0, 9.0])) * 1e16
t(3).erfinv(), t(3).lgamma(), t(3).digamma(), t(3).erfc()
x = t(5).double().requires_grad_(); torch.lgamma(x * 3).sum().backward(); x.grad
x = t(5).double().requires_grad_(); torch.digamma(x * 3).sum().backward(); x.grad
x = torch.tensor([0.3, -0.8], requires_grad=True); torch.erfinv(x).sum().backward(); x.grad
x = t(5).requires_grad_(); torch.erfc(x).sum().backward(); x.grad
"""

# At and beyond the bounds, and at NaN.
CORNERS = """
x = corners(); F.relu(x).sum().backward(); x.grad
x = corners(); F.hardtanh(x)[:-3].sum().backward(); x.grad
x = corners(); F.relu6(x)[:-3].sum().backward(); x.grad
x = corners(); F.hardtanh(x, -3.0, 0.5)[:-3].sum().backward(); x.grad
x = corners().double().detach().requires_grad_(); F.hardtanh(x, 0.0, 6.0)[:-3].sum().backward(); x.grad
x = corners(); x.clamp(-1, 1).sum().backward(); x.grad
x = corners(); F.elu(x).sum().backward(); x.grad
x = corners(); F.celu(x).sum().backward(); x.grad
x = corners(); F.selu(x).sum().backward(); x.grad
x = corners(); F.leaky_relu(x).sum().backward(); x.grad
x = corners(); F.threshold(x, 0.5, 2.0).sum().backward(); x.grad
F.threshold(corners(), 0.5, 2.0)
x = corners(); x.abs().sum().backward(); x.grad
torch.sign(corners())
"""

REDUCTIONS = """
torch.quantile(t(3, 5), 0.3, interpolation="lower")
torch.quantile(t(3, 5), 0.3, dim=1, interpolation="higher")
torch.quantile(t(3, 5), 0.35, dim=0, interpolation="nearest")
torch.quantile(t(3, 5), torch.tensor([0.1, 0.5]), dim=1, keepdim=True, interpolation="midpoint")
torch.quantile(t(4), torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]), interpolation="nearest")
torch.quantile(t(4), 0.5, interpolation="cubic")
x = torch.tensor(3.0, requires_grad=True); x.prod(0).backward(); x.grad
x = torch.tensor(3.0, requires_grad=True); torch.prod(x, -1, keepdim=True).backward(); x.grad
torch.tensor(3.0).size(0)
torch.unique(torch.tensor([3.0, 1.0, float("nan"), 1.0, float("nan")]))
torch.unique(torch.tensor([2, 1, 2]), sorted=False, return_inverse=True)[0].sort().values
torch.unique(torch.tensor([[3, 1], [1, 3]]), return_inverse=True, return_counts=True)
torch.unique(torch.zeros(0), return_inverse=True, return_counts=True)
torch.unique(b(5), return_counts=True)
torch.unique(torch.zeros(2, 0, dtype=torch.int64), dim=0)
torch.unique(torch.zeros(0, 2), dim=0, return_counts=True)
t(2, 3).unique(dim=-1, return_inverse=True)
torch.unique(t(2, 3), dim=2)
torch.inner(t(2, 3), t(4, 3))
torch.inner(t(3), torch.tensor(2.0))
torch.inner(t(2, 3), t(2, 4))
torch.addr(t(2, 3), t(2), t(3), beta=0.5, alpha=2)
torch.count_nonzero(i(3, 4), axis=0)
torch.isin(i(4), 2)
torch.isin(2, i(4))
torch.aminmax(t(3, 4))
torch.aminmax(t(3, 4), dim=0, keepdim=True)
torch.nanmean(torch.tensor([[1.0, float("nan")], [float("nan"), float("nan")]]), dim=1)
torch.nanmedian(torch.tensor([3.0, float("nan"), 1.0, 2.0]))
torch.nanmedian(torch.tensor([[3.0, float("nan"), 1.0], [5.0, 4.0, 6.0]]), dim=1)
torch.mode(torch.tensor([3, 1, 3, 2, 2]))
torch.mode(i(3, 4) % 2, dim=0)
torch.mode(i(3, 4) % 2, 1, True)
torch.diff(t(5))
torch.diff(t(3, 4), dim=0)
torch.diff(t(5), n=2)
torch.diff(b(5))
torch.diff(t(5), prepend=torch.zeros(1), append=torch.ones(2))
torch.diff(torch.tensor(1.0))
torch.dist(t(3), t(3) * 2)
torch.dist(t(3), t(3) * 2, p=1)
torch.histc(t(9), bins=4, min=-2, max=2)
torch.histc(t(9), bins=3)
torch.trapezoid(t(5))
torch.trapezoid(t(3, 4), dx=0.5, dim=0)
torch.trapz(t(3, 4), torch.arange(4.0) ** 2)
repr(t(3, 4).max(dim=1))
repr(t(3, 4).sort())
repr(t(3, 4).median(0))
"""

LINALG = """
torch.linalg.norm(t(3, 4))
torch.linalg.norm(t(4), ord=1)
torch.linalg.norm(t(4), ord=3)
torch.linalg.norm(t(3, 4), ord=1)
torch.linalg.norm(t(3, 4), ord=float("inf"))
torch.linalg.norm(t(3, 4), ord=2)
torch.linalg.norm(t(3, 4), ord="nuc")
torch.linalg.norm(t(3, 4), dim=0)
torch.linalg.norm(t(2, 3, 4))
torch.linalg.norm(t(2, 3, 4), ord=2)
torch.linalg.norm(t(2, 3, 4), ord=3, dim=1)
torch.linalg.norm(t(2, 3, 4), ord=-1, dim=(0, 2), keepdim=True)
torch.linalg.norm(i(3))
torch.linalg.matrix_norm(t(2, 3, 4), ord=-float("inf"), keepdim=True)
torch.linalg.vector_norm(t(2, 3), ord=0)
torch.linalg.vector_norm(t(2, 3), ord=-float("inf"), dim=1)
torch.linalg.inv(t(3, 3) + 3 * torch.eye(3))
torch.linalg.inv(torch.zeros(2, 2))
torch.linalg.inv(t(2, 3))
torch.linalg.det(t(2, 3, 3) + 3 * torch.eye(3))
torch.linalg.slogdet(t(3, 3) + 3 * torch.eye(3))
torch.linalg.solve(t(3, 3) + 3 * torch.eye(3), t(3))
torch.linalg.solve(t(3, 3) + 3 * torch.eye(3), t(3, 2))
x = (t(3, 3) + 3 * torch.eye(3)).detach().requires_grad_(); torch.slogdet(x).logabsdet.backward(); x.grad
torch.logdet(t(3, 3) + 3 * torch.eye(3))
torch.logdet(-torch.eye(3))
torch.inverse(t(3, 3) + 3 * torch.eye(3))
x = t(3, 3) + 3 * torch.eye(3); x.inverse(), x.det(), x.slogdet(), x.logdet(), x.matrix_power(2)
torch.cosine_similarity(t(3, 4), t(3, 4).flip(0))
torch.pairwise_distance(t(3, 4), t(3, 4).flip(0))
torch.linalg.matrix_power(t(3, 3), 5)
torch.linalg.matrix_power(t(3, 3), 0)
torch.matrix_power(t(3, 3) + 3 * torch.eye(3), -2)
torch.linalg.eigvalsh(t(3, 3) + t(3, 3).T)
torch.linalg.eigh(t(3, 3) + t(3, 3).T).eigenvalues
torch.linalg.svdvals(t(3, 4))
torch.linalg.matrix_rank(t(3, 3))
torch.linalg.multi_dot([t(2, 3), t(3, 2), t(2, 2)])
torch.linalg.vecdot(t(2, 3), t(2, 3))
torch.linalg.cross(t(2, 3), t(2, 3).flip(0))
q = torch.linalg.qr(t(3, 2)); q.Q @ q.R
u = torch.linalg.svd(t(3, 2), full_matrices=False); u.U @ torch.diag(u.S) @ u.Vh
a = (t(3, 3) + 3 * torch.eye(3)).requires_grad_(); torch.linalg.inv(a).square().sum().backward(); a.grad
a = (t(3, 3) + 3 * torch.eye(3)).requires_grad_(); torch.linalg.det(a).backward(); a.grad
a = t(3, 3).requires_grad_(); torch.linalg.matrix_power(a, 3).sum().backward(); a.grad
"""

# Second derivatives of one-line functions, in float64.
TWICE = {
    "prod": lambda lib, x: lib.prod(x),
    "prod along a dim": lambda lib, x: x.prod(1),
    "cumprod": lambda lib, x: x.cumprod(0),
    "cummax": lambda lib, x: (x**2).cummax(1)[0],
    "cummin": lambda lib, x: (x**2).cummin(0)[0],
    "unfold": lambda lib, x: x.unfold(1, 3, 1) ** 3,
    "unfold apart": lambda lib, x: x.unfold(1, 2, 2) ** 3,
}


def fixed(lib, shape, dtype):
    values = (np.sin(np.arange(int(np.prod(shape))) * 1.7 + 0.3) * 2).reshape(shape)
    if dtype == "int64":
        values = np.round(values * 3)
    return lib.tensor(values > 0 if dtype == "bool" else values.astype(dtype))


def outcome(lib, line):
    """What the last statement gives, or the exception."""
    names = {"torch": lib, "t": lambda *s: fixed(lib, s, "float32"), "i": lambda *s: fixed(lib, s, "int64")}
    names["b"] = lambda *s: fixed(lib, s, "bool")
    names["F"] = lib.nn.functional
    names["corners"] = lambda: lib.tensor([*EDGES, float("nan"), float("inf"), -float("inf")], requires_grad=True)
    *before, last = line.split("; ")
    try:
        for statement in before:
            exec(statement, names)
        if " = " in last.split("(")[0] or "-=" in last:
            exec(last, names)
            return None
        return eval(last, names)
    except Exception as error:
        return error


def assert_equal(ours, theirs):
    assert not isinstance(ours, Exception), f"torch gives {theirs}"
    if hasattr(theirs, "detach"):
        assert (str(ours.dtype), ours.requires_grad) == (str(theirs.dtype), theirs.requires_grad)
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=2e-5, atol=2e-6)
    elif isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_equal(a, b)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-6)
    else:
        assert str(ours) == str(theirs)


LINES = [
    line
    for part in (CREATION, MOVEMENT, ELEMENTWISE, IN_PLACE, SPECIAL, CORNERS, REDUCTIONS, LINALG)
    for line in part.strip().splitlines()
]


@pytest.mark.parametrize("line", LINES)
def test_line(torch, line):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = outcome(torch, line)
    ours = outcome(fd, line)
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"torch refuses: {theirs}"
        assert not isinstance(ours, (AttributeError, NameError, SystemError)), ours
    else:
        assert_equal(ours, theirs)


@pytest.mark.parametrize("name", TWICE)
def test_second_derivatives(torch, name):
    def gradient_of_squared_gradient(lib):
        x = fixed(lib, (3, 5), "float64").requires_grad_()
        (g,) = lib.autograd.grad(TWICE[name](lib, x).sum(), x, create_graph=True)
        return lib.autograd.grad((g * g).sum(), x)[0].numpy()

    np.testing.assert_allclose(gradient_of_squared_gradient(fd), gradient_of_squared_gradient(torch), rtol=1e-9)


def test_second_derivative_at_zeros(torch):
    def twice(lib):
        x = lib.tensor([1.0, 0.0, 2.0, 0.0, 3.0], dtype=lib.float64, requires_grad=True)
        (g,) = lib.autograd.grad(x.cumprod(0).sum() + x[:3].prod(), x, create_graph=True)
        return lib.autograd.grad((g * g).sum(), x)[0].numpy()

    np.testing.assert_allclose(twice(fd), twice(torch), rtol=1e-12)


def test_what_out_refuses():
    with pytest.raises(fd.ShapeError, match=r"out has shape \(2, 3\) but the result has \(4,\)"):
        fd.exp(fixed(fd, (4,), "float32"), out=fd.zeros(2, 3))
    with pytest.raises(fd.DTypeError, match="out is int64"):
        fd.exp(fixed(fd, (4,), "float32"), out=fd.zeros(4, dtype=fd.int64))
    with pytest.raises(fd.GradError, match="no_grad"):
        fd.exp(fd.ones(4, requires_grad=True), out=fd.zeros(4))


def test_names_are_listed_and_the_rest_is_unknown():
    assert {"hsplit", "linalg", "finfo", "add"} <= set(dir(fd))
    with pytest.raises(AttributeError, match="no attribute 'hsplitt'"):
        _ = fd.hsplitt
