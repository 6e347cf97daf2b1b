"""The rows of workloads.py as programs for JAX: a compiled step that may overwrite its parameters. Loaded by path."""

import jax
import jax.numpy as jnp
import numpy as np


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


def add(lib, grad):
    run, a, b = jax.jit(jnp.add), normal(4), normal(4, seed=1)
    return lambda: run(a, b)


def linear_regression(lib):
    X, t = normal(32, 2), normal(32, 1, seed=1)
    params = {"w": jnp.zeros((2, 1)), "b": jnp.zeros(1)}
    return stepping(lambda p, X, t: ((X @ p["w"] + p["b"] - t) ** 2).mean(), 0.01, params, X, t)


def descend(loss, lr):
    """Params, data -> params after a step of gradient descent."""

    def step(params, *data):
        return jax.tree.map(lambda p, g: p - lr * g, params, jax.grad(loss)(params, *data))

    return step


def stepping(loss, lr, params, *data):
    """Steps on the same data, each on what the one before left."""
    run = jax.jit(descend(loss, lr), donate_argnums=0).lower(params, *data).compile()

    def step():
        nonlocal params
        params = run(params, *data)
        return params

    return step


def mlp_params(hidden):
    return {
        "w1": normal(784, hidden) * 0.05,
        "b1": jnp.zeros(hidden),
        "w2": normal(hidden, 10, seed=1) * 0.05,
        "b2": jnp.zeros(10),
    }


def mlp_loss(p, X, y):
    hidden = jax.nn.relu(X.reshape(len(X), -1) @ p["w1"] + p["b1"])
    logits = hidden @ p["w2"] + p["b2"]
    at = jnp.take_along_axis(logits, y[:, None], 1)[:, 0]
    return (jax.nn.logsumexp(logits, 1) - at).mean()


def mlp_step(lib, batch, hidden):
    y = jnp.asarray(np.random.default_rng(1).integers(0, 10, batch))
    return stepping(mlp_loss, 0.1, mlp_params(hidden), normal(batch, 28, 28), y)


def mlp_epoch(lib, examples, batch, hidden):
    """The rows of a batch are gathered inside the compiled step."""
    rng = np.random.default_rng(0)
    images = jnp.asarray(rng.integers(0, 256, (examples, 28, 28), dtype=np.uint8))
    labels = jnp.asarray(rng.integers(0, 10, examples))
    step = descend(mlp_loss, 0.1)

    def on_rows(params, images, labels, rows):
        return step(params, images[rows] * jnp.float32(1 / 255), labels[rows])

    run, params = jax.jit(on_rows, donate_argnums=0), mlp_params(hidden)

    def epoch():
        nonlocal params
        order = rng.permutation(examples).astype(np.int32)
        for i in range(0, examples, batch):
            params = run(params, images, labels, order[i : i + batch])
        return params

    return epoch
