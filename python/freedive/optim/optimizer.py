"""Optimizer: parameter groups with their options, and the state that each parameter has gathered."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from operator import is_

import freedive as fd

from . import _live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from freedive.nn._types import Params

__all__ = ["Optimizer"]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """Base class of all optimisers.

    A subclass passes its options' defaults to `__init__` and writes `step`.

    Args:
        params: tensors, (name, tensor) pairs, or dicts, each a parameter group with options of its own.
        defaults: options for groups that do not give their own.

    `param_groups` is a list of dicts, whose options may be changed between steps. `state` maps each parameter to what
    the optimiser remembers of it.
    """

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, (fd.Tensor, fd.nn.Module)):
            hint = "; give it the module's parameters()" if isinstance(params, fd.nn.Module) else ""
            raise TypeError(
                f"params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}{hint}"
            )
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self._flat: dict[int, Flat] = {}
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # `state` looks like any dict of dicts. Optimisers with a fused step keep it as flat lists between steps; whoever
    # asks for the state gets it written back first, and the lists are made anew from it.
    @property
    def state(self):
        self._settle()
        return self._state

    @state.setter
    def state(self, value):
        self._flat = {}
        self._state = value

    def _settle(self):
        for i in list(self._flat):
            self._settle_group(i)

    def _settle_group(self, i):
        flat = self._flat.pop(i, None)
        for cohort in flat.cohorts if flat else ():
            cohort.settle(self._state)
        return self._state

    def _next_rate(self, param, group, state):
        """Counts a step of one parameter and gives its learning rate: a number, or while captured a 0-dim tensor."""
        if _live.recorder is not None:
            return _live.recorder.rate(self, param, group, state)
        state["step"] += 1
        return self._rate(group, state["step"].item())

    def _rate(self, group, step):
        """The learning rate of step number `step`; optimisers that have a schedule of their own override it."""
        return group["lr"]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds parameters with options of their own: {"params": ..., "lr": ..., ...}."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        group = dict(param_group)
        params = group["params"]
        if isinstance(params, fd.Tensor):
            params = [params]
        elif isinstance(params, (set, frozenset)):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, "
                "but the ordering of tensors in sets will change between runs; use a list instead"
            )
        params = list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names; some param names are missing")
            params = [p[1] for p in params]
            group["param_names"] = names
        for param in params:
            if not isinstance(param, fd.Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            if not param.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor: it was computed from other tensors")
        if len(set(params)) != len(params):
            raise ValueError("optimizer contains a parameter group with duplicate parameters")
        if not set(params).isdisjoint(p for other in self.param_groups for p in other["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
        group["params"] = params
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        self._check_options(group)
        self._settle()
        self.param_groups.append(group)

    def _check_options(self, group):
        """ValueError for an option that makes no sense; optimisers override it."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad = param.grad.detach().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What closure returned, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    # -------------------------------------------------------------------------------------------- state_dict

    def state_dict(self) -> dict[str, Any]:
        """{"state": by parameter number, "param_groups": options and parameter numbers}; tensors are shared."""
        number: dict[Any, int] = {}
        groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            for param in group["params"]:
                number.setdefault(param, len(number))
            packed["params"] = [number[param] for param in group["params"]]
            groups.append(packed)
        state = {number.get(key, key): value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over the options and the state of a state_dict; tensors are copied."""
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has {len(saved)} parameter groups; the optimizer has {len(self.param_groups)}"
            )
        for i, (theirs, ours) in enumerate(zip(saved, self.param_groups)):
            if len(theirs["params"]) != len(ours["params"]):
                raise ValueError(
                    f"loaded state dict has {len(theirs['params'])} parameters in group {i}; "
                    f"the optimizer has {len(ours['params'])}"
                )
        param_of = {
            number: param
            for theirs, ours in zip(saved, self.param_groups)
            for number, param in zip(theirs["params"], ours["params"])
        }
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, values in state_dict["state"].items():
            if key in param_of:
                param = param_of[key]
                state[param] = {name: _fitted(param, name, value) for name, value in values.items()}
            else:
                state[key] = deepcopy(values)
        groups = []
        for theirs, ours in zip(saved, self.param_groups):
            group = deepcopy({key: value for key, value in theirs.items() if key != "params"})
            for name, default in self.defaults.items():
                group.setdefault(name, ours.get(name, default))
            self._check_options(group)
            groups.append({"params": ours["params"], **group})
        self.state = state
        self.param_groups = groups

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups, **self._extras()}

    def _extras(self):
        hidden = ("defaults", "param_groups", "_state", "_flat")
        return {key: value for key, value in self.__dict__.items() if key not in hidden}

    def __setstate__(self, state):
        for key, value in state.items():
            setattr(self, key, value)

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"


def _fitted(param, name, value):
    """A copy of one piece of loaded state: on the parameter's device and, if floating, in its dtype."""
    if not isinstance(value, fd.Tensor):
        return deepcopy(value)
    if name == "step":
        return value.clone()
    if value.is_floating_point() and param.is_floating_point():
        return value.to(dtype=param.dtype, device=param.device, copy=True)
    return value.to(device=param.device, copy=True)


def run_closure(closure):
    """The closure's loss, computed with gradients on; None if there is no closure."""
    if closure is None:
        return None
    with fd.enable_grad():
        return closure()


def check_lr(group):
    """ValueError unless the learning rate is a number, at least 0."""
    require(group, "lr", 0, "learning rate")


def require(group, name, low, meaning=None):
    """ValueError unless option `name` is a number of at least `low`; NaN is refused."""
    value = group[name]
    try:
        good = value >= low
    except TypeError:
        good = False
    if not good:
        raise ValueError(f"Invalid {meaning or name + ' value'}: {value}; expected at least {low}")


class Cohort:
    """Parameters of one group that have taken equally many steps, and their state as flat lists."""

    __slots__ = ("params", "lists", "names", "step")

    def __init__(self, params: Params, names, step) -> None:
        self.params = params
        self.names = names
        self.lists: dict[str, list[Any]] = {name: [] for name in names}
        self.step = step

    def settle(self, state):
        """Writes the flat lists back into the optimiser's state."""
        if not self.step:
            return
        for i, param in enumerate(self.params):
            entry = state[param]
            if "step" in entry:
                entry["step"] = fd.tensor(float(self.step))
            for name in self.names:
                entry[name] = self.lists[name][i]


class Flat:
    """The flat lists of one group: for which parameters they hold, and the cohorts."""

    __slots__ = ("params", "cohorts")

    def __init__(self, params: Params, cohorts) -> None:
        self.params = params
        self.cohorts = cohorts

    def holds_for(self, params):
        """Whether these are the very parameters that the lists were made for."""
        return len(params) == len(self.params) and all(map(is_, params, self.params))


def with_gradients(params):
    """(parameters, gradients) of those that have a gradient."""
    grads = [param.grad for param in params]
    for grad in grads:
        if grad is None:
            break
    else:
        return params, grads
    kept = [(param, grad) for param, grad in zip(params, grads) if grad is not None]
    return [param for param, _ in kept], [grad for _, grad in kept]
