"""Pooling and resampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..case import Case, distinct, real


def _windows(x: Any, kernel: int, stride: int, pad: int, border: float) -> Any:
    """[n, c, out..., kernel...] over all dimensions but the first two."""
    dims = x.ndim - 2
    x = np.pad(x, [(0, 0)] * 2 + [(pad, pad)] * dims, constant_values=border)
    windows = sliding_window_view(x, (kernel,) * dims, axis=tuple(range(2, 2 + dims)))  # type: ignore[call-overload]
    return windows[(slice(None),) * 2 + (slice(None, None, stride),) * dims]


def _max(kernel: int, stride: int, pad: int = 0) -> Callable[..., Any]:
    return lambda x: _windows(x, kernel, stride, pad, -np.inf).max(tuple(range(x.ndim, 2 * x.ndim - 2)))


def _mean(kernel: int, stride: int, pad: int = 0) -> Callable[..., Any]:
    return lambda x: _windows(x, kernel, stride, pad, 0.0).mean(tuple(range(x.ndim, 2 * x.ndim - 2)))


def _run(name: str, *args: Any, **options: Any) -> Callable[..., Any]:
    return lambda lib, x: getattr(lib.nn.functional, name)(x, *args, **options)


def _adaptive_mean(x: Any, rows: int, columns: int) -> Any:
    def edges(size: int, out: int) -> list[slice]:
        return [slice(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]

    return np.stack(
        [
            np.stack([x[:, :, r, c].mean((2, 3)) for c in edges(x.shape[3], columns)], -1)
            for r in edges(x.shape[2], rows)
        ],
        -2,
    )


def _doubled(x: Any, axis: int) -> Any:
    """Twice as many elements, three quarters of the nearer and one of the farther."""
    n = x.shape[axis]
    at = np.maximum((np.arange(2 * n) + 0.5) / 2 - 0.5, 0)
    low = np.floor(at).astype(int)
    part = (at - low).reshape((-1,) + (1,) * (x.ndim - 1 - axis))
    return np.take(x, low, axis) * (1 - part) + np.take(x, np.minimum(low + 1, n - 1), axis) * part


_images = (real("b c m n"),)

CASES = (
    Case(
        "max_pool2d",
        _run("max_pool2d", 2),
        _max(2, 2),
        (distinct("b c m n"),),
        least=2,
        bench={"b": 256, "c": 16, "m": 28, "n": 28},
    ),
    Case("max_pool2d_overlapping", _run("max_pool2d", 3, 2, 1), _max(3, 2, 1), (distinct("b c m n"),), least=2),
    Case("max_pool1d", _run("max_pool1d", 3, 1), _max(3, 1), (distinct("b c n"),), least=3),
    Case(
        "avg_pool2d",
        _run("avg_pool2d", 2),
        _mean(2, 2),
        _images,
        noise=8,
        least=2,
        bench={"b": 256, "c": 16, "m": 28, "n": 28},
    ),
    Case("avg_pool2d_overlapping", _run("avg_pool2d", 3, 1, 1), _mean(3, 1, 1), _images, noise=16, least=1),
    Case("avg_pool3d", _run("avg_pool3d", 2), _mean(2, 2), (real("b c m n 4"),), noise=16, least=2),
    Case(
        "adaptive_avg_pool2d",
        _run("adaptive_avg_pool2d", (2, 3)),
        lambda x: _adaptive_mean(x, 2, 3),
        _images,
        noise=32,
        least=1,
    ),
    Case(
        "global_avg_pool",
        _run("adaptive_avg_pool2d", 1),
        lambda x: x.mean((2, 3), keepdims=True),
        _images,
        noise=32,
        least=1,
    ),
    Case(
        "interpolate_bilinear",
        _run("interpolate", scale_factor=2, mode="bilinear"),
        lambda x: _doubled(_doubled(x, 2), 3),
        _images,
        noise=8,
        least=1,
    ),
    Case(
        "interpolate_nearest",
        _run("interpolate", scale_factor=2),
        lambda x: x.repeat(2, 2).repeat(2, 3),
        _images,
        least=1,
    ),
)
