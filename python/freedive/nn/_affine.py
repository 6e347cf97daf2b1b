"""What normalising layers end with: a weight and a bias of their own, each of which may be left out."""

from __future__ import annotations

import freedive as fd

from . import init
from .module import Module
from .parameter import Parameter


class AffineModule(Module):
    """A module with `weight` and `bias` of one shape, None where they are not wanted."""

    def _register_affine(self, shape, weight, bias, device, dtype):
        for name, wanted in (("weight", weight), ("bias", weight and bias)):
            tensor = Parameter(fd.empty(shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, tensor)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)
