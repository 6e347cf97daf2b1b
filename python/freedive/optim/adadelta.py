"""Adadelta (book 12.9; Zeiler 2012)."""

from __future__ import annotations

import freedive as fd

from . import _live
from .optimizer import Optimizer, check_lr, require, run_closure, with_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from freedive.nn._types import Params

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """s = rho s + (1 - rho) g², d = √(u + eps) / √(s + eps) g, u = rho u + (1 - rho) d² and p -= lr d."""

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _check_options(self, group):
        check_lr(group)
        if not 0.0 <= group["rho"] <= 1.0:
            raise ValueError(f"Invalid rho value: {group['rho']}; expected 0 to 1")
        require(group, "eps", 0, "epsilon value")
        require(group, "weight_decay", 0)

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
            state["acc_delta"] = fd.zeros_like(param.data)
        lr = self._next_rate(param, group, state)
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * param
        rho, eps = group["rho"], group["eps"]
        square, moved = state["square_avg"], state["acc_delta"]
        square *= rho
        square += (1 - rho) * (grad * grad)
        delta = (moved + eps).sqrt() / (square + eps).sqrt() * grad
        moved *= rho
        moved += (1 - rho) * (delta * delta)
        param -= lr * delta
