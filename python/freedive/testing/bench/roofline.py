"""A picture: what each row reached against what bounds it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .measure import Result

COLORS = {"freedive": "#d1495b", "numpy": "#8d99ae", "torch": "#edae49", "jax": "#3d7ea6"}

LABEL = (
    "share of the ceiling (multiply-add peak, or streaming copy) measured in the same round;\n"
    "above 1, data stayed in the caches"
)


def draw(results: Sequence[Result], about: dict[str, Any], path: str | Path) -> None:
    """Draws, per row that has a floor, the share of its ceiling that every library reached, and writes an image.

    Raises:
        ImportError: matplotlib is not installed (pip install freedive[plot]).
        ValueError: no row has a floor.

    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("--roofline needs matplotlib: pip install 'freedive[plot]'") from error
    bounded = [r for r in results if r.floor and r.ours]
    if not bounded:
        raise ValueError("--roofline: none of these rows has a ceiling")
    figure = Figure(figsize=(9, 1.2 + 0.34 * len(bounded)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    libraries = [lib for lib in COLORS if any(lib in r.seconds for r in bounded)]
    height = 0.8 / len(libraries)
    for place, lib in enumerate(libraries):
        at = [i + place * height for i, r in enumerate(bounded) if lib in r.seconds]
        reached = [_share(r, lib) for r in bounded if lib in r.seconds]
        axes.barh(at, reached, height, color=COLORS[lib], label=lib)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks([i + 0.4 - height / 2 for i in range(len(bounded))], [r.row.name for r in bounded])
    axes.invert_yaxis()
    axes.set_xlabel(LABEL)
    axes.set_title(f"{about['cpu']}, {about['threads']} threads, {about['date'][:10]}", fontsize=9)
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=150)


def _share(r: Result, lib: str) -> float:
    shares = sorted(f / s for f, s in zip(r.floor, r.seconds[lib], strict=True))
    return shares[len(shares) // 2]
