"""What changes from step to step while a GPU's work is captured: learning rates and step counts.

A captured launch has its arguments for good, so these numbers live on the device instead and are set before each
replay. `recorder` is the one of the capture under way; optimisers tell it where their numbers come from.
"""

from __future__ import annotations

from operator import is_

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Source(Protocol):
        """Where some of the numbers come from."""

        def numbers(self) -> list[float]:
            """For the next step; nothing is counted."""

        def advance(self) -> None:
            """Counts a step."""

        def holds(self) -> bool:
            """Whether the optimiser still has the options and the memory that were captured."""


ROOM = 4096  # numbers of one capture
RATES = 5  # fd_optim_live: lr, grad_scale, step, 1 - beta1^step, 1 - beta2^step

recorder: Recorder | None = None


class Recorder:
    """Collects the sources while work is captured and sets their numbers before each replay."""

    def __init__(self, device: Any) -> None:
        self.sources: list[Source] = []
        self.optimizers: list[Any] = []
        self._room = fd.zeros(ROOM, dtype=fd.float64, device=device)
        self._used = 0
        self._values: Any = None
        self._set_to: list[float] = []

    def __enter__(self) -> Recorder:
        global recorder
        recorder = self
        return self

    def __exit__(self, *exc: object) -> None:
        global recorder
        recorder = None
        self._values = self._room[: self._used]

    def rates(self, optimizer: Any, group: int, cohort: int | None, betas: Any) -> fd.Tensor:
        """For a fused step of one cohort, or of a whole group without state: float64 of shape (5,)."""
        return self._add(optimizer, FusedRates(optimizer, group, cohort, betas), RATES)

    def rate(self, optimizer: Any, param: fd.Tensor, group: Any, state: Any) -> fd.Tensor:
        """The learning rate of one parameter, as a 0-dim tensor of its dtype."""
        return self._add(optimizer, ParameterRate(optimizer, param, group, state), 1)[0].to(param.dtype)

    def holds(self) -> bool:
        """Whether a replay does what the optimisers would do now."""
        return all(source.holds() for source in self.sources)

    def set(self) -> None:
        """Brings the next step's numbers to the device, unless they are there."""
        numbers = [number for source in self.sources for number in source.numbers()]
        if numbers != self._set_to:
            self._values.copy_(fd.tensor(numbers, dtype=fd.float64))
            self._set_to = numbers

    def advance(self) -> None:
        """Counts the step that was replayed."""
        for source in self.sources:
            source.advance()

    def _add(self, optimizer, source, count):
        if self._used + count > ROOM:
            raise fd.DeviceError(f"{type(optimizer).__name__}: more than {ROOM} numbers change from step to step")
        if not any(map(is_, self.optimizers, [optimizer] * len(self.optimizers))):
            self.optimizers.append(optimizer)
        self.sources.append(source)
        self._used += count
        return self._room[self._used - count : self._used]


class FusedRates:
    """The numbers of one fused update."""

    def __init__(self, optimizer: Any, group: int, cohort: int | None, betas: Any) -> None:
        self.optimizer, self.group, self.cohort, self.betas = optimizer, group, cohort, betas
        self.groups = len(optimizer.param_groups)
        self.options = _options(self._group())
        self.flat = optimizer._flat[group] if cohort is not None else None
        self.memory = self._memory(self.flat)

    def numbers(self) -> list[float]:
        lr = float(self._group()["lr"])
        if self.flat is None:
            return [lr, 1.0, 1.0, 1.0, 1.0]
        step = self.flat.cohorts[self.cohort].step + 1
        beta1, beta2 = self.betas
        # Without betas all that matters is whether it is the first.
        count = float(step) if beta2 else float(min(step, 2))
        return [lr, 1.0, count, 1 - beta1**count, 1 - beta2**count]

    def advance(self) -> None:
        if self.flat is not None:
            self.flat.cohorts[self.cohort].step += 1

    def holds(self) -> bool:
        optimizer = self.optimizer
        if len(optimizer.param_groups) != self.groups or _options(self._group()) != self.options:
            return False
        if self.flat is None:
            return True
        flat = optimizer._flat.get(self.group)
        if flat is self.flat:
            return True
        # Somebody asked for the state since; the lists made anew from it have the same tensors unless it was replaced.
        if flat is None or not flat.holds_for(self.flat.params):
            flat = optimizer._flatten(self.group, self.flat.params)
        memory = self._memory(flat)
        if len(memory) != len(self.memory) or not all(map(is_, memory, self.memory)):
            return False
        self.flat = flat
        return True

    def _group(self):
        return self.optimizer.param_groups[self.group]

    def _memory(self, flat):
        if flat is None or self.cohort >= len(flat.cohorts):
            return []
        cohort = flat.cohorts[self.cohort]
        return [*cohort.params, *(tensor for name in cohort.names for tensor in cohort.lists[name])]


class ParameterRate:
    """The learning rate of one parameter, for optimisers made of tensor operations."""

    def __init__(self, optimizer: Any, param: fd.Tensor, group: Any, state: Any) -> None:
        self.optimizer, self.param, self.group, self.state = optimizer, param, group, state
        self.number = [g is group for g in optimizer.param_groups].index(True)
        self.options = _options(group)
        self.memory = list(state.values())

    def numbers(self) -> list[float]:
        return [float(self.optimizer._rate(self.group, self.state["step"].item() + 1))]

    def advance(self) -> None:
        self.state["step"] += 1

    def holds(self) -> bool:
        groups = self.optimizer.param_groups
        return (
            self.number < len(groups)
            and groups[self.number] is self.group
            and _options(self.group) == self.options
            and self.optimizer._state.get(self.param) is self.state
            and len(self.state) == len(self.memory)
            and all(map(is_, self.state.values(), self.memory))
        )


def refuse_new_state(optimizer: Any) -> None:
    """DeviceError while work is captured: memory that a replay would set to zero again is no state."""
    if recorder is not None:
        raise fd.DeviceError(
            f"{type(optimizer).__name__}: its state for a parameter is new, so this step cannot be captured; "
            "run one step before"
        )


def _options(group):
    return {name: value for name, value in group.items() if name not in ("params", "lr", "initial_lr")}
