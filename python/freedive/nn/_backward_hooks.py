"""Full backward hooks: two identity nodes, one before and one after a module, tell it the gradients that pass."""

from __future__ import annotations

import freedive as fd


class BackwardHooks:
    """One call of a module under its backward hooks.

    The node behind the outputs sees grad_output first; the node before the inputs then sees grad_input, runs the
    hooks and hands on what they return.
    """

    def __init__(self, module, hooks, pre_hooks):
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs = None
        self.inputs = 0
        self.watched = ()

    def watch_inputs(self, args):
        """args with every tensor that needs a gradient replaced by a watched copy of itself."""
        self.inputs = len(args)
        self.watched = tuple(i for i, a in enumerate(args) if isinstance(a, fd.Tensor) and a.requires_grad)
        if not self.watched or not self.hooks:
            return args
        copies = _Inputs.apply(self, *(args[i] for i in self.watched))
        args = list(args)
        for i, copy in zip(self.watched, copies if isinstance(copies, tuple) else (copies,)):
            args[i] = copy
        return tuple(args)

    def watch_outputs(self, result):
        """The module's result (a tensor, or a tuple or list of them), watched."""
        single = isinstance(result, fd.Tensor)
        items = [result] if single else result
        if not isinstance(items, (tuple, list)):
            raise RuntimeError(
                f"{type(self.module).__name__}: backward hooks need forward to return a tensor or a tuple of tensors, "
                f"not {type(result).__name__}"
            )
        at = [i for i, item in enumerate(items) if isinstance(item, fd.Tensor) and item.requires_grad]
        if not at:
            return result
        self.outputs, self.watched_outputs = len(items), at
        copies = _Outputs.apply(self, *(items[i] for i in at))
        items = list(items)
        for i, copy in zip(at, copies if isinstance(copies, tuple) else (copies,)):
            items[i] = copy
        if single:
            return items[0]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)

    def saw_grad_outputs(self, grads):
        full = _spread(grads, self.watched_outputs, self.outputs)
        for hook in self.pre_hooks:
            changed = hook(self.module, full)
            if changed is not None:
                full = _as_tuple(changed, self.outputs, "backward pre-hook")
        self.grad_outputs = full
        if not self.watched and self.hooks:
            for hook in self.hooks:
                if hook(self.module, (None,) * self.inputs, full) is not None:
                    raise RuntimeError(
                        "backward hook: no input of the module needs a gradient, so none can be replaced"
                    )
        return tuple(full[i] for i in self.watched_outputs)

    def saw_grad_inputs(self, grads):
        full = _spread(grads, self.watched, self.inputs)
        for hook in self.hooks:
            changed = hook(self.module, full, self.grad_outputs)
            if changed is not None:
                full = _as_tuple(changed, self.inputs, "backward hook")
        return tuple(full[i] for i in self.watched)


def _spread(values, positions, length):
    full = [None] * length
    for i, value in zip(positions, values):
        full[i] = value
    return tuple(full)


def _as_tuple(value, length, what):
    value = value if isinstance(value, tuple) else (value,)
    if len(value) != length:
        raise RuntimeError(f"{what} returned {len(value)} gradients; expected {length}")
    return value


class _Inputs(fd.autograd.Function):
    @staticmethod
    def forward(ctx, watcher, *tensors):
        ctx.watcher = watcher
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx, *grads):
        return (None, *ctx.watcher.saw_grad_inputs(grads))


class _Outputs(fd.autograd.Function):
    @staticmethod
    def forward(ctx, watcher, *tensors):
        ctx.watcher = watcher
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx, *grads):
        return (None, *ctx.watcher.saw_grad_outputs(grads))
