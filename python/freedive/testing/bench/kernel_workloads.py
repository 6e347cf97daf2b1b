"""What a worker runs for the kernel rows, in every library. Loaded by path, imports a library only when asked for it.

`freedive` and `torch` share their names, so one body serves both; `kernels` is the door for NumPy arrays.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

Work = Callable[[], Any]


def normal(*shape: int, seed: int = 0) -> Any:
    """Float32 normal numbers, the same for every library."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def tensors_of(lib: str, *arrays: Any) -> tuple[Any, ...]:
    """The library and its tensors of these arrays."""
    library = importlib.import_module(lib)
    return (library, *[library.tensor(a) for a in arrays])


def door() -> Any:
    """The kernels for NumPy arrays."""
    return importlib.import_module("freedive.kernels")


def gemm(lib: str, m: int, k: int, n: int, ta: bool = False, tb: bool = False) -> Work | None:
    """A @ b, of operands that lie transposed where asked for."""
    a, b = normal(*((k, m) if ta else (m, k))), normal(*((n, k) if tb else (k, n)), seed=1)
    a, b = (a.T if ta else a), (b.T if tb else b)
    if lib == "numpy":
        out = np.empty((m, n), np.float32)
        return lambda: np.matmul(a, b, out=out)
    if lib == "kernels":
        kernels, out = door(), np.empty((m, n), np.float32)
        return lambda: kernels.gemm(a, b, out=out)
    _, x, y = tensors_of(lib, a.T if ta else a, b.T if tb else b)
    x, y = (x.T if ta else x), (y.T if tb else y)
    return lambda: x @ y


def conv2d(lib: str, shape: list[int], outputs: int, kernel: int, padding: int, backward: bool) -> Work | None:
    """Forward, or the gradients of input, weight and bias too; shape is the input's (n, c, h, w)."""
    data, weight, bias = normal(*shape), normal(outputs, shape[1], kernel, kernel, seed=1), normal(outputs, seed=2)
    if lib == "numpy":
        return None
    if lib == "kernels":
        kernels = door()
        upstream = np.ones_like(kernels.conv2d_forward(data, weight, bias, padding=padding))

        def work() -> None:
            kernels.conv2d_forward(data, weight, bias, padding=padding)
            if backward:
                kernels.conv2d_backward(upstream, data, weight, padding=padding)

        return work
    library, x, w, b = tensors_of(lib, data, weight, bias)
    conv = library.nn.functional.conv2d
    if not backward:
        return lambda: conv(x, w, b, 1, padding)
    for t in (x, w, b):
        t.requires_grad_(True)
    g = library.ones_like(conv(x, w, b, 1, padding))

    def step() -> None:
        x.grad = w.grad = b.grad = None
        conv(x, w, b, 1, padding).backward(g)

    return step


def cross_entropy(lib: str, rows: int, classes: int) -> Work | None:
    """The loss and its gradient with respect to the logits."""
    logits = normal(rows, classes)
    labels = np.random.default_rng(1).integers(0, classes, rows)
    if lib == "kernels":
        kernels, out = door(), np.empty_like(logits)
        return lambda: kernels.softmax_cross_entropy(logits, labels, out=out)
    if lib == "numpy":
        at = np.arange(rows)

        def work() -> Any:
            e = logits - logits.max(1, keepdims=True)
            np.exp(e, out=e)
            e /= e.sum(1, keepdims=True)
            loss = -np.log(e[at, labels]).mean()
            e[at, labels] -= 1
            e /= rows
            return loss, e

        return work
    library, x, y = tensors_of(lib, logits, labels)
    x.requires_grad_(True)
    loss_of = library.nn.functional.cross_entropy

    def step() -> None:
        x.grad = None
        loss_of(x, y).backward()

    return step


def batch_norm(lib: str, rows: int, channels: int) -> Work | None:
    """Forward and backward in training."""
    data, upstream = normal(rows, channels), normal(rows, channels, seed=1)
    weight, bias = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    if lib == "kernels":
        kernels, y, gx = door(), np.empty_like(data), np.empty_like(data)

        def work() -> None:
            _, mean, invstd = kernels.batch_norm_forward(data, weight, bias, out=y)
            kernels.batch_norm_backward(upstream, data, mean, invstd, weight, out=gx)

        return work
    if lib == "numpy":
        return None
    library, x, g, w, b = tensors_of(lib, data, upstream, weight, bias)
    for t in (x, w, b):
        t.requires_grad_(True)
    mean, var = library.zeros(channels), library.ones(channels)
    norm = library.nn.functional.batch_norm

    def step() -> None:
        x.grad = w.grad = b.grad = None
        norm(x, mean, var, w, b, training=True).backward(g)

    return step


def dropout(lib: str, n: int) -> Work | None:
    """Forward, p = 0.5."""
    data = normal(n)
    if lib == "kernels":
        kernels, out = door(), np.empty_like(data)
        return lambda: kernels.dropout(data, 0.5, seed=0, offset=0, out=out)
    if lib == "numpy":
        rng, scale = np.random.default_rng(0), np.float32(2)
        return lambda: np.where(rng.random(n, dtype=np.float32) >= 0.5, data * scale, np.float32(0))
    library, x = tensors_of(lib, data)
    drop = library.nn.functional.dropout
    return lambda: drop(x, 0.5, training=True)


def parameters(sizes: list[int]) -> tuple[list[Any], list[Any]]:
    """Parameters and gradients of these many elements."""
    return [normal(n, seed=i) for i, n in enumerate(sizes)], [normal(n, seed=9 + i) for i, n in enumerate(sizes)]


def adam(lib: str, sizes: list[int]) -> Work | None:
    """One step of Adam; PyTorch's fused one."""
    values, slopes = parameters(sizes)
    if lib == "kernels":
        kernels = door()
        m, v = [np.zeros_like(p) for p in values], [np.zeros_like(p) for p in values]
        return lambda: kernels.adam_step(values, slopes, m, v, step=3)
    if lib == "numpy":
        return None
    return optimizer_step(lib, "Adam", values, slopes, lr=1e-3)


def sgd(lib: str, sizes: list[int], momentum: float) -> Work | None:
    """One step of SGD; PyTorch's fused one."""
    values, slopes = parameters(sizes)
    if lib == "kernels":
        kernels, buffers = door(), [np.zeros_like(p) for p in values]
        return lambda: kernels.sgd_step(values, slopes, buffers, lr=1e-3, momentum=momentum, step=3)
    if lib == "numpy":
        buffers = [np.zeros_like(p) for p in values]

        def work() -> None:
            for p, g, b in zip(values, slopes, buffers, strict=True):
                b *= momentum
                b += g
                p -= 1e-3 * b

        return work
    return optimizer_step(lib, "SGD", values, slopes, lr=1e-3, momentum=momentum)


def optimizer_step(lib: str, name: str, values: list[Any], slopes: list[Any], **options: Any) -> Work:
    """`optimizer.step()` with gradients in place."""
    _, *tensors = tensors_of(lib, *values, *slopes)
    params, grads = tensors[: len(values)], tensors[len(values) :]
    for p, g in zip(params, grads, strict=True):
        p.requires_grad_(True)
        p.grad = g
    optim = importlib.import_module(f"{lib}.optim")
    if lib == "torch":
        options["fused"] = True
    step: Work = getattr(optim, name)(params, **options).step
    return step


def unary(lib: str, name: str, n: int) -> Work | None:
    """An elementwise function."""
    data = normal(n)
    if lib == "numpy":
        function, out = getattr(np, name), np.empty_like(data)
        return lambda: function(data, out=out)
    if lib == "kernels":
        kernel, out = getattr(door(), name), np.empty_like(data)
        return lambda: kernel(data, out=out)
    library, x = tensors_of(lib, data)
    call = getattr(library, name)
    return lambda: call(x)


def total(lib: str, rows: int, columns: int, axis: int) -> Work | None:
    """The sum over an axis."""
    data = normal(rows, columns)
    if lib == "numpy":
        return lambda: data.sum(axis)
    if lib == "kernels":
        kernels = door()
        return lambda: kernels.sum(data, axis)
    _, x = tensors_of(lib, data)
    return lambda: x.sum(axis)


def softmax(lib: str, rows: int, columns: int) -> Work | None:
    """Along the last axis."""
    data = normal(rows, columns)
    if lib == "kernels":
        kernels, out = door(), np.empty_like(data)
        return lambda: kernels.softmax(data, out=out)
    if lib == "numpy":

        def work() -> Any:
            e = np.exp(data - data.max(1, keepdims=True))
            e /= e.sum(1, keepdims=True)
            return e

        return work
    library, x = tensors_of(lib, data)
    return lambda: library.softmax(x, -1)


def minibatch(lib: str, images: int, pixels: int, batch: int) -> Work | None:
    """Rows of a uint8 data set as float32 in [0, 1]."""
    rng = np.random.default_rng(0)
    data, rows = rng.integers(0, 256, (images, pixels), dtype=np.uint8), rng.integers(0, images, batch)
    if lib == "numpy":
        scale = np.float32(1 / 255)
        return lambda: data[rows] * scale
    if lib == "kernels":
        kernels = door()
        return lambda: kernels.minibatch(data, rows)
    library, x, i = tensors_of(lib, data, rows)
    if lib == "torch":
        return lambda: x[i].float().div_(255)
    return lambda: library.minibatch(x, i, 1 / 255, 0.0, library.float32)
