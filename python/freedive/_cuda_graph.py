"""Capturing a training step's GPU work and replaying it as one launch."""

from __future__ import annotations

import itertools

from . import _core
from .optim import _live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .nn import Module

MARK = "_freedive_capturable"
SEEN = object()  # inputs that came once: their first call ran eagerly and warmed memory up


class CapturedStep:
    """What `freedive.cuda.graph` makes; call it as the function it was made from."""

    def __init__(self, function: Callable[..., Any], module: Module | None = None) -> None:
        self.function = function
        self.module = module
        self.device: Any = None  # where inputs go; None: they are all there
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
        if step is not SEEN and step.holds() and step.replay(inputs):
            return step.results()
        self._steps[key] = step = self._capture(inputs)
        step.replay(inputs)
        return step.results()

    @property
    def captured(self) -> int:
        """How many kinds of steps (shapes, dtypes, training or evaluation) are captured."""
        return sum(step is not SEEN for step in self._steps.values())

    def _key(self, inputs):
        modes = tuple(m.training for m in self._modules()) if self.module is not None else ()
        kinds = tuple([(t.shape, t.dtype) for t in inputs])
        return kinds, modes, _core._capture_key(self._parameters), _core._get_autocast(True)

    def _modules(self):
        return self.module.modules()

    def _run(self, inputs):
        for parameter in self._parameters:
            parameter.grad = None
        return self.function(*inputs)

    def _capture(self, inputs):
        device = self.device or inputs[0].device
        fixed = [t.detach().to(device, copy=True) for t in inputs]
        watched = self._watched()
        versions = [t._version for t in watched]
        graph = _core._CudaGraph(device.index or 0)
        live = _live.Recorder(device)
        graph.begin()
        try:
            with live:
                out = self._run(fixed)
        except BaseException:
            graph.abandon()
            raise
        graph.end()
        known = {id(t) for t in watched}
        states = [t for optimizer in live.optimizers for t in _tensors_of(optimizer) if id(t) not in known]
        live.holds()  # finds the lists that were made anew when the state was looked at
        written = [t for t, version in zip(watched, versions, strict=True) if t._version != version]
        trained = {id(p): p for p in (*self._parameters, *states) if p.grad is not None}.values()
        return _Step(graph, live, fixed, out, [(p, p.grad) for p in trained], [*written, *states])

    def _watched(self):
        """What the function may write into, as far as the module knows."""
        return [*self._parameters, *self.module.buffers()] if self.module is not None else []


class _Step:
    """One captured kind: the graph and the tensors it reads and writes."""

    def __init__(self, graph, live, inputs, out, gradients, written):
        self.graph, self.live, self.inputs, self.out = graph, live, inputs, out
        self.gradients, self.written = gradients, written

    def holds(self) -> bool:
        return self.live.holds()

    def replay(self, inputs, counted=True) -> bool:
        """False if the generator was seeded anew. counted: optimisers count the step."""
        with _core_no_grad():
            for fixed, given in zip(self.inputs, inputs, strict=True):
                fixed.copy_(given)
            self.live.set()
        if not self.graph.replay(self.written):
            return False
        if counted:
            self.live.advance()
        for parameter, gradient in self.gradients:
            if parameter.grad is not gradient:
                parameter.grad = gradient
        return True

    def results(self):
        """Copies, as the next replay writes into the same memory."""
        copies = {}

        def copy(t):
            if id(t) not in copies:
                copies[id(t)] = t.detach().clone()
            return copies[id(t)]

        return _map(copy, self.out)


def mark_capturable(target: Any) -> Any:
    """`freedive.cuda.capturable`."""
    setattr(target, MARK, True)
    return target


def is_marked(target: Any) -> bool:
    """Whether a function, or a class itself, was marked."""
    return MARK in vars(target) if isinstance(target, type) else getattr(target, MARK, False)


def is_capturable(owner: Any, name: str) -> bool:
    """Whether an attribute of an object is freedive's code, or code that its author marked; also if there is none."""
    function = getattr(owner, "__dict__", {}).get(name)
    if function is None:
        for cls in type(owner).__mro__:
            if name in cls.__dict__:
                function = cls.__dict__[name]
                if is_marked(cls):
                    return True
                break
        else:
            return True
    function = getattr(function, "__func__", function)
    ours = (getattr(function, "__module__", None) or "").partition(".")[0] == "freedive"
    return ours or is_marked(function)


def _tensors_of(optimizer):
    """Parameters and state on their device, each once."""
    for group in optimizer.param_groups:
        for param in group["params"]:
            yield param
            for value in optimizer.state.get(param, {}).values():
                if isinstance(value, _core.Tensor) and value.is_cuda:
                    yield value


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
