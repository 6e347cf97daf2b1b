"""Reading and writing by indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Case, integer, mask, real


def _embedding_twin(w: Any, i: Any) -> Any:
    return w[i]


def _added(x: Any, i: Any, s: Any) -> Any:
    out = x.copy()
    np.add.at(out, i, s)
    return out


def _scatter_added(x: Any, i: Any, s: Any) -> Any:
    out = x.copy()
    np.add.at(out, (i, np.broadcast_to(np.arange(i.shape[1]), i.shape)), s)
    return out


def _write(lib: Any, x: Any, v: Any) -> Any:
    y = x * 1
    y[1:, 0] = v
    return y


def _written(x: Any, v: Any) -> Any:
    y = x.copy()
    y[1:, 0] = v
    return y


CASES = (
    Case("index_rows", lambda lib, x, i: x[i], lambda x, i: x[i], (real("m n"), integer("k", "m")), ulp=0, least=1),
    Case(
        "index_pairs",
        lambda lib, x, i, j: x[i, j],
        lambda x, i, j: x[i, j],
        (real("m n"), integer("k", "m"), integer("k", "n")),
        ulp=0,
        least=1,
    ),
    Case("index_select", lambda lib, x, i: lib.index_select(x, 1, i), lambda x, i: x[:, i],
         (real("m n"), integer("k", "n")), ulp=0, least=1),
    Case("mask", lambda lib, x, w: x[w], lambda x, w: x[w], (real("m n"), mask("m n")), ulp=0),
    Case("masked_fill", lambda lib, x, w: x.masked_fill(w, 0.5), lambda x, w: np.where(w, 0.5, x),
         (real("m n"), mask("m n")), ulp=0, bench={"m": 1000, "n": 1000}),
    Case("embedding", lambda lib, w, i: lib.nn.functional.embedding(i, w), _embedding_twin,
         (real("m n"), integer("b k", "m")), ulp=0, least=1, bench={"m": 10_000, "n": 256, "b": 32, "k": 32}),
    Case("gather", lambda lib, x, i: x.gather(0, i), lambda x, i: np.take_along_axis(x, i, 0),
         (real("m n"), integer("k n", "m")), ulp=0, least=1),
    Case("take_along_dim", lambda lib, x, i: lib.take_along_dim(x, i, 1), lambda x, i: np.take_along_axis(x, i, 1),
         (real("m n"), integer("m k", "n")), ulp=0, least=1),
    Case("scatter_add", lambda lib, x, i, s: x.scatter_add(0, i, s), _scatter_added,
         (real("m n"), integer("k n", "m"), real("k n")), noise=8, least=1),
    Case("index_add", lambda lib, x, i, s: x.index_add(0, i, s), _added,
         (real("m n"), integer("k", "m"), real("k n")), noise=8, least=1),
    Case("setitem", _write, _written, (real("m n"), real("")), ulp=0, least=1),
    Case("one_hot", lambda lib, i: lib.nn.functional.one_hot(i, 6), lambda i: np.eye(6, dtype=np.int64)[i],
         (integer("n", 6),), dtypes=("float32",), differentiable=False),
)  # fmt: skip
