"""Module.state_dict and load_state_dict: first everything is compared, then everything is copied."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import freedive as fd

from .parameter import Parameter, is_lazy

EXTRA = "_extra_state"


class IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict returns."""

    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _saved(module):
    """(name, tensor) of what a module's own state consists of."""
    state = module.__dict__
    for name in module._parameter_names:
        if state[name] is not None:
            yield name, state[name]
    for name, persistent in module._buffer_names.items():
        if persistent and state[name] is not None:
            yield name, state[name]


def _has_extra_state(module):
    from .module import Module

    return type(module).get_extra_state is not Module.get_extra_state


def collect(module, destination, prefix, keep_vars):
    if destination is None:
        destination = OrderedDict()
    hooks = module._hooks
    for hook in list(hooks.state_dict_pre.values()) if hooks else ():
        hook(module, prefix, keep_vars)
    for name, tensor in _saved(module):
        destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
    if _has_extra_state(module):
        destination[prefix + EXTRA] = module.get_extra_state()
    for name in module._module_names:
        child = module.__dict__[name]
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in list(hooks.state_dict.values()) if hooks else ():
        changed = hook(module, destination, prefix, {})
        destination = destination if changed is None else changed
    return destination


class _Loading:
    """One load_state_dict: what was found wrong, and what to do if nothing was."""

    def __init__(self, state_dict, strict, assign):
        self.state_dict = state_dict
        self.strict = strict
        self.assign = assign
        self.missing, self.errors, self.actions = [], [], []
        self.known = set()
        self.unexpected = []

    def match(self, module, prefix):
        hooks = module._hooks
        for hook in list(hooks.load_pre.values()) if hooks else ():
            hook(module, self.state_dict, prefix, {}, self.strict, self.missing, self.unexpected, self.errors)
        for name, target in _saved(module):
            key = prefix + name
            self.known.add(key)
            if key in self.state_dict:
                self._match_tensor(module, name, key, target, self.state_dict[key])
            else:
                self.missing.append(key)
        if _has_extra_state(module):
            key = prefix + EXTRA
            self.known.add(key)
            if key in self.state_dict:
                self.actions.append((module.set_extra_state, (self.state_dict[key],)))
            else:
                self.missing.append(key)
        for name in module._module_names:
            child = module.__dict__[name]
            if child is not None:
                self.match(child, f"{prefix}{name}.")

    def _match_tensor(self, module, name, key, target, source):
        if not isinstance(source, fd.Tensor):
            self.errors.append(f"{key} should be a tensor, but the state_dict holds {type(source).__name__}")
        elif is_lazy(source):
            if not is_lazy(target):
                self.errors.append(f"{key} is uninitialized in the state_dict but not in the model")
        elif is_lazy(target) or tuple(source.shape) == tuple(target.shape):
            self.actions.append((_assign if self.assign else _copy, (module, name, target, source)))
        else:
            self.errors.append(
                f"size mismatch for {key}: copying a param with shape {tuple(source.shape)} from checkpoint, "
                f"the shape in current model is {tuple(target.shape)}."
            )


def _copy(module, name, target, source):
    if is_lazy(target):
        target.materialize(source.shape)
    target.copy_(source)


def _assign(module, name, target, source):
    if isinstance(target, Parameter):
        source = source if isinstance(source, Parameter) else Parameter(source, target.requires_grad)
        source.requires_grad_(target.requires_grad)
    setattr(module, name, source)


def load(module, state_dict, strict, assign):
    if not hasattr(state_dict, "keys"):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict).__name__}.")
    loading = _Loading(OrderedDict(state_dict), strict, assign)
    loading.match(module, "")
    loading.unexpected += [key for key in loading.state_dict if key not in loading.known]
    problems = list(loading.errors)
    if strict:
        if loading.unexpected:
            problems.insert(0, f"Unexpected key(s) in state_dict: {_quoted(loading.unexpected)}. ")
        if loading.missing:
            problems.insert(0, f"Missing key(s) in state_dict: {_quoted(loading.missing)}. ")
    if problems:
        name = type(module).__name__
        raise RuntimeError(f"Error(s) in loading state_dict for {name}:\n\t" + "\n\t".join(problems))
    with fd.no_grad():
        for action, arguments in loading.actions:
            action(*arguments)
    result = IncompatibleKeys(loading.missing, loading.unexpected)
    for part in list(module.modules()):
        for hook in list(part._hooks.load_post.values()) if part._hooks else ():
            hook(part, result)
    return result


def _quoted(names):
    return ", ".join(f'"{name}"' for name in names)
