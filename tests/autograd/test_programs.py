"""Thousands of random programs: freedive's verdict and gradients are PyTorch's."""

import collections
import warnings

import numpy as np
import pytest
from programs import Machine, generate

import freedive as fd

PROGRAMS = 3000
BLOCK = 300

# Where freedive refuses and PyTorch does not, and why.
STRICTER = {
    "share one place in memory": "PyTorch lets fill_, zero_ and copies write to an expanded tensor",
}


def is_leaf(t):
    """None for a view that lost its history: PyTorch raises where such a view is looked at."""
    try:
        return t.is_leaf
    except RuntimeError:
        return None


def gradient(t):
    return t.grad if is_leaf(t) or t.retains_grad else None


def same(ours, theirs, what):
    assert (ours is None) == (theirs is None), f"{what}: {ours} here, {theirs} in torch"
    if theirs is None:
        return
    assert tuple(ours.shape) == tuple(theirs.shape), what
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-10, atol=1e-10, err_msg=what, equal_nan=True
    )


def run_pair(torch, seed):
    """None if all is equal, else the message of a refusal that torch does not share."""
    steps = generate(seed)
    theirs, ours = Machine(torch), Machine(fd)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.run(steps)
        stopped = ours.run(steps, theirs.outcome.errors)
        if stopped is not None:
            refused, right = ours.outcome.errors[stopped], theirs.outcome.errors[stopped]
            assert refused is not None, f"seed {seed}, step {stopped} {steps[stopped]}: torch refuses: {right}"
            return f"{steps[stopped][1]}: {refused}"
        for i, (a, b) in enumerate(zip(ours.registers, theirs.registers, strict=True)):
            what = f"seed {seed}, register {i}"
            same(a, b, what)
            if is_leaf(b) is not None:
                assert (a.requires_grad, a.is_leaf) == (b.requires_grad, b.is_leaf), what
            same(gradient(a), gradient(b), what + " gradient")
        for i, (a, b) in enumerate(zip(ours.leaves, theirs.leaves, strict=True)):
            same(a.grad, b.grad, f"seed {seed}, leaf {i} gradient")
        for mine, right in zip(ours.outcome.given, theirs.outcome.given, strict=True):
            for a, b in zip(mine, right, strict=True):
                same(a, b, f"seed {seed}, autograd.grad")
    return None


@pytest.mark.parametrize("block", range(PROGRAMS // BLOCK))
def test_random_programs_do_what_torch_does(torch, block):
    refused = collections.Counter()
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        message = run_pair(torch, seed)
        if message is not None:
            refused[message] += 1
    unexplained = {m: n for m, n in refused.items() if not any(reason in m for reason in STRICTER)}
    assert not unexplained, unexplained
