"""What modules say about themselves and about wrong arguments."""

from __future__ import annotations


def type_name(value: object) -> str:
    """The name of a value's type."""
    return type(value).__name__


def indented(text: str) -> str:
    """Every line but the first two spaces further in."""
    return text.replace("\n", "\n  ")


def came(args: tuple, kwargs: dict) -> str:
    """The end of a message about arguments nobody asked for."""
    parts = [f"{len(args)} positional"] if args else []
    parts += [f"keyword {', '.join(kwargs)}"] if kwargs else []
    return " and ".join(parts) + " came"


def block(name: str, extra: str, children: list[str]) -> str:
    """`name(extra)`, or with lines of their own for several lines of extra and for children."""
    lines = extra.split("\n") if extra else []
    if len(lines) == 1 and not children:
        return f"{name}({extra})"
    body = "".join(f"\n  {line}" for line in [*lines, *children])
    return f"{name}({body}\n)" if body else f"{name}()"
