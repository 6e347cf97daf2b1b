"""Matrices of derivatives: all first ones of a function (jacobian), all second ones of a number (hessian)."""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["hessian", "jacobian"]


def _leaves(inputs: Any, create_graph: bool) -> tuple[tuple[fd.Tensor, ...], bool]:
    """The inputs as a tuple of tensors to differentiate by, and whether a tuple was given."""
    many = isinstance(inputs, (tuple, list))
    given = tuple(inputs) if many else (inputs,)
    if create_graph:  # the result shall depend on what the inputs were made from
        return tuple(t if t.requires_grad else t.detach().requires_grad_() for t in given), many
    return tuple(t.detach().requires_grad_() for t in given), many


def _rows(out: fd.Tensor, leaves: tuple[fd.Tensor, ...], create_graph: bool) -> tuple[fd.Tensor, ...]:
    """d out / d leaf for each leaf, of shape out.shape + leaf.shape: one backward pass per element of out."""
    columns: list[list[fd.Tensor]] = [[] for _ in leaves]
    for element in out.reshape(-1).unbind():
        if element.requires_grad:
            grads = fd.autograd.grad(
                element, leaves, retain_graph=True, create_graph=create_graph, materialize_grads=True
            )
        else:
            grads = tuple(fd.zeros_like(leaf) for leaf in leaves)
        for column, g in zip(columns, grads, strict=True):
            column.append(g)
    shape = tuple(out.shape)
    return tuple(
        (fd.stack(column) if column else fd.zeros((0, *leaf.shape))).reshape(shape + tuple(leaf.shape))
        for column, leaf in zip(columns, leaves, strict=True)
    )


def jacobian(func: Callable, inputs: Any, create_graph: bool = False) -> Any:
    """The derivatives of func(*inputs) by its inputs.

    Args:
        func: takes the tensors of `inputs`, returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        create_graph: record, so that the result can be differentiated.

    Returns:
        A tensor of shape out.shape + input.shape; with a tuple of outputs or of inputs a tuple over outputs of a tuple
        over inputs, where a single one of either has no tuple of its own.
    """
    with fd.enable_grad():
        leaves, many_inputs = _leaves(inputs, create_graph)
        outputs = func(*leaves)
        many_outputs = isinstance(outputs, (tuple, list))
        rows = [_rows(out, leaves, create_graph) for out in (outputs if many_outputs else (outputs,))]
    result = tuple(row if many_inputs else row[0] for row in rows)
    return result if many_outputs else result[0]


def hessian(func: Callable, inputs: Any, create_graph: bool = False) -> Any:
    """The second derivatives of func(*inputs), a tensor of one element.

    Returns:
        A tensor of shape input.shape + input.shape; for a tuple of inputs a tuple of tuples, [i][j] by inputs i and j.

    Raises:
        ShapeError: func returns more than one element.
    """
    with fd.enable_grad():
        leaves, many = _leaves(inputs, create_graph)
        out = func(*leaves)
        if out.numel() != 1:
            raise fd.ShapeError(f"hessian: expected a function of one element, got shape {tuple(out.shape)}")
        first = fd.autograd.grad(out, leaves, create_graph=True, materialize_grads=True)
        rows = tuple(_rows(g, leaves, create_graph) for g in first)
    return rows if many else rows[0][0]
