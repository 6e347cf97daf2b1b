"""The same function here and in PyTorch on the same arrays, and derivatives against finite differences."""

import numpy as np

import freedive as fd


def tensors(lib, arrays, wanted):
    """One tensor per array; those named in `wanted` (positions) are leaves that require grad."""
    made = [lib.tensor(np.array(a)) for a in arrays]
    for i in wanted:
        made[i].requires_grad_(True)
    return made


def run(lib, function, arrays, wanted):
    """The result, and the gradients of its sum weighted by fixed numbers."""
    made = tensors(lib, arrays, wanted)
    out = function(*made)
    if wanted:
        weights = np.cos(np.arange(out.numel(), dtype=np.float64)).astype(out.detach().numpy().dtype)
        out.backward(lib.tensor(weights.reshape(tuple(out.shape))))
    return out.detach().numpy(), [made[i].grad for i in wanted]


def assert_parity(torch, ours, theirs, arrays, wanted=(0,), rtol=1e-5, atol=1e-6):
    """Value, shape, dtype and gradients of ours(*tensors) equal those of theirs(*tensors)."""
    value, grads = run(fd, ours, arrays, wanted)
    expected, expected_grads = run(torch, theirs, arrays, wanted)
    assert value.dtype == expected.dtype
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, rtol=rtol, atol=atol)
    for grad, right in zip(grads, expected_grads, strict=True):
        assert (grad is None) == (right is None)
        if right is not None:
            np.testing.assert_allclose(grad.numpy(), right.numpy(), rtol=rtol, atol=atol)


def slopes(function, arrays, i, step=1e-6):
    """Central differences of the scalar function(*arrays) for every element of arrays[i]."""
    out = np.zeros_like(arrays[i])
    for at in np.ndindex(arrays[i].shape):
        sides = []
        for sign in (1, -1):
            moved = [np.array(a) for a in arrays]
            moved[i][at] += sign * step
            sides.append(function(*moved))
        out[at] = (sides[0] - sides[1]) / (2 * step)
    return out


def gradcheck(function, arrays, wanted=(0,), second=True):
    """First and, if asked, second derivatives of function on float64 arrays against finite differences."""
    arrays = [np.array(a) for a in arrays]

    def weighted(out):
        return (out * fd.tensor(np.sin(np.arange(out.numel()) + 1.0).reshape(tuple(out.shape)))).sum()

    def value(*moved):
        return weighted(function(*tensors(fd, moved, ()))).item()

    def first(*moved, create_graph=False):
        made = tensors(fd, moved, wanted)
        leaves = [made[i] for i in wanted]
        return leaves, fd.autograd.grad(weighted(function(*made)), leaves, create_graph=create_graph)

    def slope_sum(*moved):
        return sum(weighted(g).item() for g in first(*moved)[1])

    for i, grad in zip(wanted, first(*arrays)[1], strict=True):
        np.testing.assert_allclose(grad.numpy(), slopes(value, arrays, i), rtol=1e-5, atol=1e-7)
    if second:
        leaves, grads = first(*arrays, create_graph=True)
        total = sum(weighted(g) for g in grads)
        found = fd.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else [None] * len(leaves)
        for i, leaf, grad in zip(wanted, leaves, found, strict=True):
            got = np.zeros(tuple(leaf.shape)) if grad is None else grad.numpy()
            np.testing.assert_allclose(got, slopes(slope_sum, arrays, i), rtol=1e-4, atol=1e-6)
