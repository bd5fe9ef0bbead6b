"""The figures of a classifier, from its probabilities.

`probabilities` holds one row a text and one column a class; `wanted` holds class indices. The last
class is the positive one of two.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 10


def figures(wanted: Sequence[int], probabilities: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return accuracy, ROC-AUC, F1, log loss, Brier score and expected calibration error.

    Of more than two classes, ROC-AUC is the mean of one against the rest, and F1 the mean of all.
    """
    import numpy as np
    from sklearn import metrics

    table = np.asarray(probabilities, dtype=float)
    predicted, count = table.argmax(1), table.shape[1]
    _every_class(wanted, count)
    onehot = np.eye(count)[list(wanted)]
    squares = ((table - onehot) ** 2).sum(1).mean()
    average = {"pos_label": 1} if count == 2 else {"average": "macro"}
    return {
        "accuracy": float((predicted == wanted).mean()),
        "roc_auc": float(np.mean([rank_auc(onehot[:, c], table[:, c]) for c in _judged(count)])),
        "f1": float(metrics.f1_score(wanted, predicted, zero_division=0.0, **average)),  # type: ignore[arg-type]
        "log_loss": float(metrics.log_loss(wanted, table, labels=list(range(count)))),
        "brier": float(squares / 2 if count == 2 else squares),
        "calibration_error": calibration_error(wanted, table),
    }


def rank_auc(
    positive: "Sequence[float] | NDArray[np.float64]", scores: "NDArray[np.float64]"
) -> float:
    """Return the chance that a positive ranks above a negative, ties counting half.

    The area under the ROC curve as the Mann-Whitney U statistic; nan without both kinds.
    """
    import numpy as np
    from scipy.stats import rankdata

    mask = np.asarray(positive, dtype=bool)
    above, below = int(mask.sum()), int((~mask).sum())
    if not above or not below:
        return float("nan")
    ranks = rankdata(scores)[mask].sum()
    return float((ranks - above * (above + 1) / 2) / (above * below))


def reliability(
    wanted: Sequence[int], probabilities: "Sequence[Sequence[float]] | NDArray[np.float64]"
) -> list[tuple[float, float, int]]:
    """Return (mean confidence, share that is right, rows) of each filled bin of confidence."""
    import numpy as np

    table = np.asarray(probabilities, dtype=float)
    confidence, right = table.max(1), table.argmax(1) == np.asarray(wanted)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    members = [bins == number for number in range(BINS)]
    return [
        (float(confidence[m].mean()), float(right[m].mean()), int(m.sum()))
        for m in members
        if m.any()
    ]


def calibration_error(
    wanted: Sequence[int], probabilities: "Sequence[Sequence[float]] | NDArray[np.float64]"
) -> float:
    """Return the expected calibration error (Guo et al. 2017) over ten bins of equal width."""
    bins = reliability(wanted, probabilities)
    return sum(abs(right - sure) * rows for sure, right, rows in bins) / len(wanted)


def confusion(wanted: Sequence[int], probabilities: Sequence[Sequence[float]]) -> list[list[int]]:
    """Return counts, one row a true class and one column a predicted one."""
    count = len(probabilities[0])
    table = [[0] * count for _ in range(count)]
    for true, row in zip(wanted, probabilities, strict=True):
        table[true][max(range(count), key=lambda c: row[c])] += 1
    return table


def _judged(count: int) -> range:
    return range(1, 2) if count == 2 else range(count)


def _every_class(wanted: Sequence[int], count: int) -> None:
    if missing := sorted(set(range(count)) - set(wanted)):
        raise ValueError(
            f"the test split of {len(wanted)} rows has none of class {missing[0]}: "
            "raise extraction.split.test, or add rows of that label"
        )
