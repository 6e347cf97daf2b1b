"""Hooks of a module: kept apart, so that a module without hooks pays one comparison per call."""

from __future__ import annotations

from warnings import warn

import freedive as fd


class RemovableHandle:
    """Takes one hook out again: `handle.remove()`, or leaving a `with handle:` block."""

    def __init__(self, module, table, options=()):
        self._module = module
        self._table = table
        self._options = options
        self.id = fresh_id()

    def remove(self):
        """Removes the hook; calling it twice does no harm."""
        self._table.pop(self.id, None)
        for option in self._options:
            option.discard(self.id)
        if self._module is not None:
            self._module._drop_unused_hooks()
            self._module = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


_last_id = 0


def fresh_id() -> int:
    global _last_id
    _last_id += 1
    return _last_id


class Hooks:
    """Every hook of one module, in the order they run."""

    __slots__ = (
        "forward_pre", "forward", "backward_pre", "backward", "with_kwargs", "always",
        "state_dict_pre", "state_dict", "load_pre", "load_post",
    )  # fmt: skip

    def __init__(self):
        self.forward_pre, self.forward, self.backward_pre, self.backward = {}, {}, {}, {}
        self.with_kwargs, self.always = set(), set()
        self.state_dict_pre, self.state_dict, self.load_pre, self.load_post = {}, {}, {}, {}

    def empty(self) -> bool:
        return not (
            self.forward_pre or self.forward or self.backward_pre or self.backward
            or self.state_dict_pre or self.state_dict or self.load_pre or self.load_post
        )  # fmt: skip

    def add(self, module, table, hook, prepend=False, options=()):
        handle = RemovableHandle(module, table, options)
        if prepend:
            later = dict(table)
            table.clear()
            table[handle.id] = hook
            table.update(later)
        else:
            table[handle.id] = hook
        for option in options:
            option.add(handle.id)
        return handle


def call_with_hooks(module, hooks, args, kwargs):
    """module.forward with the hooks around it."""
    finished = set()
    try:
        result = _call(module, hooks, args, kwargs, finished)
    except BaseException:
        for key in [k for k in hooks.forward if k in hooks.always and k not in finished]:
            try:
                _run_forward_hook(module, hooks, key, args, kwargs, None)
            except Exception as error:  # the error that brought us here matters more
                warn(f"a forward hook failed while another error was under way: {error}", stacklevel=2)
        raise
    return result


def _call(module, hooks, args, kwargs, finished):
    for key, hook in list(hooks.forward_pre.items()):
        if key in hooks.with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or (args, kwargs), not {type(changed).__name__}"
                    )
                args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    backward = None
    if (hooks.backward or hooks.backward_pre) and fd.is_grad_enabled():
        from ._backward_hooks import BackwardHooks

        backward = BackwardHooks(module, list(hooks.backward.values()), list(hooks.backward_pre.values()))
        args = backward.watch_inputs(args)
    result = module.forward(*args, **kwargs)
    for key in list(hooks.forward):
        finished.add(key)
        changed = _run_forward_hook(module, hooks, key, args, kwargs, result)
        if changed is not None:
            result = changed
    return result if backward is None else backward.watch_outputs(result)


def _run_forward_hook(module, hooks, key, args, kwargs, result):
    hook = hooks.forward[key]
    if key in hooks.with_kwargs:
        return hook(module, args, kwargs, result)
    return hook(module, args, result)
