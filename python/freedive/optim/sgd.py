"""Stochastic gradient descent (book 12.3 to 12.6)."""

from __future__ import annotations

from freedive import _core

from . import _live
from .optimizer import Cohort, Flat, Optimizer, check_lr, require, run_closure, with_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from freedive.nn._types import Params

__all__ = ["SGD"]

NO_BETAS = (0.0, 0.0)


class SGD(Optimizer):
    """p -= lr g, with momentum: buf = momentum buf + (1 - dampening) g and p -= lr buf.

    The first step's buffer is the gradient itself. Weight decay adds weight_decay p to g; nesterov steps along
    g + momentum buf (Sutskever et al., ICML 2013). One compiled call updates all parameters of a group.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach, "differentiable": differentiable,
            "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _check_options(self, group):
        check_lr(group)
        require(group, "momentum", 0)
        require(group, "weight_decay", 0)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure) if closure is not None else None
        for i, group in enumerate(self.param_groups):
            params, grads = with_gradients(group["params"])
            if not params:
                continue
            if group["momentum"] == 0:
                live = None if _live.recorder is None else _live.recorder.rates(self, i, None, NO_BETAS)
                _update(params, grads, None, group, 1, live)
                continue
            flat = self._flat.get(i)
            if flat is None or not flat.holds_for(params):
                flat = self._flatten(i, params)
            if len(flat.cohorts) == 1:
                self._update_cohort(i, 0, flat.cohorts[0], grads, group)
                continue
            grad_of = dict(zip(params, grads))
            for j, cohort in enumerate(flat.cohorts):
                self._update_cohort(i, j, cohort, [grad_of[param] for param in cohort.params], group)
        return loss

    def _update_cohort(self, i, j, cohort, grads, group):
        live = None
        if _live.recorder is None:
            cohort.step += 1
        else:
            live = _live.recorder.rates(self, i, j, NO_BETAS)
        _update(cohort.params, grads, cohort.lists["momentum_buffer"], group, cohort.step, live)

    def _flatten(self, i, params):
        """Momentum buffers as lists: those that have taken a step, and those that are new."""
        state = self._settle_group(i)
        old, new = Cohort([], ("momentum_buffer",), 1), Cohort([], ("momentum_buffer",), 0)
        for param in params:
            buffer = state[param].get("momentum_buffer") if param in state else None
            if buffer is None:
                _live.refuse_new_state(self)
            cohort = new if buffer is None else old
            cohort.params.append(param)
            cohort.lists["momentum_buffer"].append(_core.empty_like(param.data) if buffer is None else buffer)
        flat = self._flat[i] = Flat(list(params), [cohort for cohort in (old, new) if cohort.params])
        return flat


def _update(params, grads, buffers, group, step, live):
    _core.sgd_step(
        params, grads, buffers, group["lr"], group["momentum"], group["dampening"], group["weight_decay"],
        group["nesterov"], group["maximize"], step, None, live,
    )  # fmt: skip
