"""Types of arguments, for type checkers: nothing imports this file when a program runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from freedive import Tensor, device

Device: TypeAlias = device | str | int | None
Params: TypeAlias = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]
