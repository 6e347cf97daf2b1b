"""Normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Case, real

EPS = 1e-3


def _normalised(x: Any, axes: tuple[int, ...]) -> Any:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + EPS)


def _per_channel(v: Any, x: Any) -> Any:
    return v.reshape((1, -1) + (1,) * (x.ndim - 2))


def _batch_norm(x: Any, w: Any, b: Any) -> Any:
    axes = tuple(i for i in range(x.ndim) if i != 1)
    return _normalised(x, axes) * _per_channel(w, x) + _per_channel(b, x)


def _run_batch_norm(lib: Any, x: Any, w: Any, b: Any) -> Any:
    return lib.nn.functional.batch_norm(x, None, None, w, b, training=True, eps=EPS)


def _run_eval(lib: Any, x: Any, mean: Any, var: Any, w: Any, b: Any) -> Any:
    return lib.nn.functional.batch_norm(x, mean.detach(), var.detach(), w, b, training=False, eps=EPS)


CASES = (
    Case(
        "batch_norm",
        _run_batch_norm,
        _batch_norm,
        (real("m c"), real("c"), real("c")),
        noise=64,
        least=2,
        bench={"m": 8192, "c": 1024},
    ),
    Case("batch_norm_2d", _run_batch_norm, _batch_norm, (real("b c m n"), real("c"), real("c")), noise=64, least=2),
    Case(
        "batch_norm_eval",
        _run_eval,
        lambda x, mean, var, w, b: (x - mean) / np.sqrt(var + EPS) * w + b,
        (real("m c"), real("c"), real("c", 0.2, 2), real("c"), real("c")),
        noise=64,
        differentiable=False,
        least=1,
    ),
    Case(
        "layer_norm",
        lambda lib, x, w, b: lib.nn.functional.layer_norm(x, x.shape[-1:], w, b, EPS),
        lambda x, w, b: _normalised(x, (1,)) * w + b,
        (real("m c"), real("c"), real("c")),
        noise=64,
        least=2,
        bench={"m": 8192, "c": 1024},
    ),
)
