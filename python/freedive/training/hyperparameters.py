"""HyperParameters: constructor arguments kept as attributes (Dive into Deep Learning, section 3.2)."""

from __future__ import annotations

from sys import _getframe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

HAS_VARARGS = 0x04
HAS_VARKEYWORDS = 0x08


class HyperParameters:
    """Base class whose subclasses call `self.save_hyperparameters()` in `__init__`."""

    hparams: dict[str, Any]

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Saved arguments are attributes that no type checker can know."""

    def save_hyperparameters(self, ignore: Iterable[str] = ()) -> None:
        """Make every argument of the calling `__init__` an attribute of self, and list them in `self.hparams`.

        Left out: names in `ignore`, the first argument (self), names that start with an underscore, and local
        variables that are no arguments.
        """
        frame = _getframe(1)
        code, values = frame.f_code, frame.f_locals
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & HAS_VARARGS) + bool(code.co_flags & HAS_VARKEYWORDS)
        skipped = set(ignore)
        self.hparams = {
            name: values[name]
            for name in code.co_varnames[1:count]
            if name not in skipped and not name.startswith("_") and name in values
        }
        for name, value in self.hparams.items():
            setattr(self, name, value)


def add_to_class(Class: type) -> Callable:
    """Decorator that makes the function under it a method of `Class`, so that a class can grow over several cells."""

    def wrapper(obj: Any) -> Any:
        setattr(Class, obj.__name__, obj)
        return obj

    return wrapper
