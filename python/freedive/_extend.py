"""What Tensor has in Python: printing, copying, pickling. The rest is compiled."""

from __future__ import annotations

import importlib

from . import _core

# Methods that are functions of _compose, which loads when one is first called.
COMPOSED = (
    "addr", "adjoint", "aminmax", "clamp_max", "clamp_min", "deg2rad", "diff", "digamma", "dist", "dsplit", "erfc",
    "erfinv", "fill_diagonal_", "float_power", "fmax", "fmin", "frac", "heaviside", "histc", "hsplit", "isneginf",
    "isposinf", "ldexp", "lgamma", "logaddexp", "logaddexp2", "logit", "mode", "nan_to_num", "nanmean", "nanmedian",
    "positive", "rad2deg", "signbit", "sinc", "vsplit", "xlogy",
)  # fmt: skip
LINALG = ("det", "inverse", "logdet", "matrix_power", "slogdet")
IN_PLACE = (
    "addr", "clamp_max", "clamp_min", "deg2rad", "digamma", "erfc", "erfinv", "float_power", "frac", "heaviside",
    "ldexp", "lgamma", "logit", "nan_to_num", "rad2deg", "sinc", "xlogy", "cumsum", "cumprod",
)  # fmt: skip


def _repr(self, *, tensor_contents=None):
    from ._tensor_str import tensor_str

    return tensor_str(self)


def _format(self, spec):
    if self.dim() == 0:
        return self.item().__format__(spec)  # a number, also without spec
    return object.__format__(self, spec) if not spec else self.tolist().__format__(spec)


def _copy(self):
    """A leaf on the same memory (copy.copy)."""
    made = _core.Tensor._make_subclass(type(self), self.detach(), self.requires_grad)
    made.__dict__.update(self.__dict__)
    return made


def _deepcopy(self, memo):
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise _core.GradError("deepcopy: only leaf tensors can be copied; detach() this one first")
    made = _core.Tensor._make_subclass(type(self), self.detach().clone(), self.requires_grad)
    memo[id(self)] = made
    if self.grad is not None:
        made.grad = _deepcopy(self.grad, memo)
    if self.__dict__:
        import copy

        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return made


def _rebuild(cls, data, dtype, shape, requires_grad, attributes):
    """The tensor that was pickled: bytes in C order."""
    flat = _core.frombuffer(bytearray(data), dtype=dtype) if data else _core.empty(0, dtype=dtype)
    made = _core.Tensor._make_subclass(cls, flat.reshape(shape), requires_grad)
    made.__dict__.update(attributes)
    return made


def _reduce(self, protocol):
    if not self.is_leaf:
        raise _core.GradError("pickle: only leaf tensors can be pickled; detach() this one first")
    plain = self.detach().contiguous()
    raw = plain.view(_core.float16) if plain.dtype is _core.bfloat16 else plain  # only the bytes matter
    data = bytes(memoryview(raw).cast("B")) if plain.numel() and raw.dim() else bytes(memoryview(raw.reshape(-1)))
    return _rebuild, (type(self), data, plain.dtype, tuple(plain.shape), self.requires_grad, dict(self.__dict__))


def _composed(name, module="_compose"):
    def method(self, *args, **kwargs):
        return getattr(importlib.import_module(f"freedive.{module}"), name)(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"freedive.{name}(self, …)"
    return method


def _in_place(name):
    def method(self, *args, **kwargs):
        made = getattr(self.clone(), name)(*args, **kwargs)
        if made.is_floating_point() and not self.is_floating_point():
            raise _core.DTypeError(f"{name}_: the result is {made.dtype} but the tensor is {self.dtype}")
        return self.copy_(made)

    method.__name__ = f"{name}_"
    method.__doc__ = f"{name}, in place."
    return method


def extend_tensor(cls):
    """Adds the methods above to the compiled Tensor type."""
    cls.__repr__ = _repr
    cls.__str__ = _repr
    cls.__format__ = _format
    cls.__copy__ = _copy
    cls.__deepcopy__ = _deepcopy
    cls.__reduce_ex__ = _reduce
    cls.__array_priority__ = 1000  # NumPy leaves np_array * tensor to the tensor
    for name in COMPOSED:
        setattr(cls, name, _composed(name))
    for name in LINALG:
        setattr(cls, name, _composed(name, "linalg"))
    for name in IN_PLACE:
        setattr(cls, f"{name}_", _in_place(name))
