"""Special functions: computed in float64 from elementwise parts, each with its slope. Rare on a training path.

Sources: Stirling's series, recurrence and reflection formulas from the NIST Digital Library of Mathematical Functions
(5.4, 5.5, 5.11, 5.15 and 7.9); the start of erfinv from S. Winitzki, "A handy approximation for the error function and
its inverse" (2008).
"""

from __future__ import annotations

import math

import freedive as fd

from .autograd import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from freedive import Tensor

__all__ = ["digamma", "erfc", "erfinv", "lgamma"]

_SHIFT = 8  # the series in 1 / x are good to float64 from here on
_LGAMMA = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_DIGAMMA = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760, -1 / 12)
_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
_FRACTION_FROM, _FRACTION_DEPTH = 2.0, 60  # the continued fraction of erfc


def _series(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    """c0 + c1 x + c2 x^2 + …"""
    total = fd.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def _turn(x: Tensor) -> Tensor:
    """pi x less whole turns by pi, so that sine and tangent are exact at integers."""
    return (x - fd.round(x)) * math.pi


def _steps(z: Tensor) -> list[Tensor]:
    """z, z + 1, …, z + 7; z itself where that is -0."""
    return [z, *(z + k for k in range(1, _SHIFT))]


def _lgamma(x: Tensor) -> Tensor:
    """log |gamma(x)|."""
    z = fd.where(x < 0.5, 1 - x, x)
    small = z < _SHIFT
    product = fd.ones_like(z)
    for step in _steps(z):
        product = product * fd.where(small, step, 1.0)
    y = fd.where(small, z + _SHIFT, z)
    value = (y - 0.5) * fd.log(y) - y + 0.5 * math.log(2 * math.pi) + _series(_LGAMMA, y**-2) / y - fd.log(product)
    value = fd.where(y == math.inf, math.inf, value)
    value = fd.where(fd.logical_or(z == 1, z == 2), 0.0, value)
    reflected = math.log(math.pi) - fd.log(fd.sin(_turn(x)).abs()) - value
    return fd.where(x < 0.5, fd.where(x == -math.inf, math.inf, reflected), value)


def _digamma(x: Tensor) -> Tensor:
    z = fd.where(x < 0, 1 - x, x)
    y = z + _SHIFT
    value = fd.log(y) - 0.5 / y + _series(_DIGAMMA, y**-2) * y**-2
    for step in _steps(z):
        value = value - 1 / step
    reflected = value - math.pi / fd.tan(_turn(x))
    return fd.where(x < 0, fd.where(x == fd.floor(x), math.nan, reflected), value)


def _trigamma(x: Tensor) -> Tensor:
    z = fd.where(x < 0, 1 - x, x)
    y = z + _SHIFT
    value = 1 / y + 0.5 * y**-2 + _series(_TRIGAMMA, y**-2) * y**-3
    for step in _steps(z):
        value = value + step**-2
    return fd.where(x < 0, (math.pi / fd.sin(_turn(x))) ** 2 - value, value)


def _erfc(x: Tensor) -> Tensor:
    """1 - erf(x), by a continued fraction where little is left of it."""
    far = x >= _FRACTION_FROM
    z = fd.where(far, x, _FRACTION_FROM)
    fraction = z
    for k in range(_FRACTION_DEPTH, 0, -1):
        fraction = z + (k / 2) / fraction
    tail = fd.exp(-z * z) / (math.sqrt(math.pi) * fraction)
    return fd.where(far, tail, 1 - fd.erf(x))


def _erfinv(y: Tensor) -> Tensor:
    """Winitzki's approximation, good to 0.2 %, then steps of Halley's method, which cubes the error."""
    a, size = 0.147, y.abs()
    log = fd.log1p(-size * size)
    t = 2 / (math.pi * a) + log / 2
    z = fd.sqrt(-log / a / (fd.sqrt(t * t - log / a) + t))
    for _ in range(3):
        off = fd.where(size > 0.5, (1 - size) - _erfc(z), fd.erf(z) - size)
        step = off * (math.sqrt(math.pi) / 2) * fd.exp(z * z)
        z = z - step / (1 + z * step)
    z = fd.where(size == 1, math.inf, z)
    return fd.copysign(z, y)


def _through_double(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return function(x.double()).to(x.dtype)


def _differentiable(name: str, value: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> type[Function]:
    """The Function with this value and this derivative, itself made of differentiable parts."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return _through_double(value, x)

    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * slope(x)

    return type(name, (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


_Lgamma = _differentiable("Lgamma", _lgamma, lambda x: digamma(x))
_Digamma = _differentiable("Digamma", _digamma, lambda x: _through_double(_trigamma, x))
_Erfc = _differentiable("Erfc", _erfc, lambda x: fd.exp(-x * x) * (-2 / math.sqrt(math.pi)))
_Erfinv = _differentiable("Erfinv", _erfinv, lambda x: fd.exp(erfinv(x) ** 2) * (math.sqrt(math.pi) / 2))


def _apply(function: type[Function], input: Tensor) -> Tensor:
    return function.apply(input if input.is_floating_point() else input.to(fd.get_default_dtype()))


def lgamma(input: Tensor) -> Tensor:
    """log |gamma(input)|; infinite at 0 and the negative integers."""
    return _apply(_Lgamma, input)


def digamma(input: Tensor) -> Tensor:
    """The derivative of lgamma; minus infinity at 0, NaN at the negative integers."""
    return _apply(_Digamma, input)


def erfc(input: Tensor) -> Tensor:
    """1 - erf(input), exact also where erf is nearly 1."""
    return _apply(_Erfc, input)


def erfinv(input: Tensor) -> Tensor:
    """The inverse of erf: infinite at -1 and 1, NaN beyond."""
    return _apply(_Erfinv, input)
