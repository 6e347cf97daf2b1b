"""Sorting and choosing by rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Case, distinct

_x = (distinct("m n"),)


def _sorted(x: Any) -> Any:
    return np.sort(x, 1), np.argsort(x, 1)


def _top(x: Any) -> Any:
    order = np.argsort(-x, 1)[:, :2]
    return np.take_along_axis(x, order, 1), order


CASES = (
    Case("sort", lambda lib, x: tuple(x.sort(1)), _sorted, _x, ulp=0, bench={"m": 1000, "n": 1000}),
    Case("argsort", lambda lib, x: x.argsort(0), lambda x: np.argsort(x, 0), _x, differentiable=False),
    Case("topk", lambda lib, x: tuple(x.topk(2, 1)), _top, _x, ulp=0, least=2),
    Case("kthvalue", lambda lib, x: x.kthvalue(2, 1)[0], lambda x: np.sort(x, 1)[:, 1], _x, ulp=0, least=2),
    Case(
        "median",
        lambda lib, x: x.median(1)[0],
        lambda x: np.sort(x, 1)[:, (x.shape[1] - 1) // 2],
        _x,
        ulp=0,
        least=1,
    ),
)
