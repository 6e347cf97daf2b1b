"""The book's plotting helpers. matplotlib is imported by the first call that draws."""

from __future__ import annotations

from .board import NotebookDisplay, import_matplotlib, in_notebook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

FORMATS = ("-", "m--", "g-.", "r:")


def pyplot() -> Any:
    """matplotlib.pyplot; ImportError that says how to install it."""
    return import_matplotlib("pyplot")


def use_svg_display() -> None:
    """Draw figures of a notebook as SVG; elsewhere there is nothing to do."""
    if in_notebook():
        try:
            from matplotlib_inline import backend_inline
        except ImportError:  # some hosted notebooks come without it: their default format stays
            return
        backend_inline.set_matplotlib_formats("svg")


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """The size in inches of figures made from now on."""
    use_svg_display()
    pyplot().rcParams["figure.figsize"] = figsize


def set_axes(
    axes: Any,
    xlabel: str | None,
    ylabel: str | None,
    xlim: Any,
    ylim: Any,
    xscale: str,
    yscale: str,
    legend: Sequence[str] | None,
) -> None:
    """Labels, scales, limits, legend and grid of matplotlib axes."""
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_xscale(xscale)
    axes.set_yscale(yscale)
    axes.set_xlim(xlim)
    axes.set_ylim(ylim)
    if legend:
        axes.legend(legend)
    axes.grid()


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] = (),
    xlim: Any = None,
    ylim: Any = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = FORMATS,
    figsize: tuple[float, float] = (3.5, 2.5),
    axes: Any = None,
) -> None:
    """Draw curves: one if Y is a sequence of numbers, several if it is a list of such sequences.

    X is shared by all of them or a list of as many; without Y, X holds the values and their positions are 0, 1, …
    """
    curves = _curves(X) if Y is None else _curves(Y)
    places: list[Any] = [None] * len(curves)
    if Y is not None:
        places = _curves(X)
        places = places * len(curves) if len(places) == 1 else places
        if len(places) != len(curves):
            raise ValueError(f"plot: {len(places)} sequences X for {len(curves)} sequences Y")
    set_figsize(figsize)
    axes = axes if axes is not None else pyplot().gca()
    axes.cla()
    for i, (x, y) in enumerate(zip(places, curves, strict=True)):
        axes.plot(*([x] if x is not None else []), y, fmts[i % len(fmts)])
    set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)


def show_images(
    imgs: Any, num_rows: int, num_cols: int, titles: Sequence[str] | None = None, scale: float = 1.5
) -> Any:
    """Show images (tensors, arrays or PIL images) in a grid; returns the axes, row by row."""
    figure_size = (num_cols * scale, num_rows * scale)
    axes = pyplot().subplots(num_rows, num_cols, figsize=figure_size, squeeze=False)[1].flatten()
    for i, (cell, image) in enumerate(zip(axes, imgs, strict=False)):
        cell.imshow(_plain(image))
        cell.axes.get_xaxis().set_visible(False)
        cell.axes.get_yaxis().set_visible(False)
        if titles is not None and len(titles):
            cell.set_title(titles[i])
    return axes


def show_heatmaps(
    matrices: Any,
    xlabel: str,
    ylabel: str,
    titles: Sequence[str] | None = None,
    figsize: tuple[float, float] = (2.5, 2.5),
    cmap: str = "Reds",
) -> None:
    """Show matrices of shape (rows, columns, height, width) as a grid of heat maps with one colour bar."""
    use_svg_display()
    rows, columns = len(matrices), len(matrices[0])
    fig, axes = pyplot().subplots(rows, columns, figsize=figsize, sharex=True, sharey=True, squeeze=False)
    for i in range(rows):
        for j in range(columns):
            picture = axes[i, j].imshow(_plain(matrices[i][j]), cmap=cmap)
            if i == rows - 1:
                axes[i, j].set_xlabel(xlabel)
            if j == 0:
                axes[i, j].set_ylabel(ylabel)
            if titles:
                axes[i, j].set_title(titles[j])
    fig.colorbar(picture, ax=axes, shrink=0.6)


def annotate(text: str, xy: tuple[float, float], xytext: tuple[float, float]) -> None:
    """Write text at xytext of the current axes, with an arrow to xy."""
    pyplot().gca().annotate(text, xy=xy, xytext=xytext, arrowprops={"arrowstyle": "->"})


def show_trace_2d(f: Callable[[Any, Any], Any], results: Sequence[tuple[float, float]]) -> None:
    """The path `results` of (x1, x2) over the contour lines of f."""
    import freedive as fd

    set_figsize()
    plt = pyplot()
    plt.plot(*zip(*[(float(a), float(b)) for a, b in results], strict=True), "-o", color="#ff7f0e")
    x1, x2 = fd.meshgrid(fd.arange(-5.5, 1.0, 0.1), fd.arange(-3.0, 1.0, 0.1), indexing="ij")
    plt.contour(_plain(x1), _plain(x2), _plain(f(x1, x2)), colors="#1f77b4")
    plt.xlabel("x1")
    plt.ylabel("x2")


class Animator:
    """Curves that grow by `add`; in a notebook the picture is updated in place. X and Y hold the points of each."""

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        legend: Sequence[str] | None = None,
        xlim: Any = None,
        ylim: Any = None,
        xscale: str = "linear",
        yscale: str = "linear",
        fmts: Sequence[str] = FORMATS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = (3.5, 2.5),
    ) -> None:
        self.dress = (xlabel, ylabel, xlim, ylim, xscale, yscale, legend)
        self.fmts, self.shape, self.figsize = fmts, (nrows, ncols), figsize
        self.X: list[list[float]] = []
        self.Y: list[list[float]] = []
        self.fig: Any = None
        self._display = NotebookDisplay(self)

    def add(self, x: Any, y: Any) -> None:
        """Add a point to each curve: y is one number, or as many as there are curves; None adds no point to a curve."""
        ys = list(y) if hasattr(y, "__len__") and _ndim(y) else [y]
        xs = list(x) if hasattr(x, "__len__") and _ndim(x) else [x] * len(ys)
        while len(self.X) < len(ys):
            self.X.append([])
            self.Y.append([])
        for i, (a, b) in enumerate(zip(xs, ys, strict=True)):
            if a is not None and b is not None:
                self.X[i].append(float(a))
                self.Y[i].append(float(b))
        self._display.show_soon()

    def figure(self) -> Any:
        """The matplotlib figure with all points."""
        if self.fig is None:
            self.fig = import_matplotlib("figure").Figure(figsize=self.figsize)
            self.axes = self.fig.subplots(*self.shape, squeeze=False).flatten()
        axes = self.axes[0]
        axes.cla()
        for i, (x, y) in enumerate(zip(self.X, self.Y, strict=True)):
            axes.plot(x, y, self.fmts[i % len(self.fmts)])
        set_axes(axes, *self.dress)
        return self.fig


def _curves(values: Any) -> list[Any]:
    """A list of one-dimensional sequences, from one such sequence or a list of them."""
    if getattr(values, "ndim", 0) == 1:
        return [_plain(values)]
    if isinstance(values, (list, tuple)) and (not values or _is_number(values[0])):
        return [[float(v) for v in values]]
    return [_plain(v) if hasattr(v, "ndim") else [float(e) for e in v] for v in values]


def _ndim(value: Any) -> int:
    """Number of dimensions; a list has one."""
    return getattr(value, "ndim", 1)


def _is_number(value: Any) -> bool:
    return getattr(value, "ndim", None) == 0 or not hasattr(value, "__len__")


def _plain(value: Any) -> Any:
    """A tensor as a NumPy array; anything else as it is."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value
