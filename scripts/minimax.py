"""Minimax coefficients for the vector functions of csrc/kernels/cpu/math*.h.

    python scripts/minimax.py sin atan      # prints the named fits; without names: all

Remez exchange in 50 digits on a fine grid, for polynomials and for rational functions. The lowest coefficients
are rounded to their type first and the rest is fitted again around them, so that little of the error comes from
rounding. Needs mpmath, which nothing else in the project does.
"""

import sys
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np

mp.mp.dps = 50
Function = Callable[[mp.mpf], mp.mpf]
GRID = 600


def grid(low: float, high: float) -> list[mp.mpf]:
    """Chebyshev points: dense at the ends, where the error of a fit has its extremes."""
    middle, half = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    return [middle - half * mp.cos(mp.pi * (i + mp.mpf(1) / 2) / GRID) for i in range(GRID)]


def horner(c: list[mp.mpf], x: mp.mpf) -> mp.mpf:
    """c[0] + c[1] x + ..."""
    total = mp.mpf(0)
    for a in reversed(c):
        total = total * x + a
    return total


def extremes(error: list[mp.mpf], count: int) -> list[int]:
    """The largest |error| of each run of equal sign; the smallest at the ends go until `count` are left."""
    best: list[int] = []
    for i, e in enumerate(error):
        if best and (error[best[-1]] > 0) == (e > 0):
            if abs(e) > abs(error[best[-1]]):
                best[-1] = i
        else:
            best.append(i)
    while len(best) > count:
        best.pop(0 if abs(error[best[0]]) < abs(error[best[-1]]) else -1)
    return best


def remez(
    x: list[mp.mpf], f: list[mp.mpf], w: list[mp.mpf], n: int, m: int, fixed: list[mp.mpf]
) -> tuple[list[mp.mpf], list[mp.mpf], mp.mpf]:
    """p (n terms, the first of them fixed) over q (m terms and the constant 1) with the least largest w |f - p/q|."""
    k = len(fixed)
    points = n - k + m + 1
    at = [int(i) for i in np.round((1 - np.cos(np.pi * (np.arange(points) + 0.5) / points)) / 2 * (GRID - 1))]
    p, q = [mp.mpf(0)] * n, [mp.mpf(1)] + [mp.mpf(0)] * m
    worst = mp.mpf(0)
    for _ in range(60):
        a, b = mp.matrix(points, points), mp.matrix(points, 1)
        for row, i in enumerate(at):
            for j in range(k, n):
                a[row, j - k] = x[i] ** j
            for j in range(1, m + 1):
                a[row, n - k + j - 1] = -f[i] * x[i] ** j
            a[row, points - 1] = (-1) ** row * horner(q, x[i]) / w[i]
            b[row] = f[i] - horner(fixed, x[i])
        s = mp.lu_solve(a, b)
        p = fixed + [s[j] for j in range(n - k)]
        q = [mp.mpf(1)] + [s[n - k + j] for j in range(m)]
        error = [w[i] * (f[i] - horner(p, x[i]) / horner(q, x[i])) for i in range(GRID)]
        worst = max(abs(e) for e in error)
        found = extremes(error, points)
        if len(found) < points or found == at:
            break
        at = found
    return p, q, worst


def rounded(value: mp.mpf, dtype: str) -> mp.mpf:
    """The nearest number of the type."""
    return mp.mpf(float(np.float32(float(value)))) if dtype == "f32" else mp.mpf(float(value))


def spell(value: mp.mpf, dtype: str) -> str:
    """As a hexadecimal literal of C++."""
    mantissa, exponent = float(value).hex().split("p")
    head, _, tail = mantissa.partition(".")
    tail = tail.rstrip("0")
    return f"{head}{'.' if tail else ''}{tail}p{int(exponent)}{'f' if dtype == 'f32' else ''}"


def fit(
    name: str, dtype: str, f: Function, low: float, high: float, terms: int, weight: Function | None = None,
    denominator: int = 0, settled: int = 2,
) -> None:  # fmt: skip
    """Prints p (and q) for f over [low, high]; the error printed is the largest weight |f - p/q|, in bits."""
    x = grid(low, high)
    y = [f(t) for t in x]
    w = [weight(t) if weight else 1 / abs(v) for t, v in zip(x, y, strict=True)]
    known: list[mp.mpf] = []
    p, q, worst = remez(x, y, w, terms, denominator, known)
    ideal = worst
    if denominator == 0:
        while len(known) < min(settled, terms - 1):
            known.append(rounded(p[len(known)], dtype))
            p, q, worst = remez(x, y, w, terms, 0, known)
        p = [rounded(v, dtype) for v in p]
    else:
        q = [rounded(v, dtype) for v in q]
        scaled = [a * horner(q, t) for a, t in zip(y, x, strict=True)]
        heavy = [a / horner(q, t) for a, t in zip(w, x, strict=True)]
        if settled:
            p, _, worst = remez(x, scaled, heavy, terms, 0, [])
        while len(known) < min(settled, terms - 1):
            known.append(rounded(p[len(known)], dtype))
            p, _, worst = remez(x, scaled, heavy, terms, 0, known)
        p = [rounded(v, dtype) for v in p]
    worst = max(a * abs(b - horner(p, t) / horner(q, t)) for a, b, t in zip(w, y, x, strict=True))
    print(f"{name}: error 2^{float(mp.log(worst, 2)):.2f} (2^{float(mp.log(ideal, 2)):.2f} before rounding)")
    print("  {" + ", ".join(spell(v, dtype) for v in p) + "}")
    if denominator:
        print("  {" + ", ".join(spell(v, dtype) for v in q) + "}")


def odd_part(f: Function) -> Function:
    """(f(x) - x) / x^3 in z = x^2."""
    return lambda z: (f(mp.sqrt(z)) - mp.sqrt(z)) / mp.sqrt(z) ** 3


def odd(f: Function, top: float, terms: int) -> dict[str, Any]:
    """The fit of odd_part(f) for x^2 up to top."""
    return {
        "f": odd_part(f), "low": 1e-8, "high": top, "terms": terms,
        "weight": lambda z: mp.sqrt(z) ** 3 / f(mp.sqrt(z)),
    }  # fmt: skip


def log_ratio(z: mp.mpf) -> mp.mpf:
    """(log((1 + s) / (1 - s)) / s - 2) / s^2 in z = s^2."""
    s = mp.sqrt(z)
    return (mp.log((1 + s) / (1 - s)) / s - 2) / z


def log_rest(f: mp.mpf) -> mp.mpf:
    """(log(1 + f) - f) / f^2."""
    return (mp.log1p(f) - f) / f**2


REDUCED = (mp.log(2) / 2) ** 2  # the square of what the reduction of exp leaves
FITS: dict[str, dict[str, Any]] = {
    "log": {"f": log_rest, "low": -0.25, "high": 0.5, "terms": 9, "weight": lambda f: f**2 / abs(mp.log1p(f))},
    "log2": {"f": lambda f: mp.log1p(f) / f / mp.log(2), "low": -0.25, "high": 0.5, "terms": 10, "settled": 0},
    "log10": {"f": lambda f: mp.log1p(f) / f / mp.log(10), "low": -0.25, "high": 0.5, "terms": 10, "settled": 0},
    "log_f64": {"f": log_ratio, "low": 1e-7, "high": 0.0401, "terms": 7, "weight": lambda z: z, "dtype": "f64"},
    "pow_log2": {"f": lambda f: mp.log1p(f) / f / mp.log(2), "low": -0.25, "high": 0.5, "terms": 13, "dtype": "f64"},
    "sin": odd(mp.sin, 2.56, 4),
    "tan": odd(mp.tan, 0.63, 7),
    "asin": odd(mp.asin, 0.25, 5),
    "atan": odd(mp.atan, 1.0, 9),
    "sinh": odd(mp.sinh, float(REDUCED), 3) | {"weight": lambda z: z, "settled": 3},
    "cosh": {
        "f": lambda z: (mp.cosh(mp.sqrt(z)) - 1) / z, "low": 1e-8, "high": float(REDUCED), "terms": 3,
        "weight": lambda z: z, "settled": 3,
    },
    "sinh_f64": odd(mp.sinh, float(REDUCED), 5) | {"weight": lambda z: z, "dtype": "f64"},
    "cosh_f64": {
        "f": lambda z: (mp.cosh(mp.sqrt(z)) - 1) / z, "low": 1e-9, "high": float(REDUCED), "terms": 5,
        "weight": lambda z: z, "dtype": "f64",
    },
    "normal_tail": {
        "f": lambda a: mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2)) / 2, "low": 0.0, "high": 14.5, "terms": 5,
        "denominator": 5, "settled": 9,
    },
    "erfcx_f64": {
        "f": lambda z: mp.exp(z * z) * mp.erfc(z), "low": 0.0, "high": 27.6, "terms": 11, "denominator": 11,
        "settled": 0, "dtype": "f64",
    },
    "erf_f64": {
        "f": lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z), "low": 1e-9, "high": 0.81, "terms": 11, "dtype": "f64",
    },
    "erfc": {
        "f": lambda a: mp.log(mp.erfc(a), 2), "low": 0.87, "high": 4.0, "terms": 7,
        "weight": lambda a: mp.erfc(a) * mp.log(2), "settled": 0,
    },
    "erfc_exp2": {
        "f": lambda r: (mp.mpf(2) ** r - 1) / r, "low": -0.5, "high": 0.5, "terms": 5,
        "weight": lambda r: abs(r) / mp.mpf(2) ** r, "settled": 0,
    },
}  # fmt: skip

if __name__ == "__main__":
    for name in sys.argv[1:] or FITS:
        fit(**{"name": name, "dtype": "f32"} | FITS[name])
