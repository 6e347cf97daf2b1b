"""softmax and log_softmax along a dim."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Case, real


def _log_softmax(x: Any, axis: int) -> Any:
    if x.shape[axis] == 0:
        return x
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


_x = (real("m n", -10, 10),)

CASES = (
    Case(
        "softmax",
        lambda lib, x: lib.softmax(x, -1),
        lambda x: np.exp(_log_softmax(x, 1)),
        _x,
        ulp=16,
        bench={"m": 8192, "n": 1000},
    ),
    Case("softmax_columns", lambda lib, x: lib.softmax(x, 0), lambda x: np.exp(_log_softmax(x, 0)), _x, ulp=16),
    Case("softmax_middle", lambda lib, x: x.softmax(1), lambda x: np.exp(_log_softmax(x, 1)), (real("b m n"),), ulp=16),
    Case(
        "log_softmax",
        lambda lib, x: lib.log_softmax(x, -1),
        lambda x: _log_softmax(x, 1),
        _x,
        noise=4,
        bench={"m": 8192, "n": 1000},
    ),
    Case("log_softmax_columns", lambda lib, x: lib.log_softmax(x, 0), lambda x: _log_softmax(x, 0), _x, noise=4),
)
