"""Automatic differentiation: backward, grad, grad modes, and functions with a backward of one's own."""

from __future__ import annotations

from .._core import _backward, _grad
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = ["Function", "Variable", "backward", "enable_grad", "grad", "inference_mode", "no_grad", "set_grad_enabled"]


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None):
    """Adds the gradients of `tensors` to .grad of the leaves they were computed from.

    Args:
        tensors: a tensor or a sequence of tensors.
        grad_tensors: the gradient to start from for each, of its shape; None where it has one element.
        retain_graph: keep what was saved, so that the graph can be gone through again (default: create_graph).
        create_graph: record the backward pass itself, for higher derivatives.
        inputs: only these leaves receive gradients.

    Raises:
        GradError: a tensor has no history, or its graph was freed.
    """
    _backward(tensors, grad_tensors, retain_graph, create_graph, inputs)


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    allow_unused=None,
    materialize_grads=False,
):
    """Returns the gradients of `outputs` with respect to `inputs`, leaving .grad alone.

    Args:
        outputs, inputs: a tensor or a sequence of tensors.
        grad_outputs: the gradient to start from for each output.
        allow_unused: give None for an input that was not used, instead of raising.
        materialize_grads: give zeros for an input that was not used.

    Returns:
        A tuple with one gradient per input, of its shape.

    Raises:
        GradError: an input was not used (without allow_unused), or a graph was freed.
    """
    return _grad(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)


def __getattr__(name):
    if name == "Function":
        from .function import Function

        return Function
    if name == "Variable":
        from .._core import Tensor

        return Tensor
    if name == "functional":
        from importlib import import_module

        return import_module("freedive.autograd.functional")
    raise AttributeError(f"module 'freedive.autograd' has no attribute {name!r}")
