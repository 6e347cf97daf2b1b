"""Joining tensors."""

from __future__ import annotations

import numpy as np

from ..case import Case, real

CASES = (
    Case("cat", lambda lib, a, b: lib.cat([a, b], 0), lambda a, b: np.concatenate([a, b]), (real("m n"), real("k n")),
         ulp=0, bench={"m": 1000, "k": 1000, "n": 1000}),
    Case("cat_columns", lambda lib, a, b: lib.cat([a, b], -1), lambda a, b: np.concatenate([a, b], -1),
         (real("m n"), real("m k")), ulp=0),
    Case("stack", lambda lib, a, b: lib.stack([a, b], 1), lambda a, b: np.stack([a, b], 1),
         (real("m n"), real("m n")), ulp=0),
    Case("hstack", lambda lib, a, b: lib.hstack([a, b]), lambda a, b: np.hstack([a, b]), (real("m n"), real("m k")),
         ulp=0),
    Case("vstack", lambda lib, a, b: lib.vstack([a, b]), lambda a, b: np.vstack([a, b]), (real("n"), real("n")), ulp=0),
    Case("meshgrid", lambda lib, a, b: lib.meshgrid(a, b, indexing="ij"), lambda a, b: np.meshgrid(a, b, indexing="ij"),
         (real("m"), real("n")), ulp=0),
)  # fmt: skip
