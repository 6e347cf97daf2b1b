"""Adagrad (book 12.7; Duchi, Hazan, Singer, JMLR 2011)."""

from __future__ import annotations

import freedive as fd

from . import _live
from .optimizer import Optimizer, check_lr, require, run_closure, with_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from freedive.nn._types import Params

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """s += g² and p -= lr / (1 + (t - 1) lr_decay) g / (√s + eps)."""

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _check_options(self, group):
        check_lr(group)
        for name in ("lr_decay", "weight_decay", "initial_accumulator_value"):
            require(group, name, 0)
        require(group, "eps", 0, "epsilon value")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure) if closure is not None else None
        with fd.no_grad():
            for group in self.param_groups:
                for param, grad in zip(*with_gradients(group["params"])):
                    self._update(param, grad, group, self._state[param])
        return loss

    def _rate(self, group, step):
        return group["lr"] / (1 + (step - 1) * group["lr_decay"])

    def _update(self, param, grad, group, state):
        if not state:
            _live.refuse_new_state(self)
            state["step"] = fd.tensor(0.0)
            state["sum"] = fd.full_like(param.data, group["initial_accumulator_value"])
        lr = self._next_rate(param, group, state)
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * param
        state["sum"] += grad * grad
        param -= lr * grad / (state["sum"].sqrt() + group["eps"])
