"""Adam (book 12.10; Kingma and Ba, ICLR 2015) and AdamW (Loshchilov and Hutter, ICLR 2019)."""

from __future__ import annotations

from freedive import _core

from . import _live
from .optimizer import Cohort, Flat, Optimizer, check_lr, require, run_closure, with_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from freedive.nn._types import Params

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """m and v are moving means of g and g²; p -= lr m / (1 - beta1^t) / (√(v / (1 - beta2^t)) + eps).

    amsgrad divides by the largest v so far (Reddi et al., ICLR 2018). Weight decay adds weight_decay p to g, or with
    decoupled_weight_decay first multiplies p by 1 - lr weight_decay. One compiled call updates all parameters of a
    group.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _check_options(self, group):
        check_lr(group)
        require(group, "eps", 0, "epsilon value")
        for i, beta in enumerate(group["betas"]):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}; expected 0 to below 1")
        require(group, "weight_decay", 0)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure) if closure is not None else None
        for i, group in enumerate(self.param_groups):
            params, grads = with_gradients(group["params"])
            if not params:
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
            live = _live.recorder.rates(self, i, j, group["betas"])
        _update(cohort, grads, group, live)

    def _flatten(self, i, params):
        """Moments as lists, one cohort for each number of steps taken."""
        state = self._settle_group(i)
        most = ("max_exp_avg_sq",) if self.param_groups[i]["amsgrad"] else ()
        names = ("exp_avg", "exp_avg_sq", *most)
        cohorts = {}
        for param in params:
            entry = state[param]
            step = int(entry.setdefault("step", 0))
            cohort = cohorts.setdefault(step, Cohort([], names, step))
            cohort.params.append(param)
            for name in names:
                if name not in entry:
                    _live.refuse_new_state(self)
                    entry[name] = _core.zeros_like(param.data)
                cohort.lists[name].append(entry[name])
        flat = self._flat[i] = Flat(list(params), list(cohorts.values()))
        return flat


class AdamW(Adam):
    """Adam with decoupled weight decay: p is first multiplied by 1 - lr weight_decay."""

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip


def _update(cohort, grads, group, live):
    lists = cohort.lists
    beta1, beta2 = group["betas"]
    _core.adam_step(
        cohort.params, grads, lists["exp_avg"], lists["exp_avg_sq"], lists.get("max_exp_avg_sq"), group["lr"],
        beta1, beta2, group["eps"], group["weight_decay"], group["decoupled_weight_decay"], group["amsgrad"],
        group["maximize"], cohort.step, None, live,
    )  # fmt: skip
