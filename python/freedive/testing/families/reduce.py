"""Reductions and running reductions. Rounding grows with the number of terms, hence `noise`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Case, distinct, real

BENCH = {"m": 1000, "n": 1000}


def _logsumexp(x: Any, axis: int) -> Any:
    top = x.max(axis, keepdims=True) if x.shape[axis] else 0.0
    return (
        np.log(np.exp(x - top).sum(axis)) + np.squeeze(top, axis)
        if x.shape[axis]
        else np.full(np.delete(x.shape, axis), -np.inf)
    )


def _logcumsumexp(x: Any) -> Any:
    return np.logaddexp.accumulate(x, axis=1)


_x, _positive, _order = (real("m n"),), (real("m n", 0.5, 1.5),), (distinct("m n"),)

CASES = (
    Case("sum", lambda lib, x: lib.sum(x), np.sum, _x, noise=16, bench=BENCH),
    Case("sum_rows", lambda lib, x: x.sum(1), lambda x: x.sum(1), _x, noise=16, bench=BENCH),
    Case("sum_columns", lambda lib, x: x.sum(0), lambda x: x.sum(0), _x, noise=16, bench=BENCH),
    Case(
        "sum_middle",
        lambda lib, x: x.sum(1, keepdim=True),
        lambda x: x.sum(1, keepdims=True),
        (real("b m n"),),
        noise=16,
    ),
    Case("sum_two", lambda lib, x: x.sum((0, 2)), lambda x: x.sum((0, 2)), (real("b m n"),), noise=16),
    Case("mean", lambda lib, x: x.mean(), np.mean, _x, noise=16, bench=BENCH, least=1),
    Case("mean_rows", lambda lib, x: x.mean(-1), lambda x: x.mean(-1), _x, noise=16, least=1, bench=BENCH),
    Case("prod", lambda lib, x: x.prod(1), lambda x: x.prod(1), _positive, ulp=64),
    Case("prod_all", lambda lib, x: x.prod(), np.prod, _positive, ulp=256),
    Case("max", lambda lib, x: x.max(), np.max, _order, least=1, bench=BENCH),
    Case("min", lambda lib, x: x.min(), np.min, _order, least=1),
    Case(
        "max_rows",
        lambda lib, x: tuple(x.max(1)),
        lambda x: (x.max(1), x.argmax(1)),
        _order,
        least=1,
        bench=BENCH,
    ),
    Case("min_columns", lambda lib, x: tuple(x.min(0)), lambda x: (x.min(0), x.argmin(0)), _order, least=1),
    Case("amax", lambda lib, x: x.amax(0), lambda x: x.max(0), _order, least=1),
    Case("amin", lambda lib, x: x.amin((0, 1)), lambda x: x.min((0, 1)), _order, least=1),
    Case(
        "argmax", lambda lib, x: x.argmax(1), lambda x: x.argmax(1), _order, least=1, differentiable=False, bench=BENCH
    ),
    Case("argmin", lambda lib, x: x.argmin(), lambda x: np.asarray(x.argmin()), _order, least=1, differentiable=False),
    Case("any", lambda lib, x: (x > 1.9).any(1), lambda x: (x > 1.9).any(1), _x, differentiable=False),
    Case("all", lambda lib, x: (x > -1.9).all(0), lambda x: (x > -1.9).all(0), _x, differentiable=False),
    Case(
        "count_nonzero",
        lambda lib, x: lib.count_nonzero(lib.round(x), 1),
        lambda x: np.count_nonzero(np.round(x), 1),
        _x,
        differentiable=False,
    ),
    Case(
        "var", lambda lib, x: x.var(1), lambda x: x.var(1, ddof=1), _x, noise=16, sizes={"n": 5}, least=2, bench=BENCH
    ),
    Case("std", lambda lib, x: x.std(0), lambda x: x.std(0, ddof=1), _x, noise=16, least=2),
    Case("norm2", lambda lib, x: x.norm(), lambda x: np.sqrt((x * x).sum()), _x, noise=16, bench=BENCH, least=1),
    Case("norm1", lambda lib, x: x.norm(p=1, dim=1), lambda x: np.abs(x).sum(1), _x, noise=16),
    Case(
        "logsumexp", lambda lib, x: lib.logsumexp(x, 1), lambda x: _logsumexp(x, 1), _x, noise=8, bench=BENCH, least=1
    ),
    Case("cumsum", lambda lib, x: x.cumsum(1), lambda x: x.cumsum(1), _x, noise=64, bench=BENCH),
    Case("cumsum_columns", lambda lib, x: x.cumsum(0), lambda x: x.cumsum(0), _x, noise=64),
    Case("cumprod", lambda lib, x: x.cumprod(1), lambda x: x.cumprod(1), _positive, ulp=64),
    Case("cummax", lambda lib, x: x.cummax(1)[0], lambda x: np.maximum.accumulate(x, 1), _order, least=1),
    Case("cummin", lambda lib, x: x.cummin(0)[0], lambda x: np.minimum.accumulate(x, 0), _order, least=1),
    Case("logcumsumexp", lambda lib, x: lib.logcumsumexp(x, 1), _logcumsumexp, _x, noise=16, least=1),
)
