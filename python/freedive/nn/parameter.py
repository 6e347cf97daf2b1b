"""Tensors that a Module knows by name: parameters, buffers, and their forms before the first call of a lazy layer."""

from __future__ import annotations

import freedive as fd
from freedive import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn

    from freedive.nn._types import Device

__all__ = ["Parameter", "Buffer", "UninitializedParameter", "UninitializedBuffer", "is_lazy"]


def _rebuild(cls, data, requires_grad):
    return cls(data, requires_grad)


def _rebuild_uninitialized(cls, requires_grad, device, dtype):
    return cls(requires_grad, device=device, dtype=dtype)


class Parameter(Tensor):
    """A tensor that becomes part of a module's parameters when it is assigned as an attribute.

    Args:
        data: the values; shared, not copied. An empty tensor if left out.
        requires_grad: whether backward computes its gradient (the default).
    """

    def __new__(cls, data=None, requires_grad=True):
        if data is None:
            data = fd.empty(0)
        elif not isinstance(data, Tensor):
            raise TypeError(f"Parameter: data must be a Tensor, not {type(data).__name__}")
        return Tensor._make_subclass(cls, data, requires_grad)

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        pass  # __new__ has done it all

    def __repr__(self, **kwargs) -> str:
        return "Parameter containing:\n" + super().__repr__(**kwargs)

    def __str__(self) -> str:
        return self.__repr__()

    def __deepcopy__(self, memo):
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return known

    def __reduce_ex__(self, protocol):
        return _rebuild, (type(self), self.data, self.requires_grad)


class Buffer(Tensor):
    """A tensor that becomes a module's buffer when it is assigned as an attribute.

    Args:
        data: the values; shared, not copied. An empty tensor if left out.
        persistent: whether it is part of the module's state_dict.
    """

    def __new__(cls, data=None, *, persistent=True):
        if data is None:
            data = fd.empty(0)
        self = Tensor._make_subclass(cls, data, data.requires_grad)
        self.persistent = persistent
        return self

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        pass

    def __deepcopy__(self, memo):
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(self.data.clone(), persistent=getattr(self, "persistent", True))
        return known

    def __reduce_ex__(self, protocol):
        return _rebuild_buffer, (type(self), self.data, getattr(self, "persistent", True))


def _rebuild_buffer(cls, data, persistent):
    return cls(data, persistent=persistent)


def _unknown(what: str) -> NoReturn:
    raise RuntimeError(
        f"Can't access the {what} of an uninitialized parameter or buffer: it is not known before the lazy layer's "
        f"first call. Run the model once on a batch first."
    )


class _Uninitialized:
    """What a lazy layer holds until its first call: device and dtype are known, the shape is not."""

    cls_to_become: type
    data: Any
    requires_grad: bool

    @property
    def shape(self) -> Any:
        _unknown("shape")

    def size(self, dim: int | None = None) -> Any:
        _unknown("shape")

    def numel(self) -> Any:
        _unknown("number of elements")

    def __len__(self) -> int:
        _unknown("length")

    def materialize(self, shape: Iterable[int], device: Device = None, dtype: fd.dtype | None = None) -> None:
        """Gives it memory of this shape (not initialised) and turns it, in place, into the ordinary class."""
        data = self.data
        self.data = fd.empty(
            shape, device=data.device if device is None else device, dtype=data.dtype if dtype is None else dtype
        )
        self.__class__ = self.cls_to_become

    def __repr__(self, **kwargs) -> str:
        return f"<{type(self).__name__}>"

    def __str__(self) -> str:
        return self.__repr__()

    def __deepcopy__(self, memo):
        known = memo.get(id(self))
        if known is None:
            data = self.data
            known = memo[id(self)] = type(self)(self.requires_grad, device=data.device, dtype=data.dtype)
        return known

    def __reduce_ex__(self, protocol):
        data = self.data
        return _rebuild_uninitialized, (type(self), self.requires_grad, data.device, data.dtype)


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter whose shape is not known yet; `materialize` turns it into a Parameter, the same object."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return Tensor._make_subclass(cls, fd.empty(0, device=device, dtype=dtype), requires_grad)

    def __init__(self, requires_grad: bool = True, device: Device = None, dtype: fd.dtype | None = None) -> None:
        pass


class UninitializedBuffer(_Uninitialized, Buffer):
    """A buffer whose shape is not known yet; `materialize` turns it into a Buffer, the same object."""

    cls_to_become = Buffer

    def __new__(cls, requires_grad=False, device=None, dtype=None):
        return Tensor._make_subclass(cls, fd.empty(0, device=device, dtype=dtype), requires_grad)

    def __init__(self, requires_grad: bool = False, device: Device = None, dtype: fd.dtype | None = None) -> None:
        pass


def is_lazy(tensor: object) -> bool:
    """Whether the tensor is an UninitializedParameter or UninitializedBuffer."""
    return isinstance(tensor, _Uninitialized)
