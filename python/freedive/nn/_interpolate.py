"""Resampling: every mode but 'area' is a weighted sum of a few elements along each dimension in turn."""

from __future__ import annotations

import math

import freedive as fd
from freedive import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from freedive import Tensor

_MODES = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,), "bilinear": (2,),
    "bicubic": (2,), "trilinear": (3,),
}  # fmt: skip
_CUBIC = -0.75  # the slope parameter of Keys' convolution (1981) that PyTorch uses


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resamples the spatial dimensions of input [n, c, ...] to `size`, or by `scale_factor`.

    mode: 'nearest', 'nearest-exact' or 'area' for one to three dimensions, 'linear' for one, 'bilinear' or 'bicubic'
    for two, 'trilinear' for three. With align_corners the corners' centres coincide, else the corners do.

    Raises:
        ValueError: both or neither of size and scale_factor, or options that do not go together.
    """
    dims = input.ndim - 2
    _check(dims, size, scale_factor, mode, align_corners, antialias)
    sizes = [int(n) for n in input.shape[2:]]
    factors = None
    if size is not None:
        outputs = [size] * dims if isinstance(size, int) else list(size)
    else:
        given = [scale_factor] * dims if isinstance(scale_factor, (int, float)) else list(scale_factor)  # type: ignore[arg-type]
        outputs = [math.floor(n * f) for n, f in zip(sizes, given, strict=False)]  # type: ignore[operator]
        factors = None if recompute_scale_factor else given
    if len(outputs) != dims or (factors is not None and len(factors) != dims):
        raise ValueError(f"interpolate: {len(outputs)} sizes or factors; expected 1 or {dims}")
    if min([*outputs, *sizes, 1]) < 1:
        raise ValueError(f"interpolate: from {tuple(sizes)} to {tuple(outputs)}; expected sizes of at least 1")
    if mode == "area":
        return getattr(_core, f"adaptive_avg_pool{dims}d")(input, tuple(outputs))
    for d in range(dims):
        step = sizes[d] / outputs[d] if factors is None else 1 / factors[d]  # type: ignore[operator]
        input = _along(input, d + 2, outputs[d], step, mode, bool(align_corners))
    return input


def _check(dims, size, scale_factor, mode, align_corners, antialias):
    if mode not in _MODES:
        raise ValueError(f"interpolate: mode is {mode!r}; expected one of {', '.join(_MODES)}")
    if dims not in _MODES[mode]:
        raise ValueError(f"interpolate: mode {mode!r} does not go with an input of {dims + 2} dimensions")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor")
    if align_corners is not None and (mode.startswith("nearest") or mode == "area"):
        raise ValueError(f"interpolate: align_corners does not go with mode {mode!r}")
    if antialias:
        raise ValueError("interpolate: antialias is not supported")


def _along(input: Tensor, dim: int, out: int, step: float, mode: str, corners: bool) -> Tensor:
    """Resamples one dimension to `out` elements, `step` apart in the input."""
    n = input.shape[dim]
    at = fd.arange(out, dtype=fd.float64)
    if mode.startswith("nearest"):
        at = (at + (0.5 if mode == "nearest-exact" else 0.0)) * step
        return input.index_select(dim, at.floor().clamp(max=n - 1).to(fd.int64).to(input.device))
    if corners:
        at = at * ((n - 1) / (out - 1) if out > 1 else 0.0)
    else:
        at = (at + 0.5) * step - 0.5
    if mode != "bicubic":
        at = at.clamp(min=0)
    first = at.floor()
    part = at - first
    weights = _cubic_weights(part) if mode == "bicubic" else [1 - part, part]
    shift = -1 if mode == "bicubic" else 0
    total: Tensor | None = None
    for i, weight in enumerate(weights):
        index = (first + (i + shift)).clamp(0, n - 1).to(fd.int64).to(input.device)
        share = weight.to(input.dtype).to(input.device).reshape((-1,) + (1,) * (input.ndim - 1 - dim))
        term = input.index_select(dim, index) * share
        total = term if total is None else total + term
    assert total is not None
    return total


def _cubic_weights(part: Tensor) -> list[Tensor]:
    """Weights of the elements 1 before, at, 1 and 2 after the place, by Keys' kernel."""

    def near(x):
        return ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1

    def far(x):
        return ((_CUBIC * x - 5 * _CUBIC) * x + 8 * _CUBIC) * x - 4 * _CUBIC

    return [far(part + 1), near(part), near(1 - part), far(2 - part)]
