"""Views: no element moves, but every gradient must find its way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Case, real


def _case(name: str, run: Callable[..., Any], twin: Callable[..., Any], shape: str = "b m n", **options: Any) -> Case:
    return Case(name, run, twin, (real(shape),), ulp=0, **options)


CASES = (
    _case("transpose", lambda lib, x: x.transpose(0, 2), lambda x: x.swapaxes(0, 2)),
    _case("permute", lambda lib, x: x.permute(2, 0, 1), lambda x: x.transpose(2, 0, 1)),
    _case("reshape", lambda lib, x: x.reshape(-1), lambda x: x.reshape(-1)),
    _case("flatten", lambda lib, x: x.flatten(1), lambda x: x.reshape(len(x), -1), least=1),
    _case("unsqueeze", lambda lib, x: x.unsqueeze(1), lambda x: x[:, None]),
    _case("squeeze", lambda lib, x: x.squeeze(1), lambda x: x[:, 0], "m 1 n"),
    _case("expand", lambda lib, x: x.expand(3, *x.shape), lambda x: np.broadcast_to(x, (3, *x.shape))),
    _case("select", lambda lib, x: x[:, 0], lambda x: x[:, 0], least=1),
    _case("slice", lambda lib, x: x[:, 1:, ::2], lambda x: x[:, 1:, ::2]),
    _case("narrow", lambda lib, x: x.narrow(1, 1, 1), lambda x: x[:, 1:2], least=2),
    _case("diagonal", lambda lib, x: x.diagonal(0, 1, 2), lambda x: x.diagonal(0, 1, 2)),
    _case(
        "unfold",
        lambda lib, x: x.unfold(2, 2, 1),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, 2),
        least=2,
    ),
    _case("movedim", lambda lib, x: x.movedim(0, -1), lambda x: np.moveaxis(x, 0, -1)),
    _case("split", lambda lib, x: x.split(2, 1), lambda x: np.split(x, range(2, x.shape[1], 2), 1), least=1),
    _case("unbind", lambda lib, x: x.unbind(0), lambda x: list(x), least=1),
    _case("chunk", lambda lib, x: x.chunk(2, 2), lambda x: np.split(x, [(x.shape[2] + 1) // 2], 2), least=2),
    _case("contiguous", lambda lib, x: x.transpose(1, 2).contiguous(), lambda x: x.swapaxes(1, 2)),
)
