"""The less common functions of the tensor namespace, composed of the compiled ones: short, and differentiable where
their parts are. `freedive.name` and, for the names in COMPOSED, `tensor.name(…)` load this module on first use.
"""

from __future__ import annotations

import itertools
import math

import freedive as fd

from ._extend import COMPOSED
from ._special import digamma, erfc, erfinv, lgamma  # noqa: F401 (theirs are names of this module too)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from freedive import Tensor, dtype

__all__ = [
    *COMPOSED, "FloatTensor", "LongTensor", "block_diag", "can_cast", "cartesian_prod", "combinations", "finfo",
    "iinfo", "is_nonzero", "scalar_tensor", "trapezoid", "trapz", "tril_indices", "triu_indices", "vander",
]  # fmt: skip

# ---- shapes


def _split(name: str, input: Tensor, at: int | Sequence[int], dim: int, least: int) -> tuple[Tensor, ...]:
    if input.dim() < least:
        raise fd.ShapeError(f"{name}: expected at least {least} dimensions, got shape {tuple(input.shape)}")
    if isinstance(at, int) and (at <= 0 or input.shape[dim] % at):
        raise fd.ShapeError(f"{name}: {input.shape[dim]} cannot be split into {at} equal parts")
    return fd.tensor_split(input, at, dim=dim)


def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Views cut along dim 1 (dim 0 of a vector): equal parts, or at the listed positions."""
    return _split("hsplit", input, indices_or_sections, 0 if input.dim() == 1 else 1, 1)


def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Views cut along dim 0 of at least two dims: equal parts, or at the listed positions."""
    return _split("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Views cut along dim 2 of at least three dims: equal parts, or at the listed positions."""
    return _split("dsplit", input, indices_or_sections, 2, 3)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: dtype = fd.int64) -> Tensor:
    """Row and column numbers [2, n] of the elements on and below a diagonal, row by row."""
    return fd.ones(row, col).tril(offset).nonzero().T.contiguous().to(dtype)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: dtype = fd.int64) -> Tensor:
    """Row and column numbers [2, n] of the elements on and above a diagonal, row by row."""
    return fd.ones(row, col).triu(offset).nonzero().T.contiguous().to(dtype)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All tuples of one element from each vector, [n, len(tensors)]; of one vector, itself."""
    if len(tensors) == 1:
        return tensors[0]
    return fd.stack([axis.reshape(-1) for axis in fd.meshgrid(*tensors, indexing="ij")], dim=1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r elements of a vector, in order: [n, r]."""
    if input.dim() != 1:
        raise fd.ShapeError(f"combinations: expected a vector, got shape {tuple(input.shape)}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(choose(range(len(input)), r))
    return input[fd.tensor(places, dtype=fd.int64).reshape(len(places), r)]


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of a vector's elements in columns (a Vandermonde matrix), the highest first unless increasing."""
    powers = fd.arange(len(x) if N is None else N)
    return x.unsqueeze(1) ** (powers if increasing else powers.flip(0))


def block_diag(*tensors: Tensor) -> Tensor:
    """The matrices one after another along the diagonal, zeros elsewhere; vectors are rows, numbers 1 by 1."""
    blocks = [fd.atleast_2d(t) for t in tensors]
    width = sum(b.shape[1] for b in blocks)
    rows, left = [], 0
    for b in blocks:
        rows.append(fd.nn.functional.pad(b, (left, width - left - b.shape[1])))
        left += b.shape[1]
    return fd.cat(rows)


def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions swapped (a view)."""
    return input.mT


def fill_diagonal_(input: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """Writes a number on the main diagonal of a matrix; wrap goes on below a tall one, a blank row apart."""
    if input.dim() != 2:
        raise fd.ShapeError(f"fill_diagonal_: expected a matrix, got shape {tuple(input.shape)}")
    height, width = input.shape
    if wrap and height > width:
        rows = fd.arange(height)
        columns = rows % (width + 1)
        input[rows[columns < width], columns[columns < width]] = fill_value
    else:
        input.diagonal().fill_(fill_value)
    return input


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2)."""
    return beta * input + alpha * fd.outer(vec1, vec2)


# ---- elementwise


def positive(input: Tensor) -> Tensor:
    """input itself; bool is refused."""
    if input.dtype is fd.bool:
        raise fd.DTypeError("positive: expected numbers, got bool")
    return input


def frac(input: Tensor) -> Tensor:
    """input - trunc(input)."""
    return input - fd.trunc(input)


def deg2rad(input: Tensor) -> Tensor:
    """Degrees to radians."""
    return input * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians to degrees."""
    return input * (180 / math.pi)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(input / (1 - input)), the inverse of sigmoid; with eps the input is first limited to [eps, 1 - eps]."""
    x = input if input.is_floating_point() else input.to(fd.get_default_dtype())
    if eps is not None:
        x = x.clamp(eps, 1 - eps)
    return fd.log(x) - fd.log1p(-x)


def sinc(input: Tensor) -> Tensor:
    """sin(pi x) / (pi x), 1 at 0."""
    angle = input * math.pi
    return fd.where(angle == 0, 1.0, fd.sin(angle) / fd.where(angle == 0, 1.0, angle))


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0 (and of NaN), 1 above, `values` at 0."""
    if input.dtype is not values.dtype:
        raise fd.DTypeError(f"heaviside: input is {input.dtype} but values are {values.dtype}")
    step = (input > 0).to(input.dtype)
    return fd.where(input == 0, values, step)


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of both; where one is NaN, the other."""
    return fd.where(fd.logical_or(input >= other, fd.isnan(other)), input, other)


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of both; where one is NaN, the other."""
    return fd.where(fd.logical_or(input <= other, fd.isnan(other)), input, other)


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(exp(input) + exp(other)), stable."""
    common = fd.result_type(input, other)
    return fd.logsumexp(fd.stack(fd.broadcast_tensors(input.to(common), other.to(common))), 0)


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """log2(2**input + 2**other), stable."""
    common = fd.result_type(input, other)
    return logaddexp(input.to(common) * math.log(2), other.to(common) * math.log(2)) / math.log(2)


def xlogy(input: Tensor | float, other: Tensor | float) -> Tensor:
    """input * log(other), 0 where input is 0 unless other is NaN."""
    x = input if isinstance(input, fd.Tensor) else fd.tensor(input)
    y = other if isinstance(other, fd.Tensor) else fd.tensor(other, dtype=fd.result_type(x, other))
    y = y.to(fd.promote_types(fd.result_type(x, y), fd.get_default_dtype()))
    vanishes = fd.logical_and(x == 0, y == y)
    return fd.where(vanishes, 0.0, x * fd.log(fd.where(vanishes, 1.0, y)))


def float_power(input: Tensor | float, exponent: Tensor | float) -> Tensor:
    """input to the power exponent, computed in float64."""
    base = input.double() if isinstance(input, fd.Tensor) else input
    return fd.pow(base, exponent.double() if isinstance(exponent, fd.Tensor) else exponent)


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input * 2**other."""
    return input * 2.0**other


def clamp_min(input: Tensor, min: Tensor | float) -> Tensor:
    """The larger of input and min."""
    return input.clamp(min=min)


def clamp_max(input: Tensor, max: Tensor | float) -> Tensor:
    """The smaller of input and max."""
    return input.clamp(max=max)


def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """NaN replaced by nan (0), infinities by posinf and neginf (the dtype's largest and smallest)."""
    if not input.is_floating_point():
        return input.clone()
    largest = finfo(input.dtype).max
    out = fd.where(input != input, 0.0 if nan is None else nan, input)
    out = fd.where(input == math.inf, largest if posinf is None else posinf, out)
    return fd.where(input == -math.inf, -largest if neginf is None else neginf, out)


def signbit(input: Tensor) -> Tensor:
    """Whether the sign is minus; true of -0.0."""
    if not input.is_floating_point():
        return input < 0
    return fd.copysign(fd.ones_like(input), input) < 0


def isposinf(input: Tensor) -> Tensor:
    """Whether an element is plus infinity."""
    return input == math.inf


def isneginf(input: Tensor) -> Tensor:
    """Whether an element is minus infinity."""
    return input == -math.inf


# ---- reductions and differences


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other."""
    return fd.norm(input - other, p)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The smallest and the largest element, over all or along dim."""
    return input.amin(dim, keepdim), input.amax(dim, keepdim)


def nanmean(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """The mean over dim of the elements that are not NaN; NaN where there are none."""
    if not input.is_floating_point():
        raise fd.DTypeError(f"nanmean: expected a floating tensor, got {input.dtype}")
    return fd.nansum(input, dim, keepdim) / (input == input).to(input.dtype).sum(dim, keepdim)


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | tuple[Tensor, Tensor]:
    """The lower median of the elements that are not NaN; along dim with its positions."""
    if dim is None:
        kept = input[input == input]
        return kept.median() if kept.numel() else input.median()
    if not input.is_cuda and not (input != input).any():
        return input.median(dim, keepdim)
    order = fd.sort(input, dim=dim)
    count = (input == input).sum(dim, keepdim=True)
    middle = ((count - 1).clamp(min=0)) // 2
    values, places = order.values.gather(dim, middle), order.indices.gather(dim, middle)
    return (values, places) if keepdim else (values.squeeze(dim), places.squeeze(dim))


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The most frequent value along dim, the smallest of equally frequent ones, and its last position."""
    if input.dim() == 0:
        return input.clone(), fd.tensor(0)
    equal = input.unsqueeze(dim if dim >= 0 else dim + input.dim()) == input.unsqueeze(dim if dim < 0 else dim + 1)
    axis = dim if dim >= 0 else dim + input.dim()
    count = equal.sum(axis + 1)
    frequent = count == count.amax(axis, keepdim=True)
    order = fd.sort(input, dim=axis)
    first = frequent.gather(axis, order.indices).to(fd.int64).argmax(axis, keepdim=True)
    value = order.values.gather(axis, first)
    steps = fd.arange(input.shape[axis]).reshape([-1 if i == axis else 1 for i in range(input.dim())])
    place = fd.where(input == value, steps, -1).amax(axis, keepdim=True)
    return (value, place) if keepdim else (value.squeeze(axis), place.squeeze(axis))


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Differences of neighbours along dim, n times over."""
    if input.dim() == 0:
        raise fd.ShapeError("diff: expected at least one dimension")
    parts = [t for t in (prepend, input, append) if t is not None]
    out = fd.cat(parts, dim=dim) if len(parts) > 1 else input
    for _ in range(n):
        size = out.shape[dim]
        if size == 0:
            break
        later, earlier = out.narrow(dim, 1, size - 1), out.narrow(dim, 0, size - 1)
        out = later ^ earlier if out.dtype is fd.bool else later - earlier
    return out.clone() if n == 0 else out


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Counts in `bins` equal intervals of [min, max] (of the data's range if both are equal); the rest is left out."""
    low, high = (min, max) if min != max else (input.min().item(), input.max().item())
    if low == high:
        low, high = low - 1, high + 1
    inside = input.reshape(-1)[fd.logical_and(input >= low, input <= high).reshape(-1)]
    place = ((inside - low) * (bins / (high - low))).to(fd.int64).clamp(max=bins - 1)
    return fd.bincount(place, minlength=bins).to(input.dtype)


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The integral of y along dim by the trapezoidal rule, at points x or dx apart."""
    size = y.shape[dim]
    pairs = y.narrow(dim, 1, size - 1) + y.narrow(dim, 0, size - 1)
    if x is None:
        return pairs.sum(dim) * (dx / 2)
    widths = diff(x)
    if x.dim() == 1:
        widths = widths.reshape([-1 if i == dim % y.dim() else 1 for i in range(y.dim())])
    return (pairs * widths).sum(dim) / 2


trapz = trapezoid

# ---- dtypes and numbers


class finfo:
    """The limits of a floating dtype: bits, eps, max, min, tiny, smallest_normal, resolution."""

    # bits of the whole and of the fraction, and the largest exponent (IEEE 754; bfloat16 is float32's upper half)
    _FORMATS = {"float64": (64, 52, 1023), "float32": (32, 23, 127), "float16": (16, 10, 15), "bfloat16": (16, 7, 127)}

    def __init__(self, type: dtype | None = None) -> None:
        self.dtype = str(type or fd.get_default_dtype()).rpartition(".")[2]
        if self.dtype not in self._FORMATS:
            raise fd.DTypeError(f"finfo: expected a floating dtype, got {type}")
        self.bits, fraction, exponent = self._FORMATS[self.dtype]
        self.eps = 2.0**-fraction
        self.max = (2 - self.eps) * 2.0**exponent
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0 ** (1 - exponent)
        self.resolution = 10.0 ** -math.floor(fraction * math.log10(2))

    def __repr__(self) -> str:
        return f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, " + (
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype: bits, max, min."""

    def __init__(self, type: dtype) -> None:
        self.dtype = str(type).rpartition(".")[2]
        if type.is_floating_point or type is fd.bool:
            raise fd.DTypeError(f"iinfo: expected an integer dtype, got {type}")
        self.bits = 8 * type.itemsize
        signed = not self.dtype.startswith("u")
        self.max = 2 ** (self.bits - signed) - 1
        self.min = -(self.max + 1) if signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"


def _kind(t: dtype) -> int:
    return 2 if t.is_floating_point else 0 if t is fd.bool else 1


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether an in-place operation may store results of the one dtype in the other."""
    return _kind(from_) <= _kind(to) and not (to is fd.uint8 and _kind(from_) == 1 and from_ is not fd.uint8)


def is_nonzero(input: Tensor) -> bool:
    """The truth of a tensor of one element."""
    return bool(input)


def scalar_tensor(s: float, *, dtype: dtype | None = None) -> Tensor:
    """A number as a 0-dim tensor of the default dtype."""
    return fd.tensor(s, dtype=dtype or fd.get_default_dtype())


def FloatTensor(data: object) -> Tensor:
    """A float32 tensor of the data."""
    return fd.tensor(data, dtype=fd.float32)


def LongTensor(data: object) -> Tensor:
    """An int64 tensor of the data."""
    return fd.tensor(data, dtype=fd.int64)
