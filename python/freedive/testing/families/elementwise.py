"""Functions and arithmetic of single elements."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Case, mask, real

BENCH = {"m": 1000, "n": 1000}
_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: Any) -> Any:
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def _softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _named(name: str) -> Callable[..., Any]:
    return lambda lib, *tensors: getattr(lib, name)(*tensors)


def _functional(name: str, **options: Any) -> Callable[..., Any]:
    return lambda lib, *tensors: getattr(lib.nn.functional, name)(*tensors, **options)


def _unary(name: str, twin: Callable[..., Any], low: float = -2, high: float = 2, **options: Any) -> Case:
    options.setdefault("bench", BENCH)
    run = options.pop("run", None) or _named(name)
    return Case(name, run, twin, (real("m n", low, high),), **options)


UNARY = (
    _unary("neg", np.negative),
    _unary("abs", np.abs),
    _unary("sign", np.sign),
    _unary("square", np.square),
    _unary("reciprocal", np.reciprocal, 0.3, 3),
    _unary("sqrt", np.sqrt, 0.1, 4),
    _unary("rsqrt", lambda x: 1 / np.sqrt(x), 0.1, 4),
    _unary("exp", np.exp, -4, 4),
    _unary("exp2", np.exp2, -4, 4),
    _unary("expm1", np.expm1, -5, 5),
    _unary("log", np.log, 0.01, 50),
    _unary("log2", np.log2, 0.01, 50),
    _unary("log10", np.log10, 0.01, 50),
    _unary("log1p", np.log1p, -0.9, 50),
    _unary("sin", np.sin, -10, 10, noise=1),
    _unary("cos", np.cos, -10, 10, noise=1),
    _unary("tan", np.tan, -1.4, 1.4),
    _unary("asin", np.arcsin, -0.95, 0.95),
    _unary("acos", np.arccos, -0.95, 0.95),
    _unary("atan", np.arctan, -10, 10),
    _unary("sinh", np.sinh, -5, 5),
    _unary("cosh", np.cosh, -5, 5),
    _unary("tanh", np.tanh, -5, 5),
    _unary("asinh", np.arcsinh, -5, 5),
    _unary("acosh", np.arccosh, 1.1, 5),
    _unary("atanh", np.arctanh, -0.95, 0.95),
    _unary("erf", _erf, -3, 3),
    _unary("floor", np.floor, -9.3, 9.3),
    _unary("ceil", np.ceil, -9.3, 9.3),
    _unary("round", np.round, -9.3, 9.3),
    _unary("trunc", np.trunc, -9.3, 9.3),
    _unary("sigmoid", _sigmoid, -10, 10),
    _unary("relu", lambda x: np.maximum(x, 0)),
    _unary("clamp", lambda x: np.clip(x, -0.7, 1.1), run=lambda lib, x: lib.clamp(x, -0.7, 1.1)),
    _unary("logsigmoid", lambda x: -_softplus(-x), -10, 10, run=_functional("logsigmoid")),
    _unary("softplus", _softplus, -10, 10, run=_functional("softplus")),
    _unary("leaky_relu", lambda x: np.where(x > 0, x, 0.1 * x), run=_functional("leaky_relu", negative_slope=0.1)),
    _unary("elu", lambda x: np.where(x > 0, x, 1.3 * np.expm1(x)), run=_functional("elu", alpha=1.3)),
    _unary("gelu", lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))), run=_functional("gelu"), noise=2),
    _unary("gelu_tanh", _gelu_tanh, run=_functional("gelu", approximate="tanh"), noise=2),
    _unary("silu", lambda x: x * _sigmoid(x), -10, 10, run=_functional("silu")),
    _unary("mish", lambda x: x * np.tanh(_softplus(x)), -5, 5, run=_functional("mish")),
    _unary("hardsigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, -5, 5, run=_functional("hardsigmoid")),
    _unary("hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, -5, 5, run=_functional("hardswish")),
    _unary("pow_scalar", lambda x: x**3, run=lambda lib, x: x**3, bench=None),
    _unary("pow_fraction", lambda x: x**-1.7, 0.2, 4, run=lambda lib, x: x**-1.7, ulp=8, bench=None),
    _unary("scalar_pow", lambda x: 2.5**x, run=lambda lib, x: 2.5**x, ulp=8, bench=None),
)


def _binary(name: str, twin: Callable[..., Any], *, low: float = -2, high: float = 2, **options: Any) -> Case:
    a = options.pop("first", None) or real("m n", low, high)
    b = options.pop("second", None) or real("m n", low, high)
    options.setdefault("bench", BENCH)
    run = options.pop("run", None) or _named(name)
    return Case(name, run, twin, (a, b), broadcasts=True, **options)


BINARY = (
    _binary("add", np.add),
    _binary("sub", np.subtract),
    _binary("mul", np.multiply),
    _binary("div", np.divide, second=real("m n", 0.3, 3)),
    _binary("pow", np.power, first=real("m n", 0.2, 4), ulp=8),
    _binary("maximum", np.maximum),
    _binary("minimum", np.minimum),
    _binary("atan2", np.arctan2, first=real("m n", 0.2, 3)),
    _binary("hypot", np.hypot, first=real("m n", 0.2, 3)),
    # Where they jump depends on the last bit, so operands are whole numbers and halves.
    _binary(
        "remainder",
        lambda a, b: np.remainder(np.round(a * 8), np.round(b * 8) + 0.5),
        run=lambda lib, a, b: lib.remainder(lib.round(a * 8), lib.round(b * 8) + 0.5),
        differentiable=False,
        bench=None,
    ),
    _binary(
        "fmod",
        lambda a, b: np.fmod(np.round(a * 8), np.round(b * 8) + 0.5),
        run=lambda lib, a, b: lib.fmod(lib.round(a * 8), lib.round(b * 8) + 0.5),
        differentiable=False,
        bench=None,
    ),
    _binary(
        "floor_divide",
        lambda a, b: np.floor_divide(np.round(a * 8), np.round(b * 8) + 0.5),
        run=lambda lib, a, b: lib.floor_divide(lib.round(a * 8), lib.round(b * 8) + 0.5),
        differentiable=False,
        bench=None,
    ),
    _binary("copysign", np.copysign, differentiable=False),
    _binary("add_alpha", lambda a, b: a + 0.5 * b, run=lambda lib, a, b: lib.add(a, b, alpha=0.5), bench=None),
    _binary("lerp", lambda a, b: a + 0.3 * (b - a), run=lambda lib, a, b: lib.lerp(a, b, 0.3), noise=2, bench=None),
)

TERNARY = (
    Case(
        "where",
        _named("where"),
        np.where,
        (mask("m n"), real("m n"), real("m n")),
        broadcasts=True,
        bench=BENCH,
    ),
    Case(
        "addcmul",
        _named("addcmul"),
        lambda a, b, c: a + b * c,
        (real("m n"), real("m n"), real("m n")),
        noise=4,
        broadcasts=True,
    ),
    Case(
        "addcdiv",
        _named("addcdiv"),
        lambda a, b, c: a + b / c,
        (real("m n"), real("m n"), real("m n", 0.5, 2)),
        noise=8,
        broadcasts=True,
    ),
)

CASES = UNARY + BINARY + TERNARY
