"""The same piece of code run here and in PyTorch: values, dtypes, shapes, gradients, second derivatives, refusals."""

import warnings

import numpy as np

import freedive as fd


def flatten(value):
    """Tensors and numbers of a result that may be nested tuples or lists."""
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in flatten(item)]
    return [value]


def as_array(value):
    """A tensor as a NumPy array; bfloat16 through float32."""
    value = value.detach()
    return (value.float() if str(value.dtype).endswith("bfloat16") else value).numpy()


def weights_of(lib, out):
    flat = np.cos(np.arange(out.numel(), dtype=np.float64) + 1)
    return lib.tensor(flat.reshape(tuple(out.shape))).to(out.dtype)


def weighted_sum(lib, values):
    total = None
    for out in values:
        if isinstance(out, lib.Tensor) and out.requires_grad:
            part = (out * weights_of(lib, out)).sum()
            total = part if total is None else total + part
    return total


def run(lib, function, arrays, wanted, second):
    """(results, gradients, gradients of the gradients) as arrays, or the exception."""
    try:
        made = [lib.tensor(np.array(a)) for a in arrays]
        for i in wanted:
            made[i].requires_grad_(True)
        leaves = [made[i] for i in wanted]
        values = flatten(function(lib, *made))
        total = weighted_sum(lib, values)
        grads, again = [], []
        if total is not None:
            grads = list(lib.autograd.grad(total, leaves, allow_unused=True, create_graph=second))
            if second:
                total = weighted_sum(lib, [g * g for g in grads if g is not None])
                again = [None] * len(leaves)
                if total is not None:
                    again = list(lib.autograd.grad(total, leaves, allow_unused=True))
                again = [lib.zeros_like(x) if g is None else g for x, g in zip(leaves, again, strict=True)]
        return values, grads, again
    except Exception as error:
        return error


def equal(ours, theirs, rtol, atol):
    if theirs is None or ours is None:
        assert ours is theirs
    elif hasattr(theirs, "detach"):
        assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(as_array(ours), as_array(theirs), rtol=rtol, atol=atol)
    else:
        assert ours == theirs


def assert_same(torch, function, arrays=(), wanted=(), *, second=False, rtol=1e-6, atol=1e-7, error=None):
    """function(lib, *tensors) does the same with freedive and with torch as lib; `error`: our exception's type."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's deprecations
        theirs = run(torch, function, arrays, wanted, second)
    ours = run(fd, function, arrays, wanted, second)
    if isinstance(theirs, Exception):
        assert isinstance(ours, error or Exception), f"torch refuses ({theirs}); here: {ours!r}"
        return
    if isinstance(ours, Exception):
        raise AssertionError(f"torch gives {theirs[0]}") from ours
    for mine, right in zip(ours, theirs, strict=True):
        for a, b in zip(mine, right, strict=True):
            equal(a, b, rtol, atol)


def whole(*shape, dtype=np.float32, start=0):
    """An array that counts up."""
    return (np.arange(int(np.prod(shape)), dtype=np.int64) + start).reshape(shape).astype(dtype)


DTYPES = ("bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64")
