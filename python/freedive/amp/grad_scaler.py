"""GradScaler: losses scaled up, so that float16 gradients do not vanish (Micikevicius and others, ICLR 2018, 3.2)."""

from __future__ import annotations

import freedive as fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

READY, UNSCALED, STEPPED = "ready", "unscaled", "stepped"


class GradScaler:
    """Multiplies the loss by a scale and divides the gradients by it; a step whose gradients overflowed is left out.

        scaler = fd.amp.GradScaler()
        with fd.autocast("cuda", dtype=fd.float16):
            loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    `update` multiplies the scale by backoff_factor after an overflow, and by growth_factor after growth_interval steps
    without one. `step` looks at the gradients, which waits for the GPU. ValueError for factors that make no sense,
    RuntimeError for calls out of order.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if growth_factor <= 1 or not 0 < backoff_factor < 1:
            raise ValueError(
                f"GradScaler: growth_factor is {growth_factor} and backoff_factor {backoff_factor}; "
                "expected above 1, and between 0 and 1"
            )
        self._device, self._enabled = device, enabled
        self._scale, self._growth_tracker = float(init_scale), 0
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._stages: dict[int, str] = {}  # of each optimiser since the last update
        self._overflowed: dict[int, bool] = {}

    def scale(self, outputs: Any) -> Any:
        """The loss, or each tensor of a list or tuple, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, fd.Tensor):
            return outputs * self._scale
        return type(outputs)(self.scale(output) for output in outputs)

    def unscale_(self, optimizer: Any) -> None:
        """Divides the optimiser's gradients by the scale, in place, as clipping wants it; `step` does it otherwise."""
        if not self._enabled:
            return
        if self._stages.get(id(optimizer), READY) != READY:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update()")
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        with fd.no_grad():
            for grad in grads:
                grad.mul_(1.0 / self._scale)
            largest = fd.stack([grad.abs().amax().float() for grad in grads if grad.numel()]) if grads else None
        self._overflowed[id(optimizer)] = largest is not None and not bool(fd.isfinite(largest).all())
        self._stages[id(optimizer)] = UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """optimizer.step(), unless a gradient is infinite or NaN; what that returns, or None."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        stage = self._stages.get(id(optimizer), READY)
        if stage == STEPPED:
            raise RuntimeError("step() has already been called since the last update()")
        if stage == READY:
            self.unscale_(optimizer)
        self._stages[id(optimizer)] = STEPPED
        return None if self._overflowed[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | None = None) -> None:
        """Adapts the scale to what the steps since the last update found, or sets it."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._overflowed:
            raise RuntimeError("update() needs a step() or unscale_() before it")
        elif any(self._overflowed.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale *= self._growth_factor
                self._growth_tracker = 0
        self._stages, self._overflowed = {}, {}

    def get_scale(self) -> float:
        """The scale; 1 if scaling is off."""
        return self._scale if self._enabled else 1.0

    def is_enabled(self) -> bool:
        """Whether losses are scaled at all."""
        return self._enabled

    def get_growth_factor(self) -> float:
        """What the scale is multiplied by after growth_interval steps."""
        return self._growth_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by after an overflow."""
        return self._backoff_factor

    def get_growth_interval(self) -> int:
        """How many steps without overflow make the scale grow."""
        return self._growth_interval

    def state_dict(self) -> dict[str, Any]:
        """The scale, its factors and how long it has not overflowed; empty if scaling is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what state_dict() gave."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("the state dict is empty, as of a GradScaler that was disabled")
        self._scale, self._growth_tracker = state_dict["scale"], state_dict["_growth_tracker"]
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
