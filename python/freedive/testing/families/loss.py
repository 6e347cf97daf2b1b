"""Losses, as torch.nn.functional names them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Case, Input, integer, probabilities, real
from .softmax import _log_softmax

REDUCTIONS = {"mean": np.mean, "sum": np.sum, "none": lambda x: x}
BENCH = {"m": 1000, "n": 1000}


def _picked(logits: Any, labels: Any) -> Any:
    return np.take_along_axis(_log_softmax(logits, 1), labels[:, None], 1)[:, 0]


def _elementwise(name: str, twin: Any, inputs: tuple[Input, ...], **options: Any) -> tuple[Case, ...]:
    arguments = options.pop("arguments", {})

    def case(reduction: str, reduce: Any) -> Case:
        return Case(
            f"{name}_{reduction}",
            lambda lib, p, t: getattr(lib.nn.functional, name)(p, t, reduction=reduction, **arguments),
            lambda p, t: reduce(twin(p, t)),
            inputs,
            noise=16,
            least=1,
            bench=BENCH if reduction == "mean" else None,
            **options,
        )

    return tuple(case(*item) for item in REDUCTIONS.items())


def _huber(p: Any, t: Any) -> Any:
    d = np.abs(p - t)
    return np.where(d <= 0.8, d * d / 2, 0.8 * (d - 0.4))


def _smooth_l1(p: Any, t: Any) -> Any:
    d = np.abs(p - t)
    return np.where(d < 0.8, d * d / 1.6, d - 0.4)


def _bce(p: Any, t: Any) -> Any:
    return -t * np.log(p) - (1 - t) * np.log(1 - p)


def _bce_logits(x: Any, t: Any) -> Any:
    return np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))


_two, _unit = (real("m n"), real("m n")), real("m n", 0.05, 0.95)

CROSS_ENTROPY = (
    Case(
        "cross_entropy",
        lambda lib, x, y: lib.nn.functional.cross_entropy(x, y),
        lambda x, y: -_picked(x, y).mean(),
        (real("n c", -5, 5), integer("n", "c")),
        noise=16,
        least=1,
        bench={"n": 8192, "c": 1000},
    ),
    Case(
        "cross_entropy_none",
        lambda lib, x, y: lib.nn.functional.cross_entropy(x, y, reduction="none"),
        lambda x, y: -_picked(x, y),
        (real("n c", -5, 5), integer("n", "c")),
        noise=16,
        least=1,
    ),
    Case(
        "cross_entropy_smoothed",
        lambda lib, x, y: lib.nn.functional.cross_entropy(x, y, label_smoothing=0.1),
        lambda x, y: -(0.9 * _picked(x, y) + 0.1 * _log_softmax(x, 1).mean(1)).mean(),
        (real("n c", -5, 5), integer("n", "c")),
        noise=16,
        least=1,
    ),
    Case(
        "cross_entropy_probabilities",
        lambda lib, x, q: lib.nn.functional.cross_entropy(x, q),
        lambda x, q: -(q * _log_softmax(x, 1)).sum(1).mean(),
        (real("n c", -5, 5), probabilities("n c")),
        noise=16,
        least=1,
    ),
    Case(
        "nll_loss",
        lambda lib, x, y: lib.nn.functional.nll_loss(x, y),
        lambda x, y: -np.take_along_axis(x, y[:, None], 1).mean(),
        (real("n c", -5, 0), integer("n", "c")),
        noise=16,
        least=1,
    ),
)

CASES = (
    *CROSS_ENTROPY,
    *_elementwise("mse_loss", lambda p, t: (p - t) ** 2, _two),
    *_elementwise("l1_loss", lambda p, t: np.abs(p - t), _two),
    *_elementwise("huber_loss", _huber, _two, arguments={"delta": 0.8}),
    *_elementwise("smooth_l1_loss", _smooth_l1, _two, arguments={"beta": 0.8}),
    *_elementwise("kl_div", lambda p, t: t * (np.log(t) - p), (real("m n", -3, 0), _unit)),
    *_elementwise("binary_cross_entropy", _bce, (_unit, _unit)),
    *_elementwise("binary_cross_entropy_with_logits", _bce_logits, (real("m n", -5, 5), _unit)),
)
