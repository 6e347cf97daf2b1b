"""RMSprop (book 12.8; Tieleman and Hinton, lecture 6.5 of "Neural networks for machine learning", 2012)."""

from __future__ import annotations

import freedive as fd

from . import _live
from .optimizer import Optimizer, check_lr, require, run_closure, with_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from freedive.nn._types import Params

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """s = alpha s + (1 - alpha) g² and p -= lr g / (√s + eps).

    centered subtracts the square of a moving mean of g from s (Graves 2013); momentum steps along
    buf = momentum buf + g / (√s + eps).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _check_options(self, group):
        check_lr(group)
        require(group, "eps", 0, "epsilon value")
        for name in ("momentum", "weight_decay", "alpha"):
            require(group, name, 0)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure) if closure is not None else None
        with fd.no_grad():
            for group in self.param_groups:
                for param, grad in zip(*with_gradients(group["params"])):
                    self._update(param, grad, group, self._state[param])
        return loss

    def _update(self, param, grad, group, state):
        if not state:
            _live.refuse_new_state(self)
            state["step"] = fd.tensor(0.0)
            state["square_avg"] = fd.zeros_like(param.data)
            if group["momentum"] > 0:
                state["momentum_buffer"] = fd.zeros_like(param.data)
            if group["centered"]:
                state["grad_avg"] = fd.zeros_like(param.data)
        lr = self._next_rate(param, group, state)
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * param
        alpha, square = group["alpha"], state["square_avg"]
        square *= alpha
        square += (1 - alpha) * (grad * grad)
        if group["centered"]:
            mean = state["grad_avg"]
            mean += (1 - alpha) * (grad - mean)
            square = square - mean * mean
        direction = grad / (square.sqrt() + group["eps"])
        if group["momentum"] > 0:
            buffer = state["momentum_buffer"]
            buffer *= group["momentum"]
            buffer += direction
            direction = buffer
        param -= lr * direction
