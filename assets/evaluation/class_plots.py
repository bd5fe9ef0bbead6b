"""The two pictures of a classifier; every function returns the bytes of a PNG."""

from collections.abc import Mapping, Sequence

from assets.charts import BLUE, GREY, ORANGE, blank, png

COLORS = {"base": ORANGE, "baseline": GREY, "tuned": BLUE}


def calibration_plot(bins: Mapping[str, Sequence[tuple[float, float, int]]]) -> bytes:
    """Return one curve an arm: how often it is right at each confidence."""
    figure, axes = blank("Calibration: on the diagonal is honest", "confidence", "share right")
    axes.plot([0, 1], [0, 1], color="#adb5bd", linewidth=1, linestyle="--")
    for arm, points in bins.items():
        sure, right = [p[0] for p in points], [p[1] for p in points]
        axes.plot(sure, right, marker="o", markersize=4, color=COLORS[arm], label=arm)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, fontsize=7)
    return png(figure)


def confusion_plot(tables: Mapping[str, list[list[int]]], labels: Sequence[str]) -> bytes:
    """Return the confusion matrices side by side, rows the truth and columns the prediction."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.9 * len(tables), 2.2), dpi=90, layout="constrained")
    names = [label[:14] for label in labels]
    for axes, (arm, table) in zip(
        figure.subplots(1, len(tables), squeeze=False)[0], tables.items(), strict=True
    ):
        axes.imshow(table, cmap="Blues", vmin=0)
        axes.set_title(arm, fontsize=10)
        axes.set_xlabel("predicted", fontsize=8)
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.set_yticks(range(len(names)), names, fontsize=8, rotation=90, va="center")
        half = max(max(row) for row in table) / 2
        for y, row in enumerate(table):
            for x, count in enumerate(row):
                color = "white" if count > half else "black"
                axes.text(x, y, str(count), ha="center", va="center", color=color, fontsize=9)
    return png(figure)
