"""Errors of the vector functions, in steps of the last place, over their whole range and on every instruction set."""

import math

import numpy as np
import pytest

from freedive import kernels
from freedive.testing import isas, use_isa

RNG = np.random.default_rng(0)
# Ranges that end where the result leaves the normal numbers.
RANGES = {
    "exp": (np.exp, -87.0, 88.0, 1.5),
    "exp2": (np.exp2, -125.0, 127.0, 1.5),
    "expm1": (np.expm1, -20.0, 88.0, 2.0),
    "log": (np.log, 1e-37, 1e37, 1.5),
    "log2": (np.log2, 1e-37, 1e37, 2.0),
    "log10": (np.log10, 1e-37, 1e37, 2.0),
    "log1p": (np.log1p, -0.999, 1e37, 2.0),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 1e-37, 1e37, 1.5),
    "tan": (np.tan, -1e4, 1e4, 3.0),
    "asin": (np.arcsin, -1.0, 1.0, 2.0),
    "acos": (np.arccos, -1.0, 1.0, 2.0),
    "sinh": (np.sinh, -88.0, 88.0, 2.0),
    "cosh": (np.cosh, -88.0, 88.0, 2.5),
    "asinh": (np.arcsinh, -1e30, 1e30, 2.0),
    "acosh": (np.arccosh, 1.0, 1e30, 2.0),
    "atanh": (np.arctanh, -0.99999, 0.99999, 2.5),
    "tanh": (np.tanh, -12.0, 12.0, 2.5),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -80.0, 80.0, 2.5),
    "sin": (np.sin, -1e4, 1e4, 2.0),
    "cos": (np.cos, -1e4, 1e4, 2.0),
    "atan": (np.arctan, -1e6, 1e6, 2.0),
    "sqrt": (np.sqrt, 1e-37, 1e37, 0.5),
    "erf": (np.vectorize(math.erf, otypes=[np.float64]), -5.0, 5.0, 2.5),
}


def samples(low, high):
    """Uniform over the range and over its exponents: small numbers count as much as large ones."""
    even = RNG.uniform(low, high, 40_000)
    top = math.log10(max(abs(low), abs(high)))
    steep = 10.0 ** RNG.uniform(-30, top, 40_000) * RNG.choice([-1.0, 1.0], 40_000)
    x = np.concatenate([even, steep]).astype(np.float32)
    return x[(x >= low) & (x <= high)]


def steps_off(got, exact):
    """Distance in units of the spacing of float32 at the exact value."""
    spacing = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    return np.abs(got.astype(np.float64) - exact) / spacing


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("name", sorted(RANGES))
def test_float32_functions(name, isa):
    exact, low, high, most = RANGES[name]
    x = samples(low, high)
    with use_isa(isa):
        got = getattr(kernels, name)(x)
    off = steps_off(got, exact(x.astype(np.float64)))
    worst = int(np.argmax(off))
    assert off[worst] <= most, f"{name}({x[worst]!r}) = {got[worst]!r} is {off[worst]:.2f} steps off"


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_angles_leave_their_neighbours_alone(name, isa):
    x = samples(-100.0, 100.0)
    mixed = np.where(np.arange(x.size) % 5, x, np.float32(3e7))
    with use_isa(isa):
        alone, among = getattr(kernels, name)(x), getattr(kernels, name)(mixed)
    small = np.arange(x.size) % 5 > 0
    assert np.array_equal(alone[small], among[small])
    assert steps_off(among[~small], getattr(np, name)(np.float64(3e7))).max() <= 1


SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3.4e38, -3.4e38, 1.0, -1.0], np.float32)


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "name", ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "tanh", "sin", "cos", "sqrt", "floor", "trunc",
             "tan", "sinh", "cosh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"]
)  # fmt: skip
def test_special_values(name, dtype, isa):
    x = np.tile(SPECIAL.astype(dtype), 5)  # every value in every lane
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x.astype(np.float64)).astype(dtype)
    with use_isa(isa):
        got = getattr(kernels, name.replace("arc", "a"))(x)
    assert np.array_equal(np.isnan(got), np.isnan(want))
    assert np.array_equal(np.isinf(got), np.isinf(want))
    finite = np.isfinite(want)
    np.testing.assert_allclose(got[finite], want[finite], rtol=4e-7, atol=1e-44 if name != "sin" else 1e-7)
    zero = want == 0
    assert np.array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("isa", isas())
def test_relu_and_clamp_keep_nan(isa):
    x = np.array([np.nan, -1, 1] * 20, np.float32)
    with use_isa(isa):
        assert np.isnan(kernels.relu(x)[::3]).all()
        assert np.isnan(kernels.clamp(x, -0.5, 0.5)[::3]).all()
        assert np.isnan(kernels.maximum(x, np.float32(0) * x)[::3]).all()
