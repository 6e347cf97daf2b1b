"""Capturing a training step's GPU work and replaying it as one launch."""

from __future__ import annotations

import itertools

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .nn import Module

SEEN = object()  # inputs that came once: their first call ran eagerly and warmed memory up


class CapturedStep:
    """What `freedive.cuda.graph` makes; call it as the function it was made from."""

    def __init__(self, function: Callable[..., Any], module: Module | None = None) -> None:
        self.function = function
        self.module = module
        self._parameters = list(module.parameters()) if module is not None else []
        self._steps: dict[Any, Any] = {}

    def __call__(self, *inputs: _core.Tensor) -> Any:
        """Runs one step: the first of its kind eagerly, the second while it is captured, the others by replay."""
        _check(inputs)
        key = self._key(inputs)
        step = self._steps.get(key)
        if step is None:
            self._steps[key] = SEEN
            return self._run(inputs)
        if step is not SEEN and step.replay(inputs):
            return step.results()
        self._steps[key] = step = self._capture(inputs)
        step.replay(inputs)
        return step.results()

    @property
    def captured(self) -> int:
        """How many kinds of steps (shapes, dtypes, training or evaluation) are captured."""
        return sum(step is not SEEN for step in self._steps.values())

    def _key(self, inputs):
        modes = tuple(m.training for m in self.module.modules()) if self.module is not None else ()
        return tuple((tuple(t.shape), t.dtype) for t in inputs), modes, tuple(p.data_ptr() for p in self._parameters)

    def _run(self, inputs):
        for parameter in self._parameters:
            parameter.grad = None
        return self.function(*inputs)

    def _capture(self, inputs):
        fixed = [t.detach().clone() for t in inputs]
        graph = _core._CudaGraph(inputs[0].device.index or 0)
        graph.begin()
        try:
            out = self._run(fixed)
        except BaseException:
            graph.abandon()
            raise
        graph.end()
        return _Step(graph, fixed, out, [(p, p.grad) for p in self._parameters])


class _Step:
    """One captured kind: the graph and the tensors it reads and writes."""

    def __init__(self, graph, inputs, out, gradients):
        self.graph, self.inputs, self.out, self.gradients = graph, inputs, out, gradients

    def replay(self, inputs) -> bool:
        with _core_no_grad():
            for fixed, given in zip(self.inputs, inputs, strict=True):
                fixed.copy_(given)
        if not self.graph.replay():
            return False
        for parameter, gradient in self.gradients:
            if parameter.grad is not gradient:
                parameter.grad = gradient
        return True

    def results(self):
        """Copies, as the next replay writes into the same memory."""
        return _map(lambda t: t.detach().clone(), self.out)


def _core_no_grad():
    from .autograd import no_grad

    return no_grad()


def _map(function, value):
    if isinstance(value, _core.Tensor):
        return function(value)
    if isinstance(value, (tuple, list)):
        return type(value)(_map(function, v) for v in value)
    if isinstance(value, dict):
        return {k: _map(function, v) for k, v in value.items()}
    return value


def _check(inputs):
    if not inputs:
        raise TypeError("cuda.graph: the function needs at least one tensor as its input")
    for i, t in enumerate(inputs):
        if not isinstance(t, _core.Tensor):
            raise TypeError(f"cuda.graph: input {i} is a {type(t).__name__}; expected a tensor")
        if t.requires_grad:
            raise _core.GradError(f"cuda.graph: input {i} requires grad; only parameters of the module may")
    devices = {t.device for t in inputs}
    if len(devices) > 1 or next(iter(devices)).type != "cuda":
        named = ", ".join(str(t.device) for t in itertools.islice(inputs, 4))
        raise _core.DeviceError(f"cuda.graph: inputs on {named}; expected all on one GPU")
