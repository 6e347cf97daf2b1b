"""Functions whose backward is written in Python."""

from __future__ import annotations

from .. import _core
from .grad_mode import no_grad


class FunctionCtx:
    """What forward leaves for backward. One per call."""

    def __init__(self):
        self.needs_input_grad = ()
        self.materialize_grads = True
        self._saved = ()
        self._versions = ()
        self._freed = False
        self._dirty = ()
        self._constant = ()
        self._shapes = ()

    def save_for_backward(self, *tensors):
        """Keeps tensors (or None) for backward, which reads them as `ctx.saved_tensors`."""
        self._saved = tensors
        self._versions = tuple(None if t is None else t._version for t in tensors)

    @property
    def saved_tensors(self):
        """The tensors given to save_for_backward.

        Raises:
            GradError: they were freed by an earlier backward, or one was changed in place since.
        """
        if self._freed:
            raise _core.GradError(
                "saved_tensors: backward through a graph whose saved tensors were freed; pass retain_graph=True"
            )
        for tensor, version in zip(self._saved, self._versions, strict=True):
            if tensor is not None and tensor._version != version:
                raise _core.GradError("saved_tensors: a saved tensor was changed in place before backward")
        return self._saved

    def mark_dirty(self, *tensors):
        """Says which inputs forward wrote to in place."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors):
        """Says which outputs have no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value):
        """Whether backward receives zeros (the default) or None for outputs without a gradient."""
        self.materialize_grads = value

    def _run_backward(self, grads):
        if self.materialize_grads:
            grads = [
                _core.zeros(shape, dtype=dtype) if g is None and shape is not None else g
                for g, (shape, dtype) in zip(grads, self._shapes, strict=True)
            ]
        results = self._function.backward(self, *grads)
        return results if isinstance(results, tuple) else (results,)

    def _release(self):
        self._saved = ()
        self._freed = True


class Function:
    """Base of operations with a gradient of their own (book section 2.5, exercises).

    A subclass defines static methods `forward(ctx, *args)` and `backward(ctx, *grads)`, which returns one gradient (or
    None) per argument of forward. Call it through `apply`. With `setup_context(ctx, inputs, output)` defined, forward
    takes no ctx.
    """

    @staticmethod
    def forward(*args, **kwargs):
        """Computes the outputs: a tensor or a tuple."""
        raise NotImplementedError("Function: forward is not defined")

    @staticmethod
    def backward(ctx, *grads):
        """Turns gradients of the outputs into gradients of the arguments."""
        raise NotImplementedError("Function: backward is not defined")

    @classmethod
    def apply(cls, *args):
        """Runs forward and, if an argument requires grad, records it."""
        ctx = FunctionCtx()
        ctx._function = cls
        tensors = [a if isinstance(a, _core.Tensor) else None for a in args]
        ctx.needs_input_grad = tuple(t is not None and t.requires_grad for t in tensors)
        with no_grad():
            if hasattr(cls, "setup_context"):
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args)
        if not (_core.is_grad_enabled() and any(ctx.needs_input_grad)):
            return result
        return cls._record(ctx, tensors, result)

    @classmethod
    def _record(cls, ctx, inputs, result):
        outputs = list(result) if isinstance(result, tuple) else [result]
        # An input returned as it came needs a tensor of its own to carry the history.
        for i, out in enumerate(outputs):
            if any(out is t for t in inputs if t is not None) and not any(out is d for d in ctx._dirty):
                outputs[i] = out.view_as(out).detach()
        differentiable = [
            isinstance(o, _core.Tensor) and o.dtype.is_floating_point and not any(o is c for c in ctx._constant)
            for o in outputs
        ]
        ctx._shapes = [(tuple(o.shape), o.dtype) if isinstance(o, _core.Tensor) else (None, None) for o in outputs]
        _core._record_function(
            ctx,
            f"{cls.__name__}Backward",
            inputs,
            [o if d else None for o, d in zip(outputs, differentiable, strict=True)],
        )
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]
