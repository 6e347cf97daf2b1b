"""Whether operations record gradients: context managers that are decorators too. The mode belongs to the thread."""

from __future__ import annotations

from .._core import _set_grad_enabled, is_grad_enabled


def _named_like(function):
    """functools.wraps without its import, which costs as much as the rest of this package's."""

    def name(wrapped):
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            if hasattr(function, attribute):
                setattr(wrapped, attribute, getattr(function, attribute))
        wrapped.__wrapped__ = function
        return wrapped

    return name


class _GradMode:
    """Sets the mode on entry and restores it on exit."""

    __slots__ = ("before",)
    mode = False

    def __enter__(self):
        self.before = is_grad_enabled()
        _set_grad_enabled(self.mode)

    def __exit__(self, *_):
        _set_grad_enabled(self.before)

    def __call__(self, function):
        kind = type(self)

        @_named_like(function)
        def wrapped(*args, **kwargs):
            with kind():
                return function(*args, **kwargs)

        return wrapped


class no_grad(_GradMode):
    """Operations inside are not recorded: `with no_grad():`, or as a decorator."""

    __slots__ = ()

    def __new__(cls, function=None):
        """`@no_grad` without parentheses decorates as well."""
        self = super().__new__(cls)
        return self if function is None else self(function)


class enable_grad(no_grad):
    """Operations inside are recorded, even within no_grad."""

    __slots__ = ()
    mode = True


class inference_mode(no_grad):
    """As no_grad; `inference_mode(False)` changes nothing."""

    __slots__ = ()

    def __new__(cls, mode=True):
        if callable(mode):
            return super().__new__(cls, mode)
        return super().__new__(cls if mode else _Unchanged)


class _Unchanged(no_grad):
    __slots__ = ()

    def __enter__(self):
        self.before = is_grad_enabled()


class set_grad_enabled:
    """Sets the mode at once; as a context manager restores it on exit."""

    __slots__ = ("before", "mode")

    def __init__(self, mode):
        self.mode = bool(mode)
        self.before = is_grad_enabled()
        _set_grad_enabled(self.mode)

    def __enter__(self):
        _set_grad_enabled(self.mode)

    def __exit__(self, *_):
        _set_grad_enabled(self.before)

    def __call__(self, function):
        _set_grad_enabled(self.before)
        mode = self.mode

        @_named_like(function)
        def wrapped(*args, **kwargs):
            with set_grad_enabled(mode):
                return function(*args, **kwargs)

        return wrapped
