"""Minimax coefficients for the vector functions of csrc/kernels/cpu/math*.h.

    python scripts/minimax.py sin_f32 atan_f32      # prints the named fits; without names: all

Remez exchange in 50 digits on a fine grid, for polynomials and for rational functions. The lowest coefficients
are rounded to their type first and the rest is fitted again around them, so that little of the error comes from
rounding. Needs mpmath, which nothing else in the project does.
"""

import sys
from collections.abc import Callable

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
    return mp.mpf(float(np.float32(float(value)))) if dtype == "f32" else mp.mpf(float(value))


def spell(value: mp.mpf, dtype: str) -> str:
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
