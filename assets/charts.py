"""Small pictures for the UI and the report; every function returns the bytes of a PNG."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#4c6ef5", "#f76707", "#868e96"


def histogram(values: Sequence[float], title: str, xlabel: str) -> bytes:
    """Return a histogram of `values` in at most 30 bins."""
    figure, axes = blank(title, xlabel, "rows")
    axes.hist(values, bins=min(30, max(1, len(set(values)))), color=BLUE)
    return png(figure)


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]], title: str, xlabel: str, ylabel: str
) -> bytes:
    """Return one line a series; each is a sequence of (x, y)."""
    figure, axes = blank(title, xlabel, ylabel)
    for (name, points), color in zip(series.items(), (BLUE, ORANGE, GREY), strict=False):
        axes.plot([x for x, _ in points], [y for _, y in points], label=name, color=color)
    if len(series) > 1:
        axes.legend(frameon=False)
    return png(figure)


def blank(title: str, xlabel: str, ylabel: str) -> "tuple[Figure, Axes]":
    """Return an empty chart in the house style, without pyplot's global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 2.6), dpi=90, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(xlabel, fontsize=8)
    axes.set_ylabel(ylabel, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def png(figure: "Figure") -> bytes:
    """Return the figure as PNG, without a time or version inside, so that bytes repeat."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
