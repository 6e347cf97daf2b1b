"""Containers of modules: Sequential, ModuleList, ModuleDict (book 6.1)."""

from __future__ import annotations

from collections import OrderedDict

from . import functional as F
from ._registry import structure
from ._text import indented
from .activation import ReLU, Sigmoid, Tanh
from .conv import Conv1d, Conv2d, Conv3d
from .linear import Linear
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from freedive import Tensor

__all__ = ["Sequential", "ModuleList", "ModuleDict"]

_FUSING = (Linear, Conv1d, Conv2d, Conv3d)
_FUSED = {ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh"}


class _Numbered(Module):
    """Modules in a row, named "0", "1", ... unless names are given."""

    def _replace(self, items):
        state, names = self.__dict__, self._module_names
        for name in names:
            del state[name]
        names.clear()
        for name, module in items:
            if name.isdecimal():
                self._set_registered("_module_names", name, module)
            else:
                self.add_module(name, module)
        structure[0] += 1

    def _renumber(self, modules):
        modules = list(modules)
        for module in modules:
            if module is not None and not isinstance(module, Module):
                raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._replace((str(i), module) for i, module in enumerate(modules))

    def _values(self):
        state = self.__dict__
        return [state[name] for name in self._module_names]

    def _name_at(self, index):
        size = len(self)
        position = index.__index__()
        if not -size <= position < size:
            raise IndexError(f"index {position} is out of range")
        return list(self._module_names)[position]

    def __len__(self) -> int:
        return len(self._module_names)

    def __iter__(self):
        return iter(self._values())

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self._slice(index)
        return self.__dict__[self._name_at(index)]

    def __setitem__(self, index, module):
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index):
        modules = self._values()
        if not isinstance(index, slice):
            self._name_at(index)
        del modules[index]
        self._renumber(modules)

    def append(self, module: Module) -> Any:
        """Adds a module at the end; returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Puts a module before position index; the ones behind it are numbered anew."""
        modules = self._values()
        if not -len(modules) <= index <= len(modules):
            raise IndexError(f"Index out of range: {index}")
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Adds the modules at the end; returns the container."""
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, key: int) -> Module:
        """Takes out and returns the module at this position."""
        module = self[key]
        del self[key]
        return module


class Sequential(_Numbered):
    """Calls its modules in order, each on what the one before returned.

    A Linear or a convolution followed by a ReLU, Sigmoid or Tanh runs as one kernel when neither has hooks; the numbers
    are the same.

    Args: modules, or one OrderedDict of names to modules.
    """

    _plan: Any = None
    _planned = -1

    def __init__(self, *args) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input: Tensor) -> Any:
        if self._planned != structure[0]:
            self._make_plan()
        for module, activation in self._plan:
            if activation is None:
                input = module(input)
            elif type(module) is Linear:
                input = F.linear(input, module.weight, module.bias, activation)
            else:
                input = module._activated(input, activation)
        return input

    def _make_plan(self):
        plan = []
        modules = self._values()
        at = 0
        while at < len(modules):
            module, activation = modules[at], None
            if type(module) in _FUSING and _is_plain(module, type(module)):
                following = modules[at + 1] if at + 1 < len(modules) else None
                activation = _FUSED.get(type(following))
                if activation is None or not _is_plain(following, type(following)):
                    activation = "none"
                else:
                    at += 1
            plan.append((module, activation))
            at += 1
        self.__dict__.update(_plan=plan, _planned=structure[0])

    def __getstate__(self):
        state = self.__dict__.copy()
        state.pop("_plan", None)
        state.pop("_planned", None)
        return state

    def _slice(self, index):
        items = list(self._modules.items())[index]
        return type(self)(OrderedDict(items))

    def __add__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return Sequential(*self, *other)

    def __iadd__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return self.extend(other)

    def __mul__(self, times):
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")
        return Sequential(*(module for _ in range(times) for module in self))

    __rmul__ = __mul__


def _is_plain(module, kind):
    """Whether the module is exactly of this class, without hooks and without a forward of its own."""
    return type(module) is kind and module._hooks is None and "forward" not in module.__dict__


class ModuleList(_Numbered):
    """A list whose modules are registered."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _slice(self, index):
        return type(self)(self._values()[index])

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, other):
        return ModuleList([*self, *other])

    def extend(self, modules: Iterable[Module]) -> Any:
        """Adds the modules at the end; returns the container."""
        if not hasattr(modules, "__iter__"):
            raise TypeError(f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}")
        return super().extend(modules)

    def __repr__(self) -> str:
        lines, modules = [], [repr(module) for module in self]
        start = 0
        while start < len(modules):
            end = start
            while end + 1 < len(modules) and modules[end + 1] == modules[start]:
                end += 1
            count = end - start + 1
            label = f"({start}): " if count == 1 else f"({start}-{end}): {count} x "
            lines.append("\n  " + label + indented(modules[start]))
            start = end + 1
        return f"{self._get_name()}({''.join(lines)}{chr(10) if lines else ''})"


class ModuleDict(Module):
    """A dict of names to modules that are registered."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._module_names)

    def __iter__(self):
        return iter(self._module_names)

    def __contains__(self, key):
        return key in self._module_names

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """(name, module) pairs."""
        return self._modules.items()

    def clear(self) -> None:
        """Removes every module."""
        self._modules.clear()

    def pop(self, key: int) -> Module:
        """Takes out and returns the module of this name."""
        return self._modules.pop(key)

    def update(self, modules: Any) -> None:
        """Adds the modules of a mapping or of (name, module) pairs."""
        if not hasattr(modules, "__iter__"):
            raise TypeError(f"ModuleDict.update should be called with a mapping or pairs, not {type(modules).__name__}")
        for key, module in modules.items() if hasattr(modules, "items") else modules:
            self[key] = module
