"""Module: a function with parameters, buffers and submodules known by name.

Registered values live in the instance's own `__dict__`, where Python finds them without help; beside them stand three
ordered sets of names that say which of them are parameters, buffers and submodules. `_parameters`, `_buffers` and
`_modules` are live mappings over the two.
"""

from __future__ import annotations

import freedive as fd

from . import _state
from ._hooks import Hooks, RemovableHandle, call_with_hooks
from ._registry import View, structure
from ._text import block, came, indented, type_name
from .parameter import Buffer, Parameter, Tensor, is_lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from freedive.nn._types import Device

__all__ = ["Module"]

_NO_INPUT = object()

_NAMES = ("_parameter_names", "_buffer_names", "_module_names")


class Module:
    """Base class of all layers and networks.

    Assign parameters, buffers and modules as attributes in `__init__` (after `super().__init__()`), write `forward`,
    and call the instance.
    """

    training: bool = True
    _hooks: Hooks | None = None
    _parameter_names: dict[str, None]
    _buffer_names: dict[str, bool]
    _module_names: dict[str, None]

    if TYPE_CHECKING:  # what was registered is found in the instance's __dict__

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, *args, **kwargs) -> None:
        if args or kwargs:
            raise TypeError(f"{type(self).__name__}: Module.__init__ takes no arguments, but {came(args, kwargs)}")
        state = self.__dict__
        state["training"] = True
        for names in _NAMES:
            state[names] = {}

    def __call__(self, a: Any = _NO_INPUT, b: Any = _NO_INPUT, /, *rest: Any, **kwargs: Any) -> Any:
        # One or two inputs and no hooks are the common cases: not packing them into a tuple halves the cost.
        if self._hooks is None and not rest and not kwargs:
            if b is not _NO_INPUT:
                return self.forward(a, b)
            return self.forward() if a is _NO_INPUT else self.forward(a)
        args = tuple(x for x in (a, b) if x is not _NO_INPUT) + rest
        if self._hooks is None:
            return self.forward(*args, **kwargs)
        return call_with_hooks(self, self._hooks, args, kwargs)

    def forward(self, *input) -> Any:
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # ------------------------------------------------------------------------------------------- registration

    _parameters = property(lambda self: View(self, self.__dict__["_parameter_names"]))
    _buffers = property(lambda self: View(self, self.__dict__["_buffer_names"]))
    _modules = property(lambda self: View(self, self.__dict__["_module_names"]))

    def __setattr__(self, name, value):
        state = self.__dict__
        if isinstance(value, (Parameter, Module, Buffer)):
            if isinstance(value, Parameter):
                self._set_registered("_parameter_names", name, value)
            elif isinstance(value, Module):
                self._set_registered("_module_names", name, value)
                structure[0] += 1
            else:
                self._set_registered("_buffer_names", name, value, getattr(value, "persistent", True))
        elif "_parameter_names" not in state:
            object.__setattr__(self, name, value)
        elif name in state["_parameter_names"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type_name(value)}' as parameter '{name}' (nn.Parameter or None expected)"
                )
            state[name] = None
        elif name in state["_module_names"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type_name(value)}' as child module '{name}' (nn.Module or None expected)"
                )
            state[name] = None
            structure[0] += 1
        elif name in state["_buffer_names"]:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"cannot assign '{type_name(value)}' as buffer '{name}' (Tensor or None expected)")
            state[name] = value
        else:
            if name == "forward" or name == "__class__":
                structure[0] += 1
            object.__setattr__(self, name, value)

    def _set_registered(self, kind, name, value, mark=None):
        state = self.__dict__
        if kind not in state:
            raise AttributeError(
                f"cannot assign {kind[1:-6]}s before {type(self).__name__} has called super().__init__()"
            )
        for other in _NAMES:
            if other != kind:
                state[other].pop(name, None)
        state[kind][name] = mark
        state[name] = value

    def __delattr__(self, name):
        for names in _NAMES:
            self.__dict__.get(names, {}).pop(name, None)
        structure[0] += 1
        object.__delattr__(self, name)

    def _check_name(self, kind, name, taken):
        if "_parameter_names" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before {type(self).__name__} has called super().__init__()")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string, not {type_name(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".": "{name}"')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in taken and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter, or None as the place of one that may come."""
        self._check_name("parameter", name, self.__dict__.get("_parameter_names", ()))
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type_name(param)}' object to parameter '{name}' (nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(f"parameter '{name}' must be a leaf: it was computed from other tensors")
        self._set_registered("_parameter_names", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that moves and is saved with the module but is not trained; not saved if not persistent."""
        self._check_name("buffer", name, self.__dict__.get("_buffer_names", ()))
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{type_name(tensor)}' object to buffer '{name}' (Tensor or None required)")
        self._set_registered("_buffer_names", name, tensor, persistent)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule, or None as the place of one that may come."""
        self._check_name("module", name, self.__dict__.get("_module_names", ()))
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type_name(module)} is not a Module subclass")
        self._set_registered("_module_names", name, module)
        structure[0] += 1

    register_module = add_module

    def __dir__(self):
        return [name for name in object.__dir__(self) if not name[:1].isdigit()]

    # --------------------------------------------------------------------------------------------- traversal

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of each direct submodule, each module once."""
        seen = set()
        for name in self._module_names:
            module = self.__dict__[name]
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct submodules, each once."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) of this module and of all below it; a shared one once if remove_duplicate."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name in self._module_names:
            module = self.__dict__[name]
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return iter(self._collect_modules({}))

    def _collect_modules(self, found):
        # Without names, and not a generator in a generator: a loop's zero_grad comes through here at every step.
        found[self] = None
        state = self.__dict__
        for name in state["_module_names"]:
            module = state[name]
            if module is not None and module not in found:
                module._collect_modules(found)
        return found

    def _named_members(self, kind, prefix, recurse, remove_duplicate):
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            state = module.__dict__
            for name in state[kind]:
                value = state[name]
                if value is None or (remove_duplicate and value in seen):
                    continue
                seen.add(value)
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter) pairs; a shared parameter once if remove_duplicate."""
        return self._named_members("_parameter_names", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once."""
        found: dict[Parameter, None] = {}
        for module in self.modules() if recurse else (self,):
            state = module.__dict__
            for name in state["_parameter_names"]:
                if state[name] is not None:
                    found[state[name]] = None
        return iter(found)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer) pairs; a shared buffer once if remove_duplicate."""
        return self._named_members("_buffer_names", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The submodule of this dotted name; AttributeError if there is none."""
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def _get_member(self, target, kind, noun):
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        if name not in module.__dict__[kind]:
            raise AttributeError(f"`{name}` is not {noun}")
        return getattr(module, name)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of this dotted name; AttributeError if there is none."""
        return self._get_member(target, "_parameter_names", "an nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of this dotted name; AttributeError if there is none."""
        return self._get_member(target, "_buffer_names", "a buffer")

    # ------------------------------------------------------------------------------------- mode and gradients

    def train(self, mode: bool = True) -> Module:
        """Training mode (dropout drops, batch normalisation uses the batch) for this and all submodules."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Module:
        """Evaluation mode: train(False)."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Whether backward computes gradients of the parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = parameter.grad.detach().zero_()

    def apply(self, fn: Callable[[Module], Any]) -> Module:
        """Calls fn on every submodule, the innermost first, and on this module last."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # -------------------------------------------------------------------------------------- device and dtype

    def _apply(self, fn, recurse=True):
        if recurse:
            for module in self.children():
                module._apply(fn)
        state = self.__dict__
        with fd.no_grad():
            for name in self._parameter_names:
                parameter = state[name]
                if parameter is None:
                    continue
                gradient = parameter.grad
                if gradient is not None:
                    parameter.grad = None
                parameter.data = fn(parameter.data)
                if gradient is not None:
                    parameter.grad = fn(gradient)
            for name in self._buffer_names:
                buffer = state[name]
                if is_lazy(buffer):
                    buffer.data = fn(buffer.data)
                elif buffer is not None:
                    state[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs) -> Module:
        """Moves and converts in place: to(device), to(dtype), to(tensor) or to(device=, dtype=, non_blocking=).

        A dtype must be floating and applies to floating parameters and buffers only.
        """
        options = {key: value for key, value in kwargs.items() if value is not None}
        for value in args:
            if isinstance(value, Tensor):
                options.update(device=value.device, dtype=value.dtype)
            elif isinstance(value, fd.dtype):
                options["dtype"] = value
            elif isinstance(value, bool):
                options["non_blocking"] = value
            elif value is not None:
                options["device"] = value
        dtype = options.pop("dtype", None)
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got dtype={dtype}")

        def convert(tensor):
            if dtype is not None and tensor.is_floating_point():
                return tensor.to(dtype=dtype, **options)
            return tensor.to(**options) if options else tensor

        return self._apply(convert)

    def cpu(self) -> Module:
        """Moves parameters and buffers to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device: Device = None) -> Module:
        """Moves parameters and buffers to a CUDA device."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def type(self, dst_type: fd.dtype | str) -> Module:
        """Converts every parameter and buffer to this dtype."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def _to_floating(self, dtype):
        return self._apply(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def float(self) -> Module:
        """Converts floating parameters and buffers to float32."""
        return self._to_floating(fd.float32)

    def double(self) -> Module:
        """Converts floating parameters and buffers to float64."""
        return self._to_floating(fd.float64)

    def half(self) -> Module:
        """Converts floating parameters and buffers to float16."""
        return self._to_floating(fd.float16)

    def bfloat16(self) -> Module:
        """Converts floating parameters and buffers to bfloat16."""
        return self._to_floating(fd.bfloat16)

    # ------------------------------------------------------------------------------------------------- hooks

    def _add_hook(self, table, hook, prepend=False, options=()):
        hooks = self._hooks
        if hooks is None:
            hooks = self.__dict__["_hooks"] = Hooks()
        structure[0] += 1
        return hooks.add(self, getattr(hooks, table), hook, prepend, [getattr(hooks, o) for o in options])

    def _drop_unused_hooks(self):
        structure[0] += 1
        if self._hooks is not None and self._hooks.empty():
            del self.__dict__["_hooks"]

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """hook(module, args) runs before forward and may return new args; with_kwargs: hook(module, args, kwargs)."""
        return self._add_hook("forward_pre", hook, prepend, ["with_kwargs"] if with_kwargs else [])

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """hook(module, args, output) runs after forward and may return a new output.

        with_kwargs: hook(module, args, kwargs, output). always_call: also when forward has raised.
        """
        options = (["with_kwargs"] if with_kwargs else []) + (["always"] if always_call else [])
        return self._add_hook("forward", hook, prepend, options)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """hook(module, grad_output) runs before the module's backward and may return a new grad_output."""
        return self._add_hook("backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """hook(module, grad_input, grad_output) runs when the inputs' gradients are known; may return new ones."""
        return self._add_hook("backward", hook, prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(module, prefix, keep_vars) runs before state_dict collects this module."""
        return self._add_hook("state_dict_pre", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(module, state_dict, prefix, local_metadata) runs after state_dict has collected this module."""
        return self._add_hook("state_dict", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors) runs before loading."""
        return self._add_hook("load_pre", hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """hook(module, incompatible_keys) runs after loading; it may edit the two lists of names."""
        return self._add_hook("load_post", hook)

    # -------------------------------------------------------------------------------------------- state_dict

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Names and values of parameters and persistent buffers; detached, sharing memory, unless keep_vars."""
        return _state.collect(self, destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: dict[str, Any], strict: bool = True, assign: bool = False
    ) -> _state.IncompatibleKeys:
        """Copies values by name into parameters and buffers.

        Args:
            strict: missing or unexpected names are errors.
            assign: put the given tensors in place of the present ones instead of copying.

        Returns:
            The names that were missing and those that were unexpected.

        Raises:
            RuntimeError: names every missing key, unexpected key and wrong shape; nothing is changed then.
        """
        return _state.load(self, state_dict, strict, assign)

    def get_extra_state(self) -> Any:
        """Override together with set_extra_state to save more than tensors."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: override get_extra_state to give it one")

    def set_extra_state(self, state: Any) -> None:
        """Takes what get_extra_state returned."""
        raise RuntimeError(f"{type(self).__name__} has extra state to load but no set_extra_state")

    # ---------------------------------------------------------------------------------------------- printing

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands in the brackets of the printed form."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {indented(repr(self.__dict__[name]))}" for name in self._module_names]
        return block(self._get_name(), self.extra_repr(), children)
