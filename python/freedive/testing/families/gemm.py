"""Products of matrices and vectors. Rounding grows with the number of products in a sum, hence `noise`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..case import Case, real

SQUARE = {"m": 512, "k": 512, "n": 512}


def _work(of: Mapping[str, int]) -> float:
    return 2.0 * of["m"] * of["n"] * of["k"]


def _case(name: str, run: Any, twin: Any, *shapes: str, **options: Any) -> Case:
    options.setdefault("noise", 32)
    return Case(name, run, twin, tuple(real(s) for s in shapes), **options)


CASES = (
    _case("matmul", lambda lib, a, b: a @ b, np.matmul, "m k", "k n", bench=SQUARE, work=_work),
    _case("matmul_tn", lambda lib, a, b: a.T @ b, lambda a, b: a.T @ b, "k m", "k n", bench=SQUARE, work=_work),
    _case("matmul_nt", lambda lib, a, b: a @ b.T, lambda a, b: a @ b.T, "m k", "n k", bench=SQUARE, work=_work),
    _case("matmul_tt", lambda lib, a, b: a.T @ b.T, lambda a, b: a.T @ b.T, "k m", "n k", bench=SQUARE, work=_work),
    _case("bmm", lambda lib, a, b: lib.bmm(a, b), np.matmul, "b m k", "b k n"),
    _case("matmul_shared", lambda lib, a, b: a @ b, np.matmul, "b m k", "k n"),
    _case("matmul_broadcast", lambda lib, a, b: a @ b, np.matmul, "b 1 m k", "3 k n"),
    _case("mv", lambda lib, a, x: lib.mv(a, x), np.matmul, "m k", "k", bench={"m": 1024, "k": 1024}),
    _case("vm", lambda lib, x, a: x @ a, np.matmul, "k", "k n", bench={"k": 1024, "n": 1024}),
    _case("dot", lambda lib, x, y: lib.dot(x, y), np.dot, "k", "k", bench={"k": 1_000_000}),
    _case("outer", lambda lib, x, y: lib.outer(x, y), np.outer, "m", "n"),
    _case("addmm", lambda lib, c, a, b: lib.addmm(c, a, b), lambda c, a, b: c + a @ b, "m n", "m k", "k n"),
    _case(
        "linear",
        lambda lib, x, w, b: lib.nn.functional.linear(x, w, b),
        lambda x, w, b: x @ w.T + b,
        "m k",
        "n k",
        "n",
        bench={"m": 256, "k": 784, "n": 256},
        work=_work,
    ),
    _case("linear_one", lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), lambda x, w, b: x @ w.T + b,
          "m k", "1 k", "1"),
    _case(
        "linear_batched",
        lambda lib, x, w: lib.nn.functional.linear(x, w),
        lambda x, w: x @ w.T,
        "b m k",
        "n k",
    ),
    _case("einsum_attention", lambda lib, a, b: lib.einsum("bmk,bnk->bmn", a, b),
          lambda a, b: np.einsum("bmk,bnk->bmn", a, b), "b m k", "b n k"),
    _case("tensordot", lambda lib, a, b: lib.tensordot(a, b, 1), lambda a, b: np.tensordot(a, b, 1), "b m k", "k n"),
)  # fmt: skip
