"""Convolutions over one, two and three dimensions, and transposed ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..case import Case, real


def _channels(bias: Any, dims: int) -> Any:
    return bias.reshape((-1,) + (1,) * dims)


def _correlate(x: Any, w: Any, b: Any, stride: int = 1, pad: int = 0, groups: int = 1) -> Any:
    dims = x.ndim - 2
    axes = tuple(range(2, 2 + dims))
    x = np.pad(x, [(0, 0)] * 2 + [(pad, pad)] * dims)
    windows = sliding_window_view(x, w.shape[2:], axis=axes)  # type: ignore[call-overload]
    windows = windows[(slice(None),) * 2 + (slice(None, None, stride),) * dims]
    taps = tuple(range(2 + dims, 2 + 2 * dims))
    parts = [
        np.moveaxis(np.tensordot(part, kernel, ((1, *taps), (1, *axes))), -1, 1)
        for part, kernel in zip(np.split(windows, groups, 1), np.split(w, groups, 0), strict=True)
    ]
    return np.concatenate(parts, 1) + _channels(b, dims)


def _transposed(x: Any, w: Any, b: Any, stride: int) -> Any:
    """Every element of x puts its multiple of the kernel where its window is."""
    n, _, height, width = x.shape
    kh, kw = w.shape[2:]
    y = np.zeros((n, w.shape[1], (height - 1) * stride + kh, (width - 1) * stride + kw))
    for i in range(height):
        for j in range(width):
            y[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw] += np.tensordot(x[:, :, i, j], w, 1)
    return y + _channels(b, 2)


def _run(name: str, **options: Any) -> Callable[..., Any]:
    return lambda lib, x, w, b: getattr(lib.nn.functional, name)(x, w, b, **options)


def _depthwise(lib: Any, x: Any, w: Any, b: Any) -> Any:
    return lib.nn.functional.conv2d(x, w, b, padding=1, groups=x.shape[1])


_small = {"b": 2, "c": 2, "k": 3}
_images = (real("b c m n"), real("k c 3 3"), real("k"))

CASES = (
    Case(
        "conv2d",
        _run("conv2d", padding=1),
        lambda x, w, b: _correlate(x, w, b, pad=1),
        _images,
        noise=64,
        least=1,
        sizes=_small,
        bench={"b": 8, "c": 64, "m": 56, "n": 56, "k": 64},
        work=lambda of: 2.0 * 9 * of["b"] * of["c"] * of["m"] * of["n"] * of["k"],
    ),
    Case(
        "conv2d_stride",
        _run("conv2d", stride=2),
        lambda x, w, b: _correlate(x, w, b, stride=2),
        _images,
        noise=64,
        least=3,
        sizes=_small,
    ),
    Case(
        "conv2d_pointwise",
        _run("conv2d"),
        _correlate,
        (real("b c m n"), real("k c 1 1"), real("k")),
        noise=64,
        least=1,
        sizes=_small,
    ),
    Case(
        "conv2d_depthwise",
        _depthwise,
        lambda x, w, b: _correlate(x, w, b, pad=1, groups=x.shape[1]),
        (real("b c m n"), real("c 1 3 3"), real("c")),
        noise=64,
        least=1,
        sizes=_small,
    ),
    Case(
        "conv1d",
        _run("conv1d", padding=2),
        lambda x, w, b: _correlate(x, w, b, pad=2),
        (real("b c n"), real("k c 5"), real("k")),
        noise=64,
        least=1,
        sizes=_small,
    ),
    Case(
        "conv3d",
        _run("conv3d"),
        _correlate,
        (real("b c m n 3"), real("k c 2 2 2"), real("k")),
        noise=64,
        least=2,
        sizes=_small,
    ),
    Case(
        "conv_transpose2d",
        _run("conv_transpose2d", stride=2),
        lambda x, w, b: _transposed(x, w, b, 2),
        (real("b c m n"), real("c k 3 3"), real("k")),
        noise=64,
        least=1,
        sizes=_small,
    ),
)
