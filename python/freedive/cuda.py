"""GPUs: what there is, their memory, and waiting for them.

Work on a GPU is asked for and runs later; reading a result (`item`, `tolist`, `cpu`) waits for it. An index out of
range that a kernel finds is raised at the next wait, naming the operation. `FREEDIVE_SYNC=1` waits after every one.
"""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ._cuda_graph import CapturedStep
    from .nn import Module

    T = TypeVar("T")

__all__ = [
    "Event",
    "Stream",
    "capturable",
    "current_device",
    "current_stream",
    "device_count",
    "empty_cache",
    "get_device_name",
    "graph",
    "is_available",
    "max_memory_allocated",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "synchronize",
]


def is_available() -> bool:
    """Whether a GPU can be used; `freedive info` says why not."""
    return _core._cuda_count() > 0


def device_count() -> int:
    """How many GPUs can be used."""
    return _core._cuda_count()


def synchronize(device: Any = None) -> None:
    """Waits for all work on a GPU. Raises what a kernel found wrong, or DeviceError where there is no GPU."""
    _core._cuda_synchronize(_index("synchronize", device))


def current_device() -> int:
    """The GPU that "cuda" means: 0. Raises DeviceError where there is none."""
    return _index("current_device", None)


def get_device_name(device: Any = None) -> str:
    """The name of a GPU."""
    return _core._cuda_name(_index("get_device_name", device))


def memory_stats(device: Any = None) -> dict[str, int]:
    """Bytes of a GPU's memory: used by tensors, cached for reuse, and the most ever used."""
    return _core._cuda_memory_stats(_index("memory_stats", device))


def memory_allocated(device: Any = None) -> int:
    """Bytes used by tensors."""
    return memory_stats(device)["used"]


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes ever used by tensors."""
    return memory_stats(device)["peak"]


def memory_reserved(device: Any = None) -> int:
    """Bytes used by tensors or cached for reuse."""
    stats = memory_stats(device)
    return stats["used"] + stats["cached"]


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a GPU's memory."""
    return _core._cuda_memory(_index("mem_get_info", device))


def empty_cache(device: Any = None) -> None:
    """Gives a GPU's cached memory back to it; does nothing where there is no GPU."""
    if is_available():
        _core._cuda_empty_cache(_index("empty_cache", device))


class Event:
    """A point in a GPU's work: record it, wait for it, or measure the milliseconds between two."""

    def __init__(self, enable_timing: bool = True, device: Any = None) -> None:
        self._event = _core._CudaEvent(_index("Event", device))

    def record(self) -> None:
        """Marks the work asked for so far."""
        self._event.record()

    def synchronize(self) -> None:
        """Waits for the marked work."""
        self._event.synchronize()

    def query(self) -> bool:
        """Whether the marked work is done."""
        return self._event.query()

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds from this event to `end`; both recorded and waited for."""
        return end._event.milliseconds_since(self._event)


class Stream:
    """The stream of a GPU, on which everything runs in the order it was asked for; there is one a GPU.

    `cuda_stream` is its address, for libraries that take a stream, such as `torch.cuda.ExternalStream`.
    """

    def __init__(self, device: Any = None) -> None:
        self._index = _index("Stream", device)
        self.cuda_stream: int = _core._cuda_stream(self._index)

    @property
    def device(self) -> Any:
        """The GPU."""
        return _core.device("cuda", self._index)

    def synchronize(self) -> None:
        """Waits for all work asked for."""
        _core._cuda_synchronize(self._index)

    def record_event(self, event: Event | None = None) -> Event:
        """Marks the work asked for so far; the event given, or a new one."""
        event = event if event is not None else Event(device=self._index)
        event.record()
        return event


def current_stream(device: Any = None) -> Stream:
    """The stream that work on a GPU goes to."""
    return Stream(device)


def graph(function: Callable[..., Any], module: Module | None = None) -> CapturedStep:
    """A function whose GPU work is captured on its second call and replayed as one launch from then on.

        def train(x, y):
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            return loss

        step = fd.cuda.graph(train, net)
        for x, y in loader:
            loss = step(x.cuda(), y.cuda())

    Every call does what calling `function` does, after setting the gradients of the module's parameters to None: the
    same random draws, the same changes of buffers, gradients in `.grad`. Steps of freedive's optimisers may be part of
    it; learning rates and step counts are set anew before each replay. Inputs are GPU tensors that need no gradient;
    results are copies. Inputs of new shapes or dtypes, a change between train() and eval(), parameters that moved and
    an optimiser with new options or state are captured anew. Python in `function` runs only while it is captured, so it
    must not depend on values; waiting for the GPU and copies from the host in it raise DeviceError.

    Args:
        function: takes tensors; returns tensors, or tuples, lists or dicts of them.
        module: whose parameters get gradients and whose mode decides.
    """
    from ._cuda_graph import CapturedStep

    return CapturedStep(function, module)


def capturable(target: T) -> T:
    """Marks a function, a method or a class as fit for capture; to be used as a decorator.

    The Trainer captures training steps of freedive's own code and of code so marked. What is marked must depend on its
    inputs, parameters and buffers alone: no branches on values, no counters in Python, nothing read or printed, and
    whatever it writes in place is a parameter or buffer. A class passes the mark on to its own methods, not to those
    that subclasses write.
    """
    from ._cuda_graph import mark_capturable

    return mark_capturable(target)


def _index(op: str, device: Any) -> int:
    if not is_available():
        raise _core.DeviceError(f"cuda.{op}: no GPU is available: {_core._cuda_unavailable()}")
    if device is None:
        return 0
    if isinstance(device, int):
        return device
    wanted = _core.device(device)
    if wanted.type != "cuda":
        raise _core.DeviceError(f"cuda.{op}: {wanted} is not a GPU")
    return wanted.index or 0
