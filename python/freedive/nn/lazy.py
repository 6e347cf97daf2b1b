"""What all lazy layers share: the first call fixes the shapes and the class."""

from __future__ import annotations

from .module import Module
from .parameter import is_lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LazyModule"]


class LazyModule(Module):
    """Mixin of a layer whose parameters take their shapes from the first input.

    A subclass names `cls_to_become` and writes `initialize_parameters(*args)`, which materialises its parameters in
    place: an optimiser may already hold them.
    """

    cls_to_become: type[Module] | None = None

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer still waits for its shape."""
        state = self.__dict__
        return any(is_lazy(state[name]) for names in (self._parameter_names, self._buffer_names) for name in names)

    def forward(self, *args, **kwargs) -> Any:
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise RuntimeError(f"{type(self).__name__} has not been fully initialized by initialize_parameters")
        if self.cls_to_become is not None:
            self.__class__ = self.cls_to_become  # type: ignore[assignment]
            return self.forward(*args, **kwargs)
        return super().forward(*args, **kwargs)
