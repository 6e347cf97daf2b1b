"""autocast: where products and convolutions take half operands."""

from __future__ import annotations

from functools import wraps

from freedive import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class autocast:
    """Context, or decorator, in which work on a kind of device runs in mixed precision.

        with fd.autocast("cuda", dtype=fd.bfloat16):
            loss = F.cross_entropy(net(x), y)
        loss.backward()

    Linear layers, matrix products and convolutions take their float32 operands as `dtype` and add up in float32; their
    result is of `dtype`. Exponentials and logarithms, softmax, losses, sums, norms and layer normalisation give
    float32. All else works in the dtype it is given. Parameters stay float32, and so do their gradients. With float16,
    scale the loss (`GradScaler`), as small gradients become zero.

    Args:
        device_type: "cuda" or "cpu".
        dtype: float16 or bfloat16; None is float16 on "cuda" and bfloat16 on "cpu".
        enabled: False turns mixed precision off inside.
        cache_enabled: taken for PyTorch's sake; weights are converted at each use.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if device_type not in ("cuda", "cpu"):
            raise ValueError(f"autocast: device_type is {device_type!r}; expected 'cuda' or 'cpu'")
        if dtype is None:
            dtype = _core.float16 if device_type == "cuda" else _core.bfloat16
        if dtype not in (_core.float16, _core.bfloat16):
            raise _core.DTypeError(f"autocast: dtype is {dtype}; expected float16 or bfloat16")
        self.device_type, self.dtype, self.enabled = device_type, dtype, enabled
        self._before: list[tuple[bool, Any]] = []

    def __enter__(self) -> autocast:
        on_gpu = self.device_type == "cuda"
        self._before.append(_core._get_autocast(on_gpu))
        _core._set_autocast(on_gpu, self.enabled, self.dtype)
        return self

    def __exit__(self, *exc: object) -> None:
        _core._set_autocast(self.device_type == "cuda", *self._before.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def inside(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return inside
