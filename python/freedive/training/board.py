"""ProgressBoard: curves that grow while training runs (Dive into Deep Learning, section 3.2).

In a notebook one display is updated in place, a few times a second at most; from a script nothing is drawn until
`save(path)`. matplotlib is imported at the first drawing and is optional.
"""

from __future__ import annotations

import sys
from collections import namedtuple
from time import perf_counter

import freedive as fd

from .hyperparameters import HyperParameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

SECONDS_BETWEEN_DRAWINGS = 0.25
DRAWING_SHARE = 0.05  # of the time; after a slow drawing the next one waits accordingly


Point = namedtuple("Point", ("x", "y"))


class Line:
    """One curve: values not yet averaged, and the points made of them."""

    def __init__(self) -> None:
        self.xs: list[float] = []
        self.ys: list[Any] = []
        self.points: list[Point] = []

    def add(self, x: float, y: Any, every_n: int) -> bool:
        """Take in a value; True when it completed a point."""
        self.xs.append(x)
        self.ys.append(y)
        if len(self.xs) < every_n:
            return False
        self.complete()
        return True

    def complete(self) -> None:
        """Make a point of the values that wait, however few."""
        if self.xs:
            self.points.append(Point(sum(map(float, self.xs)) / len(self.xs), _mean(self.ys)))
            self.xs, self.ys = [], []

    def resolved(self) -> list[Point]:
        """The points as Python numbers; values still on a device are fetched now."""
        self.points = [Point(x, float(y)) for x, y in self.points]
        return self.points


class ProgressBoard(HyperParameters):
    """Plots points as they arrive. Attributes named like the arguments may be set until the first drawing."""

    xlabel: str | None
    ylabel: str | None
    xlim: Sequence[float] | None
    ylim: Sequence[float] | None
    xscale: str
    yscale: str
    fig: Any
    axes: Any
    display: bool

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        xlim: Sequence[float] | None = None,
        ylim: Sequence[float] | None = None,
        xscale: str = "linear",
        yscale: str = "linear",
        ls: Sequence[str] = ("-", "--", "-.", ":"),
        colors: Sequence[str] = ("C0", "C1", "C2", "C3"),
        fig: Any = None,
        axes: Any = None,
        figsize: tuple[float, float] = (3.5, 2.5),
        display: bool = True,
    ) -> None:
        self.save_hyperparameters()
        self._lines: dict[str, Line] = {}
        self._own_data: dict[str, list[Point]] | None = None
        self._display = NotebookDisplay(self)

    def draw(self, x: float, y: Any, label: str, every_n: int = 1) -> None:
        """Add (x, y) to the curve `label`. Every `every_n` values become one point, their mean.

        y: a number or one-element tensor; a tensor on a GPU stays there until it is drawn. Values left over at the end
        become a last point (see `finish`).
        """
        line = self._lines.get(label)
        if line is None:
            line = self._lines[label] = Line()
        if line.add(x, y, max(1, every_n)) and self.display:
            self._display.show_soon()

    @property
    def data(self) -> dict[str, list[Point]]:
        """The points of each curve so far, as numbers; what a reader's own `draw` has put here, if it has."""
        if self._own_data is not None:
            return self._own_data
        return {label: line.resolved() for label, line in self._lines.items()}

    @data.setter
    def data(self, curves: dict[str, list[Point]]) -> None:
        self._own_data = curves

    def finish(self) -> None:
        """Turn what is left over into points and, in a notebook, draw a last time."""
        for line in self._lines.values():
            line.complete()
        if self._lines and self.display:
            self._display.show_soon()
            self._display.finish()

    def save(self, path: str) -> None:
        """Write the curves as a picture; the file name's ending (.png, .svg, .pdf) chooses the format.

        ImportError without matplotlib; an older file stays whole if writing fails.
        """
        import os
        from io import BytesIO

        from freedive._files import write_atomically

        content = BytesIO()
        kind = os.path.splitext(os.fspath(path))[1][1:] or "png"
        self.figure().savefig(content, format=kind, bbox_inches="tight", dpi=150)
        write_atomically(os.fspath(path), content.getvalue())

    def figure(self) -> Any:
        """The matplotlib figure with all curves brought up to date."""
        if self.axes is None:
            figure_class = import_matplotlib("figure").Figure
            self.fig = figure_class(figsize=self.figsize)
            self.axes = self.fig.subplots()
        known = {line.get_label(): line for line in self.axes.get_lines()}
        for i, (label, line) in enumerate(self._lines.items()):
            xs, ys = zip(*line.resolved(), strict=True) if line.points else ((), ())
            if label in known:
                known[label].set_data(xs, ys)
            else:
                style = {"linestyle": self.ls[i % len(self.ls)], "color": self.colors[i % len(self.colors)]}
                self.axes.plot(xs, ys, label=label, **style)
        self._dress()
        return self.fig if self.fig is not None else self.axes.figure

    def _dress(self) -> None:
        axes = self.axes
        axes.set_xscale(self.xscale)
        axes.set_yscale(self.yscale)
        axes.set_xlabel(self.xlabel or "x")
        axes.set_ylabel(self.ylabel or "")
        axes.relim()
        axes.autoscale_view()
        if self.xlim is not None:
            axes.set_xlim(self.xlim)
        if self.ylim is not None:
            axes.set_ylim(self.ylim)
        if self._lines:
            axes.legend()

    def __getstate__(self) -> dict[str, Any]:
        """A copy or pickle has the points but starts a display of its own."""
        return {**self.__dict__, "_display": None, "fig": None, "axes": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._display = NotebookDisplay(self)

    def state_dict(self) -> dict:
        """Points and waiting values, for a checkpoint."""
        return {
            label: {"points": list(line.resolved()), "xs": list(line.xs), "ys": [float(y) for y in line.ys]}
            for label, line in self._lines.items()
        }

    def load_state_dict(self, state: dict) -> None:
        """Take over what `state_dict` gave."""
        self._lines = {}
        for label, saved in state.items():
            line = self._lines[label] = Line()
            line.points, line.xs, line.ys = [Point(*p) for p in saved["points"]], list(saved["xs"]), list(saved["ys"])


class NotebookDisplay:
    """One output area of a notebook cell, replaced at each drawing of `source.figure()`. No-op outside of notebooks."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.handle: Any = None
        self.next_drawing = 0.0

    def show_soon(self) -> None:
        """Draw, unless the last drawing was a moment ago; what is skipped is drawn at the end of the cell."""
        if in_notebook() and (now := perf_counter()) >= self.next_drawing:
            self.show()
            self.next_drawing = now + max(SECONDS_BETWEEN_DRAWINGS, (perf_counter() - now) / DRAWING_SHARE)

    def show(self) -> None:
        """Draw now."""
        from io import StringIO

        display = sys.modules["IPython"].display
        content = StringIO()
        self.source.figure().savefig(content, format="svg", bbox_inches="tight")
        bundle = {"image/svg+xml": content.getvalue(), "text/plain": f"<{type(self.source).__name__}>"}
        if self.handle is None:
            self.handle = display.display(bundle, raw=True, display_id=True)
            shell().events.register("post_run_cell", self.finish)
        else:
            self.handle.update(bundle, raw=True)

    def finish(self, *_: object) -> None:
        """Draw a last time; later drawings open a new output area."""
        if self.handle is not None:
            self.show()
            self.handle, self.next_drawing = None, 0.0
            shell().events.unregister("post_run_cell", self.finish)


def in_notebook() -> bool:
    """Whether the code runs in a notebook's kernel."""
    return "IPython" in sys.modules and hasattr(shell(), "kernel")


def shell() -> Any:
    """The running IPython, if there is one; it is never imported for the purpose."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def import_matplotlib(module: str) -> Any:
    """matplotlib.<module>, or an ImportError that says how to get it."""
    from importlib import import_module

    try:
        return import_module("matplotlib." + module)
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'freedive[plot]'") from error


def _mean(values: list) -> Any:
    """The mean: a number, or a tensor if the values live on a GPU and fetching them would stop it."""
    if len(values) == 1 and not isinstance(values[0], fd.Tensor):
        return float(values[0])
    if any(isinstance(v, fd.Tensor) and v.device.type != "cpu" for v in values):
        return fd.stack([v.reshape(()) for v in values]).mean()
    return sum(map(float, values)) / len(values)
