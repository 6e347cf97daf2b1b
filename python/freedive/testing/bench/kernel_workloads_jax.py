"""The kernel rows as programs for JAX: compiled whole, arguments on the device; a call waits for its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Work = Callable[[], Any]


def normal(*shape: int, seed: int = 0) -> Any:
    """Float32 normal numbers, the same as for the other libraries."""
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


def compiled(function: Callable[..., Any], *args: Any) -> Work:
    """A call of the compiled function that waits for what it returns."""
    run = jax.jit(function).lower(*args).compile()
    return lambda: jax.block_until_ready(run(*args))


def gemm(lib: str, m: int, k: int, n: int, ta: bool = False, tb: bool = False) -> Work:
    """A @ b, of operands that lie transposed where asked for."""
    a, b = normal(*((k, m) if ta else (m, k))), normal(*((n, k) if tb else (k, n)), seed=1)
    return compiled(lambda a, b: (a.T if ta else a) @ (b.T if tb else b), a, b)


def cross_entropy(lib: str, rows: int, classes: int) -> Work:
    """The loss and its gradient with respect to the logits."""
    labels = jnp.asarray(np.random.default_rng(1).integers(0, classes, rows))

    def loss(logits: Any, labels: Any) -> Any:
        at = jnp.take_along_axis(logits, labels[:, None], 1)[:, 0]
        return (jax.nn.logsumexp(logits, 1) - at).mean()

    return compiled(jax.value_and_grad(loss), normal(rows, classes), labels)


def dropout(lib: str, n: int) -> Work:
    """Forward, p = 0.5; a new key for every call."""

    def drop(key: Any, x: Any) -> Any:
        key, use = jax.random.split(key)
        return key, jnp.where(jax.random.bernoulli(use, 0.5, x.shape), x * 2, 0)

    data, state = normal(n), jax.random.key(0)
    run = jax.jit(drop).lower(state, data).compile()

    def work() -> Any:
        nonlocal state
        state, out = run(state, data)
        return out.block_until_ready()

    return work


def unary(lib: str, name: str, n: int) -> Work:
    """An elementwise function."""
    return compiled(getattr(jnp, name), normal(n))


def total(lib: str, rows: int, columns: int, axis: int) -> Work:
    """The sum over an axis."""
    return compiled(lambda x: x.sum(axis), normal(rows, columns))


def softmax(lib: str, rows: int, columns: int) -> Work:
    """Along the last axis."""
    return compiled(lambda x: jax.nn.softmax(x, -1), normal(rows, columns))


def minibatch(lib: str, images: int, pixels: int, batch: int) -> Work:
    """Rows of a uint8 data set as float32 in [0, 1]."""
    rng = np.random.default_rng(0)
    data, rows = rng.integers(0, 256, (images, pixels), dtype=np.uint8), rng.integers(0, images, batch)
    return compiled(lambda x, i: x[i] * jnp.float32(1 / 255), jnp.asarray(data), jnp.asarray(rows))
